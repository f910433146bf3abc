-- One row is a natural key of usage that occurs more than once on a day.
-- Promises: each once.
-- Fed by: usage.
-- Kept as: table.
select
  record_key,
  usage_date
from {usage}
where usage_date in ({@scan_days})
group by record_key, usage_date
having count(*) > 1
