package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"chargeback/billing/manifest"
	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/extract"
	"chargeback/extract/store"
	"chargeback/transform/civil"
)

// unreadError says that a source can't be opened or listed, so that nobody knows
// what it holds.
type unreadError struct {
	source extract.Source
	err    error
}

func (e *unreadError) Error() string {
	return fmt.Sprintf("source %s can't be read: %s", e.source.Name, e.why())
}
func (e *unreadError) Unwrap() error { return e.err }

func (e *unreadError) problem() Problem {
	return Problem{Kind: KindBrokenSource, Source: e.source.Name, Object: e.source.Store.String(), What: fmt.Sprintf(
		"can't be read, so nothing new of it is charged, while all other sources are: %s; the next run that can read the source catches up", e.why())}
}

func (e *unreadError) why() string {
	return strings.TrimPrefix(e.err.Error(), "list source "+e.source.Name+": ")
}

// unreadOf is the source that can't be read, where that is what err says.
func unreadOf(err error) (*unreadError, bool) { return errors.AsType[*unreadError](err) }

// setUnread notes that a source can't be read, by an error.
func (b *Books) setUnread(source extract.Source, err error) error {
	if b.unread == nil {
		b.unread = map[string]*unreadError{}
	}
	b.unread[source.Name] = &unreadError{source, err}
	return b.unread[source.Name]
}

// list lists days of a source. One that can't be listed is not asked again by
// these books, which are open for one run: a server that hangs costs the run the
// store's patience once, not with every night. What ends a run stays what it is.
func (b *Books) list(ctx context.Context, source extract.Source, days store.DayRange, names store.Names) (extract.Listing, error) {
	if unread := b.unread[source.Name]; unread != nil {
		return extract.Listing{}, unread
	}
	listing, err := source.List(ctx, days, names)
	if err != nil && ctx.Err() == nil {
		err = b.setUnread(source, err)
	}
	return listing, err
}

// unreadSources are the sources that this run could not read, in the order of the
// settings.
func (b *Books) unreadSources() (all []*unreadError) {
	for _, source := range b.Sources {
		if unread := b.unread[source.Name]; unread != nil {
			all = append(all, unread)
		}
	}
	return all
}

// sourceChange is how a source differs from what the last night found.
type sourceChange struct {
	mark     manifest.SourceMark // as it is now
	before   manifest.SourceMark // as the last night left it
	why      string              // in words; "" where only a mark is missing
	unlike   bool                // it is new, or its address or settings changed
	outdated bool                // its objects are read by other settings now
	adopt    bool                // its objects are of a version that kept no settings
}

// since is the first day that is looked through because of the change: of open
// months, or from the first night on that could not read the source.
func (c sourceChange) since(open civil.Date) civil.Date {
	missed := c.before.Missed
	switch {
	case c.why == "":
		return civil.Date{}
	case missed.IsZero() || c.unlike && open.Before(missed):
		return open
	}
	return missed
}

// sourceChanges says which sources are new, lie elsewhere, are read by other
// settings than the last night found, or were not read by it. Of a ledger that was
// kept by a version which marked no sources, they are taken to be as they were.
func (b *Books) sourceChanges(ctx context.Context) (changes map[string]sourceChange, marks map[string]manifest.SourceMark, err error) {
	if marks, err = b.Manifest.SourceMarks(ctx); err != nil {
		return nil, nil, err
	}
	changes = map[string]sourceChange{}
	var unmarked map[string]bool
	for _, source := range b.Sources {
		before := marks[source.Name]
		c := sourceChange{mark: manifest.SourceMark{Reading: reading(source), Place: source.Place}, before: before}
		if before == c.mark {
			continue
		}
		c.outdated = before.Known() && before.Reading != c.mark.Reading
		switch moved := before.Place != c.mark.Place; {
		case !before.Known():
			if unmarked == nil {
				if unmarked, err = b.Manifest.SourcesWithoutReading(ctx); err != nil {
					return nil, nil, err
				}
			}
			if c.adopt = unmarked[source.Name]; !c.adopt {
				c.why = "it is new"
			}
		case moved && c.outdated:
			c.why = "its address and its settings changed"
		case moved:
			c.why = "its address changed"
		case c.outdated:
			c.why = "its settings changed"
		}
		if c.unlike = c.why != ""; !c.unlike && !before.Missed.IsZero() {
			c.why = fmt.Sprintf("it was not read since %s", before.Missed)
		}
		changes[source.Name] = c
	}
	return changes, marks, nil
}

