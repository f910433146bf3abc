package warehousetest

import (
	"chargeback/billing/warehouse"
)

var workTests = []test{
	{"work tables are computed", begin(testCompute)},
	{"work tables are put", begin(testPut)},
	{"work tables are dropped", begin(testDrop)},
	{"work tables are nobody else's", begin(testWorkGoes)},
	{"work tables take no name of the layout", begin(testWorkNames)},
}

func (w *world) compute(name, text string, args warehouse.Args) {
	w.Helper()
	w.must(w.Compute(w.ctx, name, warehouse.Select{Text: text, Args: args}))
}

// wide makes a wide work table, which an engine may keep elsewhere.
func (w *world) wide(name, text string) {
	w.Helper()
	w.must(w.Compute(w.ctx, name, warehouse.Select{Text: text, Wide: true}))
}

func testCompute(w *world) {
	w.apply(warehouse.Append{Table: "probe", Rows: [][]any{probed(1, "word", "one"), probed(2, "word", "two")}})
	w.compute("work", "select id, word, {@tag} as tag from {probe} where id >= {@least}", warehouse.Args{"tag": "it's", "least": 2})
	w.apply(warehouse.Append{Table: "probe", Rows: [][]any{probed(3, "word", "three")}})
	w.equal("rows of when it was computed", [][]any{{int64(2), "two", "it's"}}, w.rows("select id, word, tag from {work}", nil))
	w.compute("other", "select w.id, p.word from {work} as w join {probe} as p on p.id >= w.id", nil)
	w.equal("rows of one over another", [][]any{{int64(2), "three"}, {int64(2), "two"}}, w.rows("select id, word from {other} order by word", nil))
	w.compute("work", "select id + 10 as id from {work} union all select id from {probe}", nil)
	w.equal("computed again, from itself", [][]any{{int64(1)}, {int64(2)}, {int64(3)}, {int64(12)}}, w.rows("select id from {work} order by id", nil))
	w.refused("a select that fails", w.Compute(w.ctx, "work", warehouse.Select{Text: "select cast(word as int64) as id from {probe}"}), "work")
	w.equal("rows after it", int64(4), w.count("work"))
	w.compute("work", "select id from {probe} where false", nil)
	w.equal("rows of none", int64(0), w.count("work"))
	w.equal("rows of one over it, as they were", int64(2), w.count("other"))
}

func testPut(w *world) {
	rows := [][]any{{1, day("2026-10-31"), "blue", 3, usd("0.5")}, {2, day("2026-10-31"), nil, 4, nil}}
	w.must(w.Put(w.ctx, "put", facts.Columns, rows))
	w.equal("rows", [][]any{readable(rows[0]...), readable(rows[1]...)}, w.rows("select "+facts.ColumnNames()+" from {put} order by id", nil))
	w.must(w.Put(w.ctx, "put", facts.Columns[:1], [][]any{{7}}))
	w.equal("put again", [][]any{{int64(7)}}, w.rows("select id from {put}", nil))
	w.must(w.Put(w.ctx, "put", facts.Columns, nil))
	w.equal("rows of none", [][]any{}, w.rows("select "+facts.ColumnNames()+" from {put}", nil))
	w.compute("put", "select count(*) as n from {put}", nil)
	w.equal("computed in its place", [][]any{{int64(0)}}, w.rows("select n from {put}", nil))
}

func testDrop(w *world) {
	w.compute("one", "select 1 as id", nil)
	w.compute("two", "select 2 as id", nil)
	w.must(w.Drop(w.ctx, "one", "nowhere"))
	w.must(w.Drop(w.ctx))
	w.refused("a table that was dropped", w.Query(w.ctx, warehouse.Select{Text: "select id from {one}"}, nothing), "one")
	w.equal("the other", int64(2), w.one("select id from {two}", nil))
	w.compute("one", "select 3 as other", nil)
	w.equal("made again", int64(3), w.one("select other from {one}", nil))
	w.must(w.Drop(w.ctx, "one", "two", "probe"))
	w.equal("a table of the layout, which is no work table", int64(0), w.count("probe"))
}

func testWorkGoes(w *world) {
	w.compute("work", "select 1 as id", nil)
	w.must(w.Put(w.ctx, "put", probe.Columns, nil))
	w.reopen()
	for _, name := range []string{"work", "put"} {
		w.refused(name+" after opening again", w.Query(w.ctx, warehouse.Select{Text: "select 1 as id from {" + name + "}"}, nothing), name)
	}
	w.compute("work", "select 2 as id", nil)
	w.equal("made again", int64(2), w.one("select id from {work}", nil))
}

func testWorkNames(w *world) {
	w.apply(warehouse.Append{Table: "probe", Rows: [][]any{probed(1, "", nil)}})
	for _, name := range []string{"probe", "staged", "team_facts"} {
		w.refused("to compute "+name, w.Compute(w.ctx, name, warehouse.Select{Text: "select 1 as id"}), name)
		w.refused("to put "+name, w.Put(w.ctx, name, probe.Columns, nil), name)
	}
	w.equal("rows", int64(1), w.count("probe"))
}
