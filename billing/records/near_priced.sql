-- One row is a staged row of a model that costs something else on its day, and was not
-- reached before: its record may cost something else. Its ids lead to what else it decides.
-- Fed by: usage, requests, near_rows, near_prices.
select
  'usage' as kind,
  u.object_id,
  u.line,
  u.usage_date as row_date,
  u.started_at,
  u.record_key,
  u.provider_request_key,
  u.response_key,
  u.client_ref_key,
  {@moved} as moved
from {usage} as u
left join {near_rows} as n on n.kind = 'usage' and n.object_id = u.object_id and n.line = u.line
inner join {near_prices} as p on p.usage_date = u.usage_date and p.meter_id = u.meter_id
where u.usage_date in ({@priced_days}) and n.line is null
union all
select
  'request' as kind,
  r.object_id,
  r.line,
  r.request_date as row_date,
  r.started_at,
  r.record_key,
  r.provider_request_key,
  r.response_key,
  coalesce(r.client_ref_key, r.agent_request_key) as client_ref_key,
  {@moved} as moved
from {requests} as r
left join {near_rows} as n on n.kind = 'request' and n.object_id = r.object_id and n.line = r.line
inner join {near_prices} as p on p.usage_date = r.request_date and p.meter_id = r.meter_id
where r.request_date in ({@priced_days}) and n.line is null
