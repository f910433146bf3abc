-- One row is what a closed month charges of a day that one meter metered and one rate
-- priced, with whether and for how long it wrote to the prompt cache.
-- Promises: standing over all closed months is how many records still stand so; the
-- times are those between which the rate charged something.
-- Fed by: record_facts, rulings, objects.
select
  f.billing_month,
  f.usage_date,
  f.meter_id,
  f.rate_id,
  u.source as usage_source,
  q.source as request_source,
  case
    when strpos(f.flags, 'ttl:1h') > 0 then '1h'
    when strpos(f.flags, 'ttl:matched') > 0 then 'matched'
    when strpos(f.flags, 'ttl:') > 0 then 'other'
  end as written,
  min(if(f.correction >= 0 and r.pricing <> 'not_billed', f.started_at, null)) as first_started_at,
  max(if(f.correction >= 0 and r.pricing <> 'not_billed', f.started_at, null)) as last_started_at,
  sum(if(f.correction < 0, -1, 1)) as standing
from {record_facts} as f
inner join {rulings} as r on r.ruling_id = f.ruling_id
left join {objects} as u on u.object_id = f.usage_object_id
left join {objects} as q on q.object_id = f.request_object_id
where f.usage_date in ({@charged_days}) and f.billing_month between {@first_month} and {@last_month}
group by 1, 2, 3, 4, 5, 6, 7
