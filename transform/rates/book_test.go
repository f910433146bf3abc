package rates

import (
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"chargeback/transform/money"
)

func parse(t testing.TB, text string) *Book {
	t.Helper()
	b, err := Parse("prices.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestParseReadsPricesAndFees(t *testing.T) {
	b := parse(t, `# two prices of one model, later first
prices:
  - {provider: p, model: m, from: 2026-10-15T00:00:00+02:00, usd_per_million: {input: 2.5, output: "10"}, source: "page, 2026-10-01"}
  - provider: p
    model: m
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "3.00", cache_read: 0.30, cache_write_5m: "3.75", cache_write_1h: "6", output: 1.5e1}
fees:
  - from: 2026-01-01T00:00:00Z
    infra_per_request_usd: "0.0001"
    infra_per_cache_hit_usd: 0.00002
    tools: {web_search: "0.01", "*": "0.001"}
`)
	start, change := at("2026-01-01T00:00:00Z"), at("2026-10-14T22:00:00Z")
	wantPrices := []Entry{
		{
			Provider: "p", Model: "m", From: start, To: change, File: "prices.yaml", Line: 4,
			Sheet: Sheet{Units: Units{Input: 3_000_000, CacheRead: 300_000, CacheWrite5m: 3_750_000, CacheWrite1h: 6_000_000, Output: 15_000_000}},
		}, {
			Provider: "p", Model: "m", From: change, To: Forever, File: "prices.yaml", Line: 3, Source: "page, 2026-10-01",
			Sheet: Sheet{Units: Units{Input: 2_500_000, Output: 10_000_000}},
		},
	}
	if diff := cmp.Diff(wantPrices, b.Entries()); diff != "" {
		t.Error(diff)
	}
	wantFees := []Fee{{
		From: start, To: Forever, InfraPico: 100_000_000, CacheHitPico: 20_000_000,
		Tools: map[string]int64{"web_search": 10_000_000_000, "*": 1_000_000_000},
	}}
	if diff := cmp.Diff(wantFees, b.Fees()); diff != "" {
		t.Error(diff)
	}
}

// rateAt is the rate of a meter at an instant, for prompts of a size and a
// markup.
func rateAt(t testing.TB, b *Book, m Meter, when time.Time, prompt int64, markup Percent) Rate {
	t.Helper()
	key, _, _ := b.Resolve(m.Provider, m.Region, m.Model)
	minute := (int(when.Weekday())*24+when.Hour())*60 + when.Minute()
	var found []Rate
	for _, r := range b.Card(m, key, at("2020-01-01T00:00:00Z"), at("2030-01-01T00:00:00Z")) {
		if holds(when, r.From, r.To) && prompt > r.Size.MoreThan && prompt <= r.Size.UpTo && minute >= r.MinuteFrom && minute < r.MinuteTo && r.Markup == markup {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%+v at %s: %d rates, want 1", m, when, len(found))
	}
	return found[0]
}

func TestFallbacks(t *testing.T) {
	tests := []struct {
		name           string
		classes        string
		read, w5m, w1h int64
		fallbacks      string
	}{
		{"all priced", "cache_read: 2, cache_write_5m: 3, cache_write_1h: 4", 2, 3, 4, ""},
		{"a price of zero is a price", "cache_read: 0, cache_write_5m: 3, cache_write_1h: 4", 0, 3, 4, ""},
		{"no read", "cache_write_5m: 3, cache_write_1h: 4", 1, 3, 4, "cache_read"},
		{"no hour", "cache_read: 2, cache_write_5m: 3", 2, 3, 3, "cache_write_1h"},
		{"only the hour", "cache_read: 2, cache_write_1h: 4", 2, 1, 4, "cache_write_5m"},
		{"no write", "cache_read: 2", 2, 1, 1, "cache_write_5m cache_write_1h"},
		{"null is no price", "cache_read: ~, cache_write_5m: 3, cache_write_1h: 4", 1, 3, 4, "cache_read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := parse(t, "prices: [{provider: p, model: m, from: 2026-01-01T00:00:00Z, usd_per_million: {input: 1, output: 9, input_audio: 5, cache_read_audio: 5, output_audio: 5, output_image: 5, "+tt.classes+"}}]")
			r := rateAt(t, b, Meter{Provider: "p", Model: "m"}, at("2026-05-01T00:00:00Z"), 1, 0)
			var names []string
			for _, c := range r.Fallbacks {
				names = append(names, c.String())
			}
			const pico = 1_000_000 // a dollar a million tokens
			if r.Units[CacheRead] != tt.read*pico || r.Units[CacheWrite5m] != tt.w5m*pico || r.Units[CacheWrite1h] != tt.w1h*pico || strings.Join(names, " ") != tt.fallbacks {
				t.Errorf("got %+v", r)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	const good = "{provider: p, model: m, from: 2026-01-01T00:00:00Z, usd_per_million: {input: 1, output: 2}}"
	with := func(from, to string) string { return strings.NewReplacer(from, to).Replace(good) }
	tests := []struct {
		name    string
		entries []string // on lines 2, 3, ...
		want    string
	}{
		{"unknown key", []string{with("model:", "modle: x, model:")}, "b.yaml:2: prices[0].modle: is not a known key; use one of provider, model, account, aliases, profiles, patterns, from, to, learned, announced, confirmed, usd_per_million, usd_per_request,"},
		{"unknown class", []string{with("input:", "thinking: 1, input:")}, "b.yaml:2: prices[0].usd_per_million.thinking: is not a known key"},
		{"no provider", []string{with("provider: p, ", "")}, "b.yaml:2: prices[0].provider: is missing"},
		{"provider with slash", []string{with("provider: p", "provider: p/q")}, `prices[0].provider: "p/q" has a slash`},
		{"no model", []string{with("model: m, ", "")}, "prices[0].model: is missing"},
		{"model without quotes", []string{with("model: m", "model: 4.1")}, `prices[0].model: 4.1 is not quoted`},
		{"no input", []string{with("input: 1, ", "")}, "prices[0].usd_per_million.input: is missing"},
		{"no output", []string{with(", output: 2", "")}, "prices[0].usd_per_million.output: is missing"},
		{"no from", []string{with("from: 2026-01-01T00:00:00Z, ", "")}, "prices[0].from: is missing"},
		{"date instead of instant", []string{with("T00:00:00Z", "")}, `prices[0].from: "2026-01-01" is not an instant; write it as 2026-10-01T00:00:00Z`},
		{"ends before it begins", []string{with("from:", "to: 2026-01-01T00:00:00Z, from:")}, "prices[0].to: 2026-01-01T00:00:00Z is not after from"},
		{"finer than 12 decimals a token", []string{with("input: 1", "input: 0.0000001")}, `prices[0].usd_per_million.input: "0.0000001" needs more than 12 decimals a token`},
		{"finer than 12 decimals", []string{with("input: 1", "input: 0.0000000000001")}, `prices[0].usd_per_million.input: "0.0000000000001" needs more than 12 decimals a token`},
		{"negative", []string{with("input: 1", "input: -1")}, `prices[0].usd_per_million.input: "-1" is negative`},
		{"dynamic", []string{with("input: 1", "input: free")}, `prices[0].usd_per_million.input: "free" is not a decimal number`},
		{"not a number", []string{with("input: 1", "input: .nan")}, `prices[0].usd_per_million.input: ".nan" is not a decimal number`},
		{"wrong unit", []string{with("input: 1", "input: 3000000")}, `prices[0].usd_per_million.input: "3000000" is more than 1000 US dollars`},
		{"octal", []string{with("input: 1", "input: 0x10")}, `"0x10" is not a decimal number`},
		{"same start twice", []string{good, good}, "b.yaml:3: prices[1].from: 2026-01-01T00:00:00Z overlaps the entry on line 2, which holds from 2026-01-01T00:00:00Z to ever"},
		{
			"closed range overlaps", []string{with("from:", "to: 2026-06-01T00:00:00Z, from:"), with("2026-01", "2026-05")},
			"b.yaml:3: prices[1].from: 2026-05-01T00:00:00Z overlaps the entry on line 2, which holds from 2026-01-01T00:00:00Z to 2026-06-01T00:00:00Z",
		},
		{
			"overlap with the later one first", []string{with("2026-01", "2026-05"), with("from:", "to: 2026-06-01T00:00:00Z, from:")},
			"b.yaml:2: prices[0].from: 2026-05-01T00:00:00Z overlaps the entry on line 3",
		},
		{"model with a star", []string{with("model: m", "model: m*")}, `prices[0].model: "m*" has a *`},
		{"thresholds beside ranges", []string{with("usd_per_million", "thresholds: [{more_than: 5, usd_per_million: {input: 1}}], ranges: [{up_to: 5, usd_per_million: {input: 1}}], usd_per_million")}, "prices[0].ranges: stands beside thresholds"},
		{"thresholds that fall", []string{with("usd_per_million: {input: 1, output", "thresholds: [{more_than: 5, usd_per_million: {input: 1}}, {at_least: 6, usd_per_million: {input: 1}}], usd_per_million: {input: 1, output")}, "prices[0].thresholds[1]: begins where the one before it does"},
		{"threshold without a size", []string{with("usd_per_million: {input: 1, output", "thresholds: [{usd_per_million: {input: 1}}], usd_per_million: {input: 1, output")}, "prices[0].thresholds[0]: needs either more_than or at_least"},
		{"range without an end", []string{with("usd_per_million: {input: 1, output", "ranges: [{usd_per_million: {input: 1}}], usd_per_million: {input: 1, output")}, "prices[0].ranges[0].up_to: is missing"},
		{"range without an output price", []string{with("usd_per_million: {input: 1, output: 2}", "ranges: [{up_to: 5, usd_per_million: {input: 1, output: 2}}, {up_to: 9, usd_per_million: {input: 1}}]")}, "prices[0].usd_per_million.output: is missing"},
		{"thresholds of a tier beside ranges", []string{with("from:", "ranges: [{up_to: 5, usd_per_million: {input: 1}}], tiers: {flex: {usd_per_million: {input: 1}, thresholds: [{more_than: 5, usd_per_million: {input: 1}}]}}, from:")}, "prices[0].tiers.flex.thresholds: stands beside ranges"},
		{"tier of another name", []string{with("from:", "tiers: {Fast: {times: 2}}, from:")}, "prices[0].tiers.Fast: is not a tier's name"},
		{"tier with both", []string{with("from:", "tiers: {flex: {times: 2, usd_per_million: {input: 1}}}, from:")}, "prices[0].tiers.flex: needs either times or prices"},
		{"tier with neither", []string{with("from:", "tiers: {flex: {}}, from:")}, "prices[0].tiers.flex: needs either times or prices"},
		{"factor too fine", []string{with("from:", "tiers: {flex: {times: 0.1234567}}, from:")}, `prices[0].tiers.flex.times: "0.1234567" has more than 6 decimal places`},
		{"no time of day", []string{with("from:", "off_peak: [{utc: 16-17, times: 0.5}], from:")}, `prices[0].off_peak[0].utc: "16-17" is not a time of day`},
		{"no day", []string{with("from:", "off_peak: [{utc: \"16:00-17:00\", days: [monday], times: 0.5}], from:")}, `prices[0].off_peak[0].days: "monday" is not a day; use sun, mon`},
		{"uplift nowhere", []string{with("from:", "uplifts: [{times: 1.1}], from:")}, "prices[0].uplifts[0].regions: is missing"},
		{"pattern of all", []string{with("from:", "patterns: [\"**\"], from:")}, `prices[0].patterns[0]: "**" names every model`},
		{"learned at the same time", []string{with("from:", "learned: 2026-05-01T00:00:00Z, from:"), with("from: 2026-01", "learned: 2026-05-01T00:00:00Z, from: 2026-01")}, "b.yaml:3: prices[1].from: 2026-01-01T00:00:00Z overlaps the entry on line 2"},
		{"alias is a model", []string{good, with("model: m", "model: n, aliases: [m]")}, `b.yaml:3: prices[1].aliases[0]: "m" is a model with a price of its own`},
		{"alias of two models", []string{with("model: m", "model: m, aliases: [x]"), with("model: m", "model: n, aliases: [x]")}, `b.yaml:3: prices[1].aliases[0]: "x" stands for another model on line 2`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("b.yaml", []byte("prices:\n  - "+strings.Join(tt.entries, "\n  - ")+"\n"))
			wantError(t, err, tt.want)
		})
	}
}

func TestParseRefusesFees(t *testing.T) {
	tests := []struct{ name, fees, want string }{
		{"no from", "{infra_per_request_usd: 1}", "b.yaml:2: fees[0].from: is missing"},
		{"finer than 12 decimals", "{from: 2026-01-01T00:00:00Z, infra_per_request_usd: 0.0000000000001}", `fees[0].infra_per_request_usd: "0.0000000000001" has more than 12 decimal places; round it`},
		{"negative tool", "{from: 2026-01-01T00:00:00Z, tools: {x: -1}}", `fees[0].tools.x: "-1" is negative`},
		{"overlap", "{from: 2026-01-01T00:00:00Z}\n  - {from: 2026-01-01T00:00:00Z}", "b.yaml:3: fees[1].from: 2026-01-01T00:00:00Z overlaps the entry on line 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("b.yaml", []byte("fees:\n  - "+tt.fees+"\n"))
			wantError(t, err, tt.want)
		})
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "prices.yaml")
	_, err := Load(path)
	wantError(t, err, "read rate book: open "+path)
	if err := os.WriteFile(path, Example(), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := Load(path)
	if err != nil || b.Version() != Default().Version() {
		t.Errorf("got %v", err)
	}
}

// Goal: the built-in prices are the published ones.
// Method: price real requests whose cost is known to the last digit.
func TestDefaultPricesRealRequests(t *testing.T) {
	tests := []struct {
		provider, model              string
		fresh, read, write5m, output int64
		inputUSD, outputUSD          string
	}{
		{"anthropic", "claude-sonnet-4-5-20250929", 2743, 0, 0, 4, "0.008229", "0.00006"},
		{"anthropic", "claude-sonnet-4-6", 26447, 0, 0, 528, "0.079341", "0.00792"},
		{"anthropic", "claude-haiku-4-5-20251001", 3, 9511, 0, 1944, "0.0009541", "0.00972"},
		{"anthropic", "claude-haiku-4-5-20251001", 3, 9511, 1956, 44, "0.0033991", "0.00022"},
		{"anthropic", "claude-sonnet-4-5-20250929", 3, 1111, 418, 33, "0.0019098", "0.000495"},
		{"anthropic", "claude-opus-4-7", 18, 0, 0, 14, "0.00009", "0.00035"},
		{"openai", "gpt-5-2025-08-07", 45, 0, 0, 1719, "0.00005625", "0.01719"},
		{"openai", "gpt-4.1-2025-04-14", 329, 0, 0, 12, "0.000658", "0.000096"},
		{"openai", "gpt-4.1-nano-2025-04-14", 515, 0, 0, 6, "0.0000515", "0.0000024"},
		{"openai", "gpt-5.6-sol", 8, 0, 4012, 5, "0.025115", "0.00015"},
		{"openai", "gpt-5.6-sol", 8, 4012, 0, 5, "0.002046", "0.00015"},
		{"openai", "gpt-4o-mini-2024-07-18", 25, 0, 0, 10, "0.00000375", "0.000006"},
		{"bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", 22475, 22465, 7183, 497, "0.111210825", "0.0082005"},
	}
	b := Default()
	for _, tt := range tests {
		t.Run(tt.model, func(t *testing.T) {
			p := rateAt(t, b, Meter{Provider: tt.provider, Model: tt.model}, at("2026-08-01T00:00:00Z"), tt.fresh+tt.read+tt.write5m, 0).Units
			input := money.FromPico(tt.fresh*p[Input] + tt.read*p[CacheRead] + tt.write5m*p[CacheWrite5m])
			output := money.FromPico(tt.output * p[Output])
			if !input.Equal(money.MustParse(tt.inputUSD)) || !output.Equal(money.MustParse(tt.outputUSD)) {
				t.Errorf("got %s + %s, want %s + %s", input, output, tt.inputUSD, tt.outputUSD)
			}
		})
	}
}

func TestDefaultKnowsThePriceChange(t *testing.T) {
	for when, want := range map[string]int64{
		"2026-01-01T00:00:00Z": 1_000_000,
		"2026-07-29T23:59:59Z": 1_000_000,
		"2026-07-30T00:00:00Z": 200_000,
	} {
		if got := rateAt(t, Default(), Meter{Provider: "openai", Model: "gpt-5.6-luna"}, at(when), 1, 0).Units[Input]; got != want {
			t.Errorf("%s: %d, want %d", when, got, want)
		}
	}
}

func TestDefaultNamesItsSources(t *testing.T) {
	for _, e := range Default().Entries() {
		if !regexp.MustCompile(`20\d\d-\d\d-\d\d$`).MatchString(e.Source) {
			t.Errorf("%s: source %q has no date", e.Key(), e.Source)
		}
		dearer := func(a, b Class) bool {
			x, isX := e.Units[a]
			y, isY := e.Units[b]
			return isX && isY && x > y
		}
		if dearer(CacheRead, Input) || dearer(CacheWrite5m, CacheWrite1h) || len(e.Ranges) == 0 && dearer(Input, Output) && e.Units[Output] > 0 {
			t.Errorf("%s: prices look swapped: %+v", e.Key(), e.Units)
		}
	}
}

// entriesYAML draws the entries of a valid book.
func entriesYAML(t *rapid.T) []string {
	var entries []string
	for model := range rapid.IntRange(1, 6).Draw(t, "models") {
		for month := range rapid.IntRange(1, 4).Draw(t, "prices") {
			entries = append(entries, fmt.Sprintf("{provider: p, model: m%d, aliases: [a%d], from: 2026-%02d-01T00:00:00Z, usd_per_million: {input: %d, output: %d}}",
				model, model, month+1, rapid.IntRange(0, 9).Draw(t, "input"), rapid.IntRange(0, 9).Draw(t, "output")))
		}
	}
	return entries
}

func bookOf(entries []string, separator string) []byte {
	return []byte("prices:\n  - " + strings.Join(entries, separator+"\n  - ") + "\nfees:\n  - {from: 2026-01-01T00:00:00Z, tools: {a: 1, b: 2}}\n")
}

// Goal: the version names the content, nothing else.
// Method: any order of entries and any comment gives the same version and
// prices; any other price gives another version.
func TestVersion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := entriesYAML(t)
		first, err := Parse("a.yaml", bookOf(entries, ""))
		if err != nil {
			t.Fatal(err)
		}
		shuffled := append([]string(nil), entries...)
		rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed"))).Shuffle(len(shuffled), func(i, j int) {
			shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
		})
		second, err := Parse("b.yaml", bookOf(shuffled, " # comment\n"))
		if err != nil {
			t.Fatal(err)
		}
		if first.Version() != second.Version() || len(first.Version()) != 12 {
			t.Fatalf("versions %s and %s", first.Version(), second.Version())
		}
		changed := strings.Replace(string(bookOf(entries, "")), "output: ", "output: 7", 1)
		third, err := Parse("c.yaml", []byte(changed))
		if err != nil {
			t.Fatal(err)
		}
		if third.Version() == first.Version() {
			t.Fatalf("version %s stays for another price", first.Version())
		}
	})
}

