-- One row is a day of which a month charges records. without_cost counts those of
-- them that have no cost yet.
-- Fed by: new_daily.
select
  billing_month,
  usage_date,
  sum(if(total_cost_usd is null, records, 0)) as without_cost
from {new_daily}
group by billing_month, usage_date
