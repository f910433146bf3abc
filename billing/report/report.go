// Package report reads what the books say about a month, an agent, a person or a
// problem, as data and as text, and what records would cost by other prices.
//
// It owns: the reports' selects, columns, order and totals; the rule that
// every report of a month adds up to the same total; averages and shares; and
// the three forms: a table for a terminal, JSON and CSV; the history of people and
// of their names; and the rule that a comparison leaves the ledger as it is.
// It does not own: the cost records (billing/records), names of cost centres
// and agents (transform/directory), documents that finance books
// (billing/invoice), or the words of alerts (templates).
package report

import (
	"context"
	"errors"
	"fmt"

	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// Querier runs a select. A *records.Records is one.
type Querier = warehouse.Querier

// Kind says what a column's values are. Where a value is not known, or there
// is none, it is nil in every kind.
type Kind uint8

// The kinds.
const (
	Text    Kind = iota // string
	Count               // int64; adds up
	USD                 // money.USD, exact; adds up
	Percent             // string with exactly 2 decimals: "12.34"
	Average             // string: USD with exactly 6 decimals, half up
	Number              // int64 that names something, such as a line; does not add up
)

// Column is one column of a report.
type Column struct {
	Name  string // snake_case: the key in JSON, the header in CSV
	Title string // what people read
	Kind  Kind

	// Rank says when a narrow terminal goes without the column: 0 never, else
	// the highest first. JSON and CSV always have all columns.
	Rank int
	// Null says that a select may have no value for a row.
	Null bool
	// None is what a table shows where there is no value, "-" where empty.
	None string
	// Whole keeps text from being shortened: it is there to be copied.
	Whole bool
	// Wrap breaks long text over lines in its cell. Other text is shortened.
	Wrap bool
}

// Report is a table of figures with its total. Every row and Total have one
// value a column; Total is nil where a column does not add up.
type Report struct {
	Name    string
	Title   string
	Month   string // 2026-10; "" where the report is not about one month
	Columns []Column
	Rows    [][]any
	Total   []any
	Notes   []string
}

// at is the index of a column.
func (r *Report) at(name string) int {
	for i, c := range r.Columns {
		if c.Name == name {
			return i
		}
	}
	return -1
}

func (r *Report) count(row []any, name string) int64 { n, _ := row[r.at(name)].(int64); return n }

func (r *Report) usd(row []any, name string) money.USD { a, _ := row[r.at(name)].(money.USD); return a }

// read appends what a select yields and adds it up. The select's columns are the
// report's, by name, but for those that are derived from others and filled in later. A
// column that is missing, one that the report doesn't have, a value of another kind
// and null where none may be are errors that name the report and the column.
func (r *Report) read(ctx context.Context, q Querier, s warehouse.Select) error {
	r.begin()
	s.Name = "read report " + r.Name
	var places []int
	return q.Query(ctx, s, func(values warehouse.Row) (err error) {
		if places == nil {
			if places, err = r.places(values.Columns); err != nil {
				return s.Failed(err)
			}
		}
		row := make([]any, len(r.Columns))
		for i, v := range values.Values {
			c := r.Columns[places[i]]
			if row[places[i]], err = c.value(v); err != nil {
				return s.Failed(fmt.Errorf("column %s: %w", c.Name, err))
			}
		}
		r.append(row)
		return nil
	})
}

// begin sets the total of no rows.
func (r *Report) begin() {
	r.Total = make([]any, len(r.Columns))
	for i, c := range r.Columns {
		switch c.Kind {
		case Count:
			r.Total[i] = int64(0)
		case USD:
			r.Total[i] = money.USD{}
		}
	}
}

// append adds a row to the report and to its total.
func (r *Report) append(row []any) {
	r.Rows = append(r.Rows, row)
	for i, v := range row {
		r.add(i, v)
	}
}

// places says which column of the report each column of a select is.
func (r *Report) places(names []string) (places []int, err error) {
	found := map[string]bool{}
	for _, name := range names {
		at := r.at(name)
		if at < 0 || found[name] {
			return nil, fmt.Errorf("the report has no column %s, or the select has it twice", name)
		}
		found[name] = true
		places = append(places, at)
	}
	for _, c := range r.Columns {
		if !found[c.Name] && c.Kind != Percent && c.Kind != Average {
			return nil, fmt.Errorf("the select has no column %s", c.Name)
		}
	}
	return places, nil
}

// value is a value of a select as the column has it: dates are text.
func (c Column) value(v any) (any, error) {
	fits := false
	switch v := v.(type) {
	case nil:
		if !c.Null {
			return nil, errors.New("is null, and must have a value")
		}
		return nil, nil
	case civil.Date:
		return v.String(), c.mustBe(c.Kind == Text, v)
	case string:
		fits = c.Kind == Text
	case int64:
		fits = c.Kind == Count || c.Kind == Number
	case money.USD:
		fits = c.Kind == USD
	}
	return v, c.mustBe(fits, v)
}

func (c Column) mustBe(fits bool, v any) error {
	if fits {
		return nil
	}
	return fmt.Errorf("is of type %T, which is of another kind", v)
}

func (r *Report) add(i int, v any) {
	switch sum := r.Total[i].(type) {
	case int64:
		n, _ := v.(int64)
		r.Total[i] = sum + n
	case money.USD:
		a, _ := v.(money.USD)
		r.Total[i] = sum.Add(a)
	}
}

// note adds a line for people.
func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(n) + " " + many
}
