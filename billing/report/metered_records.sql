-- The records of the UTC days for which a provider was asked, with who asked.
select *
from (
  select
    i.*,
    cast(i.started_at as date) as utc_date,
    1 as records
  from {cost_items} as i
  where i.usage_date between {@scan_first} and {@scan_last}
) as asked
where utc_date between {@first_day} and {@last_day}
  and not cache_hit
  and pricing not in ('not_billed', 'doubtful')
