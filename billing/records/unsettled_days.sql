select distinct c.usage_date
from {charged_days} as c
left join {months} as m on m.first_day = c.billing_month and m.state = 'closed'
where m.month is not null and c.without_cost > 0
  or m.month is null and {first_of_month(c.usage_date)} <> c.billing_month
order by c.usage_date
