-- One row is a usage row that found a request, or several of them (ambiguous).
-- Promises: a usage row occurs at most once; rung names the key that hit.
-- Fed by: match_request_id, match_response_id, match_client_ref.
-- Kept as: view.
select usage_object_id, usage_line, request_object_id, request_line, ambiguous, 'request id' as rung
from match_request_id
where request_object_id is not null or ambiguous
union all
select usage_object_id, usage_line, request_object_id, request_line, ambiguous, 'response id' as rung
from match_response_id
union all
select usage_object_id, usage_line, request_object_id, request_line, ambiguous, 'client reference' as rung
from match_client_ref
