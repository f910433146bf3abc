package jobs_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"chargeback/billing/warehouse"
	"chargeback/jobs"
	"chargeback/transform/civil"
)

// scimCompany is the small company with a SCIM export in place of its people
// file.
func scimCompany(t *testing.T, url string) company {
	t.Helper()
	c := newCompany(t)
	c.edit("chargeback.yaml", `{name: people, format: people, url: "file:people.csv"}`, `{name: idp, format: scim, url: "file:`+url+`"}`)
	return c
}

// users is a SCIM export; a person is written as user001 CC-1001.
func users(people ...string) []byte {
	var all []string
	for _, p := range people {
		name, center, _ := strings.Cut(p, " ")
		all = append(all, fmt.Sprintf(`{"userName":"%s@example.com","active":true,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"costCenter":"%s"}}`, name, center))
	}
	return []byte(`{"totalResults":` + fmt.Sprint(len(all)) + `,"Resources":[` + strings.Join(all, ",\n") + `]}`)
}

// pageOf is an export as one page of more.
func pageOf(users []byte) []byte {
	return bytes.Replace(users, []byte(`{"totalResults":`), []byte(`{"startIndex":1,"totalResults":1`), 1)
}

// atNight is two hours after a business day began: when the export is written.
func atNight(day string) time.Time { return date(day).Start(time.UTC).Add(time.Hour) }

