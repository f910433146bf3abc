-- One row is who asked, as a platform knows it or as several do together.
-- Promises: an actor occurs once.
-- Fed by: actors, calls_merged.
-- Kept as: view.
select
  actor_id,
  user_id,
  user_email,
  team,
  key_alias,
  project
from {actors}
union all
select distinct
  m.actor_id,
  m.user_id,
  m.user_email,
  m.team,
  m.key_alias,
  m.project
from {calls_merged} as m
where m.actor_id not in (select a.actor_id from {actors} as a)
