with doubtful_days as (
  select
    m.provider,
    d.usage_date,
    sum(d.records) as requests,
    {total_usd(d.doubtful_cost_usd)} as cost
  from {daily_costs} as d
  inner join {rulings} as r on r.ruling_id = d.ruling_id
  inner join {meters} as m on m.meter_id = d.meter_id
  left join {months} as c on c.first_day = d.billing_month and c.state = 'closed'
  where d.usage_date between {@first_day} and {@last_day} and r.pricing = 'doubtful' and d.correction = 0 and c.month is null
  group by m.provider, d.usage_date
),
alone_days as (
  select
    m.provider,
    d.usage_date,
    sum(if(d.correction < 0, 0 - d.records, d.records)) as records,
    {total_usd(d.total_cost_usd)} as cost
  from {daily_costs} as d
  inner join {rulings} as r on r.ruling_id = d.ruling_id
  inner join {meters} as m on m.meter_id = d.meter_id
  where d.usage_date between {@first_day} and {@last_day} and r.match = 'provider_only' and r.pricing <> 'not_billed'
  group by m.provider, d.usage_date
)
select
  ifnull(sum(d.requests), 0) as requests,
  {total_usd(d.cost)} as cost,
  ifnull(sum(a.records), 0) as usage_alone_records,
  {total_usd(a.cost)} as usage_alone
from doubtful_days as d
left join alone_days as a on a.provider = d.provider and a.usage_date = d.usage_date
