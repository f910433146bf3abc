package warehousetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

var applyTests = []test{
	{"changes are made in their order", begin(testApply)},
	{"nothing is kept beside a guard", begin(wholeBeside("a guard"))},
	{"nothing is kept beside days that can't be replaced", begin(wholeBeside("replace"))},
	{"nothing is kept beside rows that can't be appended", begin(wholeBeside("append"))},
	{"nothing is kept beside an update that fails", begin(wholeBeside("update"))},
	{"nothing is kept beside a delete that fails", begin(wholeBeside("delete"))},
	{"changes are kept where none fails", begin(wholeBeside("nothing"))},
	{"changes that are cancelled are not made", begin(testCancelledApply)},
	{"appending a work table", begin(testAppendFrom)},
	{"rows by key", begin(testPutByKey)},
	{"conditions that read other tables", begin(testConditions)},
	{"values that depend on the row", begin(testExpression)},
	{"conditions that fail on a row", begin(testFailingCondition)},
	{"changes that are none", begin(testNoChange)},
}

// facts are the ids, teams and calls in facts, in order.
func (w *world) facts() [][]any {
	w.Helper()
	return w.rows("select id, team, calls from {facts} where "+bounds+" order by id, calls", nil)
}

func testApply(w *world) {
	w.apply()
	w.apply(
		warehouse.Append{Table: "probe", Rows: [][]any{probed(1, "word", "one"), probed(2, "word", "two"), probed(3, "word", "three")}},
		warehouse.Update{Table: "probe", Set: warehouse.Args{"word": "set", "whole": 7}, Where: "id >= {@least}", Args: warehouse.Args{"least": 2}},
		warehouse.Guard{Count: warehouse.Select{Text: "select count(*) - 2 as n from {probe} where word = 'set' and whole = 7"}},
		warehouse.Delete{Table: "probe", Where: "id = 2"},
		warehouse.Append{Table: "probe", Rows: [][]any{probed(4, "word", "four")}},
		warehouse.Update{Table: "probe", Set: warehouse.Args{"whole": nil}, Where: "true"},
	)
	want := [][]any{{int64(1), "one", nil}, {int64(3), "set", nil}, {int64(4), "four", nil}}
	w.equal("rows", want, w.rows("select id, word, whole from {probe} order by id", nil))
	w.reopen()
	w.equal("rows after opening again", want, w.rows("select id, word, whole from {probe} order by id", nil))
}

// Goal: no change is kept beside one that fails, whichever kinds they are.
// Method: each of those that fail before and after one that doesn't, whose kinds
// take turns; in parts, by the kind of what fails.
func wholeBeside(kind string) func(*world) { return func(w *world) { w.whole(kind) } }

