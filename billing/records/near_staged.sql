-- One row is a staged row of some days, of either side, with what leads from it to
-- others: its natural key and its ids. A request without a reference is one itself.
-- Fed by: usage, requests.
select
  'usage' as kind,
  object_id,
  line,
  usage_date as row_date,
  started_at,
  meter_id,
  record_key,
  provider_request_key,
  response_key,
  client_ref_key
from {usage}
where usage_date in ({@staged_days})
union all
select
  'request' as kind,
  object_id,
  line,
  request_date as row_date,
  started_at,
  meter_id,
  record_key,
  provider_request_key,
  response_key,
  coalesce(client_ref_key, agent_request_key) as client_ref_key
from {requests}
where request_date in ({@staged_request_days})
