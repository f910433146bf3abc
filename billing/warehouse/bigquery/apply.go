package bigquery

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
)

// Apply implements warehouse.Warehouse: as one script under one id, behind the
// fence. It is written down whole before it is sent.
func (s *Store) Apply(ctx context.Context, changes ...warehouse.Change) error {
	err := s.complete(changes)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = s.apply(ctx, changes)
	}
	s.discard() // what was loaded is in its tables, or gone with the rest
	return err
}

func (s *Store) apply(ctx context.Context, changes []warehouse.Change) error {
	w := &writer{s: s, room: textMax}
	for i, c := range changes {
		from := len(w.statements)
		if err := w.change(ctx, i, len(changes), c); err != nil {
			return fmt.Errorf("%s: %w", which(changes, i), err)
		}
		w.note(means(c), w.statements[from:])
		w.ends = append(w.ends, len(w.statements))
	}
	if len(w.statements) == 0 {
		return nil
	}
	w.name(changes)
	if s.o.Fence != (Fence{}) {
		fence, err := s.noted(fmt.Sprintf("%s_%d", s.o.Run, s.jobs+1))
		if err != nil {
			return err
		}
		w.statements = slices.Insert(w.statements, 0, fence)
	}
	before := len(w.statements) - w.ends[len(w.ends)-1]
	script, lines := strings.Join(w.statements, ";\n"), 0
	if len(w.statements) > 1 {
		script, lines = "begin transaction;\n"+script+";\ncommit transaction;", 1
	}
	if len(script) > lengthMax {
		return fmt.Errorf("apply: the changes have %d bytes of text, and BigQuery takes no more than %d; the longest is %s with %d: its values are to be put into a work table", len(script), lengthMax, w.longest, w.length)
	}
	_, err := s.statement(ctx, task{what: "apply " + w.subject, subject: w.subject, content: script, commits: true})
	if err = refusal(err, changes); errors.Is(err, errApplied) {
		return nil
	}
	if i, found := w.at(err, lines, before); found {
		return fmt.Errorf("%s: %w", which(changes, i), err)
	}
	return err
}

// which names a change among others.
func which(changes []warehouse.Change, i int) string {
	return fmt.Sprintf("change %d of %d, %s", i+1, len(changes), means(changes[i]))
}

var line = regexp.MustCompile(`\[?\bat \[?(\d+):\d+\]`)

// at finds the change of which an error tells the line of the script. Before its
// statements stand other lines, and other statements.
func (w *writer) at(err error, lines, before int) (int, bool) {
	if err == nil {
		return 0, false
	}
	m := line.FindStringSubmatch(err.Error())
	if m == nil {
		return 0, false
	}
	told, _ := strconv.Atoi(m[1]) // digits
	for n, text := range w.statements {
		if lines += strings.Count(text, "\n") + 1; lines >= told {
			return slices.IndexFunc(w.ends, func(end int) bool { return n-before < end }), n >= before
		}
	}
	return 0, false
}

// complete is an error where the changes lack something that was loaded, or have
// what is gone.
func (s *Store) complete(changes []warehouse.Change) error {
	given := map[*warehouse.Loaded]bool{}
	for _, c := range changes {
		if l, is := c.(*warehouse.Loaded); is {
			if given[l] || !slices.Contains(s.pending, l) {
				return fmt.Errorf("apply rows of %s: they are not loaded, or not any more", l.Schema)
			}
			given[l] = true
		}
	}
	for _, l := range s.pending {
		if !given[l] {
			return fmt.Errorf("apply: rows of %s were loaded and are not among the changes", l.Schema)
		}
	}
	return nil
}

// means says what a change is, for people.
func means(c warehouse.Change) string {
	switch c := c.(type) {
	case warehouse.ReplaceDays:
		return "replace days of " + c.Table
	case warehouse.Append:
		return "append to " + c.Table
	case warehouse.Update:
		return "update " + c.Table
	case warehouse.Delete:
		return "delete from " + c.Table
	case warehouse.Guard:
		return "guard " + called(c.Count)
	case *warehouse.Loaded:
		return "take in what was loaded into " + c.Schema
	}
	return fmt.Sprintf("a %T", c)
}

