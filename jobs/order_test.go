package jobs_test

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"chargeback/cmd/chargeback/demo"
	"chargeback/extract/objstore"
	"chargeback/transform/civil"
)

// shuffled is a store that lists in another order than the one it wraps.
type shuffled struct{ objstore.Store }

// order gives a folder's order: always the same one, and hardly ever the sorted.
func order(folder string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(folder)) // never fails
	return rand.New(rand.NewPCG(h.Sum64(), 1))
}

func (s shuffled) Level(ctx context.Context, prefix string) ([]objstore.Object, []string, error) {
	objects, folders, err := s.Store.Level(ctx, prefix)
	r := order(prefix)
	r.Shuffle(len(objects), func(i, j int) { objects[i], objects[j] = objects[j], objects[i] })
	r.Shuffle(len(folders), func(i, j int) { folders[i], folders[j] = folders[j], folders[i] })
	return objects, folders, err
}

func (s shuffled) All(ctx context.Context, prefix string, yield func(objstore.Object) error) error {
	var objects []objstore.Object
	err := s.Store.All(ctx, prefix, func(o objstore.Object) error {
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
		{"out of order and again, listing shuffled", []int{3, 1, 6, 3, 2, 5, 4}, wiring{workers: 2, store: func(s objstore.Store) objstore.Store { return shuffled{s} }}},
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
