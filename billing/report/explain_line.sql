-- The records of a line by the rate that priced them and how, with the mix of tools that
-- they were charged for.
select
  f.rate_id,
  sum(if(f.correction < 0, -1, 1)) as records,
  f.pricing,
  '' as note,
  f.cache_hit,
  sum(case when f.infra_cost_usd is null or f.infra_cost_usd = 0 then 0 when f.correction < 0 then -1 else 1 end) as fees,
  if(f.tool_cost_usd = 0, '', ifnull(f.tools, '')) as mix,
  sum(case when f.tool_cost_usd is null or f.tool_cost_usd = 0 then 0 when f.correction < 0 then -1 else 1 end) as mix_times,
  sum(f.input_uncached_tokens) as input_uncached,
  sum(f.cache_read_tokens) as cache_read,
  sum(f.cache_write_5m_tokens) as cache_write_5m,
  sum(f.cache_write_1h_tokens) as cache_write_1h,
  sum(f.cache_write_unknown_tokens) as cache_write_unknown,
  sum(f.output_tokens) as output,
  sum(f.reasoning_tokens) as reasoning,
  sum(ifnull(f.input_audio_tokens, 0)) as input_audio,
  sum(ifnull(f.input_image_tokens, 0)) as input_image,
  sum(ifnull(f.cache_read_audio_tokens, 0)) as cache_read_audio,
  sum(ifnull(f.output_audio_tokens, 0)) as output_audio,
  sum(ifnull(f.output_image_tokens, 0)) as output_image,
  sum(ifnull(f.searches, 0)) as searches,
  {total_usd(f.llm_cost_usd)} as llm,
  {total_usd(f.infra_cost_usd)} as infra,
  {total_usd(f.tool_cost_usd)} as tool,
  {total_usd(f.total_cost_usd)} as total,
  {total_usd(f.cache_savings_usd)} as savings,
  countif(f.total_cost_usd is null) = 0 as known
from {line_records} as f
group by f.rate_id, f.pricing, f.cache_hit, mix, f.correction < 0
order by min(f.started_at), f.pricing, f.cache_hit, mix, records
