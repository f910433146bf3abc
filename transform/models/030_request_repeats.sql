-- One row is a request row whose natural key occurs more than once on its day.
-- Promises: the rows of a key tell of one attempt of a call where they share an
-- id of the provider's, began at the same instant, or overlap in time and say
-- the same. Of each attempt exactly one row counts, the others are "duplicate";
-- where its most complete rows differ in what decides a charge, all of these are
-- "conflict". Of a call's attempts one is "kept": the most complete, then the
-- first. The others are "attempt", with a record key of their own, for each
-- brings its ids to the match; one that failed and has no id brings nothing and
-- is "duplicate". A duplicate names the row that counts for it.
-- Fed by: requests_repeated, requests, objects.
-- Kept as: table.
-- Empty unless: requests_repeated.
-- Columns: object_id int, line int, request_date date, verdict text, record_key int, counts_object_id int, counts_line int.
with copies as (
  select
    r.object_id,
    r.line,
    r.record_key,
    r.request_date,
    r.started_at,
    r.ended_at,
    r.completeness,
    r.meter_id,
    r.actor_id,
    r.task_id,
    r.cache_hit,
    r.failed,
    r.tool_calls,
    r.input_uncached_tokens,
    r.cache_read_tokens,
    r.cache_write_5m_tokens,
    r.cache_write_1h_tokens,
    r.cache_write_unknown_tokens,
    r.output_tokens,
    r.reasoning_tokens,
    r.input_audio_tokens,
    r.input_image_tokens,
    r.cache_read_audio_tokens,
    r.output_audio_tokens,
    r.output_image_tokens,
    r.searches,
    coalesce(
      r.provider_request_id,
      {key_text(r.provider_request_key)},
      if(r.response_key is null, null, max(coalesce(r.provider_request_id, {key_text(r.provider_request_key)})) over (partition by r.record_key, r.request_date, r.response_key)),
      r.response_id,
      {key_text(r.response_key)}
    ) as provider_id,
    row_number() over (
      partition by r.record_key, r.request_date
      order by r.completeness desc, o.source, o.object_key, r.line
    ) as place,
    row_number() over (
      partition by r.record_key, r.request_date
      order by r.started_at, ifnull(r.ended_at, timestamp '9999-12-31 00:00:00'), o.source, o.object_key, r.line
    ) as place_in_time
  from {requests_repeated} as d
  inner join {requests} as r on r.record_key = d.record_key and r.request_date = d.request_date
  inner join {objects} as o on o.object_id = r.object_id
  where r.request_date in ({@scan_days})
),
busy as (
  select
    c.*,
    min(c.provider_id) over (partition by c.record_key, c.request_date, c.started_at) as id_at_start,
    max(ifnull(c.ended_at, timestamp '9999-12-31 00:00:00')) over (
      partition by c.record_key, c.request_date
      order by c.place_in_time rows between unbounded preceding and 1 preceding
    ) as busy_until
  from copies as c
),
stretches as (
  select
    b.*,
    sum(if(b.busy_until is null or b.started_at > b.busy_until, 1, 0)) over (
      partition by b.record_key, b.request_date
      order by b.place_in_time rows between unbounded preceding and current row
    ) as stretch
  from busy as b
),
alike as (
  select
    s.*,
    if(s.ended_at is null, s.id_at_start, min(s.id_at_start) over (
      partition by
        s.record_key,
        s.request_date,
        s.stretch,
        if(s.ended_at is null, 1, 0),
        s.meter_id,
        s.actor_id,
        s.task_id,
        s.cache_hit,
        s.failed,
        s.tool_calls,
        s.input_uncached_tokens,
        s.cache_read_tokens,
        s.cache_write_5m_tokens,
        s.cache_write_1h_tokens,
        s.cache_write_unknown_tokens,
        s.output_tokens,
        s.reasoning_tokens,
        s.input_audio_tokens,
        s.input_image_tokens,
        s.cache_read_audio_tokens,
        s.output_audio_tokens,
        s.output_image_tokens,
        s.searches
    )) as known_id
  from stretches as s
),
attempts_named as (
  select
    a.*,
    coalesce(
      a.known_id,
      max(a.known_id) over (partition by a.record_key, a.request_date, a.stretch),
      concat('#', cast(a.stretch as string))
    ) as attempt
  from alike as a
),
ranked as (
  select
    n.*,
    max(n.completeness) over (partition by n.record_key, n.request_date, n.attempt) as completeness_best,
    row_number() over (partition by n.record_key, n.request_date, n.attempt order by n.place) as place_in_attempt
  from attempts_named as n
),
distinct_contents as (
  select distinct
    record_key,
    request_date,
    attempt,
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
    searches
  from ranked
  where completeness = completeness_best
),
contents as (
  select
    record_key,
    request_date,
    attempt,
    count(*) as contents
  from distinct_contents
  group by record_key, request_date, attempt
),
judged as (
  select
    k.*,
    n.contents > 1 and k.completeness = k.completeness_best as differs,
    n.contents = 1 and k.place_in_attempt = 1 as stands
  from ranked as k
  inner join contents as n
    on n.record_key = k.record_key and n.request_date = k.request_date and n.attempt = k.attempt
),
called as (
  select
    j.*,
    row_number() over (
      partition by j.record_key, j.request_date
      order by if(j.stands, 0, 1), j.completeness desc, j.started_at, j.place
    ) as turn,
    max(if(j.stands, j.object_id, null)) over (partition by j.record_key, j.request_date, j.attempt) as attempt_object_id,
    max(if(j.stands, j.line, null)) over (partition by j.record_key, j.request_date, j.attempt) as attempt_line
  from judged as j
),
ruled as (
  select
    c.*,
    case
      when c.differs then 'conflict'
      when not c.stands then 'duplicate'
      when c.turn = 1 then 'kept'
      when c.failed and c.known_id is null then 'duplicate'
      else 'attempt'
    end as verdict,
    max(if(c.turn = 1 and c.stands, c.object_id, null)) over (partition by c.record_key, c.request_date) as call_object_id,
    max(if(c.turn = 1 and c.stands, c.line, null)) over (partition by c.record_key, c.request_date) as call_line
  from called as c
)
select
  object_id,
  line,
  request_date,
  verdict,
  case
    when verdict <> 'attempt' then record_key
    when record_key >= {micros_of(started_at)} then record_key - {micros_of(started_at)}
    else record_key + {micros_of(started_at)}
  end as record_key,
  if(verdict = 'duplicate', if(stands or attempt_line is null, call_object_id, attempt_object_id), null) as counts_object_id,
  if(verdict = 'duplicate', if(stands or attempt_line is null, call_line, attempt_line), null) as counts_line
from ruled
