-- The objects of some days, or of none, that count.
select
  object_id,
  source,
  object_key,
  day
from {objects}
where state not in ('deleted', 'replaced', 'earlier') and (day is null or day between {@first_day} and {@last_day})
