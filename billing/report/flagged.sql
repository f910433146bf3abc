-- What is held or flagged, by flags, reason and rate, with how the rate's unit prices
-- came about. Parts of a class of tokens are taken out of it.
with flag_groups as (
  select
    ifnull(flags, '') as all_flags,
    if(is_held, ifnull(pricing_note, pricing), '') as note,
    is_held,
    ifnull(rate_id, 0) as rate_of,
    sum(standing) as standing_records,
    {total_usd(llm_cost_usd)} as llm,
    sum(input_uncached_tokens - ifnull(input_audio_tokens, 0) - ifnull(input_image_tokens, 0)) as input,
    sum(cache_read_tokens - ifnull(cache_read_audio_tokens, 0)) as cache_read,
    sum(cache_write_5m_tokens) as cache_write_5m,
    sum(cache_write_1h_tokens) as cache_write_1h,
    sum(cache_write_unknown_tokens) as cache_write_unknown,
    sum(output_tokens - reasoning_tokens - ifnull(output_audio_tokens, 0) - ifnull(output_image_tokens, 0)) as output,
    sum(reasoning_tokens) as reasoning,
    sum(ifnull(input_audio_tokens, 0)) as input_audio,
    sum(ifnull(input_image_tokens, 0)) as input_image,
    sum(ifnull(cache_read_audio_tokens, 0)) as cache_read_audio,
    sum(ifnull(output_audio_tokens, 0)) as output_audio,
    sum(ifnull(output_image_tokens, 0)) as output_image
  from {counted_items}
  where flags is not null or is_held
  group by 1, 2, 3, 4
)
select
  g.all_flags as flags,
  g.note,
  g.is_held as held,
  g.rate_of as rate_id,
  e.terms,
  g.standing_records as records,
  g.llm,
  g.input,
  g.cache_read,
  g.cache_write_5m,
  g.cache_write_1h,
  g.cache_write_unknown,
  g.output,
  g.reasoning,
  g.input_audio,
  g.input_image,
  g.cache_read_audio,
  g.output_audio,
  g.output_image
from flag_groups as g
left join {rate_entries} as e on e.rate_id = g.rate_of
order by g.standing_records desc, g.all_flags, g.note, g.rate_of
