package report_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chargeback/billing/ledger/ledgertest"
	"chargeback/billing/manifest"
	"chargeback/billing/records"
	"chargeback/billing/report"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

const ttlTerms = `[{"class":"input","list":"5","unit":"5"},{"class":"cache_read","list":"5","as":"input","unit":"5"},{"class":"cache_write_5m","list":"6.25","unit":"6.25"},{"class":"cache_write_1h","list":"10","unit":"10"}]`

// Goal: what rests on a guess is on every cost report, with how many requests, how many tokens and
// how much money it is; what is taken back counts down; a fact that a match or a setting told is no guess.
// Method: records with flags, one of each kind and several of some, and the notes of each report.
func TestFlagsAreCounted(t *testing.T) {
	b := openBooks(t)
	b.insert(t, "rate_entries", values{"rate_id": int64(7), "rate_version": "v", "terms": ttlTerms}, values{"rate_id": int64(8), "rate_version": "v", "terms": `[{"class":"cache_write_5m","list":"1","unit":"1"}]`})
	flagged := func(flags, llm string, change values) values {
		return cost("Support", "00420", "bot", "user001@example.com", sonnet, 1, and(amounts(llm, "0", "0", "0"), values{"flags": flags, "rate_id": int64(7), "cache_read_tokens": int64(0)}, change))
	}
	writes := func(n int64) values { return values{"cache_write_unknown_tokens": n} }
	b.record(t,
		flagged("ttl:unknown", "0.63", writes(100_000)),
		flagged("ttl:unknown,tier:flex", "7", writes(1_000_000)),
		flagged("ttl:unknown", "-0.63", and(writes(-100_000), values{"correction": int64(-1)})),
		flagged("ttl:unknown", "0.63", and(writes(100_000), values{"correction": int64(2)})),
		flagged("tier:flex", "0.00112", nil),
		flagged("tier:batch", "3", nil),
		flagged("class:cache_read", "1", values{"cache_read_tokens": int64(1_200)}),
		flagged("class:cache_write_5m", "1", values{"cache_write_5m_tokens": int64(4), "cache_write_unknown_tokens": int64(2)}),
		flagged("reported_cost", "0.25", values{"pricing": "estimated"}),
		flagged("forecast", "0.75", nil),
		flagged("priced_as", "0.5", values{"pricing": "estimated"}),
		flagged("ttl:matched", "1", nil), flagged("ttl:1h", "1", nil),
		cost("Support", "00420", "bot", "user001@example.com", sonnet, 2, held("unpriced", "the model is not in the rate book")),
		cost("Support", "00420", "bot", "user001@example.com", sonnet, 2, held("unpriced", "the model is not in the rate book")),
		cost("Support", "00420", "bot", "user001@example.com", sonnet, 2, held("unpriced", "the gateway logged no token counts")),
		cost("Support", "00420", "bot", "user001@example.com", sonnet, 2, held("pending", "no usage yet; it may still come")),
	)
	want := []string{
		"4 requests are held without a cost: 2 (the model is not in the rate book), 1 (no usage yet; it may still come), 1 (the gateway logged no token counts). Costs do not include them.",
		"2 requests wrote 1,100,000 tokens to the prompt cache and do not say for how long (TTL): priced as 5 minutes, 6.875 USD; for an hour it would be 11.00 USD. cache_ttl in the settings says it.",
		"Service tier batch has no price of its own: 1 request is charged at half of the standard price, 3.00 USD.",
		"Service tier flex has no price of its own: 2 requests are charged at the standard price, 7.00112 USD.",
		"Class cache_read has no price of its own: 1 request with 1,200 tokens priced as input, 0.006 USD.",
		"Class cache_write_5m has no price of its own: 1 request with 6 tokens priced as cache_write_5m of the standard tier, 0.0000375 USD.",
		"1 request is charged at a price that was announced and that nobody has confirmed since, 0.75 USD.",
		"1 request is priced as another model by unknown_models, 0.50 USD: the rate book does not have theirs.",
		"1 request costs what the gateway reported, 0.25 USD: the rate book does not have the model.",
	}
	for name, read := range map[string]func() (report.Report, error){
		"departments":  func() (report.Report, error) { return report.Departments(t.Context(), b, october) },
		"cost centres": func() (report.Report, error) { return report.CostCenters(t.Context(), b, october) },
		"agents":       func() (report.Report, error) { return report.Agents(t.Context(), b, october) },
		"users":        func() (report.Report, error) { return report.Users(t.Context(), b, october, "", 0) },
		"department":   func() (report.Report, error) { return report.Users(t.Context(), b, october, "Support", 0) },
		"savings":      func() (report.Report, error) { return report.Savings(t.Context(), b, october) },
		"agent":        func() (report.Report, error) { return report.AgentDaily(t.Context(), b, "bot", october.LastDay(), 31) },
	} {
		t.Run(name, func(t *testing.T) {
			r, err := read()
			must(t, r, err)
			notes := r.Notes
			for i, n := range notes {
				if strings.Contains(n, "a closed month") {
					notes = append(notes[:i:i], notes[i+1:]...)
				}
			}
			if diff := cmp.Diff(want, notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
	r, err := report.Users(t.Context(), b, october, "Research", 0)
	if must(t, r, err); len(r.Notes) > 0 {
		t.Errorf("another department's report notes %q", r.Notes)
	}
	b.record(t, flagged("ttl:unknown", "0.1", and(writes(1), values{"rate_id": int64(8)})))
	r, err = report.Departments(t.Context(), b, october)
	if must(t, r, err); !strings.HasSuffix(r.Notes[1], "wrote 1,100,001 tokens to the prompt cache and do not say for how long (TTL): priced as 5 minutes. cache_ttl in the settings says it.") {
		t.Errorf("where a rate lacks the price of an hour no amount can be told: %q", r.Notes[1])
	}
}

// Goal: what helps is advised where it helps, and only there.
// Method: held records for each reason alone.
func TestAdvice(t *testing.T) {
	b := openBooks(t)
	for _, tt := range []struct{ missing, want string }{
		{"model", "add its price"}, {"price", "add it to the model's entry"}, {"tier", "under tiers"}, {"bound", "correct it"}, {"search_price", "usd_per_search"},
		{"counts", "No token counts"}, {"fees", "add fees"}, {"tool_fee", "under tools"}, {"usage", "nothing to do"}, {"reported_cost", "reported no cost"},
	} {
		t.Run(tt.missing, func(t *testing.T) {
			b.clear(t)
			b.record(t, cost("Support", "00420", "bot", "user001@example.com", sonnet, 2, and(held("unpriced", "why"), values{"flags": "missing:" + tt.missing})))
			r, err := report.Held(t.Context(), b, october)
			if must(t, r, err); len(r.Notes) != 1 || !strings.Contains(r.Notes[0], tt.want) {
				t.Errorf("notes %q, want one with %q", r.Notes, tt.want)
			}
			if got := report.Advice([]string{"missing:" + tt.missing}); got != r.Notes[0] {
				t.Errorf("advice on the record alone is %q", got)
			}
		})
	}
	if got := report.Advice([]string{"ttl:unknown"}); got != "" {
		t.Errorf("a record that is charged is advised %q", got)
	}
}

// Goal: a conflict names the call and what its records differ in, in words and counts, and no other value.
// Method: staged pairs that differ in tokens, in texts and in what a row points at; the ledger sets them aside.
func TestConflictsSayWhatDiffers(t *testing.T) {
	b := openBooks(t)
	at := "2026-10-05 12:00:00"
	rows := ledgertest.Rows{
		Usage: []ledgertest.Usage{
			{RequestID: "u1", At: at, Tokens: record.Tokens{Output: 100}, Model: "secret-model"}, {RequestID: "u1", At: at, Tokens: record.Tokens{Output: 140, InputAudio: 0}, Model: "other-model", Caller: "arn:secret"},
		},
		Requests: []ledgertest.Request{
			{ID: "call-1", RequestID: "p1", At: at, User: "secret@example.com", Tokens: record.Tokens{Output: 5}}, {ID: "call-1", RequestID: "p2", At: at, User: "other@example.com", Tokens: record.Tokens{Output: 5}},
			{ID: "call-2", At: at, Reported: 5}, {ID: "call-2", At: "2026-10-05 12:00:01", Reported: 6, CacheHit: true}, {ID: "call-2", At: at, Tokens: record.Tokens{InputUncached: 7, Searches: 2}},
			{ID: "call-3", At: at}, {ID: "call-3", At: at},
		},
	}
	if err := rows.Stage(t.Context(), manifest.New(b.engine)); err != nil {
		t.Fatal(err)
	}
	err := ledgertest.Make(t.Context(), b.Ledger, records.Build{
		Days: records.Days{First: october.FirstDay(), Last: october.LastDay()}.All(), LateUntil: october.LastDay(), OpenMonth: october, RateVersion: "v", RunDate: october.LastDay(),
	}, ledgertest.Book{})
	if err != nil {
		t.Fatal(err)
	}
	const (
		usage   = "model, caller, output tokens (100 and 140)"
		call1   = "provider request id, user id"
		call2   = "started at, cache hit, input uncached tokens (0 and 7), searches (0 and 2), reported cost"
		reasons = "shares its id with another request record and differs in "
	)
	r, err := report.Conflicts(t.Context(), b, october, report.Page{})
	must(t, r, err)
	var got []string
	for _, row := range r.Rows {
		got = append(got, fmt.Sprint(row[5], ": ", row[6]))
	}
	for _, line := range got {
		if strings.Contains(line, "secret") || strings.Contains(line, "example.com") {
			t.Errorf("a value is shown: %s", line)
		}
	}
	if diff := cmp.Diff([]string{"call-1: " + call1, "call-1: " + call1, "call-2: " + call2, "call-2: " + call2, "call-2: " + call2, "u1: " + usage, "u1: " + usage}, got); diff != "" {
		t.Errorf("conflicts (-want +got):\n%s", diff)
	}
	r, err = report.Reasons(t.Context(), b, october)
	must(t, r, err)
	var told []string
	for _, row := range r.Rows {
		if row[0] == "conflict" {
			told = append(told, fmt.Sprint(row[2]))
		}
	}
	if len(told) != 3 || told[1] != reasons+"provider request id, user id" {
		t.Errorf("reasons are %q", told)
	}
	for id, want := range map[string]int{"call-1": 2, "p2": 1, "u1": 2, "call-3": 0, "nothing": 0} {
		days, err := report.DaysOf(context.Background(), b, id, -1)
		if err != nil {
			t.Fatal(err)
		}
		all, err := report.ConflictsOf(context.Background(), b.Ledger.Records, id, days)
		if err != nil || len(all) != want {
			t.Errorf("conflicts of %s: %v, %v, want %d", id, all, err, want)
		}
		for _, c := range all {
			if c.Day != (civil.Date{Year: 2026, Mon: 10, Day: 5}) || c.Source == "" || c.Differs == "" {
				t.Errorf("conflict of %s is %+v", id, c)
			}
		}
	}
}
