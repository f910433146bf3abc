package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"chargeback/billing/records"
	"chargeback/billing/runs"
	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
	"chargeback/transform/rates"
)

// company is what the suite's rows are joined with.
func company() Book {
	since := At("2026-01-01 00:00:00")
	return Book{
		Prices: []Price{{Key: "bedrock/sonnet", From: since, To: rates.Forever, Input: 3_000_000, CacheRead: 300_000, CacheWrite5m: 3_750_000, CacheWrite1h: 6_000_000, Output: 15_000_000}},
		Fees:   []Fee{{From: since, To: rates.Forever, Infra: 100_000_000, CacheHit: 20_000_000}},
		References: records.References{
			Agents: []records.Agent{{ID: "support-bot", CostCenter: "00420", From: civil.Min, To: civil.Max}},
			Owners: []records.Owner{{Kind: "caller", Value: "arn:etl", CostCenter: "CC-1001", From: civil.Min, To: civil.Max}},

			CostCenters: []records.CostCenter{{Code: "00420", Department: "Support"}, {Code: "CC-1001", Department: "Research"}},
			UsageFrom:   []string{"bedrock"},
		}}
}

// build is the work of a night for the days, of which all are past waiting for
// usage.
func (b *books) build(first, last string) records.Build {
	b.Helper()
	closed, err := b.ledger.Months.Closed(b.ctx)
	b.must(err)
	open := civil.Month{Year: 2026, Month: time.September}
	for closed[open] != "" {
		open = open.Next()
	}
	return records.Build{
		Days: records.Days{First: Day(first), Last: Day(last)}.All(), LateUntil: Day(last), OpenMonth: open,
		RateVersion: "book-1", RunDate: Day(last),
	}
}

// replace makes the records of the days anew.
func (b *books) replace(first, last string) {
	b.Helper()
	b.must(Make(b.ctx, b.ledger, b.build(first, last), company()))
}

// hash is the hash of all records, or of a month's.
func (b *books) hash(month string) string {
	b.Helper()
	h, err := b.ledger.Months.Hash(b.ctx, civil.Min, civil.Max, month)
	b.must(err)
	return h
}

// state is what a night may change, in full.
type state struct {
	Facts, Daily, Charged        []string
	Hash                         string
	Repeats                      int64
	Days                         []string // that have changed
	Rates, Payers, Actors, Tasks int64
}

func (b *books) state() state {
	b.Helper()
	return state{b.facts(), b.daily(), b.charged(), b.hash(""), b.count("repeats"), b.dirty("2026-12-31"), b.count("rate_entries"), b.count("payers"), b.count("actors"), b.count("tasks")}
}

// facts are all cost records with all columns, in a fixed order.
func (b *books) facts() []string { b.Helper(); return b.all("record_facts") }

// all are the rows of a table with all columns, in a fixed order.
func (b *books) all(table string) (all []string) {
	b.Helper()
	where := "true"
	if partition := b.table(table).Partition; partition != "" {
		where = partition + " >= {@since}"
	}
	for _, r := range b.rows("select "+b.table(table).ColumnNames()+" from {"+table+"} where "+where, records.Args{"since": civil.Min}) {
		all = append(all, fmt.Sprint(readables(r)...))
	}
	slices.Sort(all)
	return all
}

// Goal: whatever stops a night, readers see the days as they were before, or, where
// it was stopped after its last step, as they are after it.
// Method: change what is staged, let each call of the warehouse fail in its turn,
// before its effect and after it, and compare every column of every record.
func testReplaceDays(b *books) {
	b.begin()
	b.stage(night())
	b.replace("2026-10-05", "2026-10-06")
	before := b.state()
	if len(before.Facts) != 2 {
		b.Fatalf("the night made %d records, want 2", len(before.Facts))
	}
	again := night()
	again.Usage = append(again.Usage, Usage{RequestID: "u3", At: "2026-10-05 12:00:00"})
	again.Object = "second.json"
	b.stage(again)
	before = b.state()
	build := b.build("2026-10-05", "2026-10-06")
	run := func(ctx context.Context) error { return Make(ctx, b.ledger, build, company()) }
	must := func(what string, want state) {
		b.Helper()
		b.equal("the ledger after "+what, want, b.state())
	}
	var made state
	b.eachCall(func() error { return run(b.ctx) }, func(what string) {
		b.Helper()
		must(what, before)
	}, func(what string) {
		b.Helper()
		made = b.state()
		b.equal("records after "+what, 3, len(made.Facts))
	})
	must("it went well", made)
	b.reopen()
	b.begin()
	must("opening again", made)
	b.replace("2026-10-05", "2026-10-06")
	must("a second run", made)
	b.equal("rate entries of a second run", int64(1), b.count("rate_entries"))

	ctx, stop := context.WithCancel(b.ctx)
	stop()
	if err := run(ctx); !errors.Is(err, context.Canceled) {
		b.Errorf("a night that was cancelled: %v", err)
	}
	must("it was cancelled", made)
}

