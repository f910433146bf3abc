package models_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/big"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chargeback/billing/ledger/ledgertest"
	"chargeback/billing/records"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
	"chargeback/transform/rates"
)

// TestMain makes fewer random worlds than rapid does by itself, because each of
// them is eight, made several times over: 104 in all. make soak makes more.
func TestMain(m *testing.M) {
	if _, given := os.LookupEnv("RAPID_CHECKS"); !given {
		if err := flag.Set("rapid.checks", "13"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// firstDay begins a week in which the clocks change: 29 March has 23 hours.
const (
	firstDay  = "2026-03-26"
	lastDay   = "2026-04-01"
	lateUntil = "2026-03-30"
)

func randomBook() ledgertest.Book {
	book := plainBook()
	sonnet, at := book.Prices[0], ledgertest.At
	before, after, gateway := sonnet, sonnet, sonnet
	before.Key, before.To = "bedrock/changing", at("2026-03-28 12:00:00")
	after.Key, after.From, after.Input, after.CacheWrite1h = "bedrock/changing", at("2026-03-28 12:00:00"), 1_234_567, 1
	gateway.Key, gateway.Output = "openai/gpt", 999_999_999
	book.Prices = append(book.Prices, before, after, gateway)
	book.Fees[0].To = at("2026-03-29 00:00:00")
	book.Fees[0].Tools = map[string]int64{"search": 10_000_000_001}
	book.Fees = append(book.Fees, ledgertest.Fee{From: at("2026-03-29 00:00:00"), To: rates.Forever, Infra: 7, CacheHit: 3, Tools: book.Fees[0].Tools})
	book.CostCenters = []records.CostCenter{{Code: "00420", Department: "Support"}, {Code: "CC-3", Department: "Agents"}, {Code: "CC-4", Department: "Keys"}, {Code: "CC-7", Department: "Callers"}}
	book.Successors = []records.Successor{
		{Code: "CC-4", Payer: records.CostCenter{Code: "CC-7", Department: "Callers"}, From: ledgertest.Day("2026-03-28"), To: civil.Max},
		{Code: "CC-21", Payer: records.CostCenter{Code: "CC-3", Department: "Agents"}, From: ledgertest.Day("2026-03-30"), To: civil.Max},
	}
	book.Agents = []records.Agent{{ID: "bot", CostCenter: "CC-3", From: civil.Min, To: ledgertest.Day("2026-03-30")}}
	book.Owners = []records.Owner{
		{Kind: "key", Value: "key1", CostCenter: "CC-4", From: civil.Min, To: civil.Max},
		{Kind: "caller", Value: "arn:etl", CostCenter: "CC-7", From: civil.Min, To: civil.Max},
	}
	return book
}

// clans are groups of rows that share no ids with each other: several worlds
// at the price of one night.
const clans = 8

// drawRows makes rows that meet each other: few ids, few days, copies with and
// without a difference.
func drawRows(t *rapid.T) (o oracle, staged ledgertest.Rows) {
	o.book, o.zone, o.lateUntil = randomBook(), berlin(), ledgertest.Day(lateUntil)
	o.people = []person{works("mover@example.com", "Old", "CC-20", "2026-01-01", "2026-03-29"), works("mover@example.com", "New", "CC-21", "2026-03-29", "")}
	for clan := range clans {
		d := draw{t, fmt.Sprint("clan ", clan, "/")}
		var usages []usage
		for range rapid.IntRange(0, 15).Draw(t, "usage rows") {
			u := d.usage()
			if n := len(usages); n > 0 && rapid.IntRange(0, 3).Draw(t, "copy") == 0 {
				u = usages[rapid.IntRange(0, n-1).Draw(t, "of")]
				u.Partial = rapid.Bool().Draw(t, "partial copy")
			}
			u.Line = int64(len(o.usage) + len(usages) + 1)
			usages = append(usages, u)
		}
		o.usage = append(o.usage, usages...)
		var requests []request
		for range rapid.IntRange(0, 15).Draw(t, "request rows") {
			r := d.request()
			if n := len(usages); n > 0 && rapid.IntRange(0, 2).Draw(t, "alike") == 0 {
				d.likeUsage(&r, usages[rapid.IntRange(0, n-1).Draw(t, "like")])
			}
			if n := len(requests); n > 0 && rapid.IntRange(0, 3).Draw(t, "copy") == 0 {
				r = requests[rapid.IntRange(0, n-1).Draw(t, "of")]
				r.Failed = rapid.Bool().Draw(t, "failed copy")
				d.copied(&r)
			}
			r.Line = int64(len(o.requests) + len(requests) + 1)
			requests = append(requests, r)
		}
		o.requests = append(o.requests, requests...)
	}
	return o, ledgertest.Rows{Usage: o.usage, Requests: o.requests, People: o.people}
}

// draw draws the rows of one clan.
type draw struct {
	t    *rapid.T
	clan string
}

func (d draw) pick(name string, from ...string) string {
	return rapid.SampledFrom(from).Draw(d.t, name)
}

// id draws an id of the clan, or none.
func (d draw) id(name string, from ...string) string {
	if id := d.pick(name, from...); id != "" {
		return d.clan + id
	}
	return ""
}

func (d draw) seldom(name string) bool { return rapid.IntRange(0, 5).Draw(d.t, name) == 0 }

// instant is near one of a few that lie on a day each and 20 hours apart, so
// that matches reach from each to the next; or at any hour, or just as far from
// another as matches reach.
func (d draw) instant() string {
	from := ledgertest.Day(firstDay).Start(berlin()).UTC()
	hours := 3 + 20*rapid.IntRange(0, 6).Draw(d.t, "day") + rapid.IntRange(0, 3).Draw(d.t, "hour")
	if d.seldom("any hour") {
		hours = rapid.IntRange(0, 24*ledgertest.Day(lastDay).DaysSince(ledgertest.Day(firstDay))).Draw(d.t, "hours")
	}
	beyond := rapid.SampledFrom([]time.Duration{0, time.Microsecond, 17 * time.Minute}).Draw(d.t, "beyond")
	return from.Add(time.Duration(hours)*time.Hour + beyond).Format("2006-01-02 15:04:05.000000")
}

func (d draw) tokens() record.Tokens {
	count := func(name string) int64 {
		return rapid.SampledFrom([]int64{0, 0, 1, 999, 100_000_000}).Draw(d.t, name)
	}
	if rapid.Bool().Draw(d.t, "writes that often split alike") {
		return rapid.SampledFrom([]record.Tokens{{CacheWriteUnknown: 999}, {CacheWrite1h: 999}, {CacheWrite5m: 1, CacheWriteUnknown: 998}, {CacheWrite5m: 500, CacheWrite1h: 499}, {CacheWrite5m: 999}}).Draw(d.t, "writes")
	}
	return record.Tokens{InputUncached: count("in"), CacheRead: count("read"), CacheWrite5m: count("5m"), CacheWrite1h: count("1h"), CacheWriteUnknown: count("unknown"), Output: count("out"), Reasoning: count("reasoning")}
}

func (d draw) usage() usage {
	return usage{
		Key: d.id("key", "k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8", "k9"), At: d.instant(), RequestID: d.id("request id", "", "", "a", "b"),
		ResponseID: d.id("response id", "", "", "m"), ClientRef: d.id("reference", "", "x", "r1", "r2"), Model: d.pick("model", "sonnet", "changing", "unheard-of"),
		Caller: d.pick("caller", "", "arn:etl"), CostCenter: d.pick("metadata", "", "", "", "00420"), AgentID: d.pick("metadata agent", "", "", "bot"),
		Failed: d.seldom("failed"), Partial: d.seldom("partial"), Tokens: d.tokens(), Object: d.pick("object", "a", "b"),
	}
}

func (d draw) request() request {
	r := request{
		ID: d.id("id", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8"), At: d.instant(), RequestID: d.id("request id", "", "", "a", "b"), ResponseID: d.id("response id", "", "", "m"),
		Source: d.pick("source", "requests", "requests", "gateway"), ClientRef: d.id("reference", "", "", "x"), User: d.pick("user", "", "mover@example.com", "stranger@example.com"), AgentID: d.pick("agent", "", "bot", "shared-bot"),
		Key: d.pick("api key", "", "key1"), CostCenter: d.pick("explicit", "", "", "", "00420", "nowhere"), Tools: d.pick("tools", "", "", "search:2", "mystery:1"),
		Provider: "bedrock", Model: d.pick("model", "sonnet", "changing", "unheard-of"),
		CacheHit: d.seldom("hit"), Failed: d.seldom("failed"), Unmetered: d.seldom("unmetered"), Tokens: d.tokens(), Object: d.pick("object", "a", "b"),
	}
	if d.seldom("gateway") {
		r.Provider, r.Model = "openai", "gpt"
	}
	if rapid.Bool().Draw(d.t, "ended") {
		took := rapid.SampledFrom([]time.Duration{0, time.Second, 25 * time.Minute}).Draw(d.t, "took")
		r.Ended = ledgertest.At(r.At).Add(took).Format("2006-01-02 15:04:05.000000")
	}
	return r
}

// copied changes a copy of a request in what attempts and platforms differ in.
func (d draw) copied(r *request) {
	if rapid.Bool().Draw(d.t, "other source") {
		r.Source, r.ID = d.pick("source", "requests", "gateway"), d.id("id", "r1", "r2", "r3", "r4")
		r.User, r.AgentID = d.pick("user", "", "mover@example.com"), d.pick("agent", "", "bot")
	}
	if d.seldom("other ids") {
		r.RequestID, r.ResponseID = d.id("request id", "", "a", "b"), d.id("response id", "", "m")
	}
	if d.seldom("other time") {
		at := ledgertest.At(r.At).Add(rapid.SampledFrom([]time.Duration{time.Second, 20 * time.Minute, 21 * time.Minute}).Draw(d.t, "later"))
		r.At = at.Format("2006-01-02 15:04:05.000000")
		if r.Ended != "" {
			r.Ended = at.Add(time.Minute).Format("2006-01-02 15:04:05.000000")
		}
	}
}

// likeUsage is a request with the counts of usage, near it in time.
func (d draw) likeUsage(r *request, u usage) {
	r.Model, r.Provider, r.Tokens = u.Model, "bedrock", u.Tokens
	apart := rapid.SampledFrom([]time.Duration{0, time.Second, 2 * time.Minute, 121 * time.Second}).Draw(d.t, "apart")
	r.At, r.Ended = ledgertest.At(u.At).Add(apart).Format("2006-01-02 15:04:05.000000"), ""
	if rapid.Bool().Draw(d.t, "no ids") {
		r.RequestID, r.ResponseID, r.ClientRef = "", "", d.clan+"none"
	}
}

func berlin() *time.Location {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	return zone
}

// Goal: whatever comes together, each row is charged once, set aside once or
// named as held, for the exact amount and to the right cost centre, and it
// doesn't matter in which windows the days are made.
// Method: random worlds in which rows collide in every way, against an oracle
// that works row by row with big integers; then the same days in random windows,
// in random order, against the hash of the first run.
func TestRandomWorlds(t *testing.T) {
	whole := openBooks(t)
	rapid.Check(t, func(t *rapid.T) {
		b := *whole
		b.TB = t
		o, staged := drawRows(t)
		o.run()
		b.clear()
		b.stage(staged)
		b.replace(o.book, lateUntil, days(firstDay, lastDay))
		o.compare(&b)
		o.compareSums(&b)
		want := b.hash()
		for _, window := range drawWindows(t) {
			b.replace(o.book, lateUntil, window)
		}
		if got := b.hash(); got != want {
			o.compare(&b)
			t.Fatalf("other windows gave another ledger")
		}
	})
}

func (b *books) hash() string {
	b.Helper()
	h, err := b.ledger.Months.Hash(context.Background(), civil.Min, civil.Max, "")
	b.must(err)
	return h
}

// drawWindows cuts the days into up to three windows, in any order.
func drawWindows(t *rapid.T) (windows []records.Days) {
	first, last := ledgertest.Day(firstDay), ledgertest.Day(lastDay)
	for n := 0; !last.Before(first); n++ {
		end := first.AddDays(rapid.IntRange(0, last.DaysSince(first)).Draw(t, "days"))
		if n == 2 {
			end = last
		}
		windows = append(windows, records.Days{First: first, Last: end})
		first = end.AddDays(1)
	}
	return rapid.Permutation(windows).Draw(t, "order")
}

// compare holds every record and every row set aside against the oracle.
func (o *oracle) compare(b *books) {
	b.Helper()
	verdicts := b.aside()
	if !maps.Equal(verdicts, o.aside) {
		b.Fatalf("set aside %v, want %v", verdicts, o.aside)
	}
	left := maps.Clone(o.result)
	for _, r := range b.records() {
		p := r.usage
		if p.line == 0 {
			p = r.request
		}
		e, known := left[p]
		if !known {
			b.Fatalf("%v has a record too many: %+v", p, r)
		}
		delete(left, p)
		got := expected{request: r.request, match: r.match, rung: r.rung, pricing: r.pricing, center: r.center}
		want, total := e, "null"
		want.pico = nil
		if e.pico != nil {
			total = money.FromPicoInt(e.pico).String()
		}
		if got != want || r.total != total {
			b.Fatalf("%v: got %+v for %s, want %+v for %s", p, got, r.total, want, total)
		}
	}
	if len(left) > 0 {
		b.Fatalf("no record of %v", slices.Collect(maps.Keys(left)))
	}
	charged := len(o.result)
	if rows := len(o.usage) + len(o.requests); rows != charged+len(verdicts)+len(o.match)-len(o.elsewhere)-o.shared() {
		b.Fatalf("%d rows staged; %d records, %d set aside, %d joined", rows, charged, len(verdicts), len(o.match))
	}
}

// shared is how many usage rows belong to a request that has others too.
func (o *oracle) shared() (n int) {
	for _, rows := range o.billedBy {
		n += len(rows) - 1
	}
	return n
}

// compareSums holds the total and each cost centre's sum against the oracle.
func (o *oracle) compareSums(b *books) {
	b.Helper()
	want, all := map[string]*big.Int{}, new(big.Int)
	for _, e := range o.result {
		if want[e.center] == nil {
			want[e.center] = new(big.Int)
		}
		if e.pico != nil {
			want[e.center].Add(want[e.center], e.pico)
			all.Add(all, e.pico)
		}
	}
	total, found := new(big.Int), 0
	each(b, "select {total_usd(total_cost_usd)} as total, {total_usd(llm_cost_usd + infra_cost_usd + tool_cost_usd)} as parts from {record_facts} where usage_date >= {@since}", records.Args{"since": civil.Min}, func(r struct{ Total, Parts money.USD }) {
		if r.Total.Pico().Cmp(all) != 0 || r.Parts.Pico().Cmp(all) != 0 {
			b.Fatalf("records sum up to %s, their parts to %s, want %s", r.Total, r.Parts, money.FromPicoInt(all))
		}
	})
	each(b, "select cost_center, {total_usd(total_cost_usd)} as total from {cost_items} where usage_date >= {@since} group by cost_center", records.Args{"since": civil.Min}, func(r owes) {
		sum := want[r.CostCenter]
		if sum == nil || r.Total.Pico().Cmp(sum) != 0 {
			b.Fatalf("%s owes %s, want %v pico-dollars", r.CostCenter, r.Total, sum)
		}
		total.Add(total, sum)
		found++
	})
	if found != len(want) || total.Cmp(all) != 0 {
		b.Fatal(fmt.Sprintf("%d cost centres owe %s, want %d and %s", found, total, len(want), all))
	}
}
