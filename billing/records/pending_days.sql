select distinct d.usage_date
from {daily_costs} as d
inner join {rulings} as r on r.ruling_id = d.ruling_id
where d.usage_date between {@first_day} and {@last_day} and r.pricing = 'pending'
order by d.usage_date
