-- Other names of people on days before a day, a text a row.
select
  concat(
    source, chr(31), email, chr(31), names, chr(31), cast(valid_from as string), chr(31), cast(shown_from as string), chr(31), cast(least(valid_to, {@after}) as string)
  ) as person
from {names_shown}
where valid_from < {@after}
order by person
