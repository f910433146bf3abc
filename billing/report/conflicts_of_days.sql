-- All records of some days that are set aside as conflicts, with their objects.
select
  c.kind,
  ifnull(o.source, '') as source,
  ifnull(o.object_key, '') as object_key,
  c.line,
  c.usage_date,
  c.call_id,
  c.differs,
  c.object_id
from {conflict_rows} as c
left join {objects} as o on o.object_id = c.object_id
order by c.usage_date, c.kind, 2, 3, c.line
