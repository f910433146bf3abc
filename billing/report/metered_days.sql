-- The daily sums of the UTC days for which a provider was asked. They don't tell
-- apart who asked.
select
  d.*,
  cast(null as string) as caller,
  cast(null as string) as project,
  cast(null as string) as key_alias
from {daily_items} as d
where d.usage_date between {@scan_first} and {@scan_last}
  and d.utc_date between {@first_day} and {@last_day}
  and not d.cache_hit
  and d.pricing not in ('not_billed', 'doubtful')
