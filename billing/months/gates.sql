select
  ifnull(sum(if(r.pricing = 'unpriced', d.records, 0)), 0) as unpriced,
  ifnull(sum(if(r.pricing = 'pending', d.records, 0)), 0) as pending,
  ifnull(sum(if(r.pricing = 'doubtful', d.records, 0)), 0) as doubtful,
  {total_usd(d.doubtful_cost_usd)} as doubtful_cost,
  {total_usd(if(p.cost_center = {@unallocated}, d.total_cost_usd, null))} as unallocated,
  (select count(*) from {repeats} where verdict = 'conflict' and usage_date between {@first_day} and {@last_day}) as conflicts,
  (select ifnull(sum(rows_rejected), 0) from {objects} where state not in ('deleted', 'replaced', 'earlier') and (day is null or day between {@first_day} and {@last_day})) as rejected,
  (select count(*) from {objects} where state = 'failed' and (day is null or day between {@first_day} and {@last_day})) as failed,
  (select count(*) from {objects} where state = 'missing' and (day is null or day between {@first_day} and {@last_day})) as missing,
  ifnull(sum(d.records), 0) as records
from {daily_costs} as d
inner join {payers} as p on p.payer_id = d.payer_id
inner join {rulings} as r on r.ruling_id = d.ruling_id
where d.usage_date in ({@charged_days}) and d.billing_month between {@first_month} and {@last_month}
