-- One row is a request that shares its key with others, while usage with that
-- key exists.
-- Promises: a request occurs once.
-- Fed by: ambiguous_candidates.
-- Kept as: view.
select distinct
  request_object_id as object_id,
  request_line as line
from {ambiguous_candidates}
