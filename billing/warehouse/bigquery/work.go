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
	if err := s.free(name); err != nil {
		return "", err
	}
	return s.newTable(name), nil
}

// free says why no work table can have a name.
func (s *Store) free(name string) error {
	if _, taken := s.names[name]; taken || !workName.MatchString(name) {
		return fmt.Errorf("work table %q: a name of a-z, 0-9 and _ is wanted that is no table of the ledger", name)
	}
	return nil
}

func (s *Store) newTable(name string) string {
	s.count++
	table := fmt.Sprintf("work_%s_%d_%s", s.o.Run, s.count, name)
	s.made = append(s.made, table)
	return table
}

// keep makes a work table known by its name, in place of an earlier one.
func (s *Store) keep(name string, w work) { s.works[name] = w }

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
	s.keep(name, work{table: table})
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

// inlineMax is how long the text of a work table's rows may be to stand in the
// texts that read it. Longer rows are a table.
const inlineMax = 8_000

// Put implements warehouse.Warehouse. A few rows take no table and no job.
func (s *Store) Put(ctx context.Context, name string, columns []record.Column, rows [][]any) error {
	shape := warehouse.Table{Name: name, Columns: columns}
	text, err := none(columns), error(nil)
	if len(rows) > 0 {
		text, err = asText(shape, rows, textMax)
	}
	if err != nil {
		return fmt.Errorf("put work table %s: %w", name, err)
	}
	if err := s.free(name); err != nil {
		return err
	}
	if text != "" && len(text) <= inlineMax {
		s.keep(name, work{text: text, columns: columns})
		return nil
	}
	w := work{table: s.newTable(name), columns: columns}
	if text != "" {
		err = s.compute(ctx, "put "+name, w.table, text)
	} else {
		w.raw = true
		err = s.putMany(ctx, shape, w.table, rows)
	}
	if err != nil {
		return fmt.Errorf("put work table %s: %w", name, err)
	}
	s.keep(name, w)
	return nil
}

// none is a select of no rows.
func none(columns []record.Column) string {
	values := make([]string, len(columns))
	for i, c := range columns {
		values[i] = "cast(null as " + sqlTypes[c.Type] + ") as " + c.Name
	}
	return "select * from (select " + strings.Join(values, ", ") + ") where false"
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

// Drop implements warehouse.Warehouse. The tables themselves go with Close: each
// takes a request, and nobody waits for their room.
func (s *Store) Drop(_ context.Context, names ...string) error {
	for _, name := range names {
		delete(s.works, name)
	}
	return nil
}

// WorkColumns implements warehouse.Estimator.
func (s *Store) WorkColumns(ctx context.Context, name string) ([]record.Column, error) {
	return s.columnsOf(ctx, name)
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
		case at >= 0 && fieldTypes[columns[at].Type] != fieldTypes[c.Type]:
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
	bigquery.BytesFieldType: record.ID,
}
