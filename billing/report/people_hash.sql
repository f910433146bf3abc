-- What people files say of days before a day, a text a row.
select distinct
  concat(
    source, chr(31), email, chr(31), department, chr(31), cost_center, chr(31), cast(valid_from as string), chr(31),
    cast(least(valid_to, {@after}) as string), chr(31), ifnull(cast(shown_from as string), '')
  ) as person
from {people_said}
where valid_from < {@after}
order by person
