package duckledger

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"chargeback/billing/ledger"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// schemaOf is a table as something to load; false where it has amounts, which
// batches don't carry.
func schemaOf(t ledger.Table) (*record.Schema, bool) {
	types := map[ledger.ColumnType]record.Type{
		ledger.Text: record.Text, ledger.Int: record.Int, ledger.Bool: record.Bool, ledger.Timestamp: record.Time, ledger.Date: record.Date,
	}
	s := &record.Schema{Table: t.Name}
	for _, c := range t.Columns {
		kind, ok := types[c.Type]
		if !ok {
			return nil, false
		}
		s.Columns = append(s.Columns, record.Column{Name: c.Name, Type: kind, Nullable: c.Nullable})
	}
	return s, true
}

// insertLoaded puts rows of Go values into batches and loads them: parsing them
// as text takes ten times as long.
func (s *Store) insertLoaded(ctx context.Context, table ledger.Table, schema *record.Schema, rows [][]any) error {
	var all []*record.Batch
	for i, row := range rows {
		if len(row) != len(table.Columns) {
			return fmt.Errorf("insert into %s: %d values for %d columns", table.Name, len(row), len(table.Columns))
		}
		if i%record.BatchRows == 0 {
			all = append(all, record.NewBatch(schema))
		}
		b := all[len(all)-1]
		for c, v := range row {
			if err := put(&b.Cols[c], table.Columns[c], v); err != nil {
				return fmt.Errorf("insert into %s: column %s: %w", table.Name, table.Columns[c].Name, err)
			}
		}
		b.Rows++
	}
	batches := make(chan *record.Batch, len(all))
	for _, b := range all {
		batches <- b
	}
	close(batches)
	_, err := s.Load(ctx, schema, batches, func(*record.Batch) {})
	return err
}

var epoch = civil.Date{Year: 1970, Mon: time.January, Day: 1}

// put appends a value, of the types that ledger.Literal takes, to a vector.
func put(to *record.Vector, c ledger.Column, v any) error {
	var text string
	var number int64
	kind := c.Type
	switch v := v.(type) {
	case nil:
		if !c.Nullable {
			return errors.New("null, and the column has none")
		}
		to.Nulls++
	case string:
		if !utf8.ValidString(v) {
			return errors.New("text that is not valid UTF-8")
		}
		kind, text = ledger.Text, v
	case int:
		kind, number = ledger.Int, int64(v)
	case int64:
		kind, number = ledger.Int, v
	case bool:
		kind = ledger.Bool
		if v {
			number = 1
		}
	case time.Time:
		kind, number = ledger.Timestamp, v.UnixMicro()
	case civil.Date:
		if v.IsZero() {
			return errors.New("no date")
		}
		kind, number = ledger.Date, int64(v.DaysSince(epoch))
	default:
		return fmt.Errorf("a %T can't be loaded", v)
	}
	if kind != c.Type {
		return fmt.Errorf("a %T does not fit the column", v)
	}
	if c.Nullable {
		to.Null = append(to.Null, v == nil)
	}
	if kind == ledger.Text {
		to.Heap = append(to.Heap, text...)
		to.Ends = append(to.Ends, uint32(len(to.Heap)))
		return nil
	}
	to.Ints = append(to.Ints, number)
	return nil
}
