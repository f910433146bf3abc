package models_test

import (
	"fmt"
	"testing"

	"chargeback/billing/records"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// counts are tokens of a prompt and an answer.
func counts(input, output int64) record.Tokens {
	return record.Tokens{InputUncached: input, Output: output}
}

// Goal: a call is charged once, whoever logged it, and to who asked.
// Method: worlds in which platforms, attempts and logs tell of one call, beside
// those in which they tell of several.
func TestOnce(t *testing.T) {
	book := plainBook()
	gpt := price("gpt", 1_000_000, 500_000, 1_000_000, 1_000_000, 2_000_000)
	gpt.Key = "openai/gpt"
	book.Prices = append(book.Prices, gpt)
	book.CostCenters = append(book.CostCenters, records.CostCenter{Code: "CC-9", Department: "Platform"})
	book.Owners = []records.Owner{{Kind: "caller", Value: "arn:gateway", CostCenter: "CC-9", From: civil.Min, To: civil.Max}}
	table{
		book: book,
		people: []person{
			works("ana@example.com", "Research", "CC-1", "2026-01-01", ""), works("bo@example.com", "Sales", "CC-2", "2026-01-01", ""),
			works("cem@example.com", "Research", "CC-1", "2026-01-01", ""),
		},
		show: func(r costRecord, n names) string {
			by := r.match
			if r.rung != "" {
				by += " by " + r.rung
			}
			told := fmt.Sprintf("%s + %s %s, %s: %s of %s", n.of(r.usage), n.of(r.request), by, r.pricing, r.llm, r.center)
			if r.doubtful != "null" {
				told += ", would be " + r.doubtful
			}
			return told
		},
		worlds: append(append(platformWorlds(), attemptWorlds()...), append(fingerprintWorlds(), doubtfulWorlds()...)...),
	}.run(t)
}

const (
	ana, bo, cem = "ana@example.com", "bo@example.com", "cem@example.com"
	ten, past    = "2026-10-05 10:00:00", "2026-10-05 10:00:02"
)

func platformWorlds() []world {
	gateway := func(id string, r request) request {
		r.ID, r.Source, r.Provider, r.Model, r.Tokens = id, "gateway", "openai", "gpt", counts(100, 10)
		return r
	}
	app := func(id string, r request) request {
		r = gateway(id, r)
		r.Source = "requests"
		return r
	}
	return []world{
		{
			name:     "two platforms name one answer",
			requests: []request{gateway("g", request{At: ten, ResponseID: "a", User: ana}), app("p", request{At: past, ResponseID: "a", User: ana})},
			want:     []string{"- + g agent_only, priced: 0.00012 of CC-1", "p of first.json: copy"},
		},
		{
			name:     "two platforms name one request of the provider",
			requests: []request{app("p", request{At: ten, RequestID: "req", User: ana}), gateway("g", request{At: past, RequestID: "req", User: ana})},
			want:     []string{"- + g agent_only, priced: 0.00012 of CC-1", "p of first.json: copy"},
		},
		{
			name:     "two answers are two calls, however alike",
			requests: []request{gateway("g", request{At: ten, ResponseID: "a", User: ana}), app("p", request{At: ten, ResponseID: "b", User: ana})},
			want:     []string{"- + g agent_only, priced: 0.00012 of CC-1", "- + p agent_only, priced: 0.00012 of CC-1"},
		},
		{
			name: "one answer id of two providers",
			requests: []request{
				gateway("g", request{At: ten, ResponseID: "a", User: ana}),
				{ID: "p", Source: "requests", Provider: "azure", Model: "gpt", At: ten, ResponseID: "a", User: ana},
			},
			want: []string{"- + g agent_only, priced: 0.00012 of CC-1", "- + p agent_only, unpriced: null of CC-1"},
		},
		{
			name:     "the platform that counts lacks the user",
			requests: []request{gateway("g", request{At: ten, ResponseID: "a"}), app("p", request{At: past, ResponseID: "a", User: bo})},
			want:     []string{"- + g agent_only, priced: 0.00012 of CC-2", "p of first.json: copy"},
		},
		{
			name: "the platform that stands first has no counts",
			requests: []request{
				{ID: "g", Source: "gateway", Provider: "openai", Model: "gpt", At: ten, ResponseID: "a", User: ana, Unmetered: true},
				app("p", request{At: past, ResponseID: "a"}),
			},
			want: []string{"- + p agent_only, priced: 0.00012 of CC-1", "g of first.json: copy"},
		},
		{
			name:     "an id that comes again an hour later is another call's",
			requests: []request{gateway("g", request{At: ten, ResponseID: "a", User: ana}), app("p", request{At: "2026-10-05 11:00:00", ResponseID: "a", User: ana})},
			want:     []string{"- + g agent_only, priced: 0.00012 of CC-1", "- + p agent_only, priced: 0.00012 of CC-1"},
		},
		{
			name: "three platforms in a row, of which no two name the same ids",
			requests: []request{
				gateway("g", request{At: ten, ResponseID: "a", User: ana}),
				app("p", request{At: ten, ResponseID: "a", RequestID: "req"}),
				{ID: "q", Source: "proxy", Provider: "openai", Model: "gpt", At: past, RequestID: "req", Tokens: counts(100, 10)},
			},
			want: []string{"- + g agent_only, priced: 0.00012 of CC-1", "p of first.json: copy", "q of first.json: copy"},
		},
		{
			name:  "usage finds the call by an id that only the other platform knows",
			usage: []usage{{RequestID: "u1", At: ten, Caller: "arn:gateway", Tokens: counts(1_000, 0)}},
			requests: []request{
				{ID: "g", Source: "gateway", At: ten, ResponseID: "a", User: ana, Tokens: counts(1_000, 0)},
				{ID: "p", At: past, ResponseID: "a", RequestID: "u1", Tokens: counts(1_000, 0)},
			},
			want: []string{"u1 + g matched by request id, priced: 0.003 of CC-1", "p of first.json: copy"},
		},
		{
			name:  "all candidates lead to one payer",
			usage: []usage{{RequestID: "u1", At: ten, Caller: "arn:gateway", Tokens: counts(1_000, 0)}},
			requests: []request{
				{ID: "r1", RequestID: "u1", At: ten, User: ana}, {ID: "r2", RequestID: "u1", At: past, User: cem},
			},
			want: []string{"u1 + - ambiguous, priced: 0.003 of CC-1", "- + r1 ambiguous, not_billed: 0.00 of CC-1", "- + r2 ambiguous, not_billed: 0.00 of CC-1"},
		},
		{
			name:  "candidates lead to two payers: nobody is guessed",
			usage: []usage{{RequestID: "u1", At: ten, Caller: "arn:gateway", Tokens: counts(1_000, 0)}},
			requests: []request{
				{ID: "r1", RequestID: "u1", At: ten, User: ana}, {ID: "r2", RequestID: "u1", At: past, User: bo},
			},
			want: []string{"u1 + - ambiguous, priced: 0.003 of CC-9", "- + r1 ambiguous, not_billed: 0.00 of CC-1", "- + r2 ambiguous, not_billed: 0.00 of CC-2"},
		},
		{
			name:  "one candidate leads to nobody",
			usage: []usage{{RequestID: "u1", At: ten, Tokens: counts(1_000, 0)}},
			requests: []request{
				{ID: "r1", RequestID: "u1", At: ten, User: ana}, {ID: "r2", RequestID: "u1", At: past},
			},
			want: []string{"u1 + - ambiguous, priced: 0.003 of UNALLOCATED", "- + r1 ambiguous, not_billed: 0.00 of CC-1", "- + r2 ambiguous, not_billed: 0.00 of UNALLOCATED"},
		},
	}
}

func attemptWorlds() []world {
	first := request{ID: "c", RequestID: "u1", At: ten, Ended: past, User: ana, Failed: true}
	second := request{ID: "c", RequestID: "u2", At: "2026-10-05 10:00:30", Ended: "2026-10-05 10:00:32", User: ana, Tokens: counts(1_000, 100)}
	billed := []usage{{RequestID: "u1", At: ten, Tokens: counts(1_000, 0)}, {RequestID: "u2", At: "2026-10-05 10:00:31", Tokens: counts(1_000, 100)}}
	fallback := second
	fallback.Provider, fallback.Model, fallback.RequestID, fallback.ResponseID = "openai", "gpt", "", "chatcmpl"
	reused := func(id, at, ended string) request {
		return request{ID: "c", ResponseID: id, At: at, Ended: ended, User: ana, Provider: "openai", Model: "gpt", Tokens: counts(100, 10)}
	}
	answer := request{ID: "c", ResponseID: "resp", At: ten, Ended: past, User: bo, Provider: "openai", Model: "gpt", Tokens: counts(100, 10)}
	inner := answer
	inner.ResponseID, inner.At = "chatcmpl", "2026-10-05 10:00:00.003"
	other := answer
	other.ResponseID, other.Tokens = "chatcmpl", counts(100, 11)
	return []world{
		{
			name: "an attempt that failed was billed, too", usage: billed, requests: []request{first, second},
			want: []string{"u1 + c matched by request id, priced: 0.003 of CC-1", "u2 + c matched by request id, priced: 0.0045 of CC-1"},
		},
		{
			name: "an attempt that failed and was not billed is no request of its own", usage: billed[1:], requests: []request{first, second},
			want: []string{"c of first.json: duplicate", "u2 + c matched by request id, priced: 0.0045 of CC-1"},
		},
		{
			name: "a fallback to another provider keeps both charges", usage: billed[:1], requests: []request{first, fallback},
			want: []string{"u1 + c matched by request id, priced: 0.003 of CC-1", "- + c agent_only, priced: 0.0012 of CC-1"},
		},
		{
			name:     "so it does where only the reference tells and the attempt was not logged",
			usage:    []usage{{RequestID: "u1", ClientRef: "c", At: ten, Tokens: counts(1_000, 0)}},
			requests: []request{fallback},
			want:     []string{"u1 + c matched by client reference, priced: 0.003 of CC-1", "- + c agent_only, priced: 0.0012 of CC-1"},
		},
		{
			name:     "a call id that was used again is two calls",
			requests: []request{reused("a", ten, past), reused("b", "2026-10-05 12:00:00", "2026-10-05 12:00:01")},
			want:     []string{"- + c agent_only, priced: 0.00012 of CC-1", "- + c agent_only, priced: 0.00012 of CC-1"},
		},
		{
			name:     "so it is without any id of the provider's, where one ended before the other began",
			requests: []request{reused("", ten, past), reused("", "2026-10-05 12:00:00", "2026-10-05 12:00:01")},
			want:     []string{"- + c agent_only, priced: 0.00012 of CC-1", "- + c agent_only, priced: 0.00012 of CC-1"},
		},
		{
			name: "two records of one answer under two ids", requests: []request{answer, inner},
			want: []string{"- + c agent_only, priced: 0.00012 of CC-2", "c of first.json: duplicate"},
		},
		{
			name: "two records of one answer that count otherwise", requests: []request{answer, other},
			want: []string{"c of first.json: conflict", "c of first.json: conflict"},
		},
		{
			name:     "usage finds a call by the id of a record that was set aside",
			usage:    []usage{{RequestID: "u9", ResponseID: "chatcmpl", Provider: "openai", Model: "gpt", At: ten, Tokens: counts(100, 10)}},
			requests: []request{answer, inner},
			want:     []string{"u9 + c matched by response id, priced: 0.00012 of CC-2", "c of first.json: duplicate"},
		},
	}
}

func fingerprintWorlds() []world {
	u := func(id, at string, tokens record.Tokens) usage {
		return usage{RequestID: id, At: at, Caller: "arn:gateway", Tokens: tokens}
	}
	r := func(id, at string, tokens record.Tokens) request {
		return request{ID: id, At: at, User: ana, Tokens: tokens}
	}
	hour := record.Tokens{InputUncached: 50, CacheWrite1h: 1_000, Output: 5}
	unknown := record.Tokens{InputUncached: 50, CacheWriteUnknown: 1_000, Output: 5}
	return []world{
		{
			name: "the one pair with equal counts", usage: []usage{u("u1", ten, counts(1_000, 10))}, requests: []request{r("r1", past, counts(1_000, 10))},
			want: []string{"u1 + r1 matched by fingerprint, priced: 0.00315 of CC-1"},
		},
		{
			name: "two minutes apart", usage: []usage{u("u1", ten, counts(1_000, 10))}, requests: []request{r("r1", "2026-10-05 10:02:00", counts(1_000, 10))},
			want: []string{"u1 + r1 matched by fingerprint, priced: 0.00315 of CC-1"},
		},
		{
			name: "more than two minutes apart", usage: []usage{u("u1", ten, counts(1_000, 10))}, requests: []request{r("r1", "2026-10-05 10:02:01", counts(1_000, 10))},
			want: []string{"u1 + - provider_only, priced: 0.00315 of CC-9", "- + r1 agent_only, doubtful: null of CC-1, would be 0.00325"},
		},
		{
			name: "another count", usage: []usage{u("u1", ten, counts(1_000, 10))}, requests: []request{r("r1", past, counts(1_000, 11))},
			want: []string{"u1 + - provider_only, priced: 0.00315 of CC-9", "- + r1 agent_only, doubtful: null of CC-1, would be 0.003265"},
		},
		{
			name: "another model", usage: []usage{u("u1", ten, counts(1_000, 10))}, requests: []request{{ID: "r1", At: past, User: ana, Model: "haiku", Tokens: counts(1_000, 10)}},
			want: []string{"u1 + - provider_only, priced: 0.00315 of CC-9", "- + r1 agent_only, doubtful: null of CC-1"},
		},
		{
			name: "written to the cache, of which one side alone knows for how long", usage: []usage{u("u1", ten, unknown)}, requests: []request{r("r1", past, hour)},
			want: []string{"u1 + r1 matched by fingerprint, priced: 0.006225 of CC-1"},
		},
		{
			name: "two usage rows alike", usage: []usage{u("u1", ten, counts(1_000, 10)), u("u2", past, counts(1_000, 10))}, requests: []request{r("r1", past, counts(1_000, 10))},
			want: []string{
				"u1 + - provider_only, priced: 0.00315 of CC-9", "u2 + - provider_only, priced: 0.00315 of CC-9",
				"- + r1 agent_only, doubtful: null of CC-1, would be 0.00325",
			},
		},
		{
			name: "of two alike one has met by its id", usage: []usage{u("u1", ten, counts(1_000, 10)), u("u2", past, counts(1_000, 10))},
			requests: []request{r("r1", past, counts(1_000, 10)), {ID: "r2", RequestID: "u2", At: ten, User: bo, Tokens: counts(1_000, 10)}},
			want:     []string{"u1 + r1 matched by fingerprint, priced: 0.00315 of CC-1", "u2 + r2 matched by request id, priced: 0.00315 of CC-2"},
		},
		{
			name: "no counts are no likeness", usage: []usage{u("u1", ten, record.Tokens{})}, requests: []request{r("r1", ten, record.Tokens{})},
			want: []string{"u1 + - provider_only, priced: 0.00 of CC-9", "- + r1 agent_only, doubtful: null of CC-1, would be 0.0001"},
		},
		{
			name:     "of a provider whose usage is the gateway's: the one pair meets",
			usage:    []usage{{RequestID: "u1", At: ten, Provider: "openai", Model: "gpt", Tokens: counts(100, 10)}},
			requests: []request{{ID: "r1", At: past, Provider: "openai", Model: "gpt", User: ana, Tokens: counts(100, 10)}},
			want:     []string{"u1 + r1 matched by fingerprint, priced: 0.00012 of CC-1"},
		},
		{
			name: "of such a provider, several alike: charged as metered, the others held",
			usage: []usage{
				{RequestID: "u1", At: ten, Provider: "openai", Model: "gpt", Tokens: counts(100, 10)}, {RequestID: "u2", At: past, Provider: "openai", Model: "gpt", Tokens: counts(100, 10)},
			},
			requests: []request{
				{ID: "r1", At: ten, Provider: "openai", Model: "gpt", User: ana, Tokens: counts(100, 10)}, {ID: "r2", At: past, Provider: "openai", Model: "gpt", User: ana, Tokens: counts(100, 10)},
				{ID: "r3", At: past, Provider: "openai", Model: "gpt", User: ana, Tokens: counts(100, 11)},
			},
			want: []string{
				"u1 + - provider_only, priced: 0.00012 of UNALLOCATED", "u2 + - provider_only, priced: 0.00012 of UNALLOCATED",
				"- + r1 agent_only, doubtful: null of CC-1, would be 0.00022", "- + r2 agent_only, doubtful: null of CC-1, would be 0.00022",
				"- + r3 agent_only, priced: 0.000122 of CC-1",
			},
		},
	}
}

func doubtfulWorlds() []world {
	return []world{
		{
			name:     "the log of the provider covers the day",
			usage:    []usage{{RequestID: "u1", At: "2026-10-05 03:00:00", Model: "haiku", Failed: true}},
			requests: []request{{ID: "r1", At: ten, User: ana, Tokens: counts(1_000, 0)}},
			want:     []string{"u1 + - provider_only, not_billed: 0.00 of UNALLOCATED", "- + r1 agent_only, doubtful: null of CC-1, would be 0.0031"},
		},
		{
			name:     "it covers another day alone",
			usage:    []usage{{RequestID: "u1", At: "2026-10-06 03:00:00", Tokens: counts(7, 0)}},
			requests: []request{{ID: "r1", At: ten, User: ana, Tokens: counts(1_000, 0)}},
			want:     []string{"u1 + - provider_only, priced: 0.000021 of UNALLOCATED", "- + r1 agent_only, estimated: 0.003 of CC-1"},
		},
		{
			name:     "it begins after midnight, with usage that found no request",
			usage:    []usage{{RequestID: "u1", At: "2026-10-05 22:10:00", Tokens: counts(7, 0)}},
			requests: []request{{ID: "r1", At: "2026-10-05 21:50:00", User: ana, Tokens: counts(1_000, 0)}},
			want:     []string{"u1 + - provider_only, priced: 0.000021 of UNALLOCATED", "- + r1 agent_only, doubtful: null of CC-1, would be 0.0031"},
		},
		{
			name:     "it covers another region alone",
			usage:    []usage{{RequestID: "u1", At: ten, Region: "far-west-1", Tokens: counts(7, 0)}},
			requests: []request{{ID: "r1", At: ten, Region: "far-east-1", User: ana, Tokens: counts(1_000, 0)}},
			want:     []string{"u1 + - provider_only, priced: 0.000021 of UNALLOCATED", "- + r1 agent_only, estimated: 0.003 of CC-1"},
		},
		{
			name:     "the results of a batch job cover no day",
			usage:    []usage{{RequestID: "u1", At: ten, Tier: "batch", Tokens: counts(7, 0)}},
			requests: []request{{ID: "r1", At: ten, User: ana, Tokens: counts(1_000, 0)}},
			want:     []string{"u1 + - provider_only, priced: 0.0000105 of UNALLOCATED", "- + r1 agent_only, estimated: 0.003 of CC-1"},
		},
		{
			name:     "usage may still come",
			usage:    []usage{{RequestID: "u1", At: "2026-10-28 10:00:00", Tokens: counts(7, 0)}},
			requests: []request{{ID: "r1", At: "2026-10-28 11:00:00", User: ana, Tokens: counts(1_000, 0)}},
			want:     []string{"u1 + - provider_only, priced: 0.000021 of UNALLOCATED", "- + r1 agent_only, pending: null of CC-1"},
		},
		{
			name:     "an answer from the gateway's cache is not doubtful",
			usage:    []usage{{RequestID: "u1", At: ten, Tokens: counts(7, 0)}},
			requests: []request{{ID: "r1", At: ten, User: ana, CacheHit: true, Tokens: counts(1_000, 0)}},
			want:     []string{"u1 + - provider_only, priced: 0.000021 of UNALLOCATED", "- + r1 agent_only, priced: 0.00 of CC-1"},
		},
	}
}
