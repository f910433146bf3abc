-- One row is a usage row and a request that no id has brought together and that
-- look alike: the same model of the same provider, the same counts of tokens
-- (written to the cache by whatever time to live), begun within two minutes, and
-- the same region where both tell it.
-- Promises: requests_alike and usages_alike say how many each of the two has.
-- Fed by: usage_left, requests_left, match_other_request_id, match_response_id,
-- match_client_ref, meters, ref_cards.
-- Kept as: table.
with usage_found as (
  select usage_object_id, usage_line from {match_other_request_id}
  union all
  select usage_object_id, usage_line from {match_response_id}
  union all
  select usage_object_id, usage_line from {match_client_ref}
),
requests_found as (
  select request_object_id, request_line from {match_other_request_id} where request_line is not null
  union all
  select request_object_id, request_line from {match_response_id} where request_line is not null
  union all
  select request_object_id, request_line from {match_client_ref} where request_line is not null
),
usage_waiting as (
  select
    u.object_id,
    u.line,
    u.started_at,
    d.region,
    k.model_id,
    u.input_uncached_tokens,
    u.cache_read_tokens,
    u.written_tokens,
    u.output_tokens
  from {usage_left} as u
  inner join {meters} as d on d.meter_id = u.meter_id
  inner join {ref_cards} as k on k.meter_id = u.meter_id
  left join usage_found as f on f.usage_object_id = u.object_id and f.usage_line = u.line
  where not u.ambiguous and f.usage_line is null and not u.failed
),
requests_waiting as (
  select
    r.object_id,
    r.line,
    r.actor_id,
    r.task_id,
    r.tool_calls,
    r.bears_fees,
    r.started_at,
    d.region,
    k.model_id,
    r.input_uncached_tokens,
    r.cache_read_tokens,
    r.cache_write_5m_tokens + r.cache_write_1h_tokens + r.cache_write_unknown_tokens as written_tokens,
    r.output_tokens
  from {requests_left} as r
  inner join {meters} as d on d.meter_id = r.meter_id
  inner join {ref_cards} as k on k.meter_id = r.meter_id
  left join requests_found as f on f.request_object_id = r.object_id and f.request_line = r.line
  where f.request_line is null and not r.failed and not r.cache_hit and r.completeness >= 2
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
  count(*) over (partition by u.object_id, u.line) as requests_alike,
  count(*) over (partition by r.object_id, r.line) as usages_alike
from usage_waiting as u
inner join requests_waiting as r
  on r.model_id = u.model_id
  and r.input_uncached_tokens = u.input_uncached_tokens
  and r.cache_read_tokens = u.cache_read_tokens
  and r.written_tokens = u.written_tokens
  and r.output_tokens = u.output_tokens
  and r.started_at between u.started_at - interval 2 minute and u.started_at + interval 2 minute
  and (r.region is null or u.region is null or strpos(u.region, r.region) = 1)
where u.input_uncached_tokens + u.cache_read_tokens + u.written_tokens + u.output_tokens > 0
