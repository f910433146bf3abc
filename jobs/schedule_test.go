package jobs_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"chargeback/billing/manifest"
	"chargeback/billing/runs"
	"chargeback/jobs"
	"chargeback/transform/money"
)

// calendar is books of which only the windows count.
func calendar(t *testing.T, zone, start string) *books {
	t.Helper()
	c := newCompany(t)
	c.edit("chargeback.yaml", "billing_zone: Europe/Berlin, start: 2026-10-28", "billing_zone: "+zone+", start: "+start)
	b := open(t, c.dir, wiring{})
	for _, s := range b.Sources { // as a night would
		mark := manifest.SourceMark{Reading: manifest.ReadingOf(s.Format.Schema(), s.Reading), Place: s.Place}
		if err := b.Ledger.Apply(t.Context(), manifest.SetSourceMark(s.Name, mark, false)...); err != nil {
			t.Fatal(err)
		}
	}
	b.mayBeEmpty(october, "2026-11")
	return b
}

// ran notes in the ledger that windows ended, without running them.
func (b *books) ran(t *testing.T, state string, windows ...string) {
	t.Helper()
	for _, window := range windows {
		attempt, err := b.Ledger.Runs.Begin(t.Context(), window, time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		if state == runs.Running {
			continue
		}
		if err := b.Ledger.Runs.End(t.Context(), window, attempt, state, time.Unix(0, 0), time.Unix(0, 0), nil); err != nil {
			t.Fatal(err)
		}
	}
}

func (b *books) dueNights(t *testing.T, now time.Time) (days []string) {
	t.Helper()
	due, err := b.DueNights(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range due {
		days = append(days, d.String())
	}
	return days
}

func (b *books) dueMonths(t *testing.T, now time.Time) (months []string) {
	t.Helper()
	due, err := b.DueMonths(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range due {
		months = append(months, m.String())
	}
	return months
}

// Goal: no change of the clock skips a night or makes it due twice.
// Method: around each change, a night is due at the instant that is three
// hours after the end of its business day, and not a second before.
func TestNightsAroundClockChanges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		zone, start string
		due         [][2]string // business day and the instant at which it falls due
	}{
		{"Europe/Berlin", "2026-03-27", [][2]string{{"2026-03-27", "2026-03-28T02:00:00Z"}, {"2026-03-28", "2026-03-29T02:00:00Z"}, {"2026-03-29", "2026-03-30T01:00:00Z"}, {"2026-03-30", "2026-03-31T01:00:00Z"}}},
		{"Europe/Berlin", "2026-10-23", [][2]string{{"2026-10-23", "2026-10-24T01:00:00Z"}, {"2026-10-24", "2026-10-25T01:00:00Z"}, {"2026-10-25", "2026-10-26T02:00:00Z"}, {"2026-10-26", "2026-10-27T02:00:00Z"}}},
		{"America/New_York", "2026-03-06", [][2]string{{"2026-03-06", "2026-03-07T08:00:00Z"}, {"2026-03-07", "2026-03-08T08:00:00Z"}, {"2026-03-08", "2026-03-09T07:00:00Z"}, {"2026-03-09", "2026-03-10T07:00:00Z"}}},
		{"America/New_York", "2026-10-30", [][2]string{{"2026-10-30", "2026-10-31T07:00:00Z"}, {"2026-10-31", "2026-11-01T07:00:00Z"}, {"2026-11-01", "2026-11-02T08:00:00Z"}, {"2026-11-02", "2026-11-03T08:00:00Z"}}},
	} {
		t.Run(tt.zone+" "+tt.start, func(t *testing.T) {
			b := calendar(t, tt.zone, tt.start)
			var before []string
			for _, night := range tt.due {
				at := instant(night[1])
				equal(t, "due a second before "+night[1], before, b.dueNights(t, at.Add(-time.Second)))
				before = append(before, night[0])
				equal(t, "due at "+night[1], before, b.dueNights(t, at))
			}
		})
	}
}

func TestDueNights(t *testing.T) {
	t.Parallel()
	b := calendar(t, "Europe/Berlin", "2026-10-28")
	november := func(day int) time.Time { return time.Date(2026, 11, day, 12, 0, 0, 0, time.UTC) }
	equal(t, "long before the start", []string(nil), b.dueNights(t, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)))
	equal(t, "on the first day", []string(nil), b.dueNights(t, instant("2026-10-28T12:00:00Z")))
	b.ran(t, runs.Done, "nightly/2026-10-28", "nightly/2026-10-29", "nightly/2026-11-01", "monthly/2026-10")
	b.ran(t, runs.Failed, "nightly/2026-10-30")
	b.ran(t, runs.Running, "nightly/2026-10-31")
	equal(t, "after a gap, a failure and a crash", []string{"2026-10-30", "2026-10-31", "2026-11-02"}, b.dueNights(t, november(3)))
	b.ran(t, runs.Failed, "nightly/2026-10-29")
	equal(t, "a later failure undoes nothing", []string{"2026-10-30", "2026-10-31", "2026-11-02"}, b.dueNights(t, november(3)))
	b.ran(t, runs.Done, "nightly/2026-10-30", "nightly/2026-10-31", "nightly/2026-11-02")
	b.Sources = nil // what they hold makes the newest night due again
	equal(t, "caught up", []string(nil), b.dueNights(t, november(3)))
	equal(t, "after a long gap", 29, len(b.dueNights(t, november(30).AddDate(0, 0, 2))))
}

