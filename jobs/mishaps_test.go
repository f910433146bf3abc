package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"chargeback/extract/store"
	"chargeback/jobs"
)

// problemsOf lists the objects that a night complains about, and in how many words.
func problemsOf(s jobs.NightlySummary) (keys []string) {
	for _, p := range s.Problems {
		keys = append(keys, p.Source+" "+p.Object)
	}
	return keys
}

// inSource is an object's key as its source and the manifest have it.
func inSource(key string) string {
	return strings.TrimPrefix(strings.TrimPrefix(key, "data/bedrock/"), "data/litellm/")
}

// compared is what must not depend on how the inputs came to be what they are.
var compared = []string{"hash", "records", "objects", "rejects", "repeats", "staged", "dirty"}

// Goal: an object that can't be read counts nothing and hides nothing, and a
// good one in its place counts as if it had always been there.
// Method: spoil an object of several records before its night, look, run the
// next night, mend the object, run the night again.
func TestUnreadableObject(t *testing.T) {
	t.Parallel()
	records := []usage{
		{id: "u-a", at: "2026-10-28T08:00:00Z", in: 1000, out: 100}, {id: "u-b", at: "2026-10-28T08:00:10Z", in: 2000, out: 200}, {id: "u-c", at: "2026-10-28T08:00:20Z", in: 3000, out: 300},
	}
	good := zip(usageLines(records...))
	flipped := append([]byte(nil), good...)
	flipped[len(flipped)-6] ^= 0xff // in the checksum
	for name, spoilt := range map[string][]byte{
		"truncated":           good[:len(good)-20],
		"corrupt":             flipped,
		"second part corrupt": append(zip(usageLines(records[:2]...)), flipped...),
	} {
		t.Run(name, func(t *testing.T) {
			c := newCompany(t)
			c.ordinary("2026-10-28", "2026-10-29")
			key := c.put(usageKey("2026-10-28T08:01:00Z", "several"), spoilt)
			b := open(t, c.dir, wiring{})
			for _, day := range []string{"2026-10-28", "2026-10-29"} { // each night that lists it tries again
				s := b.night(t, date(day))
				equal(t, "problems", []string{"bedrock " + inSource(key)}, problemsOf(s))
				if !strings.Contains(s.Problems[0].What, "none of it counts") {
					t.Errorf("problem says %q", s.Problems[0].What)
				}
			}
			equal(t, "usage of the object", 0, int(query[int64](t, b, "select count(*) from {usage} where provider_request_id in ('u-a', 'u-b', 'u-c')")))
			equal(t, "usage of the others", 8, int(query[int64](t, b, "select count(*) from {usage}")))
			equal(t, "objects", map[string]int{"read": 8 + 14 + 1, "failed": 1}, b.counts(t, "select state, count(*) from {objects} group by 1"))
			if _, err := b.Monthly(t.Context(), month(october), b.due(october)); !errors.Is(err, jobs.ErrGates) {
				t.Errorf("close gave %v", err)
			}

			c.put(key, good)
			s := b.night(t, date("2026-10-29"))
			equal(t, "problems after it was mended", []string(nil), problemsOf(s))
			equal(t, "failed objects", 0, int(query[int64](t, b, "select count(*) from {objects} where state = 'failed'")))
			equal(t, "usage of the object", 3, int(query[int64](t, b, "select count(*) from {cost_records} where provider_request_id in ('u-a', 'u-b', 'u-c')")))
			same(t, c.rebuilt("2026-10-29").only(compared...), b.state(t).only(compared...))
		})
	}
}

// refusing is a store that can't open some objects until it is told to.
type refusing struct {
	store.Store
	name   string
	mended *bool
}

var errRefused = errors.New("connection reset")

func (r refusing) Open(ctx context.Context, o store.Object) (io.ReadCloser, error) {
	if strings.Contains(o.Key, r.name) && !*r.mended {
		return nil, errRefused
	}
	return r.Store.Open(ctx, o)
}

