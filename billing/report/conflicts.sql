-- A page of the records that contradict each other, with what each is about.
select
  s.source,
  s.object,
  s.line,
  s.kind,
  s.usage_date,
  c.call_id,
  c.differs
from {listed} as s
left join {conflict_rows} as c on c.kind = s.kind and c.object_id = s.object_id and c.line = s.line
order by s.usage_date, s.kind, ifnull(s.source, ''), ifnull(s.object, ''), s.object_id, s.line
limit {@limit} offset {@offset}
