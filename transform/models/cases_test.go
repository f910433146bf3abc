package models_test

import (
	"testing"

	"chargeback/billing/ledger/ledgertest"
	"chargeback/billing/records"
	"chargeback/extract/record"
	"chargeback/transform/money"
	"chargeback/transform/rates"
)

// published is a case that others have worked out: what a request costs at a
// provider. Amounts of its parts stand apart as they do there.
type published struct {
	name            string
	provider, model string
	tier            string
	at              string // "" is noon
	tokens          record.Tokens
	want            []string
	unknown         bool // the cost is null
	note            string
}

// prompt is the tokens of a request as OpenAI and LiteLLM count them: the prompt
// has what was read from the cache and what was written to it.
func prompt(whole, read, written, output int64) record.Tokens {
	return record.Tokens{InputUncached: whole - read - written, CacheRead: read, CacheWrite5m: written, Output: output}
}

// runPublished holds the LLM cost of each case against what the models make.
func runPublished(t *testing.T, book ledgertest.Book, nights []records.Days, cases []published) {
	t.Helper()
	tt := table{book: book, days: nights, show: func(r costRecord, _ names) string {
		if r.note != "" {
			return r.llm + ": " + r.note
		}
		return r.llm
	}}
	for _, c := range cases {
		var sum money.USD
		for _, part := range c.want {
			sum = sum.Add(money.MustParse(part))
		}
		want := sum.String()
		if c.unknown {
			want = "null"
		}
		if c.note != "" {
			want += ": " + c.note
		}
		if c.at == "" {
			c.at = noon
		}
		tt.worlds = append(tt.worlds, world{
			name: c.name, usage: []usage{{RequestID: "u1", At: c.at, Provider: c.provider, Model: c.model, Tier: c.tier, Tokens: c.tokens}}, want: []string{want},
		})
	}
	tt.run(t)
}