// An object that could not be fetched once is fetched by the next night,
// although it is the same version.
func TestFetchFailsOnce(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.ordinary("2026-10-28", "2026-10-29")
	mended := false
	b := open(t, c.dir, wiring{store: func(s store.Store) store.Store { return refusing{s, "2026-10-28-1", &mended} }})
	s := b.night(t, date("2026-10-28"))
	if len(s.Problems) != 2 || !strings.Contains(s.Problems[0].What, errRefused.Error()) {
		t.Errorf("problems %v, want one of each side", s.Problems)
	}
	mended = true
	s = b.night(t, date("2026-10-29"))
	equal(t, "problems", []string(nil), problemsOf(s))
	same(t, c.rebuilt("2026-10-29").only(compared...), b.state(t).only(compared...))
}

func (r refusing) Level(ctx context.Context, prefix string) ([]store.Object, []string, error) {
	if r.name == "listing" && !*r.mended {
		return nil, nil, errRefused
	}
	return r.Store.Level(ctx, prefix)
}

// Goal: an object that is written again stands for itself alone: its old rows
// go, its new rows come, and the days of both are made anew.
// Method: an object with late usage is changed by various hands after its
// night; the days of its records lie before the trailing days of the next.
func TestRewrittenObject(t *testing.T) {
	t.Parallel()
	first := []usage{
		{id: "u-2026-10-28-1", at: clock("10-28 09:30:00"), in: 2000, out: 228}, // also delivered in time, in an object of its own
		{id: "u-late", at: clock("10-28 12:00:00"), in: 1000, out: 100},
		{id: "u-later", at: clock("10-29 12:00:00"), in: 1000, out: 100},
	}
	key := usageKey("2026-11-03T12:00:00Z", "late")
	for _, tt := range []struct {
		name   string
		change func(company)
	}{
		{"touched", func(c company) { c.deliver(key, first...) }},
		{"other records", func(c company) {
			c.deliver(key, usage{id: "u-later", at: clock("10-29 12:00:00"), in: 5000, out: 100}, usage{id: "u-new", at: clock("10-30 12:00:00"), in: 1, out: 1})
		}},
		{"emptied", func(c company) { c.deliver(key) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCompany(t)
			c.ordinary("2026-10-28", "2026-10-28")
			c.deliver(key, first...)
			b := open(t, c.dir, wiring{})
			b.night(t, date("2026-10-28"))
			b.night(t, date("2026-11-03"))
			before := b.state(t)
			tt.change(c)
			s := b.night(t, date("2026-11-04"))
			equal(t, "objects replaced", 1, s.Sources[0].Replaced)
			if !strings.HasPrefix(s.Days[0], "2026-10-28..") {
				t.Errorf("days made anew: %s", s.Days)
			}
			equal(t, "problems", []string(nil), problemsOf(s))
			got := b.state(t)
			same(t, c.rebuilt("2026-11-04", "2026-10-28").only(compared...), got.only(compared...))
			if (tt.name == "touched") != (got["hash"][0] == before["hash"][0]) {
				t.Errorf("hash was %s and is %s", before["hash"], got["hash"])
			}
		})
	}
}

// An object that gets other content and then its first again, as the same
// version, is what it was.
func TestWrittenBack(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.ordinary("2026-10-28", "2026-10-28")
	b := open(t, c.dir, wiring{})
	b.night(t, date("2026-10-28"))
	before := b.state(t)
	key := usageKey("2026-10-28T08:31:00Z", "2026-10-28-1")
	content, changed := c.get(key)
	c.deliver(key, usage{id: "u-other", at: "2026-10-28T08:30:00Z", in: 1, out: 1})
	b.night(t, date("2026-10-28"))
	for range 2 {
		c.putAt(key, content, changed)
		equal(t, "problems", []string(nil), problemsOf(b.night(t, date("2026-10-28"))))
		same(t, before.only(compared...), b.state(t).only(compared...))
		c.deliver(key, usage{id: "u-another", at: "2026-10-28T08:30:00Z", in: 1, out: 1})
		b.night(t, date("2026-10-28"))
	}
}

