package models_test

import (
	"fmt"
	"testing"

	"chargeback/billing/ledger/ledgertest"
	"chargeback/extract/record"
	"chargeback/transform/rates"
)

// The instants at which the prices and fees of pricesBook change.
const (
	pricesChange = "2026-10-16 00:00:00"
	feesBegin    = "2026-10-02 00:00:00"
	feesChange   = "2026-10-20 00:00:00"
)

// pricesBook has a price of each kind.
func pricesBook() ledgertest.Book {
	book := plainBook()
	sonnet, at := book.Prices[0], ledgertest.At
	fallback, before, after, gone, gateway := sonnet, sonnet, sonnet, sonnet, sonnet
	fallback.Key, fallback.CacheRead = "bedrock/fallback", -1
	before.Key, before.To = "bedrock/changing", at(pricesChange)
	after.Key, after.From, after.Input, after.Output = "bedrock/changing", at(pricesChange), 2_000_000, 10_000_000
	gone.Key, gone.To = "bedrock/gone", at("2026-10-01 00:00:00")
	gateway.Key = "openai/gpt"
	book.Prices = append(book.Prices, fallback, before, after, gone, gateway)
	book.PriceAs = map[string]string{"bedrock/preview": "sonnet"}
	book.Fees = []ledgertest.Fee{
		{From: at(feesBegin), To: at(feesChange), Infra: 100_000_000, CacheHit: 20_000_000, Tools: map[string]int64{"search": 10_000_000_000}},
		{From: at(feesChange), To: rates.Forever, Infra: 300_000_000, CacheHit: 40_000_000, Tools: map[string]int64{"search": 15_000_000_000}},
	}
	return book
}

// Goal: what a record costs is exact, and what is not known is null and says
// why.
// Method: one record of each kind, with figures worked out by hand.
func TestPrice(t *testing.T) {
	worlds := append(tokenWorlds(), append(changeWorlds(), append(feeWorlds(), heldWorlds()...)...)...)
	table{
		book: pricesBook(), worlds: worlds,
		show: func(r costRecord, n names) string {
			text := fmt.Sprintf("%s: %s + %s + %s = %s, saved %s, %s", n.of(r.usage), r.llm, r.infra, r.tool, r.total, r.savings, r.pricing)
			if r.note != "" {
				text += ": " + r.note
			}
			return text
		},
	}.run(t)
}

// ttlNotKnown is the note on cache writes of which nothing says for how long.
const ttlNotKnown = "TTL of cache writes not known, priced as 5 minutes"

const noon = "2026-10-05 12:00:00"

// metered is one usage row of a model at an instant.
func metered(name, model, at string, tokens record.Tokens, want string) world {
	return world{name: name, usage: []usage{{RequestID: "u1", At: at, Model: model, Tokens: tokens}}, want: []string{"u1: " + want}}
}

// alone is one request without usage.
func alone(name string, r request, want string) world {
	r.ID = "r1"
	if r.At == "" {
		r.At = noon
	}
	return world{name: name, requests: []request{r}, want: []string{"-: " + want}}
}

func tokenWorlds() []world {
	one := func(name string, tokens record.Tokens, want string) world {
		return metered(name, "sonnet", noon, tokens, want)
	}
	return []world{
		one("no tokens", record.Tokens{}, "0.00 + 0.0001 + 0.00 = 0.0001, saved 0.00, priced"),
		one("input", record.Tokens{InputUncached: 1_000}, "0.003 + 0.0001 + 0.00 = 0.0031, saved 0.00, priced"),
		one("output", record.Tokens{Output: 1}, "0.000015 + 0.0001 + 0.00 = 0.000115, saved 0.00, priced"),
		one("reasoning is a part of output", record.Tokens{Output: 10, Reasoning: 9}, "0.00015 + 0.0001 + 0.00 = 0.00025, saved 0.00, priced"),
		one("cache read", record.Tokens{CacheRead: 7}, "0.0000021 + 0.0001 + 0.00 = 0.0001021, saved 0.0000189, priced"),
		one("cache write for 5 minutes", record.Tokens{CacheWrite5m: 11}, "0.00004125 + 0.0001 + 0.00 = 0.00014125, saved -0.00000825, priced"),
		one("cache write for an hour", record.Tokens{CacheWrite1h: 13}, "0.000078 + 0.0001 + 0.00 = 0.000178, saved -0.000039, priced"),
		one("cache write for an unknown time is priced as 5 minutes", record.Tokens{CacheWriteUnknown: 17}, "0.00006375 + 0.0001 + 0.00 = 0.00016375, saved -0.00001275, priced: "+ttlNotKnown),
		one("all classes", record.Tokens{InputUncached: 1_000, CacheRead: 100_000, CacheWrite5m: 200, CacheWrite1h: 300, CacheWriteUnknown: 400, Output: 50, Reasoning: 40},
			"0.0378 + 0.0001 + 0.00 = 0.0379, saved 0.26865, priced: "+ttlNotKnown),
		one("reads that don't make up for their write", record.Tokens{CacheRead: 1, CacheWrite1h: 100}, "0.0006003 + 0.0001 + 0.00 = 0.0007003, saved -0.0002973, priced"),
		one("the largest counts", record.Tokens{InputUncached: 100_000_000, CacheRead: 100_000_000, CacheWrite5m: 100_000_000, CacheWrite1h: 100_000_000, CacheWriteUnknown: 100_000_000, Output: 100_000_000},
			"3180.00 + 0.0001 + 0.00 = 3180.0001, saved -180.00, priced: "+ttlNotKnown),
		metered("a class that is priced by its parent is flagged", "fallback", noon, record.Tokens{CacheRead: 1_000},
			"0.003 + 0.0001 + 0.00 = 0.0031, saved 0.00, priced: no price of their own: cache_read"),
	}
}

