package warehousetest

import (
	"slices"

	"pgregory.net/rapid"

	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
)

var replaceTests = []test{
	{"days are replaced", begin(testReplaceDays)},
	{"days are replaced in part", begin(testReplaceWhere)},
	{"what tables will hold", begin(testAfter)},
}

// days reads dates that a test wrote.
func days(texts ...string) (all []civil.Date) {
	for _, s := range texts {
		all = append(all, day(s))
	}
	return all
}

func testReplaceDays(w *world) {
	w.apply(warehouse.Append{Table: "facts", Rows: [][]any{
		fact(1, "2026-09-30", "blue", 1), fact(2, "2026-10-01", "blue", 2), fact(3, "2026-10-02", "blue", 3), fact(4, "2026-10-31", "blue", 4), fact(5, "0001-01-01", "blue", 5),
	}})
	// days of the table alone, of both, of the work table alone, and of neither; one twice
	change := warehouse.ReplaceDays{Table: "facts", Days: days("2026-10-31", "2026-10-01", "2026-12-24", "2026-10-15", "2026-10-01"), From: "work"}
	w.compute("work", "select id + 10 as id, calls, team, {usd(calls)} as amount, day, 'more' as surplus from {facts} where day = {@day} union all select 20, 7, 'red', {usd(7)}, {@later}, 'more'",
		warehouse.Args{"day": day("2026-10-01"), "later": day("2026-12-24")})
	want := [][]any{{int64(1), "blue", int64(1)}, {int64(3), "blue", int64(3)}, {int64(5), "blue", int64(5)}, {int64(12), "blue", int64(2)}, {int64(20), "red", int64(7)}}
	for range 2 {
		w.apply(change)
		w.equal("rows", want, w.facts())
	}
	w.reopen()
	w.equal("rows after opening again", want, w.facts())
	w.must(w.Put(w.ctx, "work", facts.Columns, nil))
	all := make([]civil.Date, 3_000)
	for i := range all {
		all[i] = day("2020-01-01").AddDays(i)
	}
	w.apply(warehouse.ReplaceDays{Table: "facts", Days: all, From: "work"})
	w.equal("rows once many days have none", [][]any{{int64(5), "blue", int64(5)}}, w.facts())
}

// Goal: a condition narrows what goes and what comes; a row for which it is null
// stays.
func testReplaceWhere(w *world) {
	w.apply(warehouse.Append{Table: "facts", Rows: [][]any{
		fact(1, "2026-10-31", "blue", 1), fact(2, "2026-10-31", "red", 2), fact(3, "2026-10-30", "blue", 3), fact(4, "2026-10-31", "green", 4), {5, day("2026-10-31"), nil, 5, nil},
	}})
	w.must(w.Put(w.ctx, "work", facts.Columns, [][]any{fact(11, "2026-10-31", "blue", 11), fact(12, "2026-10-31", "red", 12), fact(14, "2026-10-31", "yellow", 14), {15, day("2026-10-31"), nil, 15, nil}}))
	w.apply(warehouse.ReplaceDays{Table: "facts", Days: days("2026-10-31"), From: "work", Where: "team = {@team} or team = 'yellow'", Args: warehouse.Args{"team": "blue"}})
	w.equal("rows", [][]any{
		{int64(2), "red", int64(2)}, {int64(3), "blue", int64(3)}, {int64(4), "green", int64(4)}, {int64(5), nil, int64(5)}, {int64(11), "blue", int64(11)}, {int64(14), "yellow", int64(14)},
	}, w.facts())
}

// Goal: After says before changes what the tables hold after them.
// Method: random rows, days and conditions, and rows that are appended before or
// after; read the views, make the changes, and read the tables.
func testAfter(w *world) {
	wheres := []string{"", "team = {@team}", "team = {@team} or calls > 3", "team is null", "false"}
	some := days("2026-10-29", "2026-10-30", "2026-10-31", "2026-11-01", "0001-01-01", "9999-12-31")
	rapid.Check(w.test, func(t *rapid.T) {
		w := &world{TB: t, Warehouse: w.Warehouse, ctx: w.ctx}
		id := 0
		draw := func(what string, days []civil.Date) (rows [][]any) {
			for range rapid.IntRange(0, 6).Draw(t, what) {
				id++
				row := []any{id, rapid.SampledFrom(days).Draw(t, "day"), nil, rapid.IntRange(1, 5).Draw(t, "calls"), nil}
				if rapid.IntRange(0, 3).Draw(t, "team") > 0 {
					row[2] = rapid.SampledFrom([]string{"blue", "red"}).Draw(t, "team")
				}
				rows = append(rows, row)
			}
			return rows
		}
		changes := []warehouse.Change{warehouse.Append{Table: "probe", From: "words_of_teams"}}
		for i := range rapid.IntRange(1, 3).Draw(t, "changes") {
			from, fromDays := "work_"+string(rune('a'+i)), some
			if rapid.IntRange(0, 2).Draw(t, "append") == 0 {
				changes = append(changes, warehouse.Append{Table: "facts", From: from})
			} else {
				change := warehouse.ReplaceDays{Table: "facts", From: from, Where: rapid.SampledFrom(wheres).Draw(t, "where"), Args: warehouse.Args{"team": "blue"}}
				change.Days = slices.Compact(slices.SortedFunc(slices.Values(rapid.SliceOfN(rapid.SampledFrom(some), 1, 4).Draw(t, "days")), civil.Date.Compare))
				changes, fromDays = append(changes, change), change.Days
			}
			w.must(w.Put(w.ctx, from, facts.Columns, draw("rows that come", fromDays)))
		}
		w.must(w.Put(w.ctx, "words_of_teams", probe.Columns, [][]any{probed(1, "word", "blue")}))
		w.apply(warehouse.Delete{Table: "facts", Where: bounds}, warehouse.Delete{Table: "probe", Where: "true"}, warehouse.Append{Table: "facts", Rows: draw("rows", some)})

		views, args := layout.After(changes...)
		read := warehouse.Select{Text: "select f.id, f.day, f.team, f.calls, f.amount, p.word from {facts} as f left join {probe} as p on p.word = f.team where f." + bounds + " order by f.id"}
		var before, after [][]any
		w.must(warehouse.With(w, views, args).Query(w.ctx, read, func(r warehouse.Row) error { before = append(before, readable(r.Values...)); return nil }))
		w.apply(changes...)
		w.must(w.Query(w.ctx, read, func(r warehouse.Row) error { after = append(after, readable(r.Values...)); return nil }))
		w.equal("rows that were foretold", before, after)
	})
}
