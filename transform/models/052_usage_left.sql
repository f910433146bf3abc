-- One row is a usage row that found no request by its request id, with what else may
-- bring the two together.
-- Promises: every usage row that match_request_id gives no request is here, once;
-- ambiguous says that several requests have the id.
-- Fed by: match_request_id, usage_kept.
-- Kept as: table.
select
  u.object_id,
  u.line,
  u.started_at,
  u.usage_date,
  u.meter_id,
  u.caller_id,
  u.provider_request_key,
  u.response_key,
  u.client_ref_key,
  u.input_uncached_tokens,
  u.cache_read_tokens,
  u.cache_write_5m_tokens + u.cache_write_1h_tokens + u.cache_write_unknown_tokens as written_tokens,
  u.output_tokens,
  u.failed,
  m.ambiguous
from {match_request_id} as m
inner join {usage_kept} as u on u.object_id = m.usage_object_id and u.line = m.usage_line
where m.request_line is null
