-- The nightly and monthly windows, and those of documents, whose newest attempt failed.
with newest_attempts as (
  select
    run_window,
    state,
    summary
  from {runs}
  where started_at >= {@since} and (run_window like 'nightly/%' or run_window like 'monthly/%' or run_window like 'documents/%')
  qualify row_number() over (partition by run_window order by attempt desc, state) = 1
)
select
  n.run_window,
  n.summary
from newest_attempts as n
where n.state = 'failed'
order by n.run_window
