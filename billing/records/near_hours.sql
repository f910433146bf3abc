-- One row is an hour within two of one in which a row lies that was reached, or a row
-- of a visible day.
-- Fed by: near_rows, usage, requests.
with reached as (
  select {micros_of(started_at)} - mod({micros_of(started_at)}, 3600000000) as reached_micros from {near_rows} as n
  union distinct
  select {micros_of(started_at)} - mod({micros_of(started_at)}, 3600000000) as reached_micros from {usage} where usage_date in ({@visible_days})
  union distinct
  select {micros_of(started_at)} - mod({micros_of(started_at)}, 3600000000) as reached_micros from {requests} where request_date in ({@visible_days})
),
steps as (
  select -2 as step
  union all
  select -1 as step
  union all
  select 0 as step
  union all
  select 1 as step
  union all
  select 2 as step
)
select distinct r.reached_micros + s.step * 3600000000 as hour_micros
from reached as r
cross join steps as s
