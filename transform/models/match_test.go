package models_test

import (
	"fmt"
	"testing"
)

// Goal: each usage row finds the one request it belongs to by the first key
// that hits, or none; nothing is charged twice and no fee is charged twice.
// Method: worlds around every key, with the others leading elsewhere.
func TestMatch(t *testing.T) {
	const at, soon, later = "2026-10-05 10:00:00", "2026-10-05 10:00:01", "2026-10-05 10:00:02"
	book := plainBook()
	book.Fees[0].Tools = map[string]int64{"search": 10_000_000_000}
	table{
		book: book,
		show: func(r costRecord, n names) string {
			by := r.match
			if r.rung != "" {
				by += " by " + r.rung
			}
			return fmt.Sprintf("%s + %s %s, %s: %s + %s", n.of(r.usage), n.of(r.request), by, r.pricing, r.infra, r.tool)
		},
		worlds: append(ladderWorlds(at, soon), append(ambiguousWorlds(at, soon, later), retryWorlds(at, soon, later)...)...),
	}.run(t)
}

func ladderWorlds(at, soon string) []world {
	return []world{
		{
			name:     "request id",
			usage:    []usage{{RequestID: "u1", At: at}},
			requests: []request{{ID: "r1", RequestID: "u1", At: soon, Tools: "search:1", ToolCalls: 1}},
			want:     []string{"u1 + r1 matched by request id, priced: 0.0001 + 0.01"},
		},
		{
			name:     "response id",
			usage:    []usage{{RequestID: "u1", ResponseID: "msg1", At: at}},
			requests: []request{{ID: "r1", ResponseID: "msg1", At: soon}},
			want:     []string{"u1 + r1 matched by response id, priced: 0.0001 + 0.00"},
		},
		{
			name:     "client reference",
			usage:    []usage{{RequestID: "u1", ClientRef: "ref1", At: at}},
			requests: []request{{ID: "r1", ClientRef: "ref1", At: soon}},
			want:     []string{"u1 + r1 matched by client reference, priced: 0.0001 + 0.00"},
		},
		{
			name:     "a request without a reference is known by its own id",
			usage:    []usage{{RequestID: "u1", ClientRef: "r1", At: at}},
			requests: []request{{ID: "r1", At: soon}},
			want:     []string{"u1 + r1 matched by client reference, priced: 0.0001 + 0.00"},
		},
		{
			name:     "a request with a reference is not known by its own id",
			usage:    []usage{{RequestID: "u1", ClientRef: "r1", At: at}},
			requests: []request{{ID: "r1", ClientRef: "ref1", At: soon}},
			want:     []string{"- + r1 agent_only, doubtful: null + null", "u1 + - provider_only, priced: 0.0001 + 0.00"},
		},
		{
			name:     "request id goes before the others",
			usage:    []usage{{RequestID: "u1", ResponseID: "msg1", ClientRef: "r3", At: at}},
			requests: []request{{ID: "r3", At: at}, {ID: "r2", ResponseID: "msg1", At: at}, {ID: "r1", RequestID: "u1", At: at}},
			want: []string{
				"- + r3 agent_only, doubtful: null + null", "- + r2 agent_only, doubtful: null + null",
				"u1 + r1 matched by request id, priced: 0.0001 + 0.00",
			},
		},
		{
			name:     "response id goes before the client reference",
			usage:    []usage{{RequestID: "u1", ResponseID: "msg1", ClientRef: "r2", At: at}},
			requests: []request{{ID: "r2", At: at}, {ID: "r1", ResponseID: "msg1", At: at}},
			want:     []string{"- + r2 agent_only, doubtful: null + null", "u1 + r1 matched by response id, priced: 0.0001 + 0.00"},
		},
		{
			name:     "ids that differ in case are different",
			usage:    []usage{{RequestID: "u1", ResponseID: "msg_A", At: at}},
			requests: []request{{ID: "r1", RequestID: "U1", ResponseID: "msg_a", At: at}},
			want:     []string{"- + r1 agent_only, doubtful: null + null", "u1 + - provider_only, priced: 0.0001 + 0.00"},
		},
		{
			name:     "a key on the wrong rung doesn't match",
			usage:    []usage{{RequestID: "x1", ResponseID: "x2", ClientRef: "x3", At: at}},
			requests: []request{{ID: "x1", RequestID: "x2", ResponseID: "x3", ClientRef: "x1", At: at}},
			want:     []string{"- + x1 agent_only, doubtful: null + null", "x1 + - provider_only, priced: 0.0001 + 0.00"},
		},
		{
			name:     "what has no id matches nothing",
			usage:    []usage{{Key: "u1", At: at}, {Key: "u2", At: at}},
			requests: []request{{ID: "r1", At: at}},
			want: []string{
				"- + r1 agent_only, doubtful: null + null",
				"u1 + - provider_only, priced: 0.0001 + 0.00", "u2 + - provider_only, priced: 0.0001 + 0.00",
			},
		},
		{
			name:     "an answer from the gateway's cache never matches",
			usage:    []usage{{RequestID: "u1", ResponseID: "msg1", ClientRef: "r1", At: at}},
			requests: []request{{ID: "r1", RequestID: "u1", ResponseID: "msg1", At: soon, CacheHit: true}},
			want:     []string{"- + r1 agent_only, priced: 0.00002 + 0.00", "u1 + - provider_only, priced: 0.0001 + 0.00"},
		},
		{
			name:     "nor does it make its first request ambiguous",
			usage:    []usage{{RequestID: "u1", At: at}},
			requests: []request{{ID: "r2", RequestID: "u1", At: soon, CacheHit: true}, {ID: "r1", RequestID: "u1", At: at}},
			want:     []string{"- + r2 agent_only, priced: 0.00002 + 0.00", "u1 + r1 matched by request id, priced: 0.0001 + 0.00"},
		},
		{
			name:     "either side of midnight in the billing zone",
			usage:    []usage{{RequestID: "u1", At: "2026-10-05 22:00:00"}, {RequestID: "u2", At: "2026-10-05 21:59:59"}},
			requests: []request{{ID: "r1", RequestID: "u1", At: "2026-10-05 21:59:59"}, {ID: "r2", RequestID: "u2", At: "2026-10-05 22:00:00"}},
			want:     []string{"u1 + r1 matched by request id, priced: 0.0001 + 0.00", "u2 + r2 matched by request id, priced: 0.0001 + 0.00"},
		},
		{
			name: "an id of another day is another id",
			usage: []usage{
				{RequestID: "u1", At: "2026-10-05 10:00:00"}, {RequestID: "u2", ResponseID: "msg2", At: "2026-10-05 10:00:00"},
				{RequestID: "u3", ClientRef: "r3", At: "2026-10-05 10:00:00"}, {RequestID: "u4", At: "2026-10-05 10:00:00"},
			},
			requests: []request{
				{ID: "r1", RequestID: "u1", At: "2026-10-07 10:00:00"}, {ID: "r2", ResponseID: "msg2", At: "2026-10-06 10:00:00"},
				{ID: "r3", At: "2026-10-04 10:00:00"}, {ID: "r4", RequestID: "u4", At: "2026-10-06 09:00:00"},
			},
			want: []string{
				"- + r1 agent_only, estimated: 0.0001 + 0.00", "- + r2 agent_only, estimated: 0.0001 + 0.00", "- + r3 agent_only, estimated: 0.0001 + 0.00",
				"u1 + - provider_only, priced: 0.0001 + 0.00", "u2 + - provider_only, priced: 0.0001 + 0.00", "u3 + - provider_only, priced: 0.0001 + 0.00",
				"u4 + r4 matched by request id, priced: 0.0001 + 0.00",
			},
		},
		{
			name:     "a failed request whose usage was metered",
			usage:    []usage{{RequestID: "u1", At: at}},
			requests: []request{{ID: "r1", RequestID: "u1", At: at, Failed: true}},
			want:     []string{"u1 + r1 matched by request id, priced: 0.0001 + 0.00"},
		},
	}
}