func TestDueMonths(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, zone, start, now string
		closed, want           []string
	}{
		{"before the start", "Europe/Berlin", "2026-10-28", "2020-01-01T00:00:00Z", nil, nil},
		{"month is over", "Europe/Berlin", "2026-10-28", "2026-11-01T12:00:00Z", nil, nil},
		{"a second before the close day", "Europe/Berlin", "2026-10-28", "2026-11-04T22:59:59Z", nil, nil},
		{"close day", "Europe/Berlin", "2026-10-28", "2026-11-04T23:00:00Z", nil, []string{"2026-10"}},
		{"close day in summer time", "Europe/Berlin", "2026-03-01", "2026-04-04T22:00:00Z", nil, []string{"2026-03"}},
		{"close day west of Greenwich", "America/New_York", "2026-10-28", "2026-11-05T05:00:00Z", nil, []string{"2026-10"}},
		{"a second before, west of Greenwich", "America/New_York", "2026-10-28", "2026-11-05T04:59:59Z", nil, nil},
		{"closed", "Europe/Berlin", "2026-10-28", "2026-11-20T00:00:00Z", []string{"2026-10"}, nil},
		{"after a gap", "Europe/Berlin", "2026-10-28", "2027-02-04T23:00:00Z", []string{"2026-11"}, []string{"2026-10", "2026-12", "2027-01"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := calendar(t, tt.zone, tt.start)
			for _, m := range tt.closed {
				if err := b.closed(t, month(m), nil); err != nil {
					t.Fatal(err)
				}
			}
			all := slices.Sorted(slices.Values(append(slices.Clone(tt.want), tt.closed...)))
			equal(t, "due while files are missing", all, b.dueMonths(t, instant(tt.now)))
			for _, m := range tt.closed {
				b.ran(t, runs.Done, jobs.DocumentsKind+"/"+m)
			}
			equal(t, "due", tt.want, b.dueMonths(t, instant(tt.now)))
		})
	}
}

func TestNightBeforeStart(t *testing.T) {
	t.Parallel()
	b := calendar(t, "Europe/Berlin", "2026-10-28")
	_, err := b.Nightly(t.Context(), date("2026-10-27"), instant("2026-10-28T06:00:00Z"))
	if err == nil || !strings.Contains(err.Error(), "nightly/2026-10-27: company.start is 2026-10-28") {
		t.Errorf("got %v", err)
	}
	equal(t, "runs", 0, int(query[int64](t, b, "select count(*) from {runs}")))
}