// Goal: real answers of providers cost what their price lists say.
// Method: usage of 25 recorded bodies, priced by the built-in book as of a day
// on which its prices are those of the recording.
func TestRecordedBodies(t *testing.T) {
	const anthropic, openai = "anthropic", "openai"
	thinking := func(whole, output, reasoning int64) record.Tokens {
		tokens := prompt(whole, 0, 0, output)
		tokens.Reasoning = reasoning
		return tokens
	}
	cases := []published{
		{name: "1", provider: anthropic, model: "claude-sonnet-4-5-20250929", tokens: prompt(2_743, 0, 0, 4), want: []string{"0.008229", "0.00006"}},
		{name: "2", provider: anthropic, model: "claude-sonnet-4-6", tokens: prompt(26_447, 0, 0, 528), want: []string{"0.079341", "0.00792"}},
		{name: "3", provider: anthropic, model: "claude-sonnet-4-20250514", tokens: prompt(458, 0, 0, 38), want: []string{"0.001374", "0.00057"}},
		{name: "4, with reasoning", provider: openai, model: "gpt-5-2025-08-07", tokens: thinking(45, 1_719, 1_408), want: []string{"0.00005625", "0.01719"}},
		{name: "5", provider: anthropic, model: "claude-opus-5", tokens: prompt(13, 0, 0, 44), want: []string{"0.000065", "0.0011"}},
		{name: "6, read", provider: anthropic, model: "claude-haiku-4-5-20251001", tokens: prompt(9_514, 9_511, 0, 1_944), want: []string{"0.0009541", "0.00972"}},
		{name: "7, read and written", provider: anthropic, model: "claude-haiku-4-5-20251001", tokens: prompt(11_470, 9_511, 1_956, 44), want: []string{"0.0033991", "0.00022"}},
		{name: "8", provider: anthropic, model: "claude-sonnet-5", tokens: prompt(2_390, 0, 0, 121), want: []string{"0.00478", "0.00121"}},
		{name: "9", provider: anthropic, model: "claude-3-opus-20240229", tokens: prompt(20, 0, 0, 10), want: []string{"0.0003", "0.00075"}},
		{name: "10", provider: anthropic, model: "claude-opus-4-6", tokens: prompt(31, 0, 0, 30), want: []string{"0.000155", "0.00075"}},
		{name: "11", provider: anthropic, model: "claude-opus-4-7", tokens: prompt(18, 0, 0, 14), want: []string{"0.00009", "0.00035"}},
		{name: "12, read", provider: anthropic, model: "claude-sonnet-4-5-20250929", tokens: prompt(1_114, 1_111, 0, 414), want: []string{"0.0003423", "0.00621"}},
		{name: "13", provider: openai, model: "gpt-4.1-2025-04-14", tokens: prompt(329, 0, 0, 12), want: []string{"0.000658", "0.000096"}},
		{name: "14", provider: anthropic, model: "claude-haiku-4-5-20251001", tokens: prompt(26, 0, 0, 18), want: []string{"0.000026", "0.00009"}},
		{name: "15, read and written", provider: anthropic, model: "claude-sonnet-4-5-20250929", tokens: prompt(1_532, 1_111, 418, 33), want: []string{"0.0019098", "0.000495"}},
		{name: "16", provider: anthropic, model: "claude-opus-4-8", tokens: prompt(13, 0, 0, 11), want: []string{"0.000065", "0.000275"}},
		{name: "17, with reasoning", provider: openai, model: "o3-mini-2025-01-31", tokens: thinking(13, 2_241, 1_856), want: []string{"0.0000143", "0.0098604"}},
		{name: "18, with reasoning", provider: openai, model: "gpt-5-mini-2025-08-07", tokens: thinking(156, 561, 512), want: []string{"0.000039", "0.001122"}},
		{name: "19", provider: openai, model: "gpt-5-mini-2025-08-07", tokens: prompt(50, 0, 0, 81), want: []string{"0.0000125", "0.000162"}},
		{name: "20, written", provider: openai, model: "gpt-5.6-sol", tokens: prompt(4_020, 0, 4_012, 5), want: []string{"0.025115", "0.00015"}},
		{name: "21, read", provider: openai, model: "gpt-5.6-sol", tokens: prompt(4_020, 4_012, 0, 5), want: []string{"0.002046", "0.00015"}},
		{name: "22", provider: openai, model: "gpt-4o-2024-08-06", tokens: prompt(24, 0, 0, 8), want: []string{"0.00006", "0.00008"}},
		{name: "23", provider: openai, model: "gpt-4.1-nano-2025-04-14", tokens: prompt(515, 0, 0, 6), want: []string{"0.0000515", "0.0000024"}},
		{name: "24", provider: openai, model: "gpt-4o-search-preview-2025-03-11", tokens: prompt(12, 0, 0, 293), want: []string{"0.00003", "0.00293"}},
		{name: "25", provider: openai, model: "gpt-4o-mini-2024-07-18", tokens: prompt(25, 0, 0, 10), want: []string{"0.00000375", "0.000006"}},
	}
	for i := range cases {
		cases[i].name += " " + cases[i].model
		cases[i].at = "2026-08-15 12:00:00"
	}
	runPublished(t, ledgertest.Book{Text: string(rates.Example())}, []records.Days{days("2026-08-15", "2026-08-15")}, cases)
}

