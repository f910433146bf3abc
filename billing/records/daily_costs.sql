-- One row is what records of a day come to that are alike in all that is asked of
-- many records together but who asked: who pays, which agent asked what model, at
-- which rate, and how that was found.
-- Promises: counts and sums over all rows are those over all records. A sum is null
-- where none of its records has the amount; records that have it and records that
-- have not are never in one row.
-- Fed by: new_facts, daily_tasks, callers, objects.
select
  f.usage_date,
  f.billing_month,
  cast(f.started_at as date) as utc_date,
  case when f.correction < 0 then -1 when f.correction > 0 then 1 else 0 end as correction,
  f.payer_id,
  f.adjusts_payer_id,
  f.meter_id,
  f.rate_id,
  coalesce(t.agent_id, c.agent_id) as agent_id,
  f.ruling_id,
  f.flags,
  f.pricing_note,
  f.cache_hit,
  f.usage_line is not null as metered,
  u.source as usage_source,
  q.source as request_source,
  count(*) as records,
  sum(f.tool_calls) as tool_calls,
  sum(f.input_uncached_tokens) as input_uncached_tokens,
  sum(f.cache_read_tokens) as cache_read_tokens,
  sum(f.cache_write_5m_tokens) as cache_write_5m_tokens,
  sum(f.cache_write_1h_tokens) as cache_write_1h_tokens,
  sum(f.cache_write_unknown_tokens) as cache_write_unknown_tokens,
  sum(f.output_tokens) as output_tokens,
  sum(f.reasoning_tokens) as reasoning_tokens,
  ifnull(sum(f.input_audio_tokens), 0) as input_audio_tokens,
  ifnull(sum(f.input_image_tokens), 0) as input_image_tokens,
  ifnull(sum(f.cache_read_audio_tokens), 0) as cache_read_audio_tokens,
  ifnull(sum(f.output_audio_tokens), 0) as output_audio_tokens,
  ifnull(sum(f.output_image_tokens), 0) as output_image_tokens,
  ifnull(sum(f.searches), 0) as searches,
  sum(f.llm_cost_usd) as llm_cost_usd,
  sum(f.infra_cost_usd) as infra_cost_usd,
  sum(f.tool_cost_usd) as tool_cost_usd,
  sum(f.total_cost_usd) as total_cost_usd,
  sum(f.cache_savings_usd) as cache_savings_usd,
  sum(f.doubtful_cost_usd) as doubtful_cost_usd
from {new_facts} as f
left join {daily_tasks} as t on t.task_id = f.task_id
left join {callers} as c on c.caller_id = f.caller_id
left join {objects} as u on u.object_id = f.usage_object_id
left join {objects} as q on q.object_id = f.request_object_id
group by
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
  case when f.llm_cost_usd is null then 1 else 0 end
  + case when f.infra_cost_usd is null then 2 else 0 end
  + case when f.tool_cost_usd is null then 4 else 0 end
  + case when f.total_cost_usd is null then 8 else 0 end
  + case when f.cache_savings_usd is null then 16 else 0 end