// Goal: a night whose sums don't tie keeps nothing.
// Method: a price that holds twice makes two records of one usage row.
func testNotTied(b *books) {
	b.begin()
	b.stage(night())
	b.replace("2026-10-05", "2026-10-05")
	before := b.state()
	build := b.build("2026-10-05", "2026-10-06")
	seen, err := b.ledger.Records.Seen(b.ctx, build)
	b.must(err)
	refs, err := company().Resolve(seen)
	b.must(err)
	refs.Rates = append(refs.Rates, refs.Rates...)
	if _, err := b.ledger.Records.Compute(b.ctx, build, refs); !errors.Is(err, records.ErrNotTied) {
		b.Errorf("ended with %v, want ErrNotTied", err)
	}
	b.equal("the ledger", before, b.state())
}

// Goal: a night and a delivery of two processes don't lose each other's rows.
// Method: the guards of both, fed what another process would have left between the
// look and the step, and nothing.
func testMeanwhile(b *books) {
	b.begin()
	b.stage(night())
	compute := func() *records.Made {
		b.Helper()
		build := b.build("2026-10-05", "2026-10-06")
		seen, err := b.ledger.Records.Seen(b.ctx, build)
		b.must(err)
		refs, err := company().Resolve(seen)
		b.must(err)
		made, err := b.ledger.Records.Compute(b.ctx, build, refs)
		b.must(err)
		return made
	}
	made := compute()
	other := Rows{Usage: []Usage{{RequestID: "u3", At: "2026-10-05 12:00:00"}}, Object: "second.json"}
	b.stage(other)
	if err := b.ledger.Apply(b.ctx, made.Changes()...); !errors.Is(err, warehouse.ErrChanged) {
		b.Errorf("a night whose days changed meanwhile ended with %v, want ErrChanged", err)
	}
	b.equal("records after it", 0, len(b.facts()))
	b.equal("changed days after it", []string{"2026-10-05", "2026-10-06"}, b.dirty("2026-10-31"))
	made = compute()
	if err := b.ledger.Apply(b.ctx, made.Changes()...); err != nil {
		b.Errorf("a night whose days did not change meanwhile: %v", err)
	}
	b.equal("records", 3, len(b.facts()))

	none, err := b.ledger.Records.Compute(b.ctx, records.Build{}, records.References{})
	b.must(err)
	b.must(b.ledger.Apply(b.ctx, none.Changes()...))
	b.stage(Rows{Usage: []Usage{{RequestID: "u4", At: "2026-10-08 12:00:00"}}, Object: "third.json"})
	if err := b.ledger.Apply(b.ctx, none.Changes()...); !errors.Is(err, warehouse.ErrChanged) {
		b.Errorf("a night without days, beside which rows were staged, ended with %v, want ErrChanged", err)
	}

	if err := other.Stage(b.ctx, b.manifest); !errors.Is(err, warehouse.ErrChanged) {
		b.Errorf("an object that another process has staged meanwhile ended with %v, want ErrChanged", err)
	}
	b.equal("rows of usage after it", int64(4), b.count("usage"))
	b.equal("objects after it", int64(5), b.count("objects"))
}

