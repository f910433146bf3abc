-- One row is a usage row or a request of partial days that no id has brought together
-- with the other side, by its record: what looks alike, or lies within an hour, may
-- decide it. waits says that it is a request that waited for usage and no longer does.
-- Fed by: record_facts, rulings.
with unmatched as (
  select
    f.usage_date,
    f.started_at,
    f.usage_object_id,
    f.usage_line,
    f.request_object_id,
    f.request_line,
    r.pricing,
    ifnull(r.match_rung, '') = 'fingerprint' as alike
  from {record_facts} as f
  inner join {rulings} as r on r.ruling_id = f.ruling_id
  where f.usage_date in ({@loose_days})
    and (
      r.match = 'provider_only'
      or ifnull(r.match_rung, '') = 'fingerprint'
      or f.usage_line is null and r.match = 'agent_only' and not f.cache_hit and r.pricing <> 'not_billed'
    )
)
select
  'usage' as kind,
  usage_object_id as object_id,
  usage_line as line,
  usage_date as row_date,
  {micros_of(started_at)} - mod({micros_of(started_at)}, 3600000000) as hour_micros,
  false as alike,
  false as waits
from unmatched
where usage_line is not null
union all
select
  'request' as kind,
  request_object_id as object_id,
  request_line as line,
  usage_date as row_date,
  {micros_of(started_at)} - mod({micros_of(started_at)}, 3600000000) as hour_micros,
  alike,
  pricing = 'pending' and usage_date <= {@late_until} as waits
from unmatched
where request_line is not null and (usage_line is null or alike)
