select distinct f.usage_date
from {payers_found} as f
inner join {payers} as c on c.payer_id = f.payer_id
inner join {payers} as y on y.payer_id = f.rule_payer_id
where f.ambiguous = 1
  or y.cost_center <> c.cost_center
  and if(f.rule_attribution = {@by_nobody}, {@by_last}, f.rule_attribution) <= if(f.attribution = {@by_nobody}, {@by_last}, f.attribution)
order by 1
