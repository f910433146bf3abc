-- The newest snapshot of each source, with a row for each department whose people
-- have asked for something and have no cost centre in it.
with people_of_days as (
  select
    o.source,
    p.snapshot_date,
    p.email,
    min(p.department) as department,
    min(p.cost_center) as cost_center,
    count(distinct concat(p.department, chr(31), p.cost_center)) as alternatives
  from {people} as p
  inner join {objects} as o on o.object_id = p.object_id
  where p.snapshot_date is not null
  group by o.source, p.snapshot_date, p.email
),
days as (
  select
    source,
    snapshot_date,
    count(*) as shown,
    lag(count(*)) over (partition by source order by snapshot_date) as shown_before,
    row_number() over (partition by source order by snapshot_date desc) as age
  from people_of_days
  group by source, snapshot_date
),
users as (
  select coalesce(user_email, user_id) as email
  from {actors}
  union distinct
  select n.email
  from {ref_aliases} as n
  inner join {actors} as a on n.address = coalesce(a.user_email, a.user_id)
),
unpaid as (
  select
    d.source,
    p.department,
    count(*) as people
  from days as d
  inner join people_of_days as p on p.source = d.source and p.snapshot_date = d.snapshot_date
  inner join users as u on u.email = p.email
  where d.age = 1 and p.alternatives = 1 and p.cost_center = ''
  group by d.source, p.department
),
newest as (
  select
    d.source,
    d.snapshot_date,
    d.shown,
    ifnull(d.shown_before, 0) as shown_before,
    countif(p.alternatives > 1) as unsure
  from days as d
  inner join people_of_days as p on p.source = d.source and p.snapshot_date = d.snapshot_date
  where d.age = 1
  group by d.source, d.snapshot_date, d.shown, d.shown_before
)
select
  n.source,
  n.snapshot_date,
  n.shown,
  n.shown_before,
  n.unsure,
  u.department,
  u.people
from newest as n
left join unpaid as u on u.source = n.source
order by n.source, u.department
