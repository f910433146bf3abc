-- Counts the calls that a source logged and of which another source's record counts.
select
  o.source,
  count(*) as records
from {repeats} as d
inner join {objects} as o on o.object_id = d.object_id
where d.verdict = 'copy' and d.usage_date between {@first_day} and {@last_day}
group by o.source
order by o.source
