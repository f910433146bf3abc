-- One row is a record that a closed month has charged, as it stands: what came
-- late for it and what was taken back is in it.
-- Promises: a record occurs at most once. correction is 0 for what the month
-- itself charged, else the highest number of a correction that stands; the next
-- one takes the number behind last_correction. A record that was taken back
-- without another in its place has stands false. owner_payer_id is whom the rules
-- gave it to, also where a successor bears it.
-- Fed by: record_facts, months, rulings, payers.
-- Kept as: table.
with rows_of_closed_months as (
  select
    c.record_id,
    c.usage_date,
    c.correction,
    c.billing_month,
    c.meter_id,
    c.actor_id,
    c.task_id,
    c.caller_id,
    c.rate_id,
    c.ruling_id,
    c.payer_id,
    ifnull(c.adjusts_payer_id, c.payer_id) as owner_payer_id,
    c.input_uncached_tokens + c.cache_read_tokens + c.cache_write_5m_tokens + c.cache_write_1h_tokens + c.cache_write_unknown_tokens + c.output_tokens as tokens,
    c.llm_cost_usd,
    c.infra_cost_usd,
    c.tool_cost_usd,
    c.total_cost_usd,
    c.cache_savings_usd,
    c.usage_line,
    max(abs(c.correction)) over (partition by c.usage_date, c.record_id) as last_correction,
    min(c.correction) over (partition by c.usage_date, c.record_id) as taken_back,
    row_number() over (partition by c.usage_date, c.record_id order by c.correction desc) as place
  from {record_facts} as c
  inner join {months} as m on m.first_day = c.billing_month and m.state = 'closed'
  where c.usage_date in ({@days}) and c.total_cost_usd is not null
)
select
  c.*,
  0 - c.taken_back <= c.correction as stands,
  r.pricing,
  r.attribution,
  y.cost_center as owner_cost_center
from rows_of_closed_months as c
inner join {rulings} as r on r.ruling_id = c.ruling_id
inner join {payers} as y on y.payer_id = c.owner_payer_id
where c.place = 1
