-- One row is a usage row of a model that costs what the gateway reported, with
-- what it reported for the row's request.
-- Promises: a usage row occurs at most once, and only where the settings say so of
-- its model and the request tells a cost.
-- Fed by: usage_kept, requests_kept, matches, ref_cards, ref_rates.
-- Kept as: table.
-- Empty unless: @costs_reported.
-- Columns: object_id int, line int, reported_pico int.
with told as (
  select distinct k.meter_id
  from {ref_rates} as p
  inner join {ref_cards} as k on k.card_id = p.card_id
  where p.reported
)
select
  u.object_id,
  u.line,
  r.reported_pico_usd as reported_pico
from told as t
inner join {usage_kept} as u on u.meter_id = t.meter_id
inner join {matches} as m on m.usage_object_id = u.object_id and m.usage_line = u.line
inner join {requests_kept} as r on r.object_id = m.request_object_id and r.line = m.request_line
where {@costs_reported} and r.reported_pico_usd is not null
