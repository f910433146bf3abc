-- One row is a cost record as today's inputs give it.
-- Promises: one row for every kept usage row and for every kept request
-- without usage; total = LLM + infra + tools, to the last digit.
-- Fed by: priced.
-- Kept as: view.
select
  record_id,
  0 as correction,
  started_at,
  usage_date,
  first_of_month(usage_date) as billing_month,
  meter_id,
  actor_id,
  task_id,
  caller_id,
  rate_id,
  match * 1000 + rung * 100 + pricing * 10 + attribution as ruling_id,
  payer_id,
  input_uncached_tokens,
  cache_read_tokens,
  cache_write_5m_tokens,
  cache_write_1h_tokens,
  cache_write_unknown_tokens,
  output_tokens,
  reasoning_tokens,
  input_audio_tokens,
  input_image_tokens,
  cache_read_audio_tokens,
  output_audio_tokens,
  output_image_tokens,
  searches,
  tool_calls,
  cache_hit,
  usd(llm_pico) as llm_cost_usd,
  usd(infra_pico) as infra_cost_usd,
  usd(tool_pico) as tool_cost_usd,
  usd(llm_pico + infra_pico + tool_pico) as total_cost_usd,
  usd(savings_pico) as cache_savings_usd,
  case
    when pricing = 0 and (cache_hit or note is null and fallbacks is null) then null
    when basis = 4 and usage_line is not null then 'the provider answered with an error'
    when basis = 4 and match = 3 then 'shares its key with other requests; the usage is charged once'
    when basis = 4 then 'the request failed and no usage was metered'
    when basis = 3 then 'no usage yet; it may still come'
    when basis <> 1 and problem is not null then problem
    when basis <> 1 and not metered then 'the gateway logged no token counts'
    when basis <> 1 and not searches_priced then 'the rate book has no price for web searches of the model'
    when pricing = 2 and not has_fees then 'the rate book has no fees at that time'
    when pricing = 2 then concat('the rate book has no fee for tool ', ifnull(tool_missing, '?'))
    when basis = 2 and estimated_as is not null then concat('no usage came in time; priced from the request, as ', estimated_as)
    when basis = 2 then 'no usage came in time; priced from the request'
    when estimated_as is not null then concat('priced as ', estimated_as)
    when note is not null and used_fallbacks <> '' then concat(note, '; no price of their own: ', substr(used_fallbacks, 3))
    when note is not null then note
    when used_fallbacks <> '' then concat('no price of their own: ', substr(used_fallbacks, 3))
  end as pricing_note,
  usage_object_id,
  usage_line,
  request_object_id,
  request_line,
  @run_date as run_date
from priced
