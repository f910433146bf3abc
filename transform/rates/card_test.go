package rates

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// richBook has one of everything that decides a unit price.
const richBook = `prices:
  - provider: p
    model: m
    patterns: ["m-2*"]
    profiles: [eu]
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "4", cache_read: "0.4", cache_write_5m: "5", output: "20", input_audio: "8"}
    usd_per_search: "0.01"
    usd_per_request: "0.002"
    thresholds:
      - {more_than: 1000, usd_per_million: {input: "8", output: "30"}}
      - {at_least: 2000, usd_per_million: {input: "9"}}
    tiers:
      flex: {times: "0.5"}
      priority:
        usd_per_million: {input: "10", output: "50"}
        thresholds: [{more_than: 1000, usd_per_million: {input: "12"}}]
    off_peak:
      - {utc: "22:00-02:00", days: [sat], times: "0.25"}
    uplifts:
      - {regions: ["eu-*"], times: "1.1"}
      - {regions: [us], times: "1.1", cache: false}
    source: list, 2026-01-01
  - {provider: p, model: m, account: "42", from: 2026-03-01T00:00:00Z, to: 2026-04-01T00:00:00Z, usd_per_million: {input: "1", output: "2"}, source: contract}
  - provider: p
    model: ranged
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "1", cache_read: "0.1", output: "2"}
    ranges:
      - {up_to: 32, usd_per_million: {input: "3", output: "6"}}
      - {up_to: 64, usd_per_million: {input: "4", cache_read: "0.5"}}
discounts:
  - {provider: p, percent: "10", from: 2026-05-01T00:00:00Z}
  - {model: "m*", class: output, percent: "20", from: 2026-05-01T00:00:00Z}
  - {account: "7", percent: "33.3333", from: 2026-05-01T00:00:00Z}
markups:
  - {cost_center: CC-1, percent: "12.5", from: 2026-06-01T00:00:00Z}
fees:
  - {from: 2026-02-01T00:00:00Z, infra_per_request_usd: "0.000000000003", tools: {t: "0.000000000001"}}
`

