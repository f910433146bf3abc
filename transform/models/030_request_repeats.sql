-- One row is a request row whose natural key occurs more than once on its day.
-- Promises: of each key exactly one row is "kept", the others are "duplicate";
-- where the most complete rows differ in content, all of these are "conflict".
-- Fed by: requests, objects.
-- Kept as: table.
with repeated as (
  select
    record_key,
    request_date
  from requests
  where request_date between @scan_first and @scan_last
  group by record_key, request_date
  having count(*) > 1
),
copies as (
  select
    r.*,
    max(r.completeness) over (partition by r.record_key, r.request_date) as completeness_best,
    row_number() over (
      partition by r.record_key, r.request_date
      order by r.completeness desc, o.source, o.object_key, r.line
    ) as place
  from repeated as d
  inner join requests as r on r.record_key = d.record_key and r.request_date = d.request_date
  inner join objects as o on o.object_id = r.object_id
  where r.request_date between @scan_first and @scan_last
),
distinct_contents as (
  select distinct
    record_key,
    agent_request_id,
    provider_request_id,
    response_id,
    client_ref,
    trace_id,
    end_user,
    started_at,
    ended_at,
    request_date,
    meter_id,
    actor_id,
    task_id,
    cache_hit,
    failed,
    tool_calls,
    input_uncached_tokens,
    cache_read_tokens,
    cache_write_5m_tokens,
    cache_write_1h_tokens,
    cache_write_unknown_tokens,
    output_tokens,
    reasoning_tokens,
    input_audio_tokens,
    input_image_tokens,
    cache_read_audio_tokens,
    output_audio_tokens,
    output_image_tokens,
    searches,
    reported_pico_usd,
    completeness
  from copies
  where completeness = completeness_best
),
contents as (
  select
    record_key,
    request_date,
    count(*) as contents
  from distinct_contents
  group by record_key, request_date
)
select
  c.object_id,
  c.line,
  c.request_date,
  case
    when n.contents > 1 and c.completeness = c.completeness_best then 'conflict'
    when c.place = 1 then 'kept'
    else 'duplicate'
  end as verdict
from copies as c
inner join contents as n on n.record_key = c.record_key and n.request_date = c.request_date
