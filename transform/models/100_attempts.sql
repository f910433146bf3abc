-- One row is a usage row of a request that was billed more than once (retries).
-- Promises: attempt 1 bears the request's fees: the earliest billed row.
-- A retry is billed under a request id of its own, so that all but one of a
-- request's usage rows found it by the response id or the client reference.
-- Several with its own request id are looked for only where there are some: the
-- full join has then yielded more rows with a request than there are requests.
-- Fed by: matches, match_request_id, match_other_request_id, match_response_id,
-- match_client_ref, usage_kept, requests_kept.
-- Kept as: table.
with surplus as (
  select count(m.request_line) - (select count(*) from {requests_kept}) as surplus
  from {match_request_id} as m
),
by_request_id as (
  select
    m.request_object_id,
    m.request_line
  from surplus as s
  inner join {match_request_id} as m on s.surplus > 0
  where m.usage_line is not null and m.request_line is not null
  group by m.request_object_id, m.request_line
  having count(*) > 1
),
by_other_ids as (
  select
    request_object_id,
    request_line
  from {match_other_request_id}
  where request_line is not null
  union all
  select
    request_object_id,
    request_line
  from {match_response_id}
  where request_line is not null
  union all
  select
    request_object_id,
    request_line
  from {match_client_ref}
  where request_line is not null and same_provider
),
candidates as (
  select
    request_object_id,
    request_line
  from by_request_id
  union distinct
  select
    request_object_id,
    request_line
  from by_other_ids
),
billed as (
  select
    m.request_object_id,
    m.request_line,
    m.usage_object_id,
    m.usage_line,
    count(*) over (partition by m.request_object_id, m.request_line) as times
  from candidates as c
  inner join {matches} as m on m.request_object_id = c.request_object_id and m.request_line = c.request_line and m.same_provider
)
select
  b.usage_object_id,
  b.usage_line,
  row_number() over (
    partition by b.request_object_id, b.request_line
    order by if(u.failed, 1, 0), u.started_at, u.record_key
  ) as attempt
from billed as b
inner join {usage_kept} as u on u.object_id = b.usage_object_id and u.line = b.usage_line
where b.times > 1
