-- One row is a row of {near_chosen} that was not reached before, with what leads from
-- it to others.
-- Fed by: near_chosen, near_staged, near_rows.
select s.kind, s.object_id, s.line, s.row_date, s.started_at, s.record_key, s.provider_request_key, s.response_key, s.client_ref_key, {@moved} as moved
from {near_chosen} as c
inner join {near_staged} as s on s.kind = c.kind and s.object_id = c.object_id and s.line = c.line
left join {near_rows} as n on n.kind = c.kind and n.object_id = c.object_id and n.line = c.line
where n.line is null
