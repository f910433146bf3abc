-- One row is a request that shares its key with others, while usage with that
-- key exists: the usage is charged once, by what the provider knows of it.
-- Promises: a request occurs once, and only where the usage could have been its
-- own by the rules of the rung.
-- Fed by: matches, usage_kept, requests_kept.
-- Kept as: table.
with ambiguous_usage as (
  select
    m.rung,
    u.provider_request_id,
    u.response_id,
    u.client_ref,
    u.started_at - interval 23 hour as earliest,
    u.started_at + interval 23 hour as latest
  from matches as m
  inner join usage_kept as u on u.object_id = m.usage_object_id and u.line = m.usage_line
  where m.ambiguous
)
select distinct
  r.object_id,
  r.line
from ambiguous_usage as a
inner join requests_kept as r
  on r.provider_request_id = a.provider_request_id
  and not r.cache_hit
  and r.started_at between a.earliest and a.latest
where a.rung = 1
union distinct
select distinct
  r.object_id,
  r.line
from ambiguous_usage as a
inner join requests_kept as r
  on r.response_id = a.response_id
  and not r.cache_hit
  and r.started_at between a.earliest and a.latest
where a.rung = 2
union distinct
select distinct
  r.object_id,
  r.line
from ambiguous_usage as a
inner join requests_kept as r
  on coalesce(r.client_ref, r.agent_request_id) = a.client_ref
  and not r.cache_hit
  and r.started_at between a.earliest and a.latest
where a.rung = 3
