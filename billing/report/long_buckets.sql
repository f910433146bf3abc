-- Counts the control totals of some days that cover more than one.
select count(*) as long_buckets
from {totals_counted}
where bucket_date between {@first_day} and {@last_day} and bucket_end > bucket_start + interval 24 hour
