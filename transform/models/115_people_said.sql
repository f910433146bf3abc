-- One row is what people files say of one address from a day until a day: a
-- dated row as it stands, or a run of snapshots of one source that show the
-- same.
-- Promises: of one source's snapshots an address has at most one row for any
-- snapshot's day, whatever the order in which they were read. A run holds from
-- its first snapshot on, or earlier where the export says so, until the first
-- later snapshot that shows something else or doesn't show the address. Where
-- one snapshot shows an address twice and differs, it says nothing of it.
-- source is empty for dated rows, shown_from the first snapshot's day or null;
-- object_id and line are where the row, or the run, begins.
-- Fed by: people, objects.
-- Kept as: table.
with shown as (
  select
    o.source,
    p.email,
    p.snapshot_date,
    if(min(p.department) = max(p.department) and min(p.cost_center) = max(p.cost_center), min(p.department), '') as department,
    if(min(p.department) = max(p.department) and min(p.cost_center) = max(p.cost_center), min(p.cost_center), '') as cost_center,
    min(p.valid_from) as valid_from,
    min(p.object_id) as object_id
  from {people} as p
  inner join {objects} as o on o.object_id = p.object_id
  where p.snapshot_date is not null
  group by o.source, p.email, p.snapshot_date
),
days as (
  select distinct
    source,
    snapshot_date
  from shown
),
days_in_order as (
  select
    source,
    snapshot_date,
    lead(snapshot_date) over (partition by source order by snapshot_date) as next_date
  from days
),
once as (
  select
    s.source,
    s.email,
    s.snapshot_date,
    d.next_date,
    s.department,
    s.cost_center,
    s.valid_from,
    s.object_id
  from shown as s
  inner join days_in_order as d on d.source = s.source and d.snapshot_date = s.snapshot_date
),
marked as (
  select
    source,
    email,
    snapshot_date,
    next_date,
    department,
    cost_center,
    valid_from,
    object_id,
    if(
      lag(next_date) over (partition by source, email order by snapshot_date) = snapshot_date
      and lag(department) over (partition by source, email order by snapshot_date) = department
      and lag(cost_center) over (partition by source, email order by snapshot_date) = cost_center,
      0, 1
    ) as begins
  from once
),
numbered as (
  select
    source,
    email,
    snapshot_date,
    next_date,
    department,
    cost_center,
    valid_from,
    object_id,
    begins,
    sum(begins) over (partition by source, email order by snapshot_date) as run
  from marked
),
unlined as (
  select
    source,
    email,
    min(department) as department,
    min(cost_center) as cost_center,
    min(valid_from) as valid_from,
    max(ifnull(next_date, date '9999-12-31')) as valid_to,
    min(snapshot_date) as shown_from,
    max(if(begins = 1, object_id, null)) as object_id
  from numbered
  group by source, email, run
)
select
  r.source,
  r.email,
  r.department,
  r.cost_center,
  r.valid_from,
  r.valid_to,
  r.shown_from,
  r.object_id,
  min(p.line) as line
from unlined as r
inner join {people} as p on p.object_id = r.object_id and p.email = r.email and p.snapshot_date = r.shown_from
group by r.source, r.email, r.department, r.cost_center, r.valid_from, r.valid_to, r.shown_from, r.object_id
union all
select
  '' as source,
  email,
  department,
  cost_center,
  valid_from,
  valid_to,
  cast(null as date) as shown_from,
  object_id,
  line
from {people}
where snapshot_date is null
