package jobs_test

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"chargeback/billing/records"
	"chargeback/jobs"
	"chargeback/transform/civil"
)

// calls reads the records of one call: what was charged and by what ruling.
func (b *books) call(t testing.TB, id string) []string {
	t.Helper()
	return b.lines(t, "select usage_date, billing_month, correction, match, pricing, total_cost_usd from {cost_records} where agent_request_id = '"+id+"' or provider_request_id = 'u-"+id+"' order by all")
}

// rebuilt is the state of new books over the company's folder as it is now,
// after the given nights.
func (c company) rebuilt(nights ...string) state {
	c.t.Helper()
	b := open(c.t, c.dir, wiring{ledger: filepath.Join(c.t.TempDir(), "ledger.duckdb")})
	for _, d := range nights {
		b.night(c.t, date(d))
	}
	return b.state(c.t)
}

// Goal: usage that comes late replaces the estimate that stood in for it, or what
// was held because the provider's log covers its day, and
// is charged once, also where a call and its usage lie on both sides of midnight.
// Method: one call whose usage is delivered after some days; the ledger must
// be the one of new books that find everything in its place.
func TestLateUsage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name           string
		asked, metered string // local times of the request and of its usage
		delivered      string // UTC
		on, then       string // nights: before the usage comes, and when it comes
		interim, want  string
	}{
		{"two days late", "10-28 12:00:00", "10-28 12:00:01", "2026-10-30T12:00:00Z", "2026-10-29", "2026-10-30",
			"2026-10-28 2026-10 0 agent_only pending <nil>\n", "2026-10-28 2026-10 0 matched priced 0.0061\n"},
		{"ten days late", "10-28 12:00:00", "10-28 12:00:01", "2026-11-07T12:00:00Z", "2026-10-31", "2026-11-07",
			"2026-10-28 2026-10 0 agent_only doubtful <nil>\n", "2026-10-28 2026-10 0 matched priced 0.0061\n"},
		{"ten days late, metered after midnight", "10-28 23:59:59", "10-29 00:00:00", "2026-11-07T12:00:00Z", "2026-10-31", "2026-11-07",
			"2026-10-28 2026-10 0 agent_only doubtful <nil>\n", "2026-10-29 2026-10 0 matched priced 0.0061\n"},
		{"ten days late, metered before midnight", "10-29 00:00:00", "10-28 23:59:59", "2026-11-07T12:00:00Z", "2026-11-01", "2026-11-07",
			"2026-10-29 2026-10 0 agent_only estimated 0.0061\n", "2026-10-28 2026-10 0 matched priced 0.0061\n"},
		{"as late as days are made again, metered after midnight", "10-28 23:59:59", "10-29 00:00:00", "2026-11-01T12:00:00Z", "2026-10-31", "2026-11-01",
			"2026-10-28 2026-10 0 agent_only doubtful <nil>\n", "2026-10-29 2026-10 0 matched priced 0.0061\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCompany(t)
			c.call("on-time", "2026-10-28T09:00:00Z", "user002@example.com", 500, 50)
			c.log(request{id: "late", at: clock(tt.asked), usageID: "u-late", email: "user001@example.com", agent: "helper", in: 1000, out: 1000})
			b := open(t, c.dir, wiring{})
			b.night(t, date(tt.on))
			equal(t, "before", []string{tt.interim}, b.call(t, "late"))
			c.deliver(usageKey(tt.delivered, "late"), usage{id: "u-late", at: clock(tt.metered), in: 1000, out: 1000})
			b.night(t, date(tt.then))
			equal(t, "after", []string{tt.want}, b.call(t, "late"))
			same(t, c.rebuilt(tt.then, tt.on).only("hash", "records"), b.state(t).only("hash", "records"))
		})
	}
}

// clock is a local time of 2026, written 10-28 12:00:00, as RFC 3339 in UTC.
func clock(s string) string { return local(date("2026-"+s[:5]), s[6:]) }

