-- Part of models: {payers_of NAME} stands for the rows of NAME, each with who pays
-- for it. rule_attribution is a digit of a ruling, the first rule that fires: 1
-- explicit cost centre, 2 user (who asked, else the person as whom the provider
-- was called), 3 agent owner, 4 key owner, 5 team owner, 6 project owner, 7 caller
-- owner, else 0 and UNALLOCATED. Where the cost centre that a rule names has ended
-- by the day, its successor pays; without one it still pays, and a gate tells.
  select
    c.*,
    coalesce(t.agent_id, w.agent_id) as agent_id,
    t.tools as task_tools,
    coalesce(z.successor_payer_id, x.payer_id, p.payer_id, q.payer_id, a.payer_id, k.payer_id, g.payer_id, j.payer_id, o.payer_id, {@unallocated}) as rule_payer_id,
    case
      when x.payer_id is not null then {@by_cost_center}
      when p.payer_id is not null or q.payer_id is not null then {@by_user}
      when a.payer_id is not null then {@by_agent}
      when k.payer_id is not null then {@by_key}
      when g.payer_id is not null then {@by_team}
      when j.payer_id is not null then {@by_project}
      when o.payer_id is not null then {@by_caller}
      else {@by_nobody}
    end as rule_attribution
  from {NAME} as c
  left join {tasks_known} as t on t.task_id = c.task_id
  left join {callers} as w on w.caller_id = c.caller_id
  left join {ref_cost_centers} as x on x.cost_center = coalesce(t.cost_center, w.cost_center)
  left join {actors_dated} as p
    on p.rule = {@by_user} and p.actor_id = c.actor_id and c.usage_date >= p.valid_from and c.usage_date < p.valid_to
  left join {callers_dated} as q
    on q.caller_id = c.caller_id and c.usage_date >= q.valid_from and c.usage_date < q.valid_to
  left join {agents_dated} as a
    on a.agent_id = coalesce(t.agent_id, w.agent_id) and c.usage_date >= a.valid_from and c.usage_date < a.valid_to
  left join {actors_dated} as k
    on k.rule = {@by_key} and k.actor_id = c.actor_id and c.usage_date >= k.valid_from and c.usage_date < k.valid_to
  left join {actors_dated} as g
    on g.rule = {@by_team} and g.actor_id = c.actor_id and c.usage_date >= g.valid_from and c.usage_date < g.valid_to
  left join {actors_dated} as j
    on j.rule = {@by_project} and j.actor_id = c.actor_id and c.usage_date >= j.valid_from and c.usage_date < j.valid_to
  left join {owners_dated} as o
    on o.kind = 'caller' and o.value = w.caller and c.usage_date >= o.valid_from and c.usage_date < o.valid_to
  left join {successors_dated} as z
    on z.payer_id = coalesce(x.payer_id, p.payer_id, q.payer_id, a.payer_id, k.payer_id, g.payer_id, j.payer_id, o.payer_id) and c.usage_date >= z.valid_from and c.usage_date < z.valid_to