func (w *world) whole(part string) {
	w.apply(warehouse.Append{Table: "facts", Rows: [][]any{fact(1, "2026-10-30", "blue", 3), fact(2, "2026-10-31", "red", 4)}})
	w.must(w.Put(w.ctx, "work", facts.Columns, [][]any{fact(5, "2026-10-31", "work", 6)}))
	w.must(w.Put(w.ctx, "short", facts.Columns[:2], [][]any{{6, day("2026-10-31")}}))
	w.must(w.Put(w.ctx, "odd", []record.Column{{Name: "id", Type: record.Text}}, [][]any{{"seven"}}))
	before := w.facts()
	own := errors.New("counted")
	good := map[string]warehouse.Change{
		"replace":     warehouse.ReplaceDays{Table: "facts", Days: days("2026-10-31"), From: "work"},
		"append rows": warehouse.Append{Table: "facts", Rows: [][]any{fact(3, "2026-10-30", "green", 5)}},
		"append from": warehouse.Append{Table: "facts", From: "work"},
		"update":      warehouse.Update{Table: "facts", Set: warehouse.Args{"calls": 9}, Where: bounds},
		"delete":      warehouse.Delete{Table: "facts", Where: bounds},
	}
	bad := map[string]struct {
		change warehouse.Change
		words  []string
	}{
		"a guard":                      {warehouse.Guard{Count: warehouse.Select{Text: "select count(*) as n from {facts} where " + bounds + " union all select 1 as n"}}, []string{"row"}},
		"a guard that counts":          {warehouse.Guard{Count: warehouse.Select{Text: "select 1 as n"}, Err: own}, []string{"counted"}},
		"replace of no table":          {warehouse.ReplaceDays{Table: "nowhere", Days: days("2026-10-31"), From: "work"}, []string{"nowhere"}},
		"replace by no table":          {warehouse.ReplaceDays{Table: "facts", Days: days("2026-10-31"), From: "nowhere"}, []string{"facts", "nowhere"}},
		"replace of no days":           {warehouse.ReplaceDays{Table: "facts", From: "work"}, []string{"facts", "days"}},
		"replace where there are none": {warehouse.ReplaceDays{Table: "probe", Days: days("2026-10-31"), From: "work"}, []string{"probe", "days"}},
		"replace by too few columns":   {warehouse.ReplaceDays{Table: "facts", Days: days("2026-10-31"), From: "short"}, []string{"facts", "short", "team"}},
		"replace by other types":       {warehouse.ReplaceDays{Table: "facts", Days: days("2026-10-31"), From: "odd"}, []string{"facts", "odd", "id"}},
		"replace where a column isn't": {warehouse.ReplaceDays{Table: "facts", Days: days("2026-10-31"), From: "work", Where: "colour = 'red'"}, []string{"facts", "colour"}},
		"append to no table":           {warehouse.Append{Table: "nowhere", Rows: [][]any{{1}}}, []string{"nowhere"}},
		"append to a view":             {warehouse.Append{Table: "team_facts", Rows: [][]any{{1}}}, []string{"team_facts"}},
		"append to a work table":       {warehouse.Append{Table: "work", Rows: [][]any{fact(1, "2026-10-30", "blue", 3)}}, []string{"work"}},
		"append of a wrong row":        {warehouse.Append{Table: "facts", Rows: [][]any{{"seven", day("2026-10-31"), nil, 1, nil}}}, []string{"facts", "id"}},
		"append from no table":         {warehouse.Append{Table: "facts", From: "nowhere"}, []string{"facts", "nowhere"}},
		"append without a value":       {warehouse.Append{Table: "facts", From: "short"}, []string{"facts", "calls"}},
		"append of other types":        {warehouse.Append{Table: "probe", From: "odd"}, []string{"probe", "odd", "id"}},
		"append of other columns":      {warehouse.Append{Table: "probe", From: "work"}, []string{"probe", "work", "calls"}},
		"update of no table":           {warehouse.Update{Table: "nowhere", Set: warehouse.Args{"calls": 1}, Where: "true"}, []string{"nowhere"}},
		"update of no column":          {warehouse.Update{Table: "facts", Set: warehouse.Args{"colour": 1}, Where: bounds}, []string{"facts", "colour"}},
		"update without condition":     {warehouse.Update{Table: "facts", Set: warehouse.Args{"calls": 1}}, []string{"facts", "condition"}},
		"update where a column isn't":  {warehouse.Update{Table: "facts", Set: warehouse.Args{"calls": 1}, Where: "colour = 1 and " + bounds}, []string{"facts", "colour"}},
		"delete from no table":         {warehouse.Delete{Table: "nowhere", Where: "true"}, []string{"nowhere"}},
		"delete without condition":     {warehouse.Delete{Table: "facts"}, []string{"facts", "condition"}},
		"delete where no value is":     {warehouse.Delete{Table: "facts", Where: "id = {@id}"}, []string{"facts", "@id"}},
	}
	kinds := slices.Sorted(maps.Keys(good))
	for i, name := range slices.Sorted(maps.Keys(bad)) {
		if !strings.HasPrefix(name, part) {
			continue
		}
		fails, kind := bad[name], kinds[i%len(kinds)]
		for _, changes := range [][]warehouse.Change{{good[kind], fails.change}, {fails.change, good[kind]}} {
			what := fmt.Sprint(kind, " and ", name)
			err := w.Apply(w.ctx, changes...)
			w.refused(what, err, fails.words...)
			if name == "a guard that counts" {
				w.is(what, err, own)
			}
			w.equal("rows after "+what, before, w.facts())
		}
		loaded := w.mustLoad(stagedSchema, stagedRow(1, "2026-10-31", "one"))
		w.refused("loaded rows and "+name, w.Apply(w.ctx, loaded, fails.change), fails.words...)
		w.equal("loaded rows after "+name, "", w.staged())
	}
	for kind, change := range good {
		if part != "nothing" {
			break
		}
		w.apply(change)
		w.apply(warehouse.Delete{Table: "facts", Where: bounds}, warehouse.Append{Table: "facts", Rows: [][]any{fact(1, "2026-10-30", "blue", 3), fact(2, "2026-10-31", "red", 4)}})
		w.equal("rows after "+kind+" alone", before, w.facts())
	}
	w.equal("the work table", int64(1), w.count("work"))
}

