select
  p.department,
  p.cost_center,
  ifnull(d.agent_id, 'no agent') as agent,
  {total_usd(d.total_cost_usd)} as spent
from {daily_costs} as d
inner join {payers} as p on p.payer_id = d.payer_id
where d.usage_date in ({@charged_days}) and d.billing_month between {@first_month} and {@last_month}
group by p.department, p.cost_center, d.agent_id
order by p.department, p.cost_center, agent
