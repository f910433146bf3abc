-- One row is the key of a provider request id that several requests have.
-- Promises: answers from the gateway's cache and rows that are set aside for
-- their natural key are none of these requests.
-- Fed by: requests, request_repeats.
-- Kept as: table.
select r.provider_request_key
from {requests} as r
left join {request_repeats} as d on d.object_id = r.object_id and d.line = r.line
where r.request_date in ({@scan_days})
  and r.provider_request_key is not null
  and not r.cache_hit
  and (d.verdict is null or d.verdict in ('kept', 'attempt'))
group by r.provider_request_key
having count(*) > 1
