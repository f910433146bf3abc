-- One row is a request row that was set aside for another that counts: what it
-- knows of the call's ids leads to that one.
-- Promises: conflicts, of which none counts, are not here.
-- Fed by: request_changes, requests, requests_kept.
-- Kept as: table.
-- Empty unless: request_changes.
-- Columns: request_object_id int, request_line int, call_key int, meter_id int, actor_id int, task_id int, tool_calls int, bears_fees bool, provider_request_key id, response_key id, client_ref_key id, started_at time.
select
  k.object_id as request_object_id,
  k.line as request_line,
  k.call_key,
  k.meter_id,
  k.actor_id,
  k.task_id,
  k.tool_calls,
  k.bears_fees,
  r.provider_request_key,
  r.response_key,
  coalesce(r.client_ref_key, r.agent_request_key) as client_ref_key,
  r.started_at
from {request_changes} as d
inner join {requests} as r on r.object_id = d.object_id and r.line = d.line
inner join {requests_kept} as k on k.object_id = d.counts_object_id and k.line = d.counts_line
where r.request_date in ({@scan_days})
  and d.aside in ('duplicate', 'copy')
  and not r.cache_hit
  and not k.cache_hit
