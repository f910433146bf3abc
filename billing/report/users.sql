-- A month by who asked, dearest first, of a department or, where it is empty, of all.
with asked as (
  select
    actor_id,
    payer_id,
    sum(if(correction < 0, 0 - records, records)) as standing,
    sum(input_tokens) as input_tokens,
    sum(output_tokens) as output_tokens,
    sum(llm_cost_usd) as llm_cost_usd,
    sum(infra_cost_usd) as infra_cost_usd,
    sum(tool_cost_usd) as tool_cost_usd,
    sum(total_cost_usd) as total_cost_usd,
    sum(if(held, records, 0)) as records_held
  from {daily_users}
  where usage_date in ({@charged_days}) and billing_month between {@first_month} and {@last_month}
  group by actor_id, payer_id
),
named as (
  select
    coalesce(a.user_email, a.user_id) as user_id,
    p.department,
    p.cost_center,
    d.standing,
    d.input_tokens,
    d.output_tokens,
    d.llm_cost_usd,
    d.infra_cost_usd,
    d.tool_cost_usd,
    d.total_cost_usd,
    d.records_held
  from asked as d
  inner join {payers} as p on p.payer_id = d.payer_id
  left join {actors} as a on a.actor_id = d.actor_id
  where {@department} = '' or p.department = {@department}
)
select
  user_id,
  string_agg(distinct department, ', ' order by department) as departments,
  string_agg(distinct cost_center, ', ' order by cost_center) as cost_centers,
  sum(standing) as requests,
  sum(input_tokens) as input_tokens,
  sum(output_tokens) as output_tokens,
  {total_usd(llm_cost_usd)} as llm_cost_usd,
  {total_usd(infra_cost_usd)} as infra_cost_usd,
  {total_usd(tool_cost_usd)} as tool_cost_usd,
  {total_usd(total_cost_usd)} as total_cost_usd,
  sum(records_held) as held
from named
group by user_id
order by total_cost_usd desc, ifnull(user_id, '')
