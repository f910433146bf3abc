package billed

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// Meter is a warehouse that hands everything to another one and writes down what
// BigQuery would be asked in its place, with what that would be billed. How large
// the tables of the ledger are taken to be stands in Sizes; those that are not there
// have no rows. How
// many rows work tables have says Scale. A Meter before a Meter writes down the same
// for other sizes.
type Meter struct {
	warehouse.Warehouse
	Sizes map[string]Size
	// Scale is how many rows a work table is taken to have, of which it has so many in the
	// other warehouse, made of what was read; nil = as many. It is asked when the table is
	// made.
	Scale func(work string, rows int64, made []Read) int64
	// Applied is told the tables whose rows have changed, so that Sizes can follow; nil =
	// they stay as they are.
	Applied func(ctx context.Context, tables []string) error

	asks       warehouse.Querier // what the Meter itself asks, which is not written down
	dialect    func(named func(string) (string, error)) warehouse.Dialect
	layout     warehouse.Layout
	views      map[string]string
	works      map[string]Table
	statements []Statement
}

// NewMeter puts a Meter before an engine; dialect is that of bigquery.
func NewMeter(engine warehouse.Warehouse, dialect func(named func(string) (string, error)) warehouse.Dialect) *Meter {
	asks := warehouse.Querier(engine)
	if beneath, is := engine.(*Meter); is {
		asks = beneath.asks
	}
	return &Meter{Warehouse: engine, asks: asks, Sizes: map[string]Size{}, dialect: dialect, views: map[string]string{}, works: map[string]Table{}}
}

// Statements are all that were asked so far, in order.
func (m *Meter) Statements() []Statement { return slices.Clone(m.statements) }

// Forget empties Statements.
func (m *Meter) Forget() { m.statements = nil }

// Migrate implements warehouse.Warehouse. What a migration asks is not written down.
func (m *Meter) Migrate(ctx context.Context, layout warehouse.Layout) error {
	m.layout = layout
	for _, v := range layout.Views {
		m.views[v.Name] = ""
	}
	for _, v := range layout.Views {
		text, err := m.fill(warehouse.Select{Text: v.Text})
		if err != nil {
			return fmt.Errorf("view %s: %w", v.Name, err)
		}
		m.views[v.Name] = text
	}
	return m.Warehouse.Migrate(ctx, layout)
}

// The datasets of the ledger and of work tables in texts.
const (
	booksDataset = "`p`.`books`."
	worksDataset = "`p`.`works`."
)

func (m *Meter) named(name string) (string, error) {
	if _, work := m.works[name]; work {
		return worksDataset + "`" + name + "`", nil
	}
	if _, view := m.views[name]; view {
		return booksDataset + "`" + name + "`", nil
	}
	if _, is := m.layout.Table(name); is {
		return booksDataset + "`" + name + "`", nil
	}
	return "", fmt.Errorf("there is no table, view or work table %s", name)
}

func (m *Meter) fill(s warehouse.Select) (string, error) { return m.dialect(m.named).Fill(s) }

// books are what statements are held against.
func (m *Meter) books() Books {
	return Books{
		Table: func(name string) Table {
			dataset, name, _ := strings.Cut(name, ".")
			if dataset == "works" {
				return m.works[name]
			}
			if text, is := m.views[name]; is {
				return Table{View: text}
			}
			t, _ := m.layout.Table(name)
			return Table{Columns: t.Columns, Partition: t.Partition, Required: t.Partition != "", Size: m.Sizes[name]}
		},
		Called: func(name string) (string, bool) {
			dataset, name, _ := strings.Cut(name, ".")
			return name, dataset == "works"
		},
	}
}

// note writes a statement down.
func (m *Meter) note(name, text string) {
	if s, reads := m.books().Statement(text); reads {
		s.Name = name
		m.statements = append(m.statements, s)
	}
}

// Query implements warehouse.Warehouse.
func (m *Meter) Query(ctx context.Context, s warehouse.Select, yield func(warehouse.Row) error) error {
	text, err := m.fill(s)
	if err != nil {
		return err
	}
	m.note(calledBy(s), text)
	return m.Warehouse.Query(ctx, s, yield)
}

// calledBy is the name of a select, or the begin of its text.
func calledBy(s warehouse.Select) string {
	if s.Name != "" {
		return s.Name
	}
	return fmt.Sprintf("%.60s", strings.Join(strings.Fields(s.Text), " "))
}

// Compute implements warehouse.Warehouse.
func (m *Meter) Compute(ctx context.Context, name string, s warehouse.Select) error {
	text, err := m.dialect(m.named).FillOnce(s)
	if err != nil {
		return err
	}
	m.note("compute "+name, "create or replace table "+worksDataset+"`"+name+"` as\n"+text)
	made := m.statements[len(m.statements)-1].Reads
	if err := m.Warehouse.Compute(ctx, name, s); err != nil {
		return err
	}
	columns, err := m.columnsOf(ctx, name)
	if err != nil {
		return err
	}
	return m.keep(ctx, name, columns, made)
}

// columnsOf are the columns of a work table, by its first row: one without rows has
// none, and costs nothing.
func (m *Meter) columnsOf(ctx context.Context, name string) (columns []record.Column, err error) {
	err = m.asks.Query(ctx, warehouse.Select{Text: "select * from {" + name + "} limit 1"}, func(r warehouse.Row) error {
		for i, c := range r.Columns {
			columns = append(columns, record.Column{Name: c, Type: m.typeOf(c, r.Values[i])})
		}
		return nil
	})
	return columns, err
}

