-- Ambiguous usage stays with whom it is charged to: the requests that it may belong
-- to are not asked again.
select
  s.usage_object_id,
  s.usage_line,
  s.payer_id,
  mod(s.ruling_id, {@states}) as attribution
from {as_they_stand} as s
inner join {rulings} as r on r.ruling_id = s.ruling_id
where r.match = 'ambiguous' and s.usage_line is not null and s.payer_id <> {@unallocated}
