package models_test

import (
	"slices"
	"testing"

	"chargeback/billing/ledger/ledgertest"
	"chargeback/billing/records"
	"chargeback/transform/civil"
)

// ownersBook has an owner by every rule, each with a cost centre of its own.
func ownersBook() ledgertest.Book {
	book := plainBook()
	book.CostCenters = []records.CostCenter{
		{Code: "00420", Department: "Explicit"}, {Code: "420", Department: "Not the same"}, {Code: "CC-3", Department: "Agents"}, {Code: "CC-4", Department: "Keys"},
		{Code: "CC-5", Department: "Teams"}, {Code: "CC-6", Department: "Projects"}, {Code: "CC-7", Department: "Callers"}, {Code: "CC-8", Department: "Later"},
	}
	always := func(kind, value, center string) records.Owner {
		return records.Owner{Kind: kind, Value: value, CostCenter: center, From: civil.Min, To: civil.Max}
	}
	book.Owners = []records.Owner{
		always("key", "key1", "CC-4"), always("team", "team1", "CC-5"), always("project", "project1", "CC-6"), always("caller", "arn:etl", "CC-7"), always("caller", "arn:off", "nowhere"),
		{Kind: "key", Value: "key2", CostCenter: "CC-4", From: civil.Min, To: ledgertest.Day("2026-10-15")},
		{Kind: "key", Value: "key2", CostCenter: "CC-8", From: ledgertest.Day("2026-10-15"), To: civil.Max},
		always("team", "key1", "CC-8"), // a team may be called like a key
	}
	book.Owners = append(book.Owners, always("key", "key-ended", "CC-ended"))
	book.CostCenters = append(book.CostCenters, records.CostCenter{Code: "CC-ended", Department: "Ended"}, records.CostCenter{Code: "CC-next", Department: "Next"}, records.CostCenter{Code: "CC-last", Department: "Last"})
	book.Successors = []records.Successor{
		{Code: "CC-ended", Payer: records.CostCenter{Code: "CC-next", Department: "Next"}, From: ledgertest.Day("2026-10-10"), To: ledgertest.Day("2026-10-20")},
		{Code: "CC-ended", Payer: records.CostCenter{Code: "CC-last", Department: "Last"}, From: ledgertest.Day("2026-10-20"), To: civil.Max},
		{Code: "CC-next", Payer: records.CostCenter{Code: "CC-last", Department: "Last"}, From: ledgertest.Day("2026-10-20"), To: civil.Max},
	}
	book.CallerUsers = [][2]string{{"arn:sso/mover", "mover@example.com"}, {"arn:sso/stranger", "stranger@example.com"}}
	book.Agents = []records.Agent{
		{ID: "bot", CostCenter: "CC-3", From: civil.Min, To: civil.Max},
		{ID: "dated-bot", CostCenter: "CC-3", From: civil.Min, To: ledgertest.Day("2026-10-10")},
		{ID: "dated-bot", CostCenter: "CC-8", From: ledgertest.Day("2026-10-12"), To: civil.Max},
		{ID: "movers-bot", OwnerEmail: "mover@example.com", From: civil.Min, To: ledgertest.Day("2026-10-20")},
		{ID: "nobodys-bot", OwnerEmail: "nobody@example.com", From: civil.Min, To: civil.Max},
		{ID: "lost-bot", CostCenter: "nowhere", From: civil.Min, To: civil.Max},
	}
	return book
}

func works(email, department, center, from, to string) person {
	return person{Email: email, Department: department, CostCenter: center, From: from, To: to}
}

