-- The daily sums of what a month charges, its corrections of closed months too.
select *
from {daily_items}
where usage_date in ({@charged_days}) and billing_month between {@first_month} and {@last_month}
