package ledger

import (
	"context"
	"errors"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
	"time"
)

// Args are the arguments of a select.
type Args = warehouse.Args

// Row is one result row, by position.
type Row []any

// Text returns column i, "" where it is null.
func (r Row) Text(i int) string { s, _ := r[i].(string); return s }

// Int returns column i, 0 where it is null.
func (r Row) Int(i int) int64 { n, _ := r[i].(int64); return n }

// Bool returns column i, false where it is null.
func (r Row) Bool(i int) bool { b, _ := r[i].(bool); return b }

// USD returns column i, 0 where it is null.
func (r Row) USD(i int) money.USD { a, _ := r[i].(money.USD); return a }

// Date returns column i, the zero date where it is null.
func (r Row) Date(i int) civil.Date { d, _ := r[i].(civil.Date); return d }

// Time returns column i, the zero time where it is null.
func (r Row) Time(i int) time.Time { t, _ := r[i].(time.Time); return t }

// Types of the ledger's columns.
const (
	Text      = record.Text
	Int       = record.Int
	Bool      = record.Bool
	Timestamp = record.Time
	Date      = record.Date
	USD       = record.USD
	Sum       = record.Sum
)

// Column is one column of a ledger table.
type Column = record.Column

// Table is one table of the ledger.
type Table = warehouse.Table

// Days is a run of business dates, both ends inclusive.
type Days = warehouse.Days

// Query runs a select; see warehouse.Querier.
func (l *Ledger) Query(ctx context.Context, text string, args Args, yield func(Row) error) error {
	return l.q.Query(ctx, warehouse.Select{Text: text, Args: args}, func(r warehouse.Row) error {
		return yield(append(Row(nil), r.Values...))
	})
}

// Reader reads the books as they are, or, of a ledger that After gave, as they will
// be.
func (l *Ledger) Reader() warehouse.Querier { return l.q }

// one reads a single row; it returns nil where there is none.
func (l *Ledger) one(ctx context.Context, text string, args Args) (row Row, err error) {
	err = l.Query(ctx, text, args, func(r Row) error {
		if row != nil {
			return errors.New("more than one row")
		}
		row = r
		return nil
	})
	return row, err
}

func nullText(s string) any { return warehouse.OrNull(s) }
