-- One row is a usage row that found no request by request id, with the request
-- that has its response id, or of which a row that was set aside has it.
-- Promises: a usage row occurs at most once; where several requests have the
-- id the row is ambiguous and names none.
-- Fed by: usage_left, match_other_request_id, requests_found, request_aliases.
-- Kept as: table.
with unmatched as (
  select
    u.object_id,
    u.line,
    u.started_at,
    u.meter_id,
    u.response_key
  from {usage_left} as u
  left join {match_other_request_id} as e on e.usage_object_id = u.object_id and e.usage_line = u.line
  where not u.ambiguous and e.usage_line is null
),
candidates as (
  select
    u.object_id as usage_object_id,
    u.line as usage_line,
    r.object_id as request_object_id,
    r.line as request_line,
    r.actor_id,
    r.task_id,
    r.tool_calls,
    r.bears_fees
  from unmatched as u
  inner join {requests_found} as r
    on r.response_key = u.response_key
    and r.started_at between u.started_at - interval 23 hour and u.started_at + interval 23 hour
  union distinct
  select
    u.object_id as usage_object_id,
    u.line as usage_line,
    r.request_object_id,
    r.request_line,
    r.actor_id,
    r.task_id,
    r.tool_calls,
    r.bears_fees
  from unmatched as u
  inner join {request_aliases} as r
    on r.response_key = u.response_key
    and r.started_at is not null
    and r.started_at between u.started_at - interval 23 hour and u.started_at + interval 23 hour
),
counted as (
  select
    c.*,
    count(*) over (partition by c.usage_object_id, c.usage_line) as found
  from candidates as c
)
select distinct
  usage_object_id,
  usage_line,
  if(found = 1, request_object_id, null) as request_object_id,
  if(found = 1, request_line, null) as request_line,
  if(found = 1, actor_id, null) as actor_id,
  if(found = 1, task_id, null) as task_id,
  if(found = 1, tool_calls, null) as tool_calls,
  found = 1 and bears_fees as bears_fees,
  found > 1 as ambiguous
from counted
