package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"chargeback/billing/manifest"
	"chargeback/billing/records"
	"chargeback/extract"
	"chargeback/extract/store"
	"chargeback/transform/civil"
)

// RetrySummary is what reading objects of a source again brought.
type RetrySummary struct {
	Source string
	Reread
	Problems []Problem // objects that can't be read; what was kept of them stays
}

// RetryOptions say what is read again.
type RetryOptions struct {
	Source string // "" is all sources
	// Whole reads all objects again that open months have records of, not only
	// those that other settings or rejects call for.
	Whole bool
}

// Retry reads the objects anew that failed, of which records were rejected, or
// that were read by other settings and have records in open months: in the
// version that they have now, and where that is the one that was read then,
// again. What it brings takes the place of what was kept of them, so nothing
// counts twice, and the newest night is made again. What was kept of an object
// that can't be read stays. The days on which the objects were delivered are
// listed for that, so other new objects of theirs are taken in, too.
func (b *Books) Retry(ctx context.Context, o RetryOptions, now time.Time) (all []RetrySummary, night NightlySummary, err error) {
	again := false
	for _, source := range b.Sources {
		if o.Source != "" && o.Source != source.Name {
			continue
		}
		s, err := b.retrySource(ctx, source, o.Whole)
		if unread, is := unreadOf(err); is {
			s.Problems = append(s.Problems, unread.problem())
		} else if err != nil {
			return all, night, err
		}
		again = again || s.Objects > 0
		if s.Objects > 0 || len(s.Problems) > 0 {
			all = append(all, s)
		}
	}
	latest, err := b.latestDone(ctx)
	if err != nil || !again || latest.IsZero() {
		return all, night, err
	}
	night, err = b.Nightly(ctx, latest, now)
	return all, night, err
}

func (b *Books) retrySource(ctx context.Context, source extract.Source, whole bool) (s RetrySummary, err error) {
	s.Source = source.Name
	tried, err := b.retryOutdated(ctx, source, whole, &s)
	if err != nil {
		return s, err
	}
	incomplete, err := b.Manifest.Incomplete(ctx, source.Name)
	incomplete = slices.DeleteFunc(incomplete, func(o manifest.Object) bool { return tried[o.Key] })
	if err != nil || len(incomplete) == 0 {
		return s, err
	}
	if incomplete, err = b.takeNew(ctx, source, incomplete, &s); err != nil {
		return s, err
	}
	again, unreadable, err := b.readAgain(ctx, source, incomplete, retryWindow)
	s.add(again)
	for _, u := range unreadable {
		s.Problems = append(s.Problems, Problem{Kind: KindFailedObject, Source: source.Name, Object: u.Key, What: "can't be read again, so what was kept of it stays: " + u.why.Error()})
	}
	return s, err
}

// retryOutdated reads again what a source has in open months, where its settings
// have changed or all is to be read. It returns the keys of what it tried to read.
func (b *Books) retryOutdated(ctx context.Context, source extract.Source, whole bool, s *RetrySummary) (tried map[string]bool, err error) {
	changes, _, err := b.sourceChanges(ctx)
	if err != nil || !whole && !changes[source.Name].outdated {
		return nil, err
	}
	at := look{outdated: true, whole: whole}
	if at.since, err = b.firstOpen(ctx); err != nil {
		return nil, err
	}
	latest, err := b.latestDone(ctx)
	if err != nil || latest.IsZero() {
		return nil, err // nothing was read yet
	}
	at.nights = records.Days{First: latest, Last: latest}
	took, problems, err := b.takeOver(ctx, source, at, retryWindow)
	s.Problems = append(s.Problems, problems...)
	s.add(Reread{Objects: took.Read, Staged: took.Staged, Rejected: took.Rejected})
	if took.Again != nil {
		s.add(*took.Again)
	}
	return took.tried, err
}

func (r *Reread) add(other Reread) {
	r.Objects, r.StagedBefore, r.Staged = r.Objects+other.Objects, r.StagedBefore+other.StagedBefore, r.Staged+other.Staged
	r.RejectedBefore, r.Rejected = r.RejectedBefore+other.RejectedBefore, r.Rejected+other.Rejected
}

