package jobs

import (
	"testing"

	"chargeback/billing/records"
	"chargeback/billing/runs"
	"chargeback/transform/civil"
)

// Goal: how long a source may be quiet follows from how it delivered before.
// Method: days with records and the nights that read them, of sources that deliver in
// different ways, beside another source.
func TestHabit(t *testing.T) {
	t.Parallel()
	day := func(n int) civil.Date { return civil.Date{Year: 2026, Mon: 9, Day: 1}.AddDays(n) }
	span := func(first, last int) (all []int) {
		for n := first; n <= last; n++ {
			all = append(all, n)
		}
		return all
	}
	own := func(days ...int) map[int][]int { // each read by its own night
		by := map[int][]int{}
		for _, d := range days {
			by[d] = []int{d}
		}
		return by
	}
	for _, tt := range []struct {
		name   string
		nights map[int][]int // days by the night that read them
		begins map[int]int   // nights that were run together: the first by the last
		seen   int           // night that first looked for the source
		last   int           // newest day
		limit  int
	}{
		{"each day", own(span(0, 4)...), nil, 0, 4, 3},
		{"on weekdays", own(0, 1, 2, 3, 6, 7, 8, 9, 10), nil, 0, 10, 5},
		{"once", own(0), nil, 0, 0, 5},
		{"each day, four days late", map[int][]int{4: {0}, 5: {1}, 6: {2}}, nil, 0, 2, 6},
		{"a month at once", map[int][]int{32: span(0, 29)}, nil, 0, 29, 35},
		{"two months, each at once", map[int][]int{31: span(0, 29), 61: span(30, 59)}, nil, 0, 59, 34},
		{"each week", own(0, 7, 14), nil, 0, 14, 9},
		{"each week, all its days", map[int][]int{6: span(0, 6), 13: span(7, 13), 20: span(14, 20)}, nil, 0, 20, 9},
		{"one file, written again each day without anything new", map[int][]int{0: nil, 1: nil, 2: nil, 3: nil, 4: nil, 5: nil, 6: nil, 7: nil, 8: nil, 9: {0}}, nil, 0, 0, 6},
		{"a backlog", map[int][]int{27: span(0, 27)}, map[int]int{27: 0}, 0, 27, 3},
		{"a backlog of three days", map[int][]int{2: span(0, 2)}, map[int]int{2: 0}, 0, 2, 3},
		{"a backlog that ends before its last night", map[int][]int{27: span(0, 17)}, map[int]int{27: 0}, 0, 17, 3},
		{"a backlog, then each day", map[int][]int{27: span(0, 27), 28: {28}, 29: {29}}, map[int]int{27: 0}, 0, 29, 3},
		{"a backlog of weekdays", map[int][]int{10: {0, 1, 2, 3, 6, 7, 8, 9, 10}}, map[int]int{10: 0}, 0, 10, 5},
		{"two backlogs", map[int][]int{9: span(0, 9), 29: span(10, 29)}, map[int]int{9: 0, 29: 10}, 0, 29, 3},
		{"of a source that was added later", map[int][]int{20: span(0, 20)}, nil, 20, 20, 3},
		{"added later, and a day late", map[int][]int{20: span(0, 19)}, nil, 20, 19, 4},
		{"all days read again by other settings", map[int][]int{20: span(0, 20)}, nil, 0, 20, 3},
		{"a pause of delivery, once, and all days after it", map[int][]int{0: {0}, 1: {1}, 2: {2}, 3: {3}, 4: {4}, 5: {5}, 11: span(6, 11), 12: {12}}, nil, 0, 12, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			other := records.SourceDay{Source: "b", Night: day(90), Day: day(90)}
			p := past{records: []records.SourceDay{other}, arrivals: []runs.Arrival{{Source: other.Source, Night: other.Night}}, begins: map[civil.Date]civil.Date{}, seen: map[string]civil.Date{"a": day(tt.seen)}}
			for night, days := range tt.nights {
				p.arrivals = append(p.arrivals, runs.Arrival{Source: "a", Night: day(night)})
				for _, d := range days {
					p.records = append(p.records, records.SourceDay{Source: "a", Night: day(night), Day: day(d)})
				}
			}
			for last, first := range tt.begins {
				p.begins[day(last)] = day(first)
			}
			h := p.habitOf("a")
			if h.last != day(tt.last) || h.limit() != tt.limit {
				t.Errorf("newest day %s, limit %d (%s); want %s, %d", h.last, h.limit(), h.why(), day(tt.last), tt.limit)
			}
		})
	}
	if h := (past{}).habitOf("a"); !h.last.IsZero() {
		t.Errorf("of no record: %v", h)
	}
}
