-- One row is the owner of one key, team, project or caller from a day until a
-- day.
-- Promises: one owner for each kind, value and day.
-- Fed by: ref_owners, ref_cost_centers.
-- Kept as: table.
select
  o.kind,
  o.value,
  c.payer_id,
  o.valid_from,
  o.valid_to
from {ref_owners} as o
inner join {ref_cost_centers} as c on c.cost_center = o.cost_center
