package duckdb

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"chargeback/billing/warehouse"
)

// Apply implements warehouse.Warehouse: all changes in one transaction, which is
// that of Load where something was loaded.
func (s *Store) Apply(ctx context.Context, changes ...warehouse.Change) error {
	if err := s.allLoaded(changes); err != nil {
		return s.undone(ctx, err)
	}
	if err := ctx.Err(); err != nil {
		return s.undone(ctx, fmt.Errorf("begin: %w", err))
	}
	if len(changes) == 0 {
		return nil
	}
	if len(s.loaded) == 0 {
		if err := s.exec(ctx, "begin transaction"); err != nil {
			return fmt.Errorf("begin: %w", err)
		}
	}
	return s.finish(ctx, s.change(ctx, changes))
}

// allLoaded is an error where the changes lack something that was loaded, or have
// what is gone.
func (s *Store) allLoaded(changes []warehouse.Change) error {
	given := map[*warehouse.Loaded]bool{}
	for _, c := range changes {
		if l, is := c.(*warehouse.Loaded); is {
			if !s.has(l) || given[l] {
				return fmt.Errorf("apply rows of %s: they are not loaded, or not any more", l.Schema)
			}
			given[l] = true
		}
	}
	for _, l := range s.loaded {
		if !given[l] {
			return fmt.Errorf("apply: rows of %s were loaded and are not among the changes", l.Schema)
		}
	}
	return nil
}

// finish commits the open transaction, or takes it back for err.
func (s *Store) finish(ctx context.Context, err error) error {
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		if undo := s.rollback(ctx); undo != nil {
			return fmt.Errorf("%w (and rollback: %w)", err, undo)
		}
		return err
	}
	s.loaded = nil
	if err := s.exec(context.WithoutCancel(ctx), "commit"); err != nil {
		return fmt.Errorf("commit: %w; run the same command again: it finds out what was kept", err)
	}
	return nil
}

// drop runs a statement that drops rows of a table. Where they lay on days,
// checkpoints give their room back from then on.
func (s *Store) drop(ctx context.Context, table *warehouse.Table, text string) error {
	dropped, err := run(ctx, s.conn, text)
	if err != nil || dropped == 0 || table.Partition == "" {
		return s.fault(err)
	}
	return s.exec(ctx, mergeSome)
}

