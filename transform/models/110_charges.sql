-- One row is one thing to charge or to account for: a usage row with the
-- request it belongs to, or a request without usage.
-- Promises: every kept usage row and every kept request of the days occurs;
-- basis says what its cost rests on: "usage" (metered tokens), "cache hit",
-- "estimate" (its own tokens, because no usage came within the lateness
-- window), "pending" (usage may still come) or "not billed".
-- Fed by: usage_kept, requests_kept, matches, attempts, ambiguous_requests,
-- ref_usage_from.
-- Kept as: view.
select
  u.record_key as record_id,
  u.provider_request_id,
  r.agent_request_id,
  u.started_at,
  u.usage_date,
  u.provider,
  u.account,
  u.region,
  u.model,
  u.service_tier,
  u.input_uncached_tokens,
  u.cache_read_tokens,
  u.cache_write_5m_tokens,
  u.cache_write_1h_tokens,
  u.cache_write_unknown_tokens,
  u.output_tokens,
  u.reasoning_tokens,
  coalesce(r.user_email, r.user_id) as user_id,
  r.team,
  r.key_alias,
  r.project,
  u.caller,
  coalesce(r.agent_id, u.agent_id) as agent_id,
  coalesce(r.cost_center, u.cost_center) as explicit_cost_center,
  if(coalesce(a.attempt, 1) = 1, r.tools, null) as tools,
  if(coalesce(a.attempt, 1) = 1, ifnull(r.tool_calls, 0), 0) as tool_calls,
  false as cache_hit,
  coalesce(a.attempt, 1) = 1 as bears_infra_fee,
  case
    when r.line is not null then 'matched'
    when m.ambiguous then 'ambiguous'
    else 'provider_only'
  end as match,
  if(r.line is not null, m.rung, null) as match_rung,
  if(u.status = 'ok', 'usage', 'not billed') as basis,
  if(u.status = 'ok', null, 'the provider answered with an error') as basis_note,
  u.object_id as usage_object_id,
  u.line as usage_line,
  r.object_id as request_object_id,
  r.line as request_line
from usage_kept as u
left join matches as m on m.usage_object_id = u.object_id and m.usage_line = u.line
left join attempts as a on a.usage_object_id = u.object_id and a.usage_line = u.line
left join requests_kept as r on r.object_id = m.request_object_id and r.line = m.request_line
where u.usage_date between @first_day and @last_day
union all
select
  r.record_key as record_id,
  r.provider_request_id,
  r.agent_request_id,
  r.started_at,
  r.request_date as usage_date,
  r.provider,
  null as account,
  null as region,
  ifnull(r.model, 'unknown') as model,
  null as service_tier,
  r.input_uncached_tokens,
  r.cache_read_tokens,
  r.cache_write_5m_tokens,
  r.cache_write_1h_tokens,
  r.cache_write_unknown_tokens,
  r.output_tokens,
  r.reasoning_tokens,
  coalesce(r.user_email, r.user_id) as user_id,
  r.team,
  r.key_alias,
  r.project,
  null as caller,
  r.agent_id,
  r.cost_center as explicit_cost_center,
  r.tools,
  r.tool_calls,
  r.cache_hit,
  true as bears_infra_fee,
  if(x.line is null, 'agent_only', 'ambiguous') as match,
  null as match_rung,
  case
    when x.line is not null or r.status <> 'ok' then 'not billed'
    when r.cache_hit then 'cache hit'
    when f.provider is null then 'usage'
    when r.request_date <= @late_until then 'estimate'
    else 'pending'
  end as basis,
  case
    when x.line is not null then 'shares its key with other requests; the usage is charged once'
    when r.status <> 'ok' then 'the request failed and no usage was metered'
    when r.cache_hit or f.provider is null then null
    when r.request_date <= @late_until then 'no usage came within the lateness window; priced from the request'
    else 'no usage yet; it may still come'
  end as basis_note,
  null as usage_object_id,
  null as usage_line,
  r.object_id as request_object_id,
  r.line as request_line
from requests_kept as r
left join ambiguous_requests as x on x.object_id = r.object_id and x.line = r.line
left join ref_usage_from as f on f.provider = r.provider
where r.request_date between @first_day and @last_day
  and not exists (
    select 1 from matches as m
    where m.request_object_id = r.object_id and m.request_line = r.line
  )
