package warehousetest

import (
	"context"
	"slices"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

var migrateTests = []test{
	{"tables are made once", begin(testMigrate)},
	{"columns and tables are added", testWider},
	{"a migration that was killed begins again", testKilledMigration},
	{"a migration that is cancelled begins again", testCancelledMigration},
	{"a later layout is refused", begin(testLater)},
	{"a column of another type is refused", begin(testOtherType)},
	{"views are made again", begin(testViews)},
	{"size and compact", begin(testStatistics)},
}

func testMigrate(w *world) {
	w.apply(warehouse.Append{Table: "probe", Rows: [][]any{probed(1, "word", "kept")}})
	w.migrate(layout)
	w.equal("rows after a second migration", [][]any{{int64(1), "kept"}}, w.rows("select id, word from {probe}", nil))
	w.reopen()
	w.equal("rows after opening again", [][]any{{int64(1), "kept"}}, w.rows("select id, word from {probe}", nil))
	for _, t := range layout.Tables[1:] {
		w.equal("rows of "+t.Name, int64(0), w.count(t.Name))
	}
}

// with is the layout of the tests with another table in place of that of its name.
func with(version int, t warehouse.Table) warehouse.Layout {
	l := layout
	l.Version = version
	l.Tables = slices.Clone(l.Tables)
	for i := range l.Tables {
		if l.Tables[i].Name == t.Name {
			l.Tables[i] = t
		}
	}
	return l
}

func testWider(w *world) {
	narrow := layout
	narrow.Version, narrow.Tables, narrow.Views = 1, []warehouse.Table{probe}, nil
	w.migrate(narrow)
	w.apply(warehouse.Append{Table: "probe", Rows: [][]any{probed(1, "word", "kept")}})
	wider := probe
	wider.Columns = append(slices.Clone(wider.Columns), record.Column{Name: "note", Type: record.Text, Nullable: true}, record.Column{Name: "tries", Type: record.Int})
	for range 2 {
		w.migrate(with(4, wider))
		w.must(w.Close())
		w.Warehouse = w.open(w.test)
	}
	w.migrate(with(4, wider))
	w.equal("old row with new columns", [][]any{{int64(1), "kept", nil, nil}}, w.rows("select id, word, note, tries from {probe}", nil))
	w.apply(warehouse.Append{Table: "probe", Rows: [][]any{append(probed(2, "word", "new"), "a note", 3)}})
	w.equal("new row", [][]any{{int64(2), "new", "a note", int64(3)}}, w.rows("select id, word, note, tries from {probe} where id = 2", nil))
	w.equal("rows of the new table", int64(0), w.count("facts"))
}

// Goal: whatever a migration had made when its process was killed, the next one
// makes the rest and keeps the rows.
// Method: make a part of the layout without its version, ever more of it, each after
// the other; then all of it with the version, and the version once more.
func testKilledMigration(w *world) {
	for tables := range layout.Tables {
		part := warehouse.Layout{Tables: slices.Clone(layout.Tables[:tables+1])}
		last := &part.Tables[tables]
		last.Columns = last.Columns[:max(1, len(last.Columns)/2)]
		if last.Partition != "" {
			last.Columns = layout.Tables[tables].Columns
		}
		w.migrate(part)
	}
	w.apply(warehouse.Append{Table: "facts", Rows: [][]any{fact(1, "2026-10-31", "blue", 3)}})
	w.reopen()
	w.equal("rows", [][]any{{int64(1), "blue"}}, w.rows("select id, team_name from {team_facts} where "+bounds, nil))
	w.apply(warehouse.Append{Table: "probe", Rows: [][]any{probed(1, "amount", usd("1.5"))}})
	w.equal("a column that came later", "1.500000000000 USD", w.one("select amount from {probe}", nil))
	w.reopen()
	w.equal("rows after all of it", int64(1), w.count("probe"))
}

func testCancelledMigration(w *world) {
	ctx, stop := context.WithCancel(w.ctx)
	stop()
	w.refused("a migration that was cancelled", w.Migrate(ctx, layout))
	w.migrate(layout)
	w.equal("rows", int64(0), w.count("probe"))
}

func testLater(w *world) {
	w.apply(warehouse.Append{Table: "probe", Rows: [][]any{probed(1, "word", "kept")}})
	earlier := layout
	earlier.Version--
	earlier.Tables = append(slices.Clone(earlier.Tables), warehouse.Table{Name: "more", Columns: []record.Column{{Name: "id", Type: record.Int}}})
	err := w.Migrate(w.ctx, earlier)
	w.is("an earlier program", err, warehouse.ErrNewer)
	w.refused("an earlier program", err, "layout 3", "up to 2", "run")
	w.reopen()
	w.equal("rows", int64(1), w.count("probe"))
	w.refused("a table that the earlier program wanted", w.Query(w.ctx, warehouse.Select{Text: "select id from {more}"}, nothing), "more")
}

// nothing is a yield that reads nothing.
func nothing(warehouse.Row) error { return nil }

func testOtherType(w *world) {
	other := probe
	other.Columns = slices.Clone(other.Columns)
	other.Columns[2].Type = record.Text
	w.refused("a number that is text now", w.Migrate(w.ctx, with(layout.Version+1, other)), "whole", "probe")
	w.reopen()
	w.equal("rows", int64(0), w.count("probe"))
}

func testViews(w *world) {
	w.apply(warehouse.Append{Table: "facts", Rows: [][]any{fact(1, "2026-10-31", "blue", 3)}})
	w.equal("a view", [][]any{{int64(1), "day 2026-10-31", "blue"}}, w.rows("select id, day, team_name from {team_facts} where "+bounds, nil))
	changed := layout
	changed.Version++
	other := teamFacts
	other.Text = "select id, day, concat(team, ' team') as team_name, calls from {facts}"
	other.Columns = append(slices.Clone(other.Columns), record.Column{Name: "calls", Type: record.Int, About: "how many"})
	upon := warehouse.View{Name: "upon", Text: "select day, {month_of(day)} as month, {usd(calls)} as amount from {team_facts}"}
	changed.Views = []warehouse.View{other, upon}
	for range 2 {
		w.migrate(changed)
		w.equal("a view of another text", [][]any{{"blue team", int64(3)}}, w.rows("select team_name, calls from {team_facts} where "+bounds, nil))
		w.equal("a view upon it", [][]any{{"2026-10", "0.000000000003 USD"}}, w.rows("select month, amount from {upon} where "+bounds, nil))
	}
}

func testStatistics(w *world) {
	s, is := w.Warehouse.(warehouse.Statistics)
	if !is {
		w.Fatal("the warehouse has no statistics")
	}
	rows := make([][]any, 500)
	for i := range rows {
		rows[i] = probed(int64(i), "word", "some word")
	}
	w.apply(warehouse.Append{Table: "probe", Rows: rows})
	w.must(s.Compact(w.ctx))
	size, err := s.SizeBytes(w.ctx)
	w.must(err)
	if size <= 0 {
		w.Errorf("a ledger with rows has %d bytes", size)
	}
	if billed, err := s.BytesBilled(w.ctx); err != nil || billed < 0 {
		w.Errorf("%d bytes are billed, error %v", billed, err)
	}
	if w.String() == "" {
		w.Errorf("the warehouse has no name")
	}
	w.equal("rows once it is compact", int64(500), w.count("probe"))
}
