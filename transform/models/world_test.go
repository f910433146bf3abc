package models_test

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"chargeback/billing/ledger"
	"chargeback/billing/ledger/ledgertest"
	"chargeback/billing/manifest"
	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/duckdb"
	"chargeback/transform/civil"
	"chargeback/transform/money"
	"chargeback/transform/rates"
)

// Short names for the words in which tests write rows.
type (
	usage   = ledgertest.Usage
	request = ledgertest.Request
	person  = ledgertest.Person
)

// books is a ledger that is emptied before each test's rows.
type books struct {
	rapid.TB
	engine   warehouse.Warehouse
	ledger   *ledger.Ledger
	manifest *manifest.Manifest
	zone     *time.Location

	byIDsAlone bool // nothing meets by fingerprint
}

func openBooks(t *testing.T) *books {
	t.Helper()
	engine, err := duckdb.Open(t.Context(), duckdb.Options{Path: filepath.Join(t.TempDir(), "ledger.duckdb"), Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), engine, zone, "2026-01-01")
	if err != nil {
		t.Fatal(err)
	}
	return &books{TB: t, engine: engine, ledger: l, manifest: manifest.New(engine), zone: zone}
}

func (b *books) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// clear empties the ledger of what the test before has left.
func (b *books) clear() {
	b.Helper()
	b.must(ledgertest.Clear(context.Background(), b.engine))
}

func (b *books) stage(r ledgertest.Rows) {
	b.Helper()
	r.Zone = b.zone
	b.must(r.Stage(context.Background(), b.manifest))
}

// replace makes the records of the days anew, with a book of prices, when all
// days up to lateUntil are past waiting for usage.
func (b *books) replace(book ledgertest.Book, lateUntil string, days ...records.Days) {
	b.Helper()
	for _, d := range days {
		b.must(ledgertest.Make(context.Background(), b.ledger, records.Build{
			Days: d.All(), LateUntil: ledgertest.Day(lateUntil), Fingerprint: !b.byIDsAlone, OpenMonth: d.First.Month(),
			RateVersion: "book-1", RunDate: d.Last,
		}, book))
	}
}

func days(first, last string) records.Days {
	return records.Days{First: ledgertest.Day(first), Last: ledgertest.Day(last)}
}

// owes is what a cost centre owes.
type owes struct {
	CostCenter string
	Total      money.USD
}

func each[T any](b *books, text string, args records.Args, yield func(T)) {
	b.Helper()
	b.must(warehouse.Each(context.Background(), b.engine, warehouse.Select{Text: text, Args: args}, func(v T) error {
		yield(v)
		return nil
	}))
}

// place is where a staged row lies.
type place struct {
	source, object string
	line           int64
}

// costRecord is a cost record as tests compare it; amounts are "null" where they
// are not known.
type costRecord struct {
	usage, request                   place
	match, rung, pricing, note       string
	rule, department, center, agent  string
	llm, infra, tool, total, savings string
	toolCalls                        int64
	flags                            string
	doubtful                         string
}

// records reads all cost records, in no order.
func (b *books) records() (all []costRecord) {
	b.Helper()
	each(b, `
select
  u.object_key as usage_object, c.usage_line, r.object_key as request_object, c.request_line, c.match, c.match_rung, c.pricing, c.pricing_note, c.attribution,
  c.department, c.cost_center, c.agent_id, c.llm_cost_usd, c.infra_cost_usd, c.tool_cost_usd, c.total_cost_usd, c.cache_savings_usd, c.tool_calls, r.source as request_source, c.doubtful_cost_usd, c.flags
from {cost_items} as c
left join {objects} as u on u.object_id = c.usage_object_id
left join {objects} as r on r.object_id = c.request_object_id
where c.usage_date >= {@since}`, records.Args{"since": civil.Min}, func(r struct {
		UsageObject   string `column:",null"`
		UsageLine     *int64
		RequestObject string `column:",null"`
		RequestLine   *int64
		RequestSource string `column:",null"`
		Match         string
		MatchRung     string `column:",null"`
		Pricing       string
		PricingNote   string `column:",null"`
		Attribution   string
		Department    string
		CostCenter    string
		AgentID       string     `column:",null"`
		LLM           *money.USD `column:"llm_cost_usd"`
		Infra         *money.USD `column:"infra_cost_usd"`
		Tool          *money.USD `column:"tool_cost_usd"`
		Total         *money.USD `column:"total_cost_usd"`
		Savings       *money.USD `column:"cache_savings_usd"`
		Doubtful      *money.USD `column:"doubtful_cost_usd"`
		ToolCalls     int64
		Flags         string `column:",null"`
	}) {
		rec := costRecord{
			match: r.Match, rung: r.MatchRung, pricing: r.Pricing, note: r.PricingNote, rule: r.Attribution, department: r.Department, center: r.CostCenter, agent: r.AgentID,
			llm: amount(r.LLM), infra: amount(r.Infra), tool: amount(r.Tool), total: amount(r.Total), savings: amount(r.Savings), toolCalls: r.ToolCalls, doubtful: amount(r.Doubtful), flags: r.Flags,
		}
		if r.UsageLine != nil {
			rec.usage = place{"usage", r.UsageObject, *r.UsageLine}
		}
		if r.RequestLine != nil {
			rec.request = place{r.RequestSource, r.RequestObject, *r.RequestLine}
		}
		all = append(all, rec)
	})
	return all
}

