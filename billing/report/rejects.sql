-- Records that could not be taken in, with the line on which each starts and why.
select
  o.source,
  o.object_key as object,
  r.line,
  r.reason
from {rejects} as r
inner join {delivered_objects} as o on o.object_id = r.object_id
