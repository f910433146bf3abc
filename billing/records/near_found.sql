-- One row is a row of {near_chosen} that was not reached before, with what leads from
-- it to others.
-- Fed by: near_chosen, near_rows, usage, requests.
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
from {near_chosen} as c
inner join {usage} as u on u.object_id = c.object_id and u.line = c.line
left join {near_rows} as n on n.kind = 'usage' and n.object_id = c.object_id and n.line = c.line
where c.kind = 'usage' and u.usage_date in ({@chosen_days}) and n.line is null
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
from {near_chosen} as c
inner join {requests} as r on r.object_id = c.object_id and r.line = c.line
left join {near_rows} as n on n.kind = 'request' and n.object_id = c.object_id and n.line = c.line
where c.kind = 'request' and r.request_date in ({@chosen_request_days}) and n.line is null
