-- One row is a natural key of requests that occurs more than once on a day.
-- Promises: each once.
-- Fed by: requests.
-- Kept as: table.
select
  record_key,
  request_date
from {requests}
where request_date in ({@scan_days})
group by record_key, request_date
having count(*) > 1
