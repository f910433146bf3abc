-- One row is an attributed charge with its rate and amounts, in whole
-- pico-dollars (10^-12 USD), so that every product and sum is exact.
-- Promises: an amount is null exactly where it is not known (unpriced, pending
-- or doubtful), and never zero for want of a price. pricing is a digit of a
-- ruling (see states.go). One rate prices the whole
-- request: that of its start, its prompt's size and its payer's markup.
-- Reasoning, audio and images are parts of other classes and cost what they
-- cost instead of these. Cache writes of unknown TTL are priced as 5 minutes; ttl_guessed
-- says that an hour would cost something else. A rate that prices by request
-- alone needs no token counts. A rate of reported costs takes what the gateway
-- reported, with the markup, rounded half up: once for a request, only above 0,
-- which is what gateways write where they know no price, and up to 10,000 USD.
-- Fed by: attributed, ref_cards, ref_rates, ref_tool_fees.
-- Kept as: view.
with taken as (
  select
    *,
    if(basis <> {@basis_cache_hit} and bears_fees and reported_pico > 0 and reported_pico <= 10000000000000000, reported_pico, null) as takeable_pico
  from {attributed}
),
rated as (
  select
    c.*,
    p.rate_id,
    p.estimated_as,
    p.problem,
    p.note,
    p.fallbacks,
    p.lacks,
    p.plain_tier,
    ifnull(p.by_request, false) as by_request,
    ifnull(p.forecast, false) as forecast,
    ifnull(p.reported, false) and c.takeable_pico is not null as takes_reported,
    ifnull(c.cache_write_unknown_tokens > 0 and p.cache_write_1h_pico <> p.cache_write_5m_pico, false) as ttl_guessed,
    c.takeable_pico
    + cast((c.takeable_pico - mod(c.takeable_pico, 1000000)) / 1000000 as int64) * c.markup
    + cast((mod(c.takeable_pico, 1000000) * c.markup + 500000 - mod(mod(c.takeable_pico, 1000000) * c.markup + 500000, 1000000)) / 1000000 as int64) as reported_with_markup,
    p.infra_pico is not null as has_fees,
    ifnull(c.searches, 0) = 0 or p.search_pico is not null as searches_priced,
    t.missing as tool_missing,
    case
      when c.basis = {@basis_failed} then {@pricing_not_billed}
      when c.basis = {@basis_waiting} then {@pricing_pending}
      when c.basis = {@basis_doubtful} then {@pricing_doubtful}
      when p.infra_pico is null then {@pricing_unpriced}
      when c.tools is not null and t.fee_pico is null then {@pricing_unpriced}
      when p.reported and c.takeable_pico is not null then {@pricing_estimated}
      when c.basis <> {@basis_cache_hit} and p.input_pico is null then {@pricing_unpriced}
      when c.basis <> {@basis_cache_hit} and not c.metered and not p.by_request then {@pricing_unpriced}
      when c.basis <> {@basis_cache_hit} and c.searches > 0 and p.search_pico is null then {@pricing_unpriced}
      when c.basis = {@basis_estimate} or p.estimated_as is not null then {@pricing_estimated}
      else {@pricing_priced}
    end as pricing,
    c.input_uncached_tokens * p.input_pico
    + c.cache_read_tokens * p.cache_read_pico
    + (c.cache_write_5m_tokens + c.cache_write_unknown_tokens) * p.cache_write_5m_pico
    + c.cache_write_1h_tokens * p.cache_write_1h_pico
    + c.output_tokens * p.output_pico
    + c.reasoning_tokens * (p.reasoning_pico - p.output_pico)
    + ifnull(c.input_audio_tokens, 0) * (p.input_audio_pico - p.input_pico)
    + ifnull(c.input_image_tokens, 0) * (p.input_image_pico - p.input_pico)
    + ifnull(c.cache_read_audio_tokens, 0) * (p.cache_read_audio_pico - p.cache_read_pico)
    + ifnull(c.output_audio_tokens, 0) * (p.output_audio_pico - p.output_pico)
    + ifnull(c.output_image_tokens, 0) * (p.output_image_pico - p.output_pico)
    + ifnull(c.searches, 0) * ifnull(p.search_pico, 0)
    + p.request_pico as metered_pico,
    c.cache_read_tokens * (p.input_pico - p.cache_read_pico)
    + ifnull(c.cache_read_audio_tokens, 0) * ((p.input_audio_pico - p.input_pico) - (p.cache_read_audio_pico - p.cache_read_pico))
    + (c.cache_write_5m_tokens + c.cache_write_unknown_tokens) * (p.input_pico - p.cache_write_5m_pico)
    + c.cache_write_1h_tokens * (p.input_pico - p.cache_write_1h_pico) as prompt_cache_pico,
    if(c.cache_hit, p.cache_hit_pico, if(c.bears_fees, p.infra_pico, 0)) as fee_pico,
    if(c.tools is null, 0, t.fee_pico) as tools_pico
  from taken as c
  left join {ref_cards} as k on k.meter_id = c.meter_id
  left join {ref_rates} as p
    on p.card_id = k.card_id
    and p.markup = c.markup
    and c.started_at >= p.valid_from
    and c.started_at < p.valid_to
    and c.input_uncached_tokens + c.cache_read_tokens + c.cache_write_5m_tokens + c.cache_write_1h_tokens + c.cache_write_unknown_tokens > p.tokens_above
    and c.input_uncached_tokens + c.cache_read_tokens + c.cache_write_5m_tokens + c.cache_write_1h_tokens + c.cache_write_unknown_tokens <= p.tokens_up_to
    and {utc_minute_of_week(c.started_at)} >= p.minute_from
    and {utc_minute_of_week(c.started_at)} < p.minute_to
  left join {ref_tool_fees} as t
    on t.tools = c.tools and t.markup = c.markup and c.started_at >= t.valid_from and c.started_at < t.valid_to
)
select
  *,
  case when pricing = {@pricing_not_billed} or pricing in ({@pricing_priced}, {@pricing_estimated}) and cache_hit then 0 when pricing in ({@pricing_priced}, {@pricing_estimated}) then if(takes_reported, reported_with_markup, metered_pico) end as llm_pico,
  case when pricing = {@pricing_not_billed} then 0 when pricing in ({@pricing_priced}, {@pricing_estimated}) then fee_pico end as infra_pico,
  case when pricing = {@pricing_not_billed} then 0 when pricing in ({@pricing_priced}, {@pricing_estimated}) then tools_pico end as tool_pico,
  case
    when pricing = {@pricing_not_billed} then 0
    when pricing in ({@pricing_priced}, {@pricing_estimated}) and cache_hit and searches_priced then metered_pico
    when pricing in ({@pricing_priced}, {@pricing_estimated}) and not cache_hit then prompt_cache_pico
  end as savings_pico,
  if(pricing = {@pricing_doubtful} and (takes_reported or (metered or by_request) and searches_priced), if(takes_reported, reported_with_markup, metered_pico) + fee_pico + tools_pico, null) as doubtful_pico,
  case when fallbacks is null then '' else concat(
    if(input_uncached_tokens > 0 and strpos(fallbacks, ',input,') > 0, ', input', ''),
    if(cache_read_tokens > 0 and strpos(fallbacks, ',cache_read,') > 0, ', cache_read', ''),
    if(cache_write_5m_tokens + cache_write_unknown_tokens > 0 and strpos(fallbacks, ',cache_write_5m,') > 0, ', cache_write_5m', ''),
    if(cache_write_1h_tokens > 0 and strpos(fallbacks, ',cache_write_1h,') > 0, ', cache_write_1h', ''),
    if(output_tokens > 0 and strpos(fallbacks, ',output,') > 0, ', output', ''),
    if(reasoning_tokens > 0 and strpos(fallbacks, ',reasoning,') > 0, ', reasoning', ''),
    if(input_audio_tokens > 0 and strpos(fallbacks, ',input_audio,') > 0, ', input_audio', ''),
    if(input_image_tokens > 0 and strpos(fallbacks, ',input_image,') > 0, ', input_image', ''),
    if(cache_read_audio_tokens > 0 and strpos(fallbacks, ',cache_read_audio,') > 0, ', cache_read_audio', ''),
    if(output_audio_tokens > 0 and strpos(fallbacks, ',output_audio,') > 0, ', output_audio', ''),
    if(output_image_tokens > 0 and strpos(fallbacks, ',output_image,') > 0, ', output_image', '')
  ) end as used_fallbacks
from rated