func amount(usd *money.USD) string {
	if usd == nil {
		return "null"
	}
	return usd.String()
}

// aside reads the staged rows that are not charged, with the verdict.
func (b *books) aside() map[place]string {
	b.Helper()
	verdicts := map[place]string{}
	each(b, "select o.source, o.object_key, r.line, r.verdict from {repeats} as r inner join {objects} as o on o.object_id = r.object_id where r.usage_date >= {@since}",
		records.Args{"since": civil.Min}, func(r struct {
			Source, ObjectKey string
			Line              int64
			Verdict           string
		}) {
			verdicts[place{r.Source, r.ObjectKey, r.Line}] = r.Verdict
		})
	return verdicts
}

// world is one row of a table: a few staged rows and the records that they
// make, in words.
type world struct {
	name     string
	usage    []usage
	requests []request
	want     []string
}

// table stages all worlds at once, each with ids and a region of its own, makes the nights of
// some days of them and compares what became of each with its wants.
type table struct {
	book   ledgertest.Book
	days   []records.Days // none is October
	people []person
	worlds []world
	show   func(costRecord, names) string
}

// names gives staged rows back the ids that a world calls them by.
type names map[place]string

func (n names) of(p place) string {
	if p.line == 0 {
		return "-"
	}
	return n[p]
}

func (tt table) run(t *testing.T) {
	b := openBooks(t)
	staged, called, owner := tt.staged()
	b.stage(staged)
	if tt.days == nil {
		tt.days = []records.Days{days("2026-10-01", "2026-10-31")}
	}
	b.replace(tt.book, "2026-10-25", tt.days...)
	got := tt.results(b, called, owner)
	for i, w := range tt.worlds {
		t.Run(w.name, func(t *testing.T) {
			if diff := gocmp.Diff(slices.Sorted(slices.Values(w.want)), slices.Sorted(slices.Values(got[i]))); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
		})
	}
}

// results shows the records and the rows set aside by the world they belong to.
func (tt table) results(b *books, called names, owner map[place]int) map[int][]string {
	got := map[int][]string{}
	for _, r := range b.records() {
		p := r.usage
		if p.line == 0 {
			p = r.request
		}
		got[owner[p]] = append(got[owner[p]], tt.show(r, called))
	}
	for p, verdict := range b.aside() {
		got[owner[p]] = append(got[owner[p]], fmt.Sprintf("%s of %s: %s", called[p], p.object, verdict))
	}
	return got
}

// staged puts the worlds' rows together. Lines count on from world to world, so
// that a place names one row.
func (tt table) staged() (staged ledgertest.Rows, called names, owner map[place]int) {
	called, owner = names{}, map[place]int{}
	staged.People = tt.people
	line := int64(0)
	for i, w := range tt.worlds {
		own := func(ids ...*string) {
			for _, id := range ids {
				if *id != "" {
					*id = fmt.Sprintf("w%d/%s", i, *id)
				}
			}
		}
		put := func(source, object, name string) int64 {
			line++
			if object == "" {
				object = "first.json"
			}
			p := place{source, object, line}
			called[p], owner[p] = name, i
			return line
		}
		for _, u := range w.usage {
			if u.Key == "" {
				u.Key = u.RequestID
			}
			u.Line = put("usage", u.Object, u.Key)
			u.Region = cmp.Or(u.Region, regionOf(i))
			own(&u.Key, &u.RequestID, &u.ResponseID, &u.ClientRef)
			staged.Usage = append(staged.Usage, u)
		}
		for _, r := range w.requests {
			r.Source = cmp.Or(r.Source, "requests")
			r.Line = put(r.Source, r.Object, r.ID)
			r.Region = cmp.Or(r.Region, regionOf(i))
			own(&r.ID, &r.RequestID, &r.ResponseID, &r.ClientRef)
			staged.Requests = append(staged.Requests, r)
		}
	}
	return staged, called, owner
}

// regionOf is a region that no other world has: the log of one world says
// nothing of the others' days.
func regionOf(world int) string { return fmt.Sprintf("world-%03d", world) }

// price makes a price of the provider bedrock that holds in all of 2026, from
// pico-dollars a token: input, cache read, cache write of 5 minutes and of an
// hour, output.
func price(model string, input, read, write5m, write1h, output int64) ledgertest.Price {
	return ledgertest.Price{
		Key: "bedrock/" + model, From: ledgertest.At("2026-01-01 00:00:00"), To: rates.Forever,
		Input: input, CacheRead: read, CacheWrite5m: write5m, CacheWrite1h: write1h, Output: output,
	}
}

// plainBook prices the model sonnet and each request at 0.0001 USD.
func plainBook() ledgertest.Book {
	return ledgertest.Book{
		Prices:     []ledgertest.Price{price("sonnet", 3_000_000, 300_000, 3_750_000, 6_000_000, 15_000_000)},
		Fees:       []ledgertest.Fee{{From: ledgertest.At("2026-01-01 00:00:00"), To: rates.Forever, Infra: 100_000_000, CacheHit: 20_000_000}},
		References: records.References{UsageFrom: []string{"bedrock"}, RequestsFrom: []string{"gateway", "requests"}},
	}
}
