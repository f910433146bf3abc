package ledger

import (
	"context"
	"fmt"
)

// itemsView is the cost records with every code in words, all but the request
// ids: those are kept once, in the staged rows, and reading them costs a join
// with these that no sum needs.
const itemsView = `
select
  f.record_id,
  f.correction,
  f.started_at,
  f.usage_date,
  month_of(f.billing_month) as billing_month,
  if(f.correction = 0, null, month_of(f.usage_date)) as adjusts_month,
  m.provider,
  m.account,
  m.region,
  m.model,
  e.price_key,
  m.operation,
  m.service_tier,
  f.input_uncached_tokens,
  f.cache_read_tokens,
  f.cache_write_5m_tokens,
  f.cache_write_1h_tokens,
  f.cache_write_unknown_tokens,
  f.output_tokens,
  f.reasoning_tokens,
  f.input_audio_tokens,
  f.input_image_tokens,
  f.cache_read_audio_tokens,
  f.output_audio_tokens,
  f.output_image_tokens,
  f.searches,
  coalesce(a.user_email, a.user_id) as user_id,
  a.team,
  a.key_alias,
  a.project,
  c.caller,
  p.department,
  p.cost_center,
  coalesce(t.agent_id, c.agent_id) as agent_id,
  t.tools,
  f.tool_calls,
  f.cache_hit,
  f.llm_cost_usd,
  f.infra_cost_usd,
  f.tool_cost_usd,
  f.total_cost_usd,
  f.cache_savings_usd,
  f.doubtful_cost_usd,
  r.match,
  r.match_rung,
  r.pricing,
  f.pricing_note,
  r.attribution,
  e.rate_version,
  f.rate_id,
  f.usage_object_id,
  f.usage_line,
  f.request_object_id,
  f.request_line,
  concat('nightly/', cast(f.run_date as string)) as run,
  f.flags,
  b.cost_center as adjusts_cost_center
from record_facts as f
inner join meters as m on m.meter_id = f.meter_id
inner join rulings as r on r.ruling_id = f.ruling_id
inner join payers as p on p.payer_id = f.payer_id
left join rate_entries as e on e.rate_id = f.rate_id
left join actors as a on a.actor_id = f.actor_id
left join tasks as t on t.task_id = f.task_id
left join callers as c on c.caller_id = f.caller_id
left join payers as b on b.payer_id = f.adjusts_payer_id`

// recordsView is the cost records in full: items with the ids of their
// requests. Its own filters are all days: an engine that refuses to read a
// partitioned table without one can't take over the reader's.
const recordsView = `
select
  i.*,
  coalesce(u.provider_request_id, q.provider_request_id) as provider_request_id,
  q.agent_request_id
from cost_items as i
left join usage as u
  on u.object_id = i.usage_object_id and u.line = i.usage_line and u.usage_date = i.usage_date and u.usage_date >= date '0001-01-01'
left join requests as q
  on q.object_id = i.request_object_id and q.line = i.request_line and q.request_date >= date '0001-01-01'`

// totalsView is the control totals that count. Of the objects of one source
// that tell the same figure of the same bucket the newest counts; rows of one
// object add up, also where they are alike. An export that is replaced as a
// whole has no such rivals: the manifest drops its older objects.
const totalsView = `
select
  o.source,
  t.*
from totals as t
inner join objects as o on o.object_id = t.object_id
where t.bucket_date >= date '0001-01-01'
qualify t.period is not null or rank() over (
  partition by
    t.bucket_date, o.source, t.provider, t.account, t.project, t.key, t.principal, t.model, t.token_class, t.line_item,
    t.service_tier, t.region, t.bucket_start, t.bucket_end
  order by t.revision desc, t.object_id desc
) = 1`

var (
	totalsViewTable = Table{Name: "totals_counted", About: "Control totals, each figure once", View: totalsView}

	itemsViewTable   = Table{Name: "cost_items", About: "Cost records in words, without the ids of their requests", View: itemsView}
	recordsViewTable = Table{Name: "cost_records", About: "Cost records in words", View: recordsView}
)

// The words of a ruling. A ruling's id has one decimal digit for each: match,
// rung, pricing, attribution; the models compute it from these positions.
var (
	matchWords       = []string{"matched", "provider_only", "agent_only", "ambiguous"}
	rungWords        = []string{"", "request id", "response id", "client reference", "fingerprint"}
	pricingWords     = []string{"priced", "estimated", "unpriced", "pending", "not_billed", "doubtful"}
	attributionWords = []string{"none", "explicit cost centre", "user", "agent owner", "key owner", "team owner", "project owner", "caller owner"}
)

// makeRulings adds the rulings that a ledger lacks: all in a new one, in one of
// an earlier version those with words that it did not have.
func (l *Ledger) makeRulings(ctx context.Context) error {
	known := map[int64]bool{}
	err := l.engine.Query(ctx, "select ruling_id from rulings", nil, func(r Row) error {
		known[r.Int(0)] = true
		return nil
	})
	if err != nil {
		return fmt.Errorf("read rulings: %w", err)
	}
	var rows [][]any
	for m, match := range matchWords {
		for g, rung := range rungWords {
			for p, pricing := range pricingWords {
				for a, attribution := range attributionWords {
					if id := int64(m*1000 + g*100 + p*10 + a); !known[id] {
						rows = append(rows, []any{id, match, nullText(rung), pricing, attribution})
					}
				}
			}
		}
	}
	return l.engine.Insert(ctx, rulingsTable, rows)
}
