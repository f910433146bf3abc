package models_test

import (
	"context"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"chargeback/billing/ledger/ledgertest"
	"chargeback/billing/records"
	"chargeback/billing/report"
	"chargeback/transform/civil"
)

// shown is what a snapshot shows of a person.
func shown(snapshot, email, department, center string) person {
	return person{Email: email + "@example.com", Department: department, CostCenter: center, Snapshot: snapshot, Object: snapshot + ".json", Source: "hr"}
}

// peopleBook knows three cost centres; Sales is the department whose people
// CC-1 pays for, and hr is believed before idp.
func peopleBook() ledgertest.Book {
	book := plainBook()
	one := records.CostCenter{Code: "CC-1", Department: "One"}
	book.CostCenters = []records.CostCenter{one, {Code: "CC-2", Department: "Two"}, {Code: "00420", Department: "Support"}}
	book.Departments = []records.Department{{Name: "Sales", Center: one}}
	book.PeopleFrom = []string{"hr", "idp"}
	return book
}

// person is who pays for a person from when to when.
func (b *books) person(book ledgertest.Book, email string) []report.PersonRow {
	b.Helper()
	seen, err := report.PeopleSeen(context.Background(), b.ledger.Records, email)
	b.must(err)
	refs, err := book.Resolve(seen)
	b.must(err)
	rows, err := report.PersonHistory(context.Background(), b.ledger.Records, email, refs)
	b.must(err)
	return rows
}

// history stages people and shows who pays for them, by address.
func (b *books) history(book ledgertest.Book, people []person) map[string][]string {
	b.Helper()
	b.stage(ledgertest.Rows{People: people})
	b.replace(book, "2026-10-25", days("2026-10-01", "2026-10-01"))
	got := map[string][]string{}
	emails := map[string]bool{}
	for _, p := range people {
		emails[p.Email] = true
	}
	for _, a := range book.Aliases {
		emails[a.Address], emails[a.Email] = true, true
	}
	for email := range emails {
		for _, r := range b.person(book, email) {
			name, _, _ := strings.Cut(email, "@")
			to := r.To.String()
			if r.To == civil.Max {
				to = ""
			}
			got[name] = append(got[name], fmt.Sprintf("%s %s %s..%s", r.CostCenter, r.Department, r.From, to))
		}
	}
	return got
}

