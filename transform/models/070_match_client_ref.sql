-- One row is a usage row that found no request by request or response id, with
-- the request that has its client reference; a request without a reference of
-- its own is known by its own id.
-- Promises: as match_response_id.
-- Fed by: match_request_id, match_response_id, usage_kept, requests_kept.
-- Kept as: table.
with unmatched as (
  select
    m.usage_object_id,
    m.usage_line
  from match_request_id as m
  left join match_response_id as earlier
    on earlier.usage_object_id = m.usage_object_id and earlier.usage_line = m.usage_line
  where m.usage_line is not null and m.request_line is null and not m.ambiguous and earlier.usage_line is null
),
candidates as (
  select
    m.usage_object_id,
    m.usage_line,
    r.object_id as request_object_id,
    r.line as request_line,
    r.actor_id,
    r.task_id,
    r.tool_calls,
    count(*) over (partition by m.usage_object_id, m.usage_line) as found
  from unmatched as m
  inner join usage_kept as u on u.object_id = m.usage_object_id and u.line = m.usage_line
  inner join requests_kept as r
    on coalesce(r.client_ref, r.agent_request_id) = u.client_ref
    and not r.cache_hit
    and r.started_at between u.started_at - interval 23 hour and u.started_at + interval 23 hour
)
select distinct
  usage_object_id,
  usage_line,
  if(found = 1, request_object_id, null) as request_object_id,
  if(found = 1, request_line, null) as request_line,
  if(found = 1, actor_id, null) as actor_id,
  if(found = 1, task_id, null) as task_id,
  if(found = 1, tool_calls, null) as tool_calls,
  found > 1 as ambiguous
from candidates