func changeWorlds() []world {
	both := record.Tokens{InputUncached: 1_000, Output: 1_000}
	return []world{
		metered("a microsecond before prices change", "changing", "2026-10-15 23:59:59.999999", both, "0.018 + 0.0001 + 0.00 = 0.0181, saved 0.00, priced"),
		metered("the instant at which prices change", "changing", pricesChange, both, "0.012 + 0.0001 + 0.00 = 0.0121, saved 0.00, priced"),
		metered("a microsecond before fees change", "sonnet", "2026-10-19 23:59:59.999999", both, "0.018 + 0.0001 + 0.00 = 0.0181, saved 0.00, priced"),
		metered("the instant at which fees change", "sonnet", feesChange, both, "0.018 + 0.0003 + 0.00 = 0.0183, saved 0.00, priced"),
		metered("the model is not in the book", "unheard-of", noon, both, "null + null + null = null, saved null, unpriced: the model is not in the rate book"),
		metered("the price has ended", "gone", noon, both, "null + null + null = null, saved null, unpriced: the rate book has no price of the model at that time"),
		metered("fees have not begun", "sonnet", "2026-10-01 12:00:00", both, "null + null + null = null, saved null, unpriced: the rate book has no fees at that time"),
		metered("priced as another model", "preview", noon, both, "0.018 + 0.0001 + 0.00 = 0.0181, saved 0.00, estimated: priced as sonnet"),
	}
}

func feeWorlds() []world {
	both := record.Tokens{InputUncached: 1_000, Output: 100}
	matched := func(name string, r request, want ...string) world {
		r.ID, r.RequestID, r.At = "r1", "u1", noon
		return world{name: name, usage: []usage{{RequestID: "u1", At: noon}, {RequestID: "u2", ClientRef: r.ClientRef, At: "2026-10-05 12:00:01"}}, requests: []request{r}, want: want}
	}
	const second = "u2: 0.00 + 0.0001 + 0.00 = 0.0001, saved 0.00, priced"
	return []world{
		matched("matched and unmatched usage", request{}, "u1: 0.00 + 0.0001 + 0.00 = 0.0001, saved 0.00, priced", second),
		matched("tool calls are the request's", request{Tools: "search:2", ToolCalls: 2}, "u1: 0.00 + 0.0001 + 0.02 = 0.0201, saved 0.00, priced", second),
		matched("a retry bears no fees", request{ClientRef: "ref1", Tools: "search:2", ToolCalls: 2},
			"u1: 0.00 + 0.0001 + 0.02 = 0.0201, saved 0.00, priced", "u2: 0.00 + 0.00 + 0.00 = 0.00, saved 0.00, priced"),
		matched("a tool without a fee holds its record, not the retry's", request{ClientRef: "ref1", Tools: "mystery:1", ToolCalls: 1},
			"u1: null + null + null = null, saved null, unpriced: the rate book has no fee for tool mystery", "u2: 0.00 + 0.00 + 0.00 = 0.00, saved 0.00, priced"),
		alone("an answer from the cache", request{CacheHit: true, Tokens: both}, "0.00 + 0.00002 + 0.00 = 0.00002, saved 0.0045, priced"),
		alone("an answer from the cache, after fees changed", request{At: feesChange, CacheHit: true, Tokens: both}, "0.00 + 0.00004 + 0.00 = 0.00004, saved 0.0045, priced"),
		alone("an answer from the cache with tool calls", request{CacheHit: true, Tools: "search:2", ToolCalls: 2}, "0.00 + 0.00002 + 0.02 = 0.02002, saved 0.00, priced"),
		alone("an answer from the cache of a model without a price", request{CacheHit: true, Model: "unheard-of", Tokens: both}, "0.00 + 0.00002 + 0.00 = 0.00002, saved null, priced"),
		alone("an answer from the cache, priced as another model", request{CacheHit: true, Model: "preview", Tokens: both}, "0.00 + 0.00002 + 0.00 = 0.00002, saved 0.0045, estimated: priced as sonnet"),
		alone("tool fees change too", request{At: feesChange, Tools: "search:2", ToolCalls: 2}, "0.00 + 0.0003 + 0.03 = 0.0303, saved 0.00, estimated: no usage came in time; priced from the request"),
	}
}

