package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"chargeback/billing/ledger"
	"chargeback/extract"
	"chargeback/extract/decode"
	"chargeback/extract/objstore"
	"chargeback/transform/civil"
)

// RetrySummary is what reading rejected objects of a source again brought.
type RetrySummary struct {
	Source                      string
	Objects                     int   // read again
	StagedBefore, StagedNow     int64 // records of these objects
	RejectedBefore, RejectedNow int64
	Problems                    []Problem // objects that can't be read; what was kept of them stays
}

// Retry reads the objects anew that failed, or of which records were rejected:
// in the version that they have now, and where that is the one that was read
// then, again. What it brings takes the place of what was kept of them, so
// nothing counts twice, and the newest night is made again. What was kept of an
// object that can't be read stays. The days on which the objects were delivered
// are listed for that, so other new objects of theirs are taken in, too.
func (b *Books) Retry(ctx context.Context, now time.Time) (all []RetrySummary, night NightlySummary, err error) {
	again := false
	for _, source := range b.Sources {
		s, err := b.retrySource(ctx, source)
		if err != nil {
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

// errUnreadable ends a staging of which some objects can't be read.
var errUnreadable = errors.New("some objects can't be read")

func (b *Books) retrySource(ctx context.Context, source extract.Source) (s RetrySummary, err error) {
	s.Source = source.Name
	incomplete, err := b.Ledger.Incomplete(ctx, source.Name)
	if err != nil || len(incomplete) == 0 {
		return s, err
	}
	if incomplete, err = b.takeNew(ctx, source, incomplete, &s); err != nil {
		return s, err
	}
	for len(incomplete) > 0 {
		attempt := s
		unreadable, err := b.readAgain(ctx, source, incomplete, &attempt)
		if err == nil {
			return attempt, nil
		}
		if !errors.Is(err, errUnreadable) {
			return s, fmt.Errorf("take in source %s again: %w", source.Name, err)
		}
		var rest []ledger.Object
		for _, o := range incomplete {
			if why, is := unreadable[o.ID]; is {
				s.Problems = append(s.Problems, Problem{source.Name, o.Key, "can't be read again, so what was kept of it stays: " + why.Error()})
			} else {
				rest = append(rest, o)
			}
		}
		incomplete = rest
	}
	return s, nil
}

// takeNew takes in what has another version now, and what failed. It returns the
// objects that have rejects and the version that was read then.
func (b *Books) takeNew(ctx context.Context, source extract.Source, incomplete []ledger.Object, s *RetrySummary) (same []ledger.Object, err error) {
	days, known := map[civil.Date]bool{}, map[string]ledger.Object{}
	for _, o := range incomplete {
		day := o.Day
		if day.IsZero() {
			day = b.Start // what has no day is listed with every day
		}
		days[day] = true
	}
	for _, day := range slices.SortedFunc(maps.Keys(days), civil.Date.Compare) {
		took, problems, err := b.take(ctx, source, ledger.Days{First: day, Last: day}, Shard{}, retryWindow)
		if err != nil {
			return nil, err
		}
		s.Objects, s.StagedNow, s.RejectedNow = s.Objects+took.Read, s.StagedNow+took.Staged, s.RejectedNow+took.Rejected
		for _, p := range problems {
			if !slices.Contains(s.Problems, p) {
				s.Problems = append(s.Problems, p)
			}
		}
		last := day
		if source.Snapshots() {
			day, last = civil.Min, civil.Max
		}
		manifest, err := b.Ledger.Manifest(ctx, source.Name, day, last)
		if err != nil {
			return nil, err
		}
		maps.Copy(known, manifest)
		if source.Snapshots() {
			break // all of them are listed with every day
		}
	}
	for _, o := range incomplete {
		switch now := known[o.Key]; {
		case now.ID == o.ID && now.State == ledger.ObjectRead && o.State == ledger.ObjectRead:
			same = append(same, o)
		case now.ID != o.ID:
			s.StagedBefore, s.RejectedBefore = s.StagedBefore+o.Staged, s.RejectedBefore+o.Rejected
		}
	}
	return same, nil
}

// readAgain stages objects in place of what was kept of them: all of them, or
// none where some can't be read.
func (b *Books) readAgain(ctx context.Context, source extract.Source, objects []ledger.Object, s *RetrySummary) (unreadable map[int64]error, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var found []objstore.Found
	again := make([]int64, 0, len(objects))
	for _, o := range objects {
		f := objstore.Found{Object: objstore.Object{Key: o.Key, ETag: o.ETag, SizeBytes: o.SizeBytes, Modified: o.Modified}}
		if !o.Day.IsZero() {
			f.Day = o.Day.String()
		}
		found, again = append(found, f), append(again, o.ID)
		s.StagedBefore, s.RejectedBefore = s.StagedBefore+o.Staged, s.RejectedBefore+o.Rejected
	}
	s.Objects, unreadable = s.Objects+len(objects), map[int64]error{}
	reading := source.Read(ctx, decode.Env{Zone: b.Zone, Start: epochDays(b.Start)}, found)
	err = b.Ledger.Stage(ctx, ledger.Staging{
		Source: source.Name, Schema: source.Format.Schema(), Again: again, Batches: reading.Batches, Done: reading.Done,
		Results: func() (ledger.StagingResult, error) {
			results, err := reading.Results()
			staged := ledger.StagingResult{Dimensions: reading.Dimensions().All()}
			var took SourceSummary
			for _, r := range results {
				if r.Err != nil {
					unreadable[r.ID] = r.Err
					continue
				}
				b.enter(source, r, retryWindow, &staged, &took)
			}
			if len(unreadable) > 0 {
				err = errUnreadable
			}
			s.StagedNow, s.RejectedNow = s.StagedNow+took.Staged, s.RejectedNow+took.Rejected
			return staged, err
		},
	})
	return unreadable, err
}

// retryWindow stands in the manifest where a window's name would.
const retryWindow = "rejects retry"
