-- One row is a staged row of partial days that shares a key or an id with what was
-- reached last, and was not reached before.
-- Fed by: near_staged, near_rows, near_last.
select s.kind, s.object_id, s.line, s.row_date, s.started_at, s.record_key, s.provider_request_key, s.response_key, s.client_ref_key, {@moved} as moved
from {near_staged} as s
left join {near_rows} as n on n.kind = s.kind and n.object_id = s.object_id and n.line = s.line
where n.line is null
  and (
    s.kind = 'usage' and s.record_key in (select k.record_key from {near_last} as k where k.kind = 'usage')
    or s.kind = 'request' and s.record_key in (select k.record_key from {near_last} as k where k.kind = 'request')
    or s.provider_request_key in (select k.provider_request_key from {near_last} as k where k.provider_request_key is not null)
    or s.response_key in (select k.response_key from {near_last} as k where k.response_key is not null)
    or s.client_ref_key in (select k.client_ref_key from {near_last} as k where k.client_ref_key is not null)
  )
