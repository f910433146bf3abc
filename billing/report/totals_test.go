package report_test

import (
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"chargeback/billing/report"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// total is a control total of October; change alters it.
func total(object int64, provider, model, class string, day int, change values) values {
	date := civil.Date{Year: 2026, Mon: time.October, Day: day}
	v := values{
		"provider": provider, "model": model, "token_class": class, "bucket_date": date, "bucket_start": date.Start(time.UTC), "bucket_end": date.AddDays(1).Start(time.UTC),
		"unit": "tokens", "revision": date.AddDays(2).Start(time.UTC), "object_id": object, "line": int64(1),
	}
	for name, value := range change {
		v[name] = value
	}
	return v
}

func quantity(n int64) values { return values{"quantity": n} }

func billed(usd string) values {
	return values{"amount_pico": money.MustParse(usd).Pico().Int64(), "currency": "USD", "unit": nil}
}

// metered is a cost record of a rate, with its account.
func metered(provider, model string, day, hour int, rate any, change values) values {
	return and(cost("Support", "00420", "support-bot", "user001@example.com", model, day, nil), values{
		"provider": provider, "started_at": time.Date(2026, time.October, day, hour, 0, 0, 0, time.UTC), "rate_id": rate,
	}, change)
}

const sonnet46 = "anthropic.claude-sonnet-4-6"

// fillTotals writes a month of two sides: Bedrock, which logs each request and
// bills by usage type, and OpenAI, whose bill is in an API of its own.
func (b *books) fillTotals(t *testing.T) {
	t.Helper()
	b.insert(t, "rate_entries",
		values{"rate_id": int64(7), "rate_version": "v1", "price_key": "bedrock/" + sonnet46, "terms": `[{"class":"input","list":"3","unit":"3"},{"class":"cache_read","list":"0.30","unit":"0.30"},{"class":"cache_write_5m","list":"3.75","unit":"3.75"},{"class":"output","list":"15","unit":"15"}]`},
		values{"rate_id": int64(8), "rate_version": "v1", "price_key": "openai/gpt-4o", "terms": `[{"class":"input","list":"2.5","unit":"2.5"},{"class":"cache_read","list":"1.25","unit":"1.25"},{"class":"output","list":"10","unit":"10"},{"class":"reasoning","list":"10","unit":"10"},{"class":"input_audio","list":"40","unit":"40"}]`},
	)
	b.record(t,
		metered("bedrock", "us."+sonnet46, 1, 0, int64(7), and(amounts("0.00756", "0.1", "0", "0"), values{"cache_write_unknown_tokens": int64(0)})),
		metered("bedrock", sonnet46, 1, 23, int64(7), and(amounts("0.00756", "0.1", "0", "0"), values{"cache_write_unknown_tokens": int64(0)})),
		metered("bedrock", sonnet46, 2, 8, int64(7), and(amounts("0.007935", "0.1", "0", "0"), values{"cache_write_unknown_tokens": int64(100)})),
		metered("bedrock", haiku, 2, 8, nil, held("unpriced", "model is not in the rate book")),
		metered("bedrock", sonnet46, 2, 9, int64(7), and(amounts("0", "0.1", "0", "0.01"), values{"cache_hit": true, "match": "agent_only"})),
		metered("openai", "gpt-4o", 1, 8, int64(8), and(amounts("0.0095", "0.1", "0", "0"), values{"input_audio_tokens": int64(100), "reasoning_tokens": int64(100)})),
		metered("openai", "gpt-4o", 31, 23, int64(8), and(amounts("0.0061", "0.1", "0", "0"), values{"usage_date": civil.Date{Year: 2026, Mon: time.November, Day: 1}})),
		metered("openai", "gpt-4o", 1, 8, int64(8), and(amounts("1", "0.1", "0", "0"), values{"started_at": time.Date(2026, time.September, 30, 23, 59, 59, 0, time.UTC)})),
	)
	source := func(id int64, name, key string) values {
		return values{"object_id": id, "source": name, "format": name, "object_key": key, "etag": "e", "state": "read"}
	}
	b.insert(t, "objects", source(101, "openai-usage", "1.json"), source(102, "openai-usage", "2.json"), source(103, "openai-costs", "1.json"), source(104, "aws-bill", "1.parquet"))
	month := values{"period": "2026-10"}
	b.insert(t, "totals",
		total(101, "openai", "gpt-4o-2024-08-06", "input_uncached", 1, quantity(1)), // told again, newer
		total(102, "openai", "gpt-4o-2024-08-06", "input_uncached", 1, and(quantity(900), values{"revision": time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)})),
		total(102, "openai", "gpt-4o-2024-08-06", "input_audio", 1, quantity(100)),
		total(102, "openai", "gpt-4o-2024-08-06", "cache_read", 1, quantity(200)),
		total(102, "openai", "gpt-4o-2024-08-06", "output", 1, quantity(360)),
		total(102, "openai", "gpt-4o-2024-08-06", "requests", 1, and(quantity(2), values{"unit": "requests"})),
		total(102, "openai", "text-embedding-3-small", "input_uncached", 1, quantity(5000)),
		total(102, "openai", "o3", "cache_write_unknown", 1, quantity(0)), // nothing to show
		total(103, "openai", "gpt-4o-2024-08-06", "input_uncached", 1, and(billed("0.00225"), quantity(900), values{"unit": "tokens"})),
		total(103, "openai", "gpt-4o-2024-08-06", "output", 1, billed("0.0036")),
		total(103, "openai", "", "", 1, and(billed("0.05"), values{"model": nil, "token_class": nil, "line_item": "web search tool calls"})),
		total(104, "bedrock", "Claude4.6Sonnet", "input_uncached", 1, and(month, billed("0.006"), quantity(2000), values{"unit": "tokens", "account": "111122223333"})),
		total(104, "bedrock", "Claude4.6Sonnet", "input_uncached", 2, and(month, billed("0.003"), quantity(1000), values{"unit": "tokens", "account": "111122223333"})),
		total(104, "bedrock", "Claude4.6Sonnet", "output", 1, and(month, billed("0.009"), quantity(600), values{"unit": "tokens", "account": "111122223333"})),
		total(104, "bedrock", "Claude4.6Sonnet", "cache_write_5m", 2, and(month, billed("0.000375"), quantity(100), values{"unit": "tokens", "account": "111122223333"})),
		total(104, "bedrock", "", "", 1, and(month, billed("0.0019"), values{"model": nil, "token_class": nil, "line_item": "Tax", "bucket_end": time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)})),
	)
}

