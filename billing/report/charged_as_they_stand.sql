-- The payers of the records, as charged has them; none where they are asked again.
select
  s.record_id,
  s.usage_date,
  s.payer_id,
  s.ruling_id,
  s.payer_id as owner_payer_id,
  y.cost_center as owner_cost_center,
  s.actor_id,
  s.task_id,
  s.caller_id
from {as_they_stand} as s
inner join {payers} as y on y.payer_id = s.payer_id
where {@payers_stay}
