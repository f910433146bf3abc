package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"chargeback/billing/manifest"
	"chargeback/billing/records"
	"chargeback/extract"
	"chargeback/extract/decode"
	"chargeback/extract/record"
	"chargeback/extract/store"
	"chargeback/transform/civil"
)

// SourceSummary is what one source had to offer a window.
type SourceSummary struct {
	Name        string         `json:"name"`
	Listed      int            `json:"listed"`
	Known       int            `json:"known"` // read by an earlier run
	Read        int            `json:"read"`
	Skipped     map[string]int `json:"skipped,omitempty"`
	Staged      int64          `json:"staged"`
	Rejected    int64          `json:"rejected"`
	BeforeStart int64          `json:"before_start,omitempty"`
	Ignored     int64          `json:"ignored,omitempty"`
	Replaced    int            `json:"replaced,omitempty"`
	// Why says what is new about the source, Since from which day on it was
	// therefore looked through, and Again what was read again for it.
	Why   string          `json:"why,omitempty"`
	Since string          `json:"since,omitempty"`
	Again *Reread         `json:"read_again,omitempty"`
	tried map[string]bool // keys of what was read now, or could not be
}

// Reread is what reading known objects again brought.
type Reread struct {
	Objects        int   `json:"objects"`
	StagedBefore   int64 `json:"staged_before"` // records of these objects
	Staged         int64 `json:"staged"`
	RejectedBefore int64 `json:"rejected_before"`
	Rejected       int64 `json:"rejected"`
}

// look says where objects of a source are looked for and what becomes of those
// that are known.
type look struct {
	nights records.Days // on whose delivery days everything must be that was there before
	since  civil.Date   // first of other days that are looked through for what has come; zero for none
	until  civil.Date   // last of them, where that is after the nights
	why    string       // why they are
	shard  Shard
	// outdated is whether objects of open months that were read by other settings
	// are looked for on other days, too; whole, whether all count as such.
	outdated, whole bool
}

// deliveryHours is how many hours after a business day its last records may
// be delivered and still be looked for in that day's window.
const deliveryHours = 3

// listed is the range of delivery days of nights: folders are named in UTC
// by delivery, business days by the billing zone.
func (b *Books) listed(nights records.Days) store.DayRange {
	return b.deliveryDays(records.Days{First: nights.First.AddDays(-b.LateDays), Last: nights.Last})
}

// deliveryDays is on which days objects of business days come in.
func (b *Books) deliveryDays(days records.Days) store.DayRange {
	first := days.First.Start(b.Zone).UTC()
	end := days.Last.AddDays(1).Start(b.Zone).UTC().Add(deliveryHours * time.Hour)
	return store.DayRange{First: first.Truncate(24 * time.Hour), Last: end.Truncate(24 * time.Hour), LastHours: end.Hour() + 1}
}