func testCancelledApply(w *world) {
	ctx, stop := context.WithCancel(w.ctx)
	stop()
	one := warehouse.Append{Table: "probe", Rows: [][]any{probed(1, "", nil)}}
	w.is("a change that was cancelled before", w.Apply(ctx, one), context.Canceled)
	loaded := w.mustLoad(stagedSchema, stagedRow(1, "2026-10-31", "one"))
	w.is("what was loaded, cancelled before", w.Apply(ctx, loaded, one), context.Canceled)
	w.equal("rows", []int64{0, 0}, []int64{w.count("probe"), w.count("staged")})
	w.refused("it, after that", w.Apply(w.ctx, loaded), "staged")
	w.apply(one)
	w.equal("rows of the next", int64(1), w.count("probe"))
}

func testAppendFrom(w *world) {
	w.compute("work", "select {@day} as on_day, 'a word' as word, 7 as id, {usd(3)} as amount", warehouse.Args{"day": day("2026-10-31")})
	w.apply(warehouse.Append{Table: "probe", From: "work"})
	w.equal("a row, with null in the rest", [][]any{readable(7, "a word", nil, nil, nil, day("2026-10-31"), usd("0.000000000003"), nil)}, w.rows("select "+probe.ColumnNames()+" from {probe}", nil))
	w.compute("work", "select count(*) as id, sum(id) as whole from {probe}", nil)
	w.apply(warehouse.Append{Table: "probe", From: "work"})
	w.equal("columns of one that was computed again", [][]any{{int64(1), int64(7)}}, w.rows("select id, whole from {probe} where whole is not null", nil))
	w.compute("work", "select id from {probe} where false", nil)
	w.apply(warehouse.Append{Table: "probe", From: "work"})
	w.equal("rows after one of none", int64(2), w.count("probe"))
	for column, value := range map[string]string{"colour": "2", "whole": "'seven'", "amount": "7", "word": "7", "flag": "1", "on_day": "timestamp '2026-10-31 00:00:00'", "at_time": "date '2026-10-31'"} {
		w.compute("work", "select 1 as id, "+value+" as "+column, nil)
		w.refused(value+" as "+column, w.Apply(w.ctx, warehouse.Append{Table: "probe", From: "work"}), "probe", "work", column)
	}
	w.refused("rows and a work table", w.Apply(w.ctx, warehouse.Append{Table: "probe", From: "work", Rows: [][]any{probed(1, "", nil)}}), "probe", "work")
	w.equal("rows after wrong ones", int64(2), w.count("probe"))
}

func testPutByKey(w *world) {
	put := func(rows ...[]any) { w.apply(warehouse.Put(probe, []string{"id", "word"}, rows...)...) }
	put([]any{1, "a", 1, nil, nil, nil, nil, nil}, []any{1, "b", 2, nil, nil, nil, nil, nil})
	put([]any{1, "b", 3, nil, nil, nil, nil, nil}, []any{2, "b", 4, nil, nil, nil, nil, nil})
	w.equal("rows", [][]any{{int64(1), "a", int64(1)}, {int64(1), "b", int64(3)}, {int64(2), "b", int64(4)}}, w.rows("select id, word, whole from {probe} order by id, word", nil))
	w.apply(warehouse.Key("probe", warehouse.Args{"id": 1, "word": "b"}, warehouse.Args{"whole": 5, "word": "c"}))
	w.equal("rows once one was set", [][]any{{int64(1), "a", int64(1)}, {int64(1), "c", int64(5)}, {int64(2), "b", int64(4)}}, w.rows("select id, word, whole from {probe} order by id, word", nil))
}

