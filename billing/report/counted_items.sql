-- What a report is about, with what reports count of it. A record is one billed call,
-- or one request without one; one that is taken back counts down. standing is how many
-- records stand behind a sum. model_name is the model as invoices name it: by the rate
-- book, or as it was sent where the book does not have it.
select
  i.*,
  if(i.correction < 0, 0 - i.records, i.records) as standing,
  i.input_uncached_tokens + i.cache_read_tokens + i.cache_write_5m_tokens + i.cache_write_1h_tokens + i.cache_write_unknown_tokens as input_tokens,
  ifnull(regexp_replace(i.price_key, '^[^/]*/', ''), i.model) as model_name,
  i.pricing in ('unpriced', 'pending', 'doubtful') as is_held
from {reported_items} as i
