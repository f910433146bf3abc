package jobs_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"chargeback/billing/explain"
	"chargeback/billing/report"
	"chargeback/jobs"
	"chargeback/transform/civil"
	"chargeback/transform/money"
	"chargeback/transform/rates"
)

// Goal: every kind of record, and every line of every document, has arithmetic
// that adds up to what was charged.
// Method: one record of each kind that there is (match, rung, pricing, rule,
// cache hit, note); each line of all documents; all sums against the ledger's.
func demoExplanations(t *testing.T, m demoMonth) {
	kinds := m.lines(t, `
select min(record_id)
from {cost_items}
group by match, match_rung, pricing, attribution, cache_hit, pricing_note, correction, tool_cost_usd = 0, infra_cost_usd = 0
order by 1`)
	if len(kinds) < 25 {
		t.Errorf("%d kinds of records in the demo, want at least 25", len(kinds))
	}
	for _, id := range kinds {
		var number int64
		if _, err := fmt.Sscan(id, &number); err != nil {
			t.Fatal(err)
		}
		days, err := report.DaysOf(t.Context(), m.Ledger, strings.TrimSpace(id), number)
		if err != nil {
			t.Fatal(err)
		}
		records, err := report.Explain(t.Context(), m.Ledger, strings.TrimSpace(id), number, days)
		if err != nil || len(records) == 0 {
			t.Fatalf("record %d: %d explanations, %v", number, len(records), err)
		}
		for _, r := range records {
			if _, err := explain.Of(r.Priced); err != nil {
				t.Errorf("record %d (%s, %s): %v", r.Record, r.Pricing, r.Match, err)
			}
			if _, saved, err := explain.Saved(r.Priced); err != nil || r.Known && !r.Savings.IsZero() && !saved.Equal(r.Savings) {
				t.Errorf("record %d (%s, %s): the products of what caches saved are %s, the ledger has %s; %v", r.Record, r.Pricing, r.Match, saved, r.Savings, err)
			}
			decided, err := m.Decided(t.Context(), r, "directory.yaml")
			if err != nil || decided == "" || strings.Contains(decided, "no longer") || strings.Contains(decided, "when it was charged") {
				t.Errorf("record %d, attributed by %s: decided by %q, %v", r.Record, r.Attribution, decided, err)
			}
		}
	}
	var all money.USD
	for _, issued := range m.closed.Documents {
		d, ok, err := m.Document(t.Context(), issued.Number)
		if err != nil || !ok {
			t.Fatalf("document %s: %v, %v", issued.Number, ok, err)
		}
		for _, s := range d.Sections() {
			for _, l := range s.Lines {
				if l.SharedName != "" {
					continue
				}
				groups, err := report.ExplainLine(t.Context(), m.Ledger, report.DocumentLine{Month: month(october), CostCenter: d.Party.Code, Agent: l.AgentID, Model: l.Model, Adjusts: l.AdjustsMonth})
				if err != nil {
					t.Fatal(err)
				}
				var sum money.USD
				var requests int64
				for _, g := range groups {
					if _, err := explain.Of(g); err != nil {
						t.Errorf("%s, %s, %s: %v", d.Number, l.AgentID, l.Model, err)
					}
					sum, requests = sum.Add(g.Total), requests+g.Records
				}
				if !sum.Equal(l.Exact.Total) || requests != l.Requests {
					t.Errorf("%s, %s, %s: explained %s of %d requests, the line has %s of %d", d.Number, l.AgentID, l.Model, sum, requests, l.Exact.Total, l.Requests)
				}
				all = all.Add(sum)
				rules, err := report.RulesOfLine(t.Context(), m.Ledger, report.DocumentLine{Month: month(october), CostCenter: d.Party.Code, Agent: l.AgentID, Model: l.Model, Adjusts: l.AdjustsMonth})
				if err != nil {
					t.Fatal(err)
				}
				for _, rule := range rules {
					requests -= rule.Records
				}
				if requests != 0 {
					t.Errorf("%s, %s, %s: rules of all records but %d", d.Number, l.AgentID, l.Model, requests)
				}
			}
		}
	}
	equal(t, "all lines", m.lines(t, "select {total_usd(total_cost_usd)} from {cost_items} where billing_month = '"+october+"'"), []string{all.String() + "\n"})
}

