select
  usage_date,
  actor_id,
  task_id,
  caller_id,
  payer_id,
  attribution,
  max(if(ambiguous, 1, 0)) as ambiguous
from {closed_payers}
group by 1, 2, 3, 4, 5, 6
having sum(standing) <> 0
