-- The nights, and shards of theirs, that read records of a source, also of objects that
-- were replaced since.
select distinct
  source,
  run
from {objects}
where rows_staged > 0 and (run between {@first_night} and {@last_night} or run between {@first_shard} and {@last_shard})
order by source, run
