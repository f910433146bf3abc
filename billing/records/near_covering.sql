-- One row is a usage row of each model of a partial day on which a request may come out
-- otherwise, of those that stay as they are: that the provider's log covers the day.
-- Fed by: record_facts, near_rows.
with staying as (
  select f.usage_date, f.meter_id, f.usage_object_id, f.usage_line
  from {record_facts} as f
  left join {near_rows} as n on n.kind = 'usage' and n.object_id = f.usage_object_id and n.line = f.usage_line
  where f.usage_date in ({@loose_days}) and f.usage_line is not null and n.line is null
    and f.usage_date in (select q.row_date from {near_rows} as q where q.kind = 'request' and q.moved)
),
objects_first as (
  select usage_date, meter_id, min(usage_object_id) as first_object_id
  from staying
  group by usage_date, meter_id
)
select 'usage' as kind, s.usage_object_id as object_id, min(s.usage_line) as line, s.usage_date as row_date, false as alike
from objects_first as o
inner join staying as s on s.usage_date = o.usage_date and s.meter_id = o.meter_id and s.usage_object_id = o.first_object_id
group by s.usage_date, s.meter_id, s.usage_object_id
