package ledger

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// ErrLocked says that another process holds the ledger; the message names it.
var ErrLocked = errors.New("ledger is in use")

// ErrRead is the ErrLocked of a process that wants to write where others only
// read: they are soon done.
var ErrRead = fmt.Errorf("%w by readers", ErrLocked)

// ErrDamaged says that the ledger is there and can't be what was written.
var ErrDamaged = errors.New("ledger is damaged")

// ErrOutdated says that a ledger that was opened to read lacks what this
// version of the program keeps in it. Opening it to write adds that.
var ErrOutdated = errors.New("ledger was kept by an earlier version")

// ErrFenced says that a later runner has taken the ledger over.
var ErrFenced = errors.New("a later process writes this ledger")

// ErrChanged says that another process has changed the ledger under a
// transaction, of which nothing was kept.
var ErrChanged = errors.New("another process has changed the ledger meanwhile; nothing was kept, run again")

// ErrNone says that there is no ledger yet where one was to be read.
var ErrNone = errors.New("there is none yet")

// Engine runs the ledger's SQL: one text for every engine, in the subset that
// DuckDB and GoogleSQL share. Parameters are written @name. An Engine is used
// by one goroutine at a time, but for what Load reads from.
type Engine interface {
	// String names the engine and where its data lies, without secrets.
	String() string

	// Migrate makes every table that is missing and adds columns that are
	// missing. It never drops or changes one. Views it makes anew where their
	// text is another one.
	Migrate(ctx context.Context, tables []Table) error

	// Exec runs one statement.
	Exec(ctx context.Context, text string, args Args) error

	// Query calls yield for every row of one select. Values have the Go types
	// string, int64, bool, time.Time, civil.Date and money.USD; null is nil.
	Query(ctx context.Context, text string, args Args, yield func(Row) error) error

	// Load appends batches to the staged table of schema until the channel is
	// closed, and gives every batch back through done. Where several processes
	// load at once, rows of a schema that stores them once are stored once. It returns when all rows
	// are in, or with the first error, after which it drains the channel.
	Load(ctx context.Context, schema *record.Schema, batches <-chan *record.Batch, done func(*record.Batch)) (rows int64, err error)

	// Insert appends rows of Go values, in the order of the table's columns.
	Insert(ctx context.Context, table Table, rows [][]any) error

	// Require makes the transaction fail with ErrChanged where the select, which
	// counts what must not be, gives other than 0 when the transaction ends. It
	// guards what other processes can change between a read and that end; where
	// none can, it is asked at once.
	Require(ctx context.Context, text string, args Args) error

	// Keep makes the result of a select available under name to later
	// statements of the same transaction: as a table that is computed now, or
	// as a view that is computed when read.
	Keep(ctx context.Context, name string, asTable bool, text string, args Args) error

	// Transact runs do so that all its statements take effect, or none where do
	// fails or panics or ctx is cancelled.
	Transact(ctx context.Context, do func() error) error

	// Checkpoint makes what was committed compact on disk, as Close does.
	Checkpoint(ctx context.Context) error

	// Processed is how many bytes the queries of this process have read so far,
	// where the warehouse bills by that; 0 elsewhere.
	Processed(ctx context.Context) (int64, error)

	// SizeBytes is the size of the ledger on disk or in the warehouse.
	SizeBytes(ctx context.Context) (int64, error)

	Close() error
}

// Args are the named parameters of a statement: string, int, int64, bool,
// time.Time, civil.Date, civil.Month or money.USD.
type Args map[string]any

var parameter = regexp.MustCompile(`@[a-z_]+`)

// Bind writes the parameters into text as literals, each through literal. It
// fails on a parameter without a value, so that a typing error never reads as
// null.
func Bind(text string, args Args, literal func(any) (string, error)) (string, error) {
	var problem error
	bound := parameter.ReplaceAllStringFunc(text, func(name string) string {
		v, ok := args[name[1:]]
		if !ok {
			problem = fmt.Errorf("statement wants parameter %s, which has no value", name)
			return name
		}
		s, err := literal(v)
		if err != nil {
			problem = fmt.Errorf("parameter %s: %w", name, err)
		}
		return s
	})
	return bound, problem
}

// Literal writes a value in the form that both engines read; only the quoting
// of text differs between them and is the caller's.
func Literal(v any, quote func(string) string) (string, error) {
	switch v := v.(type) {
	case string:
		return quote(v), nil
	case int:
		return fmt.Sprint(v), nil
	case int64:
		return fmt.Sprint(v), nil
	case bool:
		return fmt.Sprint(v), nil
	case time.Time:
		return "timestamp '" + v.UTC().Format("2006-01-02 15:04:05.000000") + "'", nil
	case civil.Date:
		return "date '" + v.String() + "'", nil
	case civil.Month:
		return "'" + v.String() + "'", nil
	case money.USD:
		return "cast('" + v.Fixed() + "' as bignumeric)", nil
	case nil:
		return "null", nil
	}
	return "", fmt.Errorf("a %T has no literal", v)
}

// Row is one result row.
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

// ColumnType is the type of a ledger column.
type ColumnType uint8

// The column types. USD is DECIMAL(18,12) where DuckDB stores it and
// BIGNUMERIC(38,12) in BigQuery.
const (
	Text ColumnType = iota
	Int
	Bool
	Timestamp
	Date
	USD
)

// Column is one column of a ledger table.
type Column struct {
	Name     string
	Type     ColumnType
	Nullable bool
	About    string
}

// Table is one table of the ledger, or a view, which has a text and no columns.
type Table struct {
	Name      string
	View      string
	About     string
	Columns   []Column
	Partition string   // date column, "" where the table is small
	Cluster   []string // at most 4
}

// ColumnNames returns the names in order, for explicit column lists.
func (t Table) ColumnNames() string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// stagedTable is the ledger's table for a staged schema.
func stagedTable(s *record.Schema, partition string, cluster ...string) Table {
	types := map[record.Type]ColumnType{record.Text: Text, record.Int: Int, record.Bool: Bool, record.Time: Timestamp, record.Date: Date}
	t := Table{Name: s.Table, About: s.About, Partition: partition, Cluster: cluster}
	for _, c := range s.Columns {
		t.Columns = append(t.Columns, Column{c.Name, types[c.Type], c.Nullable, c.About})
	}
	return t
}
