-- What some days' cost records come to, and what the daily sums made of them do, by
-- agent and by user: three rows that must be alike. The sums by user don't have all.
select
  'records' as side,
  count(*) as records,
  ifnull(sum(if(correction < 0, -1, 1)), 0) as standing,
  count(usage_line) as metered,
  ifnull(sum(tool_calls), 0) as tool_calls,
  ifnull(sum(input_uncached_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + cache_write_unknown_tokens), 0) as input_tokens,
  ifnull(sum(output_tokens), 0) as output_tokens,
  ifnull(sum(searches), 0) as searches,
  {total_usd(llm_cost_usd)} as llm,
  {total_usd(infra_cost_usd)} as infra,
  {total_usd(tool_cost_usd)} as tools,
  {total_usd(total_cost_usd)} as total,
  {total_usd(cache_savings_usd)} as savings,
  {total_usd(doubtful_cost_usd)} as doubtful
from {new_facts}
union all
select
  'daily sums' as side,
  ifnull(sum(records), 0) as records,
  ifnull(sum(if(correction < 0, 0 - records, records)), 0) as standing,
  ifnull(sum(if(metered, records, 0)), 0) as metered,
  ifnull(sum(tool_calls), 0) as tool_calls,
  ifnull(sum(input_uncached_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + cache_write_unknown_tokens), 0) as input_tokens,
  ifnull(sum(output_tokens), 0) as output_tokens,
  ifnull(sum(searches), 0) as searches,
  {total_usd(llm_cost_usd)} as llm,
  {total_usd(infra_cost_usd)} as infra,
  {total_usd(tool_cost_usd)} as tools,
  {total_usd(total_cost_usd)} as total,
  {total_usd(cache_savings_usd)} as savings,
  {total_usd(doubtful_cost_usd)} as doubtful
from {new_daily}
union all
select
  'daily sums of users' as side,
  ifnull(sum(records), 0) as records,
  ifnull(sum(if(correction < 0, 0 - records, records)), 0) as standing,
  null as metered,
  null as tool_calls,
  ifnull(sum(input_tokens), 0) as input_tokens,
  ifnull(sum(output_tokens), 0) as output_tokens,
  null as searches,
  {total_usd(llm_cost_usd)} as llm,
  {total_usd(infra_cost_usd)} as infra,
  {total_usd(tool_cost_usd)} as tools,
  {total_usd(total_cost_usd)} as total,
  null as savings,
  null as doubtful
from {new_daily_users}
