-- An agent's days by model, the dearest model of a day first.
select
  usage_date,
  model_name as model,
  sum(standing) as requests,
  sum(input_tokens) as input_tokens,
  sum(output_tokens) as output_tokens,
  {total_usd(llm_cost_usd)} as llm_cost_usd,
  {total_usd(infra_cost_usd)} as infra_cost_usd,
  {total_usd(tool_cost_usd)} as tool_cost_usd,
  {total_usd(total_cost_usd)} as total_cost_usd,
  sum(if(is_held, records, 0)) as held,
  sum(if(adjusts_month is not null, records, 0)) as corrections
from {counted_items}
group by usage_date, model_name
order by usage_date, total_cost_usd desc, model_name
