-- One row is a staged row of a model that costs something else on its day, and was not
-- reached before: its record may cost something else. Its ids lead to what else it decides.
-- Fed by: near_staged, near_rows, near_prices.
select s.kind, s.object_id, s.line, s.row_date, s.started_at, s.record_key, s.provider_request_key, s.response_key, s.client_ref_key, {@moved} as moved
from {near_staged} as s
inner join {near_prices} as p on p.usage_date = s.row_date and p.meter_id = s.meter_id
left join {near_rows} as n on n.kind = s.kind and n.object_id = s.object_id and n.line = s.line
where n.line is null
