select
  {month_of(d.usage_date)} as month,
  y.cost_center,
  ifnull(e.price_key, '') as price_key,
  {total_usd(d.total_cost_usd)} as amount
from {daily_costs} as d
inner join {payers} as y on y.payer_id = ifnull(d.adjusts_payer_id, d.payer_id)
left join {rate_entries} as e on e.rate_id = d.rate_id
where d.usage_date in ({@corrected_days}) and d.billing_month between {@first_month} and {@last_month} and d.correction <> 0
group by 1, 2, 3
order by 1, 2, 3
