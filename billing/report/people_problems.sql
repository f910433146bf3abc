-- Dated rows of one person that start on the same day and differ.
with starts as (
  select email, valid_from
  from {people}
  where snapshot_date is null
  group by email, valid_from
  having count(distinct concat(department, '|', cost_center, '|', cast(valid_to as string))) > 1
)
select
  o.source,
  o.object_key,
  p.line,
  p.valid_from
from starts as s
inner join {people} as p on p.email = s.email and p.valid_from = s.valid_from
inner join {objects} as o on o.object_id = p.object_id
where p.snapshot_date is null
order by 1, 2, 3