// take stages what is new in the shard of a source, reads again what was read by
// other settings, and notes what is gone from it.
func (b *Books) take(ctx context.Context, source extract.Source, at look, window string) (SourceSummary, []Problem, error) {
	near := b.listed(at.nights)
	days := near
	var outdated map[int64]manifest.Object
	var err error
	if at.outdated || at.whole {
		if outdated, err = b.outdated(ctx, source, at.whole); err != nil {
			return SourceSummary{}, nil, err
		}
		days.First = earliest(days.First, outdated)
	}
	if !at.since.IsZero() {
		through := b.listed(records.Days{First: at.since, Last: at.nights.Last})
		if at.nights.Last.Before(at.until) {
			through = b.listed(records.Days{First: at.since, Last: at.until})
			days.Last, days.LastHours = through.Last, through.LastHours
		}
		if through.First.Before(days.First) {
			days.First = through.First
		}
	}
	if source.Snapshots() {
		near, days = allDays, allDays // any of them may be the last before a night
	}
	names, err := b.names(ctx, source, at.shard, days)
	if err != nil {
		return SourceSummary{}, nil, err
	}
	listing, err := b.list(ctx, source, days, names)
	if err != nil {
		return SourceSummary{}, nil, err
	}
	known, err := b.known(ctx, source, days, listing, names)
	if err != nil {
		return SourceSummary{}, nil, err
	}
	if len(listing.Objects)+len(known) == 0 && source.Format.Schema() == record.PeopleSchema {
		return SourceSummary{}, nil, b.setUnread(source, fmt.Errorf("there is no people file at %s, and none was ever read; put it there, or correct the source's url", source.Store))
	}
	listing.Objects = at.shard.keep(source, listing.Objects, known, names)
	if outdated == nil && at.shard == (Shard{}) && slices.ContainsFunc(slices.Collect(maps.Values(known)), func(o manifest.Object) bool { return o.Reading != "" && o.Reading != reading(source) }) {
		if outdated, err = b.outdated(ctx, source, false); err != nil { // what could not be read again before
			return SourceSummary{}, nil, err
		}
	}
	todo := compare(listing, known, days, near, outdated)
	if at.shard != (Shard{}) {
		if todo, err = b.onlyNew(ctx, source, todo, known, days); err != nil {
			return SourceSummary{}, nil, err
		}
	}
	if source.Snapshots() {
		if err := b.follow(ctx, source, listing.Objects, known, &todo); err != nil {
			return SourceSummary{}, nil, err
		}
	}
	s := SourceSummary{Name: source.Name, Listed: len(listing.Objects), Known: len(listing.Objects) - len(todo.read), Read: len(todo.read), Skipped: listing.Skipped, Why: at.why}
	if !at.since.IsZero() && at.why != "" {
		s.Since = at.since.String()
	}
	s.tried = todo.keys()
	// First: a key without a current version is mended by the next night, one with
	// two would be read again.
	if err := b.Manifest.MarkEarlier(ctx, todo.earlier); err != nil {
		return s, nil, fmt.Errorf("note earlier snapshots of %s: %w", source.Name, err)
	}
	if err := b.Manifest.MarkMissing(ctx, todo.gone, at.nights.Last, todo.back); err != nil {
		return s, nil, fmt.Errorf("note missing objects of %s: %w", source.Name, err)
	}
	var problems []Problem
	for _, key := range listing.Unnamed {
		problems = append(problems, Problem{Kind: KindFailedObject, Source: source.Name, Object: key, What: "its name is not valid UTF-8, so no record could say where it came from and none of it counts: rename it"})
	}
	for _, f := range listing.Faults {
		if at.shard.has(source.Name, source.Unit(f.Key)) {
			problems = append(problems, Problem{Kind: KindFailedObject, Source: source.Name, Object: f.Key, What: "nothing of its set is taken in: " + f.Reason})
		}
	}
	for _, o := range todo.missing {
		problems = append(problems, b.missingProblem(source, o))
	}
	if len(todo.read)+len(todo.superseded) > 0 {
		failed, err := b.stage(ctx, source, todo, window, &s)
		if err != nil {
			return s, nil, err
		}
		problems = append(problems, failed...)
	}
	if len(todo.again) == 0 {
		return s, problems, nil
	}
	failed, err := b.stageAgain(ctx, source, todo.again, window, &s)
	return s, append(problems, failed...), err
}

// onlyNew leaves of a comparison what a shard takes in: objects of sets of which the
// manifest knows nothing, and no version that it ever had. Their rows are only
// appended, which any number of workers may do at once; where tables are updated,
// BigQuery cancels all but one. All else is left to who makes the night.
func (b *Books) onlyNew(ctx context.Context, source extract.Source, c comparison, known map[string]manifest.Object, days store.DayRange) (comparison, error) {
	units := make(map[string]bool, len(known))
	for key := range known {
		units[source.Unit(key)] = true
	}
	fresh := slices.DeleteFunc(c.read, func(f store.Found) bool { return units[source.Unit(f.Key)] })
	ids := make([]int64, len(fresh))
	for i, f := range fresh {
		ids[i] = source.VersionID(f.Object, b.Zone)
	}
	had, err := b.Manifest.Had(ctx, source.Name, ids, civil.DateOf(days.First, time.UTC), civil.DateOf(days.Last, time.UTC))
	if err != nil {
		return comparison{}, err
	}
	for i, f := range fresh {
		if had[ids[i]] {
			units[source.Unit(f.Key)] = true
		}
	}
	return comparison{read: slices.DeleteFunc(fresh, func(f store.Found) bool { return units[source.Unit(f.Key)] })}, nil
}