// payers tells who paid for a person on which day, and in which month that was
// charged.
func (b *books) payers(t *testing.T, user string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := warehouse.Each(t.Context(), b.engine, warehouse.Select{Args: warehouse.Args{"since": civil.Min, "user": user}, Text: `
select distinct f.usage_date as day, y.cost_center, {month_of(f.billing_month)} as month
from {record_facts} as f
inner join {actors} as a on a.actor_id = f.actor_id
inner join {payers} as y on y.payer_id = f.payer_id
where f.usage_date >= {@since} and coalesce(a.user_email, a.user_id) = {@user}
order by 1, 2`}, func(r struct {
		Day               civil.Date
		CostCenter, Month string
	}) error {
		found[r.Day.String()] += r.CostCenter + " in " + r.Month
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Goal: an export that every night writes over the one before becomes history:
// a move in the middle of a month splits one person over two cost centres, a
// leaver ends, and nothing is read or made anew that need not be.
// Method: nights of a small company, each behind a new export under one name.
func TestExportThatIsWrittenAgain(t *testing.T) {
	t.Parallel()
	c := scimCompany(t, "users.json")
	c.edit("chargeback.yaml", `unallocated_limit_usd: "0.01"`, `unallocated_limit_usd: "9.00"`)
	c.ordinary(firstDay, "2026-11-05")
	b := open(t, c.dir, wiring{})
	exports := map[string][]byte{
		"2026-10-28": users("user001 00420", "user002 CC-1001", "user003 CC-5001"),
		"2026-10-30": users("user001 CC-1001", "user002 CC-1001", "user003 CC-5001"),
		"2026-11-03": users("user001 CC-1001", "user002 CC-1001"),
	}
	day := func(d civil.Date) (made []string) {
		if text, changed := exports[d.String()]; changed {
			c.putAt("users.json", text, atNight(d.String()))
		}
		if d == date("2026-10-31") { // the same once more
			c.putAt("users.json", exports["2026-10-30"], atNight("2026-10-31"))
		}
		s := b.night(t, d.AddDays(-1))
		equal(t, s.Window, []string(nil), problemsOf(s))
		return s.Days
	}
	for d := date(firstDay).AddDays(1); d.Before(date("2026-11-07")); d = d.AddDays(1) {
		if d == date(firstDay).AddDays(1) {
			c.putAt("users.json", exports[firstDay], atNight(firstDay))
		}
		made := day(d)
		if yesterday := d.AddDays(-1).String(); date(firstDay).Before(d.AddDays(-4)) {
			equal(t, "days made anew on "+d.String(), []string{yesterday + ".." + yesterday}, made)
		}
	}
	equal(t, "objects", map[string]int{"earlier": 3, "read": 1}, b.counts(t, "select state, count(*) from {objects} where source = 'idp' group by 1"))
	b.closing(t, october)
	mover, leaver := map[string]string{}, map[string]string{}
	for d := date(firstDay); d.Before(date("2026-11-06")); d = d.AddDays(1) {
		month := " in " + d.Month().String()
		mover[d.String()], leaver[d.String()] = "CC-1001"+month, "CC-5001"+month
		if d.Before(date("2026-10-30")) {
			mover[d.String()] = "00420" + month
		}
		if !d.Before(date("2026-11-03")) {
			leaver[d.String()] = jobs.Unallocated + month
		}
	}
	equal(t, "who paid for the mover", mover, b.payers(t, "user001@example.com"))
	equal(t, "who paid for the leaver", leaver, b.payers(t, "user003@example.com"))
}

// Goal: snapshots in a folder may be thinned out; only a newest one that is gone
// is missed. One that is written again under its name stands for its day.
// Method: a folder of dated exports that is changed by several hands between
// two nights; what people say afterwards is compared.
func TestFolderOfSnapshots(t *testing.T) {
	t.Parallel()
	one, two := users("user001 00420", "user002 CC-1001", "user003 CC-5001"), users("user001 CC-1001", "user002 CC-1001", "user003 CC-5001")
	const gone = "idp users-2026-10-30.json"
	for _, tt := range []struct {
		name     string
		change   func(c company)
		problems []string
		states   map[string]int
		history  string // of user001
	}{
		{"nothing", func(company) {}, nil, map[string]int{"read": 3}, "00420 2026-10-01..2026-10-29, CC-1001 2026-10-30.."},
		{"an old one is gone", func(c company) { c.remove("hr/users-2026-10-01.json") }, nil, map[string]int{"read": 2, "earlier": 1}, "00420 2026-10-01..2026-10-29, CC-1001 2026-10-30.."},
		{"the newest one is gone", func(c company) { c.remove("hr/users-2026-10-30.json") }, []string{gone}, map[string]int{"read": 2, "missing": 1}, "00420 2026-10-01..2026-10-29, CC-1001 2026-10-30.."},
		{"the newest one is gone, and there is a newer", func(c company) {
			c.remove("hr/users-2026-10-30.json")
			c.put("hr/20261031/users.json", one)
		}, nil, map[string]int{"read": 3, "earlier": 1}, "00420 2026-10-01..2026-10-29, CC-1001 2026-10-30..2026-10-30, 00420 2026-10-31.."},
		{"one is written again", func(c company) { c.put("hr/users-2026-10-15.json", two) }, nil, map[string]int{"read": 3, "replaced": 1}, "00420 2026-10-01..2026-10-14, CC-1001 2026-10-15.."},
		{"one is written again and breaks off", func(c company) { c.put("hr/users-2026-10-30.json", two[:len(two)-9]) }, []string{gone}, map[string]int{"read": 2, "missing": 1}, "00420 2026-10-01..2026-10-29, CC-1001 2026-10-30.."},
		{"one is written again and is one page of several", func(c company) { c.put("hr/users-2026-10-30.json", pageOf(two)) }, []string{gone}, map[string]int{"read": 2, "missing": 1}, "00420 2026-10-01..2026-10-29, CC-1001 2026-10-30.."},
		{"another that is one page of several", func(c company) { c.put("hr/users-2026-10-31.json", pageOf(one)) }, []string{"idp users-2026-10-31.json"}, map[string]int{"read": 3, "failed": 1}, "00420 2026-10-01..2026-10-29, CC-1001 2026-10-30.."},
		{"another that breaks off", func(c company) { c.put("hr/users-2026-10-31.json", two[:len(two)-9]) }, []string{"idp users-2026-10-31.json"}, map[string]int{"read": 3, "failed": 1}, "00420 2026-10-01..2026-10-29, CC-1001 2026-10-30.."},
		{"half of the people are gone", func(c company) { c.put("hr/users-2026-10-31.json", users("user001 CC-1001")) }, []string{"idp snapshot of 2026-10-31"}, map[string]int{"read": 4}, "00420 2026-10-01..2026-10-29, CC-1001 2026-10-30.."},
		{"a cost centre that nobody knows", func(c company) {
			c.put("hr/users-2026-10-31.json", users("user001 CC-404", "user002 CC-1001", "user003 CC-5001"))
		}, []string{"idp users-2026-10-31.json"}, map[string]int{"read": 4}, "00420 2026-10-01..2026-10-29, CC-1001 2026-10-30..2026-10-30"},
		{"one who asks has no cost centre", func(c company) {
			c.put("hr/users-2026-10-31.json", users("user001 ", "user002 CC-1001", "user003 CC-5001"))
		}, []string{"idp snapshot of 2026-10-31"}, map[string]int{"read": 4}, "00420 2026-10-01..2026-10-29, CC-1001 2026-10-30..2026-10-30"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := scimCompany(t, "hr")
			c.ordinary(firstDay, firstDay)
			c.put("hr/users-2026-10-30.json", two) // in the wrong order
			c.put("hr/users-2026-10-01.json", one)
			c.put("hr/users-2026-10-15.json", one)
			b := open(t, c.dir, wiring{})
			b.night(t, date(firstDay))
			tt.change(c)
			for range 2 { // a night that runs again says and keeps the same
				s := b.night(t, date(firstDay))
				equal(t, "problems", tt.problems, problemsOf(s))
				equal(t, "objects", tt.states, b.counts(t, "select state, count(*) from {objects} where source = 'idp' group by 1"))
				equal(t, "history", tt.history, b.historyOf(t, "user001"))
			}
		})
	}
}

// historyOf tells who pays for a person from when until when.
func (b *books) historyOf(t *testing.T, user string) string {
	t.Helper()
	names, err := b.Names(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := b.History(t.Context(), names, user+"@example.com")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range rows {
		to := ""
		if r.To.Before(civil.Max) {
			to = r.To.AddDays(-1).String()
		}
		all = append(all, r.CostCenter+" "+r.From.String()+".."+to)
	}
	return strings.Join(all, ", ")
}

// A version that is put back as it was is the one that was read: nobody stands
// twice in the history.
func TestEarlierExportIsPutBack(t *testing.T) {
	t.Parallel()
	c := scimCompany(t, "users.json")
	c.ordinary(firstDay, firstDay)
	b := open(t, c.dir, wiring{})
	first, second := users("user001 00420", "user002 CC-1001"), users("user001 CC-1001", "user002 CC-1001")
	c.putAt("users.json", first, atNight("2026-10-28"))
	b.night(t, date(firstDay))
	c.putAt("users.json", second, atNight("2026-10-30"))
	b.night(t, date(firstDay))
	const history = "00420 2026-10-28..2026-10-29, CC-1001 2026-10-30.."
	for _, back := range []struct {
		text []byte
		day  string
	}{{first, "2026-10-28"}, {second, "2026-10-30"}, {first, "2026-10-28"}} {
		c.putAt("users.json", back.text, atNight(back.day))
		equal(t, "problems", []string(nil), problemsOf(b.night(t, date(firstDay))))
		equal(t, "history", history, b.historyOf(t, "user001"))
		equal(t, "objects", map[string]int{"earlier": 1, "read": 1}, b.counts(t, "select state, count(*) from {objects} where source = 'idp' group by 1"))
	}
	equal(t, "rows", 4, int(query[int64](t, b, "select count(*) from {people}")))
	c.putAt("users.json", first, atNight("2026-11-01"))
	b.night(t, date(firstDay))
	equal(t, "history with a third", history[:len(history)-2]+"..2026-10-31, 00420 2026-11-01..", b.historyOf(t, "user001"))
}

// Goal: who pays by which rule is told of people that snapshots show, and why
// nobody does.
func TestNobodySaysWhy(t *testing.T) {
	t.Parallel()
	c := scimCompany(t, "hr")
	c.append("directory.yaml", "aliases:\n  - {alias: was@example.com, email: user002@example.com}\n")
	c.ordinary(firstDay, firstDay)
	c.put("hr/users-2026-10-20.json", users("user001 00420", "user002 CC-1001", "half ", "lost CC-404"))
	c.put("hr/users-2026-10-30.json", users("user001 00420", "half ", "lost CC-404"))
	b := open(t, c.dir, wiring{})
	b.night(t, date(firstDay))
	names, err := b.Names(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ user, day, want string }{
		{"x@example.com", firstDay, "x@example.com is in no people file; add a row, or an alias"},
		{"user002@example.com", "2026-10-19", "user002@example.com counts from 2026-10-20 only (idp users-2026-10-20.json, line 2, first shown on 2026-10-20); a dated row"},
		{"was@example.com", "2026-10-30", "no people file has user002@example.com on that day; the last that does says from 2026-10-20 until 2026-10-29"},
		{"half@example.com", firstDay, "half@example.com has neither a department nor a cost centre there"},
		{"lost@example.com", firstDay, "lost@example.com has cost centre CC-404, which the directory doesn't have"},
	} {
		got, err := b.Nobody(t.Context(), names, tt.user, date(tt.day))
		if err != nil || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: got %q, %v, want %q", tt.user, got, err, tt.want)
		}
	}
	equal(t, "history by an alias", "CC-1001 2026-10-20..2026-10-29", b.historyOf(t, "was"))
}

// Goal: requests under any name of a person are the person's on the days on which
// the exports show it, whichever kind of name it is; agents that are owned by such
// a name have its owner; a name of two people is nobody's and is told as soon as
// somebody asks under it.
// Method: nights of a small company whose people ask under other names.
func TestPeopleUnderOtherNames(t *testing.T) {
	t.Parallel()
	c := scimCompany(t, "hr")
	person := func(address, center, more string) string {
		return fmt.Sprintf(`{"userName":"%s@corp.example.com","emails":[{"value":"%[1]s@example.com","primary":true}%s],"id":"id-%[1]s","costCenter":"%[3]s"}`, address, more, center)
	}
	shared := `,{"value":"user002@example.com"}`
	was := `,{"value":"User001@Example.com","type":"other"}`
	list := func(people ...string) []byte { return []byte("[" + strings.Join(people, ",\n") + "]") }
	c.put("hr/users-2026-10-28.json", list(person("ana", "00420", was), person("bob", "CC-1001", shared), person("eve", "CC-5001", "")))
	c.put("hr/users-2026-10-30.json", list(person("ana", "CC-1001", was), person("bob", "CC-1001", shared), person("eve", "CC-5001", shared)))
	c.edit("directory.yaml", "{id: nightly-job, name: Nightly Job, kind: background, owner: CC-1001}", "{id: nightly-job, name: Nightly Job, kind: background, owner: EVE@corp.example.com}")
	c.ordinary(firstDay, lastDay)
	for d := date(firstDay); !date(lastDay).Before(d); d = d.AddDays(1) {
		c.log(request{id: d.String() + "-id", at: local(d, "12:00:00"), provider: "openai", email: "ID-Bob", in: 1000, out: 10})
	}
	b := open(t, c.dir, wiring{})
	for d := date(firstDay); !date(lastDay).Before(d); d = d.AddDays(1) {
		s := b.night(t, d)
		var want []string
		if !d.Before(date("2026-10-30")) {
			want = []string{"idp snapshot of 2026-10-28", "unallocated 2026-10"}
		}
		equal(t, "problems of "+d.String(), want, problemsOf(s))
	}
	days := func(centers ...string) map[string]string {
		all := map[string]string{}
		for i, center := range centers {
			all[date(firstDay).AddDays(i).String()] = center + " in " + october
		}
		return all
	}
	equal(t, "who pays for an earlier address", days("00420", "00420", "CC-1001", "CC-1001"), b.payers(t, "user001@example.com"))
	equal(t, "who pays for a name of two people", days("CC-1001", "CC-1001", jobs.Unallocated, jobs.Unallocated), b.payers(t, "user002@example.com"))
	equal(t, "who pays for an id", days("CC-1001", "CC-1001", "CC-1001", "CC-1001"), b.payers(t, "ID-Bob"))
	owned := b.counts(t, "select y.cost_center, count(*) from {record_facts} as f inner join {tasks} as k on k.task_id = f.task_id inner join {payers} as y on y.payer_id = f.payer_id where f.actor_id is not null and k.agent_id = 'nightly-job' and f.usage_date >= date '2026-10-28' group by 1")
	equal(t, "who pays for an agent", map[string]int{"CC-5001": 4}, owned)
}
