-- One row is a request without usage whose cost may stand in the usage that
-- found no request: an estimate of it could charge the same call twice.
-- Promises: a request occurs once. It is here where the provider's own log is
-- the usage and covers its day, and its region where it tells that; where such a
-- log has usage of the same model within an hour that found no request; or where
-- it looks like usage that found no request (see fingerprint_pairs). Results of
-- batch jobs cover no day: other calls are not among them.
-- Fed by: unmatched_requests, ambiguous_requests, requests_left, usage_left,
-- usage_kept, matches, fingerprint_pairs, meters, ref_cards, ref_usage_from.
-- Kept as: table.
with metered as (
  select distinct
    meter_id,
    usage_date
  from {usage_kept}
),
covered as (
  select distinct
    d.provider,
    d.region,
    m.usage_date
  from metered as m
  inner join {meters} as d on d.meter_id = m.meter_id
  inner join {ref_usage_from} as f on f.provider = d.provider
  where ifnull(d.service_tier, '') <> 'batch'
),
waiting as (
  select
    r.object_id,
    r.line,
    r.request_date,
    r.started_at,
    d.provider,
    d.region,
    k.model_id
  from {unmatched_requests} as w
  inner join {requests_left} as r on r.object_id = w.object_id and r.line = w.line
  inner join {meters} as d on d.meter_id = r.meter_id
  inner join {ref_usage_from} as f on f.provider = d.provider
  inner join {ref_cards} as k on k.meter_id = r.meter_id
  left join {ambiguous_requests} as x on x.object_id = r.object_id and x.line = r.line
  where x.line is null and not r.failed and not r.cache_hit
),
usage_alone as (
  select
    u.started_at,
    d.region,
    k.model_id
  from {usage_left} as u
  inner join {meters} as d on d.meter_id = u.meter_id
  inner join {ref_cards} as k on k.meter_id = u.meter_id
  left join {matches} as m on m.usage_object_id = u.object_id and m.usage_line = u.line
  where m.usage_line is null and ifnull(d.service_tier, '') <> 'batch'
)
select
  w.object_id,
  w.line
from waiting as w
inner join covered as c
  on c.provider = w.provider
  and c.usage_date = w.request_date
  and (w.region is null or c.region is null or strpos(c.region, w.region) = 1)
union distinct
select
  w.object_id,
  w.line
from waiting as w
inner join usage_alone as u
  on u.model_id = w.model_id
  and (w.region is null or u.region is null or strpos(u.region, w.region) = 1)
  and u.started_at between w.started_at - interval 1 hour and w.started_at + interval 1 hour
union distinct
select
  p.request_object_id as object_id,
  p.request_line as line
from {fingerprint_pairs} as p
inner join {unmatched_requests} as w on w.object_id = p.request_object_id and w.line = p.request_line