func TestCard(t *testing.T) {
	b := parse(t, richBook)
	noon := at("2026-02-05T12:00:00Z") // a Thursday
	m := Meter{Provider: "p", Model: "m"}
	with := func(change func(*Meter)) Meter { n := m; change(&n); return n }
	tests := []struct {
		name   string
		meter  Meter
		when   time.Time
		prompt int64
		markup Percent
		class  Class
		want   int64 // pico-dollars
		rule   string
	}{
		{"standard", m, noon, 1000, 0, Input, 4_000_000, "published price, prompts of up to 1000 tokens"},
		{"a token more", m, noon, 1001, 0, Input, 8_000_000, "published price, prompts of more than 1000 and up to 1999 tokens"},
		{"a class without a price there keeps its own", m, noon, 1001, 0, CacheRead, 400_000, ""},
		{"at least", m, noon, 2000, 0, Input, 9_000_000, "published price, prompts of more than 1999 tokens"},
		{"each class has its own threshold", m, noon, 2000, 0, Output, 30_000_000, ""},
		{"parent class", m, noon, 1, 0, CacheWrite1h, 5_000_000, ""},
		{"parent's parent", m, noon, 1, 0, CacheReadAudio, 400_000, ""},
		{"reasoning as output", m, noon, 1500, 0, Reasoning, 30_000_000, ""},
		{"search", m, noon, 1, 0, Search, 10_000_000_000, ""},
		{"request", m, noon, 1, 0, Request, 2_000_000_000, ""},
		{"flex", with(func(m *Meter) { m.Tier = "flex" }), noon, 1500, 0, Input, 4_000_000, "published price, service tier flex, prompts of more than 1000 and up to 1999 tokens"},
		{"flex leaves requests alone", with(func(m *Meter) { m.Tier = "flex" }), noon, 1500, 0, Request, 2_000_000_000, ""},
		{"priority", with(func(m *Meter) { m.Tier = "PRIORITY" }), noon, 1, 0, Input, 10_000_000, ""},
		{"fast is priority where it has no prices of its own", with(func(m *Meter) { m.Tier = "fast" }), noon, 1001, 0, Input, 12_000_000, ""},
		{"above a threshold without a tier's price: the standard one", with(func(m *Meter) { m.Tier = "priority" }), noon, 1001, 0, Output, 30_000_000, ""},
		{"auto is standard", with(func(m *Meter) { m.Tier = "auto" }), noon, 1, 0, Input, 4_000_000, ""},
		{"batch without a price is half", with(func(m *Meter) { m.Tier = "batch" }), noon, 1, 0, CacheRead, 200_000, ""},
		{"ultrafast without a price is standard", with(func(m *Meter) { m.Tier = "ultrafast" }), noon, 1, 0, Input, 4_000_000, ""},
		{"uplift", with(func(m *Meter) { m.Region = "eu-west-1" }), noon, 1, 0, CacheRead, 440_000, "published price, prompts of up to 1000 tokens, region eu-west-1 x 1.1"},
		{"uplift not on caches", with(func(m *Meter) { m.Region = "us" }), noon, 1, 0, CacheRead, 400_000, ""},
		{"uplift on the rest", with(func(m *Meter) { m.Region = "us" }), noon, 1, 0, Input, 4_400_000, ""},
		{"off-peak begins", m, at("2026-02-07T22:00:00Z"), 1, 0, Input, 1_000_000, "published price, prompts of up to 1000 tokens, off-peak 22:00-02:00 UTC"},
		{"before it", m, at("2026-02-07T21:59:00Z"), 1, 0, Input, 4_000_000, ""},
		{"over the week's end", m, at("2026-02-08T01:59:00Z"), 1, 0, Input, 1_000_000, ""},
		{"after it", m, at("2026-02-08T02:00:00Z"), 1, 0, Input, 4_000_000, ""},
		{"only on its day", m, at("2026-02-08T22:00:00Z"), 1, 0, Input, 4_000_000, ""},
		{"contract", with(func(m *Meter) { m.Account = "42" }), at("2026-03-01T00:00:00Z"), 5000, 0, Input, 1_000_000, "contract price of account 42"},
		{"contract is over", with(func(m *Meter) { m.Account = "42" }), at("2026-04-01T00:00:00Z"), 1, 0, Input, 4_000_000, ""},
		{"discount", m, at("2026-05-04T12:00:00Z"), 1, 0, Input, 3_600_000, "published price, prompts of up to 1000 tokens, discount 10 %"},
		{"discount on a model's class goes before", m, at("2026-05-04T12:00:00Z"), 1, 0, Output, 16_000_000, ""},
		{"discount of an account goes before, half up", with(func(m *Meter) { m.Account = "7" }), at("2026-05-04T12:00:00Z"), 1, 0, CacheRead, 266_667, ""},
		{"markup, rounded once", with(func(m *Meter) { m.Account = "7" }), at("2026-06-01T00:00:00Z"), 1, 125_000, CacheRead, 300_000, ""},
		{"first range", Meter{Provider: "p", Model: "ranged"}, noon, 32, 0, Input, 3_000_000, "published price, prompts of up to 32 tokens"},
		{"a range's missing cache price is its input's", Meter{Provider: "p", Model: "ranged"}, noon, 32, 0, CacheRead, 3_000_000, ""},
		{"second range", Meter{Provider: "p", Model: "ranged"}, noon, 33, 0, CacheRead, 500_000, ""},
		{"above the last range", Meter{Provider: "p", Model: "ranged"}, noon, 65, 0, Input, 4_000_000, "published price, prompts of more than 32 tokens"},
		{"a range's missing output price is the model's", Meter{Provider: "p", Model: "ranged"}, noon, 65, 0, Output, 2_000_000, ""},
		{"pattern", Meter{Provider: "p", Model: "m-2026"}, noon, 1, 0, Input, 4_000_000, ""},
		{"profile", Meter{Provider: "p", Model: "eu.m"}, noon, 1, 0, Input, 4_000_000, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := rateAt(t, b, tt.meter, tt.when, tt.prompt, tt.markup)
			if got := r.Units[tt.class]; got != tt.want || tt.rule != "" && r.Rule != tt.rule {
				t.Errorf("got %d by %q, want %d by %q; terms %+v", got, r.Rule, tt.want, tt.rule, r.Terms)
			}
		})
	}
}

