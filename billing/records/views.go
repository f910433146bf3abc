package records

import (
	"context"

	"chargeback/billing/warehouse"
	"chargeback/transform/models"
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
  {month_of(f.billing_month)} as billing_month,
  if(f.correction = 0, null, {month_of(f.usage_date)}) as adjusts_month,
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
from {record_facts} as f
inner join {meters} as m on m.meter_id = f.meter_id
inner join {rulings} as r on r.ruling_id = f.ruling_id
inner join {payers} as p on p.payer_id = f.payer_id
left join {rate_entries} as e on e.rate_id = f.rate_id
left join {actors} as a on a.actor_id = f.actor_id
left join {tasks} as t on t.task_id = f.task_id
left join {callers} as c on c.caller_id = f.caller_id
left join {payers} as b on b.payer_id = f.adjusts_payer_id`

// recordsView is the cost records in full: items with the ids of their
// requests. Its own filters are all days: an engine that refuses to read a
// partitioned table without one can't take over the reader's.
const recordsView = `
select
  i.*,
  coalesce(u.provider_request_id, {key_text(u.provider_request_key)}, q.provider_request_id, {key_text(q.provider_request_key)}) as provider_request_id,
  coalesce(nullif(q.agent_request_id, ''), {key_text(q.agent_request_key)}) as agent_request_id
from {cost_items} as i
left join {usage} as u
  on u.object_id = i.usage_object_id and u.line = i.usage_line and u.usage_date = i.usage_date and u.usage_date >= date '0001-01-01'
left join {requests} as q
  on q.object_id = i.request_object_id and q.line = i.request_line and q.request_date >= date '0001-01-01'`

// totalsView is the control totals that count. Of the objects of one source
// that tell the same figure of the same bucket the newest counts; rows of one
// object add up, also where they are alike. An export that is replaced as a
// whole has no such rivals: the manifest drops its older objects.
const totalsView = `
select
  o.source,
  t.*
from {totals} as t
inner join {objects} as o on o.object_id = t.object_id
where t.bucket_date >= date '0001-01-01'
qualify t.period is not null or rank() over (
  partition by
    t.bucket_date, o.source, t.provider, t.account, t.project, t.key, t.principal, t.model, t.token_class, t.line_item,
    t.service_tier, t.region, t.bucket_start, t.bucket_end
  order by t.revision desc, t.object_id desc
) = 1`

var (
	totalsCounted = warehouse.View{Name: "totals_counted", About: "Control totals, each figure once", Text: totalsView}

	costItems   = warehouse.View{Name: "cost_items", About: "Cost records in words, without the ids of their requests", Text: itemsView}
	dailyItems  = warehouse.View{Name: "daily_items", About: "Daily sums in words", Text: dailyItemsText}
	costRecords = warehouse.View{Name: "cost_records", About: "Cost records in words", Text: recordsView}
)

// MakeRulings adds the rulings that a ledger lacks: all in a new one, in one of
// an earlier version those with words that it did not have.
func (l *Records) MakeRulings(ctx context.Context) error {
	ids, err := warehouse.All[int64](ctx, l.w, warehouse.Select{Name: "rulings", Text: "select ruling_id from {rulings}"})
	if err != nil {
		return err
	}
	known := map[int64]bool{}
	for _, id := range ids {
		known[id] = true
	}
	var rows [][]any
	for _, r := range models.Rulings() {
		if !known[r.ID] {
			rows = append(rows, []any{r.ID, r.Match, nullText(r.Rung), r.Pricing, r.Attribution})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return l.w.Apply(ctx, warehouse.Append{Table: rulingsTable.Name, Rows: rows})
}
