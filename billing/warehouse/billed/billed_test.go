package billed_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/billed"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

func date(text string) civil.Date {
	d, err := civil.ParseDate(text)
	if err != nil {
		panic(err) // a test's own constant
	}
	return d
}

// facts has 1,000 rows on each day of October; more has them on two days alone.
var facts = []record.Column{{Name: "day", Type: record.Date}, {Name: "id", Type: record.Int}, {Name: "note", Type: record.Text}}

var books = billed.Books{
	Table: func(name string) billed.Table {
		switch name {
		case "books.facts":
			return billed.Table{Columns: facts, Partition: "day", Required: true, Size: billed.Size{Rows: 1000, First: date("2026-10-01"), Last: date("2026-10-31")}}
		case "books.more":
			return billed.Table{Columns: facts, Partition: "day", Size: billed.Size{ByDay: map[civil.Date]int64{date("2026-10-01"): 5, date("2026-10-31"): 7}}}
		case "books.small":
			return billed.Table{Columns: facts[1:2], Size: billed.Size{Rows: 10}}
		}
		return billed.Table{}
	},
	Called: func(name string) (string, bool) { return strings.TrimPrefix(name, "books."), false },
	Sizes:  map[string]billed.Size{"small": {Rows: 20}},
}

// Goal: what a statement reads is told by table and days: those that constants bound
// it to, one by one where they are listed, also by conditions of a select that reads
// it as a table, but not through one that gives other rows than it reads.
func TestStatement(t *testing.T) {
	const listed = "in (date '2026-10-01', date '2026-10-31')"
	for _, tt := range []struct {
		text  string
		days  int // of October that are read of the first table
		bytes int64
	}{
		{"select id from {facts} where day between date '2026-10-30' and date '2026-11-05'", 2, 2 * 16_000},
		{"select id from {facts} where day " + listed, 2, 2 * 16_000},
		{"select id from {facts} where day " + listed + " and day >= date '2026-10-02'", 1, 16_000},
		{"select id from {more} where day between date '2026-10-01' and date '2026-10-30'", 30, 5 * 16},
		{"select id from {small}", 31, 20 * 8},
		{"select f.id from (\nselect day, id from {facts} where day between date '0001-01-01' and date '9999-12-31'\n) as f where f.day " + listed, 2, 2 * 16_000},
		{"select f.id from (\nselect day, id from {facts} where true\nunion all\nselect day, id from {more} where true\n) as f where f.day = date '2026-10-31'", 1, 16_000 + 7*16},
		{"select f.id from (select day, id from (select day, id from {facts} where true) as g where g.id = 1) as f where f.day = date '2026-10-31'", 1, 16_000},
		{"select f.id from (select id from {facts} where true) as f where f.day = date '2026-10-31'", 31, 31 * 8_000},                               // another day
		{"select f.id from (select day, max(id) as id from {facts} where true group by day) as f where f.day = date '2026-10-31'", 31, 31 * 16_000}, // other rows
		{"select f.id from (select day, id from {facts} where true limit 1) as f where f.day = date '2026-10-31'", 31, 31 * 16_000},
		{"select f.id from (select day, id from {facts} where true) as f where g.day = date '2026-10-31'", 31, 31 * 8_000}, // of another table
		{"select id from {small} where id in (select id from {facts} where true) and day = date '2026-10-31'", 31, 20*8 + 31*8_000},
	} {
		text := strings.NewReplacer("{", "`p`.`books`.`", "}", "`").Replace(tt.text)
		s, reads := books.Statement(text)
		if !reads || len(s.Reads) == 0 {
			t.Errorf("%s: reads nothing", tt.text)
			continue
		}
		if days := len(s.Reads[0].Among(date("2026-10-01"), date("2026-10-31"))); days != tt.days || s.Bytes != tt.bytes {
			t.Errorf("%s: %d days, %d bytes, want %d, %d", tt.text, days, s.Bytes, tt.days, tt.bytes)
		}
	}
	if _, reads := books.Statement("begin transaction"); reads {
		t.Error("a statement that reads nothing is one")
	}
	if r, is := books.Unfiltered("select id from `p`.`books`.`facts`"); !is || r.Table != "facts" {
		t.Errorf("a read without a filter: %v, %t", r, is)
	}
}

