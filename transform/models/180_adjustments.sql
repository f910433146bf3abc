-- One row is a correction of a closed month, charged in the month that begins
-- on @open_month: what arrived after the close (correction 1), and the reversal
-- of an estimate whose metered usage arrived after the close (correction -1).
-- Promises: a closed month's own rows stay as they are; what a closed month has
-- already charged is not charged again. A reversal doesn't depend on whether its
-- usage lies in the same window, or in the same month.
-- Fed by: fresh_records, record_facts, rulings, months, matches,
-- ambiguous_requests, requests_kept.
-- Kept as: view.
with charged as (
  select
    c.*,
    r.pricing
  from record_facts as c
  inner join months as m on m.first_day = c.billing_month and m.state = 'closed'
  inner join rulings as r on r.ruling_id = c.ruling_id
  where c.usage_date between @first_day and @last_day and c.total_cost_usd is not null
),
metered as (
  select
    request_object_id as object_id,
    request_line as line
  from matches
  where request_line is not null
  union distinct
  select
    object_id,
    line
  from ambiguous_requests
),
metered_requests as (
  select
    r.record_key,
    r.request_date
  from metered as m
  inner join requests_kept as r on r.object_id = m.object_id and r.line = m.line
)
select
  f.record_id,
  1 as correction,
  f.started_at,
  f.usage_date,
  @open_month as billing_month,
  f.meter_id,
  f.actor_id,
  f.task_id,
  f.caller_id,
  f.rate_id,
  f.ruling_id,
  f.payer_id,
  f.input_uncached_tokens,
  f.cache_read_tokens,
  f.cache_write_5m_tokens,
  f.cache_write_1h_tokens,
  f.cache_write_unknown_tokens,
  f.output_tokens,
  f.reasoning_tokens,
  f.tool_calls,
  f.cache_hit,
  f.llm_cost_usd,
  f.infra_cost_usd,
  f.tool_cost_usd,
  f.total_cost_usd,
  f.cache_savings_usd,
  'came after the close of its month' as pricing_note,
  f.usage_object_id,
  f.usage_line,
  f.request_object_id,
  f.request_line,
  f.run_date
from fresh_records as f
inner join months as m on m.first_day = f.billing_month and m.state = 'closed'
inner join rulings as r on r.ruling_id = f.ruling_id
where r.pricing in ('priced', 'estimated')
  and not exists (
    select 1 from charged as c
    where c.usage_date = f.usage_date and c.record_id = f.record_id and c.correction >= 0
  )
union all
select
  c.record_id,
  -1 as correction,
  c.started_at,
  c.usage_date,
  @open_month as billing_month,
  c.meter_id,
  c.actor_id,
  c.task_id,
  c.caller_id,
  c.rate_id,
  c.ruling_id,
  c.payer_id,
  0 - c.input_uncached_tokens as input_uncached_tokens,
  0 - c.cache_read_tokens as cache_read_tokens,
  0 - c.cache_write_5m_tokens as cache_write_5m_tokens,
  0 - c.cache_write_1h_tokens as cache_write_1h_tokens,
  0 - c.cache_write_unknown_tokens as cache_write_unknown_tokens,
  0 - c.output_tokens as output_tokens,
  0 - c.reasoning_tokens as reasoning_tokens,
  0 - c.tool_calls as tool_calls,
  c.cache_hit,
  0 - c.llm_cost_usd as llm_cost_usd,
  0 - c.infra_cost_usd as infra_cost_usd,
  0 - c.tool_cost_usd as tool_cost_usd,
  0 - c.total_cost_usd as total_cost_usd,
  0 - c.cache_savings_usd as cache_savings_usd,
  'usage came after the close and replaces this estimate' as pricing_note,
  c.usage_object_id,
  c.usage_line,
  c.request_object_id,
  c.request_line,
  @run_date as run_date
from charged as c
where c.pricing = 'estimated' and c.usage_line is null and c.correction >= 0
  and exists (
    select 1 from metered_requests as q
    where q.record_key = c.record_id and q.request_date = c.usage_date
  )
  and not exists (
    select 1 from charged as r
    where r.usage_date = c.usage_date and r.record_id = c.record_id and r.correction = -1
  )
