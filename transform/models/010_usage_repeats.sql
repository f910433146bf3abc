-- One row is a usage row whose natural key occurs more than once on its day.
-- Promises: of each key exactly one row is "kept", the others are "duplicate";
-- where the most complete rows differ in content, all of these are "conflict".
-- Fed by: usage_repeated, usage, objects.
-- Kept as: table.
-- Empty unless: usage_repeated.
-- Columns: object_id int, line int, usage_date date, verdict text.
with copies as (
  select
    u.*,
    max(u.completeness) over (partition by u.record_key, u.usage_date) as completeness_best,
    row_number() over (
      partition by u.record_key, u.usage_date
      order by u.completeness desc, o.source, o.object_key, u.line
    ) as place
  from {usage_repeated} as d
  inner join {usage} as u on u.record_key = d.record_key and u.usage_date = d.usage_date
  inner join {objects} as o on o.object_id = u.object_id
  where u.usage_date in ({@scan_days})
),
distinct_contents as (
  select distinct
    record_key,
    provider_request_key,
    response_key,
    client_ref_key,
    started_at,
    usage_date,
    meter_id,
    caller_id,
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
    failed,
    completeness
  from copies
  where completeness = completeness_best
),
contents as (
  select
    record_key,
    usage_date,
    count(*) as contents
  from distinct_contents
  group by record_key, usage_date
)
select
  c.object_id,
  c.line,
  c.usage_date,
  case
    when n.contents > 1 and c.completeness = c.completeness_best then 'conflict'
    when c.place = 1 then 'kept'
    else 'duplicate'
  end as verdict
from copies as c
inner join contents as n on n.record_key = c.record_key and n.usage_date = c.usage_date
