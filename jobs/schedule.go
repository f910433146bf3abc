package jobs

import (
	"context"
	"time"

	"chargeback/transform/civil"
)

// settleHours is how long after a business day's end its night falls due: as
// long as its last records are looked for.
const settleHours = deliveryHours

// DueNights lists the business days whose night is due at now and was not
// finished, oldest first. The ledger says what was finished, so a machine that
// was off catches up and a clock change skips nothing. Where none is left, the
// newest is due again if prices, people or settings have changed since: it makes
// the open days anew. So it is if a source has come or changed, or could not be read,
// of which days that were looked through before may hold more; if an object that
// could not be read, or was gone, is another one now or is back; and if people files hold
// what no night has read.
func (b *Books) DueNights(ctx context.Context, now time.Time) (due []civil.Date, err error) {
	done, err := b.Ledger.Runs.WindowsDone(ctx, NightlyKind)
	if err != nil {
		return nil, err
	}
	for d := b.Start; !now.Before(d.AddDays(1).Start(b.Zone).Add(settleHours * time.Hour)); d = d.AddDays(1) {
		if !done[NightlyWindow(d)] {
			due = append(due, d)
		}
	}
	if len(due) > 0 || len(done) == 0 {
		return due, nil
	}
	changed, err := b.changed(ctx)
	if err != nil || !changed {
		return nil, err
	}
	latest, err := b.latestDone(ctx)
	return []civil.Date{latest}, err
}

// changed says whether the newest night, run again, may find or make something
// else, although no object has come for its days.
func (b *Books) changed(ctx context.Context) (bool, error) {
	inputs, err := b.inputsChanged(ctx)
	if err != nil || inputs.any() {
		return inputs.any(), err
	}
	changed, _, err := b.sourcesChanged(ctx)
	if err != nil || changed {
		return changed, err
	}
	open, err := b.firstOpen(ctx)
	if err != nil {
		return false, err
	}
	mended, err := b.mended(ctx, open, time.Time{})
	if err != nil || len(mended) > 0 {
		return len(mended) > 0, err
	}
	people, err := b.unreadPeople(ctx)
	return len(people) > 0, err
}

// changedSettings says whether prices, people or settings are others than those of
// the last night. What a source holds that it did not look at is another matter.
func (b *Books) changedSettings(ctx context.Context) (bool, error) {
	inputs, err := b.inputsChanged(ctx)
	if err != nil || inputs.any() {
		return inputs.any(), err
	}
	_, unlike, err := b.sourcesChanged(ctx)
	return unlike, err
}

// NightDone says whether the night of a business day was finished.
func (b *Books) NightDone(ctx context.Context, day civil.Date) (bool, error) {
	done, err := b.Ledger.Runs.WindowsDone(ctx, NightlyKind)
	return done[NightlyWindow(day)], err
}

// DueMonths lists the months whose close is due at now and was not done, or
// whose files were not all written, oldest first.
func (b *Books) DueMonths(ctx context.Context, now time.Time) (due []civil.Month, err error) {
	closed, err := b.Ledger.Months.Closed(ctx)
	if err != nil {
		return nil, err
	}
	written, err := b.Ledger.Runs.WindowsDone(ctx, DocumentsKind)
	if err != nil {
		return nil, err
	}
	for m := b.Start.Month(); !now.Before(m.Next().FirstDay().AddDays(b.CloseDay - 1).Start(b.Zone)); m = m.Next() {
		if closed[m] == "" || !written[DocumentsKind+"/"+m.String()] {
			due = append(due, m)
		}
	}
	return due, nil
}

// openMonth is the first month that is not closed.
func (b *Books) openMonth(closed map[civil.Month]string) civil.Month {
	open := b.Start.Month()
	for ; closed[open] != ""; open = open.Next() {
	}
	return open
}

// firstOf is the first day of a month that is accounted for.
func (b *Books) firstOf(month civil.Month) civil.Date {
	if first := month.FirstDay(); !first.Before(b.Start) {
		return first
	}
	return b.Start
}