// reading names the settings by which the source's objects are read now.
func reading(source extract.Source) string {
	return manifest.ReadingOf(source.Format.Schema(), source.Reading)
}

// outdated are the objects of open months that were read by other settings, or
// all of them.
func (b *Books) outdated(ctx context.Context, source extract.Source, whole bool) (map[int64]manifest.Object, error) {
	open, err := b.firstOpen(ctx)
	if err != nil {
		return nil, err
	}
	than := reading(source)
	if whole {
		than = ""
	}
	objects, err := b.Manifest.Outdated(ctx, source.Name, source.Format.Schema(), than, open)
	found := map[int64]manifest.Object{}
	for _, o := range objects {
		found[o.ID] = o
	}
	return found, err
}

// earliest is the first day on which an object was delivered, or first.
func earliest(first time.Time, objects map[int64]manifest.Object) time.Time {
	for _, o := range objects {
		if day := o.Day.Start(time.UTC); !o.Day.IsZero() && day.Before(first) {
			first = day
		}
	}
	return first
}

// stageAgain reads known objects again by the settings of now. What was kept of
// one that can't be read by them stays, and counts as missing, which it is.
func (b *Books) stageAgain(ctx context.Context, source extract.Source, objects []manifest.Object, window string, s *SourceSummary) (problems []Problem, err error) {
	again, unreadable, err := b.readAgain(ctx, source, objects, window)
	if err != nil {
		return nil, err
	}
	s.Again = &again
	missing := make([]int64, 0, len(unreadable))
	for _, u := range unreadable {
		missing = append(missing, u.ID)
		problems = append(problems, Problem{Kind: KindMissingObject, Source: source.Name, Object: u.Key, What: "can't be read by the settings as they are now; the records that were read of it before still count and can no longer be proved: " + u.why.Error()})
	}
	if err := b.Manifest.MarkMissing(ctx, missing, civil.Date{}, nil); err != nil {
		return nil, fmt.Errorf("note objects of %s that the settings don't fit: %w", source.Name, err)
	}
	return problems, nil
}

// comparison is a listing held against the manifest.
type comparison struct {
	read    []store.Found
	before  map[string]manifest.Object // versions that read ones would stand in for, by key
	gone    []int64                    // read before, not listed now
	back    []int64                    // were missing, listed again
	missing []string                   // keys of all that is missing now
	again   []manifest.Object          // read before by other settings

	superseded []manifest.Object // read before, and no part of their set any more
	earlier    []int64           // snapshots that others follow
	stays      map[string]bool   // keys whose version in before is a snapshot of another day: it stays as history
}

// keys are those of all that is to be read.
func (c comparison) keys() map[string]bool {
	keys := make(map[string]bool, len(c.read)+len(c.again))
	for _, f := range c.read {
		keys[f.Key] = true
	}
	for _, o := range c.again {
		keys[o.Key] = true
	}
	return keys
}

// allDays is every day that a key can tell.
var allDays = store.DayRange{First: time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC), Last: time.Date(2099, time.December, 31, 0, 0, 0, 0, time.UTC)}

// follow corrects a comparison for snapshots. A key that was written again on
// another day holds another snapshot, and the version before is history. It is
// no problem either that a snapshot is gone as long as a later one is there.
func (b *Books) follow(ctx context.Context, source extract.Source, listed []store.Found, known map[string]manifest.Object, c *comparison) error {
	earlier, err := b.Manifest.Earlier(ctx, source.Name)
	if err != nil {
		return err
	}
	c.stays = map[string]bool{}
	var newest civil.Date
	for _, f := range listed {
		if day := epoch.AddDays(int(source.Day(f.Object, b.Zone))); newest.Before(day) {
			newest = day
		}
	}
	c.read = slices.DeleteFunc(c.read, func(f store.Found) bool {
		old, again := c.before[f.Key]
		id := source.VersionID(f.Object, b.Zone)
		if earlier[id] { // a version that was here before
			delete(c.before, f.Key)
			c.back = append(c.back, id)
			if again && old.State != manifest.ObjectFailed {
				c.earlier = append(c.earlier, old.ID)
			}
			return true
		}
		c.stays[f.Key] = again && old.State != manifest.ObjectFailed && old.Day != epoch.AddDays(int(source.Day(f.Object, b.Zone)))
		return false
	})
	followed := func(key string) bool { return known[key].Day.Before(newest) }
	for _, key := range c.missing {
		if followed(key) {
			c.earlier = append(c.earlier, known[key].ID)
		}
	}
	c.missing = slices.DeleteFunc(c.missing, followed)
	c.gone = slices.DeleteFunc(c.gone, func(id int64) bool { return slices.Contains(c.earlier, id) })
	return nil
}

