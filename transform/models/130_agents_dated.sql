-- One row is an agent's owner from a day until a day.
-- Promises: an agent has at most one owner on any day; an owner named by
-- address is followed through the people file, so a move moves the agent too.
-- Fed by: ref_agents, people_dated, ref_cost_centers.
-- Kept as: table.
select
  a.agent_id,
  c.payer_id,
  a.valid_from,
  a.valid_to
from {ref_agents} as a
inner join {ref_cost_centers} as c on c.cost_center = a.cost_center
where a.owner_email is null
union all
select
  a.agent_id,
  p.payer_id,
  greatest(a.valid_from, p.valid_from) as valid_from,
  least(a.valid_to, p.valid_to) as valid_to
from {ref_agents} as a
inner join {people_dated} as p
  on p.email = a.owner_email
  and p.valid_from < a.valid_to
  and a.valid_from < p.valid_to