func TestCardSaysWhatIsWrong(t *testing.T) {
	b := parse(t, richBook)
	tests := []struct {
		name          string
		meter         Meter
		when          string
		problem, note string
		fallbacks     string
		noFees        bool
	}{
		{"no model", Meter{Provider: "p", Model: "x"}, "2026-02-05T12:00:00Z", "the model is not in the rate book", "", "", false},
		{"another provider's", Meter{Provider: "q", Model: "m"}, "2026-02-05T12:00:00Z", "the model is not in the rate book", "", "", false},
		{"not yet", Meter{Provider: "p", Model: "m"}, "2025-12-31T23:59:59Z", "the rate book has no price of the model at that time", "", "", true},
		{"unknown tier", Meter{Provider: "p", Model: "m", Tier: "turbo"}, "2026-02-05T12:00:00Z", "the rate book knows no service tier turbo", "", "", false},
		{"no fees yet", Meter{Provider: "p", Model: "m"}, "2026-01-05T12:00:00Z", "", "", "cache_write_1h cache_read_audio output_audio output_image", true},
		{"no batch price", Meter{Provider: "p", Model: "m", Tier: "batch"}, "2026-02-05T12:00:00Z", "", "batch at half of the standard price", "cache_write_1h cache_read_audio output_audio output_image", false},
		{"no price of a tier", Meter{Provider: "p", Model: "m", Tier: "ultrafast"}, "2026-02-05T12:00:00Z", "", "service tier ultrafast at the standard price", "cache_write_1h cache_read_audio output_audio output_image", false},
		{"a tier without a cache price", Meter{Provider: "p", Model: "m", Tier: "priority"}, "2026-02-05T12:00:00Z", "", "", "cache_write_1h cache_read_audio output_audio output_image cache_read cache_write_5m input_audio", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := rateAt(t, b, tt.meter, at(tt.when), 1, 0)
			var names []string
			for _, c := range r.Fallbacks {
				names = append(names, c.String())
			}
			if r.Problem != tt.problem || r.Note != tt.note || strings.Join(names, " ") != tt.fallbacks || r.NoFees != tt.noFees {
				t.Errorf("got %q, %q, %q, %v", r.Problem, r.Note, names, r.NoFees)
			}
		})
	}
}

