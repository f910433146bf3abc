select
  object_id,
  source,
  object_key,
  etag,
  size_bytes,
  day,
  state,
  rows_staged,
  rows_rejected,
  ifnull(rows_ignored, 0) as rows_ignored,
  modified_at,
  missing_since,
  reading,
  error
from {objects}
where