func ambiguousWorlds(at, soon, later string) []world {
	return []world{
		{
			name:     "two requests have the request id",
			usage:    []usage{{RequestID: "u1", ResponseID: "msg1", ClientRef: "r3", At: at}},
			requests: []request{{ID: "r1", RequestID: "u1", At: at}, {ID: "r2", RequestID: "u1", At: soon}, {ID: "r3", ResponseID: "msg1", At: at}},
			want: []string{
				"- + r1 ambiguous, not_billed: 0.00 + 0.00", "- + r2 ambiguous, not_billed: 0.00 + 0.00", "- + r3 agent_only, doubtful: null + null",
				"u1 + - ambiguous, priced: 0.0001 + 0.00",
			},
		},
		{
			name:     "two requests have the response id",
			usage:    []usage{{RequestID: "u1", ResponseID: "msg1", ClientRef: "r3", At: at}},
			requests: []request{{ID: "r1", ResponseID: "msg1", At: at}, {ID: "r2", ResponseID: "msg1", At: soon}, {ID: "r3", At: at}},
			want: []string{
				"- + r1 ambiguous, not_billed: 0.00 + 0.00", "- + r2 ambiguous, not_billed: 0.00 + 0.00", "- + r3 agent_only, doubtful: null + null",
				"u1 + - ambiguous, priced: 0.0001 + 0.00",
			},
		},
		{
			name:     "two requests have the client reference, one as its own id",
			usage:    []usage{{RequestID: "u1", ClientRef: "r1", At: at}},
			requests: []request{{ID: "r1", At: at}, {ID: "r2", ClientRef: "r1", At: soon}},
			want: []string{
				"- + r1 ambiguous, not_billed: 0.00 + 0.00", "- + r2 ambiguous, not_billed: 0.00 + 0.00", "u1 + - ambiguous, priced: 0.0001 + 0.00",
			},
		},
		{
			name:     "an answer from the cache is its own, also beside ambiguous requests",
			usage:    []usage{{RequestID: "u1", ResponseID: "msg1", At: at}},
			requests: []request{{ID: "r1", RequestID: "u1", At: at}, {ID: "r2", RequestID: "u1", At: soon}, {ID: "r3", RequestID: "u1", At: later, CacheHit: true}},
			want: []string{
				"- + r1 ambiguous, not_billed: 0.00 + 0.00", "- + r2 ambiguous, not_billed: 0.00 + 0.00",
				"- + r3 agent_only, priced: 0.00002 + 0.00", "u1 + - ambiguous, priced: 0.0001 + 0.00",
			},
		},
		{
			name:     "an id is only shared by requests that are near",
			usage:    []usage{{RequestID: "u1", At: "2026-10-05 10:00:00"}},
			requests: []request{{ID: "r1", RequestID: "u1", At: "2026-10-05 10:00:01"}, {ID: "r2", RequestID: "u1", At: "2026-10-06 10:00:01"}},
			want:     []string{"- + r2 agent_only, estimated: 0.0001 + 0.00", "u1 + r1 matched by request id, priced: 0.0001 + 0.00"},
		},
		{
			name:     "a request that is no candidate stays out of it",
			usage:    []usage{{RequestID: "u1", At: "2026-10-05 10:00:00"}},
			requests: []request{{ID: "r1", RequestID: "u1", At: "2026-10-05 10:00:01"}, {ID: "r2", RequestID: "u1", At: "2026-10-05 10:00:02"}, {ID: "r3", RequestID: "u1", At: "2026-10-06 10:00:01"}},
			want: []string{
				"- + r1 ambiguous, not_billed: 0.00 + 0.00", "- + r2 ambiguous, not_billed: 0.00 + 0.00", "- + r3 agent_only, estimated: 0.0001 + 0.00",
				"u1 + - ambiguous, priced: 0.0001 + 0.00",
			},
		},
		{
			name:     "an ambiguous request that has usage by another key",
			usage:    []usage{{RequestID: "u1", At: at}, {RequestID: "u2", ResponseID: "msg1", At: at}},
			requests: []request{{ID: "r1", RequestID: "u1", ResponseID: "msg1", At: at}, {ID: "r2", RequestID: "u1", At: at}},
			want: []string{
				"- + r2 ambiguous, not_billed: 0.00 + 0.00",
				"u1 + - ambiguous, priced: 0.0001 + 0.00", "u2 + r1 matched by response id, priced: 0.0001 + 0.00",
			},
		},
		{
			name:     "a duplicate is no second request",
			usage:    []usage{{RequestID: "u1", At: at}},
			requests: []request{{ID: "r1", RequestID: "u1", At: at}, {ID: "r1", RequestID: "u1", At: at}},
			want:     []string{"u1 + r1 matched by request id, priced: 0.0001 + 0.00", "r1 of first.json: duplicate"},
		},
	}
}

