package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"chargeback/billing/manifest"
	"chargeback/extract"
	"chargeback/extract/record"
	"chargeback/extract/store"
	"chargeback/transform/civil"
)

// Deletion says that objects of a source are gone for good.
type Deletion struct {
	Source     string
	Keys       []string // none: all that are missing
	By, Reason string
}

// NotDeletedError says that objects can't count as deleted.
type NotDeletedError struct{ What string }

func (e *NotDeletedError) Error() string { return e.What }

// keepsRows says that rows of a source's objects stay when these are gone: what was
// said of people on a day is history.
func keepsRows(source extract.Source) bool { return source.Format.Schema() == record.PeopleSchema }

// Delete takes the records of objects that are gone from their source out of the
// books, because somebody says so, and runs the newest night again. What closed months
// charged for them is reversed in the open month.
func (b *Books) Delete(ctx context.Context, d Deletion, now time.Time) (gone []manifest.Object, night NightlySummary, err error) {
	i := slices.IndexFunc(b.Sources, func(s extract.Source) bool { return s.Name == d.Source })
	if i < 0 {
		return nil, night, &NotDeletedError{fmt.Sprintf("source %q is not in the settings", d.Source)}
	}
	source := b.Sources[i]
	if keepsRows(source) {
		return nil, night, &NotDeletedError{fmt.Sprintf("source %s tells of people, and what it told of a day stays; deliver a file that says otherwise", d.Source)}
	}
	objects, err := b.asked(ctx, source, d.Keys)
	if err != nil {
		return nil, night, err
	}
	gone, back, err := b.stillGone(ctx, source, objects)
	if err != nil {
		return nil, night, err
	}
	if len(back) > 0 {
		return nil, night, &NotDeletedError{fmt.Sprintf("%s is still in source %s; remove it there first, or leave it out", back[0].Key, d.Source)}
	}
	if err := b.Manifest.Delete(ctx, source.Format.Schema(), idsOf(gone), d.By+": "+d.Reason); err != nil {
		return nil, night, fmt.Errorf("delete objects of %s: %w", source.Name, err)
	}
	latest, err := b.latestDone(ctx)
	if err != nil || len(gone) == 0 || latest.IsZero() {
		return gone, night, err
	}
	night, err = b.Nightly(ctx, latest, now)
	return gone, night, err
}

// asked are the objects of a source that count and have the keys, or all that are
// missing.
func (b *Books) asked(ctx context.Context, source extract.Source, keys []string) (objects []manifest.Object, err error) {
	if len(keys) == 0 {
		return b.Manifest.Missing(ctx, source.Name, civil.Max)
	}
	known, err := b.Manifest.Current(ctx, source.Name, civil.Min, civil.Max)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		o, read := known[key]
		if !read {
			return nil, &NotDeletedError{fmt.Sprintf("%s was never read from source %s, or its records are out of the books already", key, source.Name)}
		}
		objects = append(objects, o)
	}
	return objects, nil
}

// stillGone looks for objects at their source.
func (b *Books) stillGone(ctx context.Context, source extract.Source, objects []manifest.Object) (gone, back []manifest.Object, err error) {
	if len(objects) == 0 {
		return nil, nil, nil
	}
	days := allDays
	if !slices.ContainsFunc(objects, func(o manifest.Object) bool { return o.Day.IsZero() }) {
		first, last := objects[0].Day, objects[0].Day
		for _, o := range objects {
			if o.Day.Before(first) {
				first = o.Day
			}
			if last.Before(o.Day) {
				last = o.Day
			}
		}
		days.First, days.Last = first.Start(time.UTC), last.Start(time.UTC)
	}
	listing, err := b.list(ctx, source, days, store.Names{})
	if err != nil {
		return nil, nil, err
	}
	there := map[string]bool{}
	for _, f := range listing.Objects {
		there[f.Key] = true
	}
	for _, o := range objects {
		switch {
		case there[o.Key]:
			back = append(back, o)
		case listing.Standing(o.Key) == extract.Unsettled: // its set is being written
		default:
			gone = append(gone, o)
		}
	}
	return gone, back, nil
}

func idsOf(objects []manifest.Object) (ids []int64) {
	for _, o := range objects {
		ids = append(ids, o.ID)
	}
	return ids
}

// stillMissing are the objects that earlier nights have missed and that this one did
// not look for: each night says so until they are back, or somebody says that they are
// gone for good.
func (b *Books) stillMissing(ctx context.Context, told []Problem) (problems []Problem, err error) {
	for _, source := range b.Sources {
		if keepsRows(source) {
			continue
		}
		missing, err := b.Manifest.Missing(ctx, source.Name, civil.Max)
		if err != nil {
			return nil, err
		}
		missing = slices.DeleteFunc(missing, func(o manifest.Object) bool {
			return slices.ContainsFunc(told, func(p Problem) bool { return p.Source == source.Name && p.Object == o.Key })
		})
		gone, back, err := b.stillGone(ctx, source, missing)
		if unread, is := unreadOf(err); is {
			if p := unread.problem(); !slices.Contains(told, p) {
				problems = append(problems, p)
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := b.Manifest.MarkMissing(ctx, nil, civil.Date{}, idsOf(back)); err != nil {
			return nil, err
		}
		for _, o := range gone {
			problems = append(problems, b.missingProblem(source, o.Key))
		}
	}
	return problems, nil
}

// deleteMissing takes the records of objects out of the books that are gone from
// their source for as long as the settings say, and tells so.
func (b *Books) deleteMissing(ctx context.Context, night civil.Date) (problems []Problem, err error) {
	if b.DeletedAfterDays == 0 {
		return nil, nil
	}
	for _, source := range b.Sources {
		if keepsRows(source) {
			continue
		}
		missing, err := b.Manifest.Missing(ctx, source.Name, night.AddDays(-b.DeletedAfterDays))
		if err != nil {
			return nil, err
		}
		gone, back, err := b.stillGone(ctx, source, missing)
		if _, is := unreadOf(err); is {
			continue // told by stillMissing, where it was not before
		}
		if err != nil {
			return nil, err
		}
		if err := b.Manifest.MarkMissing(ctx, nil, civil.Date{}, idsOf(back)); err != nil {
			return nil, err
		}
		why := fmt.Sprintf("gone from the source for deleted_after_days (%d)", b.DeletedAfterDays)
		if err := b.Manifest.Delete(ctx, source.Format.Schema(), idsOf(gone), why); err != nil {
			return nil, fmt.Errorf("delete objects of %s: %w", source.Name, err)
		}
		for _, o := range gone {
			problems = append(problems, Problem{Kind: KindDeletedObject, Source: source.Name, Object: o.Key, What: fmt.Sprintf(
				"is gone from the source since %s, so its records (%d) no longer count (deleted_after_days); what closed months charged for them is corrected: restore it if it was not meant to go", o.MissingSince, o.Staged)})
		}
	}
	return problems, nil
}

// missingProblem is what a missing object says, as long as its records count.
func (b *Books) missingProblem(source extract.Source, key string) Problem {
	what := "was read before and is gone from the source; its records stay in the ledger and can no longer be proved: restore the object"
	if !keepsRows(source) {
		what += fmt.Sprintf(", or say that it is gone for good with `chargeback rejects deleted --source %s`", source.Name)
	}
	return Problem{Kind: KindMissingObject, Source: source.Name, Object: key, What: what}
}
