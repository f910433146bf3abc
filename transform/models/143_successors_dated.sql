-- One row is who pays for a payer whose cost centre has ended, from a day until a
-- day.
-- Promises: at most one successor for each payer and day, none before the end. A
-- cost centre that has borne records for several departments is several payers.
-- Fed by: ref_successors, payers.
-- Kept as: table.
select
  y.payer_id,
  s.payer_id as successor_payer_id,
  s.valid_from,
  s.valid_to
from {ref_successors} as s
inner join {payers} as y on y.cost_center = s.cost_center
