-- One row is the department of the person as whom a provider was called, from a
-- day until a day: single sign-on writes the person's name into the caller.
-- Promises: one payer for each caller and day.
-- Fed by: callers, ref_caller_users, ref_aliases, people_dated.
-- Kept as: table.
select
  c.caller_id,
  p.payer_id,
  greatest(p.valid_from, ifnull(n.valid_from, p.valid_from)) as valid_from,
  least(p.valid_to, ifnull(n.valid_to, p.valid_to)) as valid_to
from {callers} as c
inner join {ref_caller_users} as u on u.caller = c.caller
left join {ref_aliases} as n on n.address = u.user_name
inner join {people_dated} as p
  on p.email = coalesce(n.email, u.user_name)
  and p.valid_from < ifnull(n.valid_to, p.valid_to)
  and ifnull(n.valid_from, p.valid_from) < p.valid_to
