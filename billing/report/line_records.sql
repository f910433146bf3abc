-- The records behind one line of a document.
select
  f.*,
  g.pricing,
  g.attribution,
  t.tools
from {record_facts} as f
inner join {rulings} as g on g.ruling_id = f.ruling_id
inner join {payers} as y on y.payer_id = f.payer_id
inner join {meters} as d on d.meter_id = f.meter_id
left join {rate_entries} as e on e.rate_id = f.rate_id
left join {tasks} as t on t.task_id = f.task_id
left join {callers} as c on c.caller_id = f.caller_id
left join {payers} as v on v.payer_id = f.adjusts_payer_id
left join {record_facts} as h
  on f.correction <> 0 and h.usage_date = f.usage_date and h.record_id = f.record_id and h.correction = 0 - f.correction
  and h.billing_month = f.billing_month and h.billing_month = {@first_of_month} and h.usage_date between {@first_day} and {@last_day}
left join {payers} as w on w.payer_id = ifnull(h.adjusts_payer_id, h.payer_id)
where f.usage_date between {@first_day} and {@last_day}
  and f.billing_month = {@first_of_month}
  and y.cost_center = {@cost_center}
  and ifnull(coalesce(t.agent_id, c.agent_id), '') = {@agent}
  and ifnull(regexp_replace(e.price_key, '^[^/]*/', ''), d.model) = {@model}
  and if(f.correction = 0, '', {month_of(f.usage_date)}) = {@adjusts}
  and (
    {@reason} = ''
    or f.pricing_note = {@reason}
    and ifnull(v.cost_center, '') = {@adjusts_code}
    and ifnull(nullif(w.cost_center, ifnull(v.cost_center, y.cost_center)), '') = {@counterpart}
    and ({@counterpart} = '' or (f.correction < 0) = {@reversed})
  )
