package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// States of an object in the manifest.
const (
	ObjectRead     = "read"
	ObjectFailed   = "failed"
	ObjectMissing  = "missing"
	ObjectDeleted  = "deleted" // gone for good: its rows are no longer kept
	ObjectReplaced = "replaced"
	ObjectEarlier  = "earlier" // a snapshot that a later one follows: gone or rewritten, and its rows are history
)

// Object is one version of one object as the manifest has it.
type Object struct {
	ID           int64
	Source       string
	Format       string
	Key          string
	ETag         string
	SizeBytes    int64
	Day          civil.Date // zero where the key has none
	State        string
	Staged       int64
	Rejected     int64
	BeforeStart  int64
	Ignored      int64
	Modified     time.Time // zero where it is not known
	Error        string
	Run          string
	MissingSince civil.Date // zero where it is not known
	Reading      string     // by which settings it was read, see ReadingOf; "" where a version wrote it that kept none
}

// Reject is one record that was not taken in.
type Reject struct {
	ObjectID int64
	Line     int64
	Reason   string
}

// Manifest returns the current version of every object of a source that lies
// in the days from first to last or in no day, by key.
func (l *Ledger) Manifest(ctx context.Context, source string, first, last civil.Date) (map[string]Object, error) {
	found := map[string]Object{}
	err := l.engine.Query(ctx, `
select object_id, object_key, etag, state, size_bytes, day, reading
from objects
where source = @source and state not in ('deleted', 'replaced', 'earlier') and (day is null or day between @first_day and @last_day)`,
		Args{"source": source, "first_day": first, "last_day": last}, func(r Row) error {
			found[r.Text(1)] = Object{ID: r.Int(0), Source: source, Key: r.Text(1), ETag: r.Text(2), State: r.Text(3), SizeBytes: r.Int(4), Day: r.Date(5), Reading: r.Text(6)}
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read manifest of %s: %w", source, err)
	}
	return found, nil
}

// NewestObjects returns the day of the newest object that was read of each source,
// by its name or else by when it was written.
func (l *Ledger) NewestObjects(ctx context.Context) (map[string]civil.Date, error) {
	newest := map[string]civil.Date{}
	err := l.engine.Query(ctx, "select source, max(day), max(if(day is null, modified_at, null)) from objects where state = 'read' group by source", nil, func(r Row) error {
		day := r.Date(1)
		if written := r.Time(2); !written.IsZero() && day.Before(civil.DateOf(written, time.UTC)) {
			day = civil.DateOf(written, time.UTC)
		}
		newest[r.Text(0)] = day
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the newest objects: %w", err)
	}
	return newest, nil
}

// Incomplete returns the objects of a source that failed, or of which records
// were rejected, by key: those that a correction may help.
func (l *Ledger) Incomplete(ctx context.Context, source string) (objects []Object, err error) {
	err = l.engine.Query(ctx, `
select object_id, object_key, etag, state, size_bytes, day, rows_staged, rows_rejected, modified_at
from objects
where source = @source and (state = 'failed' or state = 'read' and rows_rejected > 0)
order by object_key, etag`, Args{"source": source}, func(r Row) error {
		objects = append(objects, Object{ID: r.Int(0), Source: source, Key: r.Text(1), ETag: r.Text(2), State: r.Text(3), SizeBytes: r.Int(4), Day: r.Date(5), Staged: r.Int(6), Rejected: r.Int(7), Modified: r.Time(8)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read rejects of %s: %w", source, err)
	}
	return objects, nil
}

// Uncounted returns the objects that failed or are gone, or can't be read as they are
// now, of all sources and of the days since first or of no day, by source.
func (l *Ledger) Uncounted(ctx context.Context, first civil.Date) (map[string][]Object, error) {
	found := map[string][]Object{}
	err := l.engine.Query(ctx, `
select object_id, source, object_key, etag, state, day, reading
from objects
where state in ('failed', 'missing') and (day is null or day >= @first_day)
order by object_key, object_id`, Args{"first_day": first}, func(r Row) error {
		o := Object{ID: r.Int(0), Source: r.Text(1), Key: r.Text(2), ETag: r.Text(3), State: r.Text(4), Day: r.Date(5), Reading: r.Text(6)}
		found[o.Source] = append(found[o.Source], o)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read objects that failed or are gone: %w", err)
	}
	return found, nil
}

// Earlier returns the versions of snapshots of a source that later ones follow.
func (l *Ledger) Earlier(ctx context.Context, source string) (map[int64]bool, error) {
	found := map[int64]bool{}
	err := l.engine.Query(ctx, "select object_id from objects where source = @source and state = 'earlier'", Args{"source": source}, func(r Row) error {
		found[r.Int(0)] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read earlier snapshots of %s: %w", source, err)
	}
	return found, nil
}

// Staging is what one source brings in one run.
type Staging struct {
	Source  string
	Schema  *record.Schema
	Reading string  // by which settings; see ReadingOf
	Again   []int64 // objects that were read before: what was kept of them goes first
	Batches <-chan *record.Batch
	Done    func(*record.Batch)
	// Results is called when Batches is closed. Objects are those that were
	// read or failed; Replaced are ids of versions that these stand in for.
	Results func() (StagingResult, error)
}

// StagingResult is what became of the objects of a Staging.
type StagingResult struct {
	Objects  []Object
	Rejects  []Reject
	Replaced []int64
	Earlier  []int64      // snapshots that these follow; their rows stay
	Days     []civil.Date // business dates of the rows
	// Dimensions are the tables that the rows point into; rows that are known
	// already are left out.
	Dimensions []*record.Dimension
}

// Stage takes one source's records in: all rows, manifest entries and rejects
// of the run, or none. Rows of objects that failed are not kept, nor are rows
// of versions that were replaced.
func (l *Ledger) Stage(ctx context.Context, s Staging) error {
	return l.engine.Transact(ctx, func() error {
		if err := l.forget(ctx, s.Schema, s.Again); err != nil {
			return err
		}
		if _, err := l.engine.Load(ctx, s.Schema, s.Batches, s.Done); err != nil {
			return err
		}
		result, err := s.Results()
		if err != nil {
			return err
		}
		if err := l.keepDimensions(ctx, result.Dimensions); err != nil {
			return err
		}
		if err := l.soil(ctx, s.Schema, result); err != nil {
			return err
		}
		if err := l.forgetElsewhere(ctx, s.Schema, result.Replaced); err != nil {
			return err
		}
		drop := append([]int64(nil), result.Replaced...)
		for i := range result.Objects {
			o := &result.Objects[i]
			if o.Reading = s.Reading; o.State == ObjectFailed {
				drop = append(drop, o.ID)
			}
		}
		if err := l.dropRows(ctx, s.Schema.Table, dateColumn(s.Schema), drop); err != nil {
			return err
		}
		if err := l.setState(ctx, result.Replaced, ObjectReplaced); err != nil {
			return err
		}
		if err := l.setState(ctx, result.Earlier, ObjectEarlier); err != nil {
			return err
		}
		return l.enter(ctx, result)
	})
}

// forget drops all that was kept of objects.
func (l *Ledger) forget(ctx context.Context, schema *record.Schema, ids []int64) error {
	if err := l.forgetElsewhere(ctx, schema, ids); err != nil {
		return err
	}
	if err := l.soilRows(ctx, schema, ids); err != nil {
		return err
	}
	if err := l.dropRows(ctx, schema.Table, dateColumn(schema), ids); err != nil {
		return err
	}
	for _, table := range []string{"objects", "rejects"} {
		if err := l.dropRows(ctx, table, "", ids); err != nil {
			return err
		}
	}
	return nil
}

// keepDimensions adds the tuples that the ledger doesn't have yet.
func (l *Ledger) keepDimensions(ctx context.Context, dimensions []*record.Dimension) error {
	for _, d := range dimensions {
		if d.Len() == 0 {
			continue
		}
		table := stagedTable(d.Schema, "")
		id := table.Columns[0].Name
		known := map[int64]bool{}
		err := l.engine.Query(ctx, "select "+id+" from "+table.Name, nil, func(r Row) error {
			known[r.Int(0)] = true
			return nil
		})
		if err != nil {
			return fmt.Errorf("read %s: %w", table.Name, err)
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
		if _, err := l.engine.Load(ctx, d.Schema, batches, func(*record.Batch) {}); err != nil {
			return err
		}
	}
	return nil
}

// soil notes the dates whose cost records no longer follow from what is staged:
// those of new rows and those of rows that are about to go.
func (l *Ledger) soil(ctx context.Context, schema *record.Schema, result StagingResult) error {
	days := slices.Clone(result.Days)
	slices.SortFunc(days, civil.Date.Compare)
	var rows [][]any
	for _, d := range slices.Compact(days) {
		rows = append(rows, []any{d})
	}
	if err := l.engine.Insert(ctx, dirtyDaysTable, rows); err != nil {
		return err
	}
	return l.soilRows(ctx, schema, result.Replaced)
}

// soilRows notes the dates of objects' rows.
func (l *Ledger) soilRows(ctx context.Context, schema *record.Schema, ids []int64) error {
	date := dateColumn(schema)
	if date == "" || schema == record.TotalSchema { // no cost record follows from a total
		return nil
	}
	return inParts(ids, func(list string) error {
		return l.engine.Exec(ctx, "insert into dirty_days (day) select distinct "+date+" from "+schema.Table+" where object_id in ("+list+") and "+date+" >= @since", Args{"since": civil.Min})
	})
}

// dateColumn is the business date of a staged table, "" where it has none.
func dateColumn(schema *record.Schema) string {
	for _, t := range []Table{usageTable, requestsTable, peopleTable, totalsTable} {
		if t.Name == schema.Table {
			return t.Partition
		}
	}
	return ""
}

// DirtyDays returns the dates up to last whose cost records must be made anew:
// those whose staged rows changed, and the days beside them, because a request
// and its usage may lie on either side of midnight.
func (l *Ledger) DirtyDays(ctx context.Context, last civil.Date) (days []civil.Date, err error) {
	err = l.engine.Query(ctx, "select distinct day from dirty_days where day <= @day_after order by day", Args{"day_after": last.AddDays(1)}, func(r Row) error {
		for beside := -1; beside <= 1; beside++ {
			days = append(days, r.Date(0).AddDays(beside))
		}
		return nil
	})
	slices.SortFunc(days, civil.Date.Compare)
	days = slices.DeleteFunc(slices.Compact(days), func(d civil.Date) bool { return last.Before(d) })
	return days, err
}

// enter writes manifest rows and rejects, in place of those of the same
// versions that failed before, or were replaced and are back.
func (l *Ledger) enter(ctx context.Context, result StagingResult) error {
	rows := make([][]any, 0, len(result.Objects))
	read := make(map[int64]bool, len(result.Objects))
	for _, o := range result.Objects {
		read[o.ID] = true
		rows = append(rows, []any{o.ID, o.Source, o.Format, o.Key, o.ETag, o.SizeBytes, nullDate(o.Day), o.State, o.Staged, o.Rejected, o.BeforeStart, nullText(o.Error), o.Run, o.Ignored, nullTime(o.Modified), nullText(o.Reading), nil})
	}
	var again []int64
	err := l.engine.Query(ctx, "select object_id from objects where state in ('failed', 'deleted', 'replaced')", nil, func(r Row) error {
		if read[r.Int(0)] {
			again = append(again, r.Int(0))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read failed, deleted and replaced objects: %w", err)
	}
	for _, table := range []string{"objects", "rejects"} {
		if err := l.dropRows(ctx, table, "", again); err != nil {
			return err
		}
	}
	if err := l.engine.Insert(ctx, objectsTable, rows); err != nil {
		return err
	}
	rejects := make([][]any, 0, len(result.Rejects))
	for _, r := range result.Rejects {
		rejects = append(rejects, []any{r.ObjectID, r.Line, r.Reason})
	}
	if err := l.engine.Insert(ctx, rejectsTable, rejects); err != nil {
		return err
	}
	return l.engine.Require(ctx, readTwice, nil)
}

// readTwice counts versions of objects that two processes have read, or tried to.
const readTwice = "select count(*) - count(distinct object_id) from objects"

const idsPerStatement = 100

// dropRows deletes the rows of objects from a table that has object_id, and is
// partitioned by date where that is not "".
func (l *Ledger) dropRows(ctx context.Context, table, date string, ids []int64) error {
	filter := ""
	if date != "" {
		filter = " and " + date + " >= @since"
	}
	return inParts(ids, func(list string) error {
		return l.engine.Exec(ctx, "delete from "+table+" where object_id in ("+list+")"+filter, Args{"since": civil.Min})
	})
}

func (l *Ledger) setState(ctx context.Context, ids []int64, state string) error {
	return inParts(ids, func(list string) error {
		return l.engine.Exec(ctx, "update objects set state = @state where object_id in ("+list+")", Args{"state": state})
	})
}

func inParts(ids []int64, do func(list string) error) error {
	for len(ids) > 0 {
		n := min(idsPerStatement, len(ids))
		list := ""
		for i, id := range ids[:n] {
			if i > 0 {
				list += ", "
			}
			list += fmt.Sprint(id)
		}
		if err := do(list); err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// MarkEarlier notes snapshots that later ones follow.
func (l *Ledger) MarkEarlier(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	return l.engine.Transact(ctx, func() error { return l.setState(ctx, ids, ObjectEarlier) })
}

// MarkMissing notes that objects which were read are gone from their source since
// a night, or, where that is the zero date, can't be read there any more; and that
// others are back. Their records stay.
func (l *Ledger) MarkMissing(ctx context.Context, gone []int64, since civil.Date, back []int64) error {
	if len(gone)+len(back) == 0 {
		return nil
	}
	return l.engine.Transact(ctx, func() error {
		if err := l.setMissing(ctx, gone, ObjectMissing, nullDate(since)); err != nil {
			return err
		}
		return l.setMissing(ctx, back, ObjectRead, nil)
	})
}

func (l *Ledger) setMissing(ctx context.Context, ids []int64, state string, since any) error {
	return inParts(ids, func(list string) error {
		if since == nil {
			return l.engine.Exec(ctx, "update objects set state = @state, missing_since = null where object_id in ("+list+")", Args{"state": state})
		}
		return l.engine.Exec(ctx, "update objects set state = @state, missing_since = @since where object_id in ("+list+")", Args{"state": state, "since": since})
	})
}

// Missing returns the objects of a source that are gone from it since a night up to
// until, by key.
func (l *Ledger) Missing(ctx context.Context, source string, until civil.Date) (objects []Object, err error) {
	err = l.engine.Query(ctx, `
select object_id, object_key, etag, day, rows_staged, missing_since
from objects
where source = @source and state = 'missing' and missing_since <= @until
order by object_key, object_id`, Args{"source": source, "until": until}, func(r Row) error {
		objects = append(objects, Object{ID: r.Int(0), Source: source, Key: r.Text(1), ETag: r.Text(2), Day: r.Date(3), State: ObjectMissing, Staged: r.Int(4), MissingSince: r.Date(5)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read missing objects of %s: %w", source, err)
	}
	return objects, nil
}

// Delete drops the rows and rejects of objects that are gone for good, by whom
// saidBy names. What a closed month has charged for them is reversed with the days
// that the next night makes.
func (l *Ledger) Delete(ctx context.Context, schema *record.Schema, ids []int64, saidBy string) error {
	if len(ids) == 0 {
		return nil
	}
	return l.engine.Transact(ctx, func() error {
		if err := l.forgetElsewhere(ctx, schema, ids); err != nil {
			return err
		}
		if err := l.soilRows(ctx, schema, ids); err != nil {
			return err
		}
		if err := l.dropRows(ctx, schema.Table, dateColumn(schema), ids); err != nil {
			return err
		}
		if err := l.dropRows(ctx, "rejects", "", ids); err != nil {
			return err
		}
		return inParts(ids, func(list string) error {
			return l.engine.Exec(ctx, "update objects set state = 'deleted', rows_rejected = 0, error = @said_by where object_id in ("+list+")", Args{"said_by": saidBy})
		})
	})
}

func nullText(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func nullTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

func nullDate(d civil.Date) any {
	if d.IsZero() {
		return nil
	}
	return d
}
