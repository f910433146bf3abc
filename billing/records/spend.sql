select
  p.department,
  p.cost_center,
  {total_usd(d.total_cost_usd)} as actual,
  sum(if(r.pricing in ('unpriced', 'pending', 'doubtful'), d.records, 0)) as held
from {daily_costs} as d
inner join {payers} as p on p.payer_id = d.payer_id
inner join {rulings} as r on r.ruling_id = d.ruling_id
where d.usage_date in ({@charged_days}) and d.billing_month between {@first_month} and {@last_month}
group by p.department, p.cost_center
order by p.department, p.cost_center
