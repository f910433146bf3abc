-- Counts what was not charged, what happens most first.
select
  kind,
  source,
  reason,
  count(*) as count,
  count(distinct object) as objects
from {not_charged}
group by kind, source, reason
order by count desc, kind, source, reason
