-- One row is a record of a model that costs something else on its day, as models have
-- it that price records: only amounts of it change. What no such record has, a correction,
-- a word, or a cost that is doubtful, is not read.
-- Fed by: record_facts, repriced_meters, rulings, markups_dated.
select
  f.record_id,
  0 as correction,
  f.started_at,
  f.usage_date,
  {first_of_month(f.usage_date)} as billing_month,
  f.meter_id,
  f.actor_id,
  f.task_id,
  f.caller_id,
  f.ruling_id,
  f.payer_id,
  f.input_uncached_tokens,
  f.cache_read_tokens,
  f.cache_write_5m_tokens,
  f.cache_write_1h_tokens,
  f.cache_write_unknown_tokens,
  f.output_tokens,
  f.reasoning_tokens,
  f.input_audio_tokens,
  f.input_image_tokens,
  f.cache_read_audio_tokens,
  f.output_audio_tokens,
  f.output_image_tokens,
  f.searches,
  f.tool_calls,
  f.cache_hit,
  f.infra_cost_usd,
  f.tool_cost_usd,
  {usd(cast(null as int64))} as doubtful_cost_usd,
  f.pricing_note,
  f.usage_object_id,
  f.usage_line,
  f.request_object_id,
  f.request_line,
  cast(null as string) as flags,
  cast(null as int64) as adjusts_payer_id,
  f.llm_cost_usd as llm_before_usd,
  case
    when r.pricing = 'not_billed' then {@basis_failed}
    when f.cache_hit then {@basis_cache_hit}
    else {@basis_metered}
  end as basis,
  true as metered,
  true as bears_fees,
  cast(null as int64) as reported_pico,
  cast(null as string) as tools,
  cast(null as string) as ttl,
  ifnull(m.markup, 0) as markup
from {record_facts} as f
inner join {repriced_meters} as p on p.usage_date = f.usage_date and p.meter_id = f.meter_id
inner join {rulings} as r on r.ruling_id = f.ruling_id
left join {markups_dated} as m on m.payer_id = f.payer_id and f.started_at >= m.valid_from and f.started_at < m.valid_to
where f.usage_date in ({@repriced_days})
