package bqledger

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"chargeback/billing/ledger"
)

// A transaction of the ledger asks, between its statements, what they have
// changed so far. BigQuery has sessions for that, but a lost answer to a
// session's commit leaves open what became of it. Here a transaction is written
// down first and then run as one script under an id of its own, so that it takes
// effect once or not at all. Until then a select sees each table that was
// written as the statements will leave it: as a select over the stored table.
type transaction struct {
	script []string
	now    map[string]string // by table that was written: what it will hold, with full names only
	kept   map[string]string // by model kept as a table: its work table's full name
	views  map[string]string // by model kept as a view: its text
}

var (
	deletes = regexp.MustCompile(`(?s)^\s*delete from ([a-z_]+) where (.*)$`)
	inserts = regexp.MustCompile(`(?s)^\s*insert into ([a-z_]+) \(([^()]*)\)\s*(.*)$`)
	updates = regexp.MustCompile(`(?s)^\s*update ([a-z_]+) set\s((?:'(?:[^'\\]|\\.)*'|[^'])*?)\swhere (.*)$`)
	assigns = regexp.MustCompile(`(?s)^([a-z_]+)\s*=\s*(.*)$`)
)

var errNested = errors.New("a transaction is open already")

// Transact implements ledger.Engine.
func (s *Store) Transact(ctx context.Context, do func() error) error {
	if s.tx != nil {
		return errNested
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.tx = &transaction{now: map[string]string{}, kept: map[string]string{}, views: map[string]string{}}
	defer func() { s.tx = nil }() // also where do panics
	if err := do(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if len(s.tx.script) == 0 {
		return nil
	}
	return s.commit(context.WithoutCancel(ctx), "commit", s.tx.script...)
}

// Exec implements ledger.Engine.
func (s *Store) Exec(ctx context.Context, text string, args ledger.Args) error {
	text, err := plain(text, args)
	if err != nil {
		return err
	}
	if s.tx == nil {
		return s.commit(ctx, "statement", renamed(text, s.names))
	}
	if text, err = s.computed(ctx, text); err != nil {
		return err
	}
	return s.write(text)
}

// computed keeps what an insert reads from models in a work table, so that the
// models are computed once: not again by the script, and by every select that
// sees the table as it will be.
func (s *Store) computed(ctx context.Context, text string) (string, error) {
	m := inserts.FindStringSubmatch(text)
	if m == nil || !slices.ContainsFunc(named(m[3]), func(name string) bool { return s.tx.kept[name] != "" || s.tx.views[name] != "" }) {
		return text, nil
	}
	work, err := s.materialize(ctx, "rows of "+m[1], m[3])
	if err != nil {
		return "", err
	}
	return "insert into " + m[1] + " (" + m[2] + ")\nselect " + m[2] + " from " + work, nil
}

// materialize computes a select into a work table, whose full name it returns.
func (s *Store) materialize(ctx context.Context, what, text string) (string, error) {
	work := s.full(s.work())
	return work, s.statement(ctx, what, "create table "+work+"\n"+expires+" as\n"+s.resolved(text, false))
}

// held stands in a select for what a table held before a statement. That text
// is finished, and may name things that mean something else outside of it.
const held = "(select null as held)"

// write adds a statement to the transaction.
func (s *Store) write(text string) error {
	if m := inserts.FindStringSubmatch(text); m != nil {
		return s.insertRows(m[1], splitList(m[2]), s.resolved(m[3], true), s.resolved(m[3], false))
	}
	if m := deletes.FindStringSubmatch(text); m != nil {
		return s.written(m[1], s.inScript(text), func(columns []string) string {
			return fmt.Sprintf("select %s from %s where not ifnull(%s, false)", strings.Join(columns, ", "), held, m[2])
		})
	}
	if m := updates.FindStringSubmatch(text); m != nil {
		var problem error
		err := s.written(m[1], s.inScript(text), func(columns []string) string {
			values := slices.Clone(columns)
			for _, part := range splitList(m[2]) {
				set := assigns.FindStringSubmatch(part)
				if set == nil || !slices.Contains(columns, set[1]) {
					problem = fmt.Errorf("%.40s does not set a column of %s", part, m[1])
					continue
				}
				values[slices.Index(columns, set[1])] = fmt.Sprintf("if(ifnull(%s, false), %s, %s) as %s", m[3], set[2], set[1], set[1])
			}
			return fmt.Sprintf("select %s from %s", strings.Join(values, ", "), held)
		})
		return errors.Join(problem, err)
	}
	return fmt.Errorf("a transaction takes delete, insert and update of one table, not %.60s", text)
}

// insertRows adds an insert to the transaction: script are the rows as the
// script reads them, now as a select sees them.
func (s *Store) insertRows(table string, given []string, script, now string) error {
	t, known := s.tables[table]
	if !known {
		return fmt.Errorf("the ledger has no table %s", table)
	}
	values := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		values[i] = c.Name
		if !slices.Contains(given, c.Name) {
			values[i] = "cast(null as " + sqlTypes[c.Type] + ") as " + c.Name
		}
	}
	// An insert goes by places. A union takes names and types from its first
	// part, which here has no rows.
	typed := make([]string, len(given))
	for i, name := range given {
		at := slices.IndexFunc(t.Columns, func(c ledger.Column) bool { return c.Name == name })
		if at < 0 {
			return fmt.Errorf("table %s has no column %s", table, name)
		}
		typed[i] = "cast(null as " + sqlTypes[t.Columns[at].Type] + ") as " + name
	}
	added := fmt.Sprintf("select %s from (select * from (select %s) where false union all (%s))", strings.Join(values, ", "), strings.Join(typed, ", "), now)
	before := s.before(t)
	s.tx.script = append(s.tx.script, "insert into "+s.full(table)+" ("+strings.Join(given, ", ")+")\n"+script)
	s.tx.now[table] = before + "\nunion all\n" + added
	return nil
}

// before is what a table holds by the statements so far.
func (s *Store) before(t ledger.Table) string {
	if now, written := s.tx.now[t.Name]; written {
		return now
	}
	where := ""
	if t.Partition != "" { // every read of a partitioned table must say which days
		where = " where " + t.Partition + " >= date '0001-01-01'"
	}
	return "select " + t.ColumnNames() + " from " + s.full(t.Name) + where
}

// written notes a statement and what its table will hold after it.
func (s *Store) written(table, statement string, after func(columns []string) string) error {
	t, known := s.tables[table]
	if !known {
		return fmt.Errorf("the ledger has no table %s", table)
	}
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = c.Name
	}
	now := strings.Replace(s.resolved(after(columns), false), held, "(\n"+s.before(t)+"\n)", 1)
	s.tx.script = append(s.tx.script, statement)
	s.tx.now[table] = now
	return nil
}

