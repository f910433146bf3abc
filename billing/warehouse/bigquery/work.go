package bigquery

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/bigquery"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

var workName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,60}$`)

// workMax is how long a work table stays where its process ends without
// dropping it.
const workMax = 24 * time.Hour

// newWork names a table for a work table, which becomes known by keep.
func (s *Store) newWork(name string) (string, error) {
	if _, taken := s.names[name]; taken || !workName.MatchString(name) {
		return "", fmt.Errorf("work table %q: a name of a-z, 0-9 and _ is wanted that is no table of the ledger", name)
	}
	return s.newTable(name), nil
}

func (s *Store) newTable(name string) string {
	s.count++
	table := fmt.Sprintf("work_%s_%d_%s", s.o.Run, s.count, name)
	s.made = append(s.made, table)
	return table
}

// keep makes a work table known by its name, in place of an earlier one.
func (s *Store) keep(ctx context.Context, name string, w work) {
	if before, was := s.works[name]; was {
		s.forget(ctx, before.table)
	}
	s.works[name] = w
}

// Compute implements warehouse.Warehouse.
func (s *Store) Compute(ctx context.Context, name string, q warehouse.Select) error {
	text, err := s.dialect().FillOnce(q)
	if err != nil {
		return fmt.Errorf("compute %s: %w", name, err)
	}
	table, err := s.newWork(name)
	if err != nil {
		return err
	}
	if err := s.compute(ctx, "compute "+name, table, text); err != nil {
		return q.Failed(err)
	}
	s.keep(ctx, name, work{table: table})
	return nil
}

// compute makes a table of scratch of a select's rows. Made again, as where the
// first job failed at its very end, it is made in place of what there is.
func (s *Store) compute(ctx context.Context, what, table, text string) error {
	var labels []string
	for _, name := range []string{"component", "run"} {
		labels = append(labels, "("+quote(name)+", "+quote(s.labels()[name])+")")
	}
	text = "create or replace table " + s.fullIn(s.o.WorkDataset, table) +
		"\noptions(expiration_timestamp = timestamp_add(current_timestamp(), interval " + fmt.Sprint(int(workMax/time.Hour)) + " hour), labels = [" + strings.Join(labels, ", ") + "]) as\n" + text
	_, err := s.statement(ctx, task{what: what, subject: table, content: text})
	return err
}

// create makes an empty table of scratch.
func (s *Store) create(ctx context.Context, table string, shape bigquery.Schema) error {
	err := s.scratch.Table(table).Create(ctx, &bigquery.TableMetadata{Schema: shape, ExpirationTime: s.o.Clock().Add(workMax), Labels: s.labels()})
	if err != nil && !taken(err) {
		return wording(err)
	}
	return nil
}

// Put implements warehouse.Warehouse.
func (s *Store) Put(ctx context.Context, name string, columns []record.Column, rows [][]any) error {
	table, err := s.newWork(name)
	if err != nil {
		return err
	}
	shape := warehouse.Table{Name: name, Columns: columns}
	w := work{table: table, columns: columns}
	if len(rows) == 0 {
		err = s.create(ctx, table, fields(columns))
	} else {
		var text string
		text, err = asText(shape, rows, textMax)
		switch {
		case err != nil:
		case text != "":
			err = s.compute(ctx, "put "+name, table, text)
		default:
			w.raw = true
			err = s.putMany(ctx, shape, table, rows)
		}
	}
	if err != nil {
		return fmt.Errorf("put work table %s: %w", name, err)
	}
	s.keep(ctx, name, w)
	return nil
}

// putMany loads rows of Go values into a raw table.
func (s *Store) putMany(ctx context.Context, t warehouse.Table, table string, rows [][]any) error {
	batches, err := warehouse.Pack(t, rows)
	if err != nil {
		return err
	}
	_, err = s.load(ctx, table, t.Schema(), batches, func(*record.Batch) {})
	return err
}

// Drop implements warehouse.Warehouse.
func (s *Store) Drop(ctx context.Context, names ...string) error {
	var tables []string
	for _, name := range names {
		if w, is := s.works[name]; is {
			tables = append(tables, w.table)
			delete(s.works, name)
		}
	}
	s.forget(ctx, tables...)
	return nil
}

// columnsOf are the columns of a work table.
func (s *Store) columnsOf(ctx context.Context, name string) ([]record.Column, error) {
	w, is := s.works[name]
	if !is {
		return nil, fmt.Errorf("there is no work table %s", name)
	}
	if w.columns != nil {
		return w.columns, nil
	}
	m, err := s.scratch.Table(w.table).Metadata(ctx)
	if err != nil {
		return nil, fmt.Errorf("look up work table %s: %w", name, wording(err))
	}
	for _, f := range m.Schema {
		kind, is := typesOf[f.Type]
		if !is {
			return nil, fmt.Errorf("column %s of work table %s is %s, which no table of the ledger has", f.Name, name, f.Type)
		}
		w.columns = append(w.columns, record.Column{Name: f.Name, Type: kind, Nullable: true})
	}
	s.works[name] = w
	return w.columns, nil
}

// brings are the names of a table's columns that a work table has, in the table's
// order. One of another type is an error; and so is one that the work table lacks,
// where all are wanted, and else one that it has besides, whose values would be lost.
func (s *Store) brings(ctx context.Context, t warehouse.Table, name string, all bool) (string, error) {
	columns, err := s.columnsOf(ctx, name)
	if err != nil {
		return "", err
	}
	var names []string
	for _, c := range t.Columns {
		at := slices.IndexFunc(columns, func(g record.Column) bool { return g.Name == c.Name })
		switch {
		case at >= 0 && columns[at].Type != c.Type:
			return "", fmt.Errorf("column %s of work table %s is %s, want %s", c.Name, name, sqlTypes[columns[at].Type], sqlTypes[c.Type])
		case at >= 0:
			names = append(names, c.Name)
		case all || !c.Nullable:
			return "", fmt.Errorf("work table %s has no column %s", name, c.Name)
		}
	}
	var more []string
	for _, g := range columns {
		if !slices.Contains(names, g.Name) {
			more = append(more, g.Name)
		}
	}
	if !all && len(more) > 0 {
		return "", fmt.Errorf("work table %s has a column %s, which table %s lacks", name, slices.Min(more), t.Name)
	}
	return strings.Join(names, ", "), nil
}

// typesOf are the types of columns by what the service calls them.
var typesOf = map[bigquery.FieldType]record.Type{
	bigquery.StringFieldType: record.Text, bigquery.IntegerFieldType: record.Int, bigquery.BooleanFieldType: record.Bool, bigquery.TimestampFieldType: record.Time,
	bigquery.DateFieldType: record.Date, bigquery.BigNumericFieldType: record.USD, bigquery.NumericFieldType: record.USD,
}
