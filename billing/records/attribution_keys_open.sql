-- Whom the records of some days of open months stand with, each combination of what
-- decides it once a day.
select
  f.usage_date,
  f.actor_id,
  f.task_id,
  f.caller_id,
  f.payer_id,
  mod(f.ruling_id, {@states}) as attribution,
  max(if(r.match = 'ambiguous' and f.usage_line is not null, 1, 0)) as ambiguous
from {record_facts} as f
inner join {rulings} as r on r.ruling_id = f.ruling_id
where f.usage_date between {@first_day} and {@last_day} and f.correction = 0
group by 1, 2, 3, 4, 5, 6
