package jobs_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"chargeback/billing/warehouse"
	"chargeback/jobs"
)

// changed collects what is applied to the ledger.
type changed struct {
	warehouse.Warehouse
	mu      *sync.Mutex
	changes *[]warehouse.Change
}

func (c changed) Apply(ctx context.Context, changes ...warehouse.Change) error {
	c.mu.Lock()
	*c.changes = append(*c.changes, changes...)
	c.mu.Unlock()
	return c.Warehouse.Apply(ctx, changes...)
}

// notAppended are the changes which are more than appends.
func notAppended(changes []warehouse.Change) (found []string) {
	for _, c := range changes {
		switch c.(type) {
		case warehouse.Append, *warehouse.Loaded, warehouse.Guard:
		default:
			found = append(found, fmt.Sprintf("%T %+v", c, c))
		}
	}
	return found
}

// Goal: workers of a night only append, so that any number of them may write at once,
// and who makes the night does the rest.
// Method: after a night, objects come, can't be read, are rewritten, go and come back,
// and people are written anew. The changes of eight workers are collected, and those of
// who makes the night must hold updates, or the test would see none at all; the books
// are in the end those of one who made all nights alone.
func TestShardsOnlyAppend(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.ordinary("2026-10-28", "2026-10-29")
	bad := usageKey("2026-10-29T23:00:00Z", "bad")
	c.put(bad, []byte("no log"))
	gone := c.deliver(usageKey("2026-10-29T20:00:00Z", "gone"), usage{id: "u-gone", at: clock("10-29 12:00:00"), in: 1, out: 1})
	back := c.deliver(usageKey("2026-10-29T20:10:00Z", "back"), usage{id: "u-back", at: clock("10-29 12:00:00"), in: 1, out: 1})
	rewritten := c.deliver(usageKey("2026-10-29T20:20:00Z", "rewritten"), usage{id: "u-rewritten", at: clock("10-29 12:00:00"), in: 1, out: 1})
	broken := c.deliver(usageKey("2026-10-29T20:30:00Z", "broken"), usage{id: "u-broken", at: clock("10-29 12:00:00"), in: 1, out: 1})
	content, at := c.get(back)

	var changes []warehouse.Change
	b := open(t, c.dir, wiring{engine: func(w warehouse.Warehouse) warehouse.Warehouse { return changed{w, new(sync.Mutex), &changes} }})
	one := open(t, c.dir, wiring{ledger: c.dir + "/one.duckdb"})
	day := date("2026-10-29")
	b.night(t, date("2026-10-28"))
	one.night(t, date("2026-10-28"))
	c.remove(back)
	b.night(t, day)
	one.night(t, day)
	c.remove(gone)
	c.putAt(back, content, at)
	c.deliver(rewritten, usage{id: "u-rewritten", at: clock("10-29 12:00:00"), in: 2, out: 2})
	c.put(broken, []byte("no log"))
	c.put(bad, zip(usageLines(usage{id: "u-bad", at: clock("10-29 12:00:00"), in: 1, out: 1})))
	c.ordinary("2026-10-30", "2026-10-30")
	worse := zip(usageLines(usage{id: "u-worse", at: clock("10-30 12:00:00"), in: 1, out: 1}))
	c.put(usageKey("2026-10-30T20:00:00Z", "worse"), worse[:len(worse)-6]) // its end, with the sum, is cut off
	c.append("people.csv", "user004@example.com,Support,00420,2026-01-01,\n")

	day = day.AddDays(1)
	before := b.counts(t, "select state, count(*) from {objects} group by 1")
	const n = 8
	changes = nil
	read := 0
	for i := range n {
		s, all, err := b.StageShard(t.Context(), day, jobs.Shard{Index: i + 1, Count: n}, b.morning(day))
		if err != nil || all != (i == n-1) {
			t.Fatalf("part %d: all parts there: %v, %v", i+1, all, err)
		}
		for _, source := range s.Sources {
			read += source.Read
		}
	}
	equal(t, "changes of workers that are no appends", []string(nil), notAppended(changes))
	after := b.counts(t, "select state, count(*) from {objects} group by 1")
	equal(t, "objects that workers read or could not", read, after["read"]+after["failed"]-before["read"]-before["failed"])
	equal(t, "objects that could not be read", 1, after["failed"]-before["failed"])
	equal(t, "rows of those", 0, int(query[int64](t, b, "select count(*) from {usage} where object_id in (select object_id from {objects} where state = 'failed')")))
	equal(t, "windows begun and ended", map[string]int{"running": n, "done": n}, b.counts(t, "select state, count(*) from {runs} where run_window like 'shard/%' group by 1"))
	changes = nil
	b.night(t, day)
	if len(notAppended(changes)) == 0 {
		t.Error("who makes the night changed nothing either")
	}
	one.night(t, day)
	same(t, one.state(t).only(compared...), b.state(t).only(compared...))
}
