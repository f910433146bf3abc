-- One row is a row of days that are visible as a whole, with what leads from it to
-- others.
-- Fed by: usage, requests.
select 'usage' as kind, record_key, provider_request_key, response_key, client_ref_key
from {usage}
where usage_date in ({@visible_days})
union all
select 'request' as kind, record_key, provider_request_key, response_key, coalesce(client_ref_key, agent_request_key) as client_ref_key
from {requests}
where request_date in ({@visible_days})
