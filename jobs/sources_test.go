package jobs_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"chargeback/billing/runs"
	"chargeback/billing/warehouse"
	"chargeback/extract/store"
	"chargeback/jobs"
)

// again opens the books anew, by the settings as they are now.
func (b *books) again(t testing.TB, dir string, w wiring) *books {
	t.Helper()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, dir, w)
}

// reread sums up what a night read again, with why, by source.
func reread(s jobs.NightlySummary) (all []string) {
	for _, source := range s.Sources {
		if source.Again != nil {
			all = append(all, fmt.Sprintf("%s: %s, %d objects, %d to %d records, %d to %d rejected", source.Name, source.Why, source.Again.Objects, source.Again.StagedBefore, source.Again.Staged, source.Again.RejectedBefore, source.Again.Rejected))
		}
	}
	return all
}

// Goal: a setting that decides how objects are read reaches those that were read
// before it was changed, on every day of the open months, and the books are then
// those of new ones by that setting, whatever was wrong before.
// Method: nights up to long after the first days; one setting is changed; the
// schedule must ask for the newest night, which must look at these days again.
// "nothing" changes what decides nothing about reading.
func TestSettingsReachKnownObjects(t *testing.T) {
	t.Parallel()
	const gateway = `format: litellm, url: "file:data/litellm"`
	for _, tt := range []struct {
		name          string
		before, after string // of the gateway's settings
		want          string // what was read again
	}{
		{"nothing", gateway, gateway, ""},
		{"a field", gateway + ", fields: {agent_id: [metadata.nowhere]}", gateway, "gateway: its settings changed, 44 objects, 44 to 44 records, 0 to 0 rejected"},
		{"a record's length", gateway + ", max_record_bytes: 1kB", gateway, "gateway: its settings changed, 44 objects, 42 to 44 records, 2 to 0 rejected"},
		{"the format", strings.Replace(gateway, "litellm", "bedrock", 1), gateway, "gateway: its settings changed, 44 objects, 0 to 44 records, 44 to 0 rejected"},
		{"the format, to a wrong one", gateway, strings.Replace(gateway, "litellm", "bedrock", 1), "gateway: its settings changed, 44 objects, 44 to 0 records, 0 to 44 rejected"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCompany(t)
			c.ordinary(firstDay, "2026-11-02")
			for _, id := range []string{"long-0", "long-1"} {
				c.log(request{id: id, at: clock("10-29 12:00:00"), usageID: strings.Repeat("u", 600), email: "user001@example.com", agent: strings.Repeat("a", 600), in: 10, out: 10})
			}
			if tt.before != gateway {
				c.edit("chargeback.yaml", gateway, tt.before)
			}
			b := open(t, c.dir, wiring{})
			b.span(t, firstDay, "2026-11-07")
			before := b.state(t)
			equal(t, "due before", []string(nil), b.dueNights(t, b.morning(date("2026-11-07"))))
			if tt.before != tt.after {
				c.edit("chargeback.yaml", tt.before, tt.after)
			}
			b = b.again(t, c.dir, wiring{})
			due := b.dueNights(t, b.morning(date("2026-11-07")))
			if tt.want == "" {
				equal(t, "due", []string(nil), due)
				equal(t, "read again", []string(nil), reread(b.night(t, date("2026-11-07"))))
				same(t, before, b.state(t))
				return
			}
			equal(t, "due", []string{"2026-11-07"}, due)
			equal(t, "read again", []string{tt.want}, reread(b.night(t, date("2026-11-07"))))
			same(t, c.inOneGo(firstDay, "2026-11-07").only(append(compared, "meta")...), b.state(t).only(append(compared, "meta")...))
			after := b.state(t)
			equal(t, "due afterwards", []string(nil), b.dueNights(t, b.morning(date("2026-11-07"))))
			equal(t, "read again by the same settings", []string(nil), reread(b.night(t, date("2026-11-07"))))
			same(t, after, b.state(t))
		})
	}
}

