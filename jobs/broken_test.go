package jobs_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"chargeback/extract/store"
	"chargeback/jobs"
)

// unlisted is a store that can't be listed, or whose listing breaks below its first
// folder. It counts how often it was asked, which a
// walk does from several goroutines.
type unlisted struct {
	store.Store
	midway bool
	asked  *atomic.Int64
}

func (u unlisted) Level(ctx context.Context, prefix string) ([]store.Object, []string, error) {
	if u.asked.Add(1); u.midway && prefix == "" {
		return u.Store.Level(ctx, prefix)
	}
	return nil, nil, errRefused
}

func (u unlisted) All(context.Context, string, func(store.Object) error) error {
	u.asked.Add(1)
	return errRefused
}

// breaking wires the source in one place of the settings so that it can't be listed.
func breaking(place int, midway bool) (w wiring, asked *atomic.Int64) {
	asked = new(atomic.Int64)
	stores := 0
	w.store = func(s store.Store) store.Store {
		if stores++; stores == place {
			return unlisted{s, midway, asked}
		}
		return s
	}
	return w, asked
}

// brokenOf are the sources that a night names as broken.
func brokenOf(problems []jobs.Problem) (names []string) {
	for _, p := range problems {
		if p.Kind == jobs.KindBrokenSource {
			names = append(names, p.Source)
		}
	}
	return names
}

// Goal: a source that can't be listed leaves its part of the nights due and named; the
// others are charged as if it were not there, and once it can be listed the books are
// those of new ones, whichever source it was and since when.
// Method: nights are run while one source is broken, in books that may know it already;
// then it is there again.
func TestBrokenSource(t *testing.T) {
	t.Parallel()
	const last = "2026-11-05"
	for _, tt := range []struct {
		name   string
		place  int // in the settings
		source string
		midway bool
		from   string // first night that finds it broken
		spans  bool   // the broken nights are run at once
		others int    // calls that the other sources charge on 11-04
	}{
		{"the provider's log, from the first night on", 1, "bedrock", false, firstDay, false, 7},
		{"the provider's log, midway", 1, "bedrock", true, "2026-10-30", false, 7},
		{"the gateway", 2, "gateway", false, "2026-10-30", false, 4},
		{"the gateway, several nights at once", 2, "gateway", false, "2026-10-30", true, 4},
		{"the gateway, midway", 2, "gateway", true, "2026-10-29", true, 4},
		{"people", 3, "people", false, "2026-10-30", false, 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCompany(t)
			c.ordinary(firstDay, last)
			if tt.from != firstDay {
				b := open(t, c.dir, wiring{})
				b.nights(t, firstDay, date(tt.from).AddDays(-1).String())
				if err := b.Close(); err != nil {
					t.Fatal(err)
				}
			}
			w, asked := breaking(tt.place, tt.midway)
			b := open(t, c.dir, w)
			if tt.spans {
				equal(t, "broken", []string{tt.source}, brokenOf(b.span(t, tt.from, last).Problems))
			} else {
				for _, s := range b.nights(t, tt.from, last) {
					equal(t, "broken in "+s.Window, []string{tt.source}, brokenOf(s.Problems))
				}
			}
			if asked := asked.Load(); asked > 20 {
				t.Errorf("asked %d times in one run", asked)
			}
			now := b.morning(date(last))
			equal(t, "due", []string{last}, b.dueNights(t, now))
			equal(t, "records of 11-04", tt.others, int(query[int64](t, b, "select count(*) from {record_facts} where usage_date = date '2026-11-04'")))
			unread, err := b.UnreadSources(t.Context(), []string{"bedrock", "gateway", "people"})
			if err != nil {
				t.Fatal(err)
			}
			if len(unread) != 1 || unread[0].Source != tt.source || unread[0].Object != "since "+tt.from {
				t.Errorf("noted %+v", unread)
			}

			w, _ = breaking(tt.place, tt.midway) // another run, and it is broken still
			b = b.again(t, c.dir, w)
			equal(t, "broken", []string{tt.source}, brokenOf(b.night(t, date(last)).Problems))
			equal(t, "due", []string{last}, b.dueNights(t, now))

			b = b.again(t, c.dir, wiring{})
			equal(t, "due", []string{last}, b.dueNights(t, now))
			s := b.night(t, date(last))
			equal(t, "broken", []string(nil), brokenOf(s.Problems))
			equal(t, "due afterwards", []string(nil), b.dueNights(t, now))
			if unread, err = b.UnreadSources(t.Context(), []string{"bedrock", "gateway", "people"}); err != nil || len(unread) > 0 {
				t.Errorf("noted still: %+v, %v", unread, err)
			}
			same(t, c.inOneGo(firstDay, last).only(append(compared, "meta")...), b.state(t).only(append(compared, "meta")...))
		})
	}
}

