-- One row is a correction of a closed month, charged in the month that begins
-- on @open_month: what arrived after the close (correction 1), the reversal of
-- an estimate whose metered usage arrived after the close, the reversal of what
-- is no longer staged, because its object was deleted, or written or read again
-- without it, and, where a record costs something else, belongs to another cost
-- centre or names another user or agent by what is known today, the reversal
-- of what was charged (-n) with the new charge (n). What was reversed and is
-- there again is charged again.
-- Promises: a closed month's own rows stay as they are; what a closed month has
-- already charged is not charged again. What stands of a record adds up to what
-- it costs today; what it would have cost without caches is told as of its close.
-- So is an estimate that has become doubtful, because the provider's own log came,
-- and a request of a call of which another platform's record counts by now.
-- A reversal doesn't depend on whether its usage lies in the same
-- window, or in the same month. A record that can't be priced today stays as it
-- was charged. pricing_note is the reason, the same on both rows of a pair.
-- payer_id bears the correction: where the cost centre that the rules name has
-- ended before the open month, its successor; adjusts_payer_id then is that cost
-- centre, whose document is corrected.
-- Fed by: fresh_records, record_facts, charged, rulings, months, matches,
-- ambiguous_requests, request_changes, requests_kept, usage, requests,
-- actors_known, tasks_known, callers, rate_entries, successors_dated.
-- Kept as: view.
with metered as (
  select
    request_object_id as object_id,
    request_line as line
  from {matches}
  where request_line is not null and same_provider
  union distinct
  select
    object_id,
    line
  from {ambiguous_requests}
),
metered_requests as (
  select distinct
    r.record_key,
    r.request_date
  from metered as m
  inner join {requests_kept} as r on r.object_id = m.object_id and r.line = m.line
),
doubted_requests as (
  select distinct
    f.record_id as record_key,
    f.usage_date as request_date
  from {fresh_records} as f
  inner join {rulings} as r on r.ruling_id = f.ruling_id
  where r.pricing = 'doubtful'
),
copied_requests as (
  select distinct
    r.record_key,
    r.request_date
  from {request_changes} as d
  inner join {requests} as r on r.object_id = d.object_id and r.line = d.line
  where d.aside = 'copy' and r.request_date in ({@scan_days})
),
replaced as (
  select
    c.record_id,
    c.usage_date,
    c.correction,
    c.last_correction,
    case
      when q.record_key is not null and c.pricing = 'estimated' then 'reversed: metered usage arrived after the close and replaces the estimate'
      when k.record_key is not null then 'reversed: the call is charged by the record of another platform'
      else 'reversed: the log of the provider covers the day and may hold its usage'
    end as why
  from {charged} as c
  left join metered_requests as q on q.record_key = c.record_id and q.request_date = c.usage_date
  left join copied_requests as k on k.record_key = c.record_id and k.request_date = c.usage_date
  left join doubted_requests as d on d.record_key = c.record_id and d.request_date = c.usage_date
  where c.usage_line is null
    and c.stands
    and (k.record_key is not null or c.pricing = 'estimated' and (q.record_key is not null or d.record_key is not null))
),
differing as (
  select
    c.record_id,
    c.usage_date,
    c.correction,
    c.last_correction,
    f.llm_cost_usd <> c.llm_cost_usd or f.infra_cost_usd <> c.infra_cost_usd or f.tool_cost_usd <> c.tool_cost_usd as costs_otherwise,
    f.payer_id <> c.owner_payer_id as owned_otherwise,
    ifnull(coalesce(g.user_email, g.user_id) <> coalesce(a.user_email, a.user_id), false) as asked_otherwise,
    ifnull(coalesce(k.agent_id, w.agent_id) <> coalesce(t.agent_id, x.agent_id), false) as agent_otherwise,
    f.input_uncached_tokens + f.cache_read_tokens + f.cache_write_5m_tokens + f.cache_write_1h_tokens + f.cache_write_unknown_tokens + f.output_tokens <> c.tokens as counts_otherwise,
    ifnull(n.signature <> o.signature, false) as rated_otherwise
  from {charged} as c
  inner join {fresh_records} as f on f.record_id = c.record_id and f.usage_date = c.usage_date
  left join {actors_known} as a on a.actor_id = c.actor_id
  left join {actors_known} as g on g.actor_id = f.actor_id
  left join {tasks_known} as t on t.task_id = c.task_id
  left join {tasks_known} as k on k.task_id = f.task_id
  left join {callers} as x on x.caller_id = c.caller_id
  left join {callers} as w on w.caller_id = f.caller_id
  left join {rate_entries} as o on o.rate_id = c.rate_id
  left join {rate_entries} as n on n.rate_id = f.rate_id
  where c.stands and f.total_cost_usd is not null and (c.total_cost_usd <> 0 or f.total_cost_usd <> 0)
    and not exists (
      select 1 from replaced as q
      where q.record_id = c.record_id and q.usage_date = c.usage_date
    )
),
restated as (
  select
    record_id,
    usage_date,
    correction,
    last_correction,
    case
      when asked_otherwise then 'the log names another user'
      when owned_otherwise then 'belongs to another cost centre by what is known today'
      when agent_otherwise then 'the log names another agent'
      when counts_otherwise then 'the log counts other tokens'
      when rated_otherwise then 'another price is known for its date'
      else 'costs something else by what is known today'
    end as why
  from differing
  where costs_otherwise or owned_otherwise or asked_otherwise or agent_otherwise
),
staged as (
  select
    record_key,
    usage_date
  from {usage}
  where usage_date in ({@days})
  union all
  select
    record_key,
    request_date as usage_date
  from {requests}
  where request_date in ({@days})
  union all
  select
    record_key,
    request_date as usage_date
  from {requests_kept}
  where request_date in ({@days}) and record_key <> call_key
),
gone as (
  select
    c.record_id,
    c.usage_date,
    c.correction,
    c.last_correction
  from {charged} as c
  where c.stands
    and not exists (
      select 1 from staged as s
      where s.record_key = c.record_id and s.usage_date = c.usage_date
    )
),
charged_anew as (
  select
    record_id,
    usage_date,
    last_correction,
    why
  from restated
  union all
  select
    c.record_id,
    c.usage_date,
    c.last_correction,
    'its log has the record again' as why
  from {charged} as c
  inner join {fresh_records} as f on f.record_id = c.record_id and f.usage_date = c.usage_date
  inner join {rulings} as r on r.ruling_id = f.ruling_id
  where not c.stands and r.pricing in ('priced', 'estimated')
  union all
  select
    f.record_id,
    f.usage_date,
    0 as last_correction,
    'recorded after its month was closed' as why
  from {fresh_records} as f
  inner join {months} as m on m.first_day = {first_of_month(f.usage_date)} and m.state = 'closed'
  inner join {rulings} as r on r.ruling_id = f.ruling_id
  where r.pricing in ('priced', 'estimated')
    and not exists (
      select 1 from {charged} as c
      where c.usage_date = f.usage_date and c.record_id = f.record_id
    )
),
taken_back as (
  select
    record_id,
    usage_date,
    correction,
    last_correction,
    'reversed: its log no longer has the record' as why
  from gone
  union all
  select
    record_id,
    usage_date,
    correction,
    last_correction,
    why
  from replaced
  union all
  select
    record_id,
    usage_date,
    correction,
    last_correction,
    why
  from restated
),
corrections as (
  select
    f.record_id,
    c.last_correction + 1 as correction,
    f.started_at,
    f.usage_date,
    {@open_month} as billing_month,
    f.meter_id,
    f.actor_id,
    f.task_id,
    f.caller_id,
    f.rate_id,
    f.ruling_id,
    f.payer_id,
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
    f.tool_calls,
    f.cache_hit,
    f.llm_cost_usd,
    f.infra_cost_usd,
    f.tool_cost_usd,
    f.total_cost_usd,
    f.cache_savings_usd,
    f.doubtful_cost_usd,
    c.why as pricing_note,
    f.usage_object_id,
    f.usage_line,
    f.request_object_id,
    f.request_line,
    f.run_date,
    f.flags
  from charged_anew as c
  inner join {fresh_records} as f on f.record_id = c.record_id and f.usage_date = c.usage_date
  union all
  select
    r.record_id,
    -1 - c.last_correction as correction,
    r.started_at,
    r.usage_date,
    {@open_month} as billing_month,
    r.meter_id,
    r.actor_id,
    r.task_id,
    r.caller_id,
    r.rate_id,
    r.ruling_id,
    ifnull(r.adjusts_payer_id, r.payer_id) as payer_id,
    0 - r.input_uncached_tokens as input_uncached_tokens,
    0 - r.cache_read_tokens as cache_read_tokens,
    0 - r.cache_write_5m_tokens as cache_write_5m_tokens,
    0 - r.cache_write_1h_tokens as cache_write_1h_tokens,
    0 - r.cache_write_unknown_tokens as cache_write_unknown_tokens,
    0 - r.output_tokens as output_tokens,
    0 - r.reasoning_tokens as reasoning_tokens,
    0 - r.input_audio_tokens as input_audio_tokens,
    0 - r.input_image_tokens as input_image_tokens,
    0 - r.cache_read_audio_tokens as cache_read_audio_tokens,
    0 - r.output_audio_tokens as output_audio_tokens,
    0 - r.output_image_tokens as output_image_tokens,
    0 - r.searches as searches,
    0 - r.tool_calls as tool_calls,
    r.cache_hit,
    0 - r.llm_cost_usd as llm_cost_usd,
    0 - r.infra_cost_usd as infra_cost_usd,
    0 - r.tool_cost_usd as tool_cost_usd,
    0 - r.total_cost_usd as total_cost_usd,
    0 - r.cache_savings_usd as cache_savings_usd,
    r.doubtful_cost_usd,
    c.why as pricing_note,
    r.usage_object_id,
    r.usage_line,
    r.request_object_id,
    r.request_line,
    {@run_date} as run_date,
    r.flags
  from taken_back as c
  inner join {record_facts} as r
    on r.record_id = c.record_id and r.usage_date = c.usage_date and r.correction = c.correction
  inner join {months} as m on m.first_day = r.billing_month and m.state = 'closed'
  where r.usage_date in ({@days})
)
select
  c.record_id,
  c.correction,
  c.started_at,
  c.usage_date,
  c.billing_month,
  c.meter_id,
  c.actor_id,
  c.task_id,
  c.caller_id,
  c.rate_id,
  c.ruling_id,
  coalesce(s.successor_payer_id, c.payer_id) as payer_id,
  c.input_uncached_tokens,
  c.cache_read_tokens,
  c.cache_write_5m_tokens,
  c.cache_write_1h_tokens,
  c.cache_write_unknown_tokens,
  c.output_tokens,
  c.reasoning_tokens,
  c.input_audio_tokens,
  c.input_image_tokens,
  c.cache_read_audio_tokens,
  c.output_audio_tokens,
  c.output_image_tokens,
  c.searches,
  c.tool_calls,
  c.cache_hit,
  c.llm_cost_usd,
  c.infra_cost_usd,
  c.tool_cost_usd,
  c.total_cost_usd,
  c.cache_savings_usd,
  c.doubtful_cost_usd,
  c.pricing_note,
  c.usage_object_id,
  c.usage_line,
  c.request_object_id,
  c.request_line,
  c.run_date,
  c.flags,
  if(s.successor_payer_id is null, null, c.payer_id) as adjusts_payer_id
from corrections as c
left join {successors_dated} as s on s.payer_id = c.payer_id and s.valid_from <= {@open_month} and {@open_month} < s.valid_to
