-- One row is a daily sum with every code in words.
-- Promises: every column is described (views.go); none goes, or means something else.
-- Fed by: daily_costs, meters, rulings, payers, rate_entries.
select
  d.usage_date,
  d.billing_month,
  d.utc_date,
  d.correction,
  if(d.correction = 0, null, {month_of(d.usage_date)}) as adjusts_month,
  m.provider,
  m.account,
  m.region,
  m.model,
  m.operation,
  m.service_tier,
  e.price_key,
  e.rate_version,
  d.rate_id,
  p.department,
  p.cost_center,
  b.cost_center as adjusts_cost_center,
  d.agent_id,
  r.match,
  r.match_rung,
  r.pricing,
  r.attribution,
  d.flags,
  d.pricing_note,
  d.cache_hit,
  d.metered,
  d.usage_source,
  d.request_source,
  d.records,
  d.tool_calls,
  d.input_uncached_tokens,
  d.cache_read_tokens,
  d.cache_write_5m_tokens,
  d.cache_write_1h_tokens,
  d.cache_write_unknown_tokens,
  d.output_tokens,
  d.reasoning_tokens,
  d.input_audio_tokens,
  d.input_image_tokens,
  d.cache_read_audio_tokens,
  d.output_audio_tokens,
  d.output_image_tokens,
  d.searches,
  d.llm_cost_usd,
  d.infra_cost_usd,
  d.tool_cost_usd,
  d.total_cost_usd,
  d.cache_savings_usd,
  d.doubtful_cost_usd
from {daily_costs} as d
inner join {meters} as m on m.meter_id = d.meter_id
inner join {rulings} as r on r.ruling_id = d.ruling_id
inner join {payers} as p on p.payer_id = d.payer_id
left join {rate_entries} as e on e.rate_id = d.rate_id
left join {payers} as b on b.payer_id = d.adjusts_payer_id