// Goal: a month does not close while nobody knows what of it lies in a source, in the
// words of a gate, and what is waived for it counts in the next month.
// Method: the gateway breaks after its nights, with a request that came late; the
// month is waived; then the gateway is there again.
func TestBrokenSourceAtClose(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.ordinary(firstDay, lastDay)
	b := open(t, c.dir, wiring{})
	b.nights(t, firstDay, lateDay)
	c.log(request{id: "late", at: clock("10-28 12:00:00"), provider: "openai", email: "user001@example.com", agent: "helper", in: 1000, out: 100})
	w, _ := breaking(2, false)
	b = b.again(t, c.dir, w)
	waiver := jobs.Waiver{Month: month(october), Gate: "sources", By: "controller@example.com", Reason: "its disk is lost", Count: 1}
	for _, count := range []int{0, 1} {
		waiver.Count = count
		if b.Month.Waivers = nil; count > 0 {
			b.Month.Waivers = []jobs.Waiver{waiver}
		}
		s, err := b.Monthly(t.Context(), month(october), b.due(october))
		equal(t, "broken", []string{"gateway"}, brokenOf(s.Problems))
		if count == 0 {
			if want := "gate sources: source gateway can't be read\n"; !errors.Is(err, jobs.ErrGates) || !strings.Contains(err.Error(), want) {
				t.Fatalf("close gave %v, want %q", err, want)
			}
			equal(t, "months closed", 0, int(query[int64](t, b, "select count(*) from {months}")))
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "measured", "1 source: source gateway can't be read", s.Waived[0].Measured)
	}
	b = b.again(t, c.dir, wiring{})
	b.nights(t, "2026-11-04", "2026-12-03")
	b.closing(t, "2026-11")
	equal(t, "the late request", 1, int(query[int64](t, b, "select count(*) from {cost_records} where agent_request_id = 'late' and billing_month = '2026-11' and adjusts_month = '2026-10'")))
}

// Nobody is charged where people can't be read and nobody is known from before.
func TestNobodyKnown(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.ordinary(firstDay, firstDay)
	w, _ := breaking(3, false)
	b := open(t, c.dir, w)
	_, err := b.Nightly(t.Context(), date(firstDay), b.morning(date(firstDay)))
	if want := "nightly/2026-10-28: source people can't be read: connection reset; nobody is known from before, so all costs would belong to nobody"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
	equal(t, "due", []string{firstDay}, b.dueNights(t, b.morning(date(firstDay))))
}

// An empty second source of people is told, and those of the first count.
func TestSecondPeopleEmpty(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.ordinary(firstDay, firstDay)
	c.edit("chargeback.yaml", "prices: prices.yaml", "  - {name: idp, format: scim, url: \"file:users.json\"}\nprices: prices.yaml")
	b := open(t, c.dir, wiring{})
	s := b.night(t, date(firstDay))
	equal(t, "broken", []string{"idp"}, brokenOf(s.Problems))
	equal(t, "unallocated", 0, int(query[int64](t, b, "select count(*) from {cost_records} where cost_center = 'UNALLOCATED' and total_cost_usd > 0")))
	c.putAt("users.json", users("user001 00420", "user002 CC-1001", "user003 CC-5001"), atNight("2026-10-29"))
	b = b.again(t, c.dir, wiring{})
	equal(t, "due", []string{firstDay}, b.dueNights(t, b.morning(date(firstDay))))
	equal(t, "broken", []string(nil), brokenOf(b.night(t, date(firstDay)).Problems))
}

// Goal: what a source delivered while it was not in the settings, or while only older
// nights were run, is found when it is read again.
// Method: the gateway is taken out for some nights; then an old night is run first.
func TestSourceThatComesBack(t *testing.T) {
	t.Parallel()
	const gateway = `  - {name: gateway, format: litellm, url: "file:data/litellm", silent_after_days: 0}` + "\n"
	c := newCompany(t)
	c.ordinary(firstDay, "2026-11-08")
	b := open(t, c.dir, wiring{})
	b.nights(t, firstDay, "2026-10-29")
	settings, _ := c.get("chargeback.yaml")
	c.edit("chargeback.yaml", gateway, "")
	b = b.again(t, c.dir, wiring{})
	b.nights(t, "2026-10-30", "2026-11-08")
	c.put("chargeback.yaml", settings)
	b = b.again(t, c.dir, wiring{})
	equal(t, "due", []string{"2026-11-08"}, b.dueNights(t, b.morning(date("2026-11-08"))))
	s := b.night(t, date("2026-11-01"))
	for _, source := range s.Sources {
		if source.Name == "gateway" {
			equal(t, "why", "it was not read since 2026-10-30", source.Why)
		}
	}
	equal(t, "due", []string(nil), b.dueNights(t, b.morning(date("2026-11-08"))))
	same(t, c.inOneGo(firstDay, "2026-11-08").only(compared...), b.state(t).only(compared...))
}

