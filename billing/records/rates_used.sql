-- The rates that priced records of closed months, by meter and day.
select
  d.meter_id,
  min(d.provider) as provider,
  min(ifnull(d.account, '')) as account,
  min(ifnull(d.region, '')) as region,
  min(d.model) as model,
  min(ifnull(d.service_tier, '')) as tier,
  min(ifnull(d.notice, '')) as notice,
  e.signature,
  c.usage_date,
  min(c.first_started_at) as first_started,
  max(c.last_started_at) as last_started
from {closed_rates} as c
inner join {rate_entries} as e on e.rate_id = c.rate_id
inner join {meters} as d on d.meter_id = c.meter_id
where c.first_started_at is not null
group by d.meter_id, e.signature, c.usage_date
order by c.usage_date, d.meter_id, e.signature