func heldWorlds() []world {
	thousand := record.Tokens{InputUncached: 1_000}
	const waiting = "2026-10-28 12:00:00" // later than the night waits for
	return []world{
		{
			name:  "a provider's error",
			usage: []usage{{RequestID: "u1", At: noon, Failed: true, Model: "unheard-of", Tokens: thousand}},
			want:  []string{"u1: 0.00 + 0.00 + 0.00 = 0.00, saved 0.00, not_billed: the provider answered with an error"},
		},
		{
			name:     "a provider's error that is ambiguous too",
			usage:    []usage{{RequestID: "u1", At: noon, Failed: true}},
			requests: []request{{ID: "r1", RequestID: "u1", At: noon}, {ID: "r2", RequestID: "u1", At: noon}},
			want: []string{
				"u1: 0.00 + 0.00 + 0.00 = 0.00, saved 0.00, not_billed: the provider answered with an error",
				"-: 0.00 + 0.00 + 0.00 = 0.00, saved 0.00, not_billed: shares its key with other requests; the usage is charged once",
				"-: 0.00 + 0.00 + 0.00 = 0.00, saved 0.00, not_billed: shares its key with other requests; the usage is charged once",
			},
		},
		alone("a failed request", request{Failed: true, Tokens: thousand, Tools: "mystery:1", ToolCalls: 1}, "0.00 + 0.00 + 0.00 = 0.00, saved 0.00, not_billed: the request failed and no usage was metered"),
		alone("usage may still come", request{At: waiting, Tokens: thousand}, "null + null + null = null, saved null, pending: no usage yet; it may still come"),
		alone("the first day that still waits, where the clock has changed", request{At: "2026-10-25 23:00:00", Tokens: thousand}, "null + null + null = null, saved null, pending: no usage yet; it may still come"),
		alone("the last day that no longer waits, of 25 hours", request{At: "2026-10-25 22:59:59", Tokens: thousand}, "0.003 + 0.0003 + 0.00 = 0.0033, saved 0.00, estimated: no usage came in time; priced from the request"),
		alone("an estimate of a model that is priced as another", request{Model: "preview", Tokens: thousand}, "0.003 + 0.0001 + 0.00 = 0.0031, saved 0.00, estimated: no usage came in time; priced from the request, as sonnet"),
		alone("an estimate of a model without a price", request{Model: "unheard-of", Tokens: thousand}, "null + null + null = null, saved null, unpriced: the model is not in the rate book"),
		alone("a provider whose usage is the gateway's: priced at once", request{At: waiting, Provider: "openai", Model: "gpt", Tokens: thousand}, "0.003 + 0.0003 + 0.00 = 0.0033, saved 0.00, priced"),
		alone("the same without token counts", request{At: waiting, Provider: "openai", Model: "gpt", Unmetered: true}, "null + null + null = null, saved null, unpriced: the gateway logged no token counts"),
		alone("an estimate without token counts", request{Unmetered: true}, "null + null + null = null, saved null, unpriced: the gateway logged no token counts"),
		alone("usage may still come for a request without token counts", request{At: waiting, Unmetered: true}, "null + null + null = null, saved null, pending: no usage yet; it may still come"),
		alone("the same, failed", request{At: waiting, Provider: "openai", Model: "gpt", Tokens: thousand, Failed: true}, "0.00 + 0.00 + 0.00 = 0.00, saved 0.00, not_billed: the request failed and no usage was metered"),
		alone("a model's price is its provider's", request{Provider: "openai", Model: "sonnet", Tokens: thousand}, "null + null + null = null, saved null, unpriced: the model is not in the rate book"),
	}
}

// Goal: a request that waits for its usage costs nothing, then what its own
// tokens cost, then what its usage costs.
// Method: three nights, between which the lateness window passes and the usage
// comes.
func TestPendingThenEstimatedThenMetered(t *testing.T) {
	b := openBooks(t)
	b.stage(ledgertest.Rows{Requests: []request{{ID: "r1", RequestID: "u1", At: noon, Tokens: input(2_000)}}})
	night := func(lateUntil string) string {
		b.replace(plainBook(), lateUntil, days("2026-10-05", "2026-10-05"))
		all := b.records()
		if len(all) != 1 {
			t.Fatalf("%d records, want 1", len(all))
		}
		return all[0].pricing + " " + all[0].total + " " + all[0].match
	}
	for _, n := range []struct{ lateUntil, want string }{
		{"2026-10-02", "pending null agent_only"},
		{"2026-10-04", "pending null agent_only"},
		{"2026-10-05", "estimated 0.0061 agent_only"},
		{"2026-10-09", "estimated 0.0061 agent_only"},
	} {
		if got := night(n.lateUntil); got != n.want {
			t.Errorf("late until %s: %s, want %s", n.lateUntil, got, n.want)
		}
	}
	b.stage(ledgertest.Rows{Usage: []usage{{RequestID: "u1", At: noon, Tokens: input(1_000)}}, Object: "late.json"})
	if got, want := night("2026-10-10"), "priced 0.0031 matched"; got != want {
		t.Errorf("after usage came: %s, want %s", got, want)
	}
}
