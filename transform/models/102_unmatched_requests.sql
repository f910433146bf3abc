-- One row is a request of which no usage was found.
-- Promises: every request that counts is here or is one that usage belongs to;
-- one that only named who asked is here, too (see match_client_ref).
-- Fed by: match_request_id, match_other_request_id, match_response_id,
-- match_client_ref, fingerprint_pairs.
-- Kept as: table.
with found_otherwise as (
  select request_object_id, request_line from {match_other_request_id} where request_line is not null
  union all
  select request_object_id, request_line from {match_response_id} where request_line is not null
  union all
  select request_object_id, request_line from {match_client_ref} where request_line is not null and same_provider
  union all
  select request_object_id, request_line from {fingerprint_pairs} where {@fingerprint} and requests_alike = 1 and usages_alike = 1
)
select
  m.request_object_id as object_id,
  m.request_line as line
from {match_request_id} as m
left join found_otherwise as f on f.request_object_id = m.request_object_id and f.request_line = m.request_line
where m.usage_line is null and f.request_line is null
