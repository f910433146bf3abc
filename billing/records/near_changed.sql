-- One row is a staged row of days to which rows were added that neither has a record
-- nor is set aside: it is new, or was never told of. Its ids lead to what it may change.
-- A request's record is that of its usage, which may lie on the day beside.
-- Fed by: usage, requests, record_facts, repeats.
with told as (
  select 'usage' as row_kind, usage_object_id as told_object_id, usage_line as told_line
  from {record_facts}
  where usage_date in ({@added_days}) and usage_line is not null
  union all
  select 'request' as row_kind, request_object_id as told_object_id, request_line as told_line
  from {record_facts}
  where usage_date in ({@beside_days}) and request_line is not null
  union all
  select kind as row_kind, object_id as told_object_id, line as told_line
  from {repeats}
  where usage_date in ({@added_days})
)
select
  'usage' as kind,
  u.object_id,
  u.line,
  u.usage_date as row_date,
  u.started_at,
  u.record_key,
  u.provider_request_key,
  u.response_key,
  u.client_ref_key,
  true as moved
from {usage} as u
left join told as t on t.row_kind = 'usage' and t.told_object_id = u.object_id and t.told_line = u.line
where u.usage_date in ({@added_days}) and t.told_line is null
union all
select
  'request' as kind,
  r.object_id,
  r.line,
  r.request_date as row_date,
  r.started_at,
  r.record_key,
  r.provider_request_key,
  r.response_key,
  coalesce(r.client_ref_key, r.agent_request_key) as client_ref_key,
  true as moved
from {requests} as r
left join told as t on t.row_kind = 'request' and t.told_object_id = r.object_id and t.told_line = r.line
where r.request_date in ({@added_days}) and t.told_line is null