// Goal: a version that can't be read takes nothing away: what was read before
// counts, the night says so, and the month is not closed on it.
// Method: spoil objects that were read, run their night, mend them in two ways.
func TestUnreadableRewrite(t *testing.T) {
	t.Parallel()
	key := usageKey("2026-10-28T08:31:00Z", "2026-10-28-1")
	for _, tt := range []struct {
		name, key, problem string
		spoil              func(c company, content []byte)
		other              []byte // good content that the mended object may have
	}{
		{"people file without its header", "people.csv", "people people.csv", func(c company, content []byte) { c.put("people.csv", content[10:]) },
			[]byte(strings.Replace(companyPeople, "user001@example.com,Support,00420", "user001@example.com,Engineering,CC-1001", 1))},
		{"log cut short", key, "bedrock " + inSource(key), func(c company, content []byte) { c.put(key, content[:len(content)-9]) },
			zip(usageLines(usage{id: "u-2026-10-28-1", at: clock("10-28 09:30:00"), in: 7, out: 7}))},
		{"log spoilt after its first record", key, "bedrock " + inSource(key), func(c company, content []byte) {
			c.put(key, append(zip(usageLines(usage{id: "u-phantom", at: clock("10-29 09:30:00"), in: 9, out: 9})), content[:len(content)-1]...))
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCompany(t)
			c.ordinary("2026-10-28", "2026-10-29")
			b := open(t, c.dir, wiring{})
			b.nights(t, "2026-10-28", "2026-10-29")
			before := b.state(t)
			content, changed := c.get(tt.key)
			tt.spoil(c, content)
			s := b.night(t, date("2026-10-29"))
			equal(t, "problems", []string{tt.problem}, problemsOf(s))
			if !strings.Contains(s.Problems[0].What, "the version before still count") {
				t.Errorf("problem says %q", s.Problems[0].What)
			}
			parts := []string{"hash", "records", "staged", "alerts", "outbox", "dirty", "meta"}
			same(t, before.only(parts...), b.state(t).only(parts...))
			g, err := b.Ledger.Months.Gates(t.Context(), month(october))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "objects missing by the gate", 1, int(g.Missing))

			c.putAt(tt.key, content, changed)
			equal(t, "problems after it was put back", []string(nil), problemsOf(b.night(t, date("2026-10-29"))))
			same(t, before, b.state(t))
			if tt.other == nil {
				return
			}
			tt.spoil(c, content)
			b.night(t, date("2026-10-29"))
			c.put(tt.key, tt.other)
			equal(t, "problems after it was mended", []string(nil), problemsOf(b.night(t, date("2026-10-29"))))
			same(t, c.rebuilt("2026-10-29").only(compared...), b.state(t).only(compared...))
		})
	}
}

// Goal: what disappears from a source is said, not hidden; what it said stays
// charged; and once it is back nothing is left of the matter.
// Method: delete an object after its night, run its window and the month's
// close, put it back in two ways, run both again.
func TestDeletedObject(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.ordinary(firstDay, lastDay)
	b := open(t, c.dir, wiring{})
	b.nights(t, firstDay, lateDay)
	before := b.state(t)

	key := usageKey("2026-10-29T08:31:00Z", "2026-10-29-1")
	content, changed := c.get(key)
	for _, tt := range []struct {
		name    string
		restore func()
	}{
		{"restored as it was", func() { c.putAt(key, content, changed) }},
		{"written again", func() { c.put(key, content) }},
	} {
		c.remove(key)
		for range 2 { // said each time, not only when it is noticed
			s := b.night(t, date("2026-10-29"))
			equal(t, "problems", []string{"bedrock " + inSource(key)}, problemsOf(s))
			if !strings.Contains(s.Problems[0].What, "gone from the source") {
				t.Errorf("problem says %q", s.Problems[0].What)
			}
		}
		same(t, before.only("hash", "records", "staged", "outbox"), b.state(t).only("hash", "records", "staged", "outbox"))
		_, err := b.Monthly(t.Context(), month(october), b.due(october))
		if !errors.Is(err, jobs.ErrGates) || !strings.Contains(err.Error(), "gate missing: objects that can't be read: 0; gone from their source: 1") {
			t.Errorf("close gave %v", err)
		}
		equal(t, "closed months", 0, int(query[int64](t, b, "select count(*) from {months}")))

		tt.restore()
		equal(t, "problems, "+tt.name, []string(nil), problemsOf(b.night(t, date("2026-10-29"))))
		same(t, before, b.state(t))
	}
	b.closing(t, october)
}

