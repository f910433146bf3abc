package jobs_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chargeback/billing/report"
	"chargeback/billing/warehouse"
	"chargeback/cmd/chargeback/demo"
	"chargeback/extract/store"
	"chargeback/jobs"
	"chargeback/transform/money"
)

// demoMonth is the demo company's October, run night by night and closed.
type demoMonth struct {
	*books
	truth  demo.Summary
	nights []jobs.NightlySummary
	closed jobs.MonthlySummary
	prices []byte // the rate book's file
}

func runDemoMonth(t *testing.T) demoMonth {
	t.Helper()
	dir := t.TempDir()
	truth, err := demo.Write(dir, demo.Options{Month: october})
	if err != nil {
		t.Fatal(err)
	}
	m := demoMonth{books: open(t, dir, wiring{}), truth: truth}
	m.nights = m.books.nights(t, "2026-10-01", lateDay)
	m.closed = m.closing(t, october)
	if m.prices, err = os.ReadFile(filepath.Join(dir, "prices.yaml")); err != nil {
		t.Fatal(err)
	}
	return m
}

// Goal: a whole month of real shapes comes out as the generator, which made
// the month up, knows it must; and running it all again changes nothing.
// Method: run every window of the demo once, hold the ledger, the documents
// and the messages against the generator's summary, then run every window again.
func TestDemoMonth(t *testing.T) {
	t.Parallel()
	m := runDemoMonth(t)
	for _, check := range []struct {
		name string
		run  func(*testing.T, demoMonth)
	}{
		{"rows in are rows accounted for", demoRows},
		{"matches", demoMatches},
		{"prices", demoPrices},
		{"attribution", demoAttribution},
		{"costs", demoCosts},
		{"savings", demoSavings},
		{"budgets", demoBudgets},
		{"documents", demoDocuments},
		{"journal", demoJournal},
		{"departments", demoDepartments},
		{"problems", demoProblems},
		{"explanations", demoExplanations},
		{"what-if", demoWhatIf},
		{"again", demoAgain},
	} {
		t.Run(check.name, func(t *testing.T) { check.run(t, m) })
	}
}