// litellmBook is the prices of LiteLLM's own tests. Where a test names the factor
// of a tier it is one here; where it names prices they are.
const litellmBook = `prices:
  - {provider: o, model: gpt-5.5, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "5", output: "30"}}
  - {provider: o, model: gpt-5.5-pro, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "30", output: "180"}}
  - provider: o
    model: gpt-5.6-sol
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "4", output: "20"}
    thresholds: [{more_than: 272000, usd_per_million: {input: "8", output: "30"}}]
    tiers:
      flex:
        usd_per_million: {input: "2", output: "10"}
        thresholds: [{more_than: 272000, usd_per_million: {input: "4", output: "15"}}]
  - provider: o
    model: gpt-5.6-terra
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "2", cache_read: "0.2", cache_write_5m: "2.5", output: "12"}
    thresholds: [{more_than: 272000, usd_per_million: {input: "4", cache_read: "0.4", cache_write_5m: "5", output: "18"}}]
    tiers:
      flex:
        usd_per_million: {input: "1", cache_read: "0.1", cache_write_5m: "1.25", output: "6"}
        thresholds: [{more_than: 272000, usd_per_million: {input: "2", cache_read: "0.2", cache_write_5m: "2.5", output: "9"}}]
      priority: {usd_per_million: {input: "4", cache_read: "0.4", cache_write_5m: "5", output: "24"}}
  - provider: o
    model: gpt-5.6-luna
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "0.2", output: "1.2"}
    thresholds: [{more_than: 272000, usd_per_million: {input: "0.4", output: "1.8"}}]
    tiers:
      flex:
        usd_per_million: {input: "0.1", output: "0.6"}
        thresholds: [{more_than: 272000, usd_per_million: {input: "0.2", output: "0.9"}}]
  - provider: o
    model: gpt-5.6-cyber
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "12.5", cache_read: "1.25", cache_write_5m: "15.625", output: "75"}
    thresholds: [{more_than: 272000, usd_per_million: {input: "25", cache_read: "2.5", cache_write_5m: "31.25", output: "112.5"}}]
  - provider: o
    model: gpt-6-astra
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "10", cache_read: "1", cache_write_5m: "12.5", output: "50"}
    thresholds: [{more_than: 272000, usd_per_million: {input: "20", cache_read: "2", cache_write_5m: "25", output: "75"}}]
    tiers: {flex: {times: "0.5"}, priority: {times: "2"}}
  - {provider: o, model: writes, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "3", cache_write_5m: "3.75", cache_write_1h: "6", output: "15"}}
  - {provider: o, model: writes-5, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "3", cache_write_5m: "5", output: "15"}}
  - provider: o
    model: gpt-5-nano
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "0.05", cache_read: "0.005", output: "0.4"}
    tiers: {flex: {usd_per_million: {input: "0.025", cache_read: "0.0025", output: "0.2"}}}
  - {provider: o, model: gpt-4, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "30", output: "60"}}
  - provider: o
    model: quick
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "5", cache_read: "0.5", cache_write_5m: "6.25", output: "30"}
    tiers: {ultrafast: {usd_per_million: {input: "50", cache_read: "5", cache_write_5m: "62.5", output: "300"}}}
  - provider: o
    model: long
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "0.25", output: "0.5"}
    thresholds:
      - {more_than: 128000, usd_per_million: {input: "0.3", output: "0.6"}}
      - {more_than: 200000, usd_per_million: {input: "0.5", output: "1"}}
      - {more_than: 1000000, usd_per_million: {input: "2", output: "4"}}
  - provider: volcengine
    model: doubao-seed-2-0-pro
    from: 2026-01-01T00:00:00Z
    ranges:
      - {up_to: 32000, usd_per_million: {input: "0.46", output: "2.3"}}
      - {up_to: 128000, usd_per_million: {input: "0.7", output: "3.5"}}
      - {up_to: 256000, usd_per_million: {input: "1.4", output: "7"}}
  - {provider: bedrock, model: us.claude-sonnet-4.5, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "3.3", cache_read: "0.33", cache_write_5m: "4.125", output: "16.5"}}
  - {provider: anthropic, model: claude-haiku-4-5, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "1", cache_read: "0.1", cache_write_5m: "1.25", output: "5"}}
`