// The people file is one object without a day: every night looks for it.
func TestDeletedPeople(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.ordinary("2026-10-28", "2026-10-28")
	b := open(t, c.dir, wiring{})
	b.night(t, date("2026-10-28"))
	before := b.state(t)
	c.remove("people.csv")
	equal(t, "problems", []string{"people people.csv"}, problemsOf(b.night(t, date("2026-10-28"))))
	same(t, before.only("hash", "staged", "meta"), b.state(t).only("hash", "staged", "meta"))
	c.put("people.csv", []byte(companyPeople))
	equal(t, "problems", []string(nil), problemsOf(b.night(t, date("2026-10-28"))))
	same(t, before, b.state(t))
}

// Goal: one object whose name nobody could write down costs nothing but itself.
func TestUnnamedObject(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.ordinary(firstDay, lastDay)
	b := open(t, c.dir, wiring{})
	b.nights(t, firstDay, lastDay)
	want := b.hash(t)

	c = newCompany(t)
	c.ordinary(firstDay, lastDay)
	c.put("data/litellm/"+firstDay+"/bad\xff\xfename.json", []byte("{}"))
	b = open(t, c.dir, wiring{})
	for _, s := range b.nights(t, firstDay, lastDay) {
		equal(t, s.Window, []string{"gateway \"" + firstDay + `/bad\xff\xfename.json"`}, problemsOf(s))
	}
	equal(t, "ledger", want, b.hash(t))
}

