-- Departments and cost centres that people belong to, by dated rows and by the
-- newest snapshot of each source, with the first line that has them.
with newest as (
  select o.source, max(p.snapshot_date) as snapshot_date
  from {people} as p
  inner join {objects} as o on o.object_id = p.object_id
  group by o.source
)
select
  p.cost_center,
  p.department,
  o.source,
  o.object_key,
  min(p.line) as line,
  p.snapshot_date is not null as is_snapshot
from {people} as p
inner join {objects} as o on o.object_id = p.object_id
left join newest as n on n.source = o.source and n.snapshot_date = p.snapshot_date
where p.cost_center <> '' and (p.snapshot_date is null or n.source is not null)
group by p.cost_center, p.department, o.source, o.object_key, p.snapshot_date is not null
order by 3, 4, 5
