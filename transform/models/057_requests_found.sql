-- One row is a request that shares an id with usage that found none by its request id.
-- Promises: a request occurs once; answers from the gateway's cache are not here. A
-- request without a reference of its own is known by its own id.
-- Fed by: usage_left, requests_kept.
-- Kept as: table.
with requests_known as (
  select
    object_id,
    line,
    call_key,
    bears_fees,
    provider_request_key,
    response_key,
    coalesce(client_ref_key, agent_request_key) as client_ref_key,
    started_at,
    meter_id,
    actor_id,
    task_id,
    tool_calls
  from {requests_kept}
  where not cache_hit
)
select r.*
from {usage_left} as u
inner join requests_known as r on r.provider_request_key = u.provider_request_key
union distinct
select r.*
from {usage_left} as u
inner join requests_known as r on r.response_key = u.response_key
union distinct
select r.*
from {usage_left} as u
inner join requests_known as r on r.client_ref_key = u.client_ref_key
