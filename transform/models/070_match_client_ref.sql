-- One row is a usage row that found no request by request or response id, with
-- the request that has its client reference; a request without a reference of
-- its own is known by its own id. Of the attempts of one call that is the one
-- that asked the same provider, then the one that stands for the call.
-- Promises: a usage row occurs at most once; where several calls have the
-- reference the row is ambiguous and names none. same_provider is false where
-- the call is known but its record tells of another provider that it was sent
-- to: who asked is known, and that record has a charge of its own.
-- Fed by: usage_left, match_other_request_id, match_response_id, requests_found,
-- request_aliases, meters.
-- Kept as: table.
with unmatched as (
  select
    u.object_id,
    u.line,
    u.started_at,
    u.meter_id,
    u.client_ref_key
  from {usage_left} as u
  left join {match_other_request_id} as o on o.usage_object_id = u.object_id and o.usage_line = u.line
  left join {match_response_id} as e on e.usage_object_id = u.object_id and e.usage_line = u.line
  where not u.ambiguous and o.usage_line is null and e.usage_line is null
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
    r.bears_fees,
    r.call_key,
    d.provider = q.provider or q.provider = 'unknown' as same_provider
  from unmatched as u
  inner join {requests_found} as r
    on r.client_ref_key = u.client_ref_key
    and r.started_at between u.started_at - interval 23 hour and u.started_at + interval 23 hour
  inner join {meters} as d on d.meter_id = u.meter_id
  inner join {meters} as q on q.meter_id = r.meter_id
  union distinct
  select
    u.object_id as usage_object_id,
    u.line as usage_line,
    r.request_object_id,
    r.request_line,
    r.actor_id,
    r.task_id,
    r.tool_calls,
    r.bears_fees,
    r.call_key,
    d.provider = q.provider or q.provider = 'unknown' as same_provider
  from unmatched as u
  inner join {request_aliases} as r
    on r.client_ref_key = u.client_ref_key
    and r.started_at is not null
    and r.started_at between u.started_at - interval 23 hour and u.started_at + interval 23 hour
  inner join {meters} as d on d.meter_id = u.meter_id
  inner join {meters} as q on q.meter_id = r.meter_id
),
calls as (
  select distinct
    usage_object_id,
    usage_line,
    call_key
  from candidates
),
calls_found as (
  select
    usage_object_id,
    usage_line,
    count(*) as found
  from calls
  group by usage_object_id, usage_line
),
ordered as (
  select
    c.*,
    f.found,
    row_number() over (
      partition by c.usage_object_id, c.usage_line
      order by if(c.same_provider, 0, 1), if(c.bears_fees, 0, 1), c.request_object_id, c.request_line
    ) as place
  from candidates as c
  inner join calls_found as f on f.usage_object_id = c.usage_object_id and f.usage_line = c.usage_line
)
select
  usage_object_id,
  usage_line,
  if(found = 1, request_object_id, null) as request_object_id,
  if(found = 1, request_line, null) as request_line,
  if(found = 1, actor_id, null) as actor_id,
  if(found = 1, task_id, null) as task_id,
  if(found = 1, tool_calls, null) as tool_calls,
  found = 1 and same_provider and bears_fees as bears_fees,
  found = 1 and same_provider as same_provider,
  found > 1 as ambiguous
from ordered
where place = 1
