-- One row is a cost record of a closed month as versions of the program before the hash
-- of hash.sql have read it, in the order in which they have. For months that they closed.
-- Promises: the same columns, values and order for ever.
-- Fed by: cost_items, objects.
select
  c.record_id, c.correction, c.started_at, c.usage_date, c.billing_month, c.adjusts_month,
  c.provider, c.account, c.region, c.model, c.price_key, c.service_tier,
  c.input_uncached_tokens, c.cache_read_tokens, c.cache_write_5m_tokens, c.cache_write_1h_tokens, c.cache_write_unknown_tokens,
  c.output_tokens, c.reasoning_tokens, c.input_audio_tokens, c.input_image_tokens, c.cache_read_audio_tokens, c.output_audio_tokens, c.output_image_tokens, c.searches, c.user_id, c.department, c.cost_center, c.agent_id, c.tools, c.tool_calls, c.cache_hit,
  c.llm_cost_usd, c.infra_cost_usd, c.tool_cost_usd, c.total_cost_usd, c.cache_savings_usd,
  c.match, c.match_rung, c.pricing, c.pricing_note, c.attribution, c.rate_version,
  u.source, u.object_key, c.usage_line, r.source as request_source, r.object_key as request_object_key, c.request_line
from {cost_items} as c
left join {objects} as u on u.object_id = c.usage_object_id
left join {objects} as r on r.object_id = c.request_object_id
where c.usage_date between {@first_day} and {@last_day} and c.billing_month = {@month}
order by c.usage_date, c.record_id, c.correction