// Goal: an object that could not be read, or was gone, counts with the next run after it
// is written whole or is back, also where no night is due and on days that the newest
// night doesn't look at any more; one that is as it was makes no night due, and no day
// without one is listed.
// Method: an object of the first day is spoilt before or after its night; more or fewer
// nights later it is mended, or not.
func TestMendedObject(t *testing.T) {
	t.Parallel()
	key := request{id: "2026-10-28-1", at: local(date("2026-10-28"), "09:30:00")}.key()
	const undated = "data/litellm/undated.json"
	cut := func(c company, key string, content []byte) { c.put(key, content[:len(content)-9]) }
	whole := func(c company, key string, content []byte) { c.put(key, content) }
	gone := func(c company, key string, _ []byte) { c.remove(key) }
	as := func(company, string, []byte) {}
	for _, tt := range []struct {
		name        string
		key         string
		spoil, mend func(c company, key string, content []byte)
		after       string // the night after which it is spoilt; "" before all
		last        string // the newest night when it is mended
		due         bool
	}{
		{"nothing was wrong", key, as, as, "", "2026-11-05", false},
		{"cut short, and still so", key, cut, as, "", "2026-11-05", false},
		{"cut short, then whole", key, cut, whole, "", firstDay, true},
		{"cut short, then whole much later", key, cut, whole, "", "2026-11-05", true},
		{"cut short, then cut otherwise", key, cut, func(c company, key string, content []byte) { c.put(key, content[:len(content)-19]) }, "", "2026-11-05", true},
		{"cut short, then gone", key, cut, gone, "", "2026-11-05", false},
		{"of no day, cut short, then whole", undated, cut, whole, "", "2026-11-05", true},
		{"of no day, cut short, and still so", undated, cut, as, "", "2026-11-05", false},
		{"gone, and still so", key, gone, as, firstDay, "2026-11-05", false},
		{"gone, then back", key, gone, whole, firstDay, "2026-11-05", true},
		{"written again and cut, then whole", key, cut, whole, firstDay, "2026-11-05", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCompany(t)
			c.ordinary(firstDay, tt.last)
			if tt.key == undated {
				c.putAt(undated, request{id: "undated", at: clock("10-28 12:00:00"), provider: "openai", email: "user001@example.com", agent: "helper", in: 1000, out: 100}.json(), atNight(firstDay))
			}
			content, _ := c.get(tt.key)
			content = fmt.Appendf(nil, "[%s]", content) // of which nothing counts when it is cut
			c.put(tt.key, content)
			b := open(t, c.dir, wiring{})
			if tt.after != "" {
				b.night(t, date(tt.after))
			}
			tt.spoil(c, tt.key, content)
			b.span(t, firstDay, tt.last)
			tt.mend(c, tt.key, content)
			var calls atomic.Int64
			b = b.again(t, c.dir, wiring{store: func(s store.Store) store.Store { return counting{s, &calls} }})
			now, want := b.morning(date(tt.last)), []string(nil)
			if tt.due {
				want = []string{tt.last}
			}
			equal(t, "due", want, b.dueNights(t, now))
			if calls.Load() > 8 {
				t.Errorf("%d listings to find out what is due", calls.Load())
			}
			if !tt.due {
				return
			}
			s := b.night(t, date(tt.last))
			equal(t, "due afterwards", []string(nil), b.dueNights(t, now))
			if strings.HasSuffix(tt.name, "otherwise") {
				return
			}
			equal(t, "problems", []string(nil), problemsOf(s))
			same(t, c.inOneGo(firstDay, tt.last).only(append(compared, "meta")...), b.state(t).only(append(compared, "meta")...))
		})
	}
}

// Goal: a source with an object that could not be read, which can't be listed to see
// whether it is mended, is a broken source and no error; what is of closed months is
// not looked for.
// Method: an object that was cut short and is mended; its source is broken; then its
// month closes.
func TestMendedObjectOutOfReach(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.ordinary(firstDay, lastDay)
	key := request{id: "2026-10-28-1", at: local(date("2026-10-28"), "09:30:00")}.key()
	content, _ := c.get(key)
	c.put(key, fmt.Appendf(nil, "[%s", content))
	b := open(t, c.dir, wiring{})
	b.nights(t, firstDay, lateDay)
	now := b.morning(date(lateDay))
	equal(t, "due", []string(nil), b.dueNights(t, now))
	c.put(key, content)
	w, _ := breaking(2, false)
	b = b.again(t, c.dir, w)
	equal(t, "due while its source is broken", []string{lateDay}, b.dueNights(t, now))
	equal(t, "broken", []string{"gateway"}, brokenOf(b.night(t, date(lateDay)).Problems))
	b = b.again(t, c.dir, wiring{})
	b.night(t, date(lateDay))
	equal(t, "due", []string(nil), b.dueNights(t, now))
	equal(t, "objects that failed", 0, int(query[int64](t, b, "select count(*) from {objects} where state = 'failed'")))
	c.remove(key)
	b.night(t, date("2026-10-28"))
	b.Month.Waivers = []jobs.Waiver{{Month: month(october), Gate: "missing", By: "controller@example.com", Reason: "its disk is lost", Count: 1}}
	if _, err := b.Monthly(t.Context(), month(october), b.due(october)); err != nil {
		t.Fatal(err)
	}
	equal(t, "objects that are gone", 1, int(query[int64](t, b, "select count(*) from {objects} where state = 'missing'")))
	c.put(key, content)
	equal(t, "due when its month is closed", []string(nil), b.dueNights(t, now))
}
