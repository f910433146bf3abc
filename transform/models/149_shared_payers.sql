-- One row is an ambiguous usage row of which all requests that it may belong to
-- lead to one payer.
-- Promises: nobody is guessed: where one of them leads to nobody or to another
-- payer, the row is not here.
-- Fed by: ambiguous_candidates, and what decides who pays (see payers_of).
-- Kept as: table.
with paid as (
{payers_of ambiguous_candidates}
)
select
  usage_object_id,
  usage_line,
  min(rule_payer_id) as payer_id,
  min(rule_attribution) as attribution
from paid
group by usage_object_id, usage_line
having count(distinct rule_payer_id) = 1 and min(rule_payer_id) <> {@unallocated}
