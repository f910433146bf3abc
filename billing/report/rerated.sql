-- A row for each record and side: as it stands, and as it would be.
with named as (
  select
    b.record_id,
    b.usage_date,
    b.payer_id as payer_before,
    p.payer_id as payer_after,
    ifnull(p.agent_id, '') as agent_id,
    ifnull(regexp_replace(e.price_key, '^[^/]*/', ''), m.model) as model,
    b.total_cost_usd as usd_before,
    {usd(p.llm_pico + p.infra_pico + p.tool_pico)} as usd_after
  from {as_they_stand} as b
  inner join {priced} as p on p.record_id = b.record_id and p.usage_date = b.usage_date
  inner join {meters} as m on m.meter_id = b.meter_id
  left join {rate_entries} as e on e.rate_id = b.rate_id
),
sides as (
  select
    usage_date,
    payer_before as payer_id,
    agent_id,
    model,
    0 as records,
    usd_before,
    if(usd_before is null, 1, 0) as held_before,
    cast(null as bignumeric) as usd_after,
    0 as held_after
  from named
  union all
  select
    usage_date,
    payer_after as payer_id,
    agent_id,
    model,
    1 as records,
    cast(null as bignumeric) as usd_before,
    0 as held_before,
    usd_after,
    if(usd_after is null, 1, 0) as held_after
  from named
)
select usage_date, payer_id, agent_id, model, records, usd_before, held_before, usd_after, held_after
from sides
