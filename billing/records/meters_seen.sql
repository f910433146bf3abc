-- The models that occur in staged rows of days.
select distinct
  meter_id,
  provider,
  ifnull(account, '') as account,
  ifnull(region, '') as region,
  model,
  ifnull(service_tier, '') as tier,
  ifnull(notice, '') as notice
from {meters}
where meter_id in (select meter_id from {usage} where usage_date in ({@scan_days}))
  or meter_id in (select meter_id from {requests} where request_date in ({@scan_days}))
order by provider, model, account, region, tier, notice, meter_id
