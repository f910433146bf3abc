-- One row is a day of the cost records that a run of billing months charges: how many
-- there are, and the sums of the eight 32-bit words of their SHA-256. A sum needs no
-- order, so nothing is sorted, and what a client reads grows with days, not with records.
-- Promises: the same on every engine. A record's text has each column once, in this
-- order, with | between them: whole numbers in digits, times in microseconds, amounts in
-- 10^-12 USD, texts behind the count of their characters, and ~ for null. It says
-- everything that decides who owes what and why, with the lines of the sources. Which
-- run wrote a record, and which version of an object it came from, is left out.
-- Fed by: record_facts, its dimensions, objects.
with told as (
  select
    f.usage_date,
    {sha256_hex(concat(
      cast(f.record_id as string), '|',
      cast(f.correction as string), '|',
      cast({micros_of(f.started_at)} as string), '|',
      cast(f.usage_date as string), '|',
      cast(f.billing_month as string), '|',
      ifnull(cast(length(m.provider) as string) || ':' || m.provider, '~'), '|',
      ifnull(cast(length(m.account) as string) || ':' || m.account, '~'), '|',
      ifnull(cast(length(m.region) as string) || ':' || m.region, '~'), '|',
      ifnull(cast(length(m.model) as string) || ':' || m.model, '~'), '|',
      ifnull(cast(length(m.operation) as string) || ':' || m.operation, '~'), '|',
      ifnull(cast(length(m.service_tier) as string) || ':' || m.service_tier, '~'), '|',
      ifnull(cast(length(m.error_code) as string) || ':' || m.error_code, '~'), '|',
      ifnull(cast(length(m.notice) as string) || ':' || m.notice, '~'), '|',
      ifnull(cast(length(a.user_id) as string) || ':' || a.user_id, '~'), '|',
      ifnull(cast(length(a.user_email) as string) || ':' || a.user_email, '~'), '|',
      ifnull(cast(length(a.team) as string) || ':' || a.team, '~'), '|',
      ifnull(cast(length(a.key_alias) as string) || ':' || a.key_alias, '~'), '|',
      ifnull(cast(length(a.project) as string) || ':' || a.project, '~'), '|',
      ifnull(cast(length(t.agent_id) as string) || ':' || t.agent_id, '~'), '|',
      ifnull(cast(length(t.cost_center) as string) || ':' || t.cost_center, '~'), '|',
      ifnull(cast(length(t.tools) as string) || ':' || t.tools, '~'), '|',
      ifnull(cast(length(c.caller) as string) || ':' || c.caller, '~'), '|',
      ifnull(cast(length(c.cost_center) as string) || ':' || c.cost_center, '~'), '|',
      ifnull(cast(length(c.agent_id) as string) || ':' || c.agent_id, '~'), '|',
      ifnull(cast(length(r.match) as string) || ':' || r.match, '~'), '|',
      ifnull(cast(length(r.match_rung) as string) || ':' || r.match_rung, '~'), '|',
      ifnull(cast(length(r.pricing) as string) || ':' || r.pricing, '~'), '|',
      ifnull(cast(length(r.attribution) as string) || ':' || r.attribution, '~'), '|',
      ifnull(cast(length(e.rate_version) as string) || ':' || e.rate_version, '~'), '|',
      ifnull(cast(length(e.price_key) as string) || ':' || e.price_key, '~'), '|',
      ifnull(cast(length(p.department) as string) || ':' || p.department, '~'), '|',
      ifnull(cast(length(p.cost_center) as string) || ':' || p.cost_center, '~'), '|',
      ifnull(cast(length(b.department) as string) || ':' || b.department, '~'), '|',
      ifnull(cast(length(b.cost_center) as string) || ':' || b.cost_center, '~'), '|',
      cast(f.input_uncached_tokens as string), '|',
      cast(f.cache_read_tokens as string), '|',
      cast(f.cache_write_5m_tokens as string), '|',
      cast(f.cache_write_1h_tokens as string), '|',
      cast(f.cache_write_unknown_tokens as string), '|',
      cast(f.output_tokens as string), '|',
      cast(f.reasoning_tokens as string), '|',
      ifnull(cast(f.input_audio_tokens as string), '~'), '|',
      ifnull(cast(f.input_image_tokens as string), '~'), '|',
      ifnull(cast(f.cache_read_audio_tokens as string), '~'), '|',
      ifnull(cast(f.output_audio_tokens as string), '~'), '|',
      ifnull(cast(f.output_image_tokens as string), '~'), '|',
      ifnull(cast(f.searches as string), '~'), '|',
      cast(f.tool_calls as string), '|',
      cast(f.cache_hit as string), '|',
      ifnull(cast({pico_of(f.llm_cost_usd)} as string), '~'), '|',
      ifnull(cast({pico_of(f.infra_cost_usd)} as string), '~'), '|',
      ifnull(cast({pico_of(f.tool_cost_usd)} as string), '~'), '|',
      ifnull(cast({pico_of(f.total_cost_usd)} as string), '~'), '|',
      ifnull(cast({pico_of(f.cache_savings_usd)} as string), '~'), '|',
      ifnull(cast({pico_of(f.doubtful_cost_usd)} as string), '~'), '|',
      ifnull(cast(length(f.pricing_note) as string) || ':' || f.pricing_note, '~'), '|',
      ifnull(cast(length(f.flags) as string) || ':' || f.flags, '~'), '|',
      ifnull(cast(length(u.source) as string) || ':' || u.source, '~'), '|',
      ifnull(cast(length(u.object_key) as string) || ':' || u.object_key, '~'), '|',
      ifnull(cast(f.usage_line as string), '~'), '|',
      ifnull(cast(length(q.source) as string) || ':' || q.source, '~'), '|',
      ifnull(cast(length(q.object_key) as string) || ':' || q.object_key, '~'), '|',
      ifnull(cast(f.request_line as string), '~')
    ))} as digest
  from {record_facts} as f
  left join {meters} as m on m.meter_id = f.meter_id
  left join {rulings} as r on r.ruling_id = f.ruling_id
  left join {payers} as p on p.payer_id = f.payer_id
  left join {rate_entries} as e on e.rate_id = f.rate_id
  left join {actors} as a on a.actor_id = f.actor_id
  left join {tasks} as t on t.task_id = f.task_id
  left join {callers} as c on c.caller_id = f.caller_id
  left join {payers} as b on b.payer_id = f.adjusts_payer_id
  left join {objects} as u on u.object_id = f.usage_object_id
  left join {objects} as q on q.object_id = f.request_object_id
  where f.usage_date between {@first_day} and {@last_day}
    and f.billing_month between {@first_month} and {@last_month}
)
select
  usage_date as day,
  count(*) as records,
  sum({hex_int(substr(digest, 1, 8))}) as word1,
  sum({hex_int(substr(digest, 9, 8))}) as word2,
  sum({hex_int(substr(digest, 17, 8))}) as word3,
  sum({hex_int(substr(digest, 25, 8))}) as word4,
  sum({hex_int(substr(digest, 33, 8))}) as word5,
  sum({hex_int(substr(digest, 41, 8))}) as word6,
  sum({hex_int(substr(digest, 49, 8))}) as word7,
  sum({hex_int(substr(digest, 57, 8))}) as word8
from told
group by usage_date
order by usage_date
