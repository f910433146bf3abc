-- One row is a request row that was set aside for another that counts: what it
-- knows of the call's ids leads to that one.
-- Promises: conflicts, of which none counts, are not here.
-- Fed by: request_changes, requests, requests_kept.
-- Kept as: table.
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
