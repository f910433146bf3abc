-- Who pays for a person from when to when. An address that another one stands for
-- is followed.
with asked as (
  select email, valid_from, valid_to
  from {ref_aliases}
  where address = {@email}
  union all
  select {@email} as email, date '0001-01-01' as valid_from, date '9999-12-31' as valid_to
  from (select count(*) as n from {ref_aliases} where address = {@email}) as known
  where known.n = 0
)
select
  p.email,
  y.department,
  y.cost_center,
  o.source,
  o.object_key,
  p.line,
  greatest(p.valid_from, a.valid_from) as valid_from,
  least(p.valid_to, a.valid_to) as valid_to,
  p.shown_from
from asked as a
inner join {people_dated} as p on p.email = a.email and p.valid_from < a.valid_to and a.valid_from < p.valid_to
inner join {payers} as y on y.payer_id = p.payer_id
inner join {objects} as o on o.object_id = p.object_id
order by 7
