-- One row is a correction of a closed month, charged in the open month
-- @open_month: what arrived after the close, and the reversal of an estimate
-- whose metered usage arrived after the close.
-- Promises: a closed month's own rows stay as they are; a row names the month
-- it corrects; what a closed month has already charged is not charged again.
-- Fed by: fresh_records, cost_records, months.
-- Kept as: view.
with closed as (
  select month
  from months
  where state = 'closed'
),
charged as (
  select c.*
  from cost_records as c
  inner join closed on closed.month = c.billing_month
  where c.usage_date between @first_day and @last_day and c.total_cost_usd is not null
)
select
  concat(f.record_id, '+') as record_id,
  f.provider_request_id,
  f.agent_request_id,
  f.started_at,
  f.usage_date,
  @open_month as billing_month,
  f.billing_month as adjusts_month,
  f.provider,
  f.account,
  f.region,
  f.model,
  f.price_key,
  f.service_tier,
  f.input_uncached_tokens,
  f.cache_read_tokens,
  f.cache_write_5m_tokens,
  f.cache_write_1h_tokens,
  f.cache_write_unknown_tokens,
  f.output_tokens,
  f.reasoning_tokens,
  f.user_id,
  f.department,
  f.cost_center,
  f.agent_id,
  f.tools,
  f.tool_calls,
  f.cache_hit,
  f.llm_cost_usd,
  f.infra_cost_usd,
  f.tool_cost_usd,
  f.total_cost_usd,
  f.cache_savings_usd,
  f.match,
  f.match_rung,
  f.pricing,
  concat('came after the close of ', f.billing_month) as pricing_note,
  f.attribution,
  f.rate_version,
  f.usage_object_id,
  f.usage_line,
  f.request_object_id,
  f.request_line,
  f.run
from fresh_records as f
inner join closed on closed.month = f.billing_month
where f.pricing in ('priced', 'estimated')
  and not exists (
    select 1 from charged as c
    where c.usage_date = f.usage_date and c.record_id in (f.record_id, concat(f.record_id, '+'))
  )
union all
select
  concat(c.record_id, '-') as record_id,
  c.provider_request_id,
  c.agent_request_id,
  c.started_at,
  c.usage_date,
  @open_month as billing_month,
  c.billing_month as adjusts_month,
  c.provider,
  c.account,
  c.region,
  c.model,
  c.price_key,
  c.service_tier,
  -c.input_uncached_tokens as input_uncached_tokens,
  -c.cache_read_tokens as cache_read_tokens,
  -c.cache_write_5m_tokens as cache_write_5m_tokens,
  -c.cache_write_1h_tokens as cache_write_1h_tokens,
  -c.cache_write_unknown_tokens as cache_write_unknown_tokens,
  -c.output_tokens as output_tokens,
  -c.reasoning_tokens as reasoning_tokens,
  c.user_id,
  c.department,
  c.cost_center,
  c.agent_id,
  c.tools,
  -c.tool_calls as tool_calls,
  c.cache_hit,
  -c.llm_cost_usd as llm_cost_usd,
  -c.infra_cost_usd as infra_cost_usd,
  -c.tool_cost_usd as tool_cost_usd,
  -c.total_cost_usd as total_cost_usd,
  -c.cache_savings_usd as cache_savings_usd,
  c.match,
  c.match_rung,
  c.pricing,
  concat('usage came after the close of ', c.billing_month, ' and replaces its estimate') as pricing_note,
  c.attribution,
  c.rate_version,
  c.usage_object_id,
  c.usage_line,
  c.request_object_id,
  c.request_line,
  @run as run
from charged as c
where c.pricing = 'estimated' and c.usage_line is null
  and exists (
    select 1 from fresh_records as f
    where f.request_object_id = c.request_object_id
      and f.request_line = c.request_line
      and f.usage_line is not null
  )
  and not exists (
    select 1 from charged as r
    where r.usage_date = c.usage_date and r.record_id = concat(c.record_id, '-')
  )
