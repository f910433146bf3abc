-- The days of which sources have records of usage or requests, or control totals, with
-- what read them.
with staged as (
  select object_id, usage_date as record_date from {usage} where usage_date between {@first_day} and {@last_day} group by object_id, usage_date
  union all
  select object_id, request_date as record_date from {requests} where request_date between {@first_day} and {@last_day} group by object_id, request_date
  union all
  select object_id, bucket_date as record_date from {totals} where bucket_date between {@first_day} and {@last_day} group by object_id, bucket_date
)
select distinct
  o.source,
  o.run,
  s.record_date
from staged as s
inner join {objects} as o on o.object_id = s.object_id
order by o.source, s.record_date, o.run