// Goal: the hash is a function of the records, not of their way into the ledger.
// Method: the same rows in other orders, in other deliveries and made in other
// windows; and then one changed token.
func testHash(b *books) {
	var usage []Usage
	var requests []Request
	for i := range 12 {
		at := At("2026-10-05 20:00:00").Add(time.Duration(i) * time.Hour).Format(time.DateTime)
		object := fmt.Sprint(i%3, ".json")
		usage = append(usage, Usage{RequestID: fmt.Sprint("u", i), At: at, Object: object, Line: int64(i + 1), Tokens: record.Tokens{InputUncached: int64(i)}})
		requests = append(requests, Request{ID: fmt.Sprint("r", i), RequestID: fmt.Sprint("u", i/2), At: at, Object: object, Line: int64(i + 1), AgentID: "support-bot"})
	}
	b.begin()
	hash := func(deliveries []Rows, days ...string) string {
		b.Helper()
		b.must(Clear(b.ctx, b.engine))
		for _, r := range deliveries {
			b.stage(r)
		}
		for i := 0; i < len(days); i += 2 {
			b.replace(days[i], days[i+1])
		}
		return b.hash("")
	}
	want := hash([]Rows{{Usage: usage, Requests: requests}}, "2026-10-05", "2026-10-06")
	slices.Reverse(usage)
	slices.Reverse(requests)
	b.equal("rows in reverse", want, hash([]Rows{{Usage: usage, Requests: requests}}, "2026-10-05", "2026-10-06"))
	b.equal("requests before usage, days one by one, last first",
		want, hash([]Rows{{Requests: requests}, {Usage: usage}}, "2026-10-06", "2026-10-06", "2026-10-05", "2026-10-05"))
	b.equal("days made twice", want, hash([]Rows{{Usage: usage, Requests: requests}}, "2026-10-05", "2026-10-05", "2026-10-04", "2026-10-07"))
	usage[3].Tokens.Output++
	if hash([]Rows{{Usage: usage, Requests: requests}}, "2026-10-05", "2026-10-06") == want {
		b.Errorf("one more token gave the same hash")
	}
}

func testRuns(b *books) {
	at := At("2026-11-01 03:00:00.000001")
	for want := int64(1); want <= 3; want++ {
		attempt, err := b.ledger.Runs.Begin(b.ctx, "nightly/2026-10-31", at.Add(time.Duration(want)*time.Hour))
		b.must(err)
		b.equal("attempt", want, attempt)
	}
	other, err := b.ledger.Runs.Begin(b.ctx, "nightly/2026-10-30", at)
	b.must(err)
	b.equal("attempt at another window", int64(1), other)
	b.must(b.ledger.Runs.End(b.ctx, "nightly/2026-10-31", 2, runs.Failed, at.Add(2*time.Hour), at, map[string]string{"error": "it's broken"}))
	done := func() map[string]bool {
		windows, err := b.ledger.Runs.WindowsDone(b.ctx, "nightly")
		b.must(err)
		return windows
	}
	b.equal("windows done before any was", map[string]bool{}, done())
	b.must(b.ledger.Runs.End(b.ctx, "nightly/2026-10-31", 3, runs.Done, at.Add(3*time.Hour), at.Add(4*time.Hour), nil))
	b.equal("windows done", map[string]bool{"nightly/2026-10-31": true}, done())
	last, err := b.ledger.Runs.Last(b.ctx, 3)
	b.must(err)
	b.equal("last runs", []runs.Run{
		{Window: "nightly/2026-10-31", Attempt: 3, State: runs.Done, Started: at.Add(3 * time.Hour), Finished: at.Add(4 * time.Hour), Summary: "null"},
		{Window: "nightly/2026-10-31", Attempt: 2, State: runs.Failed, Started: at.Add(2 * time.Hour), Finished: at, Summary: `{"error":"it's broken"}`},
		{Window: "nightly/2026-10-31", Attempt: 1, State: runs.Running, Started: at.Add(time.Hour)},
	}, last)
	inPlace := warehouse.Key("runs", warehouse.Args{"run_window": "nightly/2026-10-30", "attempt": int64(1)}, warehouse.Args{"state": runs.Failed, "finished_at": at, "summary": `{"error":"as earlier versions wrote it"}`})
	b.must(b.ledger.Apply(b.ctx, inPlace))
	failed, err := b.ledger.Runs.FailedRuns(b.ctx, at)
	b.must(err)
	b.equal("failed runs, one of them updated in place", []runs.FailedRun{{Window: "nightly/2026-10-30", Reason: "as earlier versions wrote it"}}, failed)
	inPlace.Set["state"] = runs.Done
	b.must(b.ledger.Apply(b.ctx, inPlace))
	b.equal("windows done, one of them updated in place", map[string]bool{"nightly/2026-10-30": true, "nightly/2026-10-31": true}, done())
	last, err = b.ledger.Runs.Last(b.ctx, 9)
	b.must(err)
	b.equal("attempts", 4, len(last))
	b.must(b.ledger.Runs.FailAfter(b.ctx, at))
	b.equal("windows done that began by then", map[string]bool{"nightly/2026-10-30": true}, done())
}

