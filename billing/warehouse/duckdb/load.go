package duckdb

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

// Load implements warehouse.Warehouse: the rows go into the table itself, in a
// transaction that Apply commits.
func (s *Store) Load(ctx context.Context, schema *record.Schema, batches <-chan *record.Batch, done func(*record.Batch)) (_ *warehouse.Loaded, err error) {
	defer func() {
		for b := range batches {
			done(b)
		}
	}()
	defer func() {
		if err != nil {
			err = s.undone(ctx, fmt.Errorf("load %s: %w", schema.Table, err))
		}
	}()
	if _, err := s.table(schema.Table); err != nil {
		return nil, err
	}
	if len(s.loaded) == 0 {
		if err := s.exec(ctx, "begin transaction"); err != nil {
			return nil, err
		}
		s.workBefore = maps.Clone(s.work)
	}
	loaded := &warehouse.Loaded{Schema: schema.Table}
	s.loaded = append(s.loaded, loaded)
	loaded.Rows, err = s.stream(ctx, schema.Table, schema, batches, done)
	if err == nil {
		err = ctx.Err() // DuckDB may have read all of it by then
	}
	return loaded, err
}

// Discard implements warehouse.Warehouse.
func (s *Store) Discard(ctx context.Context) error {
	if len(s.loaded) == 0 {
		return nil
	}
	return s.rollback(ctx)
}

// rollback takes back what was loaded, with the work tables that were made or
// dropped meanwhile.
func (s *Store) rollback(ctx context.Context) error {
	if len(s.loaded) > 0 {
		s.loaded, s.work = nil, s.workBefore
	}
	return s.exec(context.WithoutCancel(ctx), "rollback")
}

// undone takes back what was loaded, for err.
func (s *Store) undone(ctx context.Context, err error) error {
	if undo := s.Discard(ctx); undo != nil {
		return fmt.Errorf("%w (and rollback: %w)", err, undo)
	}
	return err
}

// stream inserts batches into a table: DuckDB's threads pull them through a table
// function while other goroutines still decode.
func (s *Store) stream(ctx context.Context, table string, schema *record.Schema, batches <-chan *record.Batch, done func(*record.Batch)) (int64, error) {
	st := &stream{schema: schema, batches: batches, done: done, ctx: ctx}
	id := s.streams.add(st)
	defer s.streams.remove(id)
	values := make([]string, len(schema.Columns))
	for i, c := range schema.Columns {
		values[i] = fromStream(c)
	}
	distinct, unknown := "", ""
	if schema.Once {
		key := schema.Columns[0].Name
		distinct = "distinct on (" + key + ") "
		unknown = fmt.Sprintf(" as loaded where not exists (select 1 from %s as known where known.%s = loaded.%s)", table, key, key)
	}
	err := s.exec(ctx, fmt.Sprintf("insert into %s (%s) select %s%s from chargeback_stream(%d)%s",
		table, warehouse.ColumnNames(schema.Columns), distinct, strings.Join(values, ", "), id, unknown))
	return st.rows.Load(), err
}

func fromStream(c record.Column) string {
	switch c.Type {
	case record.Time:
		return "make_timestamp(" + c.Name + ")"
	case record.Date:
		return "date '1970-01-01' + cast(" + c.Name + " as integer)"
	case record.USD:
		return "usd(" + c.Name + ")"
	}
	return c.Name
}

// insert inserts rows of Go values: a few in a statement, many as a stream,
// because parsing them as text takes ten times as long.
func (s *Store) insert(ctx context.Context, table warehouse.Table, rows [][]any) error {
	const few = 50
	if len(rows) > few {
		batches, err := warehouse.Pack(table, rows)
		if err != nil {
			return err
		}
		_, err = s.stream(ctx, table.Name, table.Schema(), batches, func(*record.Batch) {})
		return err
	}
	tuples := make([]string, len(rows))
	for i, row := range rows {
		if err := warehouse.FitRow(table, row); err != nil {
			return err
		}
		texts := make([]string, len(row))
		for c, v := range row {
			text, err := literal(v)
			if err != nil {
				return fmt.Errorf("column %s: %w", table.Columns[c].Name, err)
			}
			texts[c] = text
		}
		tuples[i] = "(" + strings.Join(texts, ", ") + ")"
	}
	if len(rows) == 0 {
		return nil
	}
	return s.exec(ctx, fmt.Sprintf("insert into %s (%s) values %s", table.Name, table.ColumnNames(), strings.Join(tuples, ", ")))
}

// has says whether something was loaded and not applied.
func (s *Store) has(l *warehouse.Loaded) bool { return slices.Contains(s.loaded, l) }
