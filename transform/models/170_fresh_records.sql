-- One row is a cost record as today's inputs give it.
-- Promises: one row for every kept usage row and for every kept request
-- without usage; total = LLM + infra + tools, to the last digit. flags says in
-- words what reports count: missing:WORD of a record that is held, and of one
-- that is charged how its price was found where it had none of its own.
-- Fed by: priced.
-- Kept as: view.
with judged as (
  select
    *,
    case
      when basis = {@basis_failed} then null
      when basis = {@basis_waiting} then 'usage'
      when basis = {@basis_doubtful} then 'match'
      when pricing <> {@pricing_unpriced} then null
      when basis <> {@basis_cache_hit} and problem is not null and not takes_reported then ifnull(lacks, 'price')
      when basis <> {@basis_cache_hit} and not metered and not by_request and not takes_reported then 'counts'
      when basis <> {@basis_cache_hit} and not searches_priced and not takes_reported then 'search_price'
      when not has_fees then 'fees'
      else 'tool_fee'
    end as missing
  from {priced}
)
select
  record_id,
  0 as correction,
  started_at,
  usage_date,
  {first_of_month(usage_date)} as billing_month,
  meter_id,
  actor_id,
  task_id,
  caller_id,
  rate_id,
  ((match * {@states} + rung) * {@states} + pricing) * {@states} + attribution as ruling_id,
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
  {usd(llm_pico)} as llm_cost_usd,
  {usd(infra_pico)} as infra_cost_usd,
  {usd(tool_pico)} as tool_cost_usd,
  {usd(llm_pico + infra_pico + tool_pico)} as total_cost_usd,
  {usd(savings_pico)} as cache_savings_usd,
  {usd(doubtful_pico)} as doubtful_cost_usd,
  case
    when pricing = {@pricing_priced} and (cache_hit or used_fallbacks = '' and note is null and not ttl_guessed) then null
    when basis = {@basis_failed} and usage_line is not null then 'the provider answered with an error'
    when basis = {@basis_failed} and match = {@match_ambiguous} then 'shares its key with other requests; the usage is charged once'
    when basis = {@basis_failed} then 'the request failed and no usage was metered'
    when missing = 'usage' then 'no usage yet; it may still come'
    when missing = 'match' then 'the log of the provider covers the day and has no usage for this request; charging it could count a call twice'
    when missing = 'counts' then 'the gateway logged no token counts'
    when missing = 'search_price' then 'the rate book has no price for web searches of the model'
    when missing = 'fees' then 'the rate book has no fees at that time'
    when missing = 'tool_fee' then concat('the rate book has no fee for tool ', ifnull(tool_missing, '?'))
    when missing is not null then problem
    when cache_hit then if(estimated_as is not null, concat('priced as ', estimated_as), null)
    else nullif(substr(concat(
      case
        when basis = {@basis_estimate} and takes_reported then '; no usage came in time'
        when basis = {@basis_estimate} and estimated_as is not null then concat('; no usage came in time; priced from the request, as ', estimated_as)
        when basis = {@basis_estimate} then '; no usage came in time; priced from the request'
        when estimated_as is not null then concat('; priced as ', estimated_as)
        else ''
      end,
      if(takes_reported, '; at the cost that the gateway reported', ''),
      if(note is not null, concat('; ', note), ''),
      if(used_fallbacks <> '', concat('; no price of their own: ', substr(used_fallbacks, 3)), ''),
      if(ttl_guessed, '; TTL of cache writes not known, priced as 5 minutes', '')
    ), 3), '')
  end as pricing_note,
  usage_object_id,
  usage_line,
  request_object_id,
  request_line,
  {@run_date} as run_date,
  case
    when pricing = {@pricing_priced} and used_fallbacks = '' and note is null and not ttl_guessed and ttl is null then null
    when missing is not null then concat('missing:', missing)
    when pricing = {@pricing_not_billed} or cache_hit then null
    else nullif(substr(concat(
      if(ttl_guessed, ',ttl:unknown', ''),
      if(ttl is not null, concat(',ttl:', ttl), ''),
      if(plain_tier is not null, concat(',tier:', plain_tier), ''),
      replace(ifnull(used_fallbacks, ''), ', ', ',class:'),
      if(takes_reported, ',reported_cost', ''),
      if(forecast, ',forecast', ''),
      if(estimated_as is not null, ',priced_as', '')
    ), 2), '')
  end as flags,
  cast(null as int64) as adjusts_payer_id
from judged
