package jobs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"chargeback/billing/invoice"
	"chargeback/jobs"
	"chargeback/transform/money"
)

// billed is one line of a provider's bill.
type billed struct{ day, item, amount string }

// costPage is a page of OpenAI's costs.
func costPage(lines ...billed) []byte {
	data := []any{}
	for _, l := range lines {
		start := instant(l.day + "T00:00:00Z").Unix()
		data = append(data, map[string]any{"object": "bucket", "start_time": start, "end_time": start + 86400, "results": []any{map[string]any{
			"object": "organization.costs.result", "amount": map[string]any{"value": json.Number(l.amount), "currency": "usd"}, "line_item": l.item,
		}}})
	}
	return jsonOf(map[string]any{"object": "page", "data": data, "has_more": false})
}

// usagePage is a page of OpenAI's usage of one day.
func usagePage(model string, input int) []byte {
	start := instant("2026-10-29T00:00:00Z").Unix()
	return jsonOf(map[string]any{"object": "page", "data": []any{map[string]any{"object": "bucket", "start_time": start, "end_time": start + 86400, "results": []any{map[string]any{
		"object": "organization.usage.completions.result", "model": model, "input_tokens": input, "input_cached_tokens": 0, "output_tokens": 0, "num_model_requests": 99,
	}}}}})
}

// billedCompany is a company whose month costs 5.00 USD at OpenAI by UTC day: of
// the calls at both of its ends one is charged in November by the billing zone, and
// one lies on the UTC day before company.start.
func billedCompany(t *testing.T, more string) company {
	t.Helper()
	c := newCompany(t)
	c.edit("chargeback.yaml", "prices: prices.yaml", "  - {name: bill, format: openai-costs, url: \"file:data/bill\"}\n  - {name: report, format: openai-usage, url: \"file:data/report\"}\nprices: prices.yaml"+more)
	c.edit("prices.yaml", "infra_per_request_usd: \"0.0001\"", "infra_per_request_usd: \"0\"")
	for i, at := range []string{"2026-10-27T23:30:00Z", "2026-10-29T10:00:00Z", "2026-10-29T11:00:00Z", "2026-10-31T23:30:00Z"} {
		c.log(request{id: fmt.Sprint("r", i), at: at, provider: "openai", email: "user001@example.com", agent: "helper", in: []int{250_000, 1_000_000, 1_000_000, 500_000}[i]})
	}
	c.put("data/bill/2026/11/02/1.json", costPage())
	c.put("data/report/2026/11/02/1.json", usagePage("other-small", 2_500_000))
	return c
}

