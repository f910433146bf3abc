-- Nights that were run as parts of another one, with what says which.
select
  run_window,
  summary
from {runs}
where run_window between {@first_night} and {@last_night} and state = 'done' and summary like {@with}
order by attempt, run_window
