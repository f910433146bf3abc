package duckdb_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/warehousetest"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

var (
	fillSchema = &record.Schema{Table: "filled", Columns: []record.Column{
		{Name: "id", Type: record.Int},
		{Name: "word", Type: record.Text, Nullable: true},
		{Name: "whole", Type: record.Int, Nullable: true},
		{Name: "flag", Type: record.Bool, Nullable: true},
		{Name: "at_time", Type: record.Time, Nullable: true},
		{Name: "on_day", Type: record.Date, Nullable: true},
		{Name: "amount", Type: record.USD, Nullable: true},
		{Name: "last", Type: record.Text},
	}}
	fillTable = warehouse.StagedTable(fillSchema, "")
)

// filledRow is row id of batch n. Rows are null in runs that end on either side
// of 64, where DuckDB's words of validity do, and in none of every third batch.
func filledRow(n, id int) (row []any) {
	null := n%3 != 2 && (id%65 < 2 || id%64 > 62 || n%3 == 1)
	values := []any{
		wordOf(id), int64(id)*1_000_003 - 1<<40, id%3 == 0,
		time.UnixMicro(int64(id)*1_000_003 - 1<<50).UTC(), civil.Date{Year: 1969, Mon: time.December, Day: 1}.AddDays(id),
		money.FromPico(int64(id)*1_000_003 - 1<<32),
	}
	row = []any{int64(id)}
	for _, v := range values {
		if null {
			v = nil
		}
		row = append(row, v)
	}
	return append(row, wordOf(id*7+n))
}

// wordOf is a text of any length around the 12 bytes that DuckDB keeps in place,
// now and then a long one, with characters of several bytes.
func wordOf(id int) string {
	if id%100 == 99 {
		return strings.Repeat(fmt.Sprint(id, "·"), 900)
	}
	return strings.Repeat("aé日🙂", 4)[:[]int{0, 1, 3, 6, 10, 11, 13, 16, 20, 40}[id%10]] + fmt.Sprint(id % 1_000)[:min(1, id%2)]
}

// Goal: the values that DuckDB stores are those of the batch: the code that
// writes into DuckDB's vectors knows their layout, and the driver's, by heart.
// Method: batches of every type in full length, with nulls in some batches and
// none in the ones after them, compared value by value.
func TestFill(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "ledger.duckdb"))
	defer func() { must(t, s.Close()) }()
	must(t, s.Migrate(t.Context(), warehouse.Layout{Version: 1, Tables: []warehouse.Table{fillTable}}))
	var want [][]any
	batches := make(chan *record.Batch, 7)
	for n, rows := range []int{record.BatchRows, record.BatchRows, record.BatchRows, 1, 63, 64, 65} {
		for range rows {
			want = append(want, filledRow(n, len(want)))
		}
		batches <- warehousetest.Batch(fillSchema, want[len(want)-rows:])
	}
	close(batches)
	loaded, err := s.Load(t.Context(), fillSchema, batches, func(*record.Batch) {})
	must(t, err)
	if loaded.Rows != int64(len(want)) {
		t.Errorf("loaded %d rows, want %d", loaded.Rows, len(want))
	}
	must(t, s.Apply(t.Context(), loaded))
	next := 0
	must(t, s.Query(t.Context(), warehouse.Select{Text: "select " + fillTable.ColumnNames() + " from {filled} order by id"}, func(r warehouse.Row) error {
		for c, v := range r.Values {
			if got, is := v.(money.USD); is && want[next][c] != nil && got.Equal(want[next][c].(money.USD)) {
				continue
			}
			if v != want[next][c] {
				t.Fatalf("row %d, column %s: %#v, want %#v", next, fillTable.Columns[c].Name, v, want[next][c])
			}
		}
		next++
		return nil
	}))
	if next != len(want) {
		t.Errorf("read %d rows, want %d", next, len(want))
	}
}