// Goal: what was known when, decides which price holds.
// Method: a price, its successor that was announced ahead, and a correction of
// the first that was learned last.
func TestLearned(t *testing.T) {
	b := parse(t, `prices:
  - {provider: p, model: m, from: 2026-01-01T00:00:00Z, usd_per_million: {input: 1, output: 1}}
  - {provider: p, model: m, from: 2026-10-01T00:00:00Z, learned: 2026-08-01T00:00:00Z, usd_per_million: {input: 2, output: 2}}
  - {provider: p, model: m, from: 2026-03-01T00:00:00Z, learned: 2026-09-01T00:00:00Z, usd_per_million: {input: 3, output: 3}}
---
prices:
  - {provider: p, model: m, from: 2026-04-01T00:00:00Z, to: 2026-05-01T00:00:00Z, learned: 2026-09-02T00:00:00Z, usd_per_million: {input: 4, output: 4}}
`)
	for _, tt := range []struct {
		at, known string
		want      int64
	}{
		{"2026-02-01T00:00:00Z", "2027-01-01T00:00:00Z", 1},
		{"2026-03-01T00:00:00Z", "2026-08-31T00:00:00Z", 1},
		{"2026-03-01T00:00:00Z", "2026-09-01T00:00:00Z", 3},
		{"2026-04-15T00:00:00Z", "2026-09-01T00:00:00Z", 3},
		{"2026-04-15T00:00:00Z", "2026-09-02T00:00:00Z", 4},
		{"2026-05-01T00:00:00Z", "2026-09-02T00:00:00Z", 3},
		{"2026-11-01T00:00:00Z", "2026-07-31T00:00:00Z", 1},
		{"2026-11-01T00:00:00Z", "2026-08-01T00:00:00Z", 2},
		{"2026-11-01T00:00:00Z", "2027-01-01T00:00:00Z", 2},
	} {
		e, ok := b.EntryAt("p/m", "", at(tt.at), at(tt.known))
		if !ok || e.Units[Input] != tt.want*1_000_000 {
			t.Errorf("at %s, as known on %s: %v, want %d", tt.at, tt.known, e.Units, tt.want)
		}
	}
	if line := b.Entries()[2].Line; line != 7 {
		t.Errorf("the entry in the second document is said to be on line %d, want 7", line)
	}
}

// Goal: a rule that was corrected later holds alone, and the more exact discount
// goes first.
// Method: markups and discounts that hold at the same time.
func TestRulesThatShareAnInstant(t *testing.T) {
	b := parse(t, `prices:
  - {provider: p, model: sonnet, from: 2026-01-01T00:00:00Z, usd_per_million: {input: 10, output: 10}, off_peak: [{utc: "00:00-24:00", usd_per_million: {input: 4}}]}
discounts:
  - {model: sonnet, percent: 10, from: 2026-01-01T00:00:00Z}
  - {model: "*s*n*t*", percent: 50, from: 2026-01-01T00:00:00Z, learned: 2026-05-01T00:00:00Z}
  - {model: sonnet, class: output, percent: 20, from: 2026-01-01T00:00:00Z}
markups:
  - {cost_center: CC-1, percent: 10, from: 2026-01-01T00:00:00Z}
  - {cost_center: CC-1, percent: 20, from: 2026-10-01T00:00:00Z, learned: 2026-10-05T00:00:00Z}
  - {cost_center: CC-2, percent: 5, from: 2026-01-01T00:00:00Z}
`)
	m := Meter{Provider: "p", Model: "sonnet"}
	for class, want := range map[Class]int64{Input: 3_600_000, Output: 8_000_000, Reasoning: 8_000_000} {
		if got := rateAt(t, b, m, at("2026-06-01T00:00:00Z"), 1, 0).Units[class]; got != want {
			t.Errorf("%s costs %d, want %d", class, got, want)
		}
	}
	m.Tier = "batch"
	if got := rateAt(t, b, m, at("2026-06-01T00:00:00Z"), 1, 0); got.Units[Input] != 1_800_000 || got.Note == "" {
		t.Errorf("half of the off-peak price is %d (%s), want 1800000", got.Units[Input], got.Note)
	}
	var got []string
	for _, p := range b.MarkupPeriods() {
		got = append(got, p.CostCenter+" "+p.Percent.String()+" "+p.From.Format(time.DateOnly)+" "+p.To.Format(time.DateOnly))
	}
	want := []string{"CC-1 10 2026-01-01 2026-10-01", "CC-1 20 2026-10-01 9999-12-31", "CC-2 5 2026-01-01 9999-12-31"}
	if !slices.Equal(got, want) {
		t.Errorf("markups %q, want %q", got, want)
	}
}

