package ledgertest

import (
	"fmt"

	"chargeback/billing/records"
	"chargeback/billing/report"
	"chargeback/transform/civil"
)

// testPeople: snapshots, dated rows and aliases are one history, which is told
// and hashed, and which a change behind its last day leaves as it is.
func testPeople(b *books) {
	show := func(day, email, department, center string) Person {
		return Person{Email: email + "@example.com", Department: department, CostCenter: center, Snapshot: day, Source: "hr", Object: day + ".json"}
	}
	rows := Rows{
		Requests: []Request{
			{ID: "r1", At: "2026-10-05 10:00:00", User: "a@example.com", RequestID: "q1"},
			{ID: "r2", At: "2026-10-15 10:00:00", User: "old@example.com", RequestID: "q2"},
			{ID: "r3", At: "2026-10-15 10:00:00", User: "c@example.com", RequestID: "q3"},
		},
		People: []Person{
			show("2026-10-10", "a", "Research", "CC-1001"), show("2026-10-10", "b", "", ""), show("2026-10-10", "c", "Sales", ""), show("2026-10-10", "e", "X", "CC-404"),
			show("2026-10-01", "a", "Customers", "00420"), show("2026-10-01", "b", "Research", "CC-1001"), show("2026-10-01", "c", "Marketing", ""),
			{Email: "a@example.com", Department: "Support", CostCenter: "00420", From: "2026-10-20", To: "2026-10-25"},
		},
	}
	b.stage(rows)
	night := b.build("2026-10-01", "2026-10-31")
	book := company()
	book.Aliases = []records.Alias{{Address: "old@example.com", Email: "a@example.com", From: civil.Min, To: civil.Max}}
	book.Departments = []records.Department{{Name: "Sales", Center: book.CostCenters[1]}}
	book.PeopleFrom = []string{"hr"}
	b.must(Make(b.ctx, b.ledger, night, book))

	references := func(names ...string) records.References {
		b.Helper()
		seen, err := report.PeopleSeen(b.ctx, b.ledger.Records, names...)
		b.must(err)
		refs, err := book.Resolve(seen)
		b.must(err)
		return refs
	}
	history := func(email string) (told []string) {
		found, err := report.PersonHistory(b.ctx, b.ledger.Records, email, references(email))
		b.must(err)
		for _, r := range found {
			told = append(told, fmt.Sprintf("%s %s %s..%s %s %s:%d", r.CostCenter, r.Department, r.From, r.To, r.Source, r.Object, r.Line))
		}
		return told
	}
	mover := []string{
		"00420 Support 2026-10-01..2026-10-10 hr 2026-10-01.json:1", "CC-1001 Research 2026-10-10..2026-10-20 hr 2026-10-10.json:1",
		"00420 Support 2026-10-20..2026-10-25 people first.json:1", "CC-1001 Research 2026-10-25..9999-12-31 hr 2026-10-10.json:1",
	}
	b.equal("history", mover, history("a@example.com"))
	b.equal("history of an old address", mover, history("old@example.com"))
	b.equal("history without a place", []string{"CC-1001 Research 2026-10-01..2026-10-10 hr 2026-10-01.json:2"}, history("b@example.com"))
	b.equal("history by a department", []string{"CC-1001 Research 2026-10-10..9999-12-31 hr 2026-10-10.json:3"}, history("c@example.com"))
	var payers []string
	for _, r := range each[struct{ AgentRequestID, CostCenter string }](b, "select t.agent_request_id, y.cost_center from {record_facts} as f inner join {requests} as t on t.object_id = f.request_object_id and t.line = f.request_line and t.request_date >= {@since} inner join {payers} as y on y.payer_id = f.payer_id where f.usage_date >= {@since} order by 1", records.Args{"since": civil.Min}) {
		payers = append(payers, r.AgentRequestID+" "+r.CostCenter)
	}
	b.equal("payers", []string{"r1 00420", "r2 CC-1001", "r3 CC-1001"}, payers)

	users, err := report.Askers(b.ctx, b.ledger.Records)
	b.must(err)
	b.equal("who asked", []string{"a@example.com", "c@example.com", "old@example.com"}, users)
	states, err := report.SnapshotStates(b.ctx, b.ledger.Records, references(users...).Aliases)
	b.must(err)
	b.equal("newest snapshot", []report.SnapshotState{{Source: "hr", Day: Day("2026-10-10"), Shown: 4, Before: 3, Unpaid: []report.Unpaid{{Department: "Sales", People: 1}}}}, states)
	centers, err := report.PeopleCenters(b.ctx, b.ledger.Records)
	b.must(err)
	var told []string
	for _, c := range centers {
		told = append(told, fmt.Sprint(c.CostCenter, " ", c.Department, " ", c.Key, " ", c.Line, " ", c.Snapshot))
	}
	b.equal("cost centres", []string{"CC-1001 Research 2026-10-10.json 1 true", "CC-404 X 2026-10-10.json 4 true", "00420 Support first.json 1 false"}, told)
	said, err := report.PersonSaid(b.ctx, b.ledger.Records, "b@example.com")
	b.must(err)
	if len(said) != 2 || said[1].Shown != Day("2026-10-10") || said[1].CostCenter != "" {
		b.Errorf("said of b: %+v", said)
	}
	b.peopleHash()
	b.peopleNames()
}

