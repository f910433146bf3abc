package duckdb

import (
	"context"
	"fmt"
	"strings"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

// columns are the types of a work table's columns, in DuckDB's words, by name.
type columns map[string]string

// Compute implements warehouse.Warehouse.
func (s *Store) Compute(ctx context.Context, name string, sel warehouse.Select) error {
	if err := s.mayMake(name); err != nil {
		return err
	}
	text, err := s.fill(sel)
	if err != nil {
		return fmt.Errorf("compute %s: %w", name, err)
	}
	if err := s.exec(ctx, "create or replace temp table "+name+" as\n"+text); err != nil {
		return fmt.Errorf("compute %s: %w", name, sel.Failed(err))
	}
	s.work[name] = nil
	return nil
}

// Put implements warehouse.Warehouse.
func (s *Store) Put(ctx context.Context, name string, cols []record.Column, rows [][]any) error {
	if err := s.mayMake(name); err != nil {
		return err
	}
	table := warehouse.Table{Name: name, Columns: cols}
	for _, row := range rows {
		if err := warehouse.FitRow(table, row); err != nil {
			return err
		}
	}
	if err := s.exec(ctx, "create or replace temp table "+name+" ("+columnList(cols)+")"); err != nil {
		return fmt.Errorf("make %s: %w", name, err)
	}
	s.work[name] = nil
	if err := s.insert(ctx, table, rows); err != nil {
		return fmt.Errorf("fill %s: %w", name, s.dropped(ctx, name, err))
	}
	return nil
}

// dropped drops a work table, for err.
func (s *Store) dropped(ctx context.Context, name string, err error) error {
	if undo := s.Drop(context.WithoutCancel(ctx), name); undo != nil {
		return fmt.Errorf("%w (and drop: %w)", err, undo)
	}
	return err
}

// mayMake is an error where a work table can't have the name, or can't be made now.
func (s *Store) mayMake(name string) error {
	if _, is := s.layout[name]; is {
		return fmt.Errorf("make work table %s: the ledger has a table or view of that name", name)
	}
	return nil
}

// Drop implements warehouse.Warehouse.
func (s *Store) Drop(ctx context.Context, names ...string) error {
	for _, name := range names {
		if _, is := s.work[name]; !is {
			continue
		}
		if err := s.exec(ctx, "drop table if exists temp."+name); err != nil {
			return fmt.Errorf("drop %s: %w", name, err)
		}
		delete(s.work, name)
	}
	return nil
}

// columnsOf are the columns of a work table, which DuckDB is asked for once.
func (s *Store) columnsOf(ctx context.Context, name string) (columns, error) {
	have, is := s.work[name]
	if !is {
		return nil, fmt.Errorf("there is no work table %s", name)
	}
	if have != nil {
		return have, nil
	}
	have = columns{}
	err := s.read(ctx, "select column_name, column_type from (describe temp."+name+")", func(r warehouse.Row) error {
		column, _ := r.Values[0].(string)
		have[column], _ = r.Values[1].(string)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("columns of %s: %w", name, err)
	}
	s.work[name] = have
	return have, nil
}

// fits says whether values of a type, in DuckDB's words, go into a column without
// becoming something else.
func fits(c record.Column, sqlType string) bool {
	switch c.Type {
	case record.Text:
		return sqlType == "VARCHAR"
	case record.Int:
		return strings.HasSuffix(sqlType, "INT") || sqlType == "INTEGER" || sqlType == "UINTEGER"
	case record.Bool:
		return sqlType == "BOOLEAN"
	case record.Time:
		return strings.HasPrefix(sqlType, "TIMESTAMP")
	case record.Date:
		return sqlType == "DATE"
	case record.ID:
		return sqlType == "UUID"
	case record.Sum:
		return sqlType == "DECIMAL(38,12)"
	}
	return strings.HasPrefix(sqlType, "DECIMAL(")
}
