-- One row is an id that occurs in staged rows of a day, or the number of a record of
-- that day, by 42 bits of the hash of its key, written as a UUID, or of its digits.
-- Promises: every id by which explain finds a record or a conflict of the days is there,
-- at least once; of ids that stand in one row twice the second is left out. Each table
-- is read once.
-- Fed by: usage, requests, record_facts.
with places as (
  select 1 as place
  union all
  select 2 as place
  union all
  select 3 as place
  union all
  select 4 as place
  union all
  select 5 as place
),
ids as (
  select
    u.usage_date as day,
    case n.place
      when 1 then u.provider_request_key
      when 2 then if(u.response_key = u.provider_request_key, null, u.response_key)
      else if(u.client_ref_key = u.provider_request_key, null, u.client_ref_key)
    end as id
  from {usage} as u
  cross join places as n
  where u.usage_date in ({@id_days}) and n.place <= 3
  union all
  select
    q.request_date as day,
    case n.place
      when 1 then q.agent_request_key
      when 2 then if(q.provider_request_key = q.agent_request_key, null, q.provider_request_key)
      when 3 then if(q.response_key = q.agent_request_key, null, q.response_key)
      when 4 then if(q.client_ref_key = q.agent_request_key, null, q.client_ref_key)
      else if(q.trace_key = q.agent_request_key or q.trace_key = q.client_ref_key, null, q.trace_key)
    end as id
  from {requests} as q
  cross join places as n
  where q.request_date in ({@id_days})
),
named as (
  select
    i.day,
    {key_text(i.id)} as name
  from ids as i
  where i.id is not null
  union all
  select
    f.usage_date as day,
    cast(f.record_id as string) as name
  from {record_facts} as f
  where f.usage_date in ({@id_days})
),
hashed as (
  select
    day,
    {sha256_hex(name)} as digest
  from named
)
select
  {date_of_days(mod({hex_int(substr(digest, 1, 8))}, 1000))} as part,
  {hex_int(substr(digest, 9, 8))} as id_hash,
  day
from hashed
