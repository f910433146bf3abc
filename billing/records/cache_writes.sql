-- Writes to the prompt cache in records of closed months of which a setting may
-- decide how long they are kept. What was reversed cancels out.
select
  ifnull(c.request_source, '') as asked,
  ifnull(c.usage_source, '') as metered,
  d.meter_id,
  d.provider,
  ifnull(d.account, '') as account,
  ifnull(d.region, '') as region,
  d.model,
  ifnull(d.service_tier, '') as tier,
  ifnull(d.notice, '') as notice,
  if(c.written = 'other', '', c.written) as charged,
  c.usage_date
from {closed_rates} as c
inner join {meters} as d on d.meter_id = c.meter_id
where c.written is not null
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
having sum(c.standing) <> 0
order by usage_date, meter_id, asked, metered, charged
