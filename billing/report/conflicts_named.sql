-- Where records lie that are set aside as conflicts and have an id.
select
  u.object_id,
  u.line,
  u.usage_date
from {repeats} as p
inner join {usage} as u on u.object_id = p.object_id and u.line = p.line and u.usage_date = p.usage_date
where p.kind = 'usage' and p.verdict = 'conflict' and p.usage_date >= {@since} and u.usage_date >= {@since}
  and (u.provider_request_id = {@id} or u.response_id = {@id} or u.client_ref = {@id})
union all
select
  u.object_id,
  u.line,
  u.request_date as usage_date
from {repeats} as p
inner join {requests} as u on u.object_id = p.object_id and u.line = p.line and u.request_date = p.usage_date
where p.kind = 'request' and p.verdict = 'conflict' and p.usage_date >= {@since} and u.request_date >= {@since}
  and (u.agent_request_id = {@id} or u.provider_request_id = {@id} or u.response_id = {@id} or u.client_ref = {@id} or u.trace_id = {@id})
order by 3, 1, 2
