package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chargeback/billing/invoice"
	"chargeback/billing/ledger"
	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/bigquery"
	"chargeback/billing/warehouse/billed"
	"chargeback/transform/civil"
)

// The ledger in which reads are looked at: 400 days.
const (
	readsStart = "2025-10-01"
	readsLast  = "2026-11-04"
	// readsMost is how many of its days one read of a table may see: those of two
	// months, with what lies beside them.
	readsMost = 80
)

const readsSettings = `company: {name: Example Corp, billing_zone: UTC, start: ` + readsStart + `}
warehouse: {engine: duckdb, path: ledger.duckdb, memory_limit: 500MB, threads: 2}
sources:
  - {name: bedrock, format: bedrock, url: "file:bedrock", silent_after_days: 0}
  - name: gateway
    format: mapped
    url: file:gateway
    side: agent
    silent_after_days: 0
    mapped:
      fields: {agent_request_id: [/id], provider_request_id: [/of], started_at: [/at], model: [/model], user_email: [/user], agent_id: [/agent], input_tokens: [/in], output_tokens: [/out]}
      constants: {provider: bedrock}
  - {name: people, format: people, url: "file:people.csv"}
directory: directory.yaml
prices: prices.yaml
late_days: 3
close_day: 5
usage_from: {bedrock: provider}
budgets:
  - {name: company, scope: company, amount_usd: "1.00"}
  - {name: support, department: Support, amount_usd: "0.02"}
shared_costs:
  - {name: Hosting, amount_usd: "10.00", split: proportional}
invoices:
  issuer: {name: AI Platform, cost_center: CC-9000}
  recovery_account: "690100"
  expense_account: "613500"
`

const readsDirectory = `cost_centers:
  - {code: CC-1, name: Support, department: Support, mode: chargeback, company_code: "1000"}
  - {code: CC-2, name: Product, department: Engineering, mode: chargeback, company_code: "1000"}
  - {code: CC-9000, name: AI Platform, department: Platform, mode: showback, company_code: "1000"}
agents:
  - {id: helper, name: Helper, kind: shared}
  - {id: nightly-job, name: Nightly Job, kind: background, owner: CC-2}
`

const readsPrices = `prices:
  - {provider: bedrock, model: m1, from: 2025-01-01T00:00:00Z, usd_per_million: {input: "1.00", cache_read: "0.10", cache_write_5m: "1.25", cache_write_1h: "2.00", output: "5.00"}, source: test}
fees:
  - {from: 2025-01-01T00:00:00Z, infra_per_request_usd: "0.0001", infra_per_cache_hit_usd: "0"}
`

// readsDearer is a price that another one replaces on a day of a closed month.
const readsDearer = `  - {provider: bedrock, model: m1, from: 2026-10-20T00:00:00Z, usd_per_million: {input: "1.10", cache_read: "0.10", cache_write_5m: "1.25", cache_write_1h: "2.00", output: "5.00"}, source: test}
`

// readsBooks is a company with a ledger of 400 days, and what commands on it ask
// BigQuery for, as far as they are written down.
type readsBooks struct {
	t      *testing.T
	dir    string
	now    time.Time
	meters []*billed.Meter
	out    bytes.Buffer
}