// compare holds the listing of days against the manifest. Of what was there
// before, only outdated objects and those of near must still be there: a source
// may keep its logs for less than a month.
func compare(listing extract.Listing, known map[string]manifest.Object, days, near store.DayRange, outdated map[int64]manifest.Object) (c comparison) {
	seen := make(map[string]bool, len(listing.Objects))
	c.before = map[string]manifest.Object{}
	for _, f := range listing.Objects {
		seen[f.Key] = true
		old, ok := known[f.Key]
		other, again := outdated[old.ID]
		switch {
		case !ok:
			c.read = append(c.read, f)
		case old.ETag != f.ETag:
			c.read = append(c.read, f)
			c.before[f.Key] = old
		case old.State == manifest.ObjectFailed:
			c.read = append(c.read, f)
		case again:
			c.again = append(c.again, other)
		case old.State == manifest.ObjectMissing:
			c.back = append(c.back, old.ID)
		}
	}
	for key, old := range known {
		day, hour := store.DayOf(key)
		_, again := outdated[old.ID]
		if seen[key] || !days.Has(day, hour) || !near.Has(day, hour) && !again {
			continue
		}
		switch listing.Standing(key) {
		case extract.Unsettled:
			continue
		case extract.Superseded:
			c.superseded = append(c.superseded, old)
			continue
		}
		if old.State == manifest.ObjectRead {
			c.gone = append(c.gone, old.ID)
		}
		if old.State == manifest.ObjectRead || old.State == manifest.ObjectMissing {
			c.missing = append(c.missing, key)
		}
	}
	slices.SortFunc(c.superseded, func(a, b manifest.Object) int { return cmp.Compare(a.Key, b.Key) })
	slices.Sort(c.gone)
	slices.Sort(c.missing)
	return c
}

// stage reads the new objects into the ledger. One that was written again
// takes the place of its version before only where it can be read: a people
// file caught in the middle of a copy must not leave everybody without a
// department. The version before then counts as missing, which it is. Of a set
// all objects are taken in or none, and those that are no part of it any more
// go with the same transaction.
func (b *Books) stage(ctx context.Context, source extract.Source, todo comparison, window string, s *SourceSummary) (problems []Problem, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var missing []int64
	env, err := b.env(ctx)
	if err != nil {
		return nil, err
	}
	objects := source.Read(ctx, env, todo.read)
	staged, results, err := b.load(ctx, source, objects, nil)
	if err != nil {
		return nil, fmt.Errorf("take in source %s: %w", source.Name, err)
	}
	broken := brokenSets(source, results)
	for _, o := range todo.superseded {
		if !broken[source.Unit(o.Key)] {
			s.Replaced++
			staged.Replaced = append(staged.Replaced, o.ID)
		}
	}
	for _, r := range results {
		if r.Err == nil && broken[source.Unit(r.Object.Key)] {
			staged.Partial = append(staged.Partial, r.ID) // read again once all of its set can be
			continue
		}
		before, again := todo.before[r.Object.Key]
		if r.Err != nil && again && before.State != manifest.ObjectFailed {
			missing = append(missing, before.ID)
			staged.Partial = append(staged.Partial, r.ID) // what was read of it before the fault
			problems = append(problems, Problem{Kind: KindMissingObject, Source: source.Name, Object: r.Object.Key, What: "was written again and can't be read; the records of the version before still count and can no longer be proved: " + r.Err.Error()})
			continue
		}
		switch {
		case todo.stays[r.Object.Key]:
			staged.Earlier = append(staged.Earlier, before.ID)
		case again:
			s.Replaced++
			staged.Replaced = append(staged.Replaced, before.ID)
		}
		problems = append(problems, b.enter(source, r, window, &staged, s)...)
	}
	if err := b.Manifest.Stage(ctx, staged); err != nil {
		return nil, fmt.Errorf("take in source %s: %w", source.Name, errors.Join(err, b.Manifest.Discard(ctx)))
	}
	if len(missing) == 0 {
		return problems, nil
	}
	if err := b.Manifest.MarkMissing(ctx, missing, civil.Date{}, nil); err != nil {
		return nil, fmt.Errorf("note lost versions of %s: %w", source.Name, err)
	}
	return problems, nil
}