// resolve knows the dated name of one model.
func resolve(provider, _, model string) (string, bool) {
	if provider == "openai" && strings.HasPrefix(model, "gpt-4o") {
		return "openai/gpt-4o", true
	}
	return "", false
}

// Goal: what people see of both sides of a month, and what meets.
func TestTotalsGolden(t *testing.T) {
	b := openBooks(t)
	b.fillTotals(t)
	r, err := report.Totals(t.Context(), b, october, report.TotalsByDefault(), resolve)
	goldenReport(t, must(t, r, err))
	r, err = report.Totals(t.Context(), b, october, []report.TotalsBy{report.TotalsByDay, report.TotalsByProvider}, resolve)
	r.Name = "totals-by-day"
	goldenReport(t, must(t, r, err))
}

// tie is the sums of a report's columns that add up.
func tie(r report.Report, name string) (*big.Rat, bool) {
	i := slices.IndexFunc(r.Columns, func(c report.Column) bool { return c.Name == name })
	unit := slices.IndexFunc(r.Columns, func(c report.Column) bool { return c.Name == "unit" })
	sum, any := new(big.Rat), false
	for _, row := range r.Rows {
		if row[i] == nil || r.Columns[i].Kind == report.Count && row[unit] != "tokens" {
			continue
		}
		sum, any = sum.Add(sum, rat(row[i])), true
	}
	return sum, any
}

// Goal: rows add up to the total whatever they are grouped by, and the total is
// what each side tells: the ledger's charges, and the figures of the reports.
// Method: random totals and records, in random groups, against fractions added
// up by hand.
func TestTotalsTie(t *testing.T) {
	b := openBooks(t)
	rapid.Check(t, func(t *rapid.T) {
		b.clear(t)
		llm, tokens, reported, invoiced := new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat)
		b.insert(t, "rate_entries", values{"rate_id": int64(7), "rate_version": "v1", "price_key": "openai/gpt-4o", "terms": `[{"class":"input","list":"2.5","unit":"2.5"},{"class":"output","list":"10","unit":"10"}]`})
		models := rapid.SampledFrom([]any{"gpt-4o", "gpt-4o-2024-08-06", "gpt-4.1", "GPT 4.1", "o3"})
		for range rapid.IntRange(0, 6).Draw(t, "records") {
			input, output := rapid.Int64Range(-1000, 1_000_000).Draw(t, "input"), rapid.Int64Range(0, 1_000_000).Draw(t, "output")
			cost := money.FromPico(rapid.Int64Range(-1_000_000, 900_000_000_000_000).Draw(t, "cost"))
			b.record(t, metered("openai", models.Draw(t, "model").(string), rapid.IntRange(1, 31).Draw(t, "day"), 12, rapid.SampledFrom([]any{nil, int64(7)}).Draw(t, "rate"), values{
				"input_uncached_tokens": input, "output_tokens": output, "cache_read_tokens": int64(0), "llm_cost_usd": cost, "infra_cost_usd": money.USD{}, "tool_cost_usd": money.USD{}, "total_cost_usd": cost,
			}))
			llm.Add(llm, rat(cost))
			tokens.Add(tokens, rat(input+output))
		}
		b.insert(t, "objects", values{"object_id": int64(1), "source": "s", "state": "read"})
		for range rapid.IntRange(0, 8).Draw(t, "totals") {
			class := rapid.SampledFrom([]string{"input_uncached", "output", "cache_write_unknown", "cache_write_1h"}).Draw(t, "class")
			row := total(1, "openai", models.Draw(t, "model").(string), class, rapid.IntRange(1, 31).Draw(t, "day"), nil)
			if rapid.Bool().Draw(t, "billed") {
				pico := rapid.Int64Range(-9e18, 9e18).Draw(t, "pico")
				row["amount_pico"] = pico
				invoiced.Add(invoiced, rat(money.FromPico(pico)))
			} else {
				row["quantity"] = rapid.Int64Range(0, 9e12).Draw(t, "quantity")
				reported.Add(reported, rat(row["quantity"]))
			}
			b.insert(t, "totals", row)
		}
		by := rapid.SliceOfNDistinct(rapid.SampledFrom(report.TotalsGroups()), 1, 6, rapid.ID).Draw(t, "by")
		r, err := report.Totals(t.Context(), b, october, by, resolve)
		must(t, r, err)
		for name, want := range map[string]*big.Rat{"metered_quantity": tokens, "reported_quantity": reported, "metered_usd": llm, "billed_usd": invoiced} {
			sum, any := tie(r, name)
			if sum.Cmp(want) != 0 {
				t.Fatalf("rows of %s by %v add up to %s, want %s", name, by, sum, want)
			}
			i := slices.IndexFunc(r.Columns, func(c report.Column) bool { return c.Name == name })
			if got := r.Total[i]; any && rat(got).Cmp(want) != 0 {
				t.Fatalf("total of %s by %v is %v, want %s", name, by, got, want)
			}
		}
		for name, sides := range map[string][2]*big.Rat{"quantity_difference": {reported, tokens}, "difference_usd": {invoiced, llm}} {
			if sum, any := tie(r, name); any && sum.Cmp(new(big.Rat).Sub(sides[0], sides[1])) != 0 {
				t.Fatalf("rows of %s by %v add up to %s, want %s less %s", name, by, sum, sides[0], sides[1])
			}
		}
	})
}

