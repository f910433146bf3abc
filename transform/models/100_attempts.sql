-- One row is a usage row of a request that was billed more than once (retries).
-- Promises: attempt 1 bears the request's fees: the earliest billed row.
-- Fed by: matches, usage_kept.
-- Kept as: table.
with retried as (
  select
    request_object_id,
    request_line
  from matches
  where request_object_id is not null
  group by request_object_id, request_line
  having count(*) > 1
)
select
  m.usage_object_id,
  m.usage_line,
  row_number() over (
    partition by m.request_object_id, m.request_line
    order by if(u.failed, 1, 0), u.started_at, u.record_key
  ) as attempt
from retried as t
inner join matches as m on m.request_object_id = t.request_object_id and m.request_line = t.request_line
inner join usage_kept as u on u.object_id = m.usage_object_id and u.line = m.usage_line
