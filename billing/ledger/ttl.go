package ledger

import (
	"cmp"
	"context"
	"fmt"

	"chargeback/transform/civil"
)

// WrittenAnew lists the days of closed months on which some record wrote to the
// prompt cache for a time that the settings of references decide otherwise than
// when it was charged. Days on which that changes no amount are not among them.
func (l *Ledger) WrittenAnew(ctx context.Context, references func(Seen) (References, error)) (days []civil.Date, err error) {
	type write struct {
		asked, metered string // sources
		meter          int64
		charged        string // TTL1h, TTL5m or "", which costs the same
		day            civil.Date
	}
	var writes []write
	var seen Seen
	meters := map[int64]bool{}
	err = l.engine.Query(ctx, `
with standing as (
  select
    usage_date,
    meter_id,
    billing_month,
    usage_object_id,
    request_object_id,
    flags,
    row_number() over (partition by usage_date, record_id order by correction desc) as place
  from record_facts
  where usage_date >= @since and strpos(flags, 'ttl:') > 0
)
select distinct
  ifnull(q.source, ''),
  ifnull(u.source, ''),
  d.meter_id,
  d.provider,
  ifnull(d.account, ''),
  ifnull(d.region, ''),
  d.model,
  ifnull(d.service_tier, ''),
  case when strpos(s.flags, '`+FlagTTL1h+`') > 0 then '`+TTL1h+`' when strpos(s.flags, '`+FlagTTLMatched+`') > 0 then 'matched' else '' end,
  s.usage_date
from standing as s
inner join months as m on m.first_day = s.billing_month and m.state = 'closed'
inner join meters as d on d.meter_id = s.meter_id
left join objects as q on q.object_id = s.request_object_id
left join objects as u on u.object_id = s.usage_object_id
where s.place = 1
order by 10, 3, 1, 2, 9`, Args{"since": civil.Min}, func(r Row) error {
		w := write{r.Text(0), r.Text(1), r.Int(2), r.Text(8), r.Date(9)}
		if w.charged == "matched" {
			return nil // no setting changes it
		}
		writes = append(writes, w)
		if !meters[w.meter] {
			meters[w.meter] = true
			seen.Meters = append(seen.Meters, Meter{w.meter, r.Text(3), r.Text(4), r.Text(5), r.Text(6), r.Text(7), ""})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read cache writes of closed months: %w", err)
	}
	if len(writes) == 0 {
		return nil, nil
	}
	refs, err := references(seen)
	if err != nil {
		return nil, err
	}
	ofSource, ofMeter := map[string]string{}, map[int64]string{}
	for _, c := range refs.CacheTTLs {
		if c.Source != "" {
			ofSource[c.Source] = c.TTL
		} else {
			ofMeter[c.Meter] = c.TTL
		}
	}
	for _, w := range writes {
		now := cmp.Or(ofSource[w.asked], ofSource[w.metered], ofMeter[w.meter])
		if (now == TTL1h) != (w.charged == TTL1h) && (len(days) == 0 || days[len(days)-1] != w.day) {
			days = append(days, w.day)
		}
	}
	return days, nil
}
