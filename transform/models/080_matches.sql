-- One row is a usage row that found a request, or several of them (ambiguous).
-- Promises: a usage row occurs at most once; rung is 1 request id, 2 response
-- id, 3 client reference, 4 fingerprint: the one pair that looks alike, where
-- the settings allow it. same_provider is false where the request has a charge
-- of its own (see match_client_ref).
-- Fed by: match_request_id, match_other_request_id, match_response_id,
-- match_client_ref, fingerprint_pairs.
-- Kept as: view.
select usage_object_id, usage_line, request_object_id, request_line, actor_id, task_id, tool_calls, bears_fees, true as same_provider, ambiguous, {@rung_request_id} as rung
from {match_request_id}
where usage_line is not null and (request_line is not null or ambiguous)
union all
select usage_object_id, usage_line, request_object_id, request_line, actor_id, task_id, tool_calls, bears_fees, true as same_provider, ambiguous, {@rung_request_id} as rung
from {match_other_request_id}
union all
select usage_object_id, usage_line, request_object_id, request_line, actor_id, task_id, tool_calls, bears_fees, true as same_provider, ambiguous, {@rung_response_id} as rung
from {match_response_id}
union all
select usage_object_id, usage_line, request_object_id, request_line, actor_id, task_id, tool_calls, bears_fees, same_provider, ambiguous, {@rung_client_ref} as rung
from {match_client_ref}
union all
select usage_object_id, usage_line, request_object_id, request_line, actor_id, task_id, tool_calls, bears_fees, true as same_provider, false as ambiguous, {@rung_fingerprint} as rung
from {fingerprint_pairs}
where {@fingerprint} and requests_alike = 1 and usages_alike = 1
