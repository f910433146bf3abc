-- One row is who pays for a person from a day until a day.
-- Promises: a person has at most one row on any day. Dated rows go before
-- snapshots on the days that they cover, and a later start ends the row before
-- it. Where two dated rows start on the same day and differ, neither is
-- believed, nor is anything else of the person while they last, and the run
-- says so. Of snapshots the source that stands first in the settings counts,
-- and of one source the later snapshot. What is said under an old address
-- counts for the person's own, behind what is said under that; of two old ones
-- that of the one that stands first in the alphabet.
-- A snapshot's cost centre belongs to the department that the directory gives
-- it; one that names no cost centre is paid by the default of its department,
-- or by nobody. object_id and line are where it is said, shown_from the first
-- snapshot that showed it or null.
-- Fed by: people_said, payers, ref_cost_centers, ref_departments, ref_aliases,
-- ref_people_sources.
-- Kept as: table.
with dated_rows as (
  select
    email,
    department,
    cost_center,
    valid_from,
    valid_to,
    object_id,
    line,
    row_number() over (partition by email, department, cost_center, valid_from, valid_to order by object_id, line) as place
  from {people_said}
  where shown_from is null
),
starts as (
  select
    email,
    valid_from,
    count(*) as alternatives,
    max(valid_to) as last_to,
    min(department) as department,
    min(cost_center) as cost_center,
    min(object_id) as object_id,
    min(line) as line,
    lead(valid_from) over (partition by email order by valid_from) as next_from
  from dated_rows
  where place = 1
  group by email, valid_from
),
statements as (
  select
    0 as kind,
    0 as place,
    '' as source,
    s.email,
    if(s.alternatives = 1, y.payer_id, null) as payer_id,
    s.valid_from,
    least(s.last_to, ifnull(s.next_from, s.last_to)) as valid_to,
    s.valid_from as since,
    cast(null as date) as shown_from,
    s.object_id,
    s.line
  from starts as s
  left join {payers} as y on y.department = s.department and y.cost_center = s.cost_center
  union all
  select
    1 as kind,
    ifnull(o.place, 1000000) as place,
    r.source,
    r.email,
    coalesce(c.payer_id, d.payer_id, y.payer_id) as payer_id,
    r.valid_from,
    r.valid_to,
    r.shown_from as since,
    r.shown_from,
    r.object_id,
    r.line
  from {people_said} as r
  left join {ref_people_sources} as o on o.source = r.source
  left join {ref_cost_centers} as c on c.cost_center = r.cost_center
  left join {ref_departments} as d on r.cost_center = '' and d.department = r.department
  left join {payers} as y on r.cost_center <> '' and r.department <> '' and y.department = r.department and y.cost_center = r.cost_center
  where r.shown_from is not null and coalesce(c.payer_id, d.payer_id, y.payer_id) is not null
),
named as (
  select
    s.kind,
    s.place,
    s.source,
    s.email as said_as,
    ifnull(a.email, s.email) as email,
    if(ifnull(a.email, s.email) = s.email, 0, 1) as renamed,
    s.payer_id,
    greatest(s.valid_from, ifnull(a.valid_from, s.valid_from)) as valid_from,
    least(s.valid_to, ifnull(a.valid_to, s.valid_to)) as valid_to,
    s.since,
    s.shown_from,
    s.object_id,
    s.line
  from statements as s
  left join {ref_aliases} as a on a.address = s.email and a.valid_from < s.valid_to and s.valid_from < a.valid_to
),
edges as (
  select email, valid_from as day from named
  union distinct
  select email, valid_to as day from named
),
stretches as (
  select
    email,
    day as valid_from,
    lead(day) over (partition by email order by day) as valid_to
  from edges
),
ranked as (
  select
    t.email,
    t.valid_from,
    t.valid_to,
    n.payer_id,
    n.object_id,
    n.line,
    n.since,
    n.shown_from,
    row_number() over (
      partition by t.email, t.valid_from
      order by n.kind, n.place, n.source, n.renamed, n.since desc, n.valid_from desc, n.said_as, n.object_id, n.line
    ) as choice
  from stretches as t
  inner join named as n on n.email = t.email and n.valid_from <= t.valid_from and n.valid_to >= t.valid_to
  where t.valid_to is not null
),
believed as (
  select
    email,
    valid_from,
    valid_to,
    payer_id,
    object_id,
    line,
    since,
    shown_from,
    if(
      lag(valid_to) over (partition by email order by valid_from) = valid_from
      and lag(payer_id) over (partition by email order by valid_from) = payer_id
      and lag(object_id) over (partition by email order by valid_from) = object_id
      and lag(since) over (partition by email order by valid_from) = since,
      0, 1
    ) as begins
  from ranked
  where choice = 1 and payer_id is not null
),
numbered as (
  select
    email,
    valid_from,
    valid_to,
    payer_id,
    object_id,
    line,
    since,
    shown_from,
    sum(begins) over (partition by email order by valid_from) as run
  from believed
)
select
  email,
  min(payer_id) as payer_id,
  min(valid_from) as valid_from,
  max(valid_to) as valid_to,
  min(object_id) as object_id,
  min(line) as line,
  min(shown_from) as shown_from
from numbered
group by email, run
