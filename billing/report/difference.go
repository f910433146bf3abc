package report

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"

	"chargeback/transform/money"
)

// By is what a report of differences groups by.
type By string

// The groups of differences.
const (
	ByMonth      By = "month"
	ByCostCenter By = "cost-center"
	ByAgent      By = "agent"
	ByModel      By = "model"
)

// Differences is what records cost as they stand and as they would cost, with
// the largest difference first; all groups of the same rows have the same total.
func Differences(title, month string, by By, rows []Rerated) Report {
	r := Report{Name: "difference by " + string(by), Title: title, Month: month, Total: nil}
	keys := map[By][]Column{
		ByMonth:      {{Name: "month", Title: "Month"}},
		ByCostCenter: {centerColumn, homeColumn},
		ByAgent:      {agentColumn},
		ByModel:      {{Name: "model", Title: "Model", Wrap: true}},
	}[by]
	r.Columns = slices.Concat(keys, []Column{
		{Name: "requests", Title: "Requests", Kind: Count, Rank: 4},
		{Name: "before_usd", Title: "As it is", Kind: USD},
		{Name: "after_usd", Title: "As it would be", Kind: USD},
		{Name: "difference_usd", Title: "Difference", Kind: USD},
		{Name: "difference_percent", Title: "%", Kind: Percent, Rank: 3},
		{Name: "held_before", Title: "Held now", Kind: Count, Rank: 2},
		{Name: "held_after", Title: "Held then", Kind: Count, Rank: 1},
	})
	r.Total = []any{}
	for range keys {
		r.Total = append(r.Total, nil)
	}
	r.Total = append(r.Total, int64(0), money.USD{}, money.USD{}, money.USD{}, nil, int64(0), int64(0))
	at := map[string]int{}
	for _, row := range rows {
		key := map[By][]any{ByMonth: {row.Month}, ByCostCenter: {row.CostCenter, row.Department}, ByAgent: {nullable(row.AgentID)}, ByModel: {row.Model}}[by]
		name := fmt.Sprint(key...)
		i, known := at[name]
		if !known {
			i = len(r.Rows)
			at[name] = i
			r.Rows = append(r.Rows, append(slices.Clone(key), int64(0), money.USD{}, money.USD{}, money.USD{}, nil, int64(0), int64(0)))
		}
		values := []any{row.Records, row.Before, row.After, row.After.Sub(row.Before), nil, row.HeldBefore, row.HeldAfter}
		for _, sum := range [][]any{r.Rows[i], r.Total} {
			for j, v := range values {
				switch had := sum[len(keys)+j].(type) {
				case int64:
					sum[len(keys)+j] = had + v.(int64)
				case money.USD:
					sum[len(keys)+j] = had.Add(v.(money.USD))
				}
			}
		}
	}
	for _, row := range append(r.Rows[:len(r.Rows):len(r.Rows)], r.Total) {
		row[r.at("difference_percent")] = change(r.usd(row, "before_usd"), r.usd(row, "difference_usd"))
	}
	slices.SortStableFunc(r.Rows, func(a, b []any) int {
		x, y := r.usd(a, "difference_usd").Pico(), r.usd(b, "difference_usd").Pico()
		return cmp.Or(y.CmpAbs(x), cmp.Compare(fmt.Sprint(a[0]), fmt.Sprint(b[0])))
	})
	if more := r.count(r.Total, "held_after") - r.count(r.Total, "held_before"); more > 0 {
		r.note("%s no price then and cost nothing in these figures, which is no saving.", plural(more, "request more would have", "requests more would have"))
	}
	return r
}

func nullable(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// change is a difference in percent of what it differs from, with 2 decimals,
// rounded half up (away from zero); nil where there was nothing.
func change(before, difference money.USD) any {
	if before.IsZero() {
		return nil
	}
	n := new(big.Int).Mul(difference.Pico(), big.NewInt(hundredths))
	of := new(big.Int).Abs(before.Pico())
	units, rest := new(big.Int).QuoRem(n, of, new(big.Int))
	if rest.Abs(rest).Lsh(rest, 1).Cmp(of) >= 0 {
		units.Add(units, big.NewInt(int64(n.Sign())))
	}
	sign := ""
	if units.Sign() < 0 {
		sign = "-"
	}
	units.Abs(units)
	whole, hundredth := new(big.Int).QuoRem(units, big.NewInt(100), new(big.Int))
	return fmt.Sprintf("%s%s.%02d", sign, whole, hundredth.Int64())
}
