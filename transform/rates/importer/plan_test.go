package importer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chargeback/transform/rates"
)

// smallBook has one model for each thing that a list can meet.
const smallBook = `prices:
  - provider: openai
    model: luna
    aliases: [luna-latest]
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "1", cache_write_5m: "1.25", cache_write_1h: "2", output: "6"}
    thresholds:
      - {more_than: 272000, usd_per_million: {input: "2"}}
    tiers:
      flex: {usd_per_million: {input: "0.5"}}
    source: 2026-01-01
  - provider: openai
    model: luna
    account: "111"
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "0.1", output: "0.6"}
    source: contract
  - provider: openai
    model: terra
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "2", output: "4"}
    source: 2026-01-01
  - provider: openai
    model: terra
    from: 2026-12-01T00:00:00Z
    usd_per_million: {input: "3", output: "4"}
    source: 2026-01-01
  - provider: deepseek
    model: chat
    patterns: ["chat-*"]
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "1", output: "2"}
    source: 2026-01-01
`

func litellm(models ...string) string { return "{" + strings.Join(models, ",") + "}" }

func openai(name, prices string) string {
	return fmt.Sprintf(`%q: {"litellm_provider": "openai", "mode": "chat", %s}`, name, prices)
}

const (
	lunaAsIs  = `"input_cost_per_token": 1e-6, "output_cost_per_token": 6e-6, "cache_creation_input_token_cost": 1.25e-6, "cache_creation_input_token_cost_above_1hr": 2e-6, "input_cost_per_token_above_272k_tokens": 2e-6, "input_cost_per_token_flex": 5e-7`
	lunaMoved = `"input_cost_per_token": 1e-6, "output_cost_per_token": 9e-6, "cache_creation_input_token_cost": 1.25e-6, "cache_creation_input_token_cost_above_1hr": 2e-6, "input_cost_per_token_above_272k_tokens": 3e-6, "input_cost_per_token_flex": 4e-7`
)

// TestChanges imports small lists into a small book from 2026-10-01 on, and then
// once more into what became of it.
func TestChanges(t *testing.T) {
	tests := []struct {
		name, format, list string
		added, notes       string
		changes            string
		unchanged          int
	}{
		{name: "the same prices", format: LiteLLM, list: litellm(openai("luna", lunaAsIs)), unchanged: 1},
		{
			name: "other prices by class, size and tier", format: LiteLLM, list: litellm(openai("luna", lunaMoved)),
			changes: `
				dearer openai/luna input above 272,000: 2 -> 3 (+50 %)
				dearer openai/luna output: 6 -> 9 (+50 %)
				cheaper openai/luna input, flex: 0.5 -> 0.4 (-20 %)`,
			added: "openai/luna 2026-10-01",
		},
		{
			name: "a new model, and one that a pattern prices", format: LiteLLM,
			list: litellm(openai("sol", `"input_cost_per_token": 5e-6, "output_cost_per_token": 3e-5`),
				`"deepseek/chat-2": {"litellm_provider": "deepseek", "mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}`),
			changes:   "new openai/sol : input 5, output 30",
			added:     "openai/sol 2026-10-01",
			unchanged: 1,
		},
		{
			name: "a later price of the book stays in force", format: LiteLLM,
			list:    litellm(openai("terra", `"input_cost_per_token": 1e-6, "output_cost_per_token": 4e-6`)),
			changes: "cheaper openai/terra input: 2 -> 1 (-50 %)",
			added:   "openai/terra 2026-10-01",
		},
		{
			name: "another name with the same and with other prices", format: LiteLLM, list: litellm(openai("luna", lunaAsIs), openai("luna-latest", lunaMoved)),
			notes:     "openai/luna-latest: is another name of openai/luna in the book, but its input above 272,000 is 3 and not 2; take the name out there to give it prices of its own",
			unchanged: 1,
		},
		{
			name: "another name follows its model", format: LiteLLM, list: litellm(openai("luna", lunaMoved), openai("luna-latest", lunaMoved)),
			changes: `
				dearer openai/luna input above 272,000: 2 -> 3 (+50 %)
				dearer openai/luna output: 6 -> 9 (+50 %)
				cheaper openai/luna input, flex: 0.5 -> 0.4 (-20 %)`,
			added:     "openai/luna 2026-10-01",
			unchanged: 1,
		},
		{
			name: "history, and tiers that the list can't tell", format: GenAIPrices,
			list: `[{"id": "openai", "models": [{"id": "luna", "match": {"or": [{"equals": "luna-latest"}, {"equals": "luna-new"}, {"equals": "terra"}]}, "prices": [
				{"prices": {"input_mtok": 1, "output_mtok": 6}},
				{"constraint": {"start_date": "2026-07-30"}, "prices": {"input_mtok": 0.2, "cache_write_1h_mtok": 2, "output_mtok": 6}},
				{"constraint": {"start_date": "2027-01-01"}, "prices": {"input_mtok": 0.3, "cache_write_1h_mtok": 2, "output_mtok": 6}}]}]}]`,
			changes: `
				dearer openai/luna input: 0.2 -> 0.3 (+50 %)
				cheaper openai/luna input: 1 -> 0.2 (-80 %)
				cheaper openai/luna input above 272,000: 2 -> 0.2 (-90 %)
				cheaper openai/luna input above 272,000, flex: 2 -> 0.5 (-75 %)`,
			added: "openai/luna 2026-07-30, openai/luna 2027-01-01",
			notes: "openai/luna: keeps what the list doesn't tell: cache_write_5m, tier flex; check that it still holds",
		},
		{
			name: "a price that changed again since its date", format: GenAIPrices,
			list: `[{"id": "openai", "models": [{"id": "terra", "match": {"equals": "terra"}, "prices": [
				{"constraint": {"start_date": "2025-01-01"}, "prices": {"input_mtok": 1.5, "output_mtok": 4}}]}]}]`,
			changes: `
				new openai/terra : input 1.5, output 4
				cheaper openai/terra input: 2 -> 1.5 (-25 %)`,
			added: "openai/terra 2025-01-01, openai/terra 2026-10-01",
		},
		{
			name: "off-peak hours and regions", format: LiteLLM,
			list: litellm(openai("terra", `"input_cost_per_token": 2e-6, "output_cost_per_token": 4e-6, "off_peak_pricing": {"hours_utc": "16:30-00:30", "input_cost_per_token": 1e-6},
				"provider_specific_entry": {"us": 1.1, "fast": 6}`)),
			changes: `
				dearer openai/terra input, priority: 2 -> 12 (+500 %)
				dearer openai/terra output, priority: 4 -> 24 (+500 %)
				other openai/terra off-peak hours:  -> 16:30-00:30, usd_per_million: {input: "1"} ()
				other openai/terra regions:  -> us us-* x 1.1 ()`,
			added: "openai/terra 2026-10-01",
		},
	}
	from := time.Date(2026, time.October, 1, 0, 0, 0, 0, time.UTC)
	learned := time.Date(2026, time.October, 2, 9, 30, 0, 0, time.UTC)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			book, err := rates.Parse("prices.yaml", []byte(smallBook))
			if err != nil {
				t.Fatal(err)
			}
			list, err := Read(tt.format, "list.json", []byte(tt.list))
			if err != nil {
				t.Fatal(err)
			}
			plan := Changes(book, list, from, learned, "a list, copy of 2026-10-01")
			if diff := cmp.Diff(tidy(tt.changes), changesText(plan)); diff != "" {
				t.Errorf("changes: -want +got:\n%s", diff)
			}
			var added, notes []string
			for _, e := range plan.Added {
				added = append(added, e.Key()+" "+e.From.Format(time.DateOnly))
				if !e.Learned.Equal(learned) || e.Source != "a list, copy of 2026-10-01" || e.Account != "" {
					t.Errorf("entry without its learned or source: %s", e.YAML())
				}
			}
			for _, n := range plan.Notes {
				if text := n.String(); len(notes) == 0 || notes[len(notes)-1] != text {
					notes = append(notes, text)
				}
			}
			if got := strings.Join(added, ", "); got != tt.added {
				t.Errorf("added %q, want %q", got, tt.added)
			}
			if got := strings.Join(notes, "\n"); got != tt.notes {
				t.Errorf("notes %q, want %q", got, tt.notes)
			}
			if plan.Unchanged != tt.unchanged {
				t.Errorf("%d unchanged, want %d", plan.Unchanged, tt.unchanged)
			}
			again := Changes(appended(t, plan), list, from, learned, "a list, copy of 2026-10-01")
			if len(again.Added) > 0 {
				t.Errorf("a second time it adds:\n%s", Document(again.Added, "again"))
			}
		})
	}
}

