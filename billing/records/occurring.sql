-- One row is a model as it was sent that occurs on a day.
-- Fed by: usage, requests, meters.
with sent as (
  select usage_date, meter_id as sent_meter_id from {usage} where usage_date in ({@days})
  union distinct
  select request_date as usage_date, meter_id as sent_meter_id from {requests} where request_date in ({@days})
)
select
  s.usage_date,
  m.meter_id,
  m.provider,
  ifnull(m.account, '') as account,
  ifnull(m.region, '') as region,
  m.model,
  ifnull(m.service_tier, '') as tier,
  ifnull(m.notice, '') as notice
from sent as s
inner join {meters} as m on m.meter_id = s.sent_meter_id
order by s.usage_date, m.meter_id