// engine is a warehouse in which every table has three rows of two columns.
type engine struct{ warehouse.Warehouse }

func (engine) Migrate(context.Context, warehouse.Layout) error             { return nil }
func (engine) Compute(context.Context, string, warehouse.Select) error     { return nil }
func (engine) Put(context.Context, string, []record.Column, [][]any) error { return nil }
func (engine) Drop(context.Context, ...string) error                       { return nil }
func (engine) Apply(context.Context, ...warehouse.Change) error            { return nil }
func (engine) Query(_ context.Context, s warehouse.Select, yield func(warehouse.Row) error) error {
	if strings.HasPrefix(s.Text, "select count(*)") {
		return yield(warehouse.Row{Columns: []string{"n"}, Values: []any{int64(3)}})
	}
	return yield(warehouse.Row{Columns: []string{"day", "id", "note"}, Values: []any{date("2026-10-01"), int64(1), nil}})
}

// Goal: everything that is asked of a warehouse is written down as BigQuery would be
// asked, with the rows that tables are taken to have; a Meter before another one
// writes the same for its own sizes, and nothing that they ask themselves.
func TestMeter(t *testing.T) {
	ctx := t.Context()
	dialect := func(named func(string) (string, error)) warehouse.Dialect {
		return warehouse.Dialect{Table: named, Literal: func(v any) (string, error) {
			return warehouse.Literal(v, func(s string) string { return "'" + s + "'" })
		}}
	}
	beneath := billed.NewMeter(engine{}, dialect)
	m := billed.NewMeter(beneath, dialect)
	layout := warehouse.Layout{
		Tables: []warehouse.Table{{Name: "facts", Columns: facts, Partition: "day"}, {Name: "small", Columns: facts[1:2]}},
		Views:  []warehouse.View{{Name: "seen", Text: "select f.day, f.id from {facts} as f"}},
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(m.Migrate(ctx, layout))
	m.Sizes["facts"] = billed.Size{Rows: 1000, First: date("2026-10-01"), Last: date("2026-10-31")}
	m.Sizes["small"] = billed.Size{Rows: 10}
	m.Scale = func(work string, rows int64, made []billed.Read) int64 { return rows * 100 * int64(1+len(made)) }
	var applied []string
	m.Applied = func(_ context.Context, tables []string) error { applied = tables; return nil }
	days := warehouse.Args{"days": []civil.Date{date("2026-10-02")}}
	none := func(warehouse.Row) error { return nil }
	must(m.Query(ctx, warehouse.Select{Name: "a view", Text: "select id from {seen} where day in ({@days})", Args: days}, none))
	must(m.Compute(ctx, "work", warehouse.Select{Text: "select day, id, note from {facts} where day in ({@days})", Args: days}))
	must(m.Put(ctx, "few", facts[1:2], nil))
	must(m.Query(ctx, warehouse.Select{Text: "select w.note from {work} as w inner join {few} as f on f.id = w.id"}, none))
	must(m.Apply(ctx,
		warehouse.ReplaceDays{Table: "facts", Days: []civil.Date{date("2026-10-02")}, From: "work", Where: "id > 0"},
		warehouse.Append{Table: "small", From: "few"}, warehouse.Append{Table: "small", Rows: [][]any{{int64(1)}}},
		warehouse.Update{Table: "small", Set: warehouse.Args{"id": int64(1)}, Where: "true"}, warehouse.Delete{Table: "small", Where: "id = 1"},
		warehouse.Guard{Count: warehouse.Select{Name: "none", Text: "select count(*) as n from {small} where id = 1"}},
		&warehouse.Loaded{Schema: "facts", Rows: 2},
	))
	if strings.Join(applied, ",") != "facts,small" {
		t.Errorf("the rows of %v have changed", applied)
	}
	must(m.Drop(ctx, "work"))
	if err := m.Query(ctx, warehouse.Select{Text: "select id from {work}"}, none); err == nil {
		t.Error("a work table that was dropped is there")
	}
	want := []string{
		"a view 16000", "compute work 34000", "select w.note from {work} as w inner join {few} as f on f.id 18000",
		"delete days of facts 34000", "insert days of facts 20400", "append to small 2400", "update small 80", "delete from small 80", "none 80", "take in facts 6800",
	}
	var got []string
	for _, s := range m.Statements() {
		got = append(got, fmt.Sprint(s.Name, " ", s.Bytes))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("written down:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if all := beneath.Statements(); len(all) != len(want) || billed.Bytes(all) >= billed.Bytes(m.Statements()) {
		t.Errorf("the Meter beneath has written down %d statements of %d bytes", len(all), billed.Bytes(all))
	}
	if largest := billed.Largest(m.Statements(), 2); len(largest) != 2 || largest[0].Name != "compute work" {
		t.Errorf("the largest are %v", largest)
	}
	m.Forget()
	if len(m.Statements()) > 0 {
		t.Error("what was forgotten is there")
	}
}

// Goal: a column is read where the result needs it, and not where it is only given on.
func TestColumns(t *testing.T) {
	const day, id, note = 8, 8, 18 // of each of its rows
	for text, want := range map[string]int64{
		"with f as (select day, id, note from {facts} where day = date '2026-10-01') select id from f":                                                         day + id,
		"with f as (select * from {facts} where day = date '2026-10-01'), g as (select x.* from f as x) select g.id from g":                                    day + id,
		"select id from (select f.day, f.id, f.note from {facts} as f where f.day = date '2026-10-01')":                                                        day + id,
		"select id from (select day, id, note from {facts} where day = date '2026-10-01') as f where f.note <> ''":                                             day + id + note,
		"select count(*) as n from (select distinct day, id, note from {facts} where day = date '2026-10-01') as f":                                            day + id + note,
		"select count(*) as n from (select id, max(note) as note from {facts} where day = date '2026-10-01' group by id) as f":                                 day + id + note,
		"select f.id from (select id, note from {facts} where day = date '2026-10-01' union all select id, note from {facts} where false) as f":                day + id + 31*id,
		"select f.id from (select id, note from {facts} where day = date '2026-10-01' union distinct select id, note from {facts} where false) as f":           day + id + note + 31*(id+note),
		"select 1 as x from {facts} as f where f.day = date '2026-10-01' and exists (select 1 from {small} as s where s.id = f.id and f.note <> 'it''s')":      day + id + note,
		"with unread as (select note from {facts} where day = date '2026-10-01') select 1 as one":                                                              0,
		"select id, row_number() over (partition by day order by note) as place from {facts} where day = date '2026-10-01' qualify place = 1":                  day + id + note,
		"select * from {facts} where day = date '2026-10-01'":                                                                                                  day + id + note,
		"create or replace table {work} as\nwith f as (select day, id, note from {facts} where day = date '2026-10-01')\nselect * from (\nselect id from f\n)": day + id,
		"insert into {small} (id)\nselect id from {facts} where day = date '2026-10-01'":                                                                       day + id,
		"select id from {facts}, unnest([1]) as x where day = date '2026-10-01' and note = ''":                                                                 day + id + note, // not understood
	} {
		s, _ := books.Statement(strings.NewReplacer("{", "`p`.`books`.`", "}", "`").Replace(text))
		if got := s.Bytes / 1000; got != want {
			t.Errorf("%s: %d bytes a row, want %d", text, got, want)
		}
	}
}
