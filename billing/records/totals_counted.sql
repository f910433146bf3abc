-- One row is a control total that counts. Of the objects of one source that tell the
-- same figure of the same bucket the newest counts; rows of one object add up, also
-- where they are alike. An export that is replaced as a whole has no such rivals: the
-- manifest drops its older objects.
-- Fed by: totals, objects.
select
  o.source,
  t.*
from {totals} as t
inner join {objects} as o on o.object_id = t.object_id
where t.bucket_date >= date '0001-01-01'
qualify t.period is not null or rank() over (
  partition by
    t.bucket_date, o.source, t.provider, t.account, t.project, t.key, t.principal, t.model, t.token_class, t.line_item,
    t.service_tier, t.region, t.bucket_start, t.bucket_end
  order by t.revision desc, t.object_id desc
) = 1