// peopleNames: other names of people are told by runs of the snapshots that show
// them, however often and in which order they were read, and change the hash of
// the days that they are shown on alone.
func (b *books) peopleNames() {
	hash := func(last string) string {
		h, err := report.PeopleHash(b.ctx, b.ledger.Records, Day(last))
		b.must(err)
		return h
	}
	before := hash("2026-11-30")
	show := func(day, email, names string) Person {
		return Person{Email: email + "@example.com", CostCenter: "00420", Snapshot: day, Source: "idp", Object: day + ".json", Names: names}
	}
	b.stage(Rows{Object: "later.json", Requests: []Request{{ID: "r9", At: "2026-12-03 10:00:00", User: "U7@Corp.example.com", RequestID: "q9"}}, People: []Person{
		show("2026-12-03", "n", "id=7|upn=u7@corp.example.com"), show("2026-12-01", "n", "id=7"), show("2026-12-02", "n", "id=7"), show("2026-12-05", "n", "id=7"), show("2026-12-04", "m", "id=8"),
		{Email: "back@example.com", CostCenter: "00420", Snapshot: "2026-12-05", From: "2026-11-01", Source: "idp", Object: "2026-12-05.json", Names: "id=9"},
	}})
	var told []string
	b.must(report.PeopleNames(b.ctx, b.ledger.Records, func(n report.PersonNames) {
		told = append(told, fmt.Sprintf("%s %s %s %s/%s..%s", n.Source, n.Email, n.Names, n.From, n.Since, n.To))
	}))
	b.equal("other names", []string{
		"idp back@example.com id=9 2026-11-01/2026-12-05..9999-12-31", "idp m@example.com id=8 2026-12-04/2026-12-04..2026-12-05", "idp n@example.com id=7 2026-12-01/2026-12-01..2026-12-03",
		"idp n@example.com id=7|upn=u7@corp.example.com 2026-12-03/2026-12-03..2026-12-04", "idp n@example.com id=7 2026-12-05/2026-12-05..9999-12-31",
	}, told)
	addresses := map[string]int{}
	b.must(report.PeopleAddresses(b.ctx, b.ledger.Records, func(email string, _, _ civil.Date) { addresses[email]++ }))
	b.equal("addresses of n", 2, addresses["n@example.com"])
	asked, err := report.Asked(b.ctx, b.ledger.Records, []string{"u7@corp.example.com", "7"})
	b.must(err)
	b.equal("asked", map[string]bool{"u7@corp.example.com": true}, asked)
	if hash("2026-11-30") == before {
		b.Errorf("the hash of a day from which on a person is dated back stays %s", before)
	}
	days := [2]string{hash("2026-12-02"), hash("2026-12-03")}
	more := show("2026-12-03", "n", "id=70")
	more.Object = "more.json"
	b.stage(Rows{People: []Person{more}})
	b.equal("hash of the day before another name", days[0], hash("2026-12-02"))
	if hash("2026-12-03") == days[1] {
		b.Errorf("the hash of a day with another name stays %s", days[1])
	}
}

// peopleHash: what people files say of later days is not in the hash.
func (b *books) peopleHash() {
	hash := func(last string) string {
		h, err := report.PeopleHash(b.ctx, b.ledger.Records, Day(last))
		b.must(err)
		return h
	}
	before, later := hash("2026-11-01"), hash("2026-11-05")
	move := Person{Email: "a@example.com", Department: "Support", CostCenter: "00420", Snapshot: "2026-11-02", Source: "hr", Object: "2026-11-02.json"}
	b.stage(Rows{People: []Person{move}})
	b.equal("hash of the days before a move", before, hash("2026-11-01"))
	if hash("2026-11-05") == later {
		b.Errorf("the hash of days behind a move stays %s", later)
	}
	id := ObjectID("hr", "2026-10-01.json", "")
	b.must(b.manifest.MarkEarlier(b.ctx, []int64{id}))
	earlier, err := b.manifest.Earlier(b.ctx, "hr")
	b.must(err)
	b.equal("earlier snapshots", map[int64]bool{id: true}, earlier)
	known, err := b.manifest.Current(b.ctx, "hr", civil.Min, civil.Max)
	b.must(err)
	b.equal("current snapshots", 2, len(known))
	b.equal("hash with an earlier one", before, hash("2026-11-01"))
}