// Goal: amounts agree with LiteLLM's tests of its cost calculation.
// Method: its prices as a rate book, its counts as usage.
func TestLiteLLMCases(t *testing.T) {
	const sol, terra, luna, cyber, astra = "gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna", "gpt-5.6-cyber", "gpt-6-astra"
	usd := func(amounts ...string) []string { return amounts }
	reasoned := record.Tokens{InputUncached: 17, Output: 977, Reasoning: 960}
	unpricedWrite := "no price of their own: cache_write_1h"
	cases := []published{
		{name: "1", model: "gpt-5.5", tokens: prompt(1_000, 0, 0, 500), want: usd("0.02")},
		{name: "2", model: "gpt-5.5-pro", tokens: prompt(1_000, 0, 0, 500), want: usd("0.12")},
		{name: "3", model: sol, tokens: prompt(1_000, 0, 0, 500), want: usd("0.014")},
		{name: "4", model: terra, tokens: prompt(1_000, 0, 0, 500), want: usd("0.008")},
		{name: "5", model: luna, tokens: prompt(1_000, 0, 0, 500), want: usd("0.0008")},
		{name: "6, flex above a threshold", model: sol, tier: "flex", tokens: prompt(300_000, 0, 0, 1_000), want: usd("1.215")},
		{name: "7, flex above a threshold", model: terra, tier: "flex", tokens: prompt(300_000, 0, 0, 1_000), want: usd("0.609")},
		{name: "8, flex above a threshold", model: luna, tier: "flex", tokens: prompt(300_000, 0, 0, 1_000), want: usd("0.0609")},
		{name: "9, prompt only", model: terra, tokens: prompt(100_000, 50_000, 40_000, 0), want: usd("0.13")},
		{name: "10, prompt only, flex", model: terra, tier: "flex", tokens: prompt(100_000, 50_000, 40_000, 0), want: usd("0.065")},
		{name: "11, prompt only, priority", model: terra, tier: "priority", tokens: prompt(100_000, 50_000, 40_000, 0), want: usd("0.26")},
		{name: "12, prompt only, above a threshold", model: terra, tokens: prompt(300_000, 50_000, 40_000, 0), want: usd("1.06")},
		{name: "13, prompt only, flex above a threshold", model: terra, tier: "flex", tokens: prompt(300_000, 50_000, 40_000, 0), want: usd("0.53")},
		{name: "14", model: cyber, tokens: prompt(100_000, 50_000, 40_000, 1_000), want: usd("0.8875")},
		{name: "15, above a threshold", model: cyber, tokens: prompt(300_000, 50_000, 40_000, 1_000), want: usd("6.7375")},
		{name: "16", model: astra, tokens: prompt(100_000, 50_000, 40_000, 1_000), want: usd("0.7")},
		{name: "17, flex as a factor", model: astra, tier: "flex", tokens: prompt(100_000, 50_000, 40_000, 1_000), want: usd("0.35")},
		{name: "18, priority as a factor", model: astra, tier: "priority", tokens: prompt(100_000, 50_000, 40_000, 1_000), want: usd("1.4")},
		{name: "19, above a threshold", model: astra, tokens: prompt(300_000, 50_000, 40_000, 1_000), want: usd("5.375")},
		{name: "20, flex as a factor above a threshold", model: astra, tier: "flex", tokens: prompt(300_000, 50_000, 40_000, 1_000), want: usd("2.6875")},
		{name: "21, fast as a factor above a threshold", model: astra, tier: "fast", tokens: prompt(300_000, 50_000, 40_000, 1_000), want: usd("10.75")},
		{name: "22, written for 5 minutes and an hour", model: "writes", tokens: record.Tokens{CacheWrite5m: 56, CacheWrite1h: 13_999}, want: usd("0.084204")},
		{name: "23, written for 5 minutes", model: "writes-5", tokens: record.Tokens{CacheWrite5m: 1_000}, want: usd("0.005")},
		{name: "23, written for an hour without a price of it", model: "writes-5", tokens: record.Tokens{CacheWrite1h: 1_000}, want: usd("0.005"), note: unpricedWrite},
		{name: "24, written for an hour", model: "writes", tokens: record.Tokens{CacheWrite1h: 100}, want: usd("0.0006")},
		{name: "25, written for both", model: "writes", tokens: record.Tokens{CacheWrite5m: 100, CacheWrite1h: 200}, want: usd("0.001575")},
		{name: "26, flex", model: "gpt-5-nano", tier: "flex", tokens: prompt(1_000, 0, 0, 500), want: usd("0.000125")},
		{name: "27, standard", model: "gpt-5-nano", tokens: prompt(1_000, 0, 0, 500), want: usd("0.00025")},
		{name: "28, flex without a price", model: "gpt-4", tier: "flex", tokens: prompt(1_000, 0, 0, 500), want: usd("0.06"), note: "service tier flex at the standard price"},
		{name: "29, ultrafast", model: "quick", tier: "ultrafast", tokens: prompt(1_000, 200, 300, 400), want: usd("0.16475")},
		{name: "30, reasoning inside", model: "gpt-5-nano", tokens: reasoned, want: usd("0.00039165")},
		{name: "31, of three thresholds the second", model: "long", tokens: prompt(250_000, 0, 0, 1_000), want: usd("0.126")},
		{name: "32, second range", provider: "volcengine", model: "doubao-seed-2-0-pro", tokens: prompt(40_000, 0, 0, 1_000), want: usd("0.0315")},
		{name: "33, end of the first range", provider: "volcengine", model: "doubao-seed-2-0-pro", tokens: prompt(32_000, 0, 0, 0), want: usd("0.01472")},
		{name: "34, a region's prices", provider: "bedrock", model: "us.claude-sonnet-4.5", tokens: prompt(52_123, 22_465, 7_183, 497), want: usd("0.111210825", "0.0082005")},
		{name: "35, written, prompt only", provider: "anthropic", model: "claude-haiku-4-5", tokens: prompt(28_436, 0, 2_000, 0), want: usd("0.028936")},
	}
	for i := range cases {
		if cases[i].provider == "" {
			cases[i].provider = "o"
		}
	}
	runPublished(t, ledgertest.Book{Text: litellmBook}, nil, cases)
}

