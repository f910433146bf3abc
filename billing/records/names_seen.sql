-- The names that occur, by the rows that have the ids of actors, callers and
-- tasks that do.
with active_actors as (
  select key_alias, team, project, coalesce(user_email, user_id) as user_name
  from {actors}
  where actor_id in (select actor_id from {actors_seen})
),
all_names as (
  select 'key' as kind, key_alias as name from active_actors
  union distinct
  select 'team' as kind, team as name from active_actors
  union distinct
  select 'project' as kind, project as name from active_actors
  union distinct
  select 'caller' as kind, caller as name
  from {callers}
  where caller_id in (select caller_id from {callers_seen})
  union distinct
  select 'tools' as kind, tools as name
  from {tasks}
  where task_id in (select task_id from {tasks_seen})
  union distinct
  select 'department' as kind, department as name
  from {people}
  where snapshot_date is not null and cost_center = '' and department <> ''
  union distinct
  select 'user' as kind, user_name as name
  from active_actors
  where (select count(names) from {people}) > 0
)
select kind, name
from all_names
where name is not null
order by kind, name