func retryWorlds(at, soon, later string) []world {
	tools := request{ID: "r1", RequestID: "u2", At: at, Tools: "search:1", ToolCalls: 1}
	return []world{
		{
			name:     "a retry that was billed twice: fees once, on the earliest row",
			usage:    []usage{{RequestID: "u3", ClientRef: "r1", At: later}, {RequestID: "u2", At: soon}, {RequestID: "u1", ClientRef: "r1", At: at}},
			requests: []request{tools},
			want: []string{
				"u3 + r1 matched by client reference, priced: 0.00 + 0.00", "u2 + r1 matched by request id, priced: 0.00 + 0.00",
				"u1 + r1 matched by client reference, priced: 0.0001 + 0.01",
			},
		},
		{
			name:     "a retry after an error: fees on the earliest billed row",
			usage:    []usage{{RequestID: "u1", ClientRef: "r1", At: at, Failed: true}, {RequestID: "u2", At: soon}, {RequestID: "u3", ClientRef: "r1", At: later}},
			requests: []request{tools},
			want: []string{
				"u1 + r1 matched by client reference, not_billed: 0.00 + 0.00", "u2 + r1 matched by request id, priced: 0.0001 + 0.01",
				"u3 + r1 matched by client reference, priced: 0.00 + 0.00",
			},
		},
		{
			name:     "nothing but errors: no fees",
			usage:    []usage{{RequestID: "u1", ClientRef: "r1", At: at, Failed: true}, {RequestID: "u2", At: soon, Failed: true}},
			requests: []request{tools},
			want:     []string{"u1 + r1 matched by client reference, not_billed: 0.00 + 0.00", "u2 + r1 matched by request id, not_billed: 0.00 + 0.00"},
		},
		{
			name:     "a retry across midnight",
			usage:    []usage{{RequestID: "u2", At: "2026-10-05 22:00:01"}, {RequestID: "u1", ClientRef: "r1", At: "2026-10-05 21:59:59"}},
			requests: []request{{ID: "r1", RequestID: "u2", At: "2026-10-05 21:59:58", Tools: "search:1", ToolCalls: 1}},
			want:     []string{"u2 + r1 matched by request id, priced: 0.00 + 0.00", "u1 + r1 matched by client reference, priced: 0.0001 + 0.01"},
		},
	}
}
