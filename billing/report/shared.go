package report

import (
	"cmp"
	"slices"
	"strings"

	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// SharedPart is one cost centre's part of a shared cost.
type SharedPart struct {
	Name, CostCenter string
	AdjustsMonth     string // closed month that is trued up, "" for the month itself
	Split, Share     string
	Amount           money.USD
}

// Shared is how a month's shared costs are divided: as its documents have it
// where it is closed, else as its close would divide them by the records so far.
// The parts of a cost add up to its amount. Notes are sentences without a full stop.
func Shared(month civil.Month, closed bool, parts []SharedPart, notes []string) Report {
	r := Report{
		Name: "shared", Title: "Shared costs by cost centre, as a close today would divide them", Month: month.String(),
		Columns: []Column{
			{Name: "shared_cost", Title: "Shared cost"},
			{Name: "adjusts_month", Title: "Corrects", None: "-", Rank: 1},
			{Name: "cost_center", Title: "Cost centre"},
			{Name: "split_method", Title: "Split", Rank: 3},
			{Name: "split_share", Title: "Share", Rank: 2},
			{Name: "amount_usd", Title: "Amount", Kind: USD},
		},
	}
	if closed {
		r.Title = "Shared costs by cost centre, as they were divided"
	}
	parts = slices.SortedStableFunc(slices.Values(parts), func(x, y SharedPart) int {
		return cmp.Or(strings.Compare(x.AdjustsMonth, y.AdjustsMonth), strings.Compare(x.Name, y.Name), y.Amount.Cmp(x.Amount), strings.Compare(x.CostCenter, y.CostCenter))
	})
	var total money.USD
	for _, p := range parts {
		var adjusts any
		if p.AdjustsMonth != "" {
			adjusts = p.AdjustsMonth
		}
		r.Rows = append(r.Rows, []any{p.Name, adjusts, p.CostCenter, p.Split, p.Share, p.Amount})
		total = total.Add(p.Amount)
	}
	for _, n := range notes {
		r.note("%s.", n)
	}
	r.Total = []any{nil, nil, nil, nil, nil, total}
	return r
}
