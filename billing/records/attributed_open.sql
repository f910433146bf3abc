-- The days on which some record belongs to another cost centre, or by another rule,
-- than it says. Usage that may belong to several requests needs these to tell: each
-- of its days is listed.
select distinct f.usage_date
from {payers_found} as f
where f.ambiguous = 1 or f.rule_payer_id <> f.payer_id or f.rule_attribution <> f.attribution
order by f.usage_date
