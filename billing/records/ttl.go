package records

import (
	"cmp"
	"context"
	_ "embed" // texts of selects

	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
)

// CacheWrites are writes to the prompt cache in records of closed months of which a
// setting may decide how long they are kept, with the meters that occur there.
type CacheWrites struct {
	Seen   Seen
	writes []cacheWrite
}

type cacheWrite struct {
	meter          int64      `column:"-"`
	Asked, Metered string     // sources
	Charged        string     // TTL1h, TTL5m or "", which costs the same
	Day            civil.Date `column:"usage_date"`
}

//go:embed cache_writes.sql
var cacheWritesText string

// CacheWrites reads the cache writes of closed months.
func (l *Records) CacheWrites(ctx context.Context) (found CacheWrites, err error) {
	meters := map[int64]bool{}
	err = warehouse.Each(ctx, l.w, warehouse.Select{Name: "read cache writes of closed months", Text: cacheWritesText}, func(r struct {
		Meter
		cacheWrite
	}) error {
		if r.Charged == "matched" {
			return nil // no setting changes it
		}
		r.meter = r.ID
		found.writes = append(found.writes, r.cacheWrite)
		if !meters[r.ID] {
			meters[r.ID] = true
			found.Seen.Meters = append(found.Seen.Meters, r.Meter)
		}
		return nil
	})
	return found, err
}

// Anew lists the days of closed months on which some record wrote to the prompt
// cache for a time that the settings of references decide otherwise than when it
// was charged. Days on which that changes no amount are not among them.
func (found CacheWrites) Anew(refs References) (days []civil.Date) {
	ofSource, ofMeter := map[string]string{}, map[int64]string{}
	for _, c := range refs.CacheTTLs {
		if c.Source != "" {
			ofSource[c.Source] = c.TTL
		} else {
			ofMeter[c.Meter] = c.TTL
		}
	}
	for _, w := range found.writes {
		now := cmp.Or(ofSource[w.Asked], ofSource[w.Metered], ofMeter[w.meter])
		if (now == TTL1h) != (w.Charged == TTL1h) && (len(days) == 0 || days[len(days)-1] != w.Day) {
			days = append(days, w.Day)
		}
	}
	return days
}