// Goal: every view of a month has the same total.
// Method: a month with something of each kind, summed up in four ways.
func testSums(b *books) {
	b.stage(night())
	b.stage(Rows{
		Usage: []Usage{{RequestID: "u3", At: "2026-10-07 10:00:00", Model: "nobody-knows"}, {RequestID: "u4", At: "2026-10-07 11:00:00", Failed: true}},
		Requests: []Request{
			{ID: "r5", At: "2026-10-07 10:00:00", CacheHit: true, Tokens: record.Tokens{InputUncached: 10}}, {ID: "r6", At: "2026-10-08 10:00:00"},
			{ID: "r7", At: "2026-10-08 11:00:00", Tokens: record.Tokens{Output: 1}}, {ID: "r8", At: "2026-10-08 12:00:00", Failed: true},
			{ID: "r9", At: "2026-10-07 12:00:00", AgentID: "support-bot", CacheHit: true, Tokens: record.Tokens{InputUncached: 10}},
		},
		Object: "second.json",
	})
	build := b.build("2026-10-01", "2026-10-31")
	build.LateUntil = Day("2026-10-07")
	b.must(Make(b.ctx, b.ledger, build, company()))
	month := civil.Month{Year: 2026, Month: time.October}
	total, _ := b.one("select {total_usd(total_cost_usd)} from {cost_records} where billing_month = {@month} and usage_date >= {@since}", records.Args{"month": month, "since": civil.Min}).(money.USD)
	b.equal("total", "0.010740000000", total.Fixed())

	charges, err := b.ledger.Months.Charges(b.ctx, month)
	b.must(err)
	spend, err := b.ledger.Records.Spend(b.ctx, month)
	b.must(err)
	var charged, spent money.USD
	var requests, held int64
	for _, c := range charges {
		charged, requests = money.Sum(charged, c.LLM, c.Infra, c.Tool), requests+c.Requests
	}
	for _, s := range spend {
		spent, held = spent.Add(s.Actual), held+s.Held
	}
	b.equal("charges and spend", []string{total.Fixed(), total.Fixed()}, []string{charged.Fixed(), spent.Fixed()})
	b.equal("requests and held ones", []int64{9, 3}, []int64{requests, held})
	gates, err := b.ledger.Months.Gates(b.ctx, month)
	b.must(err)
	b.equal("gates", "{9 1 2 0 0 0 0 0 0.00002 0.00 0.00 0}", fmt.Sprint(gates))
	payers, err := b.ledger.Months.Payers(b.ctx, month)
	b.must(err)
	b.equal("payers", "[{{CC-1001 Research} 2026-10-06 2026-10-06 true} {{00420 Support} 2026-10-05 2026-10-07 true} {{UNALLOCATED UNALLOCATED} 2026-10-07 2026-10-08 true}]", fmt.Sprint(payers))
	bySource, err := b.ledger.Months.SourceRecords(b.ctx, month)
	b.must(err)
	b.equal("records by source", "[{people people 1} {requests requests 6} {usage usage 4}]", fmt.Sprint(bySource))
	agents, err := b.ledger.Records.Drivers(b.ctx, month)
	b.must(err)
	drivers, err := agents.Of("cost_center", "00420", 1)
	b.must(err)
	b.equal("dearest agent", []records.Driver{{Label: "support-bot", Spent: money.MustParse("0.00462")}}, drivers)
	drivers, err = agents.Of("", "", 5)
	b.must(err)
	all := money.USD{}
	for _, d := range drivers {
		all = all.Add(d.Spent)
	}
	b.equal("agents of the whole company", total.Fixed(), all.Fixed())
	_, err = agents.Of("team", "x", 1)
	b.refused("agents of a scope that is not known", err)
	used, err := b.ledger.Records.UsedCosts(b.ctx, september, october)
	b.must(err)
	b.equal("use of agents", []records.UsedCost{{AgentID: "support-bot", Month: october, CostCenter: "00420", Total: money.MustParse("0.0046")}}, used)
	owned, err := b.ledger.Records.OwnedCosts(b.ctx, october)
	b.must(err)
	b.equal("agents that their owners pay", []records.OwnedCost{{AgentID: "support-bot", CostCenter: "00420", Day: Day("2026-10-07"), Total: money.MustParse("0.00002")}}, owned)
	newest, err := records.NewestRecordDay(b.ctx, b.ledger)
	b.must(err)
	b.equal("newest day", Day("2026-10-08"), newest)
}