// inScript is a statement with full names: the script's statements see each
// other's effects in the stored tables.
func (s *Store) inScript(text string) string {
	names := s.stored(true)
	return renamed(text, names)
}

// stored are the full names of what is read as it is stored: all tables in the
// script, and outside of it those that were not written.
func (s *Store) stored(script bool) map[string]string {
	names := map[string]string{}
	for name, full := range s.names {
		names[name] = full
	}
	if s.tx == nil {
		return names
	}
	for name, full := range s.tx.kept {
		names[name] = full
	}
	for name := range s.tx.views {
		delete(names, name)
	}
	if !script {
		for name := range s.tx.now {
			delete(names, name)
		}
	}
	return names
}

// resolved is a select whose views and written tables stand before it as common
// table expressions.
func (s *Store) resolved(text string, script bool) string {
	if s.tx == nil {
		return renamed(text, s.names)
	}
	var expressions []string
	done := map[string]bool{}
	names := s.stored(script)
	var collect func(text string) bool
	collect = func(text string) (any bool) {
		for _, name := range named(text) {
			view, isView := s.tx.views[name]
			now, written := s.tx.now[name]
			stored := s.tables[name].View
			switch {
			case done[name]:
				any = true
			case isView:
				collect(view)
				done[name], any = true, true
				expressions = append(expressions, name+" as (\n"+renamed(view, names)+"\n)")
			case written && !script:
				done[name], any = true, true
				expressions = append(expressions, name+" as (\n"+now+"\n)")
			case stored != "" && !script && collect(stored):
				done[name], any = true, true
				delete(names, name)
				expressions = append(expressions, name+" as (\n"+renamed(expanded(stored), names)+"\n)")
			}
		}
		return any
	}
	collect(text)
	return withBefore(expressions, renamed(text, names))
}

// Keep implements ledger.Engine. A table is computed at once, outside the
// script: nobody reads it but this transaction.
func (s *Store) Keep(ctx context.Context, name string, asTable bool, text string, args ledger.Args) error {
	text, err := plain(text, args)
	if err != nil {
		return err
	}
	if s.tx == nil {
		return fmt.Errorf("keep %s: no transaction is open", name)
	}
	if !asTable {
		text = s.fixed(name, text)
		delete(s.tx.kept, name)
		s.tx.views[name] = text
		return nil
	}
	work, err := s.materialize(ctx, "keep "+name, text)
	if err != nil {
		return err
	}
	delete(s.tx.views, name)
	s.tx.kept[name] = work
	return nil
}

// fixed writes the full name of an earlier model of the same name into a view
// that is about to take its place.
func (s *Store) fixed(name, text string) string {
	if full, was := s.tx.kept[name]; was {
		return renamed(text, map[string]string{name: full})
	}
	return text
}

const expires = "options(expiration_timestamp = timestamp_add(current_timestamp(), interval 1 day))"

// work names a new table for rows on their way.
func (s *Store) work() string {
	name := fmt.Sprintf("work_%s_%d", s.o.Run, len(s.works)+1)
	s.works = append(s.works, name)
	return name
}
