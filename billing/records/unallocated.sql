select
  d.billing_month as first_day,
  {total_usd(d.total_cost_usd)} as total
from {daily_costs} as d
inner join {payers} as p on p.payer_id = d.payer_id
where d.usage_date in ({@charged_days}) and d.billing_month between {@first_month} and {@last_month} and p.cost_center = {@unallocated}
group by d.billing_month
