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
    p.department,
    p.cost_center,
    p.object_id,
    p.line,
    min(p.valid_from) over (partition by o.source, p.snapshot_date, p.email) as valid_from,
    min(concat(p.department, chr(31), p.cost_center)) over (partition by o.source, p.snapshot_date, p.email) as first_text,
    max(concat(p.department, chr(31), p.cost_center)) over (partition by o.source, p.snapshot_date, p.email) as last_text,
    row_number() over (partition by o.source, p.snapshot_date, p.email order by p.object_id, p.line) as place
  from people as p
  inner join objects as o on o.object_id = p.object_id
  where p.snapshot_date is not null
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
    if(s.first_text = s.last_text, s.department, '') as department,
    if(s.first_text = s.last_text, s.cost_center, '') as cost_center,
    s.valid_from,
    s.object_id,
    s.line
  from shown as s
  inner join days_in_order as d on d.source = s.source and d.snapshot_date = s.snapshot_date
  where s.place = 1
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
    line,
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
    line,
    begins,
    sum(begins) over (partition by source, email order by snapshot_date) as run
  from marked
)
select
  source,
  email,
  min(department) as department,
  min(cost_center) as cost_center,
  min(valid_from) as valid_from,
  max(ifnull(next_date, date '9999-12-31')) as valid_to,
  min(snapshot_date) as shown_from,
  max(if(begins = 1, object_id, null)) as object_id,
  max(if(begins = 1, line, null)) as line
from numbered
group by source, email, run
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
from people
where snapshot_date is null
