-- One row is a model as it was sent that occurred on a day when it was made.
-- Fed by: day_terms, meters.
select
  t.usage_date,
  m.meter_id,
  m.provider,
  ifnull(m.account, '') as account,
  ifnull(m.region, '') as region,
  m.model,
  ifnull(m.service_tier, '') as tier,
  ifnull(m.notice, '') as notice
from {day_terms} as t
inner join {meters} as m on cast(m.meter_id as string) = t.item
where t.usage_date between {@first_day} and {@last_day} and t.kind = 'meter'
order by t.usage_date, m.meter_id
