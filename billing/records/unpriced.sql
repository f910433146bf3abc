select
  m.provider,
  m.model,
  ifnull(d.flags, '') as flags,
  min(ifnull(d.pricing_note, '')) as why,
  sum(d.records) as records
from {daily_costs} as d
inner join {rulings} as r on r.ruling_id = d.ruling_id
inner join {meters} as m on m.meter_id = d.meter_id
where d.usage_date in ({@charged_days}) and d.billing_month between {@first_month} and {@last_month} and r.pricing = 'unpriced'
group by 1, 2, 3
order by 1, 2, 3