// env is what decoding needs to know.
func (b *Books) env(ctx context.Context) (decode.Env, error) {
	numbers, err := b.Manifest.Numbers(ctx)
	return decode.Env{Zone: b.Zone, Start: epochDays(b.Start), Numbers: numbers}, err
}

// load takes the rows of objects in, to be staged with what became of these. Again
// are those that were read before.
func (b *Books) load(ctx context.Context, source extract.Source, objects *extract.Reading, again []int64) (manifest.Staging, []extract.Result, error) {
	s := manifest.Staging{Source: source.Name, Schema: source.Format.Schema(), Reading: reading(source), Again: again}
	var err error
	if s.Loaded, err = b.Manifest.Load(ctx, s.Schema, objects.Batches, objects.Done); err != nil {
		return s, nil, errors.Join(err, b.Manifest.Discard(ctx))
	}
	results, err := objects.Results()
	if err != nil {
		return s, nil, errors.Join(err, b.Manifest.Discard(ctx))
	}
	s.Dimensions = objects.Dimensions().All()
	return s, results, nil
}

// brokenSets names the sets of which an object can't be read. An object that
// counts alone is a set of its own.
func brokenSets(source extract.Source, results []extract.Result) map[string]bool {
	broken := map[string]bool{}
	for _, r := range results {
		if r.Err != nil {
			broken[source.Unit(r.Object.Key)] = true
		}
	}
	return broken
}

var epoch = civil.Date{Year: 1970, Mon: time.January, Day: 1}

func epochDays(d civil.Date) int64 { return int64(d.DaysSince(epoch)) }

// enter adds one object's result to the manifest entries.
func (b *Books) enter(source extract.Source, r extract.Result, window string, staged *manifest.Staging, s *SourceSummary) []Problem {
	o := manifest.Object{
		ID: r.ID, Source: source.Name, Format: source.Format.Name(), Key: r.Object.Key, ETag: r.Object.ETag, SizeBytes: r.Object.SizeBytes,
		State: manifest.ObjectRead, Staged: r.Counts.Rows, Rejected: r.Counts.Rejected, BeforeStart: r.Counts.BeforeStart, Ignored: r.Counts.Ignored, Modified: r.Object.Modified, Run: window,
	}
	if r.Object.Day != "" {
		if day, err := civil.ParseDate(r.Object.Day); err == nil {
			o.Day = day
		}
	}
	if r.Counts.First != 0 {
		o.FirstRow, o.LastRow = epoch.AddDays(int(r.Counts.First)), epoch.AddDays(int(r.Counts.Last))
	}
	if source.Snapshots() {
		o.Day = epoch.AddDays(int(source.Day(r.Object.Object, b.Zone)))
	}
	var problems []Problem
	if r.Err != nil {
		o.State, o.Error = manifest.ObjectFailed, r.Err.Error()
		problems = append(problems, Problem{Kind: KindFailedObject, Source: source.Name, Object: r.Object.Key, What: "can't be read, so none of it counts: " + r.Err.Error()})
	}
	staged.Objects = append(staged.Objects, o)
	for _, reject := range r.Rejects {
		staged.Rejects = append(staged.Rejects, manifest.Reject{ObjectID: r.ID, Line: reject.Line, Reason: reject.Reason})
	}
	for _, date := range r.Counts.Dates {
		staged.Days = append(staged.Days, epoch.AddDays(int(date)))
	}
	s.Staged += r.Counts.Rows
	s.Rejected += r.Counts.Rejected
	s.BeforeStart += r.Counts.BeforeStart
	s.Ignored += r.Counts.Ignored
	return problems
}
