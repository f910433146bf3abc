-- One row is a cost record as today's inputs give it.
-- Promises: one row for every kept usage row and for every kept request
-- without usage; total = LLM + infra + tools, to the last digit.
-- Fed by: priced.
-- Kept as: view.
select
  record_id,
  provider_request_id,
  agent_request_id,
  started_at,
  usage_date,
  month_of(usage_date) as billing_month,
  cast(null as string) as adjusts_month,
  provider,
  account,
  region,
  model,
  price_key,
  service_tier,
  input_uncached_tokens,
  cache_read_tokens,
  cache_write_5m_tokens,
  cache_write_1h_tokens,
  cache_write_unknown_tokens,
  output_tokens,
  reasoning_tokens,
  user_id,
  department,
  cost_center,
  agent_id,
  tools,
  tool_calls,
  cache_hit,
  usd(llm_pico) as llm_cost_usd,
  usd(infra_pico) as infra_cost_usd,
  usd(tool_pico) as tool_cost_usd,
  usd(llm_pico + infra_pico + tool_pico) as total_cost_usd,
  usd(savings_pico) as cache_savings_usd,
  match,
  match_rung,
  pricing,
  case
    when pricing in ('priced', 'estimated') and fallbacks is not null then concat(ifnull(concat(note, '; '), ''), 'parent price for ', fallbacks)
    else note
  end as pricing_note,
  attribution,
  @rate_version as rate_version,
  usage_object_id,
  usage_line,
  request_object_id,
  request_line,
  @run as run
from priced
