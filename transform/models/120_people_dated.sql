-- One row is who pays for a person from a day until a day.
-- Promises: a person has at most one row on any day: a later start ends the
-- row before it. Where two rows start on the same day and differ, neither is
-- believed, nor is the row before them from that day on, and the run says so.
-- Fed by: people, payers.
-- Kept as: table.
with distinct_rows as (
  select distinct
    email,
    department,
    cost_center,
    valid_from,
    valid_to
  from people
),
starts as (
  select
    email,
    valid_from,
    count(*) as alternatives,
    lead(valid_from) over (partition by email order by valid_from) as next_from
  from distinct_rows
  group by email, valid_from
)
select
  p.email,
  y.payer_id,
  p.valid_from,
  least(p.valid_to, ifnull(s.next_from, p.valid_to)) as valid_to
from distinct_rows as p
inner join starts as s on s.email = p.email and s.valid_from = p.valid_from
inner join payers as y on y.department = p.department and y.cost_center = p.cost_center
where s.alternatives = 1
