select
  coalesce(a.user_email, a.user_id) as asked_by,
  string_agg(distinct p.department, ', ' order by p.department) as departments,
  string_agg(distinct p.cost_center, ', ' order by p.cost_center) as cost_centers,
  sum(if(d.correction < 0, 0 - d.records, d.records)) as requests,
  sum(d.input_tokens) as input_tokens,
  sum(d.output_tokens) as output_tokens,
  {total_usd(d.llm_cost_usd)} as llm,
  {total_usd(d.infra_cost_usd)} as infra,
  {total_usd(d.tool_cost_usd)} as tools,
  {total_usd(d.total_cost_usd)} as total,
  sum(if(d.held, d.records, 0)) as held
from {daily_users} as d
inner join {payers} as p on p.payer_id = d.payer_id
left join {actors} as a on a.actor_id = d.actor_id
where d.usage_date in ({@charged_days}) and d.billing_month between {@first_month} and {@last_month} and ({@department} = '' or p.department = {@department})
group by 1
order by total desc, ifnull(asked_by, '')
