package duckdb

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

// columns are the types of a work table's columns, in DuckDB's words, by name.
type columns map[string]string

// workTable is where a work table lies, and what it has.
type workTable struct {
	place   string
	columns columns // nil until they are asked for
}

// of is how a statement names it.
func (t workTable) of(name string) string { return t.place + "." + name }

// Places of work tables. A wide one goes to a database of its own, a file that lasts as
// long as the process: DuckDB compresses what it writes to a file while a statement
// runs, where a table in memory takes three times the room, and at that size spills and
// is read again once it outgrows the limit. The others would take more time to compress
// than that spares. Tables of readers, and those that are made while rows are loaded,
// lie in memory, too: a transaction of DuckDB changes one file alone.
const (
	inMemory = "temp"
	inFile   = "chargeback_work" // as no file of a ledger is called
)

// workFile is the file of the work tables of a ledger. The folder may be that of several.
func workFile(o Options) string {
	path := o.Path
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	sum := sha256.Sum256([]byte(path))
	return filepath.Join(o.TempDir, fmt.Sprintf("work-%x.duckdb", sum[:8]))
}

// attachWork makes the database of work tables, in place of what a process that was
// killed has left. Nothing of it is logged: no other process is to read it.
func (s *Store) attachWork(ctx context.Context) error {
	folder := filepath.Dir(s.workFile)
	_, err := os.Stat(folder)
	s.madeFolder = errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make the folder of work tables, warehouse.temp_dir: %w", err)
	}
	if err := s.exec(ctx, "attach "+quote(s.workFile)+" as "+inFile+" (recovery_mode no_wal_writes)"); err != nil {
		return fmt.Errorf("make the file of work tables: %w", err)
	}
	s.attached = true
	if err := os.Chmod(s.workFile, 0o600); err != nil {
		return fmt.Errorf("make the file of work tables private: %w", err)
	}
	return nil
}

// removeWork removes the file of work tables, where there is one.
func (s *Store) removeWork() error {
	for _, file := range []string{s.workFile, s.workFile + ".wal"} {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the file of work tables: %w", err)
		}
	}
	return nil
}

// Compute implements warehouse.Warehouse.
func (s *Store) Compute(ctx context.Context, name string, sel warehouse.Select) error {
	if err := s.mayMake(name); err != nil {
		return err
	}
	text, err := s.fill(sel)
	if err != nil {
		return fmt.Errorf("compute %s: %w", name, err)
	}
	place := inMemory
	if sel.Wide && !s.readOnly && len(s.loaded) == 0 {
		place = inFile
		if !s.attached {
			if err := s.attachWork(ctx); err != nil {
				return err
			}
		}
	}
	if err := s.makeWork(ctx, place, name, " as\n"+text); err != nil {
		return fmt.Errorf("compute %s: %w", name, sel.Failed(err))
	}
	return nil
}

// makeWork makes a work table at a place, in place of one of its name.
func (s *Store) makeWork(ctx context.Context, place, name, content string) error {
	of := workTable{place: place}.of(name)
	if place == inMemory {
		of = "temp table " + name // by no other name
	} else {
		of = "table " + of
	}
	if err := s.exec(ctx, "create or replace "+of+content); err != nil {
		return err
	}
	before, is := s.work[name]
	s.work[name] = workTable{place: place}
	if is && before.place != place {
		return s.dropFrom(ctx, before.place, name)
	}
	return nil
}

// dropFrom drops a work table. One in the file stays there while rows are loaded, and
// nothing reads it any more.
func (s *Store) dropFrom(ctx context.Context, place, name string) error {
	if place == inFile && len(s.loaded) > 0 {
		return nil
	}
	return s.exec(ctx, "drop table if exists "+workTable{place: place}.of(name))
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
	if err := s.makeWork(ctx, inMemory, name, " ("+columnList(cols)+")"); err != nil {
		return fmt.Errorf("make %s: %w", name, err)
	}
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
		t, is := s.work[name]
		if !is {
			continue
		}
		if err := s.dropFrom(ctx, t.place, name); err != nil {
			return fmt.Errorf("drop %s: %w", name, err)
		}
		delete(s.work, name)
	}
	return nil
}

// columnsOf are the columns of a work table, which DuckDB is asked for once.
func (s *Store) columnsOf(ctx context.Context, name string) (columns, error) {
	t, is := s.work[name]
	if !is {
		return nil, fmt.Errorf("there is no work table %s", name)
	}
	if t.columns != nil {
		return t.columns, nil
	}
	have := columns{}
	err := s.read(ctx, "select column_name, column_type from (describe "+t.of(name)+")", func(r warehouse.Row) error {
		column, _ := r.Values[0].(string)
		have[column], _ = r.Values[1].(string)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("columns of %s: %w", name, err)
	}
	s.work[name] = workTable{t.place, have}
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
