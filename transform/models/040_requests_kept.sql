-- One row is a request row that counts.
-- Promises: no natural key occurs twice on a day; no conflict is among them.
-- Fed by: requests, request_repeats.
-- Kept as: view.
select r.*
from requests as r
left join request_repeats as d on d.object_id = r.object_id and d.line = r.line
where r.request_date between @scan_first and @scan_last
  and (d.verdict is null or d.verdict = 'kept')
