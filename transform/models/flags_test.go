package models_test

import (
	"cmp"
	"fmt"
	"testing"

	"chargeback/billing/ledger/ledgertest"
	"chargeback/billing/records"
	"chargeback/extract/record"
)

// flagsBook has models whose price is found where it has none of its own.
func flagsBook() ledgertest.Book {
	book := plainBook()
	book.Text = `prices:
  - {provider: openai, model: gpt, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "4", output: "20"}, tiers: {flex: {usd_per_million: {input: "2", output: "10"}}}}
  - {provider: openai, model: one-ttl, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "4", cache_write_5m: "5", output: "20"}}
  - {provider: openai, model: image, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "0", output: "0"}, usd_per_request: "0.04"}
  - {provider: cohere, model: rerank, from: 2026-01-01T00:00:00Z, usd_per_request: "0.002"}
  - {provider: openai, model: announced, from: 2026-01-01T00:00:00Z, announced: true, usd_per_million: {input: "4", output: "20"}}
  - {provider: openai, model: both, from: 2026-01-01T00:00:00Z, usd_per_million: {input: "4", output: "20"}, usd_per_request: "0.01"}
markups:
  - {cost_center: "00420", percent: "10", from: 2026-01-01T00:00:00Z}
`
	book.CostCenters = []records.CostCenter{{Code: "00420", Department: "Support"}}
	book.TakeReported = []string{"openai/new", "bedrock/new"}
	book.TTLs = map[string]string{"openai/hourly": "1h"}
	book.PriceAs = map[string]string{"openai/hourly": "gpt"}
	return book
}

// Goal: what decides a price and is not told by the record itself comes from its
// match, else from the settings, else it is a guess, and the record's flags say which.
// Method: one record of each kind, with figures worked out by hand; no fees, so that only
// the model's cost is seen.
func TestFlags(t *testing.T) {
	table{
		book: flagsBook(), worlds: append(splitWorlds(), append(tierWorlds(), reportedWorlds()...)...),
		show: func(r costRecord, n names) string {
			text := fmt.Sprintf("%s: %s %s", cmp.Or(n.of(r.usage), "-"), r.llm, r.pricing)
			if r.flags != "" {
				text += " [" + r.flags + "]"
			}
			return text
		},
	}.run(t)
}

// splitWorlds are usage rows that wrote to the cache and their requests.
func splitWorlds() []world {
	pair := func(name string, metered, asked record.Tokens, want string) world {
		return world{
			name: name, usage: []usage{{RequestID: "u1", At: noon, Tokens: metered}}, requests: []request{{ID: "r1", RequestID: "u1", At: noon, Tokens: asked}},
			want: []string{"u1: " + want},
		}
	}
	writes := func(unknown, write5m, write1h int64) record.Tokens {
		return record.Tokens{CacheWriteUnknown: unknown, CacheWrite5m: write5m, CacheWrite1h: write1h}
	}
	return []world{
		pair("the match says an hour", writes(1000, 0, 0), writes(0, 0, 1000), "0.006 priced [ttl:matched]"),
		pair("the match says both", writes(1000, 0, 0), writes(0, 400, 600), "0.0051 priced [ttl:matched]"),
		pair("the match splits what is left open", writes(600, 400, 0), writes(0, 500, 500), "0.004875 priced [ttl:matched]"),
		pair("the match has less for 5 minutes than was metered", writes(600, 400, 0), writes(0, 300, 700), "0.00375 priced [ttl:unknown]"),
		pair("the match counts other tokens", writes(1000, 0, 0), writes(0, 0, 999), "0.00375 priced [ttl:unknown]"),
		pair("the match doesn't know either", writes(1000, 0, 0), writes(500, 0, 500), "0.00375 priced [ttl:unknown]"),
		pair("what was metered stands", writes(0, 1000, 0), writes(0, 0, 1000), "0.00375 priced"),
		{
			name: "a retry has the request's split too",
			usage: []usage{
				{RequestID: "u1", ClientRef: "ref", At: noon, Tokens: writes(1000, 0, 0)}, {RequestID: "u2", ClientRef: "ref", At: "2026-10-05 12:00:03", Tokens: writes(1000, 0, 0)},
			},
			requests: []request{{ID: "r1", ClientRef: "ref", At: noon, Tokens: writes(0, 0, 1000)}},
			want:     []string{"u1: 0.006 priced [ttl:matched]", "u2: 0.006 priced [ttl:matched]"},
		},
		{
			name: "of several candidates none is asked", usage: []usage{{RequestID: "u1", At: noon, Tokens: writes(1000, 0, 0)}},
			requests: []request{{ID: "r1", RequestID: "u1", At: noon, Tokens: writes(0, 0, 1000)}, {ID: "r2", RequestID: "u1", At: noon, Tokens: writes(0, 0, 1000)}},
			want:     []string{"u1: 0.00375 priced [ttl:unknown]", "-: 0.00 not_billed", "-: 0.00 not_billed"},
		},
		alone("an estimate of unknown TTL", request{Tokens: writes(1000, 0, 0)}, "0.00375 estimated [ttl:unknown]"),
		alone("the price is the same for an hour", request{Provider: "openai", Model: "one-ttl", Tokens: writes(1000, 0, 0)}, "0.005 priced"),
		alone("an answer from the gateway's cache", request{CacheHit: true, Tokens: writes(1000, 0, 0)}, "0.00 priced"),
		alone("a failed request", request{Failed: true, Tokens: writes(1000, 0, 0)}, "0.00 not_billed"),
		alone("the model's setting", request{Provider: "openai", Model: "hourly", Tokens: writes(1000, 0, 0)}, "0.004 estimated [ttl:1h,class:cache_write_1h,priced_as]"),
	}
}

