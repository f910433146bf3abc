package report

import (
	"context"

	"chargeback/transform/civil"
)

// Savings is what caches saved in the month by cost centre, the largest saving
// first: gross - savings = net, where net is the cost that other reports call
// total. Gateway cache hits save what the request would have cost; the
// provider's prompt cache saves the difference to the uncached price, less
// what cache writes cost extra, so it may be below zero.
func Savings(ctx context.Context, q Querier, month civil.Month) (Report, error) {
	r := Report{Name: "savings", Title: "What caches saved by cost centre", Month: month.String(), Columns: savingsColumns()}
	args, err := r.bounds(ctx, q, month)
	if err != nil {
		return r, err
	}
	err = r.read(ctx, q, `
select
  cost_center,
  `+departmentList+`,
  {total_usd(total_cost_usd)} + {total_usd(cache_savings_usd)} as gross,
  sum(if(cache_hit, records, 0)) as cache_hits,
  {total_usd(if(cache_hit, cache_savings_usd, null))} as saved_by_gateway,
  {total_usd(if(cache_hit, null, cache_savings_usd))} as saved_by_provider,
  {total_usd(cache_savings_usd)} as saved,
  {total_usd(total_cost_usd)} as total,
  sum(if(cache_savings_usd is null and not (`+heldRows+`), records, 0)) as savings_unknown,
  sum(if(`+heldRows+`, records, 0)) as held`+monthRows+`
group by cost_center
order by saved desc, cost_center`, args)
	if err != nil {
		return r, err
	}
	if unknown := r.count(r.Total, "savings_unknown"); unknown > 0 {
		r.note("The saving of %s not known, because the model has no price; neither gross nor savings include it.", plural(unknown, "request is", "requests is"))
	}
	return r, r.noteRecords(ctx, q, monthRows, args)
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
