package jobs

import (
	"context"
	"time"

	"chargeback/billing/manifest"
	"chargeback/billing/records"
	"chargeback/extract"
	"chargeback/extract/store"
	"chargeback/transform/civil"
)

// mended says of which sources objects of open months that could not be read, or were
// gone, are other ones now or are back, and since which delivery day. Only the days of
// such objects are listed, and of them those before near, from where on a night looks
// anyway; the zero time takes all. A source that can't be listed is among them: to say
// so is for the night.
func (b *Books) mended(ctx context.Context, open civil.Date, near time.Time) (since map[string]civil.Date, err error) {
	first := civil.DateOf(b.deliveryDays(records.Days{First: open, Last: open}).First, time.UTC)
	uncounted, err := b.Manifest.Uncounted(ctx, first)
	if err != nil {
		return nil, err
	}
	since = map[string]civil.Date{}
	for _, source := range b.Sources {
		if keepsRows(source) { // unreadPeople looks at them
			continue
		}
		objects := map[string]manifest.Object{}
		var days []civil.Date
		for _, o := range uncounted[source.Name] {
			if near.IsZero() || !o.Day.IsZero() && o.Day.Start(time.UTC).Before(near) {
				objects[o.Key] = o
				if o.Day.IsZero() {
					o.Day = open // every listing has it
				}
				days = append(days, o.Day)
			}
		}
		for _, run := range runsOf(days) {
			is, err := b.isMended(ctx, source, run, objects)
			_, broken := unreadOf(err)
			if err != nil && !broken {
				return nil, err
			}
			if is || broken {
				since[source.Name] = run.First
				break
			}
		}
	}
	return since, nil
}

// isMended says whether one of some objects, by key, is another one now or back on
// delivery days of a source.
func (b *Books) isMended(ctx context.Context, source extract.Source, days records.Days, objects map[string]manifest.Object) (bool, error) {
	listing, err := b.list(ctx, source, store.DayRange{First: days.First.Start(time.UTC), Last: days.Last.Start(time.UTC)}, store.Names{})
	if err != nil {
		return false, err
	}
	for _, f := range listing.Objects {
		o, is := objects[f.Key]
		// One that the settings can't read is no other for being listed.
		if is && (o.ETag != f.ETag || o.State == manifest.ObjectMissing && o.Reading == reading(source)) {
			return true, nil
		}
	}
	return false, nil
}
