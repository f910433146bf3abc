package report

import (
	"context"
	_ "embed" // text of a select

	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
)

//go:embed savings.sql
var savingsText string

// Savings is what caches saved in the month by cost centre, the largest saving
// first: gross - savings = net, where net is the cost that other reports call
// total. Gateway cache hits save what the request would have cost; the
// provider's prompt cache saves the difference to the uncached price, less
// what cache writes cost extra, so it may be below zero.
func Savings(ctx context.Context, q Querier, month civil.Month) (Report, error) {
	r := Report{Name: "savings", Title: "What caches saved by cost centre", Month: month.String(), Columns: savingsColumns()}
	q, err := r.ofMonth(ctx, q, month)
	if err != nil {
		return r, err
	}
	if err := r.read(ctx, q, warehouse.Select{Text: savingsText}); err != nil {
		return r, err
	}
	if unknown := r.count(r.Total, "savings_unknown"); unknown > 0 {
		r.note("The saving of %s not known, because the model has no price; neither gross nor savings include it.", plural(unknown, "request is", "requests is"))
	}
	return r, r.noteRecords(ctx, q)
}

// savingsColumns: a narrow terminal first goes without departments and counts.
func savingsColumns() []Column {
	return []Column{
		centerColumn,
		homeColumn,
		{Name: "gross_cost_usd", Title: "Without caches", Kind: USD},
		{Name: "cache_hits", Title: "Gateway hits", Kind: Count, Rank: 3},
		{Name: "gateway_savings_usd", Title: "Gateway saved", Kind: USD, Rank: 4},
		{Name: "prompt_cache_savings_usd", Title: "Prompt cache saved", Kind: USD, Rank: 5},
		{Name: "cache_savings_usd", Title: "Saved", Kind: USD},
		{Name: "total_cost_usd", Title: "Net", Kind: USD},
		{Name: "savings_unknown", Title: "Not known", Kind: Count, Rank: 2},
		{Name: "held", Title: "Held", Kind: Count, Rank: 1},
	}
}
