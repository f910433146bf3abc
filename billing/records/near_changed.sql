-- One row is a staged row of days to which rows were added that neither has a record
-- nor is set aside: it is new, or was never told of. Its ids lead to what it may change.
-- A request's record is that of its usage, which may lie on the day beside.
-- Fed by: near_staged, record_facts, repeats.
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
select s.kind, s.object_id, s.line, s.row_date, s.started_at, s.record_key, s.provider_request_key, s.response_key, s.client_ref_key, true as moved
from {near_staged} as s
left join told as t on t.row_kind = s.kind and t.told_object_id = s.object_id and t.told_line = s.line
where t.told_line is null
