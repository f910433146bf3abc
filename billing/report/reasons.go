package report

import (
	"context"

	"chargeback/billing/ledger"
	"chargeback/transform/civil"
)

// reasonText is a reject's reason without the place in the text at which it
// showed.
const reasonText = `regexp_replace(r.reason, ' at byte [0-9]+', '')`

// Reasons counts what was not charged by kind, source and reason, what happens
// most first; the zero month is all months. Objects are of all months.
func Reasons(ctx context.Context, q Querier, month civil.Month) (Report, error) {
	r := Report{Name: "reasons", Title: "What was not charged, by reason", Month: month.String(), Columns: []Column{
		{Name: "kind", Title: "Kind"},
		{Name: "source", Title: "Source", Rank: 2},
		{Name: "reason", Title: "Why", Wrap: true},
		{Name: "count", Title: "Count", Kind: Count},
		{Name: "objects", Title: "Objects", Kind: Number, Rank: 1},
	}}
	err := r.read(ctx, q, `
select kind, source, reason, count(*) as rows_all, count(distinct object_key)
from (`+everything+`)
group by kind, source, reason
order by rows_all desc, kind, source, reason`, heldArgs(month))
	return r, err
}

// Everything lists all that was not charged, a row each, with where it lies and
// why; the zero month is all months. Objects are of all months.
func Everything(ctx context.Context, q Querier, month civil.Month) (Report, error) {
	r := Report{Name: "not-charged", Title: "What was not charged", Month: month.String(), Columns: []Column{
		{Name: "kind", Title: "Kind"},
		{Name: "source", Title: "Source"},
		{Name: "reason", Title: "Why", Wrap: true},
		{Name: "object", Title: "Object", Wrap: true},
		{Name: "line", Title: "Line", Kind: Number},
		{Name: "usage_date", Title: "Day"},
		{Name: "provider", Title: "Provider"},
		{Name: "model", Title: "Model"},
		{Name: "input_tokens", Title: "Input tokens", Kind: Count},
		{Name: "output_tokens", Title: "Output tokens", Kind: Count},
	}}
	err := r.read(ctx, q, `
select kind, source, full_reason, object_key, line, usage_date, provider, model, input_tokens, output_tokens
from (`+everything+`)
order by kind, source, object_key, line, full_reason`, heldArgs(month))
	return r, err
}

func heldArgs(month civil.Month) ledger.Args {
	args := problemArgs(month, Page{})
	delete(args, "limit")
	delete(args, "offset")
	args["since"] = civil.Min
	return args
}

// everything is a row for each object, record, conflict and held request that
// was not charged.
var everything = `
select
  'object' as kind,
  o.source,
  if(o.state = 'missing', 'gone from the source; its records still count', o.error) as reason,
  if(o.state = 'missing', 'gone from the source; its records still count', o.error) as full_reason,
  o.object_key,
  cast(null as int64) as line,
  o.day as usage_date,
  cast(null as string) as provider,
  cast(null as string) as model,
  cast(null as int64) as input_tokens,
  cast(null as int64) as output_tokens
from {objects} as o
where o.state in ('failed', 'missing')
union all
select
  'record' as kind,
  o.source,
  ` + reasonText + ` as reason,
  r.reason as full_reason,
  o.object_key,
  r.line,
  o.day as usage_date,
  cast(null as string) as provider,
  cast(null as string) as model,
  cast(null as int64) as input_tokens,
  cast(null as int64) as output_tokens
from {rejects} as r
inner join {objects} as o on o.object_id = r.object_id
where ` + deliveredRows + `
union all
select
  'conflict' as kind,
  o.source,
  concat('shares its id with another ', r.kind, ' record and differs', ifnull(concat(' in ', c.fields), '')) as reason,
  concat('shares its id with another ', r.kind, ' record and differs', ifnull(concat(' in ', c.differs), '')) as full_reason,
  o.object_key,
  r.line,
  r.usage_date,
  cast(null as string) as provider,
  cast(null as string) as model,
  cast(null as int64) as input_tokens,
  cast(null as int64) as output_tokens
from {repeats} as r
inner join {objects} as o on o.object_id = r.object_id` + conflictJoin + `
where r.verdict = 'conflict' and r.usage_date between {@first_day} and {@last_day}
union all
select
  'held' as kind,
  o.source,
  ifnull(f.pricing_note, g.pricing) as reason,
  ifnull(f.pricing_note, g.pricing) as full_reason,
  o.object_key,
  ifnull(f.usage_line, f.request_line) as line,
  f.usage_date,
  m.provider,
  m.model,
  f.input_uncached_tokens + f.cache_read_tokens + f.cache_write_5m_tokens + f.cache_write_1h_tokens + f.cache_write_unknown_tokens as input_tokens,
  f.output_tokens
from {record_facts} as f
inner join {rulings} as g on g.ruling_id = f.ruling_id
inner join {meters} as m on m.meter_id = f.meter_id
inner join {objects} as o on o.object_id = ifnull(f.usage_object_id, f.request_object_id)
where g.pricing in ('unpriced', 'pending', 'doubtful') and f.billing_month between {@first_day} and {@last_day} and f.usage_date >= {@since}`
