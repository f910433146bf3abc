-- The control totals of some days that count, by all that they tell apart, and by
-- whether they tell amounts. amount_sum is of pico-dollars, null where they tell none.
select
  bucket_date,
  provider,
  ifnull(account, '') as account_name,
  ifnull(project, '') as project_name,
  ifnull(key, '') as key_name,
  ifnull(principal, '') as principal_name,
  ifnull(region, '') as region_name,
  ifnull(model, '') as model_name,
  ifnull(service_tier, '') as tier,
  ifnull(token_class, '') as class,
  ifnull(line_item, '') as item,
  ifnull(unit, '') as unit_name,
  source,
  sum(quantity) as quantity_sum,
  sum(cast(amount_pico as bignumeric)) as amount_sum
from (
  select
    c.*,
    c.amount_pico is not null as is_billed
  from {totals_counted} as c
  where c.bucket_date between {@first_day} and {@last_day}
) as told
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, source, is_billed
order by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, is_billed, source
