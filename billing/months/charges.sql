select
  min(p.department) as department,
  p.cost_center,
  ifnull(d.agent_id, '') as agent_id,
  ifnull(e.price_key, '') as price_key,
  if(e.price_key is null, m.model, '') as model,
  sum(d.records) as requests,
  sum(if(d.cache_hit, d.records, 0)) as cache_hits,
  sum(d.input_uncached_tokens) as input,
  sum(d.cache_read_tokens) as cache_read,
  sum(d.cache_write_5m_tokens + d.cache_write_1h_tokens + d.cache_write_unknown_tokens) as cache_write,
  sum(d.output_tokens) as output,
  {total_usd(d.llm_cost_usd)} as llm,
  {total_usd(d.infra_cost_usd)} as infra,
  {total_usd(d.tool_cost_usd)} as tool,
  {total_usd(d.cache_savings_usd)} as cache_savings,
  sum(if(r.pricing = 'estimated', d.records, 0)) as estimated,
  sum(if(r.pricing in ('unpriced', 'doubtful'), d.records, 0)) as unpriced,
  sum(if(r.pricing = 'pending', d.records, 0)) as pending
from {daily_costs} as d
inner join {meters} as m on m.meter_id = d.meter_id
inner join {rulings} as r on r.ruling_id = d.ruling_id
inner join {payers} as p on p.payer_id = d.payer_id
left join {rate_entries} as e on e.rate_id = d.rate_id
where d.usage_date in ({@charged_days}) and d.billing_month between {@first_month} and {@last_month} and d.correction = 0
group by 2, 3, 4, 5
order by 2, 3, 4, 5
