-- One row is how records of a model on a day were priced: at a markup and with fees, or
-- not at all because they are not billed. others counts those of which another price may
-- change more than amounts: held ones, estimates, those with a word or a note, requests
-- that count for themselves, and cache writes of which a setting may say the time.
-- Fed by: daily_costs, rulings, rate_entries.
select
  d.usage_date,
  d.meter_id,
  r.pricing = 'priced' as priced,
  ifnull(e.markup, 0) as markup,
  e.infra_pico,
  e.cache_hit_pico,
  sum(d.searches) as searches,
  sum(d.input_uncached_tokens) as input,
  sum(d.cache_read_tokens) as cache_read,
  sum(d.cache_write_5m_tokens) as cache_write_5m,
  sum(d.cache_write_1h_tokens) as cache_write_1h,
  sum(d.output_tokens) as output,
  sum(d.reasoning_tokens) as reasoning,
  sum(d.input_audio_tokens) as input_audio,
  sum(d.input_image_tokens) as input_image,
  sum(d.cache_read_audio_tokens) as cache_read_audio,
  sum(d.output_audio_tokens) as output_audio,
  sum(d.output_image_tokens) as output_image,
  countif(
    d.correction <> 0
    or d.flags is not null
    or d.cache_write_unknown_tokens > 0
    or (d.cache_hit or r.pricing <> 'priced') and d.cache_write_5m_tokens + d.cache_write_1h_tokens > 0
    or r.pricing not in ('priced', 'not_billed')
    or r.pricing = 'priced' and (d.pricing_note is not null or not d.metered and not d.cache_hit)
  ) as others
from {daily_costs} as d
inner join {rulings} as r on r.ruling_id = d.ruling_id
left join {rate_entries} as e on e.rate_id = d.rate_id
where d.usage_date in ({@repriced_days})
group by 1, 2, 3, 4, 5, 6
order by 1, 2, 3, 4, 5, 6
