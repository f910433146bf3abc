-- A month by agent, dearest first. Errors are the provider's, and requests that failed
-- before any usage; a request that only shares its key with others did not fail.
select
  agent_id,
  string_agg(distinct cost_center, ', ' order by cost_center) as cost_centers,
  sum(standing) as requests,
  sum(input_tokens) as input_tokens,
  sum(output_tokens) as output_tokens,
  {total_usd(llm_cost_usd)} as llm_cost_usd,
  {total_usd(infra_cost_usd)} as infra_cost_usd,
  {total_usd(tool_cost_usd)} as tool_cost_usd,
  {total_usd(total_cost_usd)} as total_cost_usd,
  sum(if(is_held, records, 0)) as held,
  sum(if(pricing = 'not_billed' and not (match = 'ambiguous' and not metered), records, 0)) as errors
from {counted_items}
group by agent_id
order by total_cost_usd desc, ifnull(agent_id, '')
