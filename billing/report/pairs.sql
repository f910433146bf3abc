-- Counts the records of the days that two sources have in common. Of requests without
-- usage those count that wait for it. A record that was taken back and charged anew
-- counts once.
with pairs as (
  select
    d.usage_source,
    d.request_source,
    r.match,
    r.match_rung,
    if(d.correction < 0, 0 - d.records, d.records) as standing_records
  from {daily_costs} as d
  inner join {rulings} as r on r.ruling_id = d.ruling_id
  where d.usage_date between {@first_day} and {@last_day} and (d.usage_source is not null or r.pricing in ('pending', 'doubtful'))
)
select
  usage_source,
  request_source,
  sum(standing_records) as records,
  sum(if(match_rung = 'request id', standing_records, 0)) as by_request_id,
  sum(if(match_rung = 'response id', standing_records, 0)) as by_response_id,
  sum(if(match_rung = 'client reference', standing_records, 0)) as by_client_reference,
  sum(if(match_rung = 'fingerprint', standing_records, 0)) as by_fingerprint,
  sum(if(match = 'ambiguous', standing_records, 0)) as ambiguous
from pairs
group by usage_source, request_source
having sum(standing_records) > 0
order by if(usage_source is null, 1, 0), usage_source, if(request_source is null, 1, 0), request_source
