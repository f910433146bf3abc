package models_test

import (
	"testing"

	"chargeback/extract/record"
)

func input(n int64) record.Tokens { return record.Tokens{InputUncached: n} }

// Goal: of each record exactly one row counts, the same one in every order, and
// what contradicts itself counts not at all.
// Method: copies of a row in one or several objects, alike or not.
func TestDedupe(t *testing.T) {
	const at, later = "2026-10-05 10:00:00", "2026-10-05 10:00:01"
	table{
		book: plainBook(),
		show: func(r costRecord, n names) string {
			from := r.usage.object
			if from == "" {
				from = r.request.object
			}
			return n.of(r.usage) + " + " + n.of(r.request) + " of " + from + ": " + r.total
		},
		worlds: []world{
			{
				name:  "a row alone",
				usage: []usage{{RequestID: "u1", At: at, Tokens: input(1_000)}},
				want:  []string{"u1 + - of first.json: 0.0031"},
			},
			{
				name:  "the same row in another object",
				usage: []usage{{RequestID: "u1", At: at, Object: "second.json"}, {RequestID: "u1", At: at}},
				want:  []string{"u1 + - of first.json: 0.0001", "u1 of second.json: duplicate"},
			},
			{
				name:  "the same row twice in one object",
				usage: []usage{{RequestID: "u1", At: at}, {RequestID: "u1", At: at}},
				want:  []string{"u1 + - of first.json: 0.0001", "u1 of first.json: duplicate"},
			},
			{
				name:  "the same row three times: the first object by name counts",
				usage: []usage{{RequestID: "u1", At: at, Object: "c"}, {RequestID: "u1", At: at, Object: "a"}, {RequestID: "u1", At: at, Object: "b"}},
				want:  []string{"u1 + - of a: 0.0001", "u1 of c: duplicate", "u1 of b: duplicate"},
			},
			{
				name:  "partial, then final",
				usage: []usage{{RequestID: "u1", At: at, Partial: true, Tokens: input(1)}, {RequestID: "u1", At: at, Object: "second.json", Tokens: input(1_000)}},
				want:  []string{"u1 + - of second.json: 0.0031", "u1 of first.json: duplicate"},
			},
			{
				name:  "final, then partial",
				usage: []usage{{RequestID: "u1", At: at, Tokens: input(1_000)}, {RequestID: "u1", At: at, Object: "second.json", Partial: true, Tokens: input(1)}},
				want:  []string{"u1 + - of first.json: 0.0031", "u1 of second.json: duplicate"},
			},
			{
				name:     "an event and the span that it lies beside",
				requests: []request{{ID: "q1", At: later, Tokens: input(1_000)}, {ID: "q1", At: at, Tokens: input(1_000), Span: true, Object: "second.json"}},
				want:     []string{"- + q1 of second.json: 0.0031", "q1 of first.json: duplicate"},
			},
			{
				name:  "an error, then final",
				usage: []usage{{RequestID: "u1", At: at, Failed: true}, {RequestID: "u1", At: later, Tokens: input(1_000)}},
				want:  []string{"u1 + - of first.json: 0.0031", "u1 of first.json: duplicate"},
			},
			{
				name:  "an error and a partial row",
				usage: []usage{{RequestID: "u1", At: at, Failed: true}, {RequestID: "u1", At: at, Partial: true, Tokens: input(1_000)}},
				want:  []string{"u1 + - of first.json: 0.0031", "u1 of first.json: duplicate"},
			},
			{
				name:  "two partial rows that differ, and a final one",
				usage: []usage{{RequestID: "u1", At: at, Partial: true, Tokens: input(1)}, {RequestID: "u1", At: at, Partial: true, Tokens: input(2)}, {RequestID: "u1", At: at, Tokens: input(1_000)}},
				want:  []string{"u1 + - of first.json: 0.0031", "u1 of first.json: duplicate", "u1 of first.json: duplicate"},
			},
			{
				name:  "two final rows that differ",
				usage: []usage{{RequestID: "u1", At: at, Tokens: input(1)}, {RequestID: "u1", At: at, Tokens: input(2)}},
				want:  []string{"u1 of first.json: conflict", "u1 of first.json: conflict"},
			},
			{
				name:  "two final rows that differ in their model only",
				usage: []usage{{RequestID: "u1", At: at}, {RequestID: "u1", At: at, Model: "haiku"}},
				want:  []string{"u1 of first.json: conflict", "u1 of first.json: conflict"},
			},
			{
				name:  "two final rows that differ, one of them again, and a partial one",
				usage: []usage{{RequestID: "u1", At: at, Tokens: input(1)}, {RequestID: "u1", At: at, Partial: true}, {RequestID: "u1", At: at, Tokens: input(2)}, {RequestID: "u1", At: at, Tokens: input(1)}},
				want:  []string{"u1 of first.json: conflict", "u1 of first.json: duplicate", "u1 of first.json: conflict", "u1 of first.json: conflict"},
			},
			{
				name:  "the same key on another day is another row",
				usage: []usage{{RequestID: "u1", At: at}, {RequestID: "u1", At: "2026-10-07 10:00:00"}},
				want:  []string{"u1 + - of first.json: 0.0001", "u1 + - of first.json: 0.0001"},
			},
			{
				name:     "the same request in another object",
				usage:    []usage{{RequestID: "u1", At: at}},
				requests: []request{{ID: "r1", RequestID: "u1", At: at}, {ID: "r1", RequestID: "u1", At: at, Object: "second.json"}},
				want:     []string{"u1 + r1 of first.json: 0.0001", "r1 of second.json: duplicate"},
			},
			{
				name:     "a failure, then success under the same id",
				requests: []request{{ID: "r1", At: at, Failed: true}, {ID: "r1", At: later, Tokens: input(1_000)}},
				want:     []string{"- + r1 of first.json: 0.0031", "r1 of first.json: duplicate"},
			},
			{
				name:     "two requests that share their id and differ own nothing",
				usage:    []usage{{RequestID: "u1", At: at}},
				requests: []request{{ID: "r1", RequestID: "u1", At: at, User: "user001@example.com"}, {ID: "r1", RequestID: "u1", At: at, User: "user002@example.com"}},
				want:     []string{"u1 + - of first.json: 0.0001", "r1 of first.json: conflict", "r1 of first.json: conflict"},
			},
		},
	}.run(t)
}