func tierWorlds() []world {
	gpt := func(name, tier string, tokens record.Tokens, want string) world {
		return alone(name, request{Provider: "openai", Model: "gpt", Tier: tier, Tokens: tokens}, want)
	}
	both := record.Tokens{InputUncached: 1000, Output: 100}
	return []world{
		gpt("a tier with a price", "flex", both, "0.003 priced"),
		gpt("a tier without one", "priority", both, "0.006 priced [tier:priority]"),
		gpt("fast without one, nor one of priority", "fast", both, "0.006 priced [tier:fast]"),
		gpt("batches at half", "batch", both, "0.003 priced [tier:batch]"),
		gpt("a tier nobody knows", "express", both, "null unpriced [missing:tier]"),
		gpt("a class without a price", "", record.Tokens{CacheRead: 1000}, "0.004 priced [class:cache_read]"),
		gpt("two classes without a price", "", record.Tokens{CacheRead: 1000, CacheWrite1h: 1000}, "0.008 priced [class:cache_read,class:cache_write_1h]"),
		gpt("a tier and a class", "priority", record.Tokens{InputUncached: 1000, InputAudio: 500}, "0.004 priced [tier:priority,class:input_audio]"),
		alone("a price that was announced", request{Provider: "openai", Model: "announced", Tokens: both}, "0.006 priced [forecast]"),
		gpt("searches without a price", "", record.Tokens{InputUncached: 1000, Searches: 1}, "null unpriced [missing:search_price]"),
		alone("a model that is not in the book", request{Provider: "openai", Model: "other", Tokens: both}, "null unpriced [missing:model]"),
		alone("usage may still come", request{At: "2026-10-28 12:00:00", Tokens: both}, "null pending [missing:usage]"),
		alone("no counts", request{Provider: "openai", Model: "gpt", Unmetered: true}, "null unpriced [missing:counts]"),
		alone("a fee for a request beside tokens wants their counts", request{Provider: "openai", Model: "both", Unmetered: true}, "null unpriced [missing:counts]"),
		alone("a price by request wants none", request{Provider: "openai", Model: "image", Unmetered: true}, "0.04 priced"),
		alone("and takes them where they are", request{Provider: "openai", Model: "image", Tokens: both}, "0.04 priced"),
		alone("a price by request alone", request{Provider: "cohere", Model: "rerank", Unmetered: true}, "0.002 priced"),
		alone("and by request alone, with counts", request{Provider: "cohere", Model: "rerank", Tokens: both}, "0.002 priced"),
		alone("a price by request without one of the tier", request{Provider: "cohere", Model: "rerank", Tier: "priority", Unmetered: true}, "0.002 priced [tier:priority]"),
	}
}

// reportedWorlds are of models that cost what the gateway reported.
func reportedWorlds() []world {
	const pico = 12_345_678_901
	return []world{
		alone("the reported cost", request{Provider: "openai", Model: "new", Reported: pico, Unmetered: true}, "0.012345678901 estimated [reported_cost]"),
		alone("with the payer's markup, rounded half up", request{Provider: "openai", Model: "new", Reported: pico, CostCenter: "00420"}, "0.013580246791 estimated [reported_cost]"),
		alone("a cost of 0 is none", request{Provider: "openai", Model: "new", Reported: 0}, "null unpriced [missing:reported_cost]"),
		alone("a cost below 0 is none", request{Provider: "openai", Model: "new", Reported: -5}, "null unpriced [missing:reported_cost]"),
		alone("a model that may not", request{Provider: "openai", Model: "other", Reported: pico}, "null unpriced [missing:model]"),
		alone("an answer from the gateway's cache", request{Provider: "openai", Model: "new", Reported: pico, CacheHit: true}, "0.00 priced"),
		alone("a failed request", request{Provider: "openai", Model: "new", Reported: pico, Failed: true}, "0.00 not_billed"),
		{
			name: "once for a call that was billed twice",
			usage: []usage{
				{RequestID: "u1", ClientRef: "ref", At: noon, Model: "new", Tokens: input(1000)}, {RequestID: "u2", ClientRef: "ref", At: "2026-10-05 12:00:03", Model: "new", Tokens: input(1000)},
			},
			requests: []request{{ID: "r1", ClientRef: "ref", At: noon, Model: "new", Reported: pico}},
			want:     []string{"u1: 0.012345678901 estimated [reported_cost]", "u2: null unpriced [missing:reported_cost]"},
		},
		{
			name: "usage without a request", usage: []usage{{RequestID: "u1", At: noon, Model: "new", Tokens: input(1000)}},
			want: []string{"u1: null unpriced [missing:reported_cost]"},
		},
	}
}

