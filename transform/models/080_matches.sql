-- One row is a usage row that found a request, or several of them (ambiguous).
-- Promises: a usage row occurs at most once; rung is 1 request id, 2 response id, 3 client reference.
-- Fed by: match_request_id, match_response_id, match_client_ref.
-- Kept as: view.
select usage_object_id, usage_line, request_object_id, request_line, actor_id, task_id, tool_calls, ambiguous, 1 as rung
from match_request_id
where usage_line is not null and (request_line is not null or ambiguous)
union all
select usage_object_id, usage_line, request_object_id, request_line, actor_id, task_id, tool_calls, ambiguous, 2 as rung
from match_response_id
union all
select usage_object_id, usage_line, request_object_id, request_line, actor_id, task_id, tool_calls, ambiguous, 3 as rung
from match_client_ref
