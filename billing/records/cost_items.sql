-- One row is a cost record with every code in words, without the ids of its request:
-- those are kept once, in the staged rows, and reading them costs a join with these
-- that no sum needs.
-- Promises: every column is described (views.go); none goes, or means something else.
-- Fed by: record_facts, meters, rulings, payers, rate_entries, actors, tasks, callers.
select
  f.record_id,
  f.correction,
  f.started_at,
  f.usage_date,
  {month_of(f.billing_month)} as billing_month,
  f.billing_month as billing_month_date,
  if(f.correction = 0, null, {month_of(f.usage_date)}) as adjusts_month,
  m.provider,
  m.account,
  m.region,
  m.model,
  e.price_key,
  m.operation,
  m.service_tier,
  f.input_uncached_tokens,
  f.cache_read_tokens,
  f.cache_write_5m_tokens,
  f.cache_write_1h_tokens,
  f.cache_write_unknown_tokens,
  f.output_tokens,
  f.reasoning_tokens,
  f.input_audio_tokens,
  f.input_image_tokens,
  f.cache_read_audio_tokens,
  f.output_audio_tokens,
  f.output_image_tokens,
  f.searches,
  coalesce(a.user_email, a.user_id) as user_id,
  a.team,
  a.key_alias,
  a.project,
  c.caller,
  p.department,
  p.cost_center,
  coalesce(t.agent_id, c.agent_id) as agent_id,
  t.tools,
  f.tool_calls,
  f.cache_hit,
  f.llm_cost_usd,
  f.infra_cost_usd,
  f.tool_cost_usd,
  f.total_cost_usd,
  f.cache_savings_usd,
  f.doubtful_cost_usd,
  r.match,
  r.match_rung,
  r.pricing,
  f.pricing_note,
  r.attribution,
  e.rate_version,
  f.rate_id,
  f.usage_object_id,
  f.usage_line,
  f.request_object_id,
  f.request_line,
  concat('nightly/', cast(f.run_date as string)) as run,
  f.flags,
  b.cost_center as adjusts_cost_center
from {record_facts} as f
inner join {meters} as m on m.meter_id = f.meter_id
inner join {rulings} as r on r.ruling_id = f.ruling_id
inner join {payers} as p on p.payer_id = f.payer_id
left join {rate_entries} as e on e.rate_id = f.rate_id
left join {actors} as a on a.actor_id = f.actor_id
left join {tasks} as t on t.task_id = f.task_id
left join {callers} as c on c.caller_id = f.caller_id
left join {payers} as b on b.payer_id = f.adjusts_payer_id
