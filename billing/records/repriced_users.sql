-- One row is a daily sum of a user, with what the user's records cost more or less.
-- Fed by: daily_users, new_repriced.
with differences as (
  select
    usage_date,
    billing_month,
    payer_id,
    ifnull(actor_id, -1) as actor,
    sum(llm_cost_usd - llm_before_usd) as llm_more,
    sum(total_cost_usd - total_before_usd) as total_more
  from {new_repriced}
  group by 1, 2, 3, 4
)
select
  d.usage_date,
  d.billing_month,
  d.correction,
  d.payer_id,
  d.actor_id,
  d.held,
  d.records,
  d.input_tokens,
  d.output_tokens,
  if(c.actor is null, d.llm_cost_usd, d.llm_cost_usd + c.llm_more) as llm_cost_usd,
  d.infra_cost_usd,
  d.tool_cost_usd,
  if(c.actor is null, d.total_cost_usd, d.total_cost_usd + c.total_more) as total_cost_usd
from {daily_users} as d
left join differences as c
  on c.usage_date = d.usage_date
  and c.billing_month = d.billing_month
  and c.payer_id = d.payer_id
  and c.actor = ifnull(d.actor_id, -1)
  and d.correction = 0
  and not d.held
where d.usage_date in ({@repriced_days})