// sourcesChanged says whether a night would find a source changed, or could read
// again what nights before it could not, of which it then looks through more days
// than its own; unlike, whether there is one that the last night did not try to read.
func (b *Books) sourcesChanged(ctx context.Context) (changed, unlike bool, err error) {
	changes, _, err := b.sourceChanges(ctx)
	for _, c := range changes {
		changed, unlike = changed || c.why != "", unlike || c.unlike && c.before.Missed.IsZero()
	}
	return changed, unlike, err
}

// keptMarks is how a run leaves the marks of sources.
type keptMarks struct {
	changes []warehouse.Change
	first   map[string]civil.Date          // of sources that it has found first: the night
	marks   map[string]manifest.SourceMark // those that it changes
}

func (k *keptMarks) set(source string, mark manifest.SourceMark, adopt bool) {
	k.marks[source] = mark
	k.changes = append(k.changes, manifest.SetSourceMark(source, mark, adopt)...)
}

// missed notes that nights did not read a source.
func (k *keptMarks) missed(source string, mark manifest.SourceMark, nights records.Days) {
	if !mark.Missed.IsZero() && !nights.First.Before(mark.Missed) {
		return
	}
	mark.Missed = nights.First
	k.set(source, mark, false)
}

// keepMarks says how nights found the sources: as they are now, or, of those that
// could not be read or are not in the settings at present, since when they were not.
func (b *Books) keepMarks(ctx context.Context, nights records.Days, changes map[string]sourceChange, marks map[string]manifest.SourceMark) (keptMarks, error) {
	k := keptMarks{first: map[string]civil.Date{}, marks: map[string]manifest.SourceMark{}}
	gone := maps.Clone(marks)
	latest, err := b.latestDone(ctx)
	if err != nil {
		return k, err
	}
	for _, source := range b.Sources {
		delete(gone, source.Name)
		if b.unread[source.Name] != nil {
			k.missed(source.Name, marks[source.Name], nights)
			continue
		}
		c, changed := changes[source.Name]
		if !changed {
			continue
		}
		if !c.before.Known() && !c.adopt {
			night := nights.First
			if night.Before(latest) { // nights of the past, that are run again
				night = latest
			}
			k.first[source.Name] = night
			k.changes = append(k.changes, manifest.SetFirstNight(source.Name, night)...)
		}
		k.set(source.Name, c.mark, c.adopt)
	}
	for _, name := range slices.Sorted(maps.Keys(gone)) {
		k.missed(name, gone[name], nights)
	}
	return k, nil
}

// UnreadSources says which of some sources the last daily run could not read, and
// since when, in their order: what status tells, which asks no source.
func (b *Books) UnreadSources(ctx context.Context, names []string) (problems []Problem, err error) {
	marks, err := b.Manifest.SourceMarks(ctx)
	for _, name := range names {
		if missed := marks[name].Missed; !missed.IsZero() {
			problems = append(problems, Problem{Kind: KindBrokenSource, Source: name, Object: "since " + missed.String(), What: fmt.Sprintf(
				"the daily run of %s could not read it, nor could any after it, so nothing new of it is charged; `chargeback doctor` says why, and the next run that can read it catches up", missed)})
		}
	}
	return problems, err
}

// firstOpen is the first day of the open months.
func (b *Books) firstOpen(ctx context.Context) (civil.Date, error) {
	closed, err := b.Ledger.Months.Closed(ctx)
	return b.firstOf(b.openMonth(closed)), err
}
