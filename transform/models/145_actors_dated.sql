-- One row is the owner of an actor by one rule, from a day until a day: the
-- department of the user (rule 2), under whatever address was sent, or the owner of the key (4), the team (5) or
-- the project (6).
-- Promises: one owner for each actor, rule and day.
-- Fed by: actors_known, requests_kept, people_dated, ref_aliases, owners_dated.
-- Kept as: table.
with present as (
  select a.*
  from {actors_known} as a
  where a.actor_id in (select r.actor_id from {requests_kept} as r)
)
select
  a.actor_id,
  {@by_user} as rule,
  p.payer_id,
  greatest(p.valid_from, ifnull(n.valid_from, p.valid_from)) as valid_from,
  least(p.valid_to, ifnull(n.valid_to, p.valid_to)) as valid_to
from present as a
left join {ref_aliases} as n on n.address = coalesce(a.user_email, a.user_id)
inner join {people_dated} as p
  on p.email = coalesce(n.email, a.user_email, a.user_id)
  and p.valid_from < ifnull(n.valid_to, p.valid_to)
  and ifnull(n.valid_from, p.valid_from) < p.valid_to
union all
select
  a.actor_id,
  case o.kind when 'key' then {@by_key} when 'team' then {@by_team} else {@by_project} end as rule,
  o.payer_id,
  o.valid_from,
  o.valid_to
from present as a
inner join {owners_dated} as o
  on (o.kind = 'key' and o.value = a.key_alias)
  or (o.kind = 'team' and o.value = a.team)
  or (o.kind = 'project' and o.value = a.project)
