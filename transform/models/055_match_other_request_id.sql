-- One row is a usage row that found no request by request id, with the request
-- of a call of which another row knows that id: a copy, or another platform's.
-- Promises: a usage row occurs at most once; where the id leads to several
-- requests the row is ambiguous and names none.
-- Fed by: usage_left, request_aliases.
-- Kept as: table.
-- Empty unless: request_aliases.
-- Columns: usage_object_id int, usage_line int, request_object_id int, request_line int, actor_id int, task_id int, tool_calls int, bears_fees bool, ambiguous bool.
with unmatched as (
  select
    u.object_id,
    u.line,
    u.started_at,
    u.meter_id,
    u.provider_request_key
  from {usage_left} as u
  where not u.ambiguous
),
candidates as (
  select distinct
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
    on r.provider_request_key = u.provider_request_key
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
