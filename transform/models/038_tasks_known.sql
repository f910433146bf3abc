-- One row is what was asked of which agent, as a platform knows it or as several
-- do together.
-- Promises: a task occurs once.
-- Fed by: tasks, calls_merged.
-- Kept as: view.
select
  task_id,
  agent_id,
  cost_center,
  tools
from {tasks}
union all
select distinct
  m.task_id,
  m.agent_id,
  m.cost_center,
  m.tools
from {calls_merged} as m
where m.task_id not in (select t.task_id from {tasks} as t)
