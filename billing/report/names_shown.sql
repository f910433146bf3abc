-- Runs of snapshots of one source that show a person with the same other names.
with shown as (
  select
    o.source,
    p.email,
    p.names,
    p.snapshot_date,
    min(p.valid_from) as valid_from
  from {people} as p
  inner join {objects} as o on o.object_id = p.object_id
  where p.names is not null and p.snapshot_date is not null
  group by o.source, p.email, p.names, p.snapshot_date
),
days as (
  select distinct
    o.source,
    p.snapshot_date
  from {people} as p
  inner join {objects} as o on o.object_id = p.object_id
  where p.snapshot_date is not null and o.source in (select source from shown)
),
days_in_order as (
  select
    source,
    snapshot_date,
    lead(snapshot_date) over (partition by source order by snapshot_date) as next_date
  from days
),
marked as (
  select
    s.source,
    s.email,
    s.names,
    s.snapshot_date,
    s.valid_from,
    d.next_date,
    if(lag(d.next_date) over (partition by s.source, s.email, s.names order by s.snapshot_date) = s.snapshot_date, 0, 1) as begins
  from shown as s
  inner join days_in_order as d on d.source = s.source and d.snapshot_date = s.snapshot_date
),
numbered as (
  select
    source,
    email,
    names,
    snapshot_date,
    valid_from,
    next_date,
    sum(begins) over (partition by source, email, names order by snapshot_date) as run
  from marked
)
select
  source,
  email,
  names,
  min(valid_from) as valid_from,
  min(snapshot_date) as shown_from,
  max(ifnull(next_date, date '9999-12-31')) as valid_to
from numbered
group by source, email, names, run
