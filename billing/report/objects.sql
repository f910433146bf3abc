-- Objects that failed, that are gone from their source, and that are gone for good.
select
  source,
  object_key as object,
  state,
  day,
  rows_staged,
  if(state = 'missing', 'gone from the source; its records still count', error) as reason
from {objects}
where state in ('failed', 'missing')
  or state = 'deleted' and concat(source, ' ', object_key) not in (select concat(n.source, ' ', n.object_key) from {objects} as n where n.state in ('read', 'failed', 'missing'))
order by state, source, object_key, etag
