-- Staged records that share their key with another of different content.
select
  o.source,
  o.object_key as object,
  r.object_id,
  r.line,
  r.kind,
  r.usage_date
from {repeats} as r
left join {objects} as o on o.object_id = r.object_id
where r.verdict = 'conflict' and r.usage_date between {@first_day} and {@last_day}