// Goal: snapshots become history: a stretch begins with the first snapshot that
// shows it and ends with the first later one that shows something else or
// nothing; dated rows override on their days.
// Method: one person a case in the same four snapshots, read in an order of
// their own; one more person keeps all four of them there.
func TestSnapshotsBecomeHistory(t *testing.T) {
	const s1, s2, s3, s4 = "2026-10-01", "2026-10-10", "2026-10-20", "2026-11-01"
	every := func(email, department, center string) (all []person) {
		for _, s := range []string{s3, s1, s4, s2} {
			all = append(all, shown(s, email, department, center))
		}
		return all
	}
	effective := func(p person, from string) person { p.From = from; return p }
	from := func(p person, source string) person { p.Source = source; return p }
	const one, two = "CC-1 One ", "CC-2 Two "
	tests := []struct {
		name   string
		people []person
		want   []string
	}{
		{"stays", every("p", "One", "CC-1"), []string{one + "2026-10-01.."}},
		{"moves in the middle of a month", []person{shown(s4, "p", "Two", "CC-2"), shown(s1, "p", "One", "CC-1"), shown(s3, "p", "Two", "CC-2"), shown(s2, "p", "One", "CC-1")}, []string{one + "2026-10-01..2026-10-20", two + "2026-10-20.."}},
		{"joins", []person{shown(s3, "p", "One", "CC-1"), shown(s4, "p", "One", "CC-1")}, []string{one + "2026-10-20.."}},
		{"leaves", []person{shown(s1, "p", "One", "CC-1"), shown(s2, "p", "One", "CC-1")}, []string{one + "2026-10-01..2026-10-20"}},
		{"leaves and comes back under the same address", []person{shown(s1, "p", "One", "CC-1"), shown(s4, "p", "Two", "CC-2"), shown(s3, "p", "Two", "CC-2")}, []string{one + "2026-10-01..2026-10-10", two + "2026-10-20.."}},
		{"comes back to where it was", []person{shown(s1, "p", "One", "CC-1"), shown(s3, "p", "One", "CC-1")}, []string{one + "2026-10-01..2026-10-10", one + "2026-10-20..2026-11-01"}},
		{"moves there and back", []person{shown(s1, "p", "One", "CC-1"), shown(s2, "p", "Two", "CC-2"), shown(s3, "p", "One", "CC-1"), shown(s4, "p", "One", "CC-1")}, []string{one + "2026-10-01..2026-10-10", two + "2026-10-10..2026-10-20", one + "2026-10-20.."}},
		{"a move that the export dates back", []person{shown(s1, "p", "One", "CC-1"), shown(s2, "p", "One", "CC-1"), effective(shown(s3, "p", "Two", "CC-2"), "2026-10-05"), effective(shown(s4, "p", "Two", "CC-2"), "2026-10-05")}, []string{one + "2026-10-01..2026-10-05", two + "2026-10-05.."}},
		{"was there before the first snapshot, by the export", []person{effective(shown(s1, "p", "One", "CC-1"), "2026-01-01")}, []string{one + "2026-01-01..2026-10-10"}},
		{"a dated row overrides on its days", append(every("p", "One", "CC-1"), person{Email: "p@example.com", Department: "Two", CostCenter: "CC-2", From: "2026-10-05", To: "2026-10-15"}), []string{one + "2026-10-01..2026-10-05", two + "2026-10-05..2026-10-15", one + "2026-10-15.."}},
		{"a dated row begins before all snapshots", append(every("p", "One", "CC-1"), person{Email: "p@example.com", Department: "Two", CostCenter: "CC-2", From: "2026-09-01", To: "2026-10-01"}), []string{two + "2026-09-01..2026-10-01", one + "2026-10-01.."}},
		{"an open dated row overrides for ever", append(every("p", "One", "CC-1"), person{Email: "p@example.com", Department: "Two", CostCenter: "CC-2", From: "2026-10-15"}), []string{one + "2026-10-01..2026-10-15", two + "2026-10-15.."}},
		{"dated rows that contradict each other leave nobody", append(every("p", "One", "CC-1"), person{Email: "p@example.com", Department: "Two", CostCenter: "CC-2", From: "2026-10-05", To: "2026-10-15"}, person{Email: "p@example.com", Department: "One", CostCenter: "CC-1", From: "2026-10-05", To: "2026-10-12"}), []string{one + "2026-10-01..2026-10-05", one + "2026-10-15.."}},
		{"the directory says which department a cost centre belongs to", every("p", "Customer Service EMEA", "00420"), []string{"00420 Support 2026-10-01.."}},
		{"zeros are kept", every("p", "Support", "420"), []string{"420 Support 2026-10-01.."}}, // unknown, which the night says
		{"a cost centre without department", every("p", "", "CC-2"), []string{two + "2026-10-01.."}},
		{"an unknown cost centre without department", every("p", "", "CC-404"), nil},
		{"a department with a default", every("p", "Sales", ""), []string{one + "2026-10-01.."}},
		{"a department without cost centre", every("p", "Marketing", ""), nil},
		{"neither", every("p", "", ""), nil},
		{"gets a cost centre later", []person{shown(s1, "p", "Marketing", ""), shown(s2, "p", "Marketing", "CC-2"), shown(s3, "p", "Marketing", "CC-2")}, []string{two + "2026-10-10..2026-11-01"}},
		{"stands twice in one snapshot and differs", append(every("p", "One", "CC-1"), shown(s2, "p", "Two", "CC-2")), []string{one + "2026-10-01..2026-10-10", one + "2026-10-20.."}},
		{"stands twice in one snapshot", append(every("p", "One", "CC-1"), every("p", "One", "CC-1")...), []string{one + "2026-10-01.."}},
		{"the first source of the settings goes before another", []person{shown(s1, "p", "One", "CC-1"), from(shown("2026-09-01", "p", "Two", "CC-2"), "idp"), from(shown("2026-11-15", "x", "Two", "CC-2"), "idp")}, []string{two + "2026-09-01..2026-10-01", one + "2026-10-01..2026-10-10", two + "2026-10-10..2026-11-15"}},
		{"a source without what is needed leaves it to the next", append(every("p", "Marketing", ""), from(shown("2026-10-05", "p", "Two", "CC-2"), "idp")), []string{two + "2026-10-05.."}},
		{"a source that the settings no longer have goes last", append(every("p", "One", "CC-1"), from(shown("2026-09-01", "p", "Two", "CC-2"), "before")), []string{two + "2026-09-01..2026-10-01", one + "2026-10-01.."}},
	}
	b := openBooks(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b.clear()
			got := b.history(peopleBook(), append(every("other", "One", "CC-1"), tt.people...))["p"]
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("history (-want +got):\n%s", diff)
			}
		})
	}
}