// Goal: what a changed setting can't reach stays as it was read, is told, and
// stops the close; once it is there again it is read as the others were.
// Method: of the objects that a changed field concerns one is gone, one can't be
// opened, and one was written again meanwhile.
func TestSettingsAndLostObjects(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.ordinary(firstDay, lastDay)
	c.edit("chargeback.yaml", `url: "file:data/litellm"`, `url: "file:data/litellm", fields: {agent_id: [metadata.nowhere]}`)
	b := open(t, c.dir, wiring{})
	b.span(t, firstDay, lateDay)

	gone := request{id: "2026-10-28-1", at: local(date("2026-10-28"), "09:30:00")}.key()
	content, changed := c.get(gone)
	c.remove(gone)
	other := request{id: "2026-10-29-1", at: local(date("2026-10-29"), "09:30:00"), usageID: "u-2026-10-29-1", email: "user003@example.com", agent: "helper", in: 2000, out: 229}
	c.log(other)
	c.edit("chargeback.yaml", `, fields: {agent_id: [metadata.nowhere]}`, "")
	mended := false
	b = b.again(t, c.dir, wiring{store: func(s store.Store) store.Store { return refusing{s, "2026-10-29-2", &mended} }})
	s := b.night(t, date(lateDay))
	equal(t, "read again", []string{"gateway: its settings changed, 25 objects, 25 to 25 records, 0 to 0 rejected"}, reread(s))
	var problems []string
	for _, p := range s.Problems {
		what, _, _ := strings.Cut(p.What, ";")
		problems = append(problems, p.Source+" "+p.Object+" "+what)
	}
	refused := request{id: "2026-10-29-2", at: local(date("2026-10-29"), "14:45:00")}.key()
	equal(t, "problems", []string{"gateway " + inSource(gone) + " was read before and is gone from the source", "gateway " + inSource(refused) + " can't be read by the settings as they are now"}, problems)
	equal(t, "agents of what stays", []string{"2026-10-28-1 <nil>\n", "2026-10-29-2 <nil>\n"},
		b.lines(t, "select agent_request_id, agent_id from {cost_records} where agent_id is null and agent_request_id is not null order by 1"))
	equal(t, "due", []string(nil), b.dueNights(t, b.morning(date(lateDay))))
	if _, err := b.Monthly(t.Context(), month(october), b.due(october)); err == nil || !strings.Contains(err.Error(), "gate missing: objects that can't be read: 0; gone from their source: 2") {
		t.Errorf("close gave %v", err)
	}

	mended = true
	c.putAt(gone, content, changed)
	b.closing(t, october) // looks at these days once more
	equal(t, "agents", []string(nil), b.lines(t, "select agent_request_id from {cost_records} where agent_id is null and agent_request_id is not null"))
	same(t, c.inOneGo(firstDay, lateDay).only("objects", "rejects", "repeats", "staged"), b.state(t).only("objects", "rejects", "repeats", "staged"))
}

// Goal: a ledger that was kept by a version which knew nothing of this takes its
// objects to have been read by the settings as they are, without reading any.
// Method: nights; what this version has added is taken out of the ledger; the
// next night. Then a setting changes.
func TestSettingsOfAnOlderLedger(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.ordinary(firstDay, "2026-11-01")
	b := open(t, c.dir, wiring{})
	b.span(t, firstDay, "2026-11-02")
	before := b.state(t)
	b.change(t, warehouse.Update{Table: "objects", Set: warehouse.Args{"reading": nil}, Where: "true"},
		warehouse.Delete{Table: "meta", Where: "name like 'reading of %' or name like 'place of %'"})
	equal(t, "due", []string(nil), b.dueNights(t, b.morning(date("2026-11-02"))))
	b = b.again(t, c.dir, wiring{})
	equal(t, "read again", []string(nil), reread(b.night(t, date("2026-11-02"))))
	same(t, before, b.state(t))
	equal(t, "objects without settings", 0, int(query[int64](t, b, "select count(*) from {objects} where reading is null")))
	c.edit("chargeback.yaml", `url: "file:data/litellm"`, `url: "file:data/litellm", fields: {agent_id: [metadata.nowhere]}`)
	b = b.again(t, c.dir, wiring{})
	equal(t, "read again then", []string{"gateway: its settings changed, 35 objects, 35 to 35 records, 0 to 0 rejected"}, reread(b.night(t, date("2026-11-02"))))
}

