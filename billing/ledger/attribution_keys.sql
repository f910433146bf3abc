select
  f.usage_date,
  f.actor_id,
  f.task_id,
  f.caller_id,
  ifnull(f.adjusts_payer_id, f.payer_id) as payer_id,
  mod(f.ruling_id, 10) as attribution,
  max(if(r.match = 'ambiguous', 1, 0)) as ambiguous
from {record_facts} as f
inner join {months} as m on m.first_day = f.billing_month and m.state = 'closed'
inner join {rulings} as r on r.ruling_id = f.ruling_id
where f.usage_date >= {@since} and f.total_cost_usd <> 0
group by 1, 2, 3, 4, 5, 6
having sum(if(f.correction < 0, -1, 1)) <> 0
