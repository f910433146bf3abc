package importer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

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
			notes: "openai/luna: keeps what the list doesn't tell: cache_write_5m, tier flex; check that it still holds\n" +
				"openai/terra: keeps input 2 and not 0.2 (and 1 more), which the list has under the name luna; write an entry of your own if it holds here, too",
		},
		{
			name: "a model of the book that a pattern of the list means", format: GenAIPrices,
			list:    `[{"id": "openai", "models": [{"id": "all.terra", "match": {"starts_with": "terr"}, "prices": {"input_mtok": 2.2, "output_mtok": 4}}]}]`,
			changes: "new openai/all.terra : input 2.2, output 4", added: "openai/all.terra 2026-10-01",
			notes: "openai/terra: keeps input 2 and not 2.2, which the list has for all names like terr* (all.terra); write an entry of your own if it holds here, too",
		},
		{
			name: "a name that the book keeps for another model", format: GenAIPrices,
			list:    `[{"id": "openai", "models": [{"id": "nova", "match": {"equals": "luna-latest"}, "prices": {"input_mtok": 3, "output_mtok": 6}}]}]`,
			changes: "new openai/nova : input 3, output 6", added: "openai/nova 2026-10-01",
			notes: "openai/luna-latest: keeps input 1 and not 3 (and 2 more): it stands for openai/luna in the book, for openai/nova in the list",
		},
		{
			name: "a model without a price, and one at 0", format: LiteLLM,
			list:    litellm(openai("terra", `"input_cost_per_token": 0, "output_cost_per_token": 0`), openai("sol", `"input_cost_per_token": 0, "output_cost_per_token": 1e-6`)),
			changes: "new openai/sol : input 0, output 1", added: "openai/sol 2026-10-01",
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
				dearer openai/terra input, fast: 2 -> 12 (+500 %)
				dearer openai/terra output, fast: 4 -> 24 (+500 %)
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
			list, err := Read(tt.format, "list.json", []byte(tt.list), Options{})
			if err != nil {
				t.Fatal(err)
			}
			terms := Terms{From: from, Learned: learned, Source: "a list, copy of 2026-10-01, imported 2026-10-02", Dated: from}
			plan := Changes(book, list, terms)
			if diff := cmp.Diff(tidy(tt.changes), changesText(plan)); diff != "" {
				t.Errorf("changes: -want +got:\n%s", diff)
			}
			var added, notes []string
			for _, e := range plan.Added {
				added = append(added, e.Key()+" "+e.From.Format(time.DateOnly))
				if !e.Learned.Equal(learned) || e.Source != terms.Source || e.Account != "" {
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
			again := Changes(appended(t, plan), list, terms)
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
	list, err := Read(LiteLLM, "list.json", []byte(litellm(openai("terra", `"input_cost_per_token": 1e-6, "output_cost_per_token": 4e-6`))), Options{})
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
		plan := Changes(book, list, Terms{From: from, Learned: at, Source: "list", Dated: at})
		switch {
		case want == "" && len(plan.Added) != 1:
			t.Errorf("%s: nothing is added: %v", learned, plan.Notes)
		case want != "" && (len(plan.Added) > 0 || len(plan.Notes) != 1 || !strings.Contains(plan.Notes[0].What, want)):
			t.Errorf("%s: added %d, notes %v, want %q", learned, len(plan.Added), plan.Notes, want)
		}
	}
}

// terms are those of a list of 2026-10-01 that is imported a day later.
func terms() Terms {
	from := time.Date(2026, time.October, 1, 0, 0, 0, 0, time.UTC)
	return Terms{From: from, Learned: from.Add(33 * time.Hour), Source: "a list, copy of 2026-10-01, imported 2026-10-02", Dated: from}
}

func planOf(t *testing.T, book, format, list string, o Options, how Terms) Plan {
	t.Helper()
	read, err := Read(format, "list.json", []byte(list), o)
	if err != nil {
		t.Fatal(err)
	}
	return Changes(parsed(t, book), read, how)
}

func parsed(t testing.TB, book string) *rates.Book {
	t.Helper()
	b, err := rates.Parse("prices.yaml", []byte(book))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestNewerPricesStay imports lists that are older than a price of the book, or
// may be.
func TestNewerPricesStay(t *testing.T) {
	const entry = `prices:
  - {provider: openai, model: sol, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "5", output: "30"}, source: "list, copy of 2026-08-01"}
  - {provider: openai, model: sol, from: 2026-08-21T00:00:00Z, learned: 2026-09-20T00:00:00Z, usd_per_million: {input: "4", output: "20"}, source: %q}
`
	launch := litellm(openai("sol", `"input_cost_per_token": 5e-6, "output_cost_per_token": 3e-5`))
	other := litellm(openai("sol", `"input_cost_per_token": 6e-6, "output_cost_per_token": 3e-5`))
	day := func(text string) time.Time { at, _ := time.Parse(time.DateOnly, text); return at }
	tests := []struct {
		name, source, list string
		dated              string
		sure, older        bool
		want               string // "" is added
	}{
		{"an older list", "page of 2026-09-15", other, "2026-09-14", true, false, "keeps input 4 and not 6 (and 1 more): the book's price is of 2026-09-15, the list of 2026-09-14"},
		{"an older list that is wanted", "page of 2026-09-15", other, "2026-09-14", true, true, ""},
		{"a list of the same day", "page of 2026-09-15", other, "2026-09-15", true, false, ""},
		{"a source without a date was learned one day", "a page", other, "2026-09-19", true, false, "keeps input 4 and not 6 (and 1 more): the book's price is of 2026-09-20, the list of 2026-09-19"},
		{"the file is new and its prices may be old", "page of 2026-09-15", launch, "2026-10-01", false, false, "keeps input 4 and not 5 (and 1 more): the list has a price that the book has replaced from 2026-08-21 on, and may be older than its file"},
		{"a price that came back", "page of 2026-09-15", launch, "2026-10-01", true, false, ""},
		{"another price in a new file", "page of 2026-09-15", other, "2026-10-01", false, false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			how := terms()
			how.Dated, how.Sure, how.Older = day(tt.dated), tt.sure, tt.older
			plan := planOf(t, fmt.Sprintf(entry, tt.source), LiteLLM, tt.list, Options{}, how)
			got := ""
			for _, f := range plan.Newer {
				got += f.What
			}
			if got != tt.want || (len(plan.Added) == 0) != (tt.want != "") {
				t.Errorf("added %d, kept %q; want %q", len(plan.Added), got, tt.want)
			}
		})
	}
}

// TestAnnouncedPricesAreConfirmed imports a list that has the price that the book
// has as announced from 2026-09-01 on.
func TestAnnouncedPricesAreConfirmed(t *testing.T) {
	const book = `prices:
  - {provider: openai, model: sol, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "2", output: "10"}, source: "list, copy of 2026-08-01"}
  - {provider: openai, model: sol, from: 2026-09-01T00:00:00Z, announced: true, usd_per_million: {input: "3", output: "15"}, source: "list, copy of 2026-08-01"}
`
	same := litellm(openai("sol", `"input_cost_per_token": 3e-6, "output_cost_per_token": 15e-6`))
	for dated, confirms := range map[string]bool{"2026-08-31": false, "2026-09-01": true, "2026-10-01": true} {
		how := terms()
		how.Dated, _ = time.Parse(time.DateOnly, dated)
		plan := planOf(t, book, LiteLLM, same, Options{}, how)
		if (len(plan.Confirmed) == 1 && len(plan.Added) == 1) != confirms {
			t.Errorf("a list of %s: confirmed %v, added %d", dated, plan.Confirmed, len(plan.Added))
		}
		if !confirms {
			continue
		}
		after := parsed(t, book+string(Document(plan.Added, "")))
		if left := after.Unconfirmed(how.From); len(left) > 0 {
			t.Errorf("still a forecast: %v", left)
		}
		read, err := Read(LiteLLM, "list.json", []byte(same), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if again := Changes(after, read, how); len(again.Added) > 0 {
			t.Errorf("a second time it adds %v", again.Added)
		}
	}
	future := `[{"id": "openai", "models": [{"id": "sol", "prices": [{"prices": {"input_mtok": 2, "output_mtok": 10}},
		{"constraint": {"start_date": "2027-01-01"}, "prices": {"input_mtok": 4, "output_mtok": 20}}]}]}]`
	plan := planOf(t, "", GenAIPrices, future, Options{}, terms())
	if n := len(plan.Added); n != 2 || plan.Added[0].Announced || !plan.Added[1].Announced || plan.Added[0].Forecast() || !plan.Added[1].Forecast() {
		t.Errorf("a price of the future is not announced: %+v", plan.Added)
	}
}

// TestNamesOfModelsThatTheBookHas imports a slug of a model whose price stays.
func TestNamesOfModelsThatTheBookHas(t *testing.T) {
	const book = `prices: [{provider: openrouter, model: lab/pen, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "1", cache_read: "0.1", output: "2"}}]` + "\n"
	const list = `{"data": [{"id": "lab/pen", "canonical_slug": "lab/pen-20260917", "pricing": {"prompt": "0.000001", "completion": "0.000002"}}]}`
	plan := planOf(t, book, OpenRouter, list, Options{}, terms())
	if len(plan.Names) != 1 || plan.Names[0].String() != "openrouter/lab/pen: lab/pen-20260917" || len(plan.Notes) != 0 {
		t.Errorf("names %v, notes %v", plan.Names, plan.Notes)
	}
	after := book + string(Document(plan.Added, ""))
	key, _, _ := parsed(t, after).Resolve("openrouter", "", "lab/pen-20260917")
	e, _ := parsed(t, after).EntryAt(key, "", terms().From, rates.Forever)
	if e.Units[rates.CacheRead] != 100_000 {
		t.Errorf("%s is priced by %+v", key, e)
	}
	if again := planOf(t, after, OpenRouter, list, Options{}, terms()); len(again.Added) > 0 {
		t.Errorf("a second time it adds %v", again.Added)
	}
}

func TestFreeModelsAreTakenWhereTheyAreWanted(t *testing.T) {
	list := litellm(openai("gift", `"input_cost_per_token": 0, "output_cost_per_token": 0, "search_context_cost_per_query": {"search_context_size_medium": 0.01}`),
		openai("by-request", `"input_cost_per_token": 0, "output_cost_per_token": 0, "input_cost_per_request": 0.01`))
	for free, want := range map[bool]string{false: "openai/by-request", true: "openai/by-request openai/gift"} {
		var keys []string
		for _, e := range planOf(t, "", LiteLLM, list, Options{Free: free}, terms()).Added {
			keys = append(keys, e.Key())
		}
		if got := strings.Join(keys, " "); got != want {
			t.Errorf("free %v: added %s, want %s", free, got, want)
		}
	}
}

func TestOnly(t *testing.T) {
	list, err := Read(LiteLLM, "list.json", []byte(litellm(openai("luna", lunaAsIs), openai("luna-mini", lunaAsIs), openai("sol", `"moon_cost": 1`),
		`"us.pen": {"litellm_provider": "bedrock_converse", "mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0}`)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		providers, models []string
		want              string
	}{
		{nil, nil, "luna luna-mini; sol; sol; us.pen"},
		{[]string{"openai"}, nil, "luna luna-mini; sol; sol; "},
		{[]string{"bedrock"}, nil, "; ; ; us.pen"},
		{nil, []string{"luna"}, "luna; ; ; "},
		{nil, []string{"openai/luna*"}, "luna luna-mini; ; ; "},
		{[]string{"bedrock", "openai"}, []string{"*pen", "sol"}, "; sol; sol; us.pen"},
		{[]string{"xai"}, nil, "; ; ; "},
	}
	for _, tt := range tests {
		only := list.Only(tt.providers, tt.models)
		var models []string
		for _, e := range only.Entries {
			models = append(models, e.Model)
		}
		names := func(all []Finding) string {
			var names []string
			for _, f := range all {
				names = append(names, f.Model)
			}
			return strings.Join(names, " ")
		}
		if got := strings.Join([]string{strings.Join(models, " "), names(only.Skipped), names(only.Warnings), names(only.Free)}, "; "); got != tt.want {
			t.Errorf("%v %v: got %q, want %q", tt.providers, tt.models, got, tt.want)
		}
	}
}

// TestImportAndDiffAgree
//
// Goal: after an import, a difference between the book and the list is one that
// the import has named as left as it is.
// Method: random books and lists with few names, so that ids, aliases and
// patterns of one are often those of the other.
func TestImportAndDiffAgree(t *testing.T) {
	names := []string{"a", "ab", "abc", "b", "bc"}
	rapid.Check(t, func(t *rapid.T) {
		book, taken := "prices:\n", map[string]bool{}
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, 4, rapid.ID[string]).Draw(t, "models") {
			aliases := ""
			if alias := rapid.SampledFrom(names).Draw(t, "alias"); rapid.Bool().Draw(t, "has alias") && !taken[alias] && !strings.Contains(book, "model: "+alias+",") {
				aliases = "aliases: [" + alias + "], "
				taken[alias] = true
			}
			if taken[name] {
				continue
			}
			book += fmt.Sprintf("  - {provider: openai, model: %s, %sfrom: 2026-01-01T00:00:00Z, usd_per_million: {input: %d, cache_read: %d, output: 9}}\n",
				name, aliases, rapid.IntRange(1, 3).Draw(t, "input"), rapid.IntRange(1, 3).Draw(t, "read"))
		}
		b, err := rates.Parse("prices.yaml", []byte(book))
		if err != nil {
			t.Skip("an alias is a model")
		}
		var models []string
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, 4, rapid.ID[string]).Draw(t, "listed") {
			how := rapid.SampledFrom([]string{"equals", "starts_with"}).Draw(t, "match")
			models = append(models, fmt.Sprintf(`{"id": %q, "match": {%q: %q}, "prices": {"input_mtok": %d, "output_mtok": 9}}`,
				name, how, rapid.SampledFrom(names).Draw(t, "text"), rapid.IntRange(1, 3).Draw(t, "price")))
		}
		list, err := Read(GenAIPrices, "list.json", []byte(`[{"id": "openai", "models": [`+strings.Join(models, ",")+"]}]"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		how := terms()
		plan := Changes(b, list, how)
		after := b
		if len(plan.Added) > 0 {
			if after, err = rates.ParseFiles([]rates.File{{Name: "prices.yaml", Data: []byte(book + string(Document(plan.Added, "")))}}); err != nil {
				t.Fatal(err)
			}
		}
		listed, err := AsBook(list, after, how.From, "list.json")
		if err != nil {
			t.Fatal(err)
		}
		named := map[string]bool{}
		for _, f := range slices.Concat(plan.Notes, plan.Newer) {
			named[f.Model] = true
		}
		for _, d := range rates.Diff(after, listed, how.From) {
			if differs := d.Kind == rates.Dearer || d.Kind == rates.Cheaper || d.Kind == rates.Changed || d.Kind == rates.Added; differs && !named[d.Key] {
				t.Fatalf("%s is %s, %+v, and the import said %v\n%s\n%s", d.Key, d.Kind, d.Moves, plan.Notes, book, strings.Join(models, "\n"))
			}
		}
		if again := Changes(after, list, how); len(again.Added) > 0 {
			t.Fatalf("a second time it adds %s", Document(again.Added, ""))
		}
	})
}
