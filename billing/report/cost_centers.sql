-- A month by cost centre, dearest first, with the departments that it stood under.
select
  cost_center,
  string_agg(distinct department, ', ' order by department) as department,
  sum(standing) as requests,
  sum(input_tokens) as input_tokens,
  sum(output_tokens) as output_tokens,
  {total_usd(llm_cost_usd)} as llm_cost_usd,
  {total_usd(infra_cost_usd)} as infra_cost_usd,
  {total_usd(tool_cost_usd)} as tool_cost_usd,
  {total_usd(total_cost_usd)} as total_cost_usd,
  sum(if(is_held, records, 0)) as held
from {counted_items}
group by cost_center
order by total_cost_usd desc, cost_center
