-- All that was not charged, a row each.
select
  kind,
  source,
  full_reason as reason,
  object,
  line,
  usage_date,
  provider,
  model,
  input_tokens,
  output_tokens
from {not_charged}
order by kind, source, object, line, full_reason
