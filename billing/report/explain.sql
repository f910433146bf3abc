-- The records that a text names, with all that decided them: those of one request
-- together, the oldest charge first.
with named_usage as (
  select object_id, line
  from {usage}
  where usage_date in ({@named_days}) and (provider_request_key = {@key} or response_key = {@key} or client_ref_key = {@key})
),
named_requests as (
  select object_id, line
  from {requests}
  where request_date in ({@named_days}) and (agent_request_key = {@key} or provider_request_key = {@key} or response_key = {@key} or client_ref_key = {@key} or trace_key = {@key})
),
named as (
  select f.usage_date, f.record_id
  from {record_facts} as f
  left join named_usage as u on u.object_id = f.usage_object_id and u.line = f.usage_line
  left join named_requests as r on r.object_id = f.request_object_id and r.line = f.request_line
  where f.usage_date in ({@days}) and (f.record_id = {@number} or u.line is not null or r.line is not null)
  group by f.usage_date, f.record_id
)
select
  f.record_id,
  f.correction,
  f.started_at,
  f.usage_date,
  {month_of(f.billing_month)} as month,
  if(f.correction = 0, '', {month_of(f.usage_date)}) as adjusts,
  d.provider,
  ifnull(d.account, '') as account,
  ifnull(d.region, '') as region,
  d.model,
  ifnull(d.operation, '') as operation,
  ifnull(d.service_tier, '') as tier,
  g.match,
  ifnull(g.match_rung, '') as rung,
  g.attribution,
  y.department,
  y.cost_center,
  ifnull(coalesce(a.user_email, a.user_id), '') as user_name,
  ifnull(a.team, '') as team,
  ifnull(a.key_alias, '') as key,
  ifnull(a.project, '') as project,
  ifnull(c.caller, '') as caller,
  ifnull(coalesce(t.agent_id, c.agent_id), '') as agent,
  ifnull(coalesce(t.cost_center, c.cost_center), '') as explicit,
  ifnull(o.source, '') as usage_source,
  ifnull(o.object_key, '') as usage_object,
  ifnull(p.source, '') as request_source,
  ifnull(p.object_key, '') as request_object,
  concat('nightly/', cast(f.run_date as string)) as run,
  ifnull(f.usage_line, 0) as usage_line,
  ifnull(f.request_line, 0) as request_line,
  coalesce(u.provider_request_id, {key_text(u.provider_request_key)}, '') as provider_request_id,
  coalesce(nullif(q.agent_request_id, ''), {key_text(q.agent_request_key)}, '') as agent_request_id,
  ifnull(v.cost_center, '') as adjusts_center,
  if(f.correction < 0, -1, 1) as records,
  g.pricing,
  ifnull(f.pricing_note, '') as note,
  f.cache_hit,
  case when f.infra_cost_usd is null or f.infra_cost_usd = 0 then 0 when f.correction < 0 then -1 else 1 end as fees,
  ifnull(t.tools, '') as mix,
  case when f.tool_cost_usd is null or f.tool_cost_usd = 0 then 0 when f.correction < 0 then -1 else 1 end as mix_times,
  f.input_uncached_tokens as input_uncached,
  f.cache_read_tokens as cache_read,
  f.cache_write_5m_tokens as cache_write_5m,
  f.cache_write_1h_tokens as cache_write_1h,
  f.cache_write_unknown_tokens as cache_write_unknown,
  f.output_tokens as output,
  f.reasoning_tokens as reasoning,
  ifnull(f.input_audio_tokens, 0) as input_audio,
  ifnull(f.input_image_tokens, 0) as input_image,
  ifnull(f.cache_read_audio_tokens, 0) as cache_read_audio,
  ifnull(f.output_audio_tokens, 0) as output_audio,
  ifnull(f.output_image_tokens, 0) as output_image,
  ifnull(f.searches, 0) as searches,
  f.llm_cost_usd as llm,
  f.infra_cost_usd as infra,
  f.tool_cost_usd as tool,
  f.total_cost_usd as total,
  f.cache_savings_usd as savings,
  f.total_cost_usd is not null as known,
  f.flags,
  e.rate_version,
  e.price_key,
  e.priced_as,
  e.rule as rate_rule,
  e.source as rate_source,
  e.terms as rate_terms,
  e.tool_fees,
  e.valid_from,
  e.learned_at,
  e.infra_pico,
  e.cache_hit_pico,
  e.infra_pico is not null as has_fees,
  e.reported
from named as n
inner join {record_facts} as f on f.record_id = n.record_id and f.usage_date = n.usage_date
inner join {meters} as d on d.meter_id = f.meter_id
inner join {rulings} as g on g.ruling_id = f.ruling_id
inner join {payers} as y on y.payer_id = f.payer_id
left join {rate_entries} as e on e.rate_id = f.rate_id
left join {actors} as a on a.actor_id = f.actor_id
left join {tasks} as t on t.task_id = f.task_id
left join {callers} as c on c.caller_id = f.caller_id
left join {payers} as v on v.payer_id = f.adjusts_payer_id
left join {objects} as o on o.object_id = f.usage_object_id
left join {objects} as p on p.object_id = f.request_object_id
left join {usage} as u on u.object_id = f.usage_object_id and u.line = f.usage_line and u.usage_date = f.usage_date and u.usage_date in ({@days})
left join {requests} as q on q.object_id = f.request_object_id and q.line = f.request_line and q.request_date in ({@scan_days})
where f.usage_date in ({@days})
order by f.started_at, f.record_id, abs(f.correction), f.correction
limit 200
