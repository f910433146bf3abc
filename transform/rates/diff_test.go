package rates

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// diffBook is the book that the rows of TestDiff change.
const diffBook = `prices:
  - provider: openai
    model: luna
    aliases: [luna-latest, luna-old]
    profiles: [us]
    patterns: ["luna-2026*"]
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "1", cache_read: "0.1", output: "6"}
    usd_per_search: "0.01"
    thresholds:
      - {more_than: 272000, usd_per_million: {input: "2"}}
    tiers:
      flex: {usd_per_million: {input: "0.5", output: "3"}}
      priority: {times: "2"}
  - provider: openai
    model: luna
    account: "111"
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "0.9", output: "5"}
  - provider: openai
    model: terra
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "2", output: "4"}
`

// TestDiff changes a text in one book and names what is then priced otherwise,
// on 2026-10-01.
func TestDiff(t *testing.T) {
	tests := []struct{ name, old, now, want string }{
		{"nothing", "", "", ""},
		{"a comment and a source", "    usd_per_search", "    source: elsewhere\n    usd_per_search", ""},
		{"a class that costs what its parent does", `input: "2", output: "4"`, `input: "2", cache_read: "2", output: "4"`, ""},
		{"a batch price that is half", `    usd_per_million: {input: "2", output: "4"}`, "    usd_per_million: {input: \"2\", output: \"4\"}\n    tiers:\n      batch: {usd_per_million: {input: \"1\", output: \"2\"}}", ""},
		{"dearer", `cache_read: "0.1"`, `cache_read: "0.125"`, "dearer openai/luna: cache_read 0.1 -> 0.125 +25 %"},
		{"cheaper", `input: "2", output: "4"`, `input: "1.5", output: "4"`, "cheaper openai/terra: input 2 -> 1.5 -25 %"},
		{"from nothing", `input: "2", output: "4"`, `input: "0", output: "4"`, "cheaper openai/terra: input 2 -> 0 -100 %"},
		{"a third", `input: "2", output: "4"`, `input: "3", output: "3"`, "changed openai/terra: input 2 -> 3 +50 %, output 4 -> 3 -25 %"},
		{"above a number of tokens", `{input: "2"}}`, `{input: "2.5"}}`, "dearer openai/luna: input above 272,000 2 -> 2.5 +25 %"},
		{"another number of tokens", `more_than: 272000`, `more_than: 200000`, "dearer openai/luna: input above 200,000 1 -> 2 +100 %, input above 200,000, flex 0.5 -> 2 +300 %"},
		{"a tier", `input: "0.5", output: "3"`, `input: "0.6", output: "3"`, "dearer openai/luna: input, flex 0.5 -> 0.6 +20 %"},
		{"a class of a tier that goes", `input: "0.5", output: "3"`, `input: "0.5"`, "dearer openai/luna: output, flex 3 -> 6 +100 %"},
		{"the factor of a tier", `times: "2"`, `times: "1.5"`, "cheaper openai/luna: tokens, priority x 2 -> x 1.5 -25 %"},
		{"a search", `"0.01"`, `"0.035"`, "dearer openai/luna: search 0.01 -> 0.035 +250 %"},
		{"no search", `    usd_per_search: "0.01"` + "\n", "", "changed openai/luna: search 0.01 ->"},
		{"off-peak hours", `    usd_per_million: {input: "2", output: "4"}`, "    usd_per_million: {input: \"2\", output: \"4\"}\n    off_peak: [{utc: \"16:30-00:30\", times: \"0.5\"}]", `changed openai/terra: off-peak hours  -> 16:30-00:30, times: "0.5"`},
		{"regions", `    usd_per_million: {input: "2", output: "4"}`, "    usd_per_million: {input: \"2\", output: \"4\"}\n    uplifts: [{regions: [eu, \"eu-*\"], times: \"1.1\", cache: \"false\"}]", "changed openai/terra: regions  -> eu eu-* x 1.1 without cache"},
		{"a contract", `input: "0.9"`, `input: "0.8"`, "cheaper openai/luna 111: input 0.9 -> 0.8 -11.1 %"},
		{"another account", `"111"`, `"222"`, "removed openai/luna 111: input 0.9 ->, output 5 ->\nadded openai/luna 222: input  -> 0.9, output  -> 5"},
		{"another model", "model: terra", "model: mars", "added openai/mars: input  -> 2, output  -> 4\nremoved openai/terra: input 2 ->, output 4 ->"},
		{"an alias goes", "luna-latest, luna-old", "luna-latest", "moved openai/luna-old: openai/luna -> "},
		{"a profile goes", "    profiles: [us]\n", "", "moved openai/us.luna: openai/luna -> "},
		{"a pattern goes", `    patterns: ["luna-2026*"]` + "\n", "", "moved openai/luna-2026*: openai/luna -> "},
		{"a price of later on", "    usd_per_million: {input: \"2\", output: \"4\"}", "    to: 2026-12-01T00:00:00Z\n    usd_per_million: {input: \"2\", output: \"4\"}", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(diffBook, tt.old, tt.now, 1)
			if text == diffBook && tt.old != "" {
				t.Fatal("the row changes nothing in the book")
			}
			got := diffText(t, diffBook, text)
			if diff := cmp.Diff(strings.Split(tt.want, "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestDiffAliases moves another name to another model, and compares an id that
// has a price of its own in one book and is another name in the other.
func TestDiffAliases(t *testing.T) {
	own := strings.Replace(diffBook, "luna-latest, luna-old", "luna-latest", 1) + `
  - provider: openai
    model: luna-old
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "1", cache_read: "0.2", output: "6"}
`
	moved := strings.NewReplacer("luna-latest, luna-old", "luna-latest", "model: terra", "model: terra\n    aliases: [luna-old]").Replace(diffBook)
	if got := diffText(t, diffBook, moved); got != "moved openai/luna-old: openai/luna -> openai/terra" {
		t.Error(got)
	}
	got := diffText(t, diffBook, own)
	if !strings.Contains(got, "openai/luna-old: ") || !strings.Contains(got, "cache_read 0.1 -> 0.2 +100 %") || strings.Contains(got, "added") {
		t.Error(got)
	}
}

func diffText(t *testing.T, a, b string) string {
	t.Helper()
	var books []*Book
	for _, text := range []string{a, b} {
		book, err := Parse("prices.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		books = append(books, book)
	}
	var lines []string
	for _, d := range Diff(books[0], books[1], time.Date(2026, time.October, 1, 0, 0, 0, 0, time.UTC)) {
		line := strings.TrimSuffix(d.Kind+" "+d.Key+" "+d.Account, " ") + ": "
		if d.Kind == Moved {
			lines = append(lines, line+d.Old+" -> "+d.New)
			continue
		}
		var moves []string
		for _, m := range d.Moves {
			moves = append(moves, strings.TrimRight(fmt.Sprintf("%s %s -> %s %s", m.What, m.Old, m.New, m.Percent), " "))
		}
		lines = append(lines, line+strings.Join(moves, ", "))
	}
	return strings.Join(lines, "\n")
}
