package s3store

import (
	"fmt"
	"testing"
	"time"

	"chargeback/extract/store"
)

// Goal: who lists a range of names asks for the pages that hold them, and not for those
// before and behind.
// Method: a day's folder of 40 pages beside one of an hour each, listed by four ranges of
// as many names, on a day that is wanted whole and on one of which the first hours are.
func TestRangesAskForTheirPages(t *testing.T) {
	for _, lastHours := range []int{0, 5} {
		f := newFake()
		f.pageKeys = 50
		bucket := f.serve(t, "logs")
		for i := range 2000 {
			under{f, "logs/"}.Put(t, fmt.Sprintf("2026-10-31/time-%02d-00-00-%06d_x.json", i%5, i), []byte("{}"))
		}
		day := store.DayRange{First: time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC), Last: time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC), LastHours: lastHours}
		listed := func(names store.Names) (keys, pages int) {
			t.Helper()
			f.setFault(nil)
			_, err := store.WalkNames(t.Context(), bucket, day, names, func(store.Found) error {
				keys++
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return keys, len(f.requests) - 1 // without the one that finds the folder
		}
		if keys, pages := listed(store.Names{}); keys != 2000 || pages != 40 {
			t.Errorf("up to hour %d: all are %d keys of %d pages, want 2000 of 40", lastHours, keys, pages)
		}
		cuts := []string{"", "time-01-00-00-000501_x.json", "time-02-00-00-001002_x.json", "time-03-00-00-001503_x.json", ""}
		sum := 0
		for i := range 4 {
			keys, pages := listed(store.Names{After: cuts[i], Upto: cuts[i+1]})
			sum += keys
			if keys < 400 || keys > 600 || pages > keys/50+2 {
				t.Errorf("up to hour %d: range %d has %d keys of %d pages", lastHours, i+1, keys, pages)
			}
		}
		if sum != 2000 {
			t.Errorf("up to hour %d: the ranges have %d keys, want 2000", lastHours, sum)
		}
	}
}
