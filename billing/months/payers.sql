select
  p.department,
  p.cost_center as code,
  min(greatest(d.usage_date, d.billing_month)) as first,
  max(greatest(d.usage_date, d.billing_month)) as last,
  countif(d.correction = 0) > 0 as own
from {daily_costs} as d
inner join {payers} as p on p.payer_id = d.payer_id
where d.usage_date in ({@charged_days}) and d.billing_month between {@first_month} and {@last_month}
group by p.department, p.cost_center
order by p.department, p.cost_center