func staff() []person {
	return []person{
		works("user@example.com", "People", "CC-2", "2026-01-01", ""),
		works("mover@example.com", "Old", "CC-20", "2026-01-01", "2026-10-15"),
		works("mover@example.com", "New", "CC-21", "2026-10-15", ""),
		works("overlap@example.com", "Old", "CC-20", "2026-01-01", ""), // left open: the later start ends it
		works("overlap@example.com", "New", "CC-21", "2026-10-15", ""),
		works("twice@example.com", "People", "CC-2", "2026-01-01", ""),
		works("twice@example.com", "People", "CC-2", "2026-01-01", ""),
		works("doubt@example.com", "Old", "CC-20", "2026-01-01", ""),
		works("doubt@example.com", "One", "CC-21", "2026-10-10", ""),
		works("doubt@example.com", "Two", "CC-22", "2026-10-10", ""),
		works("doubt@example.com", "New", "CC-23", "2026-10-20", ""),
		works("leaver@example.com", "Old", "CC-20", "2026-10-05", "2026-10-15"),
		works("ended@example.com", "Ended", "CC-ended", "2026-01-01", ""),
		works("renamed@example.com", "Name of before", "CC-ended", "2026-01-01", ""), // another payer: the directory says Ended
		works("later@example.com", "New", "CC-21", "2026-10-15", ""),
		works("later@example.com", "Old", "CC-20", "2026-01-01", "2026-10-31"), // rows in any order
	}
}

// Goal: the first rule of the chain that fires says who pays, by the day in the
// billing zone on which the request began, and the rule is kept.
// Method: one request that every rule could place, with one rule after the
// other taken away; then dates, at midnight and around it.
func TestAttribute(t *testing.T) {
	worlds := slices.Concat(chainWorlds(), peopleWorlds(), agentWorlds(), endedWorlds())
	table{
		book: ownersBook(), people: staff(), worlds: worlds,
		show: func(r costRecord, _ names) string { return r.center + " " + r.department + " by " + r.rule },
	}.run(t)
}

// chain is a request that all rules could place, less what change takes away.
func chain(name, want string, change func(*usage, *request)) world {
	u := usage{RequestID: "u1", At: "2026-10-05 10:00:00", Caller: "arn:etl"}
	r := request{
		ID: "r1", RequestID: "u1", At: "2026-10-05 10:00:00", CostCenter: "00420", User: "user@example.com", AgentID: "bot", Key: "key1", Team: "team1", Project: "project1",
	}
	change(&u, &r)
	return world{name: name, usage: []usage{u}, requests: []request{r}, want: []string{want}}
}

func chainWorlds() []world {
	nobody := func(r *request) { r.CostCenter, r.User = "", "" }
	return []world{
		chain("1: explicit cost centre", "00420 Explicit by explicit cost centre", func(*usage, *request) {}),
		chain("1: explicit at the provider", "420 Not the same by explicit cost centre", func(u *usage, r *request) { u.CostCenter, r.CostCenter = "420", "" }),
		chain("1: the request's goes before the provider's", "00420 Explicit by explicit cost centre", func(u *usage, _ *request) { u.CostCenter = "420" }),
		chain("an unknown code falls through", "CC-2 People by user", func(_ *usage, r *request) { r.CostCenter = "CC-404" }),
		chain("a code that differs by a zero is unknown", "CC-2 People by user", func(_ *usage, r *request) { r.CostCenter = "0420" }),
		chain("2: user", "CC-2 People by user", func(_ *usage, r *request) { r.CostCenter = "" }),
		chain("2: user by address", "CC-2 People by user", func(_ *usage, r *request) { r.CostCenter, r.User, r.Email = "", "id-17", "user@example.com" }),
		chain("an unknown user falls through", "CC-3 Agents by agent owner", func(_ *usage, r *request) { r.CostCenter, r.User = "", "stranger@example.com" }),
		chain("an unknown address falls through", "CC-3 Agents by agent owner", func(_ *usage, r *request) { r.CostCenter, r.Email = "", "stranger@example.com" }),
		chain("3: agent", "CC-3 Agents by agent owner", func(_ *usage, r *request) { nobody(r) }),
		chain("3: agent of the provider's metadata", "CC-3 Agents by agent owner", func(u *usage, r *request) { nobody(r); u.AgentID, r.AgentID = "bot", "" }),
		chain("an agent without an owner falls through", "CC-4 Keys by key owner", func(_ *usage, r *request) { nobody(r); r.AgentID = "shared-bot" }),
		chain("an owner without a cost centre falls through", "CC-4 Keys by key owner", func(_ *usage, r *request) { nobody(r); r.AgentID = "lost-bot" }),
		chain("4: key", "CC-4 Keys by key owner", func(_ *usage, r *request) { nobody(r); r.AgentID = "" }),
		chain("an unknown key falls through", "CC-5 Teams by team owner", func(_ *usage, r *request) { nobody(r); r.AgentID, r.Key = "", "key404" }),
		chain("5: team", "CC-5 Teams by team owner", func(_ *usage, r *request) { nobody(r); r.AgentID, r.Key = "", "" }),
		chain("6: project", "CC-6 Projects by project owner", func(_ *usage, r *request) { nobody(r); r.AgentID, r.Key, r.Team = "", "", "" }),
		chain("7: caller", "CC-7 Callers by caller owner", func(_ *usage, r *request) { nobody(r); r.AgentID, r.Key, r.Team, r.Project = "", "", "", "" }),
		chain("nobody", "UNALLOCATED UNALLOCATED by none", func(u *usage, r *request) {
			nobody(r)
			u.Caller, r.AgentID, r.Key, r.Team, r.Project = "arn:else", "", "", "", ""
		}),
		chain("a caller's owner without a cost centre", "UNALLOCATED UNALLOCATED by none", func(u *usage, r *request) {
			nobody(r)
			u.Caller, r.AgentID, r.Key, r.Team, r.Project = "arn:off", "", "", "", ""
		}),
		chain("a request that doesn't match gives nothing", "CC-7 Callers by caller owner", func(u *usage, r *request) {
			u.RequestID, r.RequestID, r.CacheHit = "u2", "u2", false
			r.At = "2026-10-09 10:00:00"
		}).and("00420 Explicit by explicit cost centre"),
	}
}

