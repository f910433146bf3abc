package duckledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"chargeback/billing/ledger"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

var sqlTypes = map[ledger.ColumnType]string{
	ledger.Text:      "varchar",
	ledger.Int:       "bigint",
	ledger.Bool:      "boolean",
	ledger.Timestamp: "timestamp",
	ledger.Date:      "date",
	ledger.USD:       "decimal(18, 12)",
}

// Migrate makes missing tables and columns, and ends with a checkpoint so that
// no later start has to replay a change of schema. Where nothing may be written
// it returns ledger.ErrOutdated if one would be made.
func (s *Store) Migrate(ctx context.Context, tables []ledger.Table) error {
	have := map[string]bool{}
	err := s.Query(ctx, "select table_name, column_name from information_schema.columns where table_schema = 'main'", nil, func(r ledger.Row) error {
		have[r.Text(0)] = true
		have[r.Text(0)+"."+r.Text(1)] = true
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the ledger's schema: %w", err)
	}
	err = s.Query(ctx, "select view_name, comment from duckdb_views() where not internal and schema_name = 'main'", nil, func(r ledger.Row) error {
		have[r.Text(0)+"="+r.Text(1)] = true
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the ledger's views: %w", err)
	}
	changed := false
	for _, t := range tables {
		statements := changes(t, have)
		if s.readOnly && len(statements) > 0 {
			return fmt.Errorf("%s: %w (%s is to be made or changed)", s, ledger.ErrOutdated, t.Name)
		}
		for _, text := range statements {
			changed = true
			if err := s.Exec(ctx, text, nil); err != nil {
				return fmt.Errorf("migrate table %s: %w", t.Name, err)
			}
		}
	}
	if !changed {
		return nil
	}
	return s.Checkpoint(ctx)
}

// columnType is the SQL type of a column. Request ids differ from row to row
// and hardly shrink, while trying takes longer than all else that a load does.
func columnType(c ledger.Column) string {
	if strings.HasSuffix(c.Name, "_request_id") {
		return sqlTypes[c.Type] + " using compression uncompressed"
	}
	return sqlTypes[c.Type]
}

// changes are the statements that a table or view wants. A view's comment tells
// which text it was made from.
func changes(t ledger.Table, have map[string]bool) []string {
	if t.View != "" {
		sum := sha256.Sum256([]byte(t.View))
		text := hex.EncodeToString(sum[:])
		if have[t.Name+"="+text] {
			return nil
		}
		return []string{"create or replace view " + t.Name + " as" + t.View, "comment on view " + t.Name + " is '" + text + "'"}
	}
	var columns, statements []string
	for _, c := range t.Columns {
		column := c.Name + " " + columnType(c)
		if have[t.Name] && !have[t.Name+"."+c.Name] {
			statements = append(statements, "alter table "+t.Name+" add column "+column)
		}
		if !c.Nullable {
			column += " not null"
		}
		columns = append(columns, column)
	}
	if !have[t.Name] {
		statements = append(statements, "create table "+t.Name+" ("+strings.Join(columns, ", ")+")")
	}
	return statements
}

// Exec implements ledger.Engine.
func (s *Store) Exec(ctx context.Context, text string, args ledger.Args) error {
	bound, err := ledger.Bind(text, args, literal)
	if err != nil {
		return err
	}
	_, err = s.conn.ExecContext(ctx, bound)
	return s.fault(err)
}

// Query implements ledger.Engine.
func (s *Store) Query(ctx context.Context, text string, args ledger.Args, yield func(ledger.Row) error) (err error) {
	bound, err := ledger.Bind(text, args, literal)
	if err != nil {
		return err
	}
	rows, err := s.conn.QueryContext(ctx, bound)
	if err != nil {
		return s.fault(err)
	}
	defer func() {
		if closed := rows.Close(); err == nil {
			err = s.fault(closed)
		}
	}()
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	values, targets := make([]any, len(types)), make([]any, len(types))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		row := make(ledger.Row, len(values))
		for i, v := range values {
			if row[i], err = plain(v, types[i].DatabaseTypeName()); err != nil {
				return fmt.Errorf("column %s: %w", types[i].Name(), err)
			}
		}
		if err := yield(row); err != nil {
			return err
		}
	}
	return s.fault(rows.Err())
}

// plain gives a driver's value the Go type that ledger.Row promises.
func plain(v any, dbType string) (any, error) {
	switch v := v.(type) {
	case nil, string, bool, int64:
		return v, nil
	case int32:
		return int64(v), nil
	case int16:
		return int64(v), nil
	case int8:
		return int64(v), nil
	case *big.Int: // what DuckDB gives for counts and sums of whole numbers
		if !v.IsInt64() {
			return nil, errors.New("is a whole number of more than 64 bits")
		}
		return v.Int64(), nil
	case duckdb.Decimal:
		if v.Scale > money.Scale {
			return nil, fmt.Errorf("has scale %d, finer than an amount", v.Scale)
		}
		return money.Parse(v.String())
	case time.Time:
		if dbType == "DATE" {
			return civil.DateOf(v, time.UTC), nil
		}
		return v.UTC(), nil
	}
	return nil, fmt.Errorf("type %s (%T) is not one the ledger uses; cast it in the query", dbType, v)
}

// Insert implements ledger.Engine: a few rows in a statement, many as a load,
// because parsing them as text takes ten times as long.
func (s *Store) Insert(ctx context.Context, table ledger.Table, rows [][]any) error {
	const perStatement = 50
	if schema, ok := ledger.LoadSchema(table); ok && len(rows) > perStatement {
		batches, err := ledger.Pack(table, schema, rows)
		if err != nil {
			return err
		}
		_, err = s.Load(ctx, schema, batches, func(*record.Batch) {})
		return err
	}
	for part := range slices.Chunk(rows, perStatement) {
		var b strings.Builder
		fmt.Fprintf(&b, "insert into %s (%s) values ", table.Name, table.ColumnNames())
		for i, row := range part {
			if i > 0 {
				b.WriteString(", ")
			}
			if err := tuple(&b, table, row); err != nil {
				return err
			}
		}
		if _, err := s.conn.ExecContext(ctx, b.String()); err != nil {
			return fmt.Errorf("insert into %s: %w", table.Name, s.fault(err))
		}
	}
	return nil
}

func tuple(b *strings.Builder, table ledger.Table, row []any) error {
	if err := ledger.FitRow(table, row); err != nil {
		return err
	}
	b.WriteByte('(')
	for i, v := range row {
		if i > 0 {
			b.WriteString(", ")
		}
		text, err := literal(v)
		if err != nil {
			return fmt.Errorf("insert into %s: column %s: %w", table.Name, table.Columns[i].Name, err)
		}
		b.WriteString(text)
	}
	b.WriteByte(')')
	return nil
}

// Require implements ledger.Engine: no other process has the file open.
func (s *Store) Require(ctx context.Context, text string, args ledger.Args) error {
	return s.Query(ctx, text, args, func(r ledger.Row) error {
		if r.Int(0) != 0 {
			return ledger.ErrChanged
		}
		return nil
	})
}

// Keep implements ledger.Engine with temporary tables and views.
func (s *Store) Keep(ctx context.Context, name string, asTable bool, text string, args ledger.Args) error {
	kind := "view"
	if asTable {
		kind = "table"
	}
	return s.Exec(ctx, "create or replace temp "+kind+" "+name+" as\n"+text, args)
}

// Transact implements ledger.Engine.
func (s *Store) Transact(ctx context.Context, do func() error) (err error) {
	if err := s.Exec(ctx, "begin transaction", nil); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	open := true
	defer func() { // also where do panics
		if !open {
			return
		}
		if undo := s.Exec(context.WithoutCancel(ctx), "rollback", nil); undo != nil {
			err = fmt.Errorf("%w (and rollback: %w)", err, undo)
		}
	}()
	if err := do(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	open = false
	if err := s.Exec(context.WithoutCancel(ctx), "commit", nil); err != nil {
		return fmt.Errorf("commit: %w; run the same command again: it finds out what was kept", err)
	}
	return nil
}
