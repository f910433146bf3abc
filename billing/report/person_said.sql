-- What people files say under an address, believed or not.
select
  p.email,
  p.department,
  p.cost_center,
  o.source,
  o.object_key,
  p.line,
  p.valid_from,
  p.valid_to,
  p.shown_from
from {people_said} as p
inner join {objects} as o on o.object_id = p.object_id
where p.email = {@email}
order by p.valid_from, p.valid_to, o.source, o.object_key, p.line
