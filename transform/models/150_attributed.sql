-- One row is a charge with the payer that bears it.
-- Promises: no charge is lost or doubled. attribution is a digit of a ruling,
-- the first rule that fires: 1 explicit cost centre, 2 user (who asked, else the
-- person as whom the provider was called), 3 agent owner,
-- 4 key owner, 5 team owner, 6 project owner, 7 caller owner, else 0 and
-- UNALLOCATED. What a closed month has charged stays with whom it was charged
-- to. markup is that payer's.
-- Fed by: charges, charged, tasks, callers, ref_cost_centers, agents_dated,
-- actors_dated, callers_dated, owners_dated, markups_dated.
-- Kept as: view.
with named as (
  select
    c.*,
    coalesce(t.agent_id, w.agent_id) as agent_id,
    coalesce(t.cost_center, w.cost_center) as explicit_cost_center,
    if(c.bears_fees, t.tools, null) as tools,
    w.caller
  from charges as c
  left join tasks as t on t.task_id = c.task_id
  left join callers as w on w.caller_id = c.caller_id
),
paid as (
  select
    c.*,
    coalesce(s.payer_id, x.payer_id, p.payer_id, q.payer_id, a.payer_id, k.payer_id, t.payer_id, j.payer_id, w.payer_id, @unallocated) as payer_id,
    case
      when s.payer_id is not null then mod(s.ruling_id, 10)
      when x.payer_id is not null then 1
      when p.payer_id is not null or q.payer_id is not null then 2
      when a.payer_id is not null then 3
      when k.payer_id is not null then 4
      when t.payer_id is not null then 5
      when j.payer_id is not null then 6
      when w.payer_id is not null then 7
      else 0
    end as attribution
  from named as c
  left join charged as s on s.record_id = c.record_id and s.usage_date = c.usage_date
  left join ref_cost_centers as x on x.cost_center = c.explicit_cost_center
  left join actors_dated as p
    on p.rule = 2 and p.actor_id = c.actor_id and c.usage_date >= p.valid_from and c.usage_date < p.valid_to
  left join callers_dated as q
    on q.caller_id = c.caller_id and c.usage_date >= q.valid_from and c.usage_date < q.valid_to
  left join agents_dated as a
    on a.agent_id = c.agent_id and c.usage_date >= a.valid_from and c.usage_date < a.valid_to
  left join actors_dated as k
    on k.rule = 4 and k.actor_id = c.actor_id and c.usage_date >= k.valid_from and c.usage_date < k.valid_to
  left join actors_dated as t
    on t.rule = 5 and t.actor_id = c.actor_id and c.usage_date >= t.valid_from and c.usage_date < t.valid_to
  left join actors_dated as j
    on j.rule = 6 and j.actor_id = c.actor_id and c.usage_date >= j.valid_from and c.usage_date < j.valid_to
  left join owners_dated as w
    on w.kind = 'caller' and w.value = c.caller and c.usage_date >= w.valid_from and c.usage_date < w.valid_to
)
select
  b.*,
  ifnull(m.markup, 0) as markup
from paid as b
left join markups_dated as m
  on m.payer_id = b.payer_id and b.started_at >= m.valid_from and b.started_at < m.valid_to
