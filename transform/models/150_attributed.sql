-- One row is a charge with the payer that bears it.
-- Promises: no charge is lost or doubled. attribution is a digit of a ruling: the
-- rule that fired (see payers_of). Where all requests that an ambiguous usage row may
-- belong to lead to one payer, that one pays, by the rule that stands first,
-- unless the row itself names a cost centre. What a closed month has charged stays
-- with its payer where the same person, agent and caller are found by a later rule
-- only: what decided then was removed since, as people are who left, which says
-- nothing of the past. It stays, too, where only the department of the cost centre
-- has changed, and wherever @payers_stay says so. markup is the payer's.
-- Fed by: charges, charged, payers, shared_payers, markups_dated, and what decides
-- who pays (see payers_of).
-- Kept as: view.
with by_rule as (
{payers_of charges}
),
found as (
  select
    c.*,
    if(c.bears_fees, c.task_tools, null) as tools,
    if(c.rule_attribution = {@by_cost_center} or e.payer_id is null, c.rule_payer_id, e.payer_id) as found_payer_id,
    if(c.rule_attribution = {@by_cost_center} or e.payer_id is null, c.rule_attribution, e.attribution) as found_attribution
  from by_rule as c
  left join {shared_payers} as e on e.usage_object_id = c.usage_object_id and e.usage_line = c.usage_line
),
weighed as (
  select
    f.*,
    s.owner_payer_id as charged_payer_id,
    mod(s.ruling_id, {@states}) as charged_attribution,
    s.payer_id is not null and (
      {@payers_stay}
      or y.cost_center = s.owner_cost_center
      or if(f.found_attribution = {@by_nobody}, {@by_last}, f.found_attribution) > if(mod(s.ruling_id, {@states}) = {@by_nobody}, {@by_last}, mod(s.ruling_id, {@states}))
      and ifnull(f.actor_id, 0) = ifnull(s.actor_id, 0)
      and ifnull(f.task_id, 0) = ifnull(s.task_id, 0)
      and ifnull(f.caller_id, 0) = ifnull(s.caller_id, 0)
    ) as stays
  from found as f
  left join {charged} as s on s.record_id = f.record_id and s.usage_date = f.usage_date
  left join {payers} as y on y.payer_id = f.found_payer_id
),
paid as (
  select
    w.*,
    if(w.stays, w.charged_payer_id, w.found_payer_id) as payer_id,
    if(w.stays, w.charged_attribution, w.found_attribution) as attribution
  from weighed as w
)
select
  b.*,
  ifnull(m.markup, 0) as markup
from paid as b
left join {markups_dated} as m
  on m.payer_id = b.payer_id and b.started_at >= m.valid_from and b.started_at < m.valid_to