// genaiBook is the prices of Pydantic's tests.
const genaiBook = `prices:
  - {provider: o, model: gpt-4o, from: 2024-10-01T00:00:00Z, usd_per_million: {input: "2.5", cache_read: "1.25", output: "10"}}
  - {provider: o, model: claude-3.5-sonnet, from: 2024-10-01T00:00:00Z, usd_per_million: {input: "3", cache_read: "0.3", cache_write_5m: "3.75", output: "15"}}
  - {provider: o, model: o3, from: 2025-04-16T00:00:00Z, usd_per_million: {input: "10", cache_read: "0.5", output: "40"}}
  - {provider: o, model: o3, from: 2025-06-10T00:00:00Z, usd_per_million: {input: "2", cache_read: "0.5", output: "8"}}
  - provider: o
    model: gpt-5.6-sol
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "5", cache_read: "0.5", cache_write_5m: "6.25", output: "30"}
    thresholds: [{more_than: 272000, usd_per_million: {input: "10", cache_read: "1", cache_write_5m: "12.5", output: "45"}}]
  - provider: o
    model: gpt-5.6-terra
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "2", cache_read: "0.2", cache_write_5m: "2.5", output: "12"}
    thresholds: [{more_than: 272000, usd_per_million: {input: "4", cache_read: "0.4", cache_write_5m: "5", output: "18"}}]
  - provider: o
    model: gpt-5.6-luna
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "0.2", cache_read: "0.02", cache_write_5m: "0.25", output: "1.2"}
    thresholds: [{at_least: 272001, usd_per_million: {input: "0.4", cache_read: "0.04", cache_write_5m: "0.5", output: "1.8"}}]
  - provider: o
    model: gemini-2.5-flash
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "0.3", cache_read: "0.03", output: "2.5", input_audio: "1", cache_read_audio: "0.1"}
  - provider: o
    model: deepseek-chat
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "0.27", cache_read: "0.07", output: "1.1"}
    off_peak: [{utc: "16:30-00:30", usd_per_million: {input: "0.135", cache_read: "0.035", output: "0.55"}}]
  - provider: o
    model: claude-opus-5
    from: 2026-01-01T00:00:00Z
    usd_per_million: {input: "5", cache_read: "0.5", cache_write_5m: "6.25", cache_write_1h: "10", output: "25"}
    usd_per_search: "0.01"
`

