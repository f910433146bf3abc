-- The rates that records of some days were paid by.
select
  rate_id,
  ifnull(terms, '[]') as terms,
  ifnull(markup, 0) as markup
from {rate_entries}
where rate_id in (select rate_id from {daily_costs} where usage_date between {@scan_first} and {@scan_last} and rate_id is not null)
