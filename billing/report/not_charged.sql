-- One row is an object, record, conflict or held request that was not charged. reason
-- is without the place in the text at which it showed.
select
  'object' as kind,
  o.source,
  if(o.state = 'missing', 'gone from the source; its records still count', o.error) as reason,
  if(o.state = 'missing', 'gone from the source; its records still count', o.error) as full_reason,
  o.object_key as object,
  cast(null as int64) as line,
  o.day as usage_date,
  cast(null as string) as provider,
  cast(null as string) as model,
  cast(null as int64) as input_tokens,
  cast(null as int64) as output_tokens
from {objects} as o
where o.state in ('failed', 'missing')
union all
select
  'record' as kind,
  o.source,
  regexp_replace(r.reason, ' at byte [0-9]+', '') as reason,
  r.reason as full_reason,
  o.object_key as object,
  r.line,
  o.day as usage_date,
  cast(null as string) as provider,
  cast(null as string) as model,
  cast(null as int64) as input_tokens,
  cast(null as int64) as output_tokens
from {rejects} as r
inner join {delivered_objects} as o on o.object_id = r.object_id
union all
select
  'conflict' as kind,
  o.source,
  concat('shares its id with another ', r.kind, ' record and differs', ifnull(' in ' || c.fields, '')) as reason,
  concat('shares its id with another ', r.kind, ' record and differs', ifnull(' in ' || c.differs, '')) as full_reason,
  o.object_key as object,
  r.line,
  r.usage_date,
  cast(null as string) as provider,
  cast(null as string) as model,
  cast(null as int64) as input_tokens,
  cast(null as int64) as output_tokens
from {repeats} as r
inner join {objects} as o on o.object_id = r.object_id
left join {conflict_rows} as c on c.kind = r.kind and c.object_id = r.object_id and c.line = r.line
where r.verdict = 'conflict' and r.usage_date between {@first_day} and {@last_day}
union all
select
  'held' as kind,
  o.source,
  ifnull(f.pricing_note, g.pricing) as reason,
  ifnull(f.pricing_note, g.pricing) as full_reason,
  o.object_key as object,
  ifnull(f.usage_line, f.request_line) as line,
  f.usage_date,
  m.provider,
  m.model,
  f.input_uncached_tokens + f.cache_read_tokens + f.cache_write_5m_tokens + f.cache_write_1h_tokens + f.cache_write_unknown_tokens as input_tokens,
  f.output_tokens
from {record_facts} as f
inner join {rulings} as g on g.ruling_id = f.ruling_id
inner join {meters} as m on m.meter_id = f.meter_id
inner join {objects} as o on o.object_id = ifnull(f.usage_object_id, f.request_object_id)
where g.pricing in ('unpriced', 'pending', 'doubtful') and f.billing_month between {@first_month} and {@last_month} and f.usage_date in ({@charged_days})
