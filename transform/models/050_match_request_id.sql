-- One row is a usage row, with the request that has its provider request id.
-- Promises: every usage row occurs once. Where several requests have the id
-- the row is ambiguous and names none. Answers from the gateway's cache never
-- match: nothing was asked of a provider. Both sides start within a day of
-- each other.
-- Fed by: usage_kept, requests_kept.
-- Kept as: table.
with shared_ids as (
  select provider_request_id
  from requests_kept
  where provider_request_id is not null and not cache_hit
  group by provider_request_id
  having count(*) > 1
),
usage_ids as (
  select
    u.object_id,
    u.line,
    u.started_at,
    s.provider_request_id is not null as ambiguous,
    if(s.provider_request_id is null, u.provider_request_id, null) as provider_request_id
  from usage_kept as u
  left join shared_ids as s on s.provider_request_id = u.provider_request_id
),
request_ids as (
  select
    object_id,
    line,
    started_at,
    provider_request_id
  from requests_kept
  where provider_request_id is not null and not cache_hit
)
select
  u.object_id as usage_object_id,
  u.line as usage_line,
  r.object_id as request_object_id,
  r.line as request_line,
  u.ambiguous
from usage_ids as u
left join request_ids as r
  on r.provider_request_id = u.provider_request_id
  and r.started_at between u.started_at - interval 1 day and u.started_at + interval 1 day
