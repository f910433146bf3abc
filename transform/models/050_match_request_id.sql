-- One row is a usage row with the request that has its provider request id, or
-- a usage row without one, or a request without one.
-- Promises: every usage row occurs once, and so does every request that none
-- has. Where several requests have the id the usage row is ambiguous and names
-- none. Answers from the gateway's cache never match: nothing was asked of a
-- provider. Both sides start within 23 hours of each other, so that they lie on
-- the same or on neighbouring dates, also where the clocks change.
-- Fed by: usage_kept, requests_kept, shared_request_ids.
-- Kept as: table.
with ambiguous_usage as (
  select
    u.object_id,
    u.line
  from {shared_request_ids} as s
  inner join {usage_kept} as u on u.provider_request_key = s.provider_request_key
  inner join {requests_kept} as r
    on r.provider_request_key = s.provider_request_key
    and not r.cache_hit
    and r.started_at between u.started_at - interval 23 hour and u.started_at + interval 23 hour
  group by u.object_id, u.line
  having count(*) > 1
),
usage_ids as (
  select
    u.object_id,
    u.line,
    u.started_at - interval 23 hour as earliest,
    u.started_at + interval 23 hour as latest,
    a.line is not null as ambiguous,
    if(a.line is null, u.provider_request_key, null) as provider_request_key
  from {usage_kept} as u
  left join ambiguous_usage as a on a.object_id = u.object_id and a.line = u.line
),
request_ids as (
  select
    object_id,
    line,
    started_at,
    actor_id,
    task_id,
    tool_calls,
    bears_fees,
    if(cache_hit, null, provider_request_key) as provider_request_key
  from {requests_kept}
)
select
  u.object_id as usage_object_id,
  u.line as usage_line,
  r.object_id as request_object_id,
  r.line as request_line,
  r.actor_id,
  r.task_id,
  r.tool_calls,
  r.bears_fees,
  ifnull(u.ambiguous, false) as ambiguous
from usage_ids as u
full join request_ids as r
  on r.provider_request_key = u.provider_request_key
  and r.started_at >= u.earliest
  and r.started_at <= u.latest
