package warehousetest

import (
	"errors"

	"chargeback/billing/warehouse"
)

var guardTests = []test{
	{"guards", begin(testGuard)},
	{"guards that count nothing", begin(testWrongGuard)},
}

// Goal: a guard speaks where one row is wrong, and where none is it lets pass.
func testGuard(w *world) {
	own := errors.New("a team is not known")
	one := warehouse.Append{Table: "probe", Rows: [][]any{probed(1, "", nil)}}
	count := warehouse.Select{Name: "facts of the red team", Text: "select count(*) as n from {facts} where team = {@team} and " + bounds, Args: warehouse.Args{"team": "red"}}
	w.apply(warehouse.Guard{Count: count}, one, warehouse.Guard{Count: count, Err: own})
	w.equal("rows with guards that were fed nothing", int64(1), w.count("probe"))
	w.apply(warehouse.Append{Table: "facts", Rows: [][]any{fact(1, "2026-10-31", "blue", 1)}})
	w.apply(warehouse.Guard{Count: count}, one)
	w.equal("rows with a guard that was fed a right row", int64(2), w.count("probe"))

	wrong := warehouse.Append{Table: "facts", Rows: [][]any{fact(2, "2026-10-31", "red", 1)}}
	w.is("a guard after the wrong row", w.Apply(w.ctx, one, wrong, warehouse.Guard{Count: count}), warehouse.ErrChanged)
	w.equal("facts after it", int64(1), w.count("facts"))
	w.apply(warehouse.Guard{Count: count}, wrong)
	w.is("a guard before", w.Apply(w.ctx, warehouse.Guard{Count: count}, one), warehouse.ErrChanged)
	err := w.Apply(w.ctx, one, warehouse.Guard{Count: count, Err: own})
	w.is("a guard after", err, own)
	if errors.Is(err, warehouse.ErrChanged) {
		w.Errorf("a guard with an error of its own ended with %v", err)
	}
	w.apply(warehouse.Delete{Table: "facts", Where: "team = 'red' and " + bounds}, warehouse.Guard{Count: count})
	w.equal("rows", int64(2), w.count("probe"))

	w.compute("work", "select 1 as id union all select 2", nil)
	w.is("a guard over a work table", w.Apply(w.ctx, one, warehouse.Guard{Count: warehouse.Select{Text: "select count(*) as n from {work}"}}), warehouse.ErrChanged)
	w.is("a guard that counts below 0", w.Apply(w.ctx, one, warehouse.Guard{Count: warehouse.Select{Text: "select -1 as n"}}), warehouse.ErrChanged)
	w.equal("rows after them", int64(2), w.count("probe"))
}

// Goal: a guard whose select gives no number does not let pass.
func testWrongGuard(w *world) {
	one := warehouse.Append{Table: "probe", Rows: [][]any{probed(1, "", nil)}}
	for name, text := range map[string]string{
		"no row":      "select id from {probe} where false",
		"null":        "select sum(whole) as n from {probe}",
		"two rows":    "select 0 as n union all select 0 as n",
		"two columns": "select 0 as n, 0 as m",
		"a word":      "select '0' as n",
		"an amount":   "select {usd(0)} as n",
		"no table":    "select count(*) as n from {nowhere}",
	} {
		w.refused(name, w.Apply(w.ctx, one, warehouse.Guard{Count: warehouse.Select{Name: "an example", Text: text}}), "an example")
		w.equal("rows after "+name, int64(0), w.count("probe"))
	}
}
