-- Where records lie that are set aside as conflicts and have an id.
select
  u.object_id,
  u.line,
  u.usage_date
from {repeats} as p
inner join {usage} as u on u.object_id = p.object_id and u.line = p.line and u.usage_date = p.usage_date
where p.kind = 'usage' and p.verdict = 'conflict' and p.usage_date in ({@days}) and u.usage_date in ({@days})
  and (u.provider_request_key = {@key} or u.response_key = {@key} or u.client_ref_key = {@key})
union all
select
  u.object_id,
  u.line,
  u.request_date as usage_date
from {repeats} as p
inner join {requests} as u on u.object_id = p.object_id and u.line = p.line and u.request_date = p.usage_date
where p.kind = 'request' and p.verdict = 'conflict' and p.usage_date in ({@days}) and u.request_date in ({@days})
  and (u.agent_request_key = {@key} or u.provider_request_key = {@key} or u.response_key = {@key} or u.client_ref_key = {@key} or u.trace_key = {@key})
order by 3, 1, 2