// Goal: a month is not closed before every night has run from which it still
// gets records, and the message says which is missing.
func TestNightsBeforeClose(t *testing.T) {
	t.Parallel()
	b := calendar(t, "Europe/Berlin", "2026-10-28")
	refused := func(want string) {
		t.Helper()
		_, err := b.Monthly(t.Context(), month(october), b.due(october))
		if !errors.Is(err, jobs.ErrGates) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	refused("7 nights up to 2026-11-03 were not run, first 2026-10-28; run `chargeback run nightly` first")
	b.ran(t, runs.Done, "nightly/2026-10-28", "nightly/2026-10-30", "nightly/2026-10-31", "nightly/2026-11-01", "nightly/2026-11-02")
	b.ran(t, runs.Failed, "nightly/2026-10-29")
	refused("2 nights up to 2026-11-03 were not run, first 2026-10-29")
	b.ran(t, runs.Done, "nightly/2026-10-29")
	refused("the night of 2026-11-03 was not run; run `chargeback run nightly` first")
	b.ran(t, runs.Done, "nightly/2026-11-03")
	if s := b.closing(t, october); len(s.Documents) != 1 || s.Documents[0].CostCenter != "CC-9000" || s.Hash == "" { // the shared cost
		t.Errorf("a month without a record closed as %+v", s)
	}
}

// Months are closed in their order, from the first that is accounted for.
func TestMonthsInTurn(t *testing.T) {
	t.Parallel()
	b := calendar(t, "Europe/Berlin", "2026-10-28")
	for d := date("2026-10-28"); d.Before(date("2026-12-31")); d = d.AddDays(1) {
		b.ran(t, runs.Done, jobs.NightlyWindow(d))
	}
	for _, step := range []struct{ month, refused string }{
		{"2026-09", "monthly/2026-09: company.start is 2026-10-28; nothing before it is accounted for"},
		{"2026-11", "monthly/2026-11: month can't be closed: 2026-10 is still open; close it first"},
		{"2026-10", ""},
		{"2026-11", ""},
		{"2026-10", ""}, // again
	} {
		_, err := b.Monthly(t.Context(), month(step.month), b.due(step.month))
		if got := fmt.Sprint(err); step.refused != "" && got != step.refused || step.refused == "" && err != nil {
			t.Errorf("%s: got %v, want %q", step.month, err, step.refused)
		}
	}
	equal(t, "closed", map[string]int{"2026-10": 1, "2026-11": 1}, b.counts(t, "select month, count(*) from {months} group by 1"))
}

// Goal: each gate stops the close in its own words, a waiver of the month lets
// that one gate pass and no other, and only as much as it covers; the documents
// print who waived it, how much and how much there was.
// Method: a month in which every gate fails, waived one after the other, first by
// less than was found.
func TestGates(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.ordinary(firstDay, lastDay)
	c.deliver(usageKey("2026-10-28T10:00:00Z", "mixed"),
		usage{id: "u-unpriced", at: clock("10-28 10:30:00"), model: "example.preview-v1:0", in: 10, out: 10},
		usage{id: "u-unpriced-2", at: clock("10-28 10:30:01"), model: "example.preview-v1:0", in: 10, out: 10},
		usage{id: "u-nobodys", at: clock("10-28 10:31:00"), in: 9800, out: 21},
		usage{id: "u-twice", at: clock("10-28 10:32:00"), in: 10, out: 10},
		usage{id: "u-twice", at: clock("10-28 10:32:00"), in: 11, out: 10})
	c.put(usageKey("2026-10-28T11:00:00Z", "broken-line"), zip([]byte("{\n")))
	c.put(usageKey("2026-10-28T11:00:00Z", "corrupt"), []byte{0x1f, 0x8b, 8, 0})
	b := open(t, c.dir, wiring{})
	b.nights(t, firstDay, lastDay)
	c.remove("data/litellm/2026-10-28/time-09-00-00-000000_2026-10-28-hit.json")
	b.nights(t, lastDay, lateDay)
	type gated struct {
		name, words     string
		count           int
		amount          string
		covers, missing string
	}
	gates := []gated{
		{"unpriced", "gate unpriced: records without a cost: 2; still waiting for usage: 0 (see `chargeback rejects held`)", 2, "0", "up to 2 records", "covers up to 1 record; found: 2 records"},
		{"conflicts", "gate conflicts: records that share an id and differ: 2 (see `chargeback rejects conflicts`)", 2, "0", "up to 2 records", "covers up to 1 record; found: 2 records"},
		{"unallocated", "gate unallocated: 0.010005 USD belong to nobody, more than unallocated_limit_usd 0.01", 0, "0.010005", "up to 0.010005 USD", "covers up to 0.010004999999 USD; found: 0.010005 USD"},
		{"rejects", "gate rejects: records rejected: 1 (see `chargeback rejects records`)", 1, "0", "up to 1 record", ""},
		{"missing", "gate missing: objects that can't be read: 1; gone from their source: 1 (see `chargeback status`)", 2, "0", "up to 2 objects", "covers up to 1 object; found: 2 objects"},
	}
	for waived := range len(gates) + 1 {
		if waived > 0 {
			g := gates[waived-1]
			w := jobs.Waiver{Month: month(october), Gate: g.name, By: "controller@example.com", Reason: "reason " + g.name, Count: g.count, AmountUSD: money.MustParse(g.amount)}
			if g.missing != "" {
				less := w
				less.Count, less.AmountUSD = max(w.Count-1, 0), w.AmountUSD.Sub(money.FromPico(int64(w.AmountUSD.Sign())))
				b.Month.Waivers = append(b.Month.Waivers, less)
				_, err := b.Monthly(t.Context(), month(october), b.due(october))
				if !errors.Is(err, jobs.ErrGates) || !strings.Contains(err.Error(), g.words) || !strings.Contains(err.Error(), "gate "+g.name+": the waiver of controller@example.com "+g.missing) {
					t.Errorf("waived by less: %v", err)
				}
				b.Month.Waivers = b.Month.Waivers[:len(b.Month.Waivers)-1]
			}
			b.Month.Waivers = append(b.Month.Waivers, jobs.Waiver{Month: month("2026-11"), Gate: gates[min(waived, len(gates)-1)].name, By: "nobody", Reason: "another month", Count: 1000}, w)
		}
		s, err := b.Monthly(t.Context(), month(october), b.due(october))
		if waived == len(gates) {
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "waived", len(gates), len(s.Waived))
			for _, w := range s.Waived {
				i := slices.IndexFunc(gates, func(g gated) bool { return g.name == w.Gate })
				equal(t, "bound of "+w.Gate, gates[i].covers, w.Bound)
				equal(t, "measured of "+w.Gate, strings.TrimPrefix(gates[i].covers, "up to "), w.Measured)
			}
			break
		}
		if !errors.Is(err, jobs.ErrGates) {
			t.Fatalf("with %d waivers the close gave %v", waived, err)
		}
		for i, g := range gates {
			if strings.Contains(err.Error(), g.words) != (i >= waived) {
				t.Errorf("with %d waivers, gate %s: %v", waived, g.name, err)
			}
		}
		equal(t, "months closed", 0, int(query[int64](t, b, "select count(*) from {months}")))
		equal(t, "documents", 0, len(filesOf(t, b.Month.Dir)))
	}
	issued, err := b.Ledger.Months.Issued(t.Context(), month(october))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range issued {
		for _, g := range gates {
			if !strings.Contains(d.Document, "reason "+g.name) {
				t.Errorf("%s does not print the waiver of %s", d.Number, g.name)
			}
		}
	}
}
