package jobs_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"chargeback/billing/runs"
	"chargeback/transform/civil"
)

// Goal: a clock that is behind the last run is told, with both times, and one that is
// not is left alone, also where no run ever was.
func TestClockBehind(t *testing.T) {
	t.Parallel()
	b := calendar(t, "UTC", "2026-10-28")
	at := instant("2026-11-02T08:00:00Z")
	check := func(now time.Time, isRight bool, want string) {
		t.Helper()
		err := b.CheckClock(t.Context(), now, isRight)
		if got := fmt.Sprint(err); want == "" && err != nil || want != "" && !strings.Contains(got, want) {
			t.Errorf("at %s: got %v, want %q", now, err, want)
		}
	}
	check(instant("1970-01-01T00:00:00Z"), false, "") // nothing to compare with
	if _, err := b.Ledger.Runs.Begin(t.Context(), "nightly/2026-11-01", at); err != nil {
		t.Fatal(err)
	}
	check(at, false, "")
	check(at.Add(-time.Hour), false, "")
	check(at.Add(-time.Hour-time.Second), false, "the clock says 2026-11-02 06:59 UTC, but the ledger's last run, nightly/2026-11-01, began at 2026-11-02 08:00 UTC")
	check(at.AddDate(1, 0, 0), false, "")
}

// What was run ahead of time is due again where the clock was ahead then.
func TestClockWasAhead(t *testing.T) {
	t.Parallel()
	b := calendar(t, "UTC", "2026-10-28")
	for day, at := range map[string]string{"2026-10-28": "2026-10-29T04:00:00Z", "2026-10-29": "2026-12-01T04:00:00Z", "2026-10-30": "2026-12-01T04:00:01Z"} {
		attempt, err := b.Ledger.Runs.Begin(t.Context(), "nightly/"+day, instant(at))
		if err == nil {
			err = b.Ledger.Runs.End(t.Context(), "nightly/"+day, attempt, runs.Done, instant(at), instant(at), nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	now := instant("2026-10-30T04:00:00Z")
	if err := b.CheckClock(t.Context(), now, false); err == nil {
		t.Error("nothing was told")
	}
	if err := b.CheckClock(t.Context(), now, true); err != nil {
		t.Error(err)
	}
	equal(t, "due", []string{"2026-10-29"}, b.dueNights(t, now))
	if err := b.CheckClock(t.Context(), now, false); err != nil {
		t.Error(err)
	}
}

// Goal: more nights without any object than may be stop the run, with nothing, with
// one object too few, and with a source that can't be read; nights with objects never do.
// Method: a gateway's folder with objects of some days, and nights up to a day.
func TestEmptyNights(t *testing.T) {
	t.Parallel()
	put := func(days ...string) func(company) {
		return func(c company) {
			for _, d := range days {
				c.log(request{id: d, at: d + "T12:00:00Z", provider: "openai", email: "user001@example.com", in: 1, out: 1})
			}
		}
	}
	const to = "2026-11-08" // twelve nights from the 28th on
	for _, tt := range []struct {
		name   string
		come   func(company)
		max    int
		broken int // place in the settings
		want   string
	}{
		{"nothing at all", put(), 10, 0, "12 daily runs are due at once, and 12 of them, 2026-10-28 to 2026-11-08, find no object in any source (empty_nights_max: 10); no object was ever read, and the clock says 2026-11-09 03:00 UTC. Nothing was run: correct the clock, or company.start (2026-10-28)"},
		{"one object", put("2026-10-30"), 10, 0, "11 of them, 2026-10-28 to 2026-10-29, 2026-10-31 to 2026-11-08, find no object in any source (empty_nights_max: 10); the newest object is of 2026-10-30 (source gateway)"},
		{"two objects", put("2026-10-30", "2026-11-02"), 10, 0, ""},
		{"two objects of one day", put("2026-10-30", "2026-10-30"), 10, 0, "11 of them"},
		{"no limit", put(), 0, 0, ""},
		{"fewer nights than may be empty", put(), 12, 0, ""},
		{"two objects, and a source that can't be read", put("2026-10-30", "2026-11-02"), 10, 1, ""},
		{"one object, and a source that can't be read", put("2026-10-30"), 10, 1, "(source gateway); what can't be read is not known: bedrock, and the clock says"},
		{"people alone", func(c company) { c.put("people.csv", []byte(companyPeople)) }, 10, 0, "12 of them"},
		{"an object without a day, written on the last", func(c company) {
			c.putAt("data/litellm/export.json", []byte("{}"), instant("2026-11-08T20:00:00Z"))
		}, 10, 0, ""},
		{"an object without a day, written on the second", func(c company) {
			c.putAt("data/litellm/export.json", []byte("{}"), instant("2026-10-29T20:00:00Z"))
		}, 9, 0, "10 of them, 2026-10-30 to 2026-11-08"},
		{"nothing but what is no data", func(c company) { c.put("data/litellm/2026-10-30/.DS_Store", []byte("x")) }, 10, 0, "12 of them"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCompany(t)
			tt.come(c)
			w, _ := breaking(tt.broken, false)
			b := open(t, c.dir, w)
			b.EmptyNightsMax = tt.max
			var due []civil.Date
			for d := date(firstDay); !date(to).Before(d); d = d.AddDays(1) {
				due = append(due, d)
			}
			err := b.CheckEmpty(t.Context(), b.morning(date(to)), due)
			if got := fmt.Sprint(err); tt.want == "" && err != nil || tt.want != "" && !strings.Contains(got, tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			equal(t, "runs", 0, int(query[int64](t, b, "select count(*) from {runs}")))
		})
	}
}

// Goal: a new ledger beside documents speaks, and one that has closed a month, that is
// told so, or that has none beside it does not.
func TestNewLedger(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, file string
		speaks     bool
	}{
		{"nothing", "", false},
		{"an invoice", "2026-09/CB-2026-09-00420-r0.pdf", true},
		{"a statement", "2026-09/SB-2026-09-CC5001-r0.csv", true},
		{"a journal", "2026-09/journal-2026-09.csv", true},
		{"a note", "2026-09/notes.csv", false},
		{"an invoice elsewhere", "old/CB-2026-09-00420-r0.pdf", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCompany(t)
			if tt.file != "" {
				c.put("invoices/"+tt.file, []byte("issued"))
			}
			b := open(t, c.dir, wiring{})
			err := b.CheckNew(t.Context(), false)
			if (err != nil) != tt.speaks || tt.speaks && !strings.Contains(err.Error(), tt.file+" was issued by another ledger") {
				t.Errorf("got %v", err)
			}
			for _, told := range []bool{true, false} {
				if err := b.CheckNew(t.Context(), told); err != nil {
					t.Errorf("told: %v", err)
				}
			}
		})
	}
	c := newCompany(t)
	c.put("invoices/2026-09/CB-2026-09-00420-r0.pdf", []byte("issued"))
	b := open(t, c.dir, wiring{})
	if err := b.closed(t, month(october), nil); err != nil {
		t.Fatal(err)
	}
	if err := b.CheckNew(t.Context(), false); err != nil {
		t.Errorf("with a closed month: %v", err)
	}
}
