-- One row is what records of a day come to that one person, key and project asked
-- for and one cost centre pays for.
-- Promises: counts and sums over all rows are those over all records.
-- Fed by: new_facts, rulings.
select
  f.usage_date,
  f.billing_month,
  case when f.correction < 0 then -1 when f.correction > 0 then 1 else 0 end as correction,
  f.payer_id,
  f.actor_id,
  r.pricing in ('unpriced', 'pending', 'doubtful') as held,
  count(*) as records,
  sum(f.input_uncached_tokens + f.cache_read_tokens + f.cache_write_5m_tokens + f.cache_write_1h_tokens + f.cache_write_unknown_tokens) as input_tokens,
  sum(f.output_tokens) as output_tokens,
  sum(f.llm_cost_usd) as llm_cost_usd,
  sum(f.infra_cost_usd) as infra_cost_usd,
  sum(f.tool_cost_usd) as tool_cost_usd,
  sum(f.total_cost_usd) as total_cost_usd
from {new_facts} as f
inner join {rulings} as r on r.ruling_id = f.ruling_id
group by 1, 2, 3, 4, 5, 6