// Goal: objects that hold records of closed months alone are left as they are.
// Method: October is closed; then a field of the settings is corrected.
func TestSettingsAfterAClose(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.edit("chargeback.yaml", `unallocated_limit_usd: "0.01"`, `unallocated_limit_usd: "9.00"`)
	c.edit("chargeback.yaml", `url: "file:data/litellm"`, `url: "file:data/litellm", fields: {agent_id: [metadata.nowhere]}`)
	c.ordinary(firstDay, "2026-11-02")
	b := open(t, c.dir, wiring{})
	b.span(t, firstDay, lateDay)
	b.closing(t, october)
	closed, files := b.monthHash(t, october), filesOf(t, b.Month.Dir)
	c.edit("chargeback.yaml", `, fields: {agent_id: [metadata.nowhere]}`, "")
	b = b.again(t, c.dir, wiring{})
	equal(t, "read again", []string{"gateway: its settings changed, 14 objects, 14 to 14 records, 0 to 0 rejected"}, reread(b.night(t, date("2026-11-04"))))
	equal(t, "October", closed, b.monthHash(t, october))
	equal(t, "its documents", files, filesOf(t, b.Month.Dir))
	equal(t, "agents of November", map[string]int{"helper": 12, "nightly-job": 2}, b.counts(t, "select ifnull(agent_id, '-'), count(*) from {cost_records} where billing_month = '2026-11' and agent_request_id is not null group by 1"))
}

// ownLog adds a source with records of one's own, of which one object holds three
// months, to a company. What is read of them is for the settings to say.
func (c company) ownLog(fields string) {
	c.t.Helper()
	c.edit("chargeback.yaml", `  - {name: people,`, `  - {name: own, format: mapped, url: "file:data/own", mapped: {fields: {`+fields+`}, constants: {provider: openai}}}
  - {name: people,`)
	text := ""
	for i, at := range []string{"10-31 12:00:00", "10-31 13:00:00", "11-01 12:00:00", "12-01 12:00:00"} {
		text += fmt.Sprintf(`{"id": "own-%d", "session": "s-%d", "at": %q, "model": "other-small", "mail": "user001@example.com", "in": %d, "out": 100, "all": %d}`+"\n", i, i, clock(at), 1000*(i+1), 1000*(i+1)+100)
	}
	c.put("data/own/all.jsonl", []byte(text))
}

const ownFields = `agent_request_id: [/id], started_at: [/at], model: [/model], user_email: [/mail], input_tokens: [/in], output_tokens: [/out]`