// and adds the record of a request that stays alone.
func (w world) and(want string) world {
	w.want = append(w.want, want)
	return w
}

// asked is one request of a user or an agent at an instant.
func asked(name, at, want string, r request) world {
	r.ID, r.At = "r1", at
	return world{name: name, requests: []request{r}, want: []string{want}}
}

func peopleWorlds() []world {
	by := func(user string) request { return request{User: user + "@example.com", AgentID: "bot"} }
	const agent = "CC-3 Agents by agent owner"
	return []world{
		asked("a move: the last instant before midnight in the billing zone", "2026-10-14 21:59:59.999999", "CC-20 Old by user", by("mover")),
		asked("a move: midnight in the billing zone", "2026-10-14 22:00:00", "CC-21 New by user", by("mover")),
		asked("a move: midnight in UTC is later", "2026-10-15 00:00:00", "CC-21 New by user", by("mover")),
		asked("a row that was left open, before the next one starts", "2026-10-14 21:59:59", "CC-20 Old by user", by("overlap")),
		asked("a row that was left open ends where the next one starts", "2026-10-14 22:00:00", "CC-21 New by user", by("overlap")),
		asked("rows in another order", "2026-10-20 10:00:00", "CC-21 New by user", by("later")),
		asked("the same row twice", "2026-10-05 10:00:00", "CC-2 People by user", by("twice")),
		asked("before two rows that contradict each other", "2026-10-09 10:00:00", "CC-20 Old by user", by("doubt")),
		asked("two rows that contradict each other: no row counts", "2026-10-10 10:00:00", agent, by("doubt")),
		asked("until one starts that is clear", "2026-10-20 10:00:00", "CC-23 New by user", by("doubt")),
		asked("before the first row", "2026-10-04 21:59:59", agent, by("leaver")),
		asked("the first day", "2026-10-04 22:00:00", "CC-20 Old by user", by("leaver")),
		asked("the last day", "2026-10-14 21:59:59", "CC-20 Old by user", by("leaver")),
		asked("after the last row", "2026-10-14 22:00:00", agent, by("leaver")),
	}
}

func endedWorlds() []world {
	ended := request{User: "ended@example.com"}
	return []world{
		asked("a cost centre that has ended: the last instant", "2026-10-09 21:59:59.999999", "CC-ended Ended by user", ended),
		asked("its successor from midnight in the billing zone on", "2026-10-09 22:00:00", "CC-next Next by user", ended),
		asked("the successor's last instant", "2026-10-19 21:59:59.999999", "CC-next Next by user", ended),
		asked("the successor's successor", "2026-10-19 22:00:00", "CC-last Last by user", ended),
		asked("under another department", "2026-10-09 22:00:00", "CC-next Next by user", request{User: "renamed@example.com"}),
		asked("named by trusted metadata", "2026-10-19 22:00:00", "CC-last Last by explicit cost centre", request{CostCenter: "CC-next"}),
		asked("an owner", "2026-10-12 10:00:00", "CC-next Next by key owner", request{Key: "key-ended"}),
		asked("who pays for nothing has no successor", "2026-10-12 10:00:00", "UNALLOCATED UNALLOCATED by none", request{Key: "key404"}),
	}
}