// Goal: who was renamed is one person, in people files and in requests.
func TestAliases(t *testing.T) {
	day := ledgertest.Day
	alias := func(address, email string, from, to civil.Date) records.Alias {
		return records.Alias{Address: address + "@example.com", Email: email + "@example.com", From: from, To: to}
	}
	book := peopleBook()
	book.Aliases = []records.Alias{
		alias("old", "new", civil.Min, civil.Max),
		alias("reused", "first", civil.Min, day("2026-10-15")), alias("reused", "reused", day("2026-10-15"), civil.Max),
		alias("both", "new2", civil.Min, civil.Max),
		{Address: "login7", Email: "login@example.com", From: civil.Min, To: civil.Max},
	}
	people := []person{
		shown("2026-10-01", "old", "One", "CC-1"), shown("2026-10-10", "new", "One", "CC-1"), shown("2026-10-20", "new", "Two", "CC-2"),
		shown("2026-10-01", "reused", "One", "CC-1"), shown("2026-10-10", "reused", "One", "CC-1"), shown("2026-10-20", "reused", "Two", "CC-2"),
		shown("2026-10-01", "both", "One", "CC-1"), shown("2026-10-01", "new2", "Two", "CC-2"),
		works("login@example.com", "Two", "CC-2", "2026-01-01", ""),
	}
	b := openBooks(t)
	got := b.history(book, people)
	want := map[string][]string{
		"old":    {"CC-1 One 2026-10-01..2026-10-10", "CC-1 One 2026-10-10..2026-10-20", "CC-2 Two 2026-10-20.."},
		"new":    {"CC-1 One 2026-10-01..2026-10-10", "CC-1 One 2026-10-10..2026-10-20", "CC-2 Two 2026-10-20.."},
		"reused": {"CC-1 One 2026-10-01..2026-10-15", "CC-1 One 2026-10-15..2026-10-20", "CC-2 Two 2026-10-20.."},
		"first":  {"CC-1 One 2026-10-01..2026-10-15"},
		"both":   {"CC-2 Two 2026-10-01..2026-10-10"}, "new2": {"CC-2 Two 2026-10-01..2026-10-10"},
		"login": {"CC-2 Two 2026-01-01.."}, "login7": {"CC-2 Two 2026-01-01.."},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	table{
		book: book, people: people, show: func(r costRecord, _ names) string { return r.center + " by " + r.rule },
		worlds: []world{
			asked("the new address", "2026-10-21 10:00:00", "CC-2 by user", request{User: "new@example.com"}),
			asked("the old address before the rename", "2026-10-05 10:00:00", "CC-1 by user", request{User: "old@example.com"}),
			asked("the old address behind the rename", "2026-10-21 10:00:00", "CC-2 by user", request{User: "old@example.com"}),
			asked("the new address before the rename", "2026-10-05 10:00:00", "CC-1 by user", request{User: "id", Email: "new@example.com"}),
			asked("a user's id", "2026-10-05 10:00:00", "CC-2 by user", request{User: "login7"}),
			asked("an address that somebody else has now", "2026-10-21 10:00:00", "CC-2 by user", request{User: "reused@example.com"}),
		},
	}.run(t)
}

// saidOn is the oracle: what three rules say of a person on a day.
func saidOn(people []person, day string) string {
	for _, p := range people {
		if p.Snapshot == "" && p.From <= day && (p.To == "" || day < p.To) {
			return p.CostCenter
		}
	}
	last := ""
	for _, p := range people {
		if p.Snapshot != "" && p.Snapshot <= day {
			last = max(last, p.Snapshot)
		}
	}
	for _, p := range people {
		if p.Snapshot == last && last != "" && p.Email == "p@example.com" {
			return p.CostCenter
		}
	}
	return ""
}

// Goal: snapshots in any order give the same history, which says of each day
// what the last snapshot up to it shows, or the dated row of that day; no person
// has two rows for a day.
// Method: rows drawn at random, staged in two orders in two parts, and an oracle
// that looks at each day alone.
func TestSnapshotHistoryByDays(t *testing.T) {
	b := openBooks(t)
	rapid.Check(t, func(rt *rapid.T) {
		var people []person
		centers := []string{"CC-1", "CC-2", "00420"}
		for day := 1; day <= 28; day++ {
			if rapid.IntRange(0, 3).Draw(rt, "snapshot") > 0 {
				continue
			}
			s := fmt.Sprintf("2026-10-%02d", day)
			people = append(people, shown(s, "other", "One", "CC-1"))
			if c := rapid.IntRange(0, 3).Draw(rt, "center"); c > 0 {
				people = append(people, shown(s, "p", "", centers[c-1]))
			}
		}
		for range rapid.IntRange(0, 1).Draw(rt, "dated") {
			first, length := rapid.IntRange(1, 20).Draw(rt, "first"), rapid.IntRange(1, 8).Draw(rt, "length")
			people = append(people, works("p@example.com", "Two", "CC-2", fmt.Sprintf("2026-10-%02d", first), fmt.Sprintf("2026-10-%02d", first+length)))
		}
		if len(people) == 0 {
			return
		}
		var before []string
		for range 2 {
			shuffled := slices.Clone(people)
			rand.New(rand.NewSource(rapid.Int64().Draw(rt, "order"))).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			var got []string
			b.clear()
			b.history(peopleBook(), shuffled)
			rows := b.person(peopleBook(), "p@example.com")
			for day := 1; day <= 31; day++ {
				d := fmt.Sprintf("2026-10-%02d", day)
				var on []string
				for _, r := range rows {
					if !ledgertest.Day(d).Before(r.From) && ledgertest.Day(d).Before(r.To) {
						on = append(on, r.CostCenter)
					}
				}
				if want := saidOn(people, d); strings.Join(on, " and ") != want {
					rt.Fatalf("%s: %v, want %q", d, on, want)
				}
			}
			for _, r := range rows {
				got = append(got, fmt.Sprint(r.CostCenter, r.From, r.To, r.Shown))
			}
			if before != nil && !slices.Equal(before, got) {
				rt.Fatalf("one order gives %v, another %v", before, got)
			}
			before = got
		}
	})
}