// Goal: what people files bring counts with the next run, also where no night is due,
// and nothing that is read already makes a night due.
// Method: a people file, or exports, are changed by various hands after the nights.
func TestPeopleThatCame(t *testing.T) {
	t.Parallel()
	one, two := users("user001 00420", "user002 CC-1001"), users("user001 CC-1001", "user002 CC-1001")
	for _, tt := range []struct {
		name   string
		export bool
		come   func(company)
		due    bool
	}{
		{"nothing", false, func(company) {}, false},
		{"one row more", false, func(c company) {
			c.put("people.csv", []byte(companyPeople+"user009@example.com,People,CC-5001,2026-01-01,\n"))
		}, true},
		{"the file is gone", false, func(c company) { c.remove("people.csv") }, false},
		{"a file that can't be read", false, func(c company) { c.put("people.csv", []byte("email\n")) }, true},
		{"no export", true, func(company) {}, false},
		{"an export over the one before", true, func(c company) { c.putAt("users/idp.json", two, atNight("2026-10-30")) }, true},
		{"an export beside it", true, func(c company) { c.putAt("users/2026-10-29/idp.json", two, atNight("2026-10-29")) }, true},
		{"an export of an earlier day", true, func(c company) { c.putAt("users/2026-10-01/idp.json", two, atNight("2026-10-01")) }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCompany(t)
			if tt.export {
				c = scimCompany(t, "users")
				c.putAt("users/idp.json", one, atNight("2026-10-29"))
			}
			c.ordinary(firstDay, "2026-10-29")
			b := open(t, c.dir, wiring{})
			b.span(t, firstDay, "2026-10-29")
			tt.come(c)
			now, want := b.morning(date("2026-10-29")), []string(nil)
			if tt.due {
				want = []string{"2026-10-29"}
			}
			equal(t, "due", want, b.dueNights(t, now))
			b.night(t, date("2026-10-29"))
			if tt.name != "a file that can't be read" { // which is tried again until it can
				equal(t, "due afterwards", []string(nil), b.dueNights(t, now))
			}
		})
	}
}

// Reading the ledger that fails is no broken source: it ends the night.
func TestLedgerThatFailsWhileListing(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.ordinary(firstDay, firstDay)
	b := open(t, c.dir, wiring{})
	ctx, stop := context.WithCancel(t.Context())
	stop()
	s, err := b.Nightly(ctx, date(firstDay), b.morning(date(firstDay)))
	if !errors.Is(err, context.Canceled) || len(brokenOf(s.Problems)) > 0 {
		t.Errorf("got %v and %v", err, s.Problems)
	}
}

// Goal: a source that workers of a night can't read keeps no part from being done, and
// whoever makes the night, or a later run, takes in what they missed.
// Method: two workers without the gateway; the night is made with or without it.
func TestBrokenSourceOfShards(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]int{"there again for the night": 0, "broken for the night too": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCompany(t)
			c.ordinary(firstDay, firstDay)
			day := date(firstDay)
			for i := 1; i <= 2; i++ {
				w, _ := breaking(2, false)
				b := open(t, c.dir, w)
				s, all, err := b.StageShard(t.Context(), day, jobs.Shard{Index: i, Count: 2}, b.morning(day))
				if err != nil || all != (i == 2) {
					t.Fatalf("part %d: all parts there: %v, %v", i, all, err)
				}
				equal(t, "broken in "+s.Window, []string{"gateway"}, brokenOf(s.Problems))
				if err := b.Close(); err != nil {
					t.Fatal(err)
				}
			}
			w, _ := breaking(broken, false)
			b := open(t, c.dir, w)
			b.night(t, day)
			equal(t, "due again", broken > 0, len(b.dueNights(t, b.morning(day))) > 0)
			b = b.again(t, c.dir, wiring{})
			b.night(t, day)
			equal(t, "due", []string(nil), b.dueNights(t, b.morning(day)))
			same(t, c.inOneGo(firstDay, firstDay).only(compared...), b.state(t).only(compared...))
		})
	}
}
