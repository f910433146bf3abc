package report

import (
	"chargeback/billing/months"
	"chargeback/transform/money"
)

// Corrections lists what a month corrects of closed ones, or would correct.
func Corrections(title, month string, rows []months.Correction) Report {
	r := Report{Name: "corrections", Title: title, Month: month, Columns: []Column{
		{Name: "adjusts_month", Title: "Month"},
		{Name: "cost_center", Title: "Cost centre"},
		{Name: "reason", Title: "Why", Wrap: true},
		{Name: "counterpart", Title: "From or to", Rank: 2},
		{Name: "borne_by", Title: "Borne by", Rank: 3},
		{Name: "records", Title: "Records", Kind: Count, Rank: 1},
		{Name: "reversed_usd", Title: "Reversed", Kind: USD},
		{Name: "charged_usd", Title: "Charged", Kind: USD},
		{Name: "difference_usd", Title: "Difference", Kind: USD},
	}}
	var reversed, charged money.USD
	var records int64
	for _, c := range rows {
		var other, bearer any
		if c.Counterpart != c.CostCenter {
			other = nullable(c.Counterpart)
		}
		if c.Bearer != c.CostCenter {
			bearer = c.Bearer
		}
		r.Rows = append(r.Rows, []any{c.Month, c.CostCenter, c.Reason, other, bearer, c.Records, c.Reversed, c.Charged, c.Reversed.Add(c.Charged)})
		records, reversed, charged = records+c.Records, reversed.Add(c.Reversed), charged.Add(c.Charged)
	}
	r.Total = []any{nil, nil, nil, nil, nil, records, reversed, charged, reversed.Add(charged)}
	return r
}