// counts reads rows of a word and a number.
func (b *books) counts(t *testing.T, text string) map[string]int {
	t.Helper()
	found := map[string]int{}
	err := b.engine.Query(t.Context(), warehouse.Select{Text: text}, func(r warehouse.Row) error {
		found[r.Values[0].(string)] = int(r.Values[1].(int64))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func demoRows(t *testing.T, m demoMonth) {
	bedrock, gateway := m.truth.Bedrock, m.truth.LiteLLM
	equal(t, "objects read", map[string]int{"bedrock": bedrock.Objects, "gateway": gateway.Objects, "people": 1},
		m.counts(t, "select source, count(*) from {objects} where state = 'read' group by 1"))
	equal(t, "objects not read", map[string]int{}, m.counts(t, "select source, count(*) from {objects} where state <> 'read' group by 1"))
	equal(t, "rows staged", map[string]int{
		"usage": bedrock.Records + bedrock.RepeatedLines, "requests": gateway.Records + gateway.RepeatedObjects, "people": m.truth.People,
	}, m.counts(t, "select 'usage', count(*) from {usage} union all select 'requests', count(*) from {requests} union all select 'people', count(*) from {people}"))
	equal(t, "staged by the manifest", map[string]int{"bedrock": bedrock.Records + bedrock.RepeatedLines, "gateway": gateway.Records + gateway.RepeatedObjects, "people": m.truth.People},
		m.counts(t, "select source, sum(rows_staged) from {objects} group by 1"))
	equal(t, "duplicates", map[string]int{"usage duplicate": bedrock.RepeatedLines, "request duplicate": gateway.RepeatedObjects},
		m.counts(t, "select concat(kind, ' ', verdict), count(*) from {repeats} group by 1"))
	equal(t, "rejects", m.truth.Rejects, int(query[int64](t, m.books, "select count(*) from {rejects}")))
	equal(t, "rows before the start", 0, int(query[int64](t, m.books, "select cast(sum(rows_before_start) as bigint) from {objects}")))
	equal(t, "usage rows charged", bedrock.Records, int(query[int64](t, m.books, "select count(*) from {cost_records} where usage_line is not null")))
	equal(t, "days left to make", 0, int(query[int64](t, m.books, "select count(*) from {dirty_days}")))
	skipped := map[string]int{}
	for _, source := range m.Sources {
		all, err := source.List(t.Context(), store.DayRange{First: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Last: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}, store.Names{})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range all.Skipped {
			skipped[source.Name] += n
		}
	}
	equal(t, "objects that are not data", map[string]int{"bedrock": bedrock.SkippedObjects, "gateway": gateway.SkippedObjects}, skipped)
}

func demoMatches(t *testing.T, m demoMonth) {
	truth := m.truth.Match
	alone := truth.FreeFailures - m.truth.Kinds[demo.Throttled] // the provider logged the throttled ones
	equal(t, "records by match", map[string]int{
		"matched request id": truth.ByRequestID, "matched response id": truth.ByResponseID, "matched client reference": truth.ByClientRef,
		"provider_only -": truth.ProviderOnly, "agent_only -": truth.GatewayUsage + m.truth.LiteLLM.CacheHits + truth.Doubtful + alone,
	}, m.counts(t, "select concat(match, ' ', ifnull(match_rung, '-')), count(*) from {cost_records} group by 1"))
}

func demoPrices(t *testing.T, m demoMonth) {
	truth := m.truth
	free := truth.Bedrock.Errors + truth.Match.FreeFailures - truth.Kinds[demo.Throttled]
	all := truth.Match.ByRequestID + truth.Match.ByResponseID + truth.Match.ByClientRef + truth.Match.ProviderOnly +
		truth.Match.GatewayUsage + truth.LiteLLM.CacheHits + truth.Match.Doubtful + truth.Match.FreeFailures - truth.Kinds[demo.Throttled]
	equal(t, "records by pricing", map[string]int{
		"unpriced": truth.HeldUnpriced, "doubtful": truth.Match.Doubtful, "not_billed": free, "priced": all - truth.HeldUnpriced - truth.Match.Doubtful - free,
	}, m.counts(t, "select pricing, count(*) from {cost_records} group by 1"))
	equal(t, "unpriced with an amount, or others without", 0,
		int(query[int64](t, m.books, "select count(*) from {cost_records} where (pricing in ('unpriced', 'doubtful')) <> (total_cost_usd is null)")))
}

// charged is the records that cost something, a call each; a retried call has
// one for each time that it was billed.
const charged = " from {cost_records} where pricing in ('priced', 'estimated')"

const callOf = "count(distinct ifnull(agent_request_id, cast(record_id as varchar)))"

func demoAttribution(t *testing.T, m demoMonth) {
	words := map[string]string{
		"explicit": "explicit cost centre", "user": "user", "agent": "agent owner", "team": "team owner", "key": "key owner", "caller": "caller owner", "unallocated": "none",
	}
	want := map[string]int{}
	for rule, n := range m.truth.Rules {
		want[words[rule]] = n
	}
	equal(t, "charged calls by rule", want, m.counts(t, "select attribution, "+callOf+charged+" group by 1"))
}

func demoCosts(t *testing.T, m demoMonth) {
	type cost struct {
		Calls            int
		LLM, Infra, Tool string
	}
	want, got := map[string]cost{}, map[string]cost{}
	for _, c := range m.truth.Centers {
		want[c.Code] = cost{c.Calls, c.LLM.String(), c.Infra.String(), c.Tool.String()}
	}
	text := "select cost_center, " + callOf + " as calls, total_usd(llm_cost_usd) as llm, total_usd(infra_cost_usd) as infra, total_usd(tool_cost_usd) as tools" + charged + " group by 1"
	err := warehouse.Each(t.Context(), m.engine, warehouse.Select{Text: text}, func(r struct {
		CostCenter        string
		Calls             int
		LLM, Infra, Tools money.USD
	}) error {
		got[r.CostCenter] = cost{r.Calls, r.LLM.String(), r.Infra.String(), r.Tools.String()}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "cost centres", want, got)
	equal(t, "total", m.truth.Total().String(), query[money.USD](t, m.books, "select {total_usd(total_cost_usd)} from {cost_records}").String())
}

func demoSavings(t *testing.T, m demoMonth) {
	const saved = "select {total_usd(cache_savings_usd)} from {cost_records} where cache_hit = "
	equal(t, "saved by the gateway's cache", m.truth.GatewaySavings.String(), query[money.USD](t, m.books, saved+"true").String())
	equal(t, "saved by prompt caches", m.truth.PromptSavings.String(), query[money.USD](t, m.books, saved+"false").String())
}

func demoBudgets(t *testing.T, m demoMonth) {
	want, got := []string{}, []string{}
	for _, b := range m.truth.Budgets {
		for _, c := range b.Crossed {
			channel := b.Channel
			if channel == "" {
				channel = "#ai-costs"
			}
			want = append(want, fmt.Sprintf("%s crossed %v on %s-%02d, told to %s", b.Name, c.Thresholds, october, c.Day, channel))
		}
	}
	messages, err := jobs.Outbox{Messages: m.Outbox}.All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, message := range messages {
		a := message.Alert
		got = append(got, fmt.Sprintf("%s crossed %v on %s, told to %s", a.Budget, a.Crossed, a.AsOf, message.Channel))
		ids = append(ids, message.ID)
	}
	slices.Sort(want)
	slices.Sort(got)
	equal(t, "crossings", want, got)
	arrived, err := m.sent.arrived()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "messages that arrived, in order", ids, arrived)
	var reported []string
	for _, s := range m.nights {
		reported = append(reported, s.Alerts...)
	}
	equal(t, "alerts in the summaries of the nights", ids, reported)
}

// rows reads a CSV file by its header.
func rows(t *testing.T, path string) (all []map[string]string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // nothing was written
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		all = append(all, row)
	}
	return all
}

func amount(t *testing.T, text string) money.USD {
	t.Helper()
	a, err := money.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// lineAmount reads an amount of a document's line; it is empty where the line
// has held requests only.
func lineAmount(t *testing.T, row map[string]string, column string) money.USD {
	t.Helper()
	if row[column] == "" && row["held_requests"] == row["requests"] && row["requests"] != "0" {
		return money.USD{}
	}
	return amount(t, row[column])
}

func demoDocuments(t *testing.T, m demoMonth) {
	var shared, exact, lines money.USD
	for _, c := range m.Month.SharedCosts {
		shared = shared.Add(c.Amount)
	}
	if shared.IsZero() {
		t.Fatal("the demo has no shared cost to test with")
	}
	records := m.truth.Total()
	total, err := m.DocumentsTotal(t.Context(), month(october))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "documents = records + shared costs", records.Add(shared).String(), total.String())
	equal(t, "the summary's total", total.String(), m.closed.Exact.String())
	centers := map[string]bool{}
	for _, d := range m.closed.Documents {
		centers[d.CostCenter] = true
		var direct money.USD
		var cents money.Cents
		for _, row := range rows(t, d.CSV) {
			switch row["row"] {
			case "line":
				lines = lines.Add(lineAmount(t, row, "total_usd_exact"))
				cents += lineAmount(t, row, "total_usd").Cents()
				if row["section"] == "direct" {
					direct = direct.Add(lineAmount(t, row, "total_usd_exact"))
				}
			case "total":
				exact = exact.Add(lineAmount(t, row, "total_usd_exact"))
			}
		}
		equal(t, "cents of the lines of "+d.Number, d.Total, cents)
		i := slices.IndexFunc(m.truth.Centers, func(c demo.CenterCost) bool { return c.Code == d.CostCenter })
		equal(t, "direct cost of "+d.Number, m.truth.Centers[i].Total().String(), direct.String())
		wantMode := m.truth.Centers[i].Mode
		if d.CostCenter == jobs.Unallocated {
			wantMode = "showback"
		}
		equal(t, "mode of "+d.Number, wantMode, d.Mode)
	}
	equal(t, "cost centres with a document", len(m.truth.Centers), len(centers))
	equal(t, "CSV lines", total.String(), lines.String())
	equal(t, "CSV totals", total.String(), exact.String())
}

func demoJournal(t *testing.T, m demoMonth) {
	var invoiced money.Cents
	for _, d := range m.closed.Documents {
		if d.Mode == "chargeback" {
			invoiced += d.Total
		}
	}
	text, err := os.ReadFile(m.closed.Journal)
	if err != nil {
		t.Fatal(err)
	}
	var debit, credit money.Cents
	for _, row := range rows(t, m.closed.Journal) {
		if row["journal_id"] == "" || strings.HasPrefix(strings.ToLower(row["journal_id"]), "control") {
			continue
		}
		if row["debit"] != "" {
			debit += amount(t, row["debit"]).Cents()
		}
		if row["credit"] != "" {
			credit += amount(t, row["credit"]).Cents()
		}
	}
	if debit != invoiced || credit != invoiced {
		t.Errorf("debit %s, credit %s, invoices %s\n%s", debit, credit, invoiced, text)
	}
}

func demoDepartments(t *testing.T, m demoMonth) {
	r, err := report.Departments(t.Context(), m.Ledger, month(october))
	if err != nil {
		t.Fatal(err)
	}
	column := func(name string) int {
		return slices.IndexFunc(r.Columns, func(c report.Column) bool { return c.Name == name })
	}
	got, want := map[string]string{}, map[string]string{}
	sums := map[string]money.USD{}
	for _, row := range r.Rows {
		name := row[column("department")].(string)
		sums[name] = sums[name].Add(row[column("total_cost_usd")].(money.USD))
	}
	for name, sum := range sums {
		got[name] = sum.String()
	}
	clear(sums)
	for _, c := range m.truth.Centers {
		if c.Department == "" {
			c.Department = jobs.Unallocated
		}
		sums[c.Department] = sums[c.Department].Add(c.Total())
	}
	var departments, documents, nobodys money.USD
	for name, sum := range sums {
		want[name] = sum.String()
		departments = departments.Add(sum)
	}
	equal(t, "departments", want, got)
	for _, d := range m.closed.Documents {
		for _, row := range rows(t, d.CSV) {
			if row["row"] != "line" || row["section"] != "direct" {
				continue
			}
			if d.CostCenter == jobs.Unallocated {
				nobodys = nobodys.Add(lineAmount(t, row, "total_usd_exact"))
			} else {
				documents = documents.Add(lineAmount(t, row, "total_usd_exact"))
			}
		}
	}
	equal(t, "departments = documents + nobody's", departments.String(), documents.Add(nobodys).String())
	if nobodys.IsZero() {
		t.Error("nothing is unallocated; the demo has a sandbox that belongs to nobody")
	}
}

func demoProblems(t *testing.T, m demoMonth) {
	for _, s := range m.nights {
		others := slices.DeleteFunc(slices.Clone(s.Problems), func(p jobs.Problem) bool { return p.Kind == jobs.KindDoubtful || p.Kind == jobs.KindUnpricedModel })
		equal(t, "problems of "+s.Window, 0, len(others))
	}
	var unpriced []string
	for _, s := range m.nights {
		for _, p := range s.Problems {
			if p.Kind == jobs.KindUnpricedModel {
				unpriced = append(unpriced, p.Object)
			}
		}
	}
	equal(t, "models without a price, each told once", []string{"bedrock/example.preview-model-v1:0"}, unpriced)
	told := m.nights[len(m.nights)-1].Problems
	if want := fmt.Sprintf("requests held as doubtful: %d,", m.truth.Match.Doubtful); len(told) != 1 || !strings.HasPrefix(told[0].What, want) {
		t.Errorf("the last night told %v, want %s", told, want)
	}
	var gates []string
	for _, w := range m.closed.Waived {
		gates = append(gates, w.Gate)
	}
	equal(t, "waived gates", []string{"unpriced", "doubtful", "rejects"}, gates)
	g, err := m.Ledger.Months.Gates(t.Context(), month(october))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "held", m.truth.HeldUnpriced, int(g.Unpriced))
	equal(t, "doubtful", m.truth.Match.Doubtful, int(g.Doubtful))
	equal(t, "rejected", m.truth.Rejects, int(g.Rejected))
}

// changes gives the times of change of the files below a folder.
func changes(t *testing.T, dir string) map[string]time.Time {
	t.Helper()
	all := map[string]time.Time{}
	paths, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		all[path] = info.ModTime()
	}
	return all
}