// takeNew takes in what has another version now, and what failed. It returns the
// objects that have rejects and the version that was read then.
func (b *Books) takeNew(ctx context.Context, source extract.Source, incomplete []manifest.Object, s *RetrySummary) (same []manifest.Object, err error) {
	days, known := map[civil.Date]bool{}, map[string]manifest.Object{}
	for _, o := range incomplete {
		day := o.Day
		if day.IsZero() {
			day = b.Start // what has no day is listed with every day
		}
		days[day] = true
	}
	for _, day := range slices.SortedFunc(maps.Keys(days), civil.Date.Compare) {
		took, problems, err := b.take(ctx, source, look{nights: records.Days{First: day, Last: day}}, retryWindow)
		if err != nil {
			return nil, err
		}
		s.add(Reread{Objects: took.Read, Staged: took.Staged, Rejected: took.Rejected})
		for _, p := range problems {
			if !slices.Contains(s.Problems, p) {
				s.Problems = append(s.Problems, p)
			}
		}
		last := day
		if source.Snapshots() {
			day, last = civil.Min, civil.Max
		}
		versions, err := b.Manifest.Current(ctx, source.Name, day, last)
		if err != nil {
			return nil, err
		}
		maps.Copy(known, versions)
		if source.Snapshots() {
			break // all of them are listed with every day
		}
	}
	for _, o := range incomplete {
		switch now := known[o.Key]; {
		case now.ID == o.ID && now.State == manifest.ObjectRead && o.State == manifest.ObjectRead:
			same = append(same, o)
		case now.ID != o.ID:
			s.StagedBefore, s.RejectedBefore = s.StagedBefore+o.Staged, s.RejectedBefore+o.Rejected
		}
	}
	return same, nil
}

// unreadable is an object that can't be read, and why.
type unreadable struct {
	manifest.Object
	why error
}

// errUnreadable ends a staging of which some objects can't be read.
var errUnreadable = errors.New("some objects can't be read")

// readAgain stages objects in place of what was kept of them. Where some can't be
// read, what was kept of them and of the rest of their sets stays.
func (b *Books) readAgain(ctx context.Context, source extract.Source, objects []manifest.Object, window string) (s Reread, lost []unreadable, err error) {
	for len(objects) > 0 {
		s, problems, err := b.stageInPlace(ctx, source, objects, window)
		if err == nil {
			return s, lost, nil
		}
		if !errors.Is(err, errUnreadable) {
			return s, lost, fmt.Errorf("take in source %s again: %w", source.Name, err)
		}
		broken := map[string]bool{}
		for _, o := range objects {
			if why := problems[o.Key]; why != nil {
				lost, broken[source.Unit(o.Key)] = append(lost, unreadable{o, why}), true
			}
		}
		objects = slices.DeleteFunc(objects, func(o manifest.Object) bool { return broken[source.Unit(o.Key)] })
	}
	return s, lost, nil
}

// stageInPlace is readAgain of all of the objects, or of none where some can't
// be read.
func (b *Books) stageInPlace(ctx context.Context, source extract.Source, objects []manifest.Object, window string) (s Reread, problems map[string]error, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var found []store.Found
	again := make([]int64, 0, len(objects))
	for _, o := range objects {
		f := store.Found{Object: store.Object{Key: o.Key, ETag: o.ETag, SizeBytes: o.SizeBytes, Modified: o.Modified}}
		if !o.Day.IsZero() {
			f.Day = o.Day.String()
		}
		found, again = append(found, f), append(again, o.ID)
		s.StagedBefore, s.RejectedBefore = s.StagedBefore+o.Staged, s.RejectedBefore+o.Rejected
	}
	s.Objects, problems = len(objects), map[string]error{}
	env, err := b.env(ctx)
	if err != nil {
		return s, problems, err
	}
	read := source.Read(ctx, env, found)
	staged, results, err := b.load(ctx, source, read, again)
	if err != nil {
		return s, problems, err
	}
	var took SourceSummary
	for _, r := range results {
		if r.Err != nil {
			problems[r.Object.Key] = r.Err
			continue
		}
		b.enter(source, r, window, &staged, &took)
	}
	s.Staged, s.Rejected = took.Staged, took.Rejected
	if len(problems) > 0 {
		return s, problems, errors.Join(errUnreadable, b.Manifest.Discard(ctx))
	}
	if err := b.Manifest.Stage(ctx, staged); err != nil {
		return s, problems, errors.Join(err, b.Manifest.Discard(ctx))
	}
	return s, problems, nil
}

// retryWindow stands in the manifest where a window's name would.
const retryWindow = "rejects retry"
