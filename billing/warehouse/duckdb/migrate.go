package duckdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

var sqlTypes = map[record.Type]string{
	record.Text: "varchar",
	record.Int:  "bigint",
	record.Bool: "boolean",
	record.Time: "timestamp",
	record.Date: "date",
	record.USD:  "decimal(18, 12)",
	record.Sum:  "decimal(38, 12)",
	record.ID:   "uuid",
}

// stock is what lies in the file.
type stock struct {
	version int64             // of the layout that was reached last; 0 of files before there were any
	columns map[string]string // types in DuckDB's words, by TABLE.COLUMN
	tables  map[string]bool
	views   map[string]string // comments
}

// Migrate implements warehouse.Warehouse. It ends with a checkpoint so that no
// later start has to replay a change of schema. It is one transaction, in which the
// many descriptions of columns cost little: a migration that was killed begins again.
func (s *Store) Migrate(ctx context.Context, layout warehouse.Layout) error {
	have, err := s.stock(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := layout.Newer(s.String(), have.version); err != nil {
		return err
	}
	version := int64(layout.Version)
	switch {
	case s.readOnly && len(have.tables) == 0:
		return fmt.Errorf("%s: %w; make it with \"chargeback run\"", s, warehouse.ErrNone)
	case s.readOnly && have.version < version:
		return fmt.Errorf("%s: %w (layout %d of %d)", s, warehouse.ErrOutdated, have.version, version)
	}
	s.know(layout)
	changes, err := s.missing(layout, have)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if have.version < version {
		changes = append(changes, change{layoutTable, fmt.Sprintf("create or replace table %s as select cast(%d as bigint) as version", layoutTable, version)})
	}
	if len(changes) == 0 {
		return nil
	}
	if s.readOnly {
		return fmt.Errorf("%s: %w (%s is to be made or changed)", s, warehouse.ErrOutdated, changes[0].of)
	}
	if err := s.exec(ctx, "begin transaction"); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := s.finish(ctx, s.make(ctx, changes)); err != nil {
		return err
	}
	return s.Compact(ctx)
}

func (s *Store) make(ctx context.Context, changes []change) error {
	for _, c := range changes {
		if err := s.exec(ctx, c.text); err != nil {
			return fmt.Errorf("migrate %s: %w", c.of, err)
		}
	}
	return nil
}

// layoutTable keeps the version of the layout; it is the driver's own.
const layoutTable = "layout"

// know takes over the names of a layout.
func (s *Store) know(layout warehouse.Layout) {
	s.layout = map[string]*warehouse.Table{}
	for i := range layout.Tables {
		s.layout[layout.Tables[i].Name] = &layout.Tables[i]
	}
	for _, v := range layout.Views {
		s.layout[v.Name] = nil
	}
}

// stock reads what lies in the file.
func (s *Store) stock(ctx context.Context) (*stock, error) {
	have := &stock{columns: map[string]string{}, tables: map[string]bool{}, views: map[string]string{}}
	err := s.read(ctx, "select view_name, comment from duckdb_views() where not internal and schema_name = 'main' and database_name = current_database()", func(r warehouse.Row) error {
		name, _ := r.Values[0].(string)
		have.views[name], _ = r.Values[1].(string)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the ledger's views: %w", err)
	}
	err = s.read(ctx, "select table_name, column_name, data_type from duckdb_columns() where not internal and schema_name = 'main' and database_name = current_database()", func(r warehouse.Row) error {
		table, _ := r.Values[0].(string)
		if _, isView := have.views[table]; isView {
			return nil
		}
		column, _ := r.Values[1].(string)
		have.tables[table] = true
		have.columns[table+"."+column], _ = r.Values[2].(string)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the ledger's schema: %w", err)
	}
	if !have.tables[layoutTable] {
		return have, nil
	}
	err = s.read(ctx, "select max(version) from "+layoutTable, func(r warehouse.Row) error {
		have.version, _ = r.Values[0].(int64)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the version of the ledger's layout: %w", err)
	}
	return have, nil
}

// change is a statement of a migration.
type change struct{ of, text string }

// missing are the statements that a layout wants: tables, then views.
func (s *Store) missing(layout warehouse.Layout, have *stock) (all []change, err error) {
	for _, t := range layout.Tables {
		changes, err := wanted(t, have)
		if err != nil {
			return nil, err
		}
		all = append(all, changes...)
	}
	for _, v := range layout.Views {
		changes, err := s.view(v, have)
		if err != nil {
			return nil, err
		}
		all = append(all, changes...)
	}
	return all, nil
}

// wanted are the statements that a table wants.
func wanted(t warehouse.Table, have *stock) (all []change, err error) {
	if t.Name == layoutTable {
		return nil, fmt.Errorf("table %s: the name is the engine's own", t.Name)
	}
	if !have.tables[t.Name] {
		return []change{{"table " + t.Name, "create table " + t.Name + " (" + columnList(t.Columns) + ")"}}, nil
	}
	for _, c := range t.Columns {
		sqlType, has := have.columns[t.Name+"."+c.Name]
		switch {
		case !has:
			all = append(all, change{"table " + t.Name, "alter table " + t.Name + " add column " + c.Name + " " + columnType(c)})
		case !fits(c, sqlType):
			return nil, fmt.Errorf("column %s of table %s is %s in the ledger, and this version of chargeback keeps %s in it; it can't be changed in place: keep the file, and begin a new ledger at another warehouse.path", c.Name, t.Name, sqlType, sqlTypes[c.Type])
		}
	}
	return all, nil
}

// columnList defines columns.
func columnList(columns []record.Column) string {
	texts := make([]string, len(columns))
	for i, c := range columns {
		texts[i] = c.Name + " " + columnType(c)
		if !c.Nullable {
			texts[i] += " not null"
		}
	}
	return strings.Join(texts, ", ")
}

// columnType is the SQL type of a column. Keys differ from row to row and can't
// shrink, so that trying is in vain.
func columnType(c record.Column) string {
	if c.Type == record.ID {
		return sqlTypes[c.Type] + " using compression uncompressed"
	}
	return sqlTypes[c.Type]
}

// view are the statements that a view wants. Its comment ends with what it was made
// from, and is written last.
func (s *Store) view(v warehouse.View, have *stock) ([]change, error) {
	text, err := s.fill(warehouse.Select{Name: "view " + v.Name, Text: v.Text})
	if err != nil {
		return nil, err
	}
	of := "view " + v.Name
	all := []change{{of, "create or replace view " + v.Name + " as\n" + text}}
	for _, c := range v.Columns {
		all = append(all, change{of, "comment on column " + v.Name + "." + c.Name + " is " + quote(c.About)})
	}
	sum := sha256.New()
	for _, c := range all {
		sum.Write([]byte(c.text + "\x00"))
	}
	comment := strings.TrimSpace(v.About + " (made from " + hex.EncodeToString(sum.Sum(nil)[:16]) + ")")
	if have.views[v.Name] == comment {
		return nil, nil
	}
	return append(all, change{of, "comment on view " + v.Name + " is " + quote(comment)}), nil
}
