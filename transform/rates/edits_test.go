package rates_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chargeback/transform/rates"
)

const marked = `prices:
  - {provider: openai, model: one, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "1", output: "2"}, source: list}
  - {provider: openai, model: one, account: org-1, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "0.5", output: "1"}, source: contract}
  - {provider: openai, model: two, from: 2026-12-01T00:00:00Z, usd_per_million: {input: "1", output: "2"}, source: list}
discounts:
  - {provider: openai, percent: "10", from: 2026-01-01T00:00:00Z}
markups:
  - {cost_center: "100", percent: "5", from: 2026-01-01T00:00:00Z}
fees:
  - {from: 2026-01-01T00:00:00Z, infra_per_request_usd: "0.0001", infra_per_cache_hit_usd: "0", tools: {"*": "0.001"}}
`

// Goal: what was edited of the past is found, and what was added or lies in the
// future is not.
// Method: one change of a small book each, its marks kept as JSON in between.
func TestEdits(t *testing.T) {
	past := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, old, text string
		want            []string
	}{
		{"nothing", "", "", nil},
		{"a price", `input: "1", output: "2"}, source: list}
  - {provider: openai, model: one, acc`, `input: "3", output: "2"}, source: list}
  - {provider: openai, model: one, acc`, []string{"price openai/one from 2026-01-01: was edited and charges something else (book:2)"}},
		{"a contract price", `"0.5"`, `"0.6"`, []string{"price openai/one for account org-1 from 2026-01-01: was edited and charges something else (book:3)"}},
		{"a source", "source: contract", "source: paper", nil},
		{"another name", `model: one, account: org-1,`, `model: one, account: org-1, aliases: [uno],`, nil},
		{"a future price", `model: two, from: 2026-12-01T00:00:00Z, usd_per_million: {input: "1"`, `model: two, from: 2026-12-01T00:00:00Z, usd_per_million: {input: "9"`, nil},
		{"a begin", `model: one, from: 2026-01-01`, `model: one, from: 2026-02-01`, []string{"price openai/one from 2026-01-01: is gone"}},
		{"an end", `model: one, from: 2026-01-01T00:00:00Z,`, `model: one, from: 2026-01-01T00:00:00Z, to: 2026-10-01T00:00:00Z,`, []string{"price openai/one from 2026-01-01: ends earlier, on 2026-10-01 (book:2)"}},
		{"a future end", `model: one, from: 2026-01-01T00:00:00Z,`, `model: one, from: 2026-01-01T00:00:00Z, to: 2026-12-01T00:00:00Z,`, nil},
		{"an entry behind it", "prices:\n", "prices:\n  - {provider: openai, model: one, from: 2026-10-01T00:00:00Z, usd_per_million: {input: \"3\", output: \"2\"}, source: list}\n", nil},
		{"an entry learned later", "prices:\n", "prices:\n  - {provider: openai, model: one, from: 2026-01-01T00:00:00Z, learned: 2026-11-01T00:00:00Z, usd_per_million: {input: \"3\", output: \"2\"}, source: list}\n", nil},
		{"a discount", `percent: "10"`, `percent: "20"`, []string{"discount provider openai from 2026-01-01: was edited and charges something else (line 6)"}},
		{"a markup", `percent: "5"`, `percent: "6"`, []string{"markup of 100 from 2026-01-01: was edited and charges something else (line 8)"}},
		{"a fee", `"0.0001"`, `"0.0002"`, []string{"fees from 2026-01-01: was edited and charges something else"}},
		{"a tool's fee", `"0.001"`, `"0.002"`, []string{"fees from 2026-01-01: was edited and charges something else"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before, err := rates.Parse("book", []byte(marked))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(marked, tt.old) {
				t.Fatalf("the book has no %q", tt.old)
			}
			after, err := rates.Parse("book", []byte(strings.Replace(marked, tt.old, tt.text, 1)))
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(before.Marks())
			if err != nil {
				t.Fatal(err)
			}
			var kept []rates.Mark
			if err := json.Unmarshal(text, &kept); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range after.Edits(kept, past) {
				line := e.String() + ": " + e.What
				if e.Place != "" {
					line += " (" + e.Place + ")"
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if of := after.Edits(nil, past); of != nil {
				t.Errorf("of no marks: %v", of)
			}
		})
	}
}