// demoAgain runs every window once more, the month first and last.
func demoAgain(t *testing.T, m demoMonth) {
	before, written := m.state(t), changes(t, m.Month.Dir)
	if len(written) < 2*len(m.truth.Centers)+1 {
		t.Fatalf("only %d documents to compare", len(written))
	}
	check := func(s jobs.MonthlySummary) {
		equal(t, "documents", m.closed.Documents, s.Documents)
		equal(t, "hash", m.closed.Hash, s.Hash)
		equal(t, "restored files", []string(nil), s.Restored)
	}
	check(m.closing(t, october))
	for i, again := range m.books.nights(t, "2026-10-01", lateDay) {
		for _, source := range again.Sources {
			if source.Read+int(source.Staged)+int(source.Rejected)+source.Replaced > 0 {
				t.Errorf("%s read %s again: %+v", again.Window, source.Name, source)
			}
		}
		equal(t, "attempt", m.nights[i].Attempt+1, again.Attempt)
		equal(t, "alerts", []string(nil), again.Alerts)
	}
	check(m.closing(t, october))
	same(t, before, m.state(t))
	equal(t, "times of change", written, changes(t, m.Month.Dir))

	lost := m.closed.Documents[0].PDF
	if err := os.Remove(lost); err != nil {
		t.Fatal(err)
	}
	equal(t, "restored files", []string{lost}, m.closing(t, october).Restored)
	equal(t, "files", before["files"], filesOf(t, m.Month.Dir))
}
