-- One row is a usage row or a request that wrote to the prompt cache and doesn't
-- say for how long, where something else says it.
-- Promises: a row occurs at most once; its tokens add up to what it wrote, and
-- none of them is unknown any more. ttl says what decided: matched, the split of the
-- matched request, or of another platform's record of the call, where that adds up to
-- what was written; else 5m or 1h, the setting of the matched request's source, of
-- the row's own source, or of its model. What nothing decides is in no row here.
-- Fed by: usage_kept, requests_kept, matches, request_calls, requests, objects,
-- ref_cache_ttls.
-- Kept as: table.
-- Empty unless: @writes_untold.
-- Columns: kind text, object_id int, line int, cache_write_5m_tokens int, cache_write_1h_tokens int, cache_write_unknown_tokens int, ttl text.
with untold as (
  select
    'usage' as kind,
    u.object_id,
    u.line,
    u.meter_id,
    u.cache_write_5m_tokens,
    u.cache_write_1h_tokens,
    u.cache_write_unknown_tokens,
    m.request_object_id,
    m.request_line
  from {usage_kept} as u
  left join {matches} as m on m.usage_object_id = u.object_id and m.usage_line = u.line
  where {@writes_untold} and u.cache_write_unknown_tokens > 0
  union all
  select
    'request' as kind,
    r.object_id,
    r.line,
    r.meter_id,
    r.cache_write_5m_tokens,
    r.cache_write_1h_tokens,
    r.cache_write_unknown_tokens,
    r.object_id as request_object_id,
    r.line as request_line
  from {requests_kept} as r
  where {@writes_untold} and r.cache_write_unknown_tokens > 0
),
splits as (
  select
    object_id,
    line,
    1 as turn,
    cache_write_5m_tokens,
    cache_write_1h_tokens
  from {requests_kept}
  where {@writes_untold} and cache_write_unknown_tokens = 0 and cache_write_5m_tokens + cache_write_1h_tokens > 0
  union all
  select
    c.counts_object_id as object_id,
    c.counts_line as line,
    c.turn,
    r.cache_write_5m_tokens,
    r.cache_write_1h_tokens
  from {request_calls} as c
  inner join {requests} as r on r.object_id = c.object_id and r.line = c.line
  where {@writes_untold} and c.turn > 1
    and r.request_date in ({@scan_days})
    and r.cache_write_unknown_tokens = 0
    and r.cache_write_5m_tokens + r.cache_write_1h_tokens > 0
),
fitting as (
  select
    w.kind,
    w.object_id,
    w.line,
    s.cache_write_5m_tokens,
    s.cache_write_1h_tokens,
    row_number() over (partition by w.kind, w.object_id, w.line order by s.turn) as place
  from untold as w
  inner join splits as s
    on s.object_id = w.request_object_id
    and s.line = w.request_line
    and s.cache_write_5m_tokens >= w.cache_write_5m_tokens
    and s.cache_write_1h_tokens >= w.cache_write_1h_tokens
    and s.cache_write_5m_tokens + s.cache_write_1h_tokens = w.cache_write_5m_tokens + w.cache_write_1h_tokens + w.cache_write_unknown_tokens
),
decided as (
  select
    w.kind,
    w.object_id,
    w.line,
    w.cache_write_5m_tokens,
    w.cache_write_1h_tokens,
    w.cache_write_unknown_tokens,
    s.cache_write_5m_tokens as matched_5m_tokens,
    s.cache_write_1h_tokens as matched_1h_tokens,
    if(s.line is not null, 'matched', coalesce(asked.ttl, own.ttl, metered.ttl)) as ttl
  from untold as w
  left join fitting as s on s.kind = w.kind and s.object_id = w.object_id and s.line = w.line and s.place = 1
  left join {objects} as p on p.object_id = w.request_object_id
  left join {objects} as o on o.object_id = w.object_id
  left join {ref_cache_ttls} as asked on asked.source = p.source
  left join {ref_cache_ttls} as own on own.source = o.source
  left join {ref_cache_ttls} as metered on metered.meter_id = w.meter_id
)
select
  kind,
  object_id,
  line,
  case ttl
    when 'matched' then matched_5m_tokens
    when '5m' then cache_write_5m_tokens + cache_write_unknown_tokens
    else cache_write_5m_tokens
  end as cache_write_5m_tokens,
  case ttl
    when 'matched' then matched_1h_tokens
    when '1h' then cache_write_1h_tokens + cache_write_unknown_tokens
    else cache_write_1h_tokens
  end as cache_write_1h_tokens,
  0 as cache_write_unknown_tokens,
  ttl
from decided
where ttl is not null