func agentWorlds() []world {
	const nobody, key = "UNALLOCATED UNALLOCATED by none", "CC-4 Keys by key owner"
	return []world{
		asked("a shared agent is paid by who asked", "2026-10-05 10:00:00", "CC-2 People by user", request{User: "user@example.com", AgentID: "bot"}),
		asked("an agent by itself is paid by its owner", "2026-10-05 10:00:00", "CC-3 Agents by agent owner", request{AgentID: "bot"}),
		asked("an owner's last day", "2026-10-09 21:59:59", "CC-3 Agents by agent owner", request{AgentID: "dated-bot"}),
		asked("days without an owner", "2026-10-09 22:00:00", key, request{AgentID: "dated-bot", Key: "key1"}),
		asked("the next owner's first day", "2026-10-11 22:00:00", "CC-8 Later by agent owner", request{AgentID: "dated-bot"}),
		asked("an agent of a person, before the person moves", "2026-10-14 21:59:59", "CC-20 Old by agent owner", request{AgentID: "movers-bot"}),
		asked("an agent of a person moves along", "2026-10-14 22:00:00", "CC-21 New by agent owner", request{AgentID: "movers-bot"}),
		asked("an agent of a person, after the agent's own end", "2026-10-19 22:00:00", nobody, request{AgentID: "movers-bot"}),
		asked("an agent of an unknown person", "2026-10-05 10:00:00", key, request{AgentID: "nobodys-bot", Key: "key1"}),
		asked("a key changes hands: before", "2026-10-14 21:59:59", key, request{Key: "key2"}),
		asked("a key changes hands: after", "2026-10-14 22:00:00", "CC-8 Later by key owner", request{Key: "key2"}),
		asked("a key is not a team", "2026-10-05 10:00:00", "CC-8 Later by team owner", request{Team: "key1"}),
		asked("a cache hit is attributed too", "2026-10-05 10:00:00", "CC-2 People by user", request{User: "user@example.com", CacheHit: true}),
		asked("a failure is attributed too", "2026-10-05 10:00:00", "CC-2 People by user", request{User: "user@example.com", Failed: true}),
		{
			name:  "usage without a request",
			usage: []usage{{RequestID: "u1", At: "2026-10-05 10:00:00", Caller: "arn:etl", AgentID: "bot"}, {RequestID: "u2", At: "2026-10-05 10:00:00", Caller: "arn:etl"}, {RequestID: "u3", At: "2026-10-05 10:00:00", CostCenter: "00420"}},
			want:  []string{"CC-3 Agents by agent owner", "CC-7 Callers by caller owner", "00420 Explicit by explicit cost centre"},
		},
		{
			name:  "usage without a request, by a person who signed on",
			usage: []usage{{RequestID: "u1", At: "2026-10-14 21:59:59", Caller: "arn:sso/mover"}, {RequestID: "u2", At: "2026-10-14 22:00:00", Caller: "arn:sso/mover", AgentID: "bot"}, {RequestID: "u3", At: "2026-10-05 10:00:00", Caller: "arn:sso/stranger", AgentID: "bot"}},
			want:  []string{"CC-20 Old by user", "CC-21 New by user", "CC-3 Agents by agent owner"},
		},
		{
			name:     "who asked goes before the person as whom the provider was called",
			usage:    []usage{{RequestID: "u1", At: "2026-10-05 10:00:00", Caller: "arn:sso/mover"}},
			requests: []request{{ID: "r1", RequestID: "u1", At: "2026-10-05 10:00:00", User: "user@example.com"}},
			want:     []string{"CC-2 People by user"},
		},
		{
			name:     "the day is the usage's where both sides are known",
			usage:    []usage{{RequestID: "u1", At: "2026-10-14 22:00:00"}},
			requests: []request{{ID: "r1", RequestID: "u1", At: "2026-10-14 21:59:59", User: "mover@example.com"}},
			want:     []string{"CC-21 New by user"},
		},
	}
}
