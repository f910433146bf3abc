package rates

import (
	"fmt"
	"strings"
	"testing"
)

// TestDefaultPrices holds the built-in book to prices that providers' pages and
// notices have, some of which the public lists have wrong.
func TestDefaultPrices(t *testing.T) {
	const october = "2026-10-14T00:00:00Z"
	tests := []struct {
		meter  string // provider model [region] [tier]
		when   string
		prompt int64
		want   string // input output cache_read cache_write_5m cache_write_1h search; - is not looked at
	}{
		{"anthropic claude-sonnet-5", october, 1, "2 10 0.2 2.5 4 0.01"},
		{"anthropic claude-sonnet-5", "2026-07-14T00:00:00Z", 1, "2 10 0.2 2.5 4 0.01"},
		{"anthropic claude-sonnet-4-6 us", october, 1, "3.3 16.5 0.33 4.125 6.6 0.01"},
		{"anthropic claude-sonnet-4-6 us", "2026-03-01T00:00:00Z", 200_001, "6.6 24.75 0.66 8.25 13.2 -"},
		{"anthropic claude-sonnet-4-6", october, 1, "3 15 0.3 3.75 6 0.01"},
		{"anthropic claude-fable-5-1", october, 1, "10 50 0.25 12.5 20 -"},
		{"vertex_ai claude-sonnet-5", october, 1, "2 10 0.2 2.5 4 -"},
		{"vertex_ai claude-sonnet-5 europe-west1", october, 1, "2.2 11 0.22 2.75 4.4 -"},
		{"vertex_ai claude-opus-4-6@default us", october, 1, "5.5 27.5 0.55 6.875 11 -"},
		{"vertex_ai claude-opus-4-6 global", october, 1, "5 25 0.5 6.25 10 -"},

		{"openai gpt-5.6-sol", "2026-08-20T23:59:59Z", 1, "5 30 0.5 6.25 - 0.01"},
		{"openai gpt-5.6-sol", "2026-08-21T00:00:00Z", 1, "4 20 0.4 5 - 0.01"},
		{"openai gpt-5.6", october, 272_001, "8 30 0.8 10 - 0.01"},
		{"openai gpt-5.6-sol - batch", october, 1, "2 10 0.2 2.5 - 0.01"},
		{"openai gpt-5.6-sol - flex", october, 1, "2 10 0.2 2.5 - 0.01"},
		{"openai gpt-5.6-sol - priority", october, 1, "8 40 0.8 10 - 0.01"},
		{"openai gpt-5.6-luna", october, 1, "0.2 1.2 0.02 0.25 - 0.01"},
		{"openai gpt-5", october, 1, "1.25 10 0.125 - - 0.01"},
		{"openai gpt-4o-mini", october, 1, "0.15 0.6 0.075 - - 0.01"},
		{"openai o3", october, 1, "2 8 0.5 - - 0.01"},
		{"openai gpt-4.1-nano", october, 1, "0.1 0.4 0.025 - - none"},

		{"azure gpt-5.6-sol", "2026-08-31T23:59:59Z", 1, "5 30 0.5 5 - -"},
		{"azure gpt-5.6-sol", october, 1, "4 20 0.4 5 - -"},
		{"azure gpt-5.6-sol", october, 272_001, "8 30 0.8 10 - -"},
		{"azure us/gpt-5.6-sol", october, 1, "4.4 22 0.44 5.5 - -"},
		{"azure gpt-5.6-luna", "2026-07-31T00:00:00Z", 1, "1 6 0.1 1 - -"},
		{"azure gpt-5.6-luna", october, 1, "0.2 1.2 0.02 0.25 - -"},
		{"azure gpt-5.6-luna", october, 272_001, "0.4 1.8 0.04 0.5 - -"},
		{"azure gpt-5.6-terra", october, 1, "2 12 0.2 2.5 - -"},
		{"azure eu/gpt-5.6-terra", october, 1, "2.2 13.2 0.22 2.75 - -"},

		{"bedrock global.anthropic.claude-sonnet-5", october, 1, "2 10 0.2 2.5 4 -"},
		{"bedrock us.anthropic.claude-sonnet-5", october, 1, "2.2 11 0.22 2.75 4.4 -"},
		{"bedrock jp.anthropic.claude-sonnet-5", october, 1, "2.2 11 0.22 2.75 4.4 -"},
		{"bedrock anthropic.claude-sonnet-5", october, 1, "2.2 11 0.22 2.75 4.4 -"},
		{"bedrock anthropic.claude-sonnet-4-6 eu-west-2", october, 1, "3.3 16.5 0.33 4.125 6.6 -"},
		{"bedrock global.anthropic.claude-sonnet-4-6", october, 1, "3 15 0.3 3.75 6 -"},
		{"bedrock anthropic.claude-opus-4-6-v1", october, 1, "5.5 27.5 0.55 6.875 11 -"},
		{"bedrock eu.anthropic.claude-opus-4-5-20251101-v1:0", october, 1, "5.5 27.5 0.55 6.875 11 -"},
		{"bedrock global.anthropic.claude-opus-4-5-20251101-v1:0", october, 1, "5 25 0.5 6.25 10 -"},
		{"bedrock anthropic.claude-haiku-4-5-20251001-v1:0", october, 1, "1.1 5.5 0.11 1.375 2.2 -"},
		{"bedrock openai.gpt-5.6-sol", "2026-08-10T00:00:00Z", 272_001, "11 49.5 1.1 13.75 - -"},
		{"bedrock openai.gpt-5.6-sol", october, 1, "4.4 22 0.44 5.5 - -"},
		{"bedrock us.openai.gpt-5.6-sol", october, 272_001, "8.8 33 0.88 11 - -"},
		{"bedrock global.openai.gpt-5.6-sol", october, 1, "4 20 0.4 5 - -"},
		{"bedrock openai.gpt-5.6-luna", october, 272_001, "0.44 1.98 0.044 0.55 - -"},
		{"bedrock openai.gpt-5.6-terra", october, 272_001, "4.4 19.8 0.44 5.5 - -"},
		{"bedrock global.openai.gpt-5.6-terra", october, 1, "2 12 0.2 2.5 - -"},
		{"bedrock amazon.nova-micro-v1:0", october, 1, "0.035 0.14 0.00875 - - -"},
		{"bedrock us.amazon.nova-pro-v1:0", october, 1, "0.8 3.2 0.2 - - -"},
		{"bedrock mistral.mistral-large-2402-v1:0", october, 1, "4 12 - - - -"},
		{"bedrock us.meta.llama3-2-90b-instruct-v1:0", october, 1, "0.72 0.72 - - - -"},

		{"gemini gemini-3.6-flash", october, 1, "0.75 3.75 0.075 - - 0.014"},
		{"vertex_ai gemini-3.6-flash - batch", october, 1, "0.375 1.875 0.0375 - - -"},
		{"gemini gemini-3.6-flash", "2027-01-01T00:00:00Z", 1, "1.5 7.5 0.15 - - 0.014"},
		{"mistral codestral-latest", october, 1, "0.3 0.9 0.03 - - -"},
		{"mistral mistral-large-2512", october, 1, "0.5 1.5 0.05 - - -"},

		{"deepseek deepseek-v4-flash", "2026-08-16T15:59:59Z", 1, "0.14 0.28 0.0028 - - -"},
		{"deepseek deepseek-v4-flash", "2026-08-17T02:00:00Z", 1, "0.44 1.32 0.014 - - -"}, // Monday, peak
		{"deepseek deepseek-v4-flash", "2026-08-17T04:00:00Z", 1, "0.22 0.66 0.007 - - -"},
		{"deepseek deepseek-v4-flash", "2026-08-22T02:00:00Z", 1, "0.44 1.32 0.014 - - -"}, // a Saturday before weekends were off-peak
		{"deepseek deepseek-v4-pro", "2026-08-29T02:00:00Z", 1, "0.66 1.98 0.022 - - -"},   // and one since
		{"deepseek deepseek-v4-flash", "2026-09-14T09:59:00Z", 1, "0.3 1.2 0.006 - - -"},
		{"deepseek deepseek-flash", "2026-09-14T10:00:00Z", 1, "0.15 0.6 0.003 - - -"},
		{"deepseek deepseek-v4-pro", "2026-11-30T06:00:00Z", 1, "1.32 3.96 0.044 - - -"},
		{"deepseek deepseek-reasoner", "2026-06-01T00:00:00Z", 1, "0.14 0.28 0.0028 - - -"},
		{"deepseek deepseek-chat", "2026-08-01T00:00:00Z", 1, "held"},

		{"openrouter anthropic/claude-opus-5-fast-20260723", october, 1, "10 50 1 12.5 - -"},
		{"openrouter openai/gpt-oss-20b:free", october, 1, "held"},
		{"openrouter openrouter/auto", october, 1, "held"},
		{"groq openai/gpt-oss-120b", october, 1, "0.15 0.6 0.075 - - -"},
		{"moonshot kimi-k2.6", october, 1, "0.95 4 0.16 - - -"},
		{"perplexity sonar-pro", october, 1, "3 15 - - - -"},
		{"openai gpt-9", october, 1, "held"},
	}
	b := Default()
	for _, tt := range tests {
		t.Run(tt.meter+" "+tt.when, func(t *testing.T) {
			words := append(strings.Fields(tt.meter), "", "")
			m := Meter{Provider: words[0], Model: words[1], Region: strings.Trim(words[2], "-"), Tier: words[3]}
			r := rateAt(t, b, m, at(tt.when), tt.prompt, 0)
			got := "held"
			if r.Problem == "" {
				search := USDEach(r.Units[Search])
				if r.NoSearch {
					search = "none"
				}
				got = fmt.Sprint(USDPerMillion(r.Units[Input]), " ", USDPerMillion(r.Units[Output]), " ", USDPerMillion(r.Units[CacheRead]), " ",
					USDPerMillion(r.Units[CacheWrite5m]), " ", USDPerMillion(r.Units[CacheWrite1h]), " ", search)
			}
			want, have := strings.Fields(tt.want), strings.Fields(got)
			for i := range want {
				if want[i] == "-" && len(have) == len(want) {
					have[i] = "-"
				}
			}
			if strings.Join(have, " ") != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestDefaultForecasts names the built-in prices that nobody has confirmed: what
// providers promised until a day, or announced for one.
func TestDefaultForecasts(t *testing.T) {
	b := Default()
	for when, want := range map[string]string{
		"2026-10-14T00:00:00Z": "",
		"2026-11-30T00:00:00Z": "bedrock/global.openai.gpt-5.6-sol, bedrock/openai.gpt-5.6-sol, openai/gpt-5.6-sol",
	} {
		var keys []string
		for _, e := range b.Unconfirmed(at(when)) {
			keys = append(keys, e.Key())
		}
		if got := strings.Join(keys, ", "); got != want {
			t.Errorf("%s: got %s, want %s", when, got, want)
		}
	}
}
