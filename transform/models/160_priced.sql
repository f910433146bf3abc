-- One row is an attributed charge with its prices and amounts, in whole
-- pico-dollars (10^-12 USD), so that every product and sum is exact.
-- Promises: an amount is null exactly where it is not known (pricing is
-- "unpriced" or "pending"), and never zero for want of a price.
-- Fed by: attributed, ref_model_keys, ref_prices, ref_fees, ref_tool_fees.
-- Kept as: view.
with rated as (
  select
    c.*,
    k.price_key,
    k.estimated_as,
    p.fallbacks,
    case
      when c.basis = 'not billed' then 'not_billed'
      when c.basis = 'pending' then 'pending'
      when c.basis <> 'cache hit' and p.price_key is null then 'unpriced'
      when f.provider is null then 'unpriced'
      when c.tools is not null and t.fee_pico is null then 'unpriced'
      when c.basis = 'estimate' or k.estimated_as is not null then 'estimated'
      else 'priced'
    end as pricing,
    case
      when c.basis in ('not billed', 'pending') then c.basis_note
      when c.basis <> 'cache hit' and k.price_key is null then 'model is not in the rate book'
      when c.basis <> 'cache hit' and p.price_key is null then 'the rate book has no price of the model at that time'
      when f.provider is null then 'the rate book has no fees at that time'
      when c.tools is not null and t.fee_pico is null then concat('the rate book has no fee for tool ', ifnull(t.missing, '?'))
      when k.estimated_as is not null then concat('priced as ', k.estimated_as)
      else c.basis_note
    end as note,
    c.input_uncached_tokens * p.input_pico
    + c.cache_read_tokens * p.cache_read_pico
    + (c.cache_write_5m_tokens + c.cache_write_unknown_tokens) * p.cache_write_5m_pico
    + c.cache_write_1h_tokens * p.cache_write_1h_pico
    + c.output_tokens * p.output_pico as metered_pico,
    c.cache_read_tokens * (p.input_pico - p.cache_read_pico)
    + (c.cache_write_5m_tokens + c.cache_write_unknown_tokens) * (p.input_pico - p.cache_write_5m_pico)
    + c.cache_write_1h_tokens * (p.input_pico - p.cache_write_1h_pico) as prompt_cache_pico,
    if(c.basis = 'cache hit', f.cache_hit_pico, if(c.bears_infra_fee, f.infra_pico, 0)) as fee_pico,
    ifnull(t.fee_pico, 0) as tools_pico
  from attributed as c
  left join ref_model_keys as k on k.provider = c.provider and k.model = c.model
  left join ref_prices as p
    on p.price_key = k.price_key and c.started_at >= p.valid_from and c.started_at < p.valid_to
  left join ref_fees as f
    on f.provider = c.provider and c.started_at >= f.valid_from and c.started_at < f.valid_to
  left join ref_tool_fees as t
    on t.tools = c.tools and c.started_at >= t.valid_from and c.started_at < t.valid_to
)
select
  *,
  case
    when pricing = 'not_billed' then 0
    when pricing in ('unpriced', 'pending') then null
    when basis = 'cache hit' then 0
    else metered_pico
  end as llm_pico,
  case
    when pricing = 'not_billed' then 0
    when pricing in ('unpriced', 'pending') then null
    else fee_pico
  end as infra_pico,
  case
    when pricing = 'not_billed' then 0
    when pricing in ('unpriced', 'pending') then null
    else tools_pico
  end as tool_pico,
  case
    when pricing = 'not_billed' then 0
    when pricing in ('unpriced', 'pending') then null
    when basis = 'cache hit' then metered_pico
    else prompt_cache_pico
  end as savings_pico
from rated