// Goal: a month doesn't close over a bill or a report that says something else than
// the ledger, lists what nobody was charged for, or has not come; and it closes
// over one that ties, or differs within the tolerance.
// Method: one month whose gate unallocated always fails, so that it stays open, and
// one bill after the other in the place of the one before.
func TestBillGate(t *testing.T) {
	t.Parallel()
	c := billedCompany(t, "")
	c.log(request{id: "nobodys", at: "2026-10-29T12:00:00Z", provider: "bedrock", in: 10, out: 10, cacheHit: true})
	c.edit("prices.yaml", "infra_per_cache_hit_usd: \"0.00002\"", "infra_per_cache_hit_usd: \"1\"")
	b := open(t, c.dir, wiring{})
	b.nights(t, firstDay, lateDay)
	const all = "other-small, input"
	tie := billed{"2026-10-29", all, "5.00"}
	good := usagePage("other-small", 2_500_000)
	see := " (see `chargeback report totals`)"
	zone := "; both by UTC day, the billing zone is Europe/Berlin" + see
	tests := []struct {
		name   string
		bill   []byte
		report []byte
		want   []string // what gate bill says; none: nothing
	}{
		{"ties", costPage(tie), good, nil},
		{"ties line by line", costPage(billed{"2026-10-29", all, "4"}, billed{"2026-10-31", all, "1.000000000000000000001"}), good, nil},
		{"what was billed before company.start", costPage(tie, billed{"2026-10-27", all, "100.00"}), good, nil},
		{"within the tolerance", costPage(billed{"2026-10-29", all, "5.02"}), good, nil},
		{"beyond the tolerance", costPage(billed{"2026-10-29", all, "5.03"}), good,
			[]string{"openai: 5.03 USD billed by bill, 5.00 USD charged: difference 0.03 USD (0.60%), more than bill_tolerance_percent 0.5; largest: other-small 5.03 USD billed, 5.00 USD charged" + zone}},
		{"one wrong row", costPage(billed{"2026-10-29", all, "4"}, billed{"2026-10-31", all, "1000"}), good,
			[]string{"openai: 1,004.00 USD billed by bill, 5.00 USD charged: difference 999.00 USD (99.50%)"}},
		{"less than was charged", costPage(billed{"2026-10-29", all, "4"}), good,
			[]string{"openai: 4.00 USD billed by bill, 5.00 USD charged: difference -1.00 USD (-25.00%)"}},
		{"an item that nobody was charged for, however small", costPage(tie, billed{"2026-10-30", "vector store storage", "0.0001"}), good,
			[]string{"openai: 5.0001 USD billed by bill, 5.00 USD charged: difference 0.0001 USD (0.00%); nobody was charged for: vector store storage 0.0001 USD" + zone}},
		{"a model that nobody was charged for", costPage(tie, billed{"2026-10-30", "gpt-9, output", "0.01"}), good,
			[]string{"nobody was charged for: gpt-9 0.01 USD"}},
		{"many of them", costPage(tie, billed{"2026-10-30", "a", "0.01"}, billed{"2026-10-30", "b", "0.04"}, billed{"2026-10-30", "c", "0.03"}, billed{"2026-10-30", "d", "0.02"}, billed{"2026-10-30", "e", "0.01"}), good,
			[]string{"nobody was charged for: b 0.04 USD; c 0.03 USD; d 0.02 USD; 2 more"}},
		{"items of nothing", costPage(tie, billed{"2026-10-30", "images", "0.00"}), good, nil},
		{"an item that was taken back", costPage(tie, billed{"2026-10-30", "images", "3.00"}, billed{"2026-10-31", "images", "-3.00"}), good, nil},
		{"a credit that nobody got", costPage(tie, billed{"2026-10-30", "promotional credit", "-1.00"}), good,
			[]string{"openai: 4.00 USD billed by bill, 5.00 USD charged: difference -1.00 USD (-25.00%), more than bill_tolerance_percent 0.5; nobody was charged for: promotional credit -1.00 USD"}},
		{"a bill without items", costPage(billed{"2026-10-29", "", "5.00"}), good, nil},
		{"a bill without items that differs", costPage(billed{"2026-10-29", "", "6.00"}), good,
			[]string{"openai: 6.00 USD billed by bill, 5.00 USD charged: difference 1.00 USD (16.67%), more than bill_tolerance_percent 0.5; both by UTC day"}},
		{"no bill", costPage(), good,
			[]string{"openai: the bill of 2026-10 has not come: source bill has nothing of it that could be compared, and 5.00 USD were charged"}},
		{"a bill of other months", costPage(billed{"2026-09-29", all, "5.00"}, billed{"2026-11-01", all, "5.00"}), good,
			[]string{"openai: the bill of 2026-10 has not come"}},
		{"a report of other tokens", costPage(tie), usagePage("other-small", 2_600_000),
			[]string{"openai: 2,600,000 tokens reported by report, 2,500,000 tokens metered: difference 100,000 tokens (3.85%), more than bill_tolerance_percent 0.5; largest: other-small 2,600,000 tokens reported, 2,500,000 tokens metered" + zone}},
		{"a report within the tolerance", costPage(tie), usagePage("other-small", 2_512_000), nil},
		{"no report", costPage(tie), jsonOf(map[string]any{"object": "page", "data": []any{}}),
			[]string{"openai: the report of 2026-10 has not come: source report has nothing of it that could be compared"}},
		{"both", costPage(billed{"2026-10-29", all, "50.00"}), usagePage("gpt-9", 2_500_000),
			[]string{"50.00 USD billed by bill, 5.00 USD charged: difference 45.00 USD (90.00%)", "nobody was charged for: gpt-9 2,500,000 tokens"}},
	}
	for _, tt := range tests {
		c.put("data/bill/2026/11/02/1.json", tt.bill)
		c.put("data/report/2026/11/02/1.json", tt.report)
		_, err := b.Monthly(t.Context(), month(october), b.due(october))
		if !errors.Is(err, jobs.ErrGates) {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if n := strings.Count(err.Error(), "gate bill: ") + strings.Count(err.Error(), "gate missing_bill: "); n != len(tt.want) {
			t.Errorf("%s: %d lines of gate bill, want %d: %v", tt.name, n, len(tt.want), err)
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v\nwant %s", tt.name, err, want)
			}
		}
	}
}