// checkCard holds a card to what every card promises: each instant, size and
// minute has one rate, and no unit price is below 0.
func checkCard(t *testing.T, b *Book, m Meter, key string) {
	t.Helper()
	card := b.Card(m, key, at("2026-01-01T00:00:00Z"), at("2026-12-01T00:00:00Z"))
	for _, when := range []string{"2026-01-01T00:00:00Z", "2026-06-06T13:59:59Z", "2026-11-30T23:59:59Z"} {
		now := at(when)
		minute := (int(now.Weekday())*24+now.Hour())*60 + now.Minute()
		for _, prompt := range []int64{0, 1, 32_000, 32_001, 272_001, 100_000_000} {
			found := 0
			for _, r := range card {
				if holds(now, r.From, r.To) && prompt > r.Size.MoreThan && prompt <= r.Size.UpTo && minute >= r.MinuteFrom && minute < r.MinuteTo && r.Markup == 0 {
					found++
					if slices.Min(r.Units[:]) < 0 {
						t.Errorf("%s: a price below 0: %+v", key, r)
					}
				}
			}
			if found != 1 {
				t.Errorf("%s at %s, %d tokens: %d rates", key, when, prompt, found)
			}
		}
	}
}

func TestDefaultHasOneRateForEverything(t *testing.T) {
	b := Default()
	for _, e := range b.Entries() {
		for _, tier := range []string{"", "flex", "priority", "batch"} {
			checkCard(t, b, Meter{Provider: e.Provider, Model: e.Model, Tier: tier}, e.Key())
		}
	}
}

// Goal: two tiers that providers name alike are told apart: Anthropic's fast mode
// has its factor, its Priority Tier costs what list says, and OpenAI's fast is its
// priority. What else is billed is said beside the price.
func TestCardTellsFastFromPriority(t *testing.T) {
	const book = `prices:
  - {provider: anthropic, model: quick, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "5", output: "25"}, tiers: {fast: {times: "2"}}, source: s}
  - {provider: anthropic, model: plain, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "5", output: "25"}, source: s}
  - {provider: anthropic, model: dear, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "5", output: "25"}, tiers: {priority: {times: "3"}}, source: s}
  - {provider: openai, model: o, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "5", output: "25"}, tiers: {priority: {times: "2"}}, source: s}
  - {provider: openai, model: plain, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "5", output: "25"}, source: s}
`
	b := parse(t, book)
	tests := []struct {
		name  string
		meter Meter
		want  int64
		note  string
	}{
		{"fast mode", Meter{Provider: "anthropic", Model: "quick", Tier: "fast"}, 10_000_000, ""},
		{"Priority Tier", Meter{Provider: "anthropic", Model: "quick", Tier: "priority"}, 5_000_000, ""},
		{"Priority Tier of a model without fast mode", Meter{Provider: "anthropic", Model: "plain", Tier: "priority"}, 5_000_000, ""},
		{"a price of one's own for the Priority Tier", Meter{Provider: "anthropic", Model: "dear", Tier: "priority"}, 15_000_000, ""},
		{"fast mode without a price", Meter{Provider: "anthropic", Model: "plain", Tier: "fast"}, 5_000_000, "service tier fast at the standard price"},
		{"OpenAI's fast", Meter{Provider: "openai", Model: "o", Tier: "fast"}, 10_000_000, ""},
		{"priority without a price", Meter{Provider: "openai", Model: "plain", Tier: "priority"}, 5_000_000, "service tier priority at the standard price"},
		{"a notice", Meter{Provider: "openai", Model: "o", Notice: "file search is not charged"}, 5_000_000, "file search is not charged"},
		{"a notice beside a note", Meter{Provider: "openai", Model: "plain", Tier: "flex", Notice: "file search is not charged"}, 5_000_000, "service tier flex at the standard price; file search is not charged"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := rateAt(t, b, tt.meter, at("2026-02-05T12:00:00Z"), 1, 0)
			if r.Units[Input] != tt.want || r.Note != tt.note {
				t.Errorf("got %d with note %q, want %d with %q", r.Units[Input], r.Note, tt.want, tt.note)
			}
		})
	}
}
