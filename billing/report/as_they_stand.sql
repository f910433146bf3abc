-- The records of the days, each once, with what it costs with all its corrections:
-- what charges gives, but from the ledger.
with all_rows as (
  select
    f.record_id,
    f.started_at,
    f.usage_date,
    f.correction,
    f.meter_id,
    f.actor_id,
    f.task_id,
    f.caller_id,
    f.ruling_id,
    f.rate_id,
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
    f.total_cost_usd,
    f.usage_object_id,
    f.usage_line,
    f.request_object_id,
    f.request_line,
    r.pricing as stood,
    min(f.correction) over (partition by f.usage_date, f.record_id) as taken_back,
    row_number() over (partition by f.usage_date, f.record_id order by f.correction desc) as place
  from {record_facts} as f
  inner join {rulings} as r on r.ruling_id = f.ruling_id
  where f.usage_date in ({@scan_days})
),
standing as (
  select
    *,
    row_number() over (
      partition by request_object_id, request_line
      order by if(stood = 'not_billed', 1, 0), started_at, record_id
    ) as attempt
  from all_rows
  where place = 1 and 0 - taken_back <= correction
)
select
  s.*,
  s.usage_line is null or s.request_line is null or s.attempt = 1 as bears_fees,
  case
    when s.stood = 'not_billed' then {@basis_failed}
    when s.stood = 'pending' then {@basis_waiting}
    when s.stood = 'doubtful' then {@basis_doubtful}
    when s.cache_hit then {@basis_cache_hit}
    when s.usage_line is null and u.provider is not null then {@basis_estimate}
    else {@basis_metered}
  end as basis,
  s.usage_line is not null or ifnull(q.completeness, 2) >= 2 as metered,
  q.reported_pico_usd as reported_pico
from standing as s
inner join {meters} as d on d.meter_id = s.meter_id
left join {ref_usage_from} as u on u.provider = d.provider
left join {requests} as q
  on q.object_id = s.request_object_id
  and q.line = s.request_line
  and q.request_date in ({@scan_days})
where s.usage_date in ({@days})
