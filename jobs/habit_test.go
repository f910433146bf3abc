package jobs

import (
	"testing"

	"chargeback/billing/ledger"
	"chargeback/transform/civil"
)

// Goal: how long a source may be quiet follows from how it delivered before.
// Method: days with records and the nights that read them, of sources that deliver in
// different ways, beside another source.
func TestHabit(t *testing.T) {
	t.Parallel()
	day := func(n int) civil.Date { return civil.Date{Year: 2026, Mon: 9, Day: 1}.AddDays(n) }
	read := func(nights []int, lag int, days []int) (all, arrivals []ledger.SourceDay) {
		for _, n := range nights {
			arrivals = append(arrivals, ledger.SourceDay{Source: "a", Night: day(n)})
		}
		for _, d := range days {
			all = append(all, ledger.SourceDay{Source: "a", Night: day(d + lag), Day: day(d)})
		}
		return append(all, ledger.SourceDay{Source: "b", Night: day(50), Day: day(50)}), append(arrivals, ledger.SourceDay{Source: "b", Night: day(50)})
	}
	var month []int
	for d := range 30 {
		month = append(month, d)
	}
	for _, tt := range []struct {
		name   string
		nights []int
		lag    int
		days   []int
		last   int // newest day
		limit  int
	}{
		{"each day", []int{0, 1, 2, 3, 4}, 0, []int{0, 1, 2, 3, 4}, 4, 3},
		{"on weekdays", []int{0, 1, 2, 3, 6, 7, 8, 9, 10}, 0, []int{0, 1, 2, 3, 6, 7, 8, 9, 10}, 10, 5},
		{"once", []int{0}, 0, []int{0}, 0, 5},
		{"each day, four days late", []int{4, 5, 6}, 4, []int{0, 1, 2}, 2, 6},
		{"a month at once", []int{32}, 32 - 29, month, 29, 35},
		{"each week", []int{0, 7, 14}, 0, []int{0, 7, 14}, 14, 9},
		{"one file, written again each day without anything new", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 9, []int{0}, 0, 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			all, arrivals := read(tt.nights, tt.lag, tt.days)
			h := habitOf("a", all, arrivals)
			if h.last != day(tt.last) || h.limit() != tt.limit {
				t.Errorf("newest day %s, limit %d; want %s, %d", h.last, h.limit(), day(tt.last), tt.limit)
			}
		})
	}
	if h := habitOf("a", nil, nil); !h.last.IsZero() {
		t.Errorf("of no record: %v", h)
	}
}
