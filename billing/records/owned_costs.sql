select
  ifnull(d.agent_id, '') as agent_id,
  p.cost_center,
  if(d.correction = 0, '', {month_of(d.usage_date)}) as adjusts_month,
  d.usage_date as day,
  {total_usd(d.total_cost_usd)} as total
from {daily_costs} as d
inner join {payers} as p on p.payer_id = d.payer_id
inner join {rulings} as r on r.ruling_id = d.ruling_id
where d.usage_date in ({@charged_days}) and d.billing_month between {@first_month} and {@last_month} and r.attribution = 'agent owner'
group by 1, 2, 3, 4
order by 1, 2, 3, 4
