select
  d.agent_id,
  {month_of(d.billing_month)} as month,
  p.cost_center,
  {total_usd(d.total_cost_usd)} as total
from {daily_costs} as d
inner join {payers} as p on p.payer_id = d.payer_id
inner join {rulings} as r on r.ruling_id = d.ruling_id
where d.usage_date in ({@charged_days}) and d.billing_month between {@first_month} and {@last_month}
  and d.agent_id is not null and r.attribution not in ('agent owner', 'none')
group by 1, 2, 3
order by 1, 2, 3