func (s *Store) change(ctx context.Context, changes []warehouse.Change) error {
	later := map[string]int{} // loads of a table that are not reached yet
	for _, l := range s.loaded {
		later[l.Schema]++
	}
	for _, c := range changes {
		var err error
		switch c := c.(type) {
		case *warehouse.Loaded:
			later[c.Schema]--
			err = s.leaveOut(ctx, c)
		case warehouse.ReplaceDays:
			err = s.replaceDays(ctx, c, stored(later[c.Table] > 0))
		case warehouse.Append:
			err = s.append(ctx, c)
		case warehouse.Update:
			err = s.update(ctx, c, stored(later[c.Table] > 0))
		case warehouse.Delete:
			err = s.delete(ctx, c, stored(later[c.Table] > 0))
		case warehouse.Guard:
			err = s.guard(ctx, c)
		default:
			err = fmt.Errorf("%T is not a change", c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leaveOut drops those of the rows that this transaction has put into the table which are
// not to be kept: they were never there for anybody else.
func (s *Store) leaveOut(ctx context.Context, c *warehouse.Loaded) error {
	if c.Except == "" {
		return nil
	}
	where, err := s.condition("leave out rows of "+c.Schema, c.Schema, c.Except, nil)
	if err != nil {
		return err
	}
	return s.exec(ctx, "delete from "+c.Schema+" where rowid >= "+firstOfTransaction+" and "+where)
}

// firstOfTransaction is from where DuckDB numbers the rows that a transaction has put
// into a table.
const firstOfTransaction = "36028797018960000"

// stored is a condition that leaves out rows of this transaction, which Load has
// put into the table already.
func stored(alone bool) string {
	if alone {
		return "rowid < " + firstOfTransaction + " and "
	}
	return ""
}

func (s *Store) replaceDays(ctx context.Context, c warehouse.ReplaceDays, stored string) error {
	what := "replace days of " + c.Table
	table, err := s.table(c.Table)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if table.Partition == "" {
		return fmt.Errorf("%s: it has no days", what)
	}
	if err := s.brings(ctx, table, c.From); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	gone, err := s.fill(warehouse.Select{Name: what, Text: table.Partition + " in ({@days})", Args: warehouse.Args{"days": c.Days}})
	if err != nil {
		return err
	}
	comes := ""
	if c.Where != "" {
		where, err := s.fill(warehouse.Select{Name: what, Text: c.Where, Args: c.Args})
		if err != nil {
			return err
		}
		gone, comes = gone+" and ("+where+")", " where "+where
	}
	if err := s.drop(ctx, &table, "delete from "+c.Table+" where "+stored+gone); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := s.exec(ctx, fmt.Sprintf("insert into %s (%s) select %s from %s%s", c.Table, table.ColumnNames(), table.ColumnNames(), s.work[c.From].of(c.From), comes)); err != nil {
		return fmt.Errorf("%s by %s: %w", what, c.From, err)
	}
	return nil
}

// brings says why a work table's rows are none of the table: DuckDB would make
// values of another type into the column's. nil where they are.
func (s *Store) brings(ctx context.Context, table warehouse.Table, from string) error {
	have, err := s.columnsOf(ctx, from)
	if err != nil {
		return err
	}
	for _, c := range table.Columns {
		if sqlType, has := have[c.Name]; has && !fits(c, sqlType) {
			return fmt.Errorf("column %s of work table %s is %s, want %s", c.Name, from, sqlType, sqlTypes[c.Type])
		}
	}
	return nil
}

func (s *Store) append(ctx context.Context, c warehouse.Append) error {
	what := "append to " + c.Table
	table, err := s.table(c.Table)
	if err == nil && c.From != "" && c.Rows != nil {
		err = fmt.Errorf("both rows and work table %s are given", c.From)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if c.From == "" {
		if err := s.insert(ctx, table, c.Rows); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	}
	if err := s.brings(ctx, table, c.From); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	from := s.work[c.From]
	names := strings.Join(slices.Sorted(maps.Keys(from.columns)), ", ")
	if err := s.exec(ctx, fmt.Sprintf("insert into %s (%s) select %s from %s", c.Table, names, names, from.of(c.From))); err != nil {
		return fmt.Errorf("%s from %s: %w", what, c.From, err)
	}
	return nil
}

func (s *Store) update(ctx context.Context, c warehouse.Update, stored string) error {
	where, err := s.condition("update "+c.Table, c.Table, c.Where, c.Args)
	if err != nil {
		return err
	}
	if err := warehouse.FitSet(*s.layout[c.Table], c.Set); err != nil {
		return err
	}
	sets, err := s.dialect().Assignments(c)
	if err != nil {
		return err
	}
	if err := s.exec(ctx, "update "+c.Table+" set "+sets+" where "+stored+where); err != nil {
		return fmt.Errorf("update %s: %w", c.Table, err)
	}
	return nil
}

func (s *Store) delete(ctx context.Context, c warehouse.Delete, stored string) error {
	where, err := s.condition("delete from "+c.Table, c.Table, c.Where, c.Args)
	if err != nil {
		return err
	}
	if err := s.drop(ctx, s.layout[c.Table], "delete from "+c.Table+" where "+stored+where); err != nil {
		return fmt.Errorf("delete from %s: %w", c.Table, err)
	}
	return nil
}

// condition fills in the condition of a change, in brackets.
func (s *Store) condition(what, table, where string, args warehouse.Args) (string, error) {
	if _, err := s.table(table); err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	if where == "" {
		return "", fmt.Errorf("%s: no condition; write true for all rows", what)
	}
	text, err := s.fill(warehouse.Select{Name: what, Text: where, Args: args})
	return "(" + text + ")", err
}

func (s *Store) guard(ctx context.Context, c warehouse.Guard) error {
	count, err := warehouse.One[int64](ctx, s, c.Count)
	if err == nil && count != 0 {
		return cmp.Or(c.Err, warehouse.ErrChanged)
	}
	return err
}