// typeOf is the type of a value; of null it is that of the column of that name in the
// ledger, or a number.
func (m *Meter) typeOf(column string, v any) record.Type {
	switch v.(type) {
	case string:
		return record.Text
	case bool:
		return record.Bool
	case time.Time:
		return record.Time
	case civil.Date:
		return record.Date
	case money.USD:
		return record.USD
	case nil:
		for _, t := range m.layout.Tables {
			for _, c := range t.Columns {
				if c.Name == column {
					return c.Type
				}
			}
		}
	}
	return record.Int
}

// keep notes a work table with its rows.
func (m *Meter) keep(ctx context.Context, name string, columns []record.Column, made []Read) error {
	rows, err := warehouse.One[int64](ctx, m.asks, warehouse.Select{Text: "select count(*) as n from {" + name + "}"})
	if err != nil {
		return err
	}
	if m.Scale != nil {
		rows = m.Scale(name, rows, made)
	}
	m.works[name] = Table{Columns: columns, Size: Size{Rows: rows}}
	return nil
}

// Put implements warehouse.Warehouse. Loads are not billed.
func (m *Meter) Put(ctx context.Context, name string, columns []record.Column, rows [][]any) error {
	if err := m.Warehouse.Put(ctx, name, columns, rows); err != nil {
		return err
	}
	return m.keep(ctx, name, columns, nil)
}

// Drop implements warehouse.Warehouse.
func (m *Meter) Drop(ctx context.Context, names ...string) error {
	for _, name := range names {
		delete(m.works, name)
	}
	return m.Warehouse.Drop(ctx, names...)
}

// Apply implements warehouse.Warehouse.
func (m *Meter) Apply(ctx context.Context, changes ...warehouse.Change) error {
	var tables []string
	for _, c := range changes {
		if err := m.change(c); err != nil {
			return err
		}
		if table := tableOf(c); table != "" && !slices.Contains(tables, table) {
			tables = append(tables, table)
		}
	}
	if err := m.Warehouse.Apply(ctx, changes...); err != nil || m.Applied == nil {
		return err
	}
	return m.Applied(ctx, tables)
}

// tableOf is the table whose rows a change adds, replaces or removes.
func tableOf(c warehouse.Change) string {
	switch c := c.(type) {
	case warehouse.ReplaceDays:
		return c.Table
	case warehouse.Append:
		return c.Table
	case *warehouse.Loaded:
		return c.Schema
	case warehouse.Delete:
		return c.Table
	}
	return ""
}

func (m *Meter) change(c warehouse.Change) error {
	switch c := c.(type) {
	case warehouse.ReplaceDays:
		return m.replace(c)
	case warehouse.Append:
		if c.From != "" {
			m.note("append to "+c.Table, m.insert(c.Table, c.From, ""))
		}
	case *warehouse.Loaded:
		return m.loaded(c)
	case warehouse.Update:
		return m.where("update", c.Table, "update "+booksDataset+"`"+c.Table+"` set x = 1 where ", c.Where, c.Args)
	case warehouse.Delete:
		return m.where("delete from", c.Table, "delete from "+booksDataset+"`"+c.Table+"` where ", c.Where, c.Args)
	case warehouse.Guard:
		text, err := m.fill(c.Count)
		if err != nil {
			return err
		}
		m.note(calledBy(c.Count), text)
	}
	return nil
}

func (m *Meter) where(what, table, text, where string, args warehouse.Args) error {
	filled, err := m.fill(warehouse.Select{Text: where, Args: args})
	if err == nil {
		m.note(what+" "+table, text+filled)
	}
	return err
}

func (m *Meter) replace(c warehouse.ReplaceDays) error {
	if c.Where != "" { // whole days go without being read
		t, _ := m.layout.Table(c.Table)
		args := warehouse.Args{"days_replaced": c.Days}
		for name, v := range c.Args {
			args[name] = v
		}
		where := t.Partition + " in ({@days_replaced}) and (" + c.Where + ")"
		if err := m.where("delete days of", c.Table, "delete from "+booksDataset+"`"+c.Table+"` where ", where, args); err != nil {
			return err
		}
	}
	m.note("insert days of "+c.Table, m.insert(c.Table, c.From, ""))
	return nil
}

// insert is a statement that adds a work table's rows.
func (m *Meter) insert(table, from, more string) string {
	var names []string
	t, _ := m.layout.Table(table)
	for _, c := range m.works[from].Columns {
		if slices.ContainsFunc(t.Columns, func(of record.Column) bool { return of.Name == c.Name }) {
			names = append(names, c.Name)
		}
	}
	list := strings.Join(names, ", ")
	return "insert into " + booksDataset + "`" + table + "` (" + list + ")\nselect " + list + " from " + worksDataset + "`" + from + "`" + more
}

// loaded is how rows get from where a load put them into their table.
func (m *Meter) loaded(c *warehouse.Loaded) error {
	t, is := m.layout.Table(c.Schema)
	if !is {
		return fmt.Errorf("the ledger has no table %s", c.Schema)
	}
	work, rows, more := "loaded_"+c.Schema, c.Rows, ""
	if m.Scale != nil {
		rows = m.Scale(work, rows, nil)
	}
	m.works[work] = Table{Columns: t.Columns, Size: Size{Rows: rows}}
	for _, s := range record.DimensionSchemas {
		if s.Table == c.Schema && s.Once {
			more = " as loaded where not exists (select 1 from " + booksDataset + "`" + t.Name + "` as stored where stored." + t.Columns[0].Name + " = loaded." + t.Columns[0].Name + ")"
		}
	}
	if c.Except != "" {
		except, err := m.fill(warehouse.Select{Text: c.Except})
		if err != nil {
			return err
		}
		more = " as loaded where not ifnull(" + except + ", false)"
	}
	m.note("take in "+c.Schema, m.insert(t.Name, work, more))
	delete(m.works, work)
	return nil
}