// writer writes changes down as statements.
type writer struct {
	s          *Store
	statements []string
	ends       []int  // how many there are after each change
	room       int    // for rows that stand in the text
	subject    string // for the id
	longest    string // change, and the length of its text
	length     int
}

func (w *writer) note(change string, statements []string) {
	length := 0
	for _, text := range statements {
		length += len(text)
	}
	if length > w.length {
		w.longest, w.length = change, length
	}
}

// name finds the table, and its first day, after which the job is called.
func (w *writer) name(changes []warehouse.Change) {
	for _, c := range changes {
		switch c := c.(type) {
		case warehouse.ReplaceDays:
			w.subject = c.Table + "_" + strings.ReplaceAll(slices.MinFunc(c.Days, compareDays).String(), "-", "")
			return
		case *warehouse.Loaded:
			w.subject = c.Schema
		case warehouse.Append:
			w.subject = c.Table
		}
	}
	if w.subject == "" {
		w.subject = "changes"
	}
}

func compareDays(a, b civil.Date) int { return strings.Compare(a.String(), b.String()) }

func (w *writer) add(statements ...string) { w.statements = append(w.statements, statements...) }

func (w *writer) change(ctx context.Context, i, of int, c warehouse.Change) error {
	switch c := c.(type) {
	case warehouse.ReplaceDays:
		return w.replace(ctx, c)
	case warehouse.Append:
		return w.append(ctx, c)
	case *warehouse.Loaded:
		return w.loaded(c)
	case warehouse.Update:
		return w.update(c)
	case warehouse.Delete:
		t, err := w.s.table(c.Table)
		if err != nil {
			return err
		}
		where, err := w.s.condition(c.Where, c.Args)
		if err != nil {
			return err
		}
		w.add("delete from " + w.s.full(t.Name) + " where " + where)
		return nil
	case warehouse.Guard:
		return w.guard(ctx, i, of, c)
	}
	return errors.New("it is not a change")
}

// table is one that may be written.
func (s *Store) table(name string) (warehouse.Table, error) {
	t, is := s.tables[name]
	if !is {
		return t, fmt.Errorf("the ledger has no table %s", name)
	}
	return t, nil
}

// condition fills in a condition.
func (s *Store) condition(text string, args warehouse.Args) (string, error) {
	if text == "" {
		return "", errors.New("no condition; write true for all rows")
	}
	return s.dialect().Fill(warehouse.Select{Text: text, Args: args})
}

func (w *writer) replace(ctx context.Context, c warehouse.ReplaceDays) error {
	t, err := w.s.table(c.Table)
	if err != nil {
		return err
	}
	if t.Partition == "" || len(c.Days) == 0 {
		return errors.New("the table has no days, or none are named")
	}
	columns, err := w.s.brings(ctx, t, c.From, true)
	if err != nil {
		return err
	}
	gone, comes := within(t.Partition, c.Days), "" // whole days go without being read
	if c.Where != "" {
		where, err := w.s.condition(c.Where, c.Args)
		if err != nil {
			return err
		}
		gone, comes = gone+" and ("+where+")", " where "+where
	}
	w.add("delete from "+w.s.full(t.Name)+" where "+gone,
		"insert into "+w.s.full(t.Name)+" ("+columns+")\nselect "+columns+" from "+w.s.from(w.s.works[c.From])+comes)
	return nil
}

// within bounds a column by constants, which is what partitions are found by, to
// days.
func within(column string, days []civil.Date) string {
	days = slices.Compact(slices.SortedFunc(slices.Values(days), compareDays))
	first, last := days[0], days[len(days)-1]
	text := fmt.Sprintf("%s between date '%s' and date '%s'", column, first, last)
	if last.DaysSince(first)+1 == len(days) {
		return text
	}
	list := make([]string, len(days))
	for i, day := range days {
		list[i] = "date '" + day.String() + "'"
	}
	return text + " and " + column + " in (" + strings.Join(list, ", ") + ")"
}

