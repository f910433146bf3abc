-- The daily sums of an agent's days, whichever month charged them.
select *
from {daily_items}
where agent_id = {@agent} and usage_date between {@first_day} and {@last_day}
