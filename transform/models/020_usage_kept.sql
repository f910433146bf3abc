-- One row is a usage row that counts.
-- Promises: no natural key occurs twice on a day; no conflict is among them.
-- Fed by: usage, usage_repeats.
-- Kept as: view.
select u.*
from {usage} as u
left join {usage_repeats} as d on d.object_id = u.object_id and d.line = u.line
where u.usage_date in ({@scan_days})
  and (d.verdict is null or d.verdict = 'kept')
