-- One row is a request that counts for a call that several platforms logged, with
-- what the others know and it lacks: the user, team, key and project, the agent,
-- the explicit cost centre and the tools, each from the first that has it.
-- Promises: a request occurs once. Where something was added, actor_id and
-- task_id are hashes of what all know together: 60 bits of a SHA-256.
-- Fed by: request_calls, actors, tasks.
-- Kept as: table.
-- Empty unless: request_calls.
-- Columns: object_id int, line int, actor_id int, task_id int, user_id text, user_email text, team text, key_alias text, project text, agent_id text, cost_center text, tools text, tool_calls int.
with known as (
  select
    c.counts_object_id as object_id,
    c.counts_line as line,
    c.turn,
    c.actor_id,
    c.task_id,
    c.tool_calls,
    a.user_id,
    a.user_email,
    a.team,
    a.key_alias,
    a.project,
    t.agent_id,
    t.cost_center,
    t.tools
  from {request_calls} as c
  inner join {actors} as a on a.actor_id = c.actor_id
  inner join {tasks} as t on t.task_id = c.task_id
),
turns as (
  select
    object_id,
    line,
    min(if(user_id is not null or user_email is not null, turn, null)) as user_turn,
    min(if(team is not null, turn, null)) as team_turn,
    min(if(key_alias is not null, turn, null)) as key_turn,
    min(if(project is not null, turn, null)) as project_turn,
    min(if(agent_id is not null, turn, null)) as agent_turn,
    min(if(cost_center is not null, turn, null)) as center_turn,
    min(if(tools is not null, turn, null)) as tools_turn
  from known
  group by object_id, line
  having count(*) > 1
),
merged as (
  select
    k.object_id,
    k.line,
    max(if(k.turn = 1, k.actor_id, null)) as actor_id,
    max(if(k.turn = 1, k.task_id, null)) as task_id,
    max(greatest(ifnull(s.user_turn, 1), ifnull(s.team_turn, 1), ifnull(s.key_turn, 1), ifnull(s.project_turn, 1))) as actor_turn,
    max(greatest(ifnull(s.agent_turn, 1), ifnull(s.center_turn, 1), ifnull(s.tools_turn, 1))) as task_turn,
    max(if(k.turn = s.user_turn, k.user_id, null)) as user_id,
    max(if(k.turn = s.user_turn, k.user_email, null)) as user_email,
    max(if(k.turn = s.team_turn, k.team, null)) as team,
    max(if(k.turn = s.key_turn, k.key_alias, null)) as key_alias,
    max(if(k.turn = s.project_turn, k.project, null)) as project,
    max(if(k.turn = s.agent_turn, k.agent_id, null)) as agent_id,
    max(if(k.turn = s.center_turn, k.cost_center, null)) as cost_center,
    max(if(k.turn = s.tools_turn, k.tools, null)) as tools,
    max(if(k.turn = s.tools_turn, k.tool_calls, 0)) as tool_calls
  from turns as s
  inner join known as k on k.object_id = s.object_id and k.line = s.line
  group by k.object_id, k.line
)
select
  object_id,
  line,
  if(actor_turn = 1, actor_id, {hex_int(substr({sha256_hex(concat(
    ifnull(cast(length(user_id) as string) || ':' || user_id, '~'),
    ifnull(cast(length(user_email) as string) || ':' || user_email, '~'),
    ifnull(cast(length(team) as string) || ':' || team, '~'),
    ifnull(cast(length(key_alias) as string) || ':' || key_alias, '~'),
    ifnull(cast(length(project) as string) || ':' || project, '~')
  ))}, 1, 15))}) as actor_id,
  if(task_turn = 1, task_id, {hex_int(substr({sha256_hex(concat(
    ifnull(cast(length(agent_id) as string) || ':' || agent_id, '~'),
    ifnull(cast(length(cost_center) as string) || ':' || cost_center, '~'),
    ifnull(cast(length(tools) as string) || ':' || tools, '~')
  ))}, 1, 15))}) as task_id,
  user_id,
  user_email,
  team,
  key_alias,
  project,
  agent_id,
  cost_center,
  tools,
  tool_calls
from merged
