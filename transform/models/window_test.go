package models_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chargeback/billing/ledger/ledgertest"
	"chargeback/billing/records"
)

// Goal: the records of a day are the same in whatever window the day is made,
// also where ids chain rows of several days together.
// Method: each chain in one window of all days, and then day by day.
func TestWindows(t *testing.T) {
	const d1, d2, d3, d4 = "2026-03-27 22:00:00", "2026-03-28 20:00:00", "2026-03-29 18:00:00", "2026-03-30 16:00:00"
	tt := table{show: func(r costRecord, _ names) string { return fmt.Sprintf("%+v", r) }, worlds: []world{
		{
			name:     "a usage row and its request on neighbouring days",
			usage:    []usage{{RequestID: "u1", At: d1}},
			requests: []request{{ID: "r1", RequestID: "u1", At: d2}},
		},
		{
			name:     "the row that bears the fees is two days away",
			usage:    []usage{{Key: "u1", ClientRef: "r1", At: d1}, {Key: "u3", ClientRef: "r1", At: d3}},
			requests: []request{{ID: "r1", At: d2}},
		},
		{
			name:     "the row that makes its neighbour's request its own is ambiguous itself, three days away",
			usage:    []usage{{Key: "u2", ClientRef: "x", At: d2}, {Key: "u4", ClientRef: "x", At: d4}},
			requests: []request{{ID: "r1", ClientRef: "x", At: d1}, {ID: "r3", ClientRef: "x", At: d3}},
		},
		{
			name:     "a request that is two days from the one that makes it ambiguous",
			usage:    []usage{{RequestID: "u2", At: d2}},
			requests: []request{{ID: "r1", RequestID: "u2", At: d1}, {ID: "r3", RequestID: "u2", At: d3}},
		},
		{
			name:     "23 hours across the day on which clocks go forward",
			usage:    []usage{{RequestID: "u1", At: "2026-03-28 22:30:00"}},
			requests: []request{{ID: "r1", RequestID: "u1", At: "2026-03-29 21:30:00"}, {ID: "r2", RequestID: "u1", At: "2026-03-29 22:00:00"}},
		},
	}}
	b := openBooks(t)
	staged, called, owner := tt.staged()
	var whole, daily map[int][]string
	b.stage(staged)
	b.replace(plainBook(), lateUntil, days(firstDay, lastDay))
	whole = tt.results(b, called, owner)
	hash := b.hash()
	for day := ledgertest.Day(firstDay); !ledgertest.Day(lastDay).Before(day); day = day.AddDays(1) {
		b.replace(plainBook(), lateUntil, records.Days{First: day, Last: day})
	}
	daily = tt.results(b, called, owner)
	if b.hash() != hash {
		t.Error("day by day the ledger has another hash")
	}
	for i, w := range tt.worlds {
		t.Run(w.name, func(t *testing.T) {
			if diff := cmp.Diff(slices.Sorted(slices.Values(whole[i])), slices.Sorted(slices.Values(daily[i]))); diff != "" || len(whole[i]) < len(w.usage) {
				t.Errorf("records (-one window +day by day):\n%s", diff)
			}
		})
	}
}
