-- Requests of a month without a cost, by reason and model, those without a price first.
select
  pricing,
  pricing_note as reason,
  provider,
  model,
  sum(standing) as requests,
  sum(input_tokens) as input_tokens,
  sum(output_tokens) as output_tokens,
  min(usage_date) as first_day,
  max(usage_date) as last_day
from {counted_items}
where is_held
group by pricing, pricing_note, provider, model
order by pricing desc, requests desc, provider, model, ifnull(pricing_note, '')
