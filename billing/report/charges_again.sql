-- The records as charges has them, where it is asked with another share of the
-- prompt read from the cache.
with prompts as (
  select
    *,
    input_uncached_tokens + cache_read_tokens as prompt,
    cast(((input_uncached_tokens + cache_read_tokens) * {@cache_reads} - mod((input_uncached_tokens + cache_read_tokens) * {@cache_reads}, 1000000)) / 1000000 as int64) as reads
  from {as_they_stand}
)
select
  record_id,
  started_at,
  usage_date,
  meter_id,
  actor_id,
  task_id,
  caller_id,
  if({@reads_moved}, prompt - reads, input_uncached_tokens) as input_uncached_tokens,
  if({@reads_moved}, reads, cache_read_tokens) as cache_read_tokens,
  if({@reads_moved}, least(input_audio_tokens, prompt - reads), input_audio_tokens) as input_audio_tokens,
  if({@reads_moved}, least(input_image_tokens, prompt - reads - ifnull(least(input_audio_tokens, prompt - reads), 0)), input_image_tokens) as input_image_tokens,
  if({@reads_moved}, least(cache_read_audio_tokens, reads), cache_read_audio_tokens) as cache_read_audio_tokens,
  cache_write_5m_tokens,
  cache_write_1h_tokens,
  cache_write_unknown_tokens,
  output_tokens,
  reasoning_tokens,
  output_audio_tokens,
  output_image_tokens,
  searches,
  tool_calls,
  cache_hit,
  bears_fees,
  basis,
  metered,
  usage_object_id,
  usage_line,
  request_object_id,
  request_line,
  reported_pico
from prompts
