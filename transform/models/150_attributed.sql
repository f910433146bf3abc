-- One row is a charge with the cost centre that bears it.
-- Promises: no charge is lost or doubled; attribution names the rule that
-- fired, the first of: explicit cost centre, user, agent owner, key owner,
-- team owner, project owner, caller owner; else UNALLOCATED.
-- Fed by: charges, ref_cost_centers, people_dated, agents_dated, owners_dated.
-- Kept as: view.
select
  c.*,
  coalesce(x.department, p.department, a.department, k.department, t.department, j.department, w.department, 'UNALLOCATED') as department,
  coalesce(x.cost_center, p.cost_center, a.cost_center, k.cost_center, t.cost_center, j.cost_center, w.cost_center, 'UNALLOCATED') as cost_center,
  case
    when x.cost_center is not null then 'explicit cost centre'
    when p.cost_center is not null then 'user'
    when a.cost_center is not null then 'agent owner'
    when k.cost_center is not null then 'key owner'
    when t.cost_center is not null then 'team owner'
    when j.cost_center is not null then 'project owner'
    when w.cost_center is not null then 'caller owner'
    else 'none'
  end as attribution
from charges as c
left join ref_cost_centers as x on x.cost_center = c.explicit_cost_center
left join people_dated as p
  on p.email = c.user_id and c.usage_date >= p.valid_from and c.usage_date < p.valid_to
left join agents_dated as a
  on a.agent_id = c.agent_id and c.usage_date >= a.valid_from and c.usage_date < a.valid_to
left join owners_dated as k
  on k.kind = 'key' and k.value = c.key_alias and c.usage_date >= k.valid_from and c.usage_date < k.valid_to
left join owners_dated as t
  on t.kind = 'team' and t.value = c.team and c.usage_date >= t.valid_from and c.usage_date < t.valid_to
left join owners_dated as j
  on j.kind = 'project' and j.value = c.project and c.usage_date >= j.valid_from and c.usage_date < j.valid_to
left join owners_dated as w
  on w.kind = 'caller' and w.value = c.caller and c.usage_date >= w.valid_from and c.usage_date < w.valid_to
