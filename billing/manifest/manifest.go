// Package manifest keeps what was read: every version of every object, the rows
// that were staged of it, and what of it could not be kept.
//
// It owns: the states of an object, the rule that a delivery is staged whole or
// not at all, which days have changed since their records were computed, and how
// the last night found each source.
// It does not own: what the rows come to (records), how objects are read
// (extract), or when (jobs).
package manifest

import (
	"context"
	_ "embed" // texts of selects
	"errors"
	"slices"
	"time"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// args are the arguments of a select.
type args = warehouse.Args

// States of an object in the manifest.
const (
	ObjectRead     = "read"
	ObjectFailed   = "failed"
	ObjectMissing  = "missing"
	ObjectDeleted  = "deleted" // gone for good: its rows are no longer kept
	ObjectReplaced = "replaced"
	ObjectEarlier  = "earlier" // a snapshot that a later one follows: gone or rewritten, and its rows are history
)

// Manifest is what was read, in one warehouse.
type Manifest struct {
	w       warehouse.Warehouse
	numbers *record.Numbers // nil until they are asked for, and where there are none
}

// New is the manifest of a warehouse that has the tables.
func New(w warehouse.Warehouse) *Manifest { return &Manifest{w: w} }

// Object is one version of one object as the manifest has it. What only a new entry
// says is not read back.
type Object struct {
	ID           int64 `column:"object_id"`
	Source       string
	Format       string `column:"-"` // of a new entry, as all that is not read back
	Key          string `column:"object_key"`
	ETag         string `column:"etag"`
	SizeBytes    int64
	Day          civil.Date `column:",null"` // zero where the key has none
	State        string
	Staged       int64      `column:"rows_staged"`
	Rejected     int64      `column:"rows_rejected"`
	BeforeStart  int64      `column:"-"`
	Ignored      int64      `column:"rows_ignored"`
	Modified     time.Time  `column:"modified_at,null"` // zero where it is not known
	Error        string     `column:",null"`            // why it failed, or who says that it is gone for good
	Run          string     `column:"-"`
	MissingSince civil.Date `column:",null"` // zero where it is not known
	FirstRow     civil.Date `column:"-"`     // business dates of its first and its last row, of one that failed those that are not kept; zero where it has none
	LastRow      civil.Date `column:"-"`
	Reading      string     `column:",null"` // by which settings it was read, see ReadingOf; "" where a version wrote it that kept none
}

// Reject is one record that was not taken in.
type Reject struct {
	ObjectID int64
	Line     int64
	Reason   string
}

//go:embed objects.sql
var objectsText string

// objects are those that meet a condition, by source and key.
func (m *Manifest) objects(ctx context.Context, name, condition string, a args) ([]Object, error) {
	return warehouse.All[Object](ctx, m.w, warehouse.Select{Name: name, Text: objectsText + condition + "\norder by source, object_key, etag, object_id", Args: a})
}

// Current returns the current version of every object of a source that lies in the
// days from first to last or in no day, by key.
func (m *Manifest) Current(ctx context.Context, source string, first, last civil.Date) (map[string]Object, error) {
	found := map[string]Object{}
	all, err := m.objects(ctx, "read manifest of "+source, `
  source = {@source} and state not in ('deleted', 'replaced', 'earlier') and (day is null or day between {@first_day} and {@last_day})`,
		args{"source": source, "first_day": first, "last_day": last})
	for _, o := range all {
		found[o.Key] = o
	}
	return found, err
}

// Keys are the keys behind one, up to and with another one, byte by byte.
type Keys struct{ After, Upto string }

// CurrentOf is Current for the objects of ranges that have no key in common, and for
// those that lie in no day.
func (m *Manifest) CurrentOf(ctx context.Context, source string, first, last civil.Date, ranges []Keys) (map[string]Object, error) {
	rows := make([][]any, len(ranges))
	for i, r := range ranges {
		rows[i] = []any{r.After, r.Upto}
	}
	const work = "listed_keys"
	if err := m.w.Put(ctx, work, []record.Column{{Name: "after_key", Type: record.Text}, {Name: "upto_key", Type: record.Text}}, rows); err != nil {
		return nil, err
	}
	found := map[string]Object{}
	all, err := warehouse.All[Object](ctx, m.w, warehouse.Select{
		Name: "read manifest of a part of " + source, Text: objectsText + " state not in ('deleted', 'replaced', 'earlier')", Args: args{"source": source, "first_day": first, "last_day": last},
		Views: map[string]string{objectsTable.Name: `
  select o.* from {objects} as o
  inner join {` + work + `} as k on o.object_key > k.after_key and o.object_key <= k.upto_key
  where o.source = {@source} and o.day between {@first_day} and {@last_day}
  union all
  select o.* from {objects} as o
  where o.source = {@source} and o.day is null`},
	})
	for _, o := range all {
		found[o.Key] = o
	}
	return found, errors.Join(err, m.w.Drop(ctx, work))
}

// Sample returns keys of some objects of a source, so many at the most and no others the
// next time: of the newest day from first to last on which any came.
func (m *Manifest) Sample(ctx context.Context, source string, first, last civil.Date, most int) ([]string, error) {
	newest, err := warehouse.One[struct {
		Day civil.Date `column:",null"`
	}](ctx, m.w, warehouse.Select{
		Name: "newest day of " + source, Text: "select max(day) as day from {objects} where source = {@source} and day between {@first_day} and {@last_day}",
		Args: args{"source": source, "first_day": first, "last_day": last},
	})
	if err != nil || newest.Day.IsZero() {
		return nil, err
	}
	return warehouse.All[string](ctx, m.w, warehouse.Select{
		Name: "sample of the objects of " + source, Text: "select object_key from {objects} where source = {@source} and day = {@day} order by object_id limit {@most}",
		Args: args{"source": source, "day": newest.Day, "most": most},
	})
}

// Newest returns the day of the newest object that was read of each source, by its
// name or else by when it was written.
func (m *Manifest) Newest(ctx context.Context) (map[string]civil.Date, error) {
	newest := map[string]civil.Date{}
	err := warehouse.Each(ctx, m.w, warehouse.Select{
		Name: "read the newest objects",
		Text: "select source, max(day) as day, max(if(day is null, modified_at, null)) as written from {objects} where state = 'read' group by source",
	}, func(r struct {
		Source  string
		Day     civil.Date `column:",null"`
		Written time.Time  `column:",null"`
	}) error {
		if !r.Written.IsZero() && r.Day.Before(civil.DateOf(r.Written, time.UTC)) {
			r.Day = civil.DateOf(r.Written, time.UTC)
		}
		newest[r.Source] = r.Day
		return nil
	})
	return newest, err
}

// Incomplete returns the objects of a source that failed, or of which records
// were rejected, by key: those that a correction may help.
func (m *Manifest) Incomplete(ctx context.Context, source string) ([]Object, error) {
	return m.objects(ctx, "read rejects of "+source, "  source = {@source} and (state = 'failed' or state = 'read' and rows_rejected > 0)", args{"source": source})
}

// Uncounted returns the objects that failed or are gone, or can't be read as they are
// now, of all sources and of the days since first or of no day, by source.
func (m *Manifest) Uncounted(ctx context.Context, first civil.Date) (map[string][]Object, error) {
	all, err := m.objects(ctx, "read objects that failed or are gone", "  state in ('failed', 'missing') and (day is null or day >= {@first_day})", args{"first_day": first})
	found := map[string][]Object{}
	for _, o := range all {
		found[o.Source] = append(found[o.Source], o)
	}
	return found, err
}

// Broken returns the objects that can't be read, or are gone from their source, by
// source and key.
func (m *Manifest) Broken(ctx context.Context) ([]Object, error) {
	return m.objects(ctx, "read objects that failed or are gone", "  state in ('failed', 'missing')", nil)
}

// Missing returns the objects of a source that are gone from it since a night up to
// until, by key.
func (m *Manifest) Missing(ctx context.Context, source string, until civil.Date) ([]Object, error) {
	return m.objects(ctx, "read missing objects of "+source, "  source = {@source} and state = 'missing' and missing_since <= {@until}", args{"source": source, "until": until})
}

// Earlier returns the versions of snapshots of a source that later ones follow.
func (m *Manifest) Earlier(ctx context.Context, source string) (map[int64]bool, error) {
	return m.ids(ctx, warehouse.Select{
		Name: "read earlier snapshots of " + source, Text: "select object_id from {objects} where source = {@source} and state = 'earlier'", Args: args{"source": source},
	})
}

// Had returns those of some versions of objects of a source, which lie in the days from first to
// last or in no day, that were ever read, or failed, in whatever state they are.
func (m *Manifest) Had(ctx context.Context, source string, ids []int64, first, last civil.Date) (map[int64]bool, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if err := m.putIDs(ctx, "asked", ids); err != nil {
		return nil, err
	}
	return m.ids(ctx, warehouse.Select{
		Name: "read versions that were there before", Args: args{"source": source, "first_day": first, "last_day": last},
		Text: "select object_id from {objects} where source = {@source} and object_id in (select object_id from {asked}) and (day is null or day between {@first_day} and {@last_day})",
	})
}

// ids are those of a select of one column.
func (m *Manifest) ids(ctx context.Context, s warehouse.Select) (map[int64]bool, error) {
	found := map[int64]bool{}
	err := warehouse.Each(ctx, m.w, s, func(id int64) error {
		found[id] = true
		return nil
	})
	return found, err
}

// Changed are the dates whose staged rows have changed since their cost records were
// computed, each in one of the lists, oldest first.
type Changed struct {
	Added []civil.Date // rows came, and none went
	Gone  []civil.Date // rows went, too
	Notes int64        // how often that was noted: more by the next time something changes
}

// Days are all of them up to last, oldest first.
func (c Changed) Days(last civil.Date) []civil.Date {
	days := slices.Concat(c.Added, c.Gone)
	slices.SortFunc(days, civil.Date.Compare)
	return slices.DeleteFunc(days, func(d civil.Date) bool { return last.Before(d) })
}

// ChangedDays returns the dates whose staged rows have changed.
func (m *Manifest) ChangedDays(ctx context.Context) (c Changed, err error) {
	err = warehouse.Each(ctx, m.w, warehouse.Select{
		Name: "read days that changed", Text: "select day, min(if(only_added, 1, 0)) as added, count(*) as notes from {dirty_days} group by day order by day",
	}, func(r struct {
		Day          civil.Date
		Added, Notes int64
	}) error {
		c.Notes += r.Notes
		if r.Added == 1 {
			c.Added = append(c.Added, r.Day)
		} else {
			c.Gone = append(c.Gone, r.Day)
		}
		return nil
	})
	return c, err
}

// MarkEarlier notes snapshots that later ones follow.
func (m *Manifest) MarkEarlier(ctx context.Context, ids []int64) error {
	changes, err := m.setState(ctx, "earlier", ids, args{"state": ObjectEarlier})
	if err != nil {
		return err
	}
	return m.w.Apply(ctx, changes...)
}

// MarkMissing notes that objects which were read are gone from their source since
// a night, or, where that is the zero date, can't be read there any more; and that
// others are back. Their records stay.
func (m *Manifest) MarkMissing(ctx context.Context, gone []int64, since civil.Date, back []int64) error {
	missing, err := m.setState(ctx, "gone", gone, args{"state": ObjectMissing, "missing_since": warehouse.OrNull(since)})
	if err != nil {
		return err
	}
	read, err := m.setState(ctx, "back", back, args{"state": ObjectRead, "missing_since": nil})
	if err != nil {
		return err
	}
	return m.w.Apply(ctx, append(missing, read...)...)
}

// setState sets columns of objects, which it puts into a work table.
func (m *Manifest) setState(ctx context.Context, work string, ids []int64, set args) ([]warehouse.Change, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	err := m.putIDs(ctx, work, ids)
	return []warehouse.Change{warehouse.Update{Table: objectsTable.Name, Set: set, Where: "object_id in (select object_id from {" + work + "})"}}, err
}

// putIDs makes a work table of ids of objects.
func (m *Manifest) putIDs(ctx context.Context, name string, ids []int64) error {
	rows := make([][]any, len(ids))
	for i, id := range ids {
		rows[i] = []any{id}
	}
	return m.w.Put(ctx, name, []record.Column{{Name: "object_id", Type: record.Int}}, rows)
}
