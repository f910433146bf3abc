-- One row is a request of a call that several platforms logged: requests of
-- different sources with the same provider request id, or with the same
-- response id of the same provider, that began within 20 minutes. An id that
-- comes again later is another call's.
-- Promises: of each call one request counts, that of the source that stands
-- first in the settings; one that failed or has no token counts stands behind
-- the others. Where that source has several of the call, nobody knows which is
-- which and none is here. turn is the place of a request in its call, from 1.
-- Fed by: requests, request_repeats, shared_request_ids, objects, meters,
-- ref_request_sources.
-- Kept as: table.
-- Empty unless: @several_platforms.
-- Columns: object_id int, line int, request_date date, turn int, actor_id int, task_id int, tool_calls int, counts_object_id int, counts_line int.
with shared_response_ids as (
  select r.response_key
  from {requests} as r
  left join {request_repeats} as d on d.object_id = r.object_id and d.line = r.line
  where {@several_platforms}
    and r.request_date in ({@scan_days})
    and r.response_key is not null
    and not r.cache_hit
    and (d.verdict is null or d.verdict in ('kept', 'attempt'))
  group by r.response_key
  having count(*) > 1
),
candidates as (
  select
    r.object_id,
    r.line
  from {shared_request_ids} as s
  inner join {requests} as r on r.provider_request_key = s.provider_request_key
  where {@several_platforms} and r.request_date in ({@scan_days}) and not r.cache_hit
  union distinct
  select
    r.object_id,
    r.line
  from shared_response_ids as s
  inner join {requests} as r on r.response_key = s.response_key
  where r.request_date in ({@scan_days}) and not r.cache_hit
),
known as (
  select
    r.object_id,
    r.line,
    r.request_date,
    r.started_at,
    r.completeness,
    coalesce(r.provider_request_id, {key_text(r.provider_request_key)}) as provider_request_id,
    coalesce(r.response_id, {key_text(r.response_key)}) as response_id,
    r.actor_id,
    r.task_id,
    r.tool_calls,
    m.provider,
    o.source,
    o.object_key,
    ifnull(f.place, 1000000) as place,
    coalesce(r.provider_request_id, {key_text(r.provider_request_key)}, concat(m.provider, ' ', coalesce(r.response_id, {key_text(r.response_key)}))) as first_id
  from candidates as c
  inner join {requests} as r on r.object_id = c.object_id and r.line = c.line
  left join {request_repeats} as d on d.object_id = r.object_id and d.line = r.line
  inner join {objects} as o on o.object_id = r.object_id
  inner join {meters} as m on m.meter_id = r.meter_id
  left join {ref_request_sources} as f on f.source = o.source
  where r.request_date in ({@scan_days})
    and (d.verdict is null or d.verdict in ('kept', 'attempt'))
),
response_gaps as (
  select
    k.*,
    lag(k.started_at) over (partition by k.provider, k.response_id order by k.started_at, k.object_id, k.line) as response_before
  from known as k
),
response_spells as (
  select
    g.*,
    sum(if(g.response_before is null or g.started_at > g.response_before + interval 20 minute, 1, 0)) over (
      partition by g.provider, g.response_id
      order by g.started_at, g.object_id, g.line rows between unbounded preceding and current row
    ) as response_spell
  from response_gaps as g
),
by_response as (
  select
    s.*,
    if(s.response_id is null, s.first_id, min(s.first_id) over (partition by s.provider, s.response_id, s.response_spell)) as second_id,
    lag(s.started_at) over (partition by s.provider_request_id order by s.started_at, s.object_id, s.line) as request_before
  from response_spells as s
),
request_spells as (
  select
    b.*,
    sum(if(b.request_before is null or b.started_at > b.request_before + interval 20 minute, 1, 0)) over (
      partition by b.provider_request_id
      order by b.started_at, b.object_id, b.line rows between unbounded preceding and current row
    ) as request_spell
  from by_response as b
),
by_both as (
  select
    q.*,
    if(q.provider_request_id is null, q.second_id, min(q.second_id) over (partition by q.provider_request_id, q.request_spell)) as call_id
  from request_spells as q
),
call_gaps as (
  select
    b.*,
    lag(b.started_at) over (partition by b.call_id order by b.started_at, b.object_id, b.line) as call_before
  from by_both as b
),
call_spells as (
  select
    g.*,
    sum(if(g.call_before is null or g.started_at > g.call_before + interval 20 minute, 1, 0)) over (
      partition by g.call_id
      order by g.started_at, g.object_id, g.line rows between unbounded preceding and current row
    ) as call_spell
  from call_gaps as g
),
ordered as (
  select
    c.*,
    row_number() over (
      partition by c.call_id, c.call_spell
      order by if(c.completeness >= 2, 0, 1), c.place, c.started_at, c.source, c.object_key, c.line
    ) as turn
  from call_spells as c
),
headed as (
  select
    o.*,
    max(if(o.turn = 1, o.source, null)) over (partition by o.call_id, o.call_spell) as counts_source,
    max(if(o.turn = 1, o.object_id, null)) over (partition by o.call_id, o.call_spell) as counts_object_id,
    max(if(o.turn = 1, o.line, null)) over (partition by o.call_id, o.call_spell) as counts_line,
    max(if(o.turn = 1, o.started_at, null)) over (partition by o.call_id, o.call_spell) as counts_started_at
  from ordered as o
),
counted as (
  select
    h.*,
    countif(h.source = h.counts_source) over (partition by h.call_id, h.call_spell) as of_first_source
  from headed as h
)
select
  object_id,
  line,
  request_date,
  turn,
  actor_id,
  task_id,
  tool_calls,
  counts_object_id,
  counts_line
from counted
where of_first_source = 1
  and started_at between counts_started_at - interval 20 minute and counts_started_at + interval 20 minute
