package bigquery_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/bigquery"
	"chargeback/billing/warehouse/bigquery/bqtest"
)

// workers start together, each under a lease of its own or all under one, and
// stage twice into the same tables. They give what each ended with.
func workers(t *testing.T, strict *bqtest.Strict, n int, lease func(i int) string) []error {
	o := options(nowhere, strict)
	o.Sleep = nil
	migrated(t, open(t, o))
	ended := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			o := options(nowhere, strict)
			o.Sleep, o.Existing = nil, true
			o.Fence = bigquery.Fence{Lease: lease(i), Owner: fmt.Sprint("worker ", i), Generation: 1}
			ended[i] = work(t, o)
		})
	}
	all.Wait()
	return ended
}

func work(t *testing.T, o bigquery.Options) error {
	s, err := bigquery.Open(t.Context(), o)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if err := s.Migrate(t.Context(), layout); err != nil {
		return err
	}
	for range 2 {
		if err := s.Put(t.Context(), "fresh", facts.Columns, [][]any{{day, 1, nil, nil, nil}}); err != nil {
			return err
		}
		err := s.Apply(t.Context(),
			warehouse.Append{Table: "facts", From: "fresh"},
			warehouse.Append{Table: "numbers", Rows: [][]any{{1}}},
			warehouse.Guard{Count: warehouse.Select{Text: "select count(*) as n from {numbers} as n where n.id < 0"}})
		if err != nil {
			return err
		}
	}
	return nil
}

// Goal: a hundred workers that start together all finish, without one that waits
// for another; where they share a fence, they would meet.
// Method: jobs take 20 seconds, in time that passes by itself, and the strict
// server refuses what meets. Before, all leases stood in one table, and of a hundred
// workers thirty finished.
func TestWorkersStartTogether(t *testing.T) {
	for name, tt := range map[string]struct {
		n     int
		lease func(i int) string
		meet  bool
	}{
		"a fence a lease":   {100, func(i int) string { return fmt.Sprintf("shard-%d-of-100", i) }, false},
		"one fence for all": {30, func(int) string { return "shard" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				strict := bqtest.NewStrict(idle())
				strict.Takes = func(string) time.Duration { return 20 * time.Second }
				start := time.Now()
				for i, err := range workers(t, strict, tt.n, tt.lease) {
					if err != nil && !tt.meet {
						t.Errorf("worker %d: %v", i, err)
					}
				}
				refused := strings.Join(strict.Refused(), "\n")
				if took := time.Since(start); !tt.meet && (refused != "" || took > 10*time.Minute) {
					t.Errorf("took %s, and met: %.300s", took, refused)
				}
				if tt.meet && (!strings.Contains(refused, "due to concurrent update") || !strings.Contains(refused, "Too many DML statements outstanding")) {
					t.Errorf("workers under one lease met only %.300s", refused)
				}
			})
		})
	}
}

// Goal: workers under one lease, as of a night that was started ten times, wait in
// turn and all finish: what they are refused may pass.
func TestWorkersOfOneLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		strict := bqtest.NewStrict(idle())
		strict.Takes = func(string) time.Duration { return 5 * time.Second }
		for i, err := range workers(t, strict, 10, func(int) string { return "shard" }) {
			if err != nil {
				t.Errorf("worker %d: %v", i, err)
			}
		}
		if len(strict.Refused()) == 0 {
			t.Error("nobody met")
		}
	})
}
