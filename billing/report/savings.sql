-- What caches saved in a month by cost centre, the largest saving first.
select
  cost_center,
  string_agg(distinct department, ', ' order by department) as department,
  {total_usd(total_cost_usd)} + {total_usd(cache_savings_usd)} as gross_cost_usd,
  sum(if(cache_hit, records, 0)) as cache_hits,
  {total_usd(if(cache_hit, cache_savings_usd, null))} as gateway_savings_usd,
  {total_usd(if(cache_hit, null, cache_savings_usd))} as prompt_cache_savings_usd,
  {total_usd(cache_savings_usd)} as cache_savings_usd,
  {total_usd(total_cost_usd)} as total_cost_usd,
  sum(if(cache_savings_usd is null and not is_held, records, 0)) as savings_unknown,
  sum(if(is_held, records, 0)) as held
from {counted_items}
group by cost_center
order by cache_savings_usd desc, cost_center
