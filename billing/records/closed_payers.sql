-- One row is whom records of a day stand with that a closed month charges: each
-- combination of what decides it.
-- Promises: standing over all closed months is how many records still stand so.
-- Fed by: record_facts, rulings.
select
  f.billing_month,
  f.usage_date,
  f.actor_id,
  f.task_id,
  f.caller_id,
  ifnull(f.adjusts_payer_id, f.payer_id) as payer_id,
  mod(f.ruling_id, {@states}) as attribution,
  countif(r.match = 'ambiguous') > 0 as ambiguous,
  sum(if(f.correction < 0, -1, 1)) as standing
from {record_facts} as f
inner join {rulings} as r on r.ruling_id = f.ruling_id
where f.usage_date in ({@charged_days}) and f.billing_month between {@first_month} and {@last_month} and f.total_cost_usd <> 0
group by 1, 2, 3, 4, 5, 6, 7
