select distinct e.rate_version
from {daily_costs} as d
inner join {rate_entries} as e on e.rate_id = d.rate_id
where d.usage_date in ({@charged_days}) and d.billing_month between {@first_month} and {@last_month}
order by e.rate_version
