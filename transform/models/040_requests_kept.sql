-- One row is a request row that counts, with what other platforms know of it.
-- Promises: no natural key occurs twice on a day, but for attempts, which have
-- record keys of their own and the call's key as call_key; no conflict is among
-- them. bears_fees is false for an attempt that failed beside one that stands
-- for the call.
-- Fed by: requests, request_changes.
-- Kept as: view.
select
  r.object_id,
  r.line,
  ifnull(d.record_key, r.record_key) as record_key,
  r.record_key as call_key,
  d.record_key is null or not r.failed as bears_fees,
  r.agent_request_key,
  r.provider_request_key,
  r.response_key,
  r.client_ref_key,
  r.started_at,
  r.ended_at,
  r.request_date,
  r.meter_id,
  ifnull(d.actor_id, r.actor_id) as actor_id,
  ifnull(d.task_id, r.task_id) as task_id,
  r.cache_hit,
  r.failed,
  ifnull(d.tool_calls, r.tool_calls) as tool_calls,
  r.input_uncached_tokens,
  r.cache_read_tokens,
  r.cache_write_5m_tokens,
  r.cache_write_1h_tokens,
  r.cache_write_unknown_tokens,
  r.output_tokens,
  r.reasoning_tokens,
  r.input_audio_tokens,
  r.input_image_tokens,
  r.cache_read_audio_tokens,
  r.output_audio_tokens,
  r.output_image_tokens,
  r.searches,
  r.reported_pico_usd,
  r.completeness
from {requests} as r
left join {request_changes} as d on d.object_id = r.object_id and d.line = r.line
where r.request_date in ({@scan_days})
  and d.aside is null
