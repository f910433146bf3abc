-- One row is a request that an ambiguous usage row may belong to: the usage is
-- charged once, by what the provider knows of it or to whom all of them lead.
-- Promises: a usage row has at least two, and only those that could have been
-- its own by the rules of the rung.
-- Fed by: matches, usage_left, requests_found, request_aliases.
-- Kept as: table.
with ambiguous_usage as (
  select
    m.usage_object_id,
    m.usage_line,
    m.rung,
    u.usage_date,
    u.caller_id,
    u.provider_request_key,
    u.response_key,
    u.client_ref_key,
    u.started_at - interval 23 hour as earliest,
    u.started_at + interval 23 hour as latest
  from {matches} as m
  inner join {usage_left} as u on u.object_id = m.usage_object_id and u.line = m.usage_line
  where m.ambiguous
)
select
  a.usage_object_id,
  a.usage_line,
  r.object_id as request_object_id,
  r.line as request_line,
  a.usage_date,
  a.caller_id,
  r.actor_id,
  r.task_id
from ambiguous_usage as a
inner join {requests_found} as r
  on r.provider_request_key = a.provider_request_key
  and r.started_at between a.earliest and a.latest
where a.rung = {@rung_request_id}
union distinct
select
  a.usage_object_id,
  a.usage_line,
  r.request_object_id,
  r.request_line,
  a.usage_date,
  a.caller_id,
  r.actor_id,
  r.task_id
from ambiguous_usage as a
inner join {request_aliases} as r
  on r.provider_request_key = a.provider_request_key
  and r.started_at is not null
  and r.started_at between a.earliest and a.latest
where a.rung = {@rung_request_id}
union distinct
select
  a.usage_object_id,
  a.usage_line,
  r.object_id as request_object_id,
  r.line as request_line,
  a.usage_date,
  a.caller_id,
  r.actor_id,
  r.task_id
from ambiguous_usage as a
inner join {requests_found} as r
  on r.response_key = a.response_key
  and r.started_at between a.earliest and a.latest
where a.rung = {@rung_response_id}
union distinct
select
  a.usage_object_id,
  a.usage_line,
  r.request_object_id,
  r.request_line,
  a.usage_date,
  a.caller_id,
  r.actor_id,
  r.task_id
from ambiguous_usage as a
inner join {request_aliases} as r
  on r.response_key = a.response_key
  and r.started_at is not null
  and r.started_at between a.earliest and a.latest
where a.rung = {@rung_response_id}
union distinct
select
  a.usage_object_id,
  a.usage_line,
  r.object_id as request_object_id,
  r.line as request_line,
  a.usage_date,
  a.caller_id,
  r.actor_id,
  r.task_id
from ambiguous_usage as a
inner join {requests_found} as r
  on r.client_ref_key = a.client_ref_key
  and r.started_at between a.earliest and a.latest
where a.rung = {@rung_client_ref}
union distinct
select
  a.usage_object_id,
  a.usage_line,
  r.request_object_id,
  r.request_line,
  a.usage_date,
  a.caller_id,
  r.actor_id,
  r.task_id
from ambiguous_usage as a
inner join {request_aliases} as r
  on r.client_ref_key = a.client_ref_key
  and r.started_at is not null
  and r.started_at between a.earliest and a.latest
where a.rung = {@rung_client_ref}
