-- One row is an attributed charge with its prices and amounts, in whole
-- pico-dollars (10^-12 USD), so that every product and sum is exact.
-- Promises: an amount is null exactly where it is not known (pricing 2
-- unpriced, 3 pending), and never zero for want of a price. pricing is a digit
-- of a ruling: 0 priced, 1 estimated, 4 not billed.
-- Fed by: attributed, meters, ref_model_keys, ref_prices, ref_fees,
-- ref_tool_fees.
-- Kept as: view.
with rated as (
  select
    c.*,
    k.rate_id,
    k.price_key,
    k.estimated_as,
    p.fallbacks,
    f.provider as fees_of,
    t.missing as tool_missing,
    case
      when c.basis = 4 then 4
      when c.basis = 3 then 3
      when c.basis <> 1 and p.price_key is null then 2
      when c.basis <> 1 and not c.metered then 2
      when f.provider is null then 2
      when c.tools is not null and t.fee_pico is null then 2
      when c.basis = 2 or k.estimated_as is not null then 1
      else 0
    end as pricing,
    p.price_key is not null as has_price,
    c.input_uncached_tokens * p.input_pico
    + c.cache_read_tokens * p.cache_read_pico
    + (c.cache_write_5m_tokens + c.cache_write_unknown_tokens) * p.cache_write_5m_pico
    + c.cache_write_1h_tokens * p.cache_write_1h_pico
    + c.output_tokens * p.output_pico as metered_pico,
    c.cache_read_tokens * (p.input_pico - p.cache_read_pico)
    + (c.cache_write_5m_tokens + c.cache_write_unknown_tokens) * (p.input_pico - p.cache_write_5m_pico)
    + c.cache_write_1h_tokens * (p.input_pico - p.cache_write_1h_pico) as prompt_cache_pico,
    if(c.cache_hit, f.cache_hit_pico, if(c.bears_fees, f.infra_pico, 0)) as fee_pico,
    if(c.tools is null, 0, t.fee_pico) as tools_pico
  from attributed as c
  inner join meters as d on d.meter_id = c.meter_id
  left join ref_model_keys as k on k.meter_id = c.meter_id
  left join ref_prices as p
    on p.price_key = k.price_key and c.started_at >= p.valid_from and c.started_at < p.valid_to
  left join ref_fees as f
    on f.provider = d.provider and c.started_at >= f.valid_from and c.started_at < f.valid_to
  left join ref_tool_fees as t
    on t.tools = c.tools and c.started_at >= t.valid_from and c.started_at < t.valid_to
)
select
  *,
  case when pricing = 4 or pricing < 2 and cache_hit then 0 when pricing < 2 then metered_pico end as llm_pico,
  case when pricing = 4 then 0 when pricing < 2 then fee_pico end as infra_pico,
  case when pricing = 4 then 0 when pricing < 2 then tools_pico end as tool_pico,
  case when pricing = 4 then 0 when pricing < 2 and cache_hit then metered_pico when pricing < 2 then prompt_cache_pico end as savings_pico
from rated