// Goal: names of one model meet, and no others.
func TestTotalsModelNames(t *testing.T) {
	tests := []struct {
		name              string
		provider          string
		metered, reported []string
		want              []string // of the report, sorted
	}{
		{"the same name", "openai", []string{"gpt-4.1"}, []string{"gpt-4.1"}, []string{"gpt-4.1"}},
		{"by the rate book", "openai", []string{"gpt-4o"}, []string{"gpt-4o-2024-08-06"}, []string{"gpt-4o"}},
		{"usage type", "bedrock", []string{"us.anthropic.claude-sonnet-4-6"}, []string{"Claude4.6Sonnet"}, []string{"us.anthropic.claude-sonnet-4-6"}},
		{"dated id and usage type", "bedrock", []string{"anthropic.claude-sonnet-4-20250514-v1:0"}, []string{"Claude4Sonnet"}, []string{"anthropic.claude-sonnet-4-20250514-v1:0"}},
		{"display name", "anthropic", []string{"claude-opus-4-8"}, []string{"Claude Opus 4.8"}, []string{"claude-opus-4-8"}},
		{"camel case", "bedrock", []string{"amazon.nova-lite-v1:0"}, []string{"NovaLite"}, []string{"amazon.nova-lite-v1:0"}},
		{"version with a zero", "bedrock", []string{"amazon.nova-2-lite-v1:0"}, []string{"Nova2.0Lite"}, []string{"amazon.nova-2-lite-v1:0"}},
		{"open weights", "bedrock", []string{"openai.gpt-oss-120b-1:0"}, []string{"gpt-oss-120b"}, []string{"openai.gpt-oss-120b-1:0"}},
		{"several metered as one", "bedrock", []string{"us.anthropic.claude-sonnet-4-6", "anthropic.claude-sonnet-4-6"}, []string{"Claude4.6Sonnet"}, []string{"anthropic.claude-sonnet-4-6 + us.anthropic.claude-sonnet-4-6"}},
		{"two of the same words, both told apart", "openai", []string{"gpt-4.1", "gpt-4.1-2025-04-14"}, []string{"gpt-4.1", "gpt-4.1-2025-04-14"}, []string{"gpt-4.1", "gpt-4.1-2025-04-14"}},
		{"id and display name, neither metered", "anthropic", nil, []string{"claude-opus-4-8", "Claude Opus 4.8"}, []string{"Claude Opus 4.8"}},
		{"another version", "anthropic", []string{"claude-opus-4-8"}, []string{"Claude Opus 4.1"}, []string{"Claude Opus 4.1", "claude-opus-4-8"}},
		{"another size", "openai", []string{"gpt-4.1"}, []string{"gpt-4.1-mini"}, []string{"gpt-4.1", "gpt-4.1-mini"}},
	}
	b := openBooks(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b.clear(t)
			b.insert(t, "objects", values{"object_id": int64(1), "source": "s", "state": "read"})
			for _, m := range tt.metered {
				b.record(t, metered(tt.provider, m, 1, 8, nil, nil))
			}
			for _, m := range tt.reported {
				b.insert(t, "totals", total(1, tt.provider, m, "output", 1, quantity(5)))
			}
			r, err := report.Totals(t.Context(), b, october, []report.TotalsBy{report.TotalsByModel}, resolve)
			must(t, r, err)
			var got []string
			for _, row := range r.Rows {
				if name := row[0].(string); !slices.Contains(got, name) {
					got = append(got, name)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
