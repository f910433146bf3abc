-- Those of some days on which an id occurs, or of which the record of a number is.
select usage_date as day
from {usage}
where usage_date in ({@days}) and (provider_request_key = {@key} or response_key = {@key} or client_ref_key = {@key})
union distinct
select request_date as day
from {requests}
where request_date in ({@days}) and (agent_request_key = {@key} or provider_request_key = {@key} or response_key = {@key} or client_ref_key = {@key} or trace_key = {@key})
union distinct
select usage_date as day
from {record_facts}
where usage_date in ({@days}) and record_id = {@number}
