-- One row is a staged row of partial days that shares a key or an id with what was
-- reached last, and was not reached before.
-- Fed by: usage, requests, near_rows, near_last.
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
where u.usage_date in ({@partial_days})
  and n.line is null
  and (
    u.record_key in (select k.record_key from {near_last} as k where k.kind = 'usage')
    or u.provider_request_key in (select k.provider_request_key from {near_last} as k where k.provider_request_key is not null)
    or u.response_key in (select k.response_key from {near_last} as k where k.response_key is not null)
    or u.client_ref_key in (select k.client_ref_key from {near_last} as k where k.client_ref_key is not null)
  )
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
where r.request_date in ({@partial_days})
  and n.line is null
  and (
    r.record_key in (select k.record_key from {near_last} as k where k.kind = 'request')
    or r.provider_request_key in (select k.provider_request_key from {near_last} as k where k.provider_request_key is not null)
    or r.response_key in (select k.response_key from {near_last} as k where k.response_key is not null)
    or coalesce(r.client_ref_key, r.agent_request_key) in (select k.client_ref_key from {near_last} as k where k.client_ref_key is not null)
  )
