package duckdb

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	driver "github.com/duckdb/duckdb-go/v2"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// functions are the macros of prepare, and what DuckDB has under another name.
var functions = map[string]string{
	"usd":                "usd($)",
	"total_usd":          "total_usd($)",
	"month_of":           "month_of($)",
	"first_of_month":     "first_of_month($)",
	"date_of_days":       "(date '1970-01-01' + cast($ as integer))",
	"micros_of":          "micros_of($)",
	"pico_of":            "cast(($) * 1000000000000 as bigint)",
	"sha256_hex":         "sha256($)",
	"hex_int":            "cast(concat('0x', $) as bigint)",
	"id_key":             "id_key($)",
	"key_text":           "cast($ as varchar)",
	"utc_minute_of_week": "utc_minute_of_week($)",
}

// fill writes a select as DuckDB reads it.
func (s *Store) fill(sel warehouse.Select) (string, error) {
	return s.dialect().Fill(sel)
}

func (s *Store) dialect() warehouse.Dialect {
	return warehouse.Dialect{Table: s.relation, Literal: literal, Functions: functions}
}

// relation is what a marker stands for: a work table, or a table or view of the
// layout.
func (s *Store) relation(name string) (string, error) {
	if t, is := s.work[name]; is {
		return t.of(name), nil
	}
	if _, is := s.layout[name]; !is {
		return "", fmt.Errorf("there is no table, view or work table %s", name)
	}
	return name, nil
}

// table is a table of the layout.
func (s *Store) table(name string) (warehouse.Table, error) {
	t := s.layout[name]
	if t == nil {
		return warehouse.Table{}, fmt.Errorf("there is no table %s", name)
	}
	return *t, nil
}

// Query implements warehouse.Warehouse.
func (s *Store) Query(ctx context.Context, sel warehouse.Select, yield func(warehouse.Row) error) error {
	text, err := s.fill(sel)
	if err != nil {
		return err
	}
	stopped := false // by yield, whose error is its own
	err = s.read(ctx, text, func(r warehouse.Row) error {
		err := yield(r)
		stopped = err != nil
		return err
	})
	if stopped {
		return err
	}
	return sel.Failed(err)
}

// read reads the rows of a select that is filled in.
func (s *Store) read(ctx context.Context, text string, yield func(warehouse.Row) error) (err error) {
	rows, err := s.conn.QueryContext(ctx, text)
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
	row := warehouse.Row{Columns: make([]string, len(types)), Values: make([]any, len(types))}
	values, targets := make([]any, len(types)), make([]any, len(types))
	for i := range values {
		row.Columns[i], targets[i] = types[i].Name(), &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		for i, v := range values {
			if row.Values[i], err = plain(v, types[i].DatabaseTypeName()); err != nil {
				return fmt.Errorf("column %s: %w", row.Columns[i], err)
			}
		}
		if err := yield(row); err != nil {
			return err
		}
	}
	return s.fault(rows.Err())
}

// plain gives a driver's value the Go type that warehouse.Row promises.
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
	case []byte:
		if dbType == "UUID" && len(v) == len(record.Key{}) {
			return record.Key(v), nil
		}
	case driver.UUID:
		return record.Key(v), nil
	case driver.Decimal:
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

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func literal(v any) (string, error) {
	if text, is := v.(string); is && strings.Contains(text, "\x00") {
		return "", errors.New("text with a NUL character, which DuckDB's SQL can't say")
	}
	if key, is := v.(record.Key); is {
		return "uuid '" + key.String() + "'", nil
	}
	return warehouse.Literal(v, quote)
}