// Goal: a setting of a source decides what no record does, that of the matched request's source
// before that of the usage's own, and those before the model's.
// Method: the same pair of rows under several settings.
func TestCacheTTLSettings(t *testing.T) {
	b := openBooks(t)
	write := record.Tokens{CacheWriteUnknown: 1000}
	rows := ledgertest.Rows{
		Usage:    []usage{{RequestID: "u1", At: noon, Tokens: write}, {RequestID: "u2", At: noon, Tokens: write}},
		Requests: []request{{ID: "r1", RequestID: "u1", At: noon, Tokens: write}, {ID: "r3", Provider: "openai", Model: "gpt", At: noon, Tokens: write}},
	}
	for _, tt := range []struct {
		name                     string
		ttls                     map[string]string
		matched, alone, requests string
	}{
		{"nothing is said", nil, "0.00375 ttl:unknown", "0.00375 ttl:unknown", "0.00375 ttl:unknown"},
		{"of the usage's source", map[string]string{"usage": "1h"}, "0.006 ttl:1h", "0.006 ttl:1h", "0.00375 ttl:unknown"},
		{"of the request's source", map[string]string{"requests": "1h"}, "0.006 ttl:1h", "0.00375 ttl:unknown", "0.006 ttl:1h"},
		{"of both", map[string]string{"usage": "1h", "requests": "5m"}, "0.00375 ttl:5m", "0.006 ttl:1h", "0.00375 ttl:5m"},
		{"of the model", map[string]string{"bedrock/sonnet": "1h"}, "0.006 ttl:1h", "0.006 ttl:1h", "0.00375 ttl:unknown"},
		{"of the source and the model", map[string]string{"usage": "5m", "bedrock/sonnet": "1h"}, "0.00375 ttl:5m", "0.00375 ttl:5m", "0.00375 ttl:unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b.clear()
			b.stage(rows)
			book := plainBook()
			gpt := book.Prices[0]
			gpt.Key = "openai/gpt"
			book.Prices, book.TTLs = append(book.Prices, gpt), tt.ttls
			b.replace(book, "2026-10-25", days("2026-10-01", "2026-10-31"))
			got := map[string]string{}
			for _, r := range b.records() {
				got[fmt.Sprint(r.usage.line, r.request.line)] = r.llm + " " + r.flags
			}
			for key, want := range map[string]string{"1 1": tt.matched, "2 0": tt.alone, "0 2": tt.requests} {
				if got[key] != want {
					t.Errorf("record of usage and request %s: %s, want %s", key, got[key], want)
				}
			}
		})
	}
}

// Goal: where several platforms logged a call, and the record that counts doesn't say for how long the
// cache was written to, another's does, whether usage came or not.
// Method: the same call by two or three sources, of which the first in the settings knows least.
func TestSplitOfAnotherPlatform(t *testing.T) {
	b := openBooks(t)
	unknown, hour, other := record.Tokens{CacheWriteUnknown: 1000}, record.Tokens{CacheWrite1h: 1000}, record.Tokens{CacheWrite1h: 900}
	by := func(source string, tokens record.Tokens) request {
		return request{ID: "r-" + source, Source: source, RequestID: "u1", At: noon, Provider: "openai", Model: "gpt", Tokens: tokens}
	}
	for _, tt := range []struct {
		name     string
		usage    []usage
		requests []request
		want     string
	}{
		{"without usage", nil, []request{by("first", unknown), by("second", hour)}, "0.006 ttl:matched"},
		{"with usage", []usage{{RequestID: "u1", At: noon, Provider: "openai", Model: "gpt", Tokens: unknown}}, []request{by("first", unknown), by("second", hour)}, "0.006 ttl:matched"},
		{"the one that fits", nil, []request{by("first", unknown), by("second", other), by("third", hour)}, "0.006 ttl:matched"},
		{"none that fits", nil, []request{by("first", unknown), by("second", other)}, "0.00375 ttl:unknown"},
		{"the first knows", nil, []request{by("first", hour), by("second", unknown)}, "0.006 "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b.clear()
			b.stage(ledgertest.Rows{Usage: tt.usage, Requests: tt.requests})
			book := plainBook()
			gpt := book.Prices[0]
			gpt.Key = "openai/gpt"
			book.Prices, book.RequestsFrom = append(book.Prices, gpt), []string{"first", "second", "third"}
			b.replace(book, "2026-10-25", days("2026-10-01", "2026-10-31"))
			all := b.records()
			if len(all) != 1 {
				t.Fatalf("%d records, want 1: %+v", len(all), all)
			}
			if got := all[0].llm + " " + all[0].flags; got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}
