-- One row is a request that counts and whose request id no usage row has.
-- Promises: every request that match_request_id gives no usage is here, once, with all
-- that is known of it.
-- Fed by: match_request_id, requests_kept.
-- Kept as: table.
select r.*
from {match_request_id} as m
inner join {requests_kept} as r on r.object_id = m.request_object_id and r.line = m.request_line
where m.usage_line is null
