-- What providers were asked for and what it cost, by day, by who asked for which model,
-- and by the rate.
select
  utc_date,
  provider,
  ifnull(account, '') as account_name,
  ifnull(project, '') as project_name,
  ifnull(key_alias, '') as key_name,
  ifnull(caller, '') as principal,
  ifnull(region, '') as region_name,
  model_name,
  ifnull(service_tier, '') as tier,
  ifnull(rate_id, 0) as rate,
  llm_cost_usd is not null as known,
  sum(standing) as requests,
  {total_usd(llm_cost_usd)} as llm,
  sum(input_uncached_tokens) as input,
  sum(cache_read_tokens) as cache_read,
  sum(cache_write_5m_tokens) as cache_write_5m,
  sum(cache_write_1h_tokens) as cache_write_1h,
  sum(cache_write_unknown_tokens) as cache_write_unknown,
  sum(output_tokens) as output,
  sum(reasoning_tokens) as reasoning,
  sum(ifnull(input_audio_tokens, 0)) as input_audio,
  sum(ifnull(input_image_tokens, 0)) as input_image,
  sum(ifnull(cache_read_audio_tokens, 0)) as cache_read_audio,
  sum(ifnull(output_audio_tokens, 0)) as output_audio,
  sum(ifnull(output_image_tokens, 0)) as output_image,
  sum(ifnull(searches, 0)) as web_searches
from {counted_items}
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
order by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
