-- Both sides by month of the usage, payer, agent and model.
select
  {month_of({first_of_month(s.usage_date)})} as month,
  y.department,
  y.cost_center,
  s.agent_id,
  s.model,
  sum(s.records) as records,
  {total_usd(s.usd_before)} as usd_before,
  {total_usd(s.usd_after)} as usd_after,
  sum(s.held_before) as held_before,
  sum(s.held_after) as held_after
from {rerated} as s
inner join {payers} as y on y.payer_id = s.payer_id
group by 1, 2, 3, 4, 5
order by 1, 3, 2, 4, 5
