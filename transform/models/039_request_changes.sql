-- One row is a request row that does not count, or not as it was staged.
-- Promises: a row occurs once; what is null is as it was staged. aside says why
-- a row does not count: duplicate, conflict, or copy (of a call that another
-- platform logged, too).
-- Fed by: request_repeats, request_calls, calls_merged.
-- Kept as: table.
with changed as (
  select object_id, line from {request_repeats}
  union distinct
  select object_id, line from {request_calls}
)
select
  c.object_id,
  c.line,
  coalesce(d.request_date, k.request_date) as request_date,
  case
    when d.verdict in ('duplicate', 'conflict') then d.verdict
    when k.turn > 1 then 'copy'
  end as aside,
  if(d.verdict = 'attempt', d.record_key, null) as record_key,
  m.actor_id,
  m.task_id,
  m.tool_calls,
  coalesce(k.counts_object_id, f.counts_object_id, d.counts_object_id) as counts_object_id,
  coalesce(k.counts_line, f.counts_line, d.counts_line) as counts_line
from changed as c
left join {request_repeats} as d on d.object_id = c.object_id and d.line = c.line
left join {request_calls} as k on k.object_id = c.object_id and k.line = c.line
left join {request_calls} as f on f.object_id = d.counts_object_id and f.line = d.counts_line
left join {calls_merged} as m on m.object_id = c.object_id and m.line = c.line