// Goal: an object that holds records of a closed and of an open month is read
// anew whole; what is therefore something else in the closed month becomes a
// correction, and what stands is what new books make of it. Put back, nothing
// of it stays.
// Method: close October by a map that is wrong in one of several ways; correct
// it, close November, put the first map back.
func TestSettingsOfAnObjectOfBothMonths(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, wrong string
		corrections int // of October's two calls
	}{
		{"nothing", ownFields, 0},
		{"other counts", strings.Replace(ownFields, "[/in]", "[/all]", 1), 4},
		{"other ids", strings.Replace(ownFields, "[/id]", "[/session]", 1), 4},
		{"nobody's", strings.Replace(ownFields, "[/mail]", "[/nowhere]", 1), 4},
		{"all rejected", strings.Replace(ownFields, "[/at]", "[/model]", 1), 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCompany(t)
			c.edit("chargeback.yaml", `unallocated_limit_usd: "0.01"`, "waivers:\n  - {month: 2026-10, gate: rejects, count: 4, by: controller@example.com, reason: test}\n  - {month: 2026-10, gate: empty, count: 1, by: controller@example.com, reason: test}\n"+`unallocated_limit_usd: "9.00"`)
			c.ownLog(tt.wrong)
			b := open(t, c.dir, wiring{})
			b.span(t, firstDay, lateDay)
			b.closing(t, october)
			closed := b.monthHash(t, october)
			perDay := func(b *books) []string {
				return b.lines(t, "select usage_date, {total_usd(total_cost_usd)}, sum(if(correction < 0, -1, 1)) from {cost_items} where total_cost_usd <> 0 and usage_date < date '2026-12-01' group by usage_date having sum(if(correction < 0, -1, 1)) <> 0 order by 1")
			}
			corrections := func() int64 {
				return query[int64](t, b, "select count(*) from {cost_items} where correction <> 0 and billing_month = '2026-11'")
			}
			wrong := perDay(b)
			write := func(from, to string) {
				t.Helper()
				if from != to {
					c.edit("chargeback.yaml", from, to)
				}
				b = b.again(t, c.dir, wiring{})
			}
			write(tt.wrong, ownFields)
			b.night(t, date("2026-11-04"))
			equal(t, "October", closed, b.monthHash(t, october))
			equal(t, "corrections", int64(tt.corrections), corrections())
			fresh := open(t, c.dir, wiring{ledger: filepath.Join(t.TempDir(), "ledger.duckdb")})
			fresh.span(t, lastDay, "2026-11-04")
			equal(t, "what stands", perDay(fresh), perDay(b))

			write(ownFields, tt.wrong)
			b.night(t, date("2026-11-04"))
			equal(t, "corrections when the wrong map is back", int64(0), corrections())
			write(tt.wrong, ownFields)
			b.night(t, date("2026-11-04"))
			b.ran(t, runs.Done, nightsOf("2026-11-05", "2026-12-03")...)
			b.closing(t, "2026-11")
			write(ownFields, tt.wrong)
			b.night(t, date("2026-12-04"))
			if tt.name != "all rejected" { // then October had nothing to begin with
				equal(t, "what stands by the wrong map", wrong, perDay(b))
			}
			write(tt.wrong, ownFields)
			b.night(t, date("2026-12-04"))
			equal(t, "what stands at last", perDay(fresh), perDay(b))
		})
	}
}

// Goal: a corrected field of an export of people reaches what is there of it,
// also as another format, and so who pays on all days of the open months.
// Method: an export that is read by wrong fields, or as another format that can't
// read it.
func TestSettingsOfPeople(t *testing.T) {
	t.Parallel()
	right := `{name: idp, format: scim, url: "file:hr"}`
	for _, tt := range []struct{ name, before, want string }{
		{"nothing", right, ""},
		{"a field", `{name: idp, format: scim, url: "file:hr", fields: {cost_center: [userName]}}`, "idp: its settings changed, 1 objects, 2 to 2 records, 0 to 0 rejected"},
		{"the format", `{name: idp, format: okta, url: "file:hr"}`, ""}, // it could not be read, so it is read as new
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCompany(t)
			c.edit("chargeback.yaml", `{name: people, format: people, url: "file:people.csv"}`, tt.before)
			c.edit("chargeback.yaml", `unallocated_limit_usd: "0.01"`, `unallocated_limit_usd: "9.00"`)
			c.putAt("hr/users.json", users("user001 00420", "user002 CC-1001"), atNight(firstDay))
			c.ordinary(firstDay, "2026-11-02")
			b := open(t, c.dir, wiring{})
			b.span(t, firstDay, "2026-11-07")
			if tt.before != right {
				c.edit("chargeback.yaml", tt.before, right)
			}
			b = b.again(t, c.dir, wiring{})
			s := b.night(t, date("2026-11-07"))
			equal(t, "problems", []string(nil), problemsOf(s))
			equal(t, "read again", tt.want, strings.Join(reread(s), "; "))
			equal(t, "who pays", "00420 in 2026-10", b.payers(t, "user001@example.com")[firstDay])
			same(t, c.inOneGo(firstDay, "2026-11-07").only(append(compared, "meta")...), b.state(t).only(append(compared, "meta")...))
		})
	}
}

// counting counts the listings of a store.
type counting struct {
	store.Store
	calls *atomic.Int64
}