// appended is the small book with the document of a plan behind it.
func appended(t *testing.T, plan Plan) *rates.Book {
	t.Helper()
	data := smallBook
	if len(plan.Added) > 0 {
		data += string(Document(plan.Added, "Imported from a list,\n\non a day."))
	}
	book, err := rates.ParseFiles([]rates.File{{Name: "prices.yaml", Data: []byte(data)}})
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return book
}

func changesText(p Plan) string {
	var lines []string
	for _, kind := range []struct {
		name    string
		changes []Change
	}{{"new", p.New}, {"dearer", p.Dearer}, {"cheaper", p.Cheaper}, {"other", p.Other}} {
		for _, c := range kind.changes {
			line := fmt.Sprintf("%s %s %s: %s", kind.name, c.Key, c.What, c.New)
			if kind.name != "new" {
				line = fmt.Sprintf("%s %s %s: %s -> %s (%s)", kind.name, c.Key, c.What, c.Old, c.New, c.Percent)
			}
			lines = append(lines, line)
		}
	}
	return tidy(strings.Join(lines, "\n"))
}

// tidy sorts the lines of a text and trims them.
func tidy(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestChangesRefuses meets prices that were learned at the same time, or later.
func TestChangesRefuses(t *testing.T) {
	book, err := rates.Parse("prices.yaml", []byte(smallBook+`
  - provider: openai
    model: terra
    from: 2026-10-01T00:00:00Z
    learned: 2026-10-02T09:30:00Z
    usd_per_million: {input: "7", output: "8"}
`))
	if err != nil {
		t.Fatal(err)
	}
	list, err := Read(LiteLLM, "list.json", []byte(litellm(openai("terra", `"input_cost_per_token": 1e-6, "output_cost_per_token": 4e-6`))))
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, time.October, 1, 0, 0, 0, 0, time.UTC)
	for learned, want := range map[string]string{
		"2026-10-02T09:30:00Z": "learned at the same time",
		"2026-10-02T09:29:59Z": "learned later",
		"2026-10-02T09:30:01Z": "",
	} {
		at, err := time.Parse(time.RFC3339, learned)
		if err != nil {
			t.Fatal(err)
		}
		plan := Changes(book, list, from, at, "list")
		switch {
		case want == "" && len(plan.Added) != 1:
			t.Errorf("%s: nothing is added: %v", learned, plan.Notes)
		case want != "" && (len(plan.Added) > 0 || len(plan.Notes) != 1 || !strings.Contains(plan.Notes[0].What, want)):
			t.Errorf("%s: added %d, notes %v, want %q", learned, len(plan.Added), plan.Notes, want)
		}
	}
}
