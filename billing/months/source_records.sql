-- Counts the staged records of some days by source and kind, and the people of whom
-- each source tells.
with staged as (
  select object_id, 'usage' as kind, count(*) as records from {usage} where usage_date between {@first_day} and {@last_day} group by object_id
  union all
  select object_id, 'requests' as kind, count(*) as records from {requests} where request_date between {@first_day} and {@last_day} group by object_id
)
select
  o.source,
  s.kind,
  sum(s.records) as records
from staged as s
inner join {objects} as o on o.object_id = s.object_id
group by o.source, s.kind
union all
select
  o.source,
  'people' as kind,
  count(distinct p.email) as records
from {people} as p
inner join {objects} as o on o.object_id = p.object_id
group by o.source
order by source, kind