// Goal: amounts agree with the tests of Pydantic's genai-prices.
// Method: its prices as a rate book, its counts as usage; on both sides of a
// change of price, of a threshold and of off-peak hours.
func TestGenAIPricesCases(t *testing.T) {
	const sol, terra, luna, gemini, deepseek = "gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna", "gemini-2.5-flash", "deepseek-chat"
	const million = 1_000_000
	usd := func(amounts ...string) []string { return amounts }
	written := func(n int64) record.Tokens { return record.Tokens{CacheWrite5m: n} }
	long := prompt(300_000, 50_000, 100_000, 10_000)
	heard := record.Tokens{InputUncached: million, InputAudio: million}
	reheard := record.Tokens{CacheRead: million, CacheReadAudio: million}
	cases := []published{
		{name: "1", model: "gpt-4o", tokens: prompt(1_000, 0, 0, 100), want: usd("0.0025", "0.001")},
		{name: "2, read and written", model: "claude-3.5-sonnet", tokens: prompt(1_000, 30, 20, 100), want: usd("0.002934", "0.0015")},
		{name: "3", model: "o3", tokens: prompt(1_000, 0, 0, 100), want: usd("0.002", "0.0008")},
		{name: "3, the last instant of the old price", model: "o3", at: "2025-06-09 23:59:59.999999", tokens: prompt(1_000, 0, 0, 0), want: usd("0.01")},
		{name: "3, the first instant of the new price", model: "o3", at: "2025-06-10 00:00:00", tokens: prompt(1_000, 0, 0, 100), want: usd("0.002", "0.0008")},
		{name: "4, all written", model: sol, tokens: written(1_000), want: usd("0.00625")},
		{name: "5, all written", model: terra, tokens: written(1_000), want: usd("0.0025")},
		{name: "6, all written", model: luna, tokens: written(1_000), want: usd("0.00025")},
		{name: "7, up to the threshold", model: sol, tokens: written(272_000), want: usd("1.7")},
		{name: "7, a token more", model: sol, tokens: written(272_001), want: usd("3.4000125")},
		{name: "8, up to the threshold", model: terra, tokens: written(272_000), want: usd("0.68")},
		{name: "8, a token more", model: terra, tokens: written(272_001), want: usd("1.360005")},
		{name: "9, up to the threshold", model: luna, tokens: written(272_000), want: usd("0.068")},
		{name: "9, a token more", model: luna, tokens: written(272_001), want: usd("0.1360005")},
		{name: "10, above the threshold", model: sol, tokens: long, want: usd("2.8", "0.45")},
		{name: "11, above the threshold", model: terra, tokens: long, want: usd("1.12", "0.18")},
		{name: "12, above the threshold", model: luna, tokens: long, want: usd("0.112", "0.018")},
		{name: "14, text", model: gemini, tokens: prompt(million, 0, 0, 0), want: usd("0.3")},
		{name: "14, audio", model: gemini, tokens: heard, want: usd("1")},
		{name: "14, output", model: gemini, tokens: prompt(0, 0, 0, million), want: usd("2.5")},
		{name: "14, read", model: gemini, tokens: prompt(million, million, 0, 0), want: usd("0.03")},
		{name: "14, audio read", model: gemini, tokens: reheard, want: usd("0.1")},
		{name: "19, standard", model: deepseek, at: "2026-10-05 16:00:00", tokens: prompt(100*million, 0, 0, 0), want: usd("27")},
		{name: "19, off-peak", model: deepseek, at: "2026-10-05 17:00:00", tokens: prompt(100*million, 0, 0, 0), want: usd("13.5")},
		{name: "19, the last instant before off-peak", model: deepseek, at: "2026-10-05 16:29:59.999999", tokens: prompt(100*million, 0, 0, 0), want: usd("27")},
		{name: "19, the first instant of off-peak", model: deepseek, at: "2026-10-05 16:30:00", tokens: prompt(100*million, 0, 0, 0), want: usd("13.5")},
		{name: "19, off-peak over midnight into another week", model: deepseek, at: "2026-10-04 00:29:59.999999", tokens: prompt(100*million, 0, 0, 0), want: usd("13.5")},
		{name: "19, the first instant after off-peak", model: deepseek, at: "2026-10-04 00:30:00", tokens: prompt(100*million, 0, 0, 0), want: usd("27")},
		{name: "20, two searches", model: "claude-opus-5", tokens: record.Tokens{Searches: 2}, want: usd("0.02")},
		{name: "20, written for an hour", model: "claude-opus-5", tokens: record.Tokens{CacheWrite1h: million}, want: usd("10")},
		{name: "searches of a model without a price of them", model: "gpt-4o", tokens: record.Tokens{InputUncached: 1, Searches: 2}, unknown: true, note: "the rate book has no price for web searches of the model"},
	}
	for i := range cases {
		cases[i].provider = "o"
	}
	runPublished(t, ledgertest.Book{Text: genaiBook}, []records.Days{days("2025-06-09", "2025-06-10"), days("2026-10-01", "2026-10-31")}, cases)
}
