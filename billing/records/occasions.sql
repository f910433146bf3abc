-- What the models are needed for on some days: how many sources their requests are
-- from, and how many writes to a prompt cache don't say for how long; and how many
-- prices are those that a gateway reported.
select
  (select count(distinct o.source) from {objects} as o where o.object_id in (select r.object_id from {requests} as r where r.request_date in ({@scan_days}))) as sources,
  (select count(*) from {usage} as u where u.usage_date in ({@scan_days}) and u.cache_write_unknown_tokens > 0)
  + (select count(*) from {requests} as r where r.request_date in ({@scan_days}) and r.cache_write_unknown_tokens > 0) as untold,
  (select count(*) from {ref_rates} as p where p.reported) as reported
