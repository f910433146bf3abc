-- What records at a new price come to, what the daily sums held of them before, and what
-- the new daily sums do, by agent and by user: the same records and tokens, and the same
-- amounts. unpriced are those of which an amount is not known any more.
-- Fed by: new_repriced, new_repriced_daily, new_repriced_users, repriced_meters,
-- daily_costs, daily_users.
with records as (
  select
    count(*) as records,
    sum(input_uncached_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + cache_write_unknown_tokens + output_tokens) as tokens,
    ifnull(countif(total_cost_usd is null), 0) as unpriced,
    {total_usd(total_cost_usd)} as total,
    {total_usd(total_cost_usd - total_before_usd)} as more,
    {total_usd(llm_cost_usd)} as llm,
    {total_usd(llm_cost_usd - llm_before_usd)} as llm_more,
    {total_usd(cache_savings_usd)} as savings
  from {new_repriced}
),
sums as (
  select
    sum(records) as records,
    sum(input_uncached_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + cache_write_unknown_tokens + output_tokens) as tokens,
    {total_usd(total_cost_usd)} as total,
    {total_usd(llm_cost_usd)} as llm,
    {total_usd(cache_savings_usd)} as savings
  from {new_repriced_daily}
),
sums_before as (
  select
    sum(d.records) as records,
    sum(d.input_uncached_tokens + d.cache_read_tokens + d.cache_write_5m_tokens + d.cache_write_1h_tokens + d.cache_write_unknown_tokens + d.output_tokens) as tokens,
    {total_usd(d.total_cost_usd)} as total,
    {total_usd(d.llm_cost_usd)} as llm
  from {daily_costs} as d
  inner join {repriced_meters} as p on p.usage_date = d.usage_date and p.meter_id = d.meter_id
  where d.usage_date in ({@repriced_days})
),
users as (
  select {total_usd(total_cost_usd)} as total, {total_usd(llm_cost_usd)} as llm from {new_repriced_users}
),
users_before as (
  select {total_usd(total_cost_usd)} as total, {total_usd(llm_cost_usd)} as llm from {daily_users} where usage_date in ({@repriced_days})
)
select
  r.records,
  r.unpriced,
  ifnull(r.records = s.records and r.tokens = s.tokens and r.total = s.total and r.llm = s.llm and r.savings = s.savings, false) as sums_tie,
  ifnull(r.records = b.records and r.tokens = b.tokens and r.total - r.more = b.total and r.llm - r.llm_more = b.llm, false) as before_ties,
  ifnull(u.total - v.total = r.more and u.llm - v.llm = r.llm_more, false) as users_tie
from records as r
cross join sums as s
cross join sums_before as b
cross join users as u
cross join users_before as v
