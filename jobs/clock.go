package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"chargeback/billing/records"
	"chargeback/extract"
	"chargeback/extract/store"
	"chargeback/transform/civil"
)

// clockTolerance is how far the clocks of the machines that run the books may lie
// apart.
const clockTolerance = time.Hour

const clockForm = "2006-01-02 15:04 UTC"

// CheckClock stops a run that would begin before the ledger's last one did: one of
// the two clocks is wrong, and windows fall due, and documents are dated, by the
// clock. Where isRight says that it is this one's, runs that began after now
// count as failed: what they marked as done falls due again in its own time.
func (b *Books) CheckClock(ctx context.Context, now time.Time, isRight bool) error {
	runs, err := b.Ledger.Runs.Last(ctx, 1)
	if err != nil || len(runs) == 0 || !runs[0].Started.After(now.Add(clockTolerance)) {
		return err
	}
	if isRight {
		return b.Ledger.Runs.FailAfter(ctx, now)
	}
	return fmt.Errorf("the clock says %s, but the ledger's last run, %s, began at %s, so one of the two is wrong, and nothing was run: set the clock; "+
		"if it is right and was ahead then, restore the ledger from a backup of before that run, or run `chargeback run --clock-is-right`, after which what was run ahead of time counts as not run",
		now.UTC().Format(clockForm), runs[0].Window, runs[0].Started.UTC().Format(clockForm))
}

// errEnough ends a walk that knows enough.
var errEnough = errors.New("enough is known")

// CheckEmpty stops a run before more than EmptyNightsMax of the nights that it is about
// to do find no object in any source: the clock is ahead, or company.start too
// early. It only lists, and marks nothing. Of a source that can't be listed nobody
// knows what it holds, so it speaks for no night.
func (b *Books) CheckEmpty(ctx context.Context, now time.Time, due []civil.Date) error {
	if b.EmptyNightsMax == 0 || len(due) <= b.EmptyNightsMax {
		return nil
	}
	e := emptiness{books: b, empty: map[civil.Date]bool{}}
	for _, day := range due {
		e.empty[day] = true
	}
	for _, source := range b.Sources {
		if keepsRows(source) { // people say nothing of a night
			continue
		}
		if err := e.look(ctx, source, records.Days{First: due[0], Last: due[len(due)-1]}); errors.Is(err, errEnough) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return e.refusal(ctx, now, len(due))
}

// emptiness is which nights have no object so far.
type emptiness struct {
	books  *Books
	empty  map[civil.Date]bool
	newest civil.Date // delivery of the newest object, and of which source it is
	source string
	unread []string
}

func (e *emptiness) look(ctx context.Context, source extract.Source, days records.Days) error {
	b := e.books
	if b.unread[source.Name] == nil {
		err := source.Walk(ctx, b.deliveryDays(days), func(f store.Found) error { return e.see(source, f) })
		if err == nil || errors.Is(err, errEnough) || ctx.Err() != nil {
			return err
		}
		_ = b.setUnread(source, err) // the nights tell it
	}
	e.unread = append(e.unread, source.Name)
	return nil
}

// see takes an object for the nights that read it: those of its day, or, where its
// name tells none, all up to when it was written.
func (e *emptiness) see(source extract.Source, f store.Found) error {
	b, day := e.books, civil.DateOf(f.Modified, e.books.Zone)
	if f.Day != "" {
		var err error
		if day, err = civil.ParseDate(f.Day); err != nil {
			return fmt.Errorf("list source %s: %w", source.Name, err)
		}
		from, to := day.Start(time.UTC), day.AddDays(1).Start(time.UTC) // of delivery
		if f.Hour != store.HourUnknown {
			from = from.Add(time.Duration(f.Hour) * time.Hour)
			to = from.Add(time.Hour)
		}
		for beside := -1; beside <= 1; beside++ {
			night := day.AddDays(beside)
			if from.Before(night.AddDays(1).Start(b.Zone).Add(deliveryHours*time.Hour)) && night.Start(b.Zone).Before(to) {
				delete(e.empty, night)
			}
		}
	} else {
		for night := range e.empty {
			if f.Modified.IsZero() || !day.Before(night) {
				delete(e.empty, night)
			}
		}
	}
	if e.newest.Before(day) {
		e.newest, e.source = day, source.Name
	}
	if len(e.empty) <= b.EmptyNightsMax {
		return errEnough
	}
	return nil
}

// refusal says which nights are empty, and what to do.
func (e *emptiness) refusal(ctx context.Context, now time.Time, due int) error {
	read, err := e.books.Manifest.Newest(ctx)
	if err != nil {
		return err
	}
	for _, source := range e.books.Sources {
		if day := read[source.Name]; !keepsRows(source) && e.newest.Before(day) {
			e.newest, e.source = day, source.Name
		}
	}
	var nights []civil.Date
	for night := range e.empty {
		nights = append(nights, night)
	}
	newest := "no object was ever read"
	if !e.newest.IsZero() {
		newest = fmt.Sprintf("the newest object is of %s (source %s)", e.newest, e.source)
	}
	if len(e.unread) > 0 {
		newest += "; what can't be read is not known: " + strings.Join(e.unread, ", ")
	}
	return fmt.Errorf("%d daily runs are due at once, and %d of them, %s, find no object in any source (empty_nights_max: %d); %s, and the clock says %s. Nothing was run: "+
		"correct the clock, or company.start (%s), or the sources; where these days really are empty, run `chargeback run --allow-empty-nights`",
		due, len(nights), firstRuns(runsOf(nights)), e.books.EmptyNightsMax, newest, now.UTC().Format(clockForm), e.books.Start)
}

// firstRuns names the first runs of days, and how many more there are.
func firstRuns(runs []records.Days) string {
	const most = 3
	var names []string
	for _, r := range runs[:min(most, len(runs))] {
		name := r.First.String()
		if r.First != r.Last {
			name += " to " + r.Last.String()
		}
		names = append(names, name)
	}
	if more := len(runs) - most; more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}
