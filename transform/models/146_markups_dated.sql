-- One row is the markup of a payer from an instant until an instant.
-- Promises: at most one markup for each payer and instant.
-- Fed by: ref_markups, payers.
-- Kept as: table.
select
  y.payer_id,
  m.markup,
  m.valid_from,
  m.valid_to
from {ref_markups} as m
inner join {payers} as y on y.cost_center = m.cost_center
