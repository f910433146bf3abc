-- What nights and their shards read of each source, as far as it was not replaced since.
select
  source,
  if(run like 'shard/%', substr(run, 7, 10), substr(run, 9, 10)) as night,
  sum(if(state in ('read', 'missing'), rows_staged, 0)) as staged,
  sum(if(state in ('read', 'missing'), rows_rejected, 0)) as rejected
from {objects}
where run between {@first_night} and {@last_night} or run between {@first_shard} and {@last_shard}
group by 1, 2
order by 1, 2
