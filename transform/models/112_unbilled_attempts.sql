-- One row is an attempt of a call that failed and was not billed, while another
-- of its attempts counts.
-- Promises: it is no charge; it is set aside like a copy.
-- Fed by: unmatched_requests, requests_left, ambiguous_requests.
-- Kept as: view.
select
  r.object_id,
  r.line,
  r.request_date
from {unmatched_requests} as m
inner join {requests_left} as r on r.object_id = m.object_id and r.line = m.line
left join {ambiguous_requests} as x on x.object_id = r.object_id and x.line = r.line
where not r.bears_fees and x.line is null
