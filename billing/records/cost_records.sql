-- One row is a cost record in full: a row of cost_items, with the ids of its request.
-- The bounds of staged rows are all days. An engine that wants a filter on a partitioned
-- table takes constants alone, for want of which it refuses the select, and finds parts
-- by nothing else: a bound by the day of the record would spare nothing.
-- Promises: as cost_items.
-- Fed by: cost_items, usage, requests.
select
  i.*,
  coalesce(u.provider_request_id, {key_text(u.provider_request_key)}, q.provider_request_id, {key_text(q.provider_request_key)}) as provider_request_id,
  coalesce(nullif(q.agent_request_id, ''), {key_text(q.agent_request_key)}) as agent_request_id
from {cost_items} as i
left join {usage} as u
  on u.object_id = i.usage_object_id and u.line = i.usage_line and u.usage_date = i.usage_date and u.usage_date >= date '0001-01-01'
left join {requests} as q
  on q.object_id = i.request_object_id and q.line = i.request_line and q.request_date >= date '0001-01-01'
