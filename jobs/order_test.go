package jobs_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"chargeback/cmd/chargeback/demo"
	"chargeback/extract/store"
	"chargeback/transform/civil"
)

// shuffled is a store that lists in another order than the one it wraps.
type shuffled struct{ store.Store }

// order gives a folder's order: always the same one, and hardly ever the sorted.
func order(folder string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(folder)) // never fails
	return rand.New(rand.NewPCG(h.Sum64(), 1))
}

func (s shuffled) Level(ctx context.Context, prefix string) ([]store.Object, []string, error) {
	objects, folders, err := s.Store.Level(ctx, prefix)
	r := order(prefix)
	r.Shuffle(len(objects), func(i, j int) { objects[i], objects[j] = objects[j], objects[i] })
	r.Shuffle(len(folders), func(i, j int) { folders[i], folders[j] = folders[j], folders[i] })
	return objects, folders, err
}

func (s shuffled) All(ctx context.Context, prefix string, yield func(store.Object) error) error {
	var objects []store.Object
	err := s.Store.All(ctx, prefix, func(o store.Object) error {
		objects = append(objects, o)
		return nil
	})
	if err != nil {
		return err
	}
	for _, i := range order(prefix).Perm(len(objects)) {
		if err := yield(objects[i]); err != nil {
			return err
		}
	}
	return nil
}

// Goal: the ledger follows from the inputs alone.
// Method: the demo's first six nights, whose mishaps include late usage, run
// with other orders of windows and listings and other numbers of workers.
func TestOrder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := demo.Write(dir, demo.Options{Month: october}); err != nil {
		t.Fatal(err)
	}
	var want state
	for _, tt := range []struct {
		name   string
		days   []int
		wiring wiring
	}{
		{"in order, one worker", []int{1, 2, 3, 4, 5, 6}, wiring{}},
		{"last night first, eight workers", []int{6, 5, 4, 3, 2, 1}, wiring{workers: 8, threads: 2}},
		{"out of order and again, listing shuffled", []int{3, 1, 6, 3, 2, 5, 4}, wiring{workers: 2, store: func(s store.Store) store.Store { return shuffled{s} }}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.wiring.ledger = filepath.Join(t.TempDir(), "ledger.duckdb")
			b := open(t, dir, tt.wiring)
			for _, n := range tt.days {
				b.night(t, civil.Date{Year: 2026, Mon: 10, Day: n})
			}
			got := b.state(t).only("hash", "records", "objects", "rejects", "repeats", "staged", "dirty", "meta", "known")
			if want == nil {
				want = got
			}
			if len(got["records"]) < 1000 {
				t.Errorf("only %d records to compare", len(got["records"]))
			}
			same(t, want, got)
		})
	}
}

// Goal: as TestOrder, for logs that nobody thought out.
// Method: calls at random times, most of them near midnight, whose usage comes
// at once, days later, twice or never; windows in their order and in another.
func TestRandomOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 2026))
			c := newCompany(t)
			for i := range 60 {
				c.randomCall(r, fmt.Sprint("call-", i))
			}
			windows := []string{"2026-10-28", "2026-10-29", "2026-10-30", "2026-10-31", "2026-11-01", "2026-11-02"}
			want := c.rebuilt(windows...).only(compared...)
			if len(want["records"]) < 60 {
				t.Errorf("only %d records to compare", len(want["records"]))
			}
			windows = append(windows, windows[r.IntN(len(windows))])
			r.Shuffle(len(windows), func(i, j int) { windows[i], windows[j] = windows[j], windows[i] })
			t.Log(windows)
			same(t, want, c.rebuilt(windows...).only(compared...))
		})
	}
}

// randomCall writes a call of one of the first three days.
func (c company) randomCall(r *rand.Rand, id string) {
	midnight := instant(local(date(firstDay).AddDays(1+r.IntN(3)), "00:00:00"))
	at := midnight.Add(time.Duration(r.IntN(4000)-2000) * time.Second)
	if r.IntN(3) == 0 {
		at = midnight.Add(-time.Duration(r.IntN(86_400)) * time.Second)
	}
	call := request{
		id: id, at: at.Format(time.RFC3339), agent: "helper", email: fmt.Sprintf("user00%d@example.com", r.IntN(5)), in: r.IntN(5000), out: 1 + r.IntN(500),
		failed: r.IntN(10) == 0, cacheHit: r.IntN(10) == 0,
	}
	ref := id
	if r.IntN(2) == 0 {
		call.usageID, ref = "u-"+id+"-0", ""
	}
	c.log(call)
	for i := range []int{0, 1, 1, 1, 1, 2}[r.IntN(6)] {
		metered := at.Add(time.Duration(r.IntN(60)-20) * time.Second)
		delivered := metered.Add([]time.Duration{time.Minute, time.Minute, time.Hour, 30 * time.Hour, 74 * time.Hour, 98 * time.Hour}[r.IntN(6)])
		record := usage{id: fmt.Sprintf("u-%s-%d", id, i), ref: ref, at: metered.Format(time.RFC3339), in: call.in, out: call.out}
		c.deliver(usageKey(delivered.Format(time.RFC3339), record.id), record)
		if r.IntN(8) == 0 {
			c.deliver(usageKey(delivered.Add(time.Hour).Format(time.RFC3339), record.id+"-again"), record)
		}
	}
}