func (b *readsBooks) put(name, text string) {
	b.t.Helper()
	path := filepath.Join(b.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// pair is a request that both sides logged.
func (b *readsBooks) pair(id, at, model, user string) (usage, request string) {
	usage = fmt.Sprintf(`{"timestamp":"%s","accountId":"123456789012","region":"us-east-1","requestId":"u-%s","operation":"Converse","modelId":"%s","input":{"inputTokenCount":1000,"cacheReadInputTokenCount":0,"cacheWriteInputTokenCount":200},"output":{"outputTokenCount":100},"identity":{"arn":"arn:aws:sts::123456789012:assumed-role/gateway/1"},"schemaType":"ModelInvocationLog","schemaVersion":"1.0"}`+"\n", at, id, model)
	request = fmt.Sprintf(`{"id":"r-%s","of":"u-%s","at":"%s","model":"%s","user":"%s","agent":"helper","in":1000,"out":100}`+"\n", id, id, at, model, user)
	return usage, request
}

// path is where an object of usage lies.
func (b *readsBooks) path(day civil.Date, name string) string {
	folder := strings.ReplaceAll(day.String(), "-", "/")
	return filepath.Join(b.dir, filepath.FromSlash("bedrock/AWSLogs/123456789012/BedrockModelInvocationLogs/us-east-1/"+folder+"/00/"+strings.ReplaceAll(day.String(), "-", "")+"T000000000Z_"+name+".json"))
}

func (b *readsBooks) object(day civil.Date, name, usage, request string) {
	folder := strings.ReplaceAll(day.String(), "-", "/")
	if usage != "" {
		path, err := filepath.Rel(b.dir, b.path(day, name))
		if err != nil {
			b.t.Fatal(err)
		}
		b.put(path, usage)
	}
	if request != "" {
		b.put("gateway/"+folder+"/"+name+".jsonl", request)
	}
}

// run executes a command and returns what it asked for.
func (b *readsBooks) run(codes []int, args ...string) []billed.Statement {
	b.t.Helper()
	b.out.Reset()
	b.meters = nil
	w := world{
		out: &b.out, err: &b.out, now: func() time.Time { return b.now }, getenv: func(string) string { return "" }, columns: 200, program: "chargeback",
		engine: func(e warehouse.Warehouse) warehouse.Warehouse {
			m := billed.NewMeter(e, bigquery.Dialect)
			b.meters = append(b.meters, m)
			return m
		},
	}
	code := run(b.t.Context(), w, append(args, "--config", filepath.Join(b.dir, configFile)))
	ok := code == exitOK
	for _, c := range codes {
		ok = ok || code == c
	}
	if !ok {
		b.t.Fatalf("%s exits with %d:\n%s", strings.Join(args, " "), code, b.out.String())
	}
	var all []billed.Statement
	for _, m := range b.meters {
		all = append(all, m.Statements()...)
	}
	return all
}

func day(text string) civil.Date {
	d, err := civil.ParseDate(text)
	if err != nil {
		panic(err) // a test's own constant
	}
	return d
}

// newReadsBooks makes the ledger: all nights up to the day before the last, and all
// closes but October's.
func newReadsBooks(t *testing.T) *readsBooks {
	t.Helper()
	b := &readsBooks{t: t, dir: t.TempDir(), now: time.Date(2026, 11, 10, 6, 0, 0, 0, time.UTC)}
	b.put(configFile, readsSettings)
	b.put("directory.yaml", readsDirectory)
	b.put("prices.yaml", readsPrices)
	b.put("people.csv", "email,department,cost_center,valid_from,valid_to\nann@example.com,Support,CC-1,2025-01-01,\nbob@example.com,Engineering,CC-2,2025-01-01,\n")
	start, last := day(readsStart), day(readsLast)
	for d := start; !last.AddDays(1).Before(d); d = d.AddDays(1) {
		ann, asked := b.pair(d.String()+"-1", d.String()+"T10:00:00Z", "m1", "ann@example.com")
		bob, asks := b.pair(d.String()+"-2", d.String()+"T11:00:00Z", "m1", "bob@example.com")
		b.object(d, "day", ann+bob, asked+asks)
	}
	unpriced, asked := b.pair("unpriced", "2026-11-02T12:00:00Z", "m2", "ann@example.com")
	one, _ := b.pair("conflict", "2026-11-02T13:00:00Z", "m1", "ann@example.com")
	b.object(day("2026-11-02"), "odd", unpriced+one+strings.Replace(one, "1000", "2000", 1)+"no JSON\n", asked)
	gone, _ := b.pair("gone", "2026-11-03T12:00:00Z", "m1", "ann@example.com")
	b.object(day("2026-11-03"), "gone", gone, "")
	late, asked := b.pair("late", "2026-09-20T12:00:00Z", "m1", "ann@example.com")
	b.object(day("2026-10-20"), "late", late, asked)
	from := start
	for month := start.Month(); month.Before(last.Month()); month = month.Next() {
		to := month.LastDay().AddDays(3)
		b.run([]int{exitLook}, "run", "nightly", "--from", from.String(), "--to", to.String())
		if from = to.AddDays(1); month != last.Month().Prev() {
			b.run([]int{exitLook}, "run", "monthly", "--month", month.String())
		}
	}
	return b
}

// readsHistory says which reads of what a command asked for have no constant bounds, or
// see too many days; it speaks also where nothing was asked at all.
func readsHistory(what string, all []billed.Statement) (faults []string) {
	if len(all) == 0 {
		return []string{what + ": asks for nothing, so nothing was looked at"}
	}
	for _, s := range all {
		for _, r := range s.Reads {
			if r.Partition == "" {
				continue
			}
			days := r.Among(day(readsStart), day(readsLast))
			switch {
			case !r.Bounded():
				faults = append(faults, fmt.Sprintf("%s: %s: reads %s of %d days, and no constants bound %s on both sides", what, s.Name, r.Table, len(days), r.Partition))
			case len(days) > readsMost:
				faults = append(faults, fmt.Sprintf("%s: %s: reads %s of %d days, from %s to %s; that is history", what, s.Name, r.Table, len(days), days[0], days[len(days)-1]))
			}
		}
	}
	return faults
}

// unreadTables are the tables that have days and that no statement reads.
func unreadTables(all []billed.Statement) (names []string) {
	for _, t := range ledger.Layout().Tables {
		read := slices.ContainsFunc(all, func(s billed.Statement) bool {
			return slices.ContainsFunc(s.Reads, func(r billed.Read) bool { return r.Table == t.Name })
		})
		if t.Partition != "" && !read {
			names = append(names, t.Name)
		}
	}
	return names
}

// Goal: what is asked costs what its days cost, not what the ledger's age does: no
// night, close, report, alert, explanation or status reads all history.
// Method: the commands themselves, on a ledger of 400 days with corrections, records
// that are held and conflicts; each read of a table that has days must be bound by
// constants to few of them, as BigQuery would be asked.
func TestNothingReadsAllHistory(t *testing.T) {
	t.Parallel()
	b := newReadsBooks(t)
	var all []billed.Statement
	look := func(args ...string) {
		t.Helper()
		statements := b.run([]int{exitLook}, args...)
		for _, fault := range readsHistory(strings.Join(args, " "), statements) {
			t.Error(fault)
		}
		all = append(all, statements...)
	}
	look("run", "nightly", "--date", readsLast)
	look("run", "monthly", "--month", "2026-10")
	again, asks := b.pair(readsLast+"-1", readsLast+"T10:00:00Z", "m1", "ann@example.com")
	b.object(day(readsLast), "day", again, asks) // with a row less on each side
	broken, _ := b.pair("broken", readsLast+"T12:00:00Z", "m1", "ann@example.com")
	cut := zipped(broken)
	b.object(day(readsLast), "cut", cut[:len(cut)-4], "")
	if err := os.Rename(b.path(day(readsLast), "cut"), b.path(day(readsLast), "cut")+".gz"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(b.path(day("2026-11-03"), "gone")); err != nil {
		t.Fatal(err)
	}
	look("run", "nightly", "--date", readsLast)
	if !strings.Contains(b.out.String(), "can't be read") || !strings.Contains(b.out.String(), "was read before and is gone") {
		t.Errorf("the night tells of no object that can't be read, and of none that is gone:\n%s", b.out.String())
	}
	look("rejects", "deleted", "--source", "bedrock", "--by", "ann@example.com", "--reason", "kept for a week only")
	b.put("prices.yaml", strings.Replace(readsPrices, "fees:", readsDearer+"fees:", 1))
	b.put(configFile, readsSettings+"cache_ttl:\n  - {provider: bedrock, model: m2, ttl: 1h}\n")
	b.put("directory.yaml", strings.Replace(readsDirectory, "owner: CC-2", "owner: CC-1", 1))
	look("run", "nightly", "--date", "2026-11-05")
	for _, month := range []string{"2026-10", "2026-11"} {
		for _, kind := range reportKinds() {
			look("report", kind.name, "--month", month)
		}
		look("report", "agents", "--agent", "helper", "--month", month)
		look("report", "totals", "--by", "day,provider,account,key,project,principal,model,class", "--month", month)
		look("rejects", "--month", month)
		look("rejects", "held", "--month", month)
		look("rejects", "--export", filepath.Join(b.dir, "rejects.csv"), "--month", month)
	}
	look("status")
	look("alerts", "list")
	look("explain", "u-2026-10-15-1")
	look("explain", "r-2025-11-15-1")
	look("explain", "u-conflict")
	b.run(nil, "explain", "u-2025-12-15-1", "--format", "json")
	_, number, _ := strings.Cut(b.out.String(), `"Record": `)
	number, _, _ = strings.Cut(number, ",")
	look("explain", number)
	invoiced := invoice.Number("2026-10", "CC-1", 0)
	look("explain", invoiced)
	look("explain", invoiced+"/1")
	if unread := unreadTables(all); len(unread) > 0 {
		t.Errorf("nothing reads %v, so their reads were not looked at", unread)
	}
}

// Goal: the control speaks of a read without bounds, of one that sees too much, and
// where it has seen nothing.
func TestReadsHistory(t *testing.T) {
	facts := billed.Read{Table: "record_facts", Partition: "usage_date"}
	since, month, wide := facts, facts, facts
	since.First = day("2026-10-01")
	month.First, month.Last = day("2026-10-01"), day("2026-10-31")
	wide.First, wide.Last = day(readsStart), day("2026-10-31")
	for name, tt := range map[string]struct {
		reads []billed.Read
		want  string
	}{
		"a month":         {[]billed.Read{month}, ""},
		"nothing at all":  {nil, "nothing was looked at"},
		"no table of any": {[]billed.Read{{Table: "payers"}}, ""},
		"no bounds":       {[]billed.Read{month, facts}, "spend: reads record_facts of 400 days, and no constants bound usage_date"},
		"one bound":       {[]billed.Read{since}, "no constants bound usage_date on both sides"},
		"all days":        {[]billed.Read{month, wide}, "reads record_facts of 396 days, from 2025-10-01 to 2026-10-31"},
	} {
		t.Run(name, func(t *testing.T) {
			var all []billed.Statement
			if tt.reads != nil {
				all = []billed.Statement{{Name: "spend", Reads: tt.reads}}
			}
			got := strings.Join(readsHistory("a report", all), "\n")
			if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if unread := unreadTables([]billed.Statement{{Reads: []billed.Read{month}}}); !slices.Contains(unread, "usage") || slices.Contains(unread, "record_facts") {
		t.Errorf("unread are %v, want all but record_facts", unread)
	}
}