func (s counting) Level(ctx context.Context, prefix string) ([]store.Object, []string, error) {
	s.calls.Add(1)
	return s.Store.Level(ctx, prefix)
}

func (s counting) All(ctx context.Context, prefix string, yield func(store.Object) error) error {
	s.calls.Add(1)
	return s.Store.All(ctx, prefix, yield)
}

// Goal: a usual night lists its own days, however long the month is; only one
// that finds a source changed lists all of the month, once.
func TestListings(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.edit("chargeback.yaml", "start: 2026-10-28", "start: 2026-10-05")
	c.ordinary("2026-10-05", "2026-10-20")
	var calls atomic.Int64
	own := wiring{store: func(s store.Store) store.Store { return counting{s, &calls} }}
	b := open(t, c.dir, own)
	listings := func() int64 { return calls.Swap(0) }
	b.span(t, "2026-10-05", "2026-10-19")
	listings()
	b.night(t, date("2026-10-20"))
	usual := listings()
	c.edit("chargeback.yaml", `url: "file:data/litellm"`, `url: "file:data/litellm", fields: {agent_id: [metadata.nowhere]}`)
	b = b.again(t, c.dir, own)
	b.night(t, date("2026-10-20"))
	if once := listings(); once <= usual+10 {
		t.Errorf("%d listings by a night that looks through 16 days of a source, %d by a usual one", once, usual)
	}
	b.night(t, date("2026-10-20"))
	equal(t, "listings of the night after it", usual, listings())
	b.dueNights(t, b.morning(date("2026-10-20")))
	equal(t, "listings to find out what is due: of the people file alone", int64(1), listings())
}

// change changes the ledger behind its back.
func (b *books) change(t testing.TB, changes ...warehouse.Change) {
	t.Helper()
	if err := b.engine.Apply(t.Context(), changes...); err != nil {
		t.Fatal(err)
	}
}

// Goal: a source that is new, or lies elsewhere, is looked through from the first
// open day by the night that finds it, and by none after it; what it had before
// it moved counts once.
// Method: nights of one source; then a second one with logs of earlier days, one
// whose logs are moved to another folder, or the same one by another name of it.
func TestSourceComesOrMoves(t *testing.T) {
	t.Parallel()
	const gateway = `  - {name: gateway, format: litellm, url: "file:data/litellm", silent_after_days: 0}`
	for _, tt := range []struct {
		name, settings string
		move           func(company)
		why            string
		read           int
	}{
		{"nothing", gateway, func(company) {}, "", 0},
		{"a second source", gateway + "\n" + `  - {name: second, format: litellm, url: "file:data/second", silent_after_days: 0}`, func(c company) {
			r := request{id: "old", at: clock("10-28 12:00:00"), provider: "openai", email: "user001@example.com", agent: "helper", in: 1000, out: 100}
			c.put(strings.Replace(r.key(), "data/litellm", "data/second", 1), r.json())
		}, "second it is new, since 2026-10-28", 1},
		{"moved with all that it has, and some more", strings.Replace(gateway, "data/litellm", "data/moved", 1), func(c company) {
			for _, key := range c.keys("data/litellm") {
				content, changed := c.get(key)
				c.putAt(strings.Replace(key, "data/litellm", "data/moved", 1), content, changed)
				c.remove(key)
			}
			r := request{id: "old", at: clock("10-28 12:00:00"), provider: "openai", email: "user001@example.com", agent: "helper", in: 1000, out: 100}
			c.put(strings.Replace(r.key(), "data/litellm", "data/moved", 1), r.json())
		}, "gateway its address changed, since 2026-10-28", 1},
		{"the same place by another name", strings.Replace(gateway, "data/litellm", "data/./litellm", 1), func(company) {}, "gateway its address changed, since 2026-10-28", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCompany(t)
			c.ordinary(firstDay, "2026-11-02")
			b := open(t, c.dir, wiring{})
			b.span(t, firstDay, "2026-11-07")
			tt.move(c)
			if tt.settings != gateway {
				c.edit("chargeback.yaml", gateway, tt.settings)
			}
			b = b.again(t, c.dir, wiring{})
			due := b.dueNights(t, b.morning(date("2026-11-07")))
			equal(t, "due", tt.why != "", slices.Equal(due, []string{"2026-11-07"}))
			s := b.night(t, date("2026-11-07"))
			why, read := "", 0
			for _, source := range s.Sources {
				if read += source.Read; source.Since != "" {
					why += source.Name + " " + source.Why + ", since " + source.Since
				}
			}
			equal(t, "why", tt.why, why)
			equal(t, "objects read", tt.read, read)
			equal(t, "problems", []string(nil), problemsOf(s))
			same(t, c.inOneGo(firstDay, "2026-11-07").only(append(compared, "meta")...), b.state(t).only(append(compared, "meta")...))
			equal(t, "due afterwards", []string(nil), b.dueNights(t, b.morning(date("2026-11-07"))))
			after := b.state(t)
			for _, source := range b.night(t, date("2026-11-07")).Sources {
				equal(t, "looked through again", "", source.Since)
			}
			same(t, after, b.state(t))
		})
	}
}

