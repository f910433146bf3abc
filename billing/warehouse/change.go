package warehouse

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"chargeback/transform/civil"
)

// Days is a run of business dates, both ends inclusive.
type Days struct{ First, Last civil.Date }

// Change is one change of Apply.
type Change interface{ changes() string }

// ReplaceDays makes the rows of some days of a table exactly those of a work
// table, which has the table's columns by their names and types. It may have more.
type ReplaceDays struct {
	Table string
	Days  []civil.Date // at least one, each once; the work table's rows lie on them
	From  string
	// Where narrows both the rows that go and those that come: a condition on columns of
	// the table, with constants only, which a row meets where it is true. "" is all
	// rows of the days.
	Where string
	Args  Args
}

// Append adds rows to a table: those of a work table, which has columns of the
// table by their names and types and no others, or rows of Go values in the order
// of the columns. Columns that a work table lacks are null.
type Append struct {
	Table string
	From  string
	Rows  [][]any
}

// Update sets columns to values in the rows that a condition meets: at least one
// column, and a condition that is written out, if only as true.
type Update struct {
	Table string
	Set   Args
	Where string // may read work tables and other tables: object_id in (select object_id from {gone})
	Args  Args
}

// Delete drops the rows that a condition meets, which is written out, if only as true.
type Delete struct {
	Table string
	Where string
	Args  Args
}

// Guard fails Apply with Err where its select, which counts what must not be,
// gives other than 0. It sees what the changes before it have made.
type Guard struct {
	Count Select // one row of one whole number
	Err   error  // nil is ErrChanged
}

// Loaded is what Load has taken in. A change of its table that comes before it in
// Apply concerns the rows that were there, not those that were loaded.
type Loaded struct {
	Schema string // table of the staged schema
	Rows   int64  // of all batches, also those that were known
	From   string // work table that holds the rows, where the engine needs one
	// Except is a condition on columns of the rows that are left out; it may read work
	// tables; "": none. It is for all rows of the table that one Apply brings.
	Except string
}

func (c ReplaceDays) changes() string { return c.Table }
func (c Append) changes() string      { return c.Table }
func (c Update) changes() string      { return c.Table }
func (c Delete) changes() string      { return c.Table }
func (c Guard) changes() string       { return "" }
func (c *Loaded) changes() string     { return c.Schema }

// Put writes rows by key: those that have the same values in the key's columns
// go first, all at once: an engine may take a second for each statement.
func Put(t Table, key []string, rows ...[]any) (changes []Change) {
	args, keys := Args{}, make([]string, len(rows))
	for n, row := range rows {
		parts := make([]string, len(key))
		for i, name := range key {
			arg := fmt.Sprint(name, "_", n)
			args[arg], parts[i] = row[t.place(name)], name+" = {@"+arg+"}"
		}
		keys[n] = "(" + strings.Join(parts, " and ") + ")"
	}
	if len(rows) > 0 {
		changes = append(changes, Delete{Table: t.Name, Where: strings.Join(keys, " or "), Args: args})
	}
	return append(changes, Append{Table: t.Name, Rows: rows})
}

// place is the position of a column, -1 where there is none.
func (t Table) place(name string) int {
	for i, c := range t.Columns {
		if c.Name == name {
			return i
		}
	}
	return -1
}

// Key is an Update of one row, whose columns have these values.
func Key(table string, key, set Args) Update {
	names := slices.Sorted(maps.Keys(key))
	parts := make([]string, len(names))
	args := Args{}
	for i, name := range names {
		parts[i], args["key_"+name] = name+" = {@key_"+name+"}", key[name]
	}
	return Update{Table: table, Set: set, Where: strings.Join(parts, " and "), Args: args}
}

// After is what selects read as the books will be when changes are applied: views of
// the tables that they write, to stand in Views under the tables' names, and the
// arguments that these need; those of one name are one. It knows of days that are
// replaced and of rows that a work table appends; of other changes tables are read as
// without them.
func (l Layout) After(changes ...Change) (views map[string]string, args Args) {
	views, args = map[string]string{}, Args{}
	for i, c := range changes {
		switch c := c.(type) {
		case ReplaceDays:
			t, _ := l.Table(c.Table)
			days := fmt.Sprint("days_replaced_", i)
			args[days] = c.Days
			maps.Copy(args, c.Args)
			views[t.Name] = t.replaced(c, t.before(views, args), days)
		case Append:
			if t, _ := l.Table(c.Table); c.From != "" {
				views[t.Name] = fmt.Sprintf("%s\nunion all\nselect %s from {%s}", t.before(views, args), t.ColumnNames(), c.From)
			}
		}
	}
	return views, args
}

// before is a select of what a table holds, by a view of earlier changes where there
// is one, else with bounds where it is partitioned. It ends with a condition.
func (t Table) before(views map[string]string, args Args) string {
	text := "select " + t.ColumnNames() + " from "
	if earlier, is := views[t.Name]; is {
		return text + "(\n" + earlier + "\n) as earlier\nwhere true"
	}
	if t.Partition == "" {
		return text + "{" + t.Name + "}\nwhere true"
	}
	args["all_days_first"], args["all_days_last"] = civil.Min, civil.Max
	return text + "{" + t.Name + "}\nwhere " + t.Partition + " between {@all_days_first} and {@all_days_last}"
}

func (t Table) replaced(c ReplaceDays, before, days string) string {
	gone, comes := t.Partition+" in ({@"+days+"})", "true"
	if c.Where != "" {
		gone, comes = gone+" and ("+c.Where+")", c.Where
	}
	return fmt.Sprintf("%s and not ifnull(%s, false)\nunion all\nselect %s from {%s} where %s", before, gone, t.ColumnNames(), c.From, comes)
}

// OrNull is a text, time or date to write: null where it is empty.
func OrNull[V comparable](v V) any {
	var zero V
	if z, tells := any(v).(interface{ IsZero() bool }); v == zero || tells && z.IsZero() {
		return nil
	}
	return v
}

// All are the days of the run, oldest first.
func (d Days) All() (all []civil.Date) {
	for day := d.First; !d.Last.Before(day); day = day.AddDays(1) {
		all = append(all, day)
	}
	return all
}

// Expression is a value of Update that depends on the row's own columns, as SQL with
// markers: attempts + 1, or {id_key(id)}.
type Expression string

// Assignments writes what an Update sets, in the order of the columns' names.
func (d Dialect) Assignments(u Update) (string, error) {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(u.Set)) {
		value := ""
		switch v := u.Set[name].(type) {
		case Expression:
			text, err := d.fill(string(v), u.Args, nil)
			if err != nil {
				return "", fmt.Errorf("set %s of %s: %w", name, u.Table, err)
			}
			value = text
		default:
			text, err := d.Literal(v)
			if err != nil {
				return "", fmt.Errorf("set %s of %s: %w", name, u.Table, err)
			}
			value = text
		}
		parts = append(parts, name+" = "+value)
	}
	return strings.Join(parts, ", "), nil
}