func testConditions(w *world) {
	w.apply(warehouse.Append{Table: "facts", Rows: [][]any{fact(1, "2026-10-30", "blue", 3), fact(2, "2026-10-31", "red", 4), fact(3, "2026-10-31", "green", 5)}},
		warehouse.Append{Table: "probe", Rows: [][]any{probed(2, "word", "red")}})
	w.must(w.Put(w.ctx, "gone", facts.Columns[:1], [][]any{{1}, {3}}))
	w.apply(warehouse.Update{Table: "facts", Set: warehouse.Args{"calls": 9}, Where: "id in (select id from {gone}) and " + bounds})
	w.equal("set by a work table", [][]any{{int64(1), "blue", int64(9)}, {int64(2), "red", int64(4)}, {int64(3), "green", int64(9)}}, w.facts())
	w.apply(warehouse.Update{Table: "facts", Set: warehouse.Args{"calls": 8}, Where: "team in (select word from {probe}) and calls < {@most} and " + bounds, Args: warehouse.Args{"most": 5}})
	w.equal("set by another table", [][]any{{int64(1), "blue", int64(9)}, {int64(2), "red", int64(8)}, {int64(3), "green", int64(9)}}, w.facts())
	w.apply(warehouse.Delete{Table: "facts", Where: "id in (select g.id from {gone} as g where g.id > 1) and " + bounds})
	w.equal("deleted by a work table", [][]any{{int64(1), "blue", int64(9)}, {int64(2), "red", int64(8)}}, w.facts())
	w.apply(warehouse.Delete{Table: "facts", Where: "(team = 'blue' or false) and " + bounds}, warehouse.Delete{Table: "facts", Where: "team = 'yellow' and " + bounds})
	w.equal("deleted by one of two", [][]any{{int64(2), "red", int64(8)}}, w.facts())
}

func testExpression(w *world) {
	w.apply(warehouse.Append{Table: "probe", Rows: [][]any{probed(1, "whole", 3), probed(2, "whole", 5)}})
	w.apply(warehouse.Update{Table: "probe", Set: warehouse.Args{"whole": warehouse.Expression("whole + 1"), "word": "counted"}, Where: "id > {@least}", Args: warehouse.Args{"least": 1}})
	want := [][]any{{int64(1), nil, int64(3)}, {int64(2), "counted", int64(6)}}
	w.equal("rows", want, w.rows("select id, word, whole from {probe} order by id", nil))
	w.refused("a value of another column's", w.Apply(w.ctx, warehouse.Update{Table: "probe", Set: warehouse.Args{"whole": warehouse.Expression("colour + 1")}, Where: "true"}), "probe", "colour")
	w.equal("rows after it", want, w.rows("select id, word, whole from {probe} order by id", nil))
}

func testFailingCondition(w *world) {
	w.apply(warehouse.Append{Table: "probe", Rows: [][]any{probed(1, "word", "seven"), probed(2, "word", "8")}})
	one := warehouse.Append{Table: "probe", Rows: [][]any{probed(3, "word", "9")}}
	for _, fails := range []warehouse.Change{
		warehouse.Delete{Table: "probe", Where: "cast(word as int64) = 8"},
		warehouse.Update{Table: "probe", Set: warehouse.Args{"whole": 1}, Where: "cast(word as int64) = 8"},
	} {
		w.refused("a condition that fails on a row", w.Apply(w.ctx, one, fails), "probe", "seven")
		w.equal("rows", [][]any{{int64(1), "seven", nil}, {int64(2), "8", nil}}, w.rows("select id, word, whole from {probe} order by id", nil))
	}
}

// unknown is a Change of no kind.
type unknown struct{ warehouse.Change }

func testNoChange(w *world) {
	one := warehouse.Append{Table: "probe", Rows: [][]any{probed(1, "", nil)}}
	w.refused("a change of no kind", w.Apply(w.ctx, one, unknown{}), "unknown")
	w.refused("no change at all", w.Apply(w.ctx, one, nil))
	w.equal("rows", int64(0), w.count("probe"))
}
