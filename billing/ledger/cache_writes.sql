-- Writes to the prompt cache in records of closed months of which a setting may
-- decide how long they are kept.
with standing as (
  select
    usage_date,
    meter_id,
    billing_month,
    usage_object_id,
    request_object_id,
    flags,
    row_number() over (partition by usage_date, record_id order by correction desc) as place
  from {record_facts}
  where usage_date >= {@since} and strpos(flags, 'ttl:') > 0
)
select distinct
  ifnull(q.source, '') as asked,
  ifnull(u.source, '') as metered,
  d.meter_id,
  d.provider,
  ifnull(d.account, '') as account,
  ifnull(d.region, '') as region,
  d.model,
  ifnull(d.service_tier, '') as tier,
  ifnull(d.notice, '') as notice,
  case
    when strpos(s.flags, 'ttl:1h') > 0 then '1h'
    when strpos(s.flags, 'ttl:matched') > 0 then 'matched'
    else ''
  end as charged,
  s.usage_date
from standing as s
inner join {months} as m on m.first_day = s.billing_month and m.state = 'closed'
inner join {meters} as d on d.meter_id = s.meter_id
left join {objects} as q on q.object_id = s.request_object_id
left join {objects} as u on u.object_id = s.usage_object_id
where s.place = 1
order by usage_date, meter_id, asked, metered, charged