// Goal: a waiver of gate bill covers as much as it says, of amounts and of
// quantities, and documents say what was found, and what came of each source.
func TestBillWaived(t *testing.T) {
	t.Parallel()
	c := billedCompany(t, "\nexpect_bills: [{provider: openai, from: 2026-10}, {source: report, from: 2026-11}]")
	c.put("data/bill/2026/11/02/1.json", costPage(billed{"2026-10-29", "other-small, input", "50.00"}))
	c.put("data/report/2026/11/02/1.json", usagePage("other-small", 2_500_000+100_000))
	b := open(t, c.dir, wiring{})
	b.nights(t, firstDay, lateDay)
	for _, tt := range []struct {
		amount string
		count  int
		closes bool
	}{{"44.99", 100_000, false}, {"45", 99_999, false}, {"45", 0, false}, {"0", 100_000, false}, {"45", 100_000, true}} {
		b.Month.Waivers = []jobs.Waiver{{Month: month(october), Gate: "bill", By: "controller@example.com", Reason: "a test", Count: tt.count, AmountUSD: money.MustParse(tt.amount)}}
		s, err := b.Monthly(t.Context(), month(october), b.due(october))
		if !tt.closes {
			if !errors.Is(err, jobs.ErrGates) || !strings.Contains(err.Error(), "gate bill: the waiver of controller@example.com covers up to ") || !strings.Contains(err.Error(), "; found: 100,000 tokens and 45.00 USD") {
				t.Errorf("waived up to %s and %d: %v", tt.amount, tt.count, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "bound", "up to 100,000 tokens and 45.00 USD", s.Waived[0].Bound)
		if found := s.Waived[0].Measured; !strings.HasPrefix(found, "100,000 tokens and 45.00 USD: openai: 50.00 USD billed by bill, 5.00 USD charged: difference 45.00 USD (90.00%)") {
			t.Errorf("measured %q", found)
		}
	}
	d, ok, err := b.Document(t.Context(), "CB-2026-10-00420-r0")
	if err != nil || !ok {
		t.Fatalf("document: %v, %v", ok, err)
	}
	equal(t, "sources", []invoice.SourceNote{
		{Name: "bedrock", Format: "bedrock", Outcome: "nothing of this month"},
		{Name: "bill", Format: "openai-costs", Outcome: "bill, 50.00 USD billed against 5.00 USD charged (90.00%)"},
		{Name: "gateway", Format: "litellm", Outcome: "3 requests"},
		{Name: "people", Format: "people", Outcome: "3 people"},
		{Name: "report", Format: "openai-usage", Outcome: "report, 2,600,000 tokens reported against 2,500,000 tokens metered (3.85%)"},
	}, d.Notes.Sources)
	for i := range d.Notes.Waivers { // says what was found, too
		d.Notes.Waivers[i].Measured, _, _ = strings.Cut(d.Notes.Waivers[i].Measured, ": ")
	}
	equal(t, "waivers", []invoice.Waiver{{Gate: "bill", By: "controller@example.com", Reason: "a test", Bound: "up to 100,000 tokens and 45.00 USD", Measured: "100,000 tokens and 45.00 USD"}}, d.Notes.Waivers)
}

// Goal: an expected bill that has not come stops the close also where nothing was
// charged, and where nothing is expected or charged nothing does.
func TestExpectedBill(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, expect, want string }{
		{"nothing expected", "", ""},
		{"of the provider", "\nexpect_bills: [{provider: openai}]", "gate missing_bill: openai: the bill of 2026-10 has not come, and expect_bills names it; 0.00 USD were charged"},
		{"of the provider from later on", "\nexpect_bills: [{provider: openai, from: 2026-11}]", ""},
		{"by a source", "\nexpect_bills: [{source: report, from: 2026-10}]", "gate missing_bill: openai: the report of 2026-10 has not come: source report has nothing"},
	} {
		c := newCompany(t)
		c.edit("chargeback.yaml", "prices: prices.yaml", "  - {name: bill, format: openai-costs, url: \"file:data/bill\"}\n  - {name: report, format: openai-usage, url: \"file:data/report\"}\nprices: prices.yaml"+tt.expect)
		c.put("data/bill/2026/11/02/1.json", costPage())
		c.put("data/report/2026/11/02/1.json", costPage())
		c.call("one", "2026-10-29T10:00:00Z", "user001@example.com", 10, 10)
		b := open(t, c.dir, wiring{})
		b.nights(t, firstDay, lateDay)
		_, err := b.Monthly(t.Context(), month(october), b.due(october))
		if tt.want != "" { // a waiver of differences says nothing of what has not come; one of its own does
			b.Month.Waivers = []jobs.Waiver{{Month: month(october), Gate: "bill", By: "c", Reason: "tax", AmountUSD: money.MustParse("19.00")}}
			if _, again := b.Monthly(t.Context(), month(october), b.due(october)); !errors.Is(again, jobs.ErrGates) {
				t.Errorf("%s, with a waiver of gate bill: %v", tt.name, again)
			}
			b.Month.Waivers = []jobs.Waiver{{Month: month(october), Gate: "missing_bill", By: "c", Reason: "late", Count: 1}}
			if s, again := b.Monthly(t.Context(), month(october), b.due(october)); again != nil || !strings.Contains(s.Waived[0].Measured, "1 bill: openai: the ") {
				t.Errorf("%s, with a waiver of its own: %v, %+v", tt.name, again, s.Waived)
			}
		}
		if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, jobs.ErrGates) || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}
