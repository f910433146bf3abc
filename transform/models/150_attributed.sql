-- One row is a charge with the payer that bears it.
-- Promises: no charge is lost or doubled. attribution is a digit of a ruling: the
-- rule that fired (see payers_of). What a closed month has charged stays with
-- whom it was charged to. Where all requests that an ambiguous usage row may
-- belong to lead to one payer, that one pays, by the rule that stands first,
-- unless the row itself names a cost centre. markup is that payer's.
-- Fed by: charges, charged, shared_payers, markups_dated, and what decides who
-- pays (see payers_of).
-- Kept as: view.
with by_rule as (
{payers_of charges}
),
paid as (
  select
    c.*,
    if(c.bears_fees, c.task_tools, null) as tools,
    case
      when s.payer_id is not null then s.payer_id
      when c.rule_attribution = 1 or e.payer_id is null then c.rule_payer_id
      else e.payer_id
    end as payer_id,
    case
      when s.payer_id is not null then mod(s.ruling_id, 10)
      when c.rule_attribution = 1 or e.payer_id is null then c.rule_attribution
      else e.attribution
    end as attribution
  from by_rule as c
  left join charged as s on s.record_id = c.record_id and s.usage_date = c.usage_date
  left join shared_payers as e on e.usage_object_id = c.usage_object_id and e.usage_line = c.usage_line
)
select
  b.*,
  ifnull(m.markup, 0) as markup
from paid as b
left join markups_dated as m
  on m.payer_id = b.payer_id and b.started_at >= m.valid_from and b.started_at < m.valid_to