// Goal: a what-if compares with the ledger and leaves it as it is: the same
// inputs make no difference at all, a dearer price exactly its own.
// Method: price October again as it is; by a book in which one model costs
// twice as much; as another model; with other caching; with another directory.
func demoWhatIf(t *testing.T, m demoMonth) {
	before := m.state(t)
	total := func(what jobs.WhatIf) (before, after money.USD, held int64) {
		t.Helper()
		rows, err := m.WhatIf(t.Context(), month(october), what)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			before, after, held = before.Add(r.Before), after.Add(r.After), held+r.HeldAfter
		}
		return before, after, held
	}
	charged := strings.TrimSpace(m.lines(t, "select {total_usd(total_cost_usd)} from {cost_items} where usage_date between '2026-10-01' and '2026-10-31'")[0])
	was, same, _ := total(jobs.WhatIf{})
	equal(t, "as it is", [2]string{charged, charged}, [2]string{was.String(), same.String()})
	was, same, _ = total(jobs.WhatIf{Directory: m.Directory, Rates: m.Rates})
	equal(t, "with the same book and directory", [2]string{charged, charged}, [2]string{was.String(), same.String()})

	const model = "gpt-5-mini"
	llm := strings.TrimSpace(m.lines(t, "select {total_usd(llm_cost_usd)} from {cost_items} where model = '"+model+"' and usage_date between '2026-10-01' and '2026-10-31'")[0])
	dearer := m.Rates.Of("openai/" + model)[0]
	dearer.Learned = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	dearer.Units = maps.Clone(dearer.Units)
	for class := range dearer.Units {
		dearer.Units[class] *= 2
	}
	book, err := rates.ParseFiles([]rates.File{{Name: "prices.yaml", Data: m.prices}, {Name: "dearer.yaml", Data: []byte("prices:\n" + dearer.YAML())}})
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := total(jobs.WhatIf{Rates: book})
	equal(t, "twice the price of a model", money.MustParse(charged).Add(money.MustParse(llm)).String(), after.String())

	_, after, held := total(jobs.WhatIf{Models: map[string]string{"example.preview-model-v1:0": "amazon.nova-pro-v1:0"}})
	if held != int64(m.truth.Match.Doubtful) || after.Cmp(money.MustParse(charged)) <= 0 {
		t.Errorf("held records priced as another model: %s USD, %d held", after, held)
	}
	zero := int64(0)
	_, without, _ := total(jobs.WhatIf{CacheReads: &zero})
	million := int64(1_000_000)
	_, all, _ := total(jobs.WhatIf{CacheReads: &million})
	if without.Cmp(money.MustParse(charged)) <= 0 || all.Cmp(money.MustParse(charged)) >= 0 {
		t.Errorf("without cache reads %s USD, with nothing else %s USD, as it is %s", without, all, charged)
	}
	if _, err := m.WhatIf(t.Context(), month(october), jobs.WhatIf{Models: map[string]string{"no-such-model": model}}); err == nil {
		t.Error("a model that never occurs was priced as another")
	}
	repriced, err := m.Reprice(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range repriced.Rated {
		if !r.Before.Equal(r.After) {
			t.Errorf("priced again by the same book: %+v", r)
		}
	}
	if _, err := m.WhatIf(t.Context(), civil.Month{Year: 2026, Month: 11}, jobs.WhatIf{}); err != nil {
		t.Errorf("a month without records: %v", err)
	}
	same2 := m.state(t)
	if fmt.Sprint(before) != fmt.Sprint(same2) {
		t.Error("the ledger has changed")
	}
}
