-- The usage rows of the days: those that were staged, and those that were set aside.
-- Fed by: usage, new_repeats.
select
  (select count(*) from {usage} where usage_date in ({@days})) as staged,
  (select count(*) from {new_repeats} where kind = 'usage') as set_aside
