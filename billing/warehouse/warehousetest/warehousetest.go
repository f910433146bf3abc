// Package warehousetest is the suite that every warehouse.Warehouse passes.
//
// It owns: a test for each sentence of the contract in billing/warehouse, each on
// a warehouse of its own, and batches of Go values for tests that load.
// It does not own: what the books make of it, or what only one engine can do wrong
// (files, locks, jobs), which is tested beside the driver.
package warehousetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// test is one test of the suite.
type test struct {
	name string
	run  func(*world)
}

// Run runs the suite. open opens the warehouse on data of its own for each t:
// empty the first time, and the same data again when it is called for the same
// t after Close. The suite closes what it opened. Tests that are named in
// without are left out, for what a test server can't do and the service can.
func Run(t *testing.T, open func(t *testing.T) warehouse.Warehouse, without ...string) {
	all := slices.Concat(migrateTests, valueTests, selectTests, workTests, loadTests, applyTests, replaceTests, guardTests)
	for _, name := range without {
		if !slices.ContainsFunc(all, func(test test) bool { return test.name == name }) {
			t.Errorf("there is no test %q to be left out", name)
		}
	}
	for _, test := range all {
		t.Run(test.name, func(t *testing.T) {
			if slices.Contains(without, test.name) {
				t.Skip("left out: the test server can't do what the service can")
			}
			t.Parallel()
			w := &world{TB: t, test: t, ctx: t.Context(), open: open, Warehouse: open(t)}
			t.Cleanup(func() { w.must(w.Close()) })
			test.run(w)
		})
	}
}

// world is one test's warehouse.
type world struct {
	rapid.TB // *testing.T or *rapid.T
	warehouse.Warehouse
	test *testing.T
	ctx  context.Context
	open func(t *testing.T) warehouse.Warehouse
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// refused fails the test where err is nil or lacks one of the words.
func (w *world) refused(what string, err error, words ...string) {
	w.Helper()
	if err == nil {
		w.Errorf("%s was accepted", what)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			w.Errorf("%s: error %q does not name %q", what, err, word)
		}
	}
}

func (w *world) is(what string, err, want error) {
	w.Helper()
	if !errors.Is(err, want) {
		w.Errorf("%s: error %v, want %v", what, err, want)
	}
}

func (w *world) equal(what string, want, got any) {
	w.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// reopen closes the warehouse and opens it again on the same data.
func (w *world) reopen() {
	w.Helper()
	w.must(w.Close())
	w.Warehouse = w.open(w.test)
	w.migrate(layout)
}

// begin makes the tables of the tests.
func begin(run func(*world)) func(*world) {
	return func(w *world) {
		w.migrate(layout)
		run(w)
	}
}

func (w *world) migrate(l warehouse.Layout) {
	w.Helper()
	w.must(w.Migrate(w.ctx, l))
}

func (w *world) apply(changes ...warehouse.Change) {
	w.Helper()
	w.must(w.Apply(w.ctx, changes...))
}

// bounds narrow a select to all days: a table with days is never read without.
const bounds = "day between date '0001-01-01' and date '9999-12-31'"

// rows reads all rows of a select, its values as tests compare them.
func (w *world) rows(text string, args warehouse.Args) [][]any {
	w.Helper()
	rows := [][]any{}
	w.must(w.Query(w.ctx, warehouse.Select{Text: text, Args: args}, func(r warehouse.Row) error {
		rows = append(rows, readable(r.Values...))
		return nil
	}))
	return rows
}

// one reads the value of a select of one row and column.
func (w *world) one(text string, args warehouse.Args) any {
	w.Helper()
	rows := w.rows(text, args)
	if len(rows) != 1 || len(rows[0]) != 1 {
		w.Fatalf("%s: got %v, want one value", text, rows)
	}
	return rows[0][0]
}

// count reads how many rows a table has.
func (w *world) count(table string) int64 {
	w.Helper()
	text := "select count(*) from {" + table + "}"
	if t, is := layout.Table(table); is && t.Partition != "" {
		text += " where " + bounds
	}
	n, _ := w.one(text, nil).(int64)
	return n
}

// readable are values as tests compare and print them.
func readable(values ...any) []any {
	texts := make([]any, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case money.USD:
			texts[i] = v.Fixed() + " USD"
		case time.Time:
			texts[i] = v.Format("2006-01-02 15:04:05.000000000 MST")
		case civil.Date:
			texts[i] = "day " + v.String()
		case int:
			texts[i] = int64(v)
		default:
			texts[i] = v
		}
	}
	return texts
}

