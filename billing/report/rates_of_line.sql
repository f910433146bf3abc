-- The rates that priced records of a line's days.
select
  e.rate_id,
  e.rate_version,
  e.price_key,
  e.priced_as,
  e.rule as rate_rule,
  e.source as rate_source,
  e.terms as rate_terms,
  e.tool_fees,
  e.valid_from,
  e.learned_at,
  e.infra_pico,
  e.cache_hit_pico,
  e.infra_pico is not null as has_fees,
  e.reported
from {rate_entries} as e
where e.rate_id in (select rate_id from {record_facts} where usage_date between {@first_day} and {@last_day} and billing_month = {@first_of_month})