func (w *writer) append(ctx context.Context, c warehouse.Append) error {
	t, err := w.s.table(c.Table)
	if err != nil {
		return err
	}
	if c.From != "" {
		if c.Rows != nil {
			return fmt.Errorf("both rows and work table %s are given", c.From)
		}
		columns, err := w.s.brings(ctx, t, c.From, false)
		if err != nil {
			return err
		}
		w.add("insert into " + w.s.full(t.Name) + " (" + columns + ")\nselect " + columns + " from " + w.s.from(w.s.works[c.From]))
		return nil
	}
	if len(c.Rows) == 0 {
		return nil
	}
	text, err := asText(t, c.Rows, w.room)
	if err != nil {
		return err
	}
	w.room -= len(text)
	if text == "" { // many
		table := w.s.newTable(t.Name)
		if err := w.s.putMany(ctx, t, table, c.Rows); err != nil {
			return err
		}
		text = "select " + t.ColumnNames() + " from " + w.s.from(work{table: table, columns: t.Columns, raw: true})
	}
	w.add("insert into " + w.s.full(t.Name) + " (" + t.ColumnNames() + ")\n" + text)
	return nil
}

// loaded adds what was loaded. Of what is stored once, rows that are there are left
// out; workers that find the same at the same time may both store it.
func (w *writer) loaded(c *warehouse.Loaded) error {
	t, err := w.s.table(c.Schema)
	if err != nil {
		return err
	}
	if c.Rows == 0 {
		return nil
	}
	from := w.s.works[c.From]
	names := warehouse.ColumnNames(from.columns)
	text := "insert into " + w.s.full(t.Name) + " (" + names + ")\nselect " + names + " from " + w.s.from(from) + " as loaded"
	kept := "true"
	if c.Except != "" {
		except, err := w.s.condition(c.Except, nil)
		if err != nil {
			return err
		}
		kept = "not ifnull(" + except + ", false)"
	}
	if from.once {
		id := from.columns[0].Name
		kept += " and not exists (select 1 from " + w.s.full(t.Name) + " as stored where stored." + id + " = loaded." + id + ")\nqualify row_number() over (partition by loaded." + id + ") = 1"
	}
	w.add(text + " where " + kept)
	return nil
}

func (w *writer) update(c warehouse.Update) error {
	t, err := w.s.table(c.Table)
	if err != nil {
		return err
	}
	where, err := w.s.condition(c.Where, c.Args)
	if err != nil {
		return err
	}
	if err := warehouse.FitSet(t, c.Set); err != nil {
		return err
	}
	sets, err := w.s.dialect().Assignments(c)
	if err != nil {
		return err
	}
	w.add("update " + w.s.full(t.Name) + " set " + sets + " where " + where)
	return nil
}

// guard is an update that fails, where the select counts something, and where it
// gives other than one whole number. A script has plainer words for it, but an update
// is what the emulator computes too: of the fence, which the script changes
// anyway, or of a table of this process.
func (w *writer) guard(ctx context.Context, i, of int, c warehouse.Guard) error {
	count, err := w.s.dialect().Fill(c.Count)
	if err != nil {
		return err
	}
	table := w.s.full(w.s.fenceTable())
	if w.s.o.Fence == (Fence{}) {
		if w.s.guarded == "" {
			guarded := w.s.newTable("guard")
			if err := w.s.compute(ctx, "make the guard", guarded, "select '' as owner"); err != nil {
				return err
			}
			w.s.guarded = w.s.fullIn(w.s.o.WorkDataset, guarded)
		}
		table = w.s.guarded
	}
	says := fmt.Sprintf("%d of %d", i+1, of)
	w.add("update " + table + " set owner = case ifnull(sign((select if(array_length(a.counts) = 1, a.counts[safe_offset(0)] | 0, null) from (select array(\n" + count +
		"\n) as counts) as a)), 2) when 0 then owner when 2 then error(" + quote(uncounted+says) + ") else error(" + quote(guardSays+says) + ") end where true")
	return nil
}
