package manifest

import (
	"context"
	"slices"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// Staging is what one source brings in one run.
type Staging struct {
	Source  string
	Schema  *record.Schema
	Reading string            // by which settings; see ReadingOf
	Again   []int64           // objects that were read before: what was kept of them goes first
	Loaded  *warehouse.Loaded // their rows
	Objects []Object          // that were read or failed
	Rejects []Reject
	// Replaced are ids of versions that these objects stand in for: their rows go.
	Replaced []int64
	Partial  []int64      // ids of others, whose rows are among those that were loaded and are not kept
	Earlier  []int64      // snapshots that these follow; their rows stay
	Days     []civil.Date // business dates of the rows
	// Dimensions are the tables that the rows point into; rows that are known
	// already are left out.
	Dimensions []*record.Dimension
}

// Load takes rows of a source in, to be kept by Stage; see warehouse.Warehouse.
func (m *Manifest) Load(ctx context.Context, schema *record.Schema, batches <-chan *record.Batch, done func(*record.Batch)) (*warehouse.Loaded, error) {
	return m.w.Load(ctx, schema, batches, done)
}

// Discard takes back what was loaded and not staged.
func (m *Manifest) Discard(ctx context.Context) error { return m.w.Discard(ctx) }

// Stage keeps one source's records: all rows, manifest entries and rejects of the
// run, or none. Rows of objects that failed are not kept, nor are rows of versions
// that were replaced. It returns ErrChanged where another process has kept one of
// these objects meanwhile.
func (m *Manifest) Stage(ctx context.Context, s Staging) error {
	changes, err := m.forget(ctx, s.Schema, s.Again)
	if err != nil {
		return err
	}
	if err := m.leaveOut(ctx, s); err != nil {
		return err
	}
	changes = append(changes, s.Loaded)
	for _, part := range []func() ([]warehouse.Change, error){
		func() ([]warehouse.Change, error) { return m.keepDimensions(ctx, s.Dimensions) },
		func() ([]warehouse.Change, error) { return changedDays(s.Days), nil },
		func() ([]warehouse.Change, error) { return m.replace(ctx, s) },
		func() ([]warehouse.Change, error) {
			return m.setState(ctx, "earlier", s.Earlier, args{"state": ObjectEarlier})
		},
		func() ([]warehouse.Change, error) { return m.enter(ctx, s) },
	} {
		more, err := part()
		if err != nil {
			return err
		}
		changes = append(changes, more...)
	}
	return m.w.Apply(ctx, changes...)
}

// forget drops all that was kept of objects.
func (m *Manifest) forget(ctx context.Context, schema *record.Schema, ids []int64) ([]warehouse.Change, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	changes, err := m.dropStaged(ctx, "again", schema, ids)
	for _, table := range []warehouse.Table{objectsTable, rejectsTable} {
		changes = append(changes, warehouse.Delete{Table: table.Name, Where: "object_id in (select object_id from {again})"})
	}
	return changes, err
}

// leaveOut leaves rows of objects that failed, and of others that can't be kept, out of
// those that were loaded.
func (m *Manifest) leaveOut(ctx context.Context, s Staging) error {
	unkept := slices.Clone(s.Partial)
	for _, o := range s.Objects {
		if o.State == ObjectFailed {
			unkept = append(unkept, o.ID)
		}
	}
	if len(unkept) == 0 {
		return nil
	}
	s.Loaded.Except = "object_id in (select object_id from {unkept})"
	return m.putIDs(ctx, "unkept", unkept)
}

// replace drops the rows of versions that others stand in for.
func (m *Manifest) replace(ctx context.Context, s Staging) ([]warehouse.Change, error) {
	changes, err := m.dropStaged(ctx, "replaced", s.Schema, s.Replaced)
	if err != nil {
		return nil, err
	}
	state, err := m.setState(ctx, "replaced", s.Replaced, args{"state": ObjectReplaced})
	return append(changes, state...), err
}

// rowDays are the days on which rows of objects lie.
type rowDays struct {
	first, last civil.Date // zero: no row has a day
	unknown     bool       // of an object that has rows no day was kept
}

// add adds those of an object that has some rows.
func (d *rowDays) add(first, last civil.Date, rows int64) {
	switch {
	case first == civil.Date{}:
		d.unknown = d.unknown || rows > 0
	case d.first == civil.Date{}:
		d.first, d.last = first, last
	default:
		if first.Before(d.first) {
			d.first = first
		}
		if d.last.Before(last) {
			d.last = last
		}
	}
}

// bounds are constants that bound a read of them: one day that no row has where there
// are none. (The first day of all is no bound.)
func (d rowDays) bounds() (since, until civil.Date) {
	switch {
	case d.unknown:
		return civil.Min, civil.Max
	case d.first == civil.Date{}:
		return civil.Min.AddDays(1), civil.Min.AddDays(1)
	}
	return d.first, d.last
}

// dropStaged drops the rows of objects that were read before, which it puts into a
// work table: also those that were read as something else, for settings may have changed
// what a source holds.
func (m *Manifest) dropStaged(ctx context.Context, work string, schema *record.Schema, ids []int64) ([]warehouse.Change, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if err := m.putIDs(ctx, work, ids); err != nil {
		return nil, err
	}
	kept, err := warehouse.All[struct {
		First, Last civil.Date `column:",null"`
		Staged      int64
	}](ctx, m.w, warehouse.Select{
		Name: "days of rows of objects", Text: "select first_row_day as first, last_row_day as last, sum(rows_staged) as staged from {objects} where object_id in (select object_id from {" + work + "}) group by 1, 2",
	})
	if err != nil {
		return nil, err
	}
	var of rowDays
	for _, k := range kept {
		of.add(k.First, k.Last, k.Staged)
	}
	readings, err := warehouse.All[string](ctx, m.w, warehouse.Select{
		Name: "read what objects were read as", Text: "select distinct ifnull(reading, '') as reading from {objects} where object_id in (select object_id from {" + work + "})",
	})
	if err != nil {
		return nil, err
	}
	schemas := map[*record.Schema]bool{schema: true}
	for _, reading := range readings {
		schemas[schemaOf(reading, schema)] = true
	}
	return m.dropRows(ctx, work, schemas, of)
}

// dropRows drops the rows of some tables that are of the objects in a work table. Their
// days have changed.
func (m *Manifest) dropRows(ctx context.Context, work string, schemas map[*record.Schema]bool, of rowDays) (changes []warehouse.Change, err error) {
	for _, s := range stagedSchemas {
		if !schemas[s] {
			continue
		}
		where, date := "object_id in (select object_id from {"+work+"})", dateColumn(s)
		a := args{}
		if date != "" {
			where += " and " + date + " between {@since} and {@until}"
			a["since"], a["until"] = of.bounds()
		}
		if date != "" && s != record.TotalSchema { // no cost record follows from a total
			days := "days_of_" + work + "_" + s.Table
			err := m.w.Compute(ctx, days, warehouse.Select{Name: "days of objects", Text: "select distinct " + date + " as day from {" + s.Table + "} where " + where, Args: a})
			if err != nil {
				return nil, err
			}
			changes = append(changes, warehouse.Append{Table: DirtyDaysTable.Name, From: days})
		}
		changes = append(changes, warehouse.Delete{Table: s.Table, Where: where, Args: a})
	}
	return changes, nil
}

// keepDimensions adds the tuples that the ledger doesn't have yet.
func (m *Manifest) keepDimensions(ctx context.Context, dimensions []*record.Dimension) (changes []warehouse.Change, err error) {
	for _, d := range dimensions {
		if d.Len() == 0 {
			continue
		}
		id := d.Schema.Columns[0].Name
		known, err := m.ids(ctx, warehouse.Select{Name: "read " + d.Schema.Table, Text: "select " + id + " from {" + d.Schema.Table + "}"})
		if err != nil {
			return nil, err
		}
		if d.AllIn(known) {
			continue
		}
		batches := make(chan *record.Batch)
		go func() {
			defer close(batches)
			d.New(known, func(b *record.Batch) bool {
				batches <- b
				return true
			})
		}()
		loaded, err := m.w.Load(ctx, d.Schema, batches, func(*record.Batch) {})
		if err != nil {
			return nil, err
		}
		changes = append(changes, loaded)
	}
	return changes, nil
}

// changedDays notes the dates whose cost records no longer follow from what is
// staged, since rows of them came.
func changedDays(days []civil.Date) []warehouse.Change {
	days = slices.Clone(days)
	slices.SortFunc(days, civil.Date.Compare)
	var rows [][]any
	for _, d := range slices.Compact(days) {
		rows = append(rows, []any{d, true})
	}
	return []warehouse.Change{warehouse.Append{Table: DirtyDaysTable.Name, Rows: rows}}
}

// dateColumn is the business date of a staged table, "" where it has none.
func dateColumn(schema *record.Schema) string {
	for _, t := range []warehouse.Table{UsageTable, RequestsTable, PeopleTable, TotalsTable} {
		if t.Name == schema.Table {
			return t.Partition
		}
	}
	return ""
}

// enter writes manifest rows and rejects, in place of those of the same
// versions that failed before, or were replaced and are back. A version that is
// there otherwise was read by another process meanwhile.
func (m *Manifest) enter(ctx context.Context, s Staging) ([]warehouse.Change, error) {
	if len(s.Objects) == 0 {
		return nil, nil
	}
	rows := make([][]any, 0, len(s.Objects))
	for _, o := range s.Objects {
		rows = append(rows, []any{o.ID, o.Source, o.Format, o.Key, o.ETag, o.SizeBytes, warehouse.OrNull(o.Day), o.State, o.Staged, o.Rejected, o.BeforeStart, warehouse.OrNull(o.Error), o.Run, o.Ignored, warehouse.OrNull(o.Modified), warehouse.OrNull(s.Reading), nil, warehouse.OrNull(o.FirstRow), warehouse.OrNull(o.LastRow)})
	}
	if err := m.w.Put(ctx, "entered", objectsTable.Columns, rows); err != nil {
		return nil, err
	}
	rejects := make([][]any, 0, len(s.Rejects))
	for _, r := range s.Rejects {
		rejects = append(rejects, []any{r.ObjectID, r.Line, r.Reason})
	}
	const entered = "object_id in (select object_id from {entered})"
	const ofSource = "source = {@source} and " + entered
	source := args{"source": s.Source}
	known, err := warehouse.One[int64](ctx, m.w, warehouse.Select{Name: "objects that were there before", Text: "select count(*) as known from {objects} where " + ofSource, Args: source})
	if err != nil {
		return nil, err
	}
	var changes []warehouse.Change
	if known > 0 { // else workers that take in at the same time only append
		changes = []warehouse.Change{
			warehouse.Delete{Table: objectsTable.Name, Where: ofSource + " and state in ('failed', 'deleted', 'replaced')", Args: source},
			warehouse.Delete{Table: rejectsTable.Name, Where: entered},
		}
	}
	return append(changes,
		warehouse.Guard{Count: warehouse.Select{Name: "objects that another process has read", Text: "select count(*) from {objects} where " + ofSource, Args: source}},
		warehouse.Append{Table: objectsTable.Name, From: "entered"},
		warehouse.Append{Table: rejectsTable.Name, Rows: rejects},
	), nil
}

// Delete drops the rows and rejects of objects that are gone for good, by whom
// saidBy names. What a closed month has charged for them is reversed with the days
// that the next night makes.
func (m *Manifest) Delete(ctx context.Context, schema *record.Schema, ids []int64, saidBy string) error {
	if len(ids) == 0 {
		return nil
	}
	changes, err := m.dropStaged(ctx, "deleted", schema, ids)
	if err != nil {
		return err
	}
	state, err := m.setState(ctx, "deleted", ids, args{"state": ObjectDeleted, "rows_rejected": 0, "error": saidBy})
	if err != nil {
		return err
	}
	changes = append(changes, warehouse.Delete{Table: rejectsTable.Name, Where: "object_id in (select object_id from {deleted})"})
	return m.w.Apply(ctx, append(changes, state...)...)
}
