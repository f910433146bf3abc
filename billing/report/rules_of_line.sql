-- Counts the records of a line by the rule that attributed them, and names the first few
-- of each that are not taken back. It takes those of each day first, so that no single
-- window holds more than a day.
with records_of_line as (
  select
    attribution,
    usage_date,
    started_at,
    record_id,
    correction
  from {line_records}
),
counted as (
  select
    attribution,
    sum(if(correction < 0, -1, 1)) as records,
    min(started_at) as first_at
  from records_of_line
  group by attribution
),
first_of_days as (
  select
    attribution,
    started_at,
    record_id,
    correction
  from records_of_line
  where correction >= 0
  qualify row_number() over (partition by attribution, usage_date order by started_at, record_id, correction) <= {@most}
),
first_of_all as (
  select
    attribution,
    record_id,
    row_number() over (partition by attribution order by started_at, record_id, correction) as place
  from first_of_days
)
select
  c.attribution,
  c.records,
  f.record_id as record
from counted as c
left join first_of_all as f on f.attribution = c.attribution and f.place <= {@most}
order by c.records desc, c.first_at, c.attribution, f.place