// keys are the files below a folder of the company.
func (c company) keys(folder string) (keys []string) {
	c.t.Helper()
	for _, file := range filesOf(c.t, filepath.Join(c.dir, folder)) {
		name, _, _ := strings.Cut(file, " ")
		keys = append(keys, folder+"/"+name)
	}
	return keys
}

// Goal: what comes into the folder of a day after the nights that look there is
// charged by the month's close, or the close says what stands in its way; and a
// source that keeps its logs for some days only is no fault.
// Method: after all nights objects come for early days: a call with its usage, a
// request without usage, a call without a price; logs of early days are removed.
func TestLateForTheClose(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		come func(company)
		want []string // of the calls that came
		gate string
	}{
		{"nothing", func(company) {}, nil, ""},
		{"both sides of a call", func(c company) { c.call("late", clock("10-28 12:00:00"), "user001@example.com", 1000, 1000) },
			[]string{"2026-10-28 2026-10 0 matched priced 0.0061\n"}, ""},
		{"a request whose usage does not come", func(c company) {
			c.log(request{id: "late", at: clock("10-28 12:00:00"), email: "user001@example.com", agent: "helper", in: 1000, out: 1000})
		}, []string{"2026-10-28 2026-10 0 agent_only doubtful <nil>\n"}, "gate doubtful: requests without usage on days that their provider's own log covers: 1, 0.0061 USD"},
		{"usage without a price", func(c company) {
			c.deliver(usageKey("2026-10-28T12:00:00Z", "late"), usage{id: "u-late", at: clock("10-28 12:00:00"), model: "example.preview-v1:0", in: 10, out: 10})
		}, []string{"2026-10-28 2026-10 0 provider_only unpriced <nil>\n"}, "gate unpriced: records without a cost: 1"},
		{"an object that can't be read", func(c company) { c.put(usageKey("2026-10-28T12:00:00Z", "late"), []byte{0x1f, 0x8b, 8, 0}) }, nil, "gate missing: objects that can't be read: 1"},
		{"early logs expire", func(c company) { c.remove(usageKey("2026-10-28T08:31:00Z", "2026-10-28-1")) }, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCompany(t)
			c.ordinary(firstDay, lastDay)
			b := open(t, c.dir, wiring{})
			b.span(t, firstDay, "2026-11-06")
			tt.come(c)
			s, err := b.Monthly(t.Context(), month(october), b.due(october))
			if got := fmt.Sprint(err); tt.gate != "" && !strings.Contains(got, tt.gate) || tt.gate == "" && err != nil {
				t.Errorf("close gave %v", err)
			}
			equal(t, "what came", tt.want, b.call(t, "late"))
			equal(t, "made again", tt.want != nil, s.Late.Window != "")
			if tt.name != "early logs expire" {
				same(t, c.inOneGo(firstDay, "2026-11-06").only(compared...), b.state(t).only(compared...))
			}
		})
	}
}