func TestVersionChangesWithEveryPartThatPrices(t *testing.T) {
	const book = `prices:
  - {provider: p, model: m, aliases: [a], from: 2026-01-01T00:00:00Z, usd_per_million: {input: 1, cache_read: 1, cache_write_5m: 1, cache_write_1h: 1, output: 1}, source: s}
fees:
  - {from: 2026-01-01T00:00:00Z, infra_per_request_usd: 1, infra_per_cache_hit_usd: 1, tools: {t: 1}}
`
	version := parse(t, book).Version()
	tests := []struct {
		name, from, to string
		same           bool
	}{
		{"source", "source: s", "source: other", true},
		{"from in another zone", "2026-01-01T00:00:00Z, usd", "2026-01-01T02:00:00+02:00, usd", true},
		{"alias", "[a]", "[b]", false},
		{"class", "cache_read: 1,", "cache_read: 2,", false},
		{"class left out", "cache_read: 1,", "", false},
		{"price's from", "2026-01-01T00:00:00Z, usd", "2026-01-02T00:00:00Z, usd", false},
		{"price's to", "2026-01-01T00:00:00Z, usd", "2026-01-01T00:00:00Z, to: 2027-01-01T00:00:00Z, usd", false},
		{"request fee", "infra_per_request_usd: 1", "infra_per_request_usd: 2", false},
		{"cache-hit fee", "infra_per_cache_hit_usd: 1", "infra_per_cache_hit_usd: 2", false},
		{"tool fee", "{t: 1}", "{t: 2}", false},
		{"tool name", "{t: 1}", "{u: 1}", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			changed := strings.Replace(book, tt.from, tt.to, 1)
			if changed == book {
				t.Fatal("row changes nothing")
			}
			if got := parse(t, changed).Version(); (got == version) != tt.same {
				t.Errorf("version %s, before %s", got, version)
			}
		})
	}
}

