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
  f.usage_date,
  min(f.started_at) as first_started,
  max(f.started_at) as last_started
from {record_facts} as f
inner join {months} as m on m.first_day = f.billing_month and m.state = 'closed'
inner join {rulings} as r on r.ruling_id = f.ruling_id
inner join {rate_entries} as e on e.rate_id = f.rate_id
inner join {meters} as d on d.meter_id = f.meter_id
where f.usage_date >= {@since} and f.correction >= 0 and r.pricing <> 'not_billed'
group by d.meter_id, e.signature, f.usage_date
order by f.usage_date, d.meter_id, e.signature