// day reads a date that a test wrote; it panics on another text.
func day(s string) civil.Date {
	d, err := civil.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// at reads an instant that a test wrote, as 2026-10-05 10:00:00 with any
// fraction of a second; it panics on another text.
func at(s string) time.Time {
	t, err := time.Parse(time.DateTime, s)
	if err != nil {
		panic(err)
	}
	return t
}

var usd = money.MustParse

// The tables of the tests: probe has each type, facts has days, staged is loaded,
// words has rows once, and team_facts is a view.
var (
	probe = warehouse.Table{Name: "probe", About: "A column of each type", Columns: []record.Column{
		{Name: "id", Type: record.Int},
		{Name: "word", Type: record.Text, Nullable: true},
		{Name: "whole", Type: record.Int, Nullable: true},
		{Name: "flag", Type: record.Bool, Nullable: true},
		{Name: "at_time", Type: record.Time, Nullable: true},
		{Name: "on_day", Type: record.Date, Nullable: true},
		{Name: "amount", Type: record.USD, Nullable: true},
		{Name: "id_key", Type: record.ID, Nullable: true},
	}}
	facts = warehouse.Table{Name: "facts", About: "Rows of days", Partition: "day", Cluster: []string{"team"}, Columns: []record.Column{
		{Name: "id", Type: record.Int},
		{Name: "day", Type: record.Date},
		{Name: "team", Type: record.Text, Nullable: true},
		{Name: "calls", Type: record.Int},
		{Name: "amount", Type: record.USD, Nullable: true},
	}}
	stagedSchema = &record.Schema{Table: "staged", About: "Rows that are loaded", Columns: []record.Column{
		{Name: "id", Type: record.Int},
		{Name: "word", Type: record.Text, Nullable: true},
		{Name: "whole", Type: record.Int, Nullable: true},
		{Name: "flag", Type: record.Bool, Nullable: true},
		{Name: "at_time", Type: record.Time, Nullable: true},
		{Name: "day", Type: record.Date},
		{Name: "amount", Type: record.USD, Nullable: true},
		{Name: "last", Type: record.Text},
		{Name: "id_key", Type: record.ID, Nullable: true},
	}}
	wordsSchema = &record.Schema{Table: "words", About: "Rows that are stored once", Once: true, Columns: []record.Column{
		{Name: "word_id", Type: record.Int},
		{Name: "word", Type: record.Text},
		{Name: "note", Type: record.Text, Nullable: true},
	}}
	teamFacts = warehouse.View{
		Name: "team_facts", About: "Each fact with its team's name", Text: "select id, day, coalesce(team, 'nobody') as team_name from {facts}",
		Columns: []record.Column{{Name: "id", Type: record.Int, About: "of the fact"}, {Name: "day", Type: record.Date, About: "it's a day"}, {Name: "team_name", Type: record.Text, About: "nobody where it has none"}},
	}
	layout = warehouse.Layout{
		Version: 3,
		Tables:  []warehouse.Table{probe, facts, warehouse.StagedTable(stagedSchema, "day"), warehouse.StagedTable(wordsSchema, "")},
		Views:   []warehouse.View{teamFacts},
	}
)

// probed is a row of probe with one column set.
func probed(id int64, column string, v any) []any {
	row := make([]any, len(probe.Columns))
	row[0] = id
	for i, c := range probe.Columns {
		if c.Name == column {
			row[i] = v
		}
	}
	return row
}

// fact is a row of facts.
func fact(id int, on, team string, calls int) []any {
	return []any{id, day(on), team, calls, money.FromPico(int64(calls))}
}