func TestBookCannotBeChangedFromOutside(t *testing.T) {
	b := Default()
	b.Entries()[0].From = Forever
	if b.Entries()[0].From.Equal(Forever) {
		t.Error("a caller changed the book")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(bookOf([]string{"{provider: p, model: m, from: 2026-01-01T00:00:00Z, usd_per_million: {input: 1, output: 2}}"}, ""))
	f.Add([]byte("prices: [{provider: p, usd_per_million: {input: 1e-9}}]\nfees: [{from: x}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Parse("f.yaml", data)
		if err != nil {
			if !regexp.MustCompile(`^f\.yaml:[0-9]+: `).MatchString(err.Error()) {
				t.Errorf("error doesn't say where: %v", err)
			}
			return
		}
		for _, e := range b.Entries() {
			if !e.From.Before(e.To) {
				t.Errorf("range: %+v", e)
			}
			if key, how, ok := b.Resolve(e.Provider, "", e.Model); key != e.Key() || how != ByExact || !ok {
				t.Errorf("%s resolves to %s, %s, %v", e.Key(), key, how, ok)
			}
			checkCard(t, b, Meter{Provider: e.Provider, Model: e.Model, Account: e.Account}, e.Key())
			text := "prices:\n" + e.YAML()
			again, err := Parse("again.yaml", []byte(text))
			if err != nil {
				t.Fatalf("%v in\n%s", err, text)
			}
			e.File, e.Line = "again.yaml", again.Entries()[0].Line
			if diff := cmp.Diff(e, again.Entries()[0], cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("written and read again (-before +after):\n%s", diff)
			}
		}
	})
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("loaded, want error %q", want)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// Goal: a file of very many documents costs little and is refused.
// Method: marks alone, and one document fewer than the bound.
func TestManyDocumentsAreRefused(t *testing.T) {
	_, err := Parse("b.yaml", []byte(strings.Repeat("---\n", 300_000)))
	if err == nil || !strings.Contains(err.Error(), "b.yaml:1001: holds more than 1000 YAML documents; remove --- lines") || strings.Contains(err.Error(), "\n") {
		t.Error(err)
	}
	_, err = Parse("b.yaml", []byte(strings.Repeat("\n", 500_000)+strings.Repeat("---\n", 998)+"a: b\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "b.yaml:500999: a: is not a known key") {
		t.Error(err)
	}
}