// Goal: an estimate that a closed month charged is taken back where the
// provider's log of its day comes after all and may hold its usage, so that the
// call is charged once, whether or not the two have an id in common.
// Method: a day without a log is closed; its log comes in November with usage
// that no id leads to, in one that looks like the request and in one that doesn't.
func TestLogAfterClose(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, at string
		in       int
		call     []string
	}{
		{"that looks like the request", "10-30 12:00:01", 1000, []string{
			"2026-10-30 2026-10 0 agent_only estimated 0.0061\n", "2026-10-30 2026-11 -1 agent_only estimated -0.0061\n", "2026-10-30 2026-11 1 matched priced 0.0061\n",
		}},
		{"that looks otherwise", "10-30 15:00:01", 2000, []string{
			"2026-10-30 2026-10 0 agent_only estimated 0.0061\n", "2026-10-30 2026-11 -1 agent_only estimated -0.0061\n", "2026-10-30 2026-11 1 provider_only priced 0.0071\n",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCompany(t)
			c.edit("chargeback.yaml", `unallocated_limit_usd: "0.01"`, `unallocated_limit_usd: "1.00"`)
			c.ordinary(firstDay, "2026-10-29")
			c.log(request{id: "late", at: clock("10-30 12:00:00"), email: "user001@example.com", agent: "helper", in: 1000, out: 1000})
			b := open(t, c.dir, wiring{})
			b.nights(t, firstDay, lateDay)
			b.closing(t, october)
			closed := b.monthHash(t, october)
			c.deliver(usageKey("2026-11-06T12:00:00Z", "log"), usage{id: "u-late", at: clock(tt.at), in: tt.in, out: 1000})
			b.night(t, date("2026-11-06"))
			equal(t, "the call", tt.call, b.call(t, "late"))
			before := b.state(t)
			b.night(t, date("2026-10-30"))
			same(t, before, b.state(t))
			equal(t, "closed month", closed, b.monthHash(t, october))
		})
	}
}

// ofOctober is a day counted from the first of October: 33 is 2026-11-02.
func ofOctober(n string) civil.Date {
	days, err := strconv.Atoi(n)
	if err != nil {
		panic(err) // a test's own constant
	}
	return date("2026-10-01").AddDays(days - 1)
}

// Goal: a request no longer waits for its usage once that is late_days old,
// whichever nights were run.
// Method: of the nights behind a request without usage some are skipped, among
// them the one that was to price it; the state must be that of new books which
// had all of them.
func TestEstimateOfASkippedNight(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, run string }{
		{"none", "28 29 30 31 32 33 34 35"},
		{"the one that it falls due in", "28 29 30 33 35"},
		{"all but the first and the last", "28 37"},
		{"run later", "28 29 30 35 31 32"},
		{"in one go behind a gap", "28 36-37"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCompany(t)
			c.log(request{id: "alone", at: clock("10-28 12:00:00"), email: "user001@example.com", agent: "helper", in: 1000, out: 1000})
			b := open(t, c.dir, wiring{})
			for i, run := range strings.Fields(tt.run) {
				first, last, span := strings.Cut(run, "-")
				if !span {
					last = first
				}
				nights := records.Days{First: ofOctober(first), Last: ofOctober(last)}
				if _, err := b.Nights(t.Context(), nights, b.morning(nights.Last)); err != nil {
					t.Fatal(err)
				}
				if i == 0 {
					equal(t, "at first", []string{"2026-10-28 2026-10 0 agent_only pending <nil>\n"}, b.call(t, "alone"))
				}
			}
			equal(t, "at last", []string{"2026-10-28 2026-10 0 agent_only estimated 0.0061\n"}, b.call(t, "alone"))
			same(t, c.inOneGo(firstDay, "2026-11-06").only("hash", "records"), b.state(t).only("hash", "records"))
		})
	}
}

// span runs the windows from first to last in one go.
func (b *books) span(t testing.TB, first, last string) jobs.NightlySummary {
	t.Helper()
	s, err := b.nightAndMessages(t.Context(), records.Days{First: date(first), Last: date(last)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// inOneGo is the state of new books after the nights from first to last.
func (c company) inOneGo(first, last string) state {
	c.t.Helper()
	b := open(c.t, c.dir, wiring{ledger: filepath.Join(c.t.TempDir(), "ledger.duckdb")})
	b.span(c.t, first, last)
	return b.state(c.t)
}

// Goal: what the shipper of a source held back while it delivered nothing is charged
// by the night in which it comes, however long that was, as far as its month is open.
// Method: the gateway is quiet from the month's end on; what it has of the 2nd comes on
// the 11th, with the month before open still, or closed.
func TestQuietSourceComesBack(t *testing.T) {
	for _, closed := range []bool{false, true} {
		t.Run(fmt.Sprintf("month before closed: %t", closed), func(t *testing.T) {
			t.Parallel()
			c := newCompany(t)
			c.ordinary(firstDay, lastDay)
			b := open(t, c.dir, wiring{})
			b.nights(t, firstDay, lateDay)
			if closed {
				b.closing(t, october)
			}
			b.nights(t, date(lateDay).AddDays(1).String(), "2026-11-10")
			c.log(request{id: "held-back", at: clock("11-02 12:00:00"), provider: "openai", email: "user001@example.com", agent: "helper", in: 1000, out: 100})
			b = b.again(t, c.dir, wiring{})
			s := b.night(t, date("2026-11-11"))
			read := 0
			for _, source := range s.Sources {
				read += source.Read
			}
			equal(t, "objects read", 1, read)
			equal(t, "its records", 1, len(b.call(t, "held-back")))
		})
	}
}
