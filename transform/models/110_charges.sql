-- One row is one thing to charge or to account for: a usage row with the
-- request it belongs to, or a request without usage.
-- Promises: every kept usage row and every kept request of the days occurs
-- once. basis says what its cost rests on: metered tokens, an answer from
-- the gateway's cache, an estimate (the request's own tokens, because no
-- usage came within the lateness window), waiting (usage may still come),
-- failed (not billed), doubtful (an estimate that may count a call twice). metered
-- says that there are token counts. match and rung are digits of a ruling (see
-- states.go). ttl says who decided how long cache writes are kept that the row
-- itself leaves open (see written), reported_pico what the gateway reported as
-- the cost. An attempt that failed, was not billed and stands beside one that
-- counts for its call is no charge: it is set aside (see unbilled_attempts).
-- Fed by: usage_kept, requests_left, matches, attempts, ambiguous_requests,
-- unmatched_requests, doubtful_requests, meters, ref_usage_from, written,
-- reported.
-- Kept as: view.
select
  u.record_key as record_id,
  u.started_at,
  u.usage_date,
  u.meter_id,
  m.actor_id,
  m.task_id,
  u.caller_id,
  u.input_uncached_tokens,
  u.cache_read_tokens,
  ifnull(w.cache_write_5m_tokens, u.cache_write_5m_tokens) as cache_write_5m_tokens,
  ifnull(w.cache_write_1h_tokens, u.cache_write_1h_tokens) as cache_write_1h_tokens,
  ifnull(w.cache_write_unknown_tokens, u.cache_write_unknown_tokens) as cache_write_unknown_tokens,
  u.output_tokens,
  u.reasoning_tokens,
  u.input_audio_tokens,
  u.input_image_tokens,
  u.cache_read_audio_tokens,
  u.output_audio_tokens,
  u.output_image_tokens,
  u.searches,
  if(coalesce(a.attempt, 1) = 1 and m.bears_fees, ifnull(m.tool_calls, 0), 0) as tool_calls,
  false as cache_hit,
  coalesce(a.attempt, 1) = 1 and (m.request_line is null or m.bears_fees) as bears_fees,
  case
    when m.request_line is not null then {@match_matched}
    when m.ambiguous then {@match_ambiguous}
    else {@match_provider_only}
  end as match,
  if(m.request_line is not null, m.rung, {@rung_none}) as rung,
  if(u.failed, {@basis_failed}, {@basis_metered}) as basis,
  true as metered,
  u.object_id as usage_object_id,
  u.line as usage_line,
  m.request_object_id,
  m.request_line,
  w.ttl,
  g.reported_pico
from {usage_kept} as u
left join {matches} as m on m.usage_object_id = u.object_id and m.usage_line = u.line
left join {attempts} as a on a.usage_object_id = u.object_id and a.usage_line = u.line
left join {written} as w on w.kind = 'usage' and w.object_id = u.object_id and w.line = u.line
left join {reported} as g on g.object_id = u.object_id and g.line = u.line
where u.usage_date in ({@days})
union all
select
  r.record_key as record_id,
  r.started_at,
  r.request_date as usage_date,
  r.meter_id,
  r.actor_id,
  r.task_id,
  cast(null as int64) as caller_id,
  r.input_uncached_tokens,
  r.cache_read_tokens,
  ifnull(w.cache_write_5m_tokens, r.cache_write_5m_tokens) as cache_write_5m_tokens,
  ifnull(w.cache_write_1h_tokens, r.cache_write_1h_tokens) as cache_write_1h_tokens,
  ifnull(w.cache_write_unknown_tokens, r.cache_write_unknown_tokens) as cache_write_unknown_tokens,
  r.output_tokens,
  r.reasoning_tokens,
  r.input_audio_tokens,
  r.input_image_tokens,
  r.cache_read_audio_tokens,
  r.output_audio_tokens,
  r.output_image_tokens,
  r.searches,
  r.tool_calls,
  r.cache_hit,
  r.bears_fees,
  if(x.line is null, {@match_agent_only}, {@match_ambiguous}) as match,
  {@rung_none} as rung,
  case
    when x.line is not null or r.failed then {@basis_failed}
    when r.cache_hit then {@basis_cache_hit}
    when t.line is not null and (f.provider is null or r.request_date <= {@late_until}) then {@basis_doubtful}
    when f.provider is null then {@basis_metered}
    when r.request_date <= {@late_until} then {@basis_estimate}
    else {@basis_waiting}
  end as basis,
  r.completeness >= 2 as metered,
  cast(null as int64) as usage_object_id,
  cast(null as int64) as usage_line,
  r.object_id as request_object_id,
  r.line as request_line,
  w.ttl,
  r.reported_pico_usd as reported_pico
from {unmatched_requests} as m
inner join {requests_left} as r on r.object_id = m.object_id and r.line = m.line
left join {doubtful_requests} as t on t.object_id = r.object_id and t.line = r.line
left join {ambiguous_requests} as x on x.object_id = r.object_id and x.line = r.line
inner join {meters} as d on d.meter_id = r.meter_id
left join {ref_usage_from} as f on f.provider = d.provider
left join {written} as w on w.kind = 'request' and w.object_id = r.object_id and w.line = r.line
where r.request_date in ({@days})
  and (r.bears_fees or x.line is not null)
