-- Corrections are read record by record: which record took whose place is not in
-- the daily sums. Only the days that the month corrects are read.
with month_corrections as (
  select
    f.usage_date,
    f.record_id,
    f.correction,
    f.total_cost_usd,
    y.cost_center
  from {record_facts} as f
  inner join {payers} as y on y.payer_id = ifnull(f.adjusts_payer_id, f.payer_id)
  where f.usage_date in ({@corrected_days}) and f.billing_month between {@first_month} and {@last_month} and f.correction <> 0
),
corrected_records as (
  select
    f.usage_date,
    f.record_id,
    f.correction,
    {month_of(f.billing_month)} as booked_month,
    w.cost_center as booked_center,
    v.cost_center as corrected_center
  from {record_facts} as f
  inner join {payers} as w on w.payer_id = f.payer_id
  inner join {payers} as v on v.payer_id = ifnull(f.adjusts_payer_id, f.payer_id)
  where f.usage_date in ({@corrected_days})
)
select
  min(p.department) as department,
  p.cost_center,
  ifnull(coalesce(t.agent_id, k.agent_id), '') as agent_id,
  ifnull(e.price_key, '') as price_key,
  if(e.price_key is null, m.model, '') as model,
  {month_of(f.usage_date)} as adjusts_month,
  sum(if(f.correction < 0, -1, 1)) as requests,
  sum(case when not f.cache_hit then 0 when f.correction < 0 then -1 else 1 end) as cache_hits,
  sum(f.input_uncached_tokens) as input,
  sum(f.cache_read_tokens) as cache_read,
  sum(f.cache_write_5m_tokens + f.cache_write_1h_tokens + f.cache_write_unknown_tokens) as cache_write,
  sum(f.output_tokens) as output,
  {total_usd(f.llm_cost_usd)} as llm,
  {total_usd(f.infra_cost_usd)} as infra,
  {total_usd(f.tool_cost_usd)} as tool,
  {total_usd(f.cache_savings_usd)} as cache_savings,
  sum(case when r.pricing <> 'estimated' then 0 when f.correction < 0 then -1 else 1 end) as estimated,
  countif(r.pricing in ('unpriced', 'doubtful')) as unpriced,
  countif(r.pricing = 'pending') as pending,
  coalesce(j.cost_center, p.cost_center) as adjusts_center,
  ifnull(f.pricing_note, '') as reason,
  other.record_id is not null as paired,
  ifnull(other.cost_center, '') as counterpart,
  {total_usd(if(f.correction > 0, 0 - other.total_cost_usd, other.total_cost_usd))} as counter_amount,
  if(f.correction < 0 or b.corrected_center = coalesce(j.cost_center, p.cost_center), ifnull(b.booked_month, ''), '') as booked_month,
  if(f.correction < 0 or b.corrected_center = coalesce(j.cost_center, p.cost_center), ifnull(b.booked_center, ''), '') as booked_center
from {record_facts} as f
inner join {meters} as m on m.meter_id = f.meter_id
inner join {rulings} as r on r.ruling_id = f.ruling_id
inner join {payers} as p on p.payer_id = f.payer_id
left join {payers} as j on j.payer_id = f.adjusts_payer_id
left join {rate_entries} as e on e.rate_id = f.rate_id
left join {tasks} as t on t.task_id = f.task_id
left join {callers} as k on k.caller_id = f.caller_id
left join corrected_records as b on b.usage_date = f.usage_date and b.record_id = f.record_id and b.correction = abs(f.correction) - 1
left join month_corrections as other on other.usage_date = f.usage_date and other.record_id = f.record_id and other.correction = 0 - f.correction
where f.usage_date in ({@corrected_days}) and f.billing_month between {@first_month} and {@last_month} and f.correction <> 0
group by
  2, 3, 4, 5, 6, 20, 21, 22, 23, 25, 26,
  case when other.record_id is null then 'alone' when f.correction > 0 then 'charged' else 'reversed' end
order by 2, 3, 4, 5, 6, 20, 21, 23, requests, 25, 26
