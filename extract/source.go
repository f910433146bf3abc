// Package extract turns objects into records: it lists a window's objects,
// reads each once, decodes its records and hands them on in batches.
//
// It owns: what is listed for a window, which objects are not data, and the
// rule that a bad record is rejected alone while a corrupt object counts
// nothing.
// It does not own: what a record costs or who owes it (transform), the
// manifest (billing/manifest), or when to read (jobs).
package extract

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"chargeback/extract/decode"
	"chargeback/extract/store"
)

// Source is one configured place to read from.
type Source struct {
	Name        string
	Format      decode.Format
	Store       store.Store
	RecordBytes int // longest record that is read
	Workers     int // objects decoded at once
	// Fetches is how many small objects are fetched at once at most, ahead of the
	// workers; 0 fetches none ahead. How many it are follows how long one takes by Now,
	// and stays at few where Now is nil.
	Fetches int
	Now     func() time.Time
	Reading string // fingerprint of the settings that decide what is read of an object
	Place   string // where the store lies, as the settings have it
}

// Snapshots says that each version of an object shows how things stood on one
// day.
func (s Source) Snapshots() bool {
	_, is := s.Format.(*decode.Snapshot)
	return is
}

// Day is the day that a snapshot shows, as days since 1970-01-01.
func (s Source) Day(o store.Object, zone *time.Location) int64 {
	day, _ := decode.SnapshotDay(decode.Origin{Key: o.Key, Modified: o.Modified}, zone)
	return day
}

// VersionID is the manifest's id of a version of an object. Of a snapshot that
// doesn't name its day it depends on that too: what was shown before may come
// again with the same bytes.
func (s Source) VersionID(o store.Object, zone *time.Location) int64 {
	etag := o.ETag
	if s.Snapshots() {
		if day, named := decode.SnapshotDay(decode.Origin{Key: o.Key, Modified: o.Modified}, zone); !named {
			etag += " of day " + strconv.FormatInt(day, 10)
		}
	}
	return ObjectID(s.Name, o.Key, etag)
}

// Listing is what a window has to offer.
type Listing struct {
	Objects []store.Found   // by key
	Unnamed []string        // keys that are not valid UTF-8, quoted: nothing could tell which objects they are
	Skipped map[string]int  // objects that are not data, by reason
	Faults  []Fault         // sets whose manifest can't be read, by key
	Folders []string        // of the days, below the store's prefix
	sets    decode.Sets     // nil: objects count alone
	settled map[string]bool // by set that was listed: whether it counts as listed
}

// Fault is what is wrong with one object of a listing.
type Fault struct{ Key, Reason string }

// Walk yields the objects of the days that are data by their names, in any order. An
// error of yield ends it and is returned as it is.
func (s Source) Walk(ctx context.Context, days store.DayRange, yield func(store.Found) error) error {
	return store.Walk(ctx, s.Store, days, func(f store.Found) error {
		if _, skip := store.Skip(s.Format.Name(), f.Key, f.SizeBytes); skip {
			return nil
		}
		return yield(f)
	})
}

// List finds the objects of the days, those with names of a range within each day's
// folder and all that lie in none. The order of the result does not depend on the order
// in which the store lists.
func (s Source) List(ctx context.Context, days store.DayRange, names store.Names) (Listing, error) {
	l := Listing{Skipped: map[string]int{}}
	l.sets, _ = s.Format.(decode.Sets)
	found := map[string]*set{}
	var err error
	l.Folders, err = store.WalkNames(ctx, s.Store, days, names, func(f store.Found) error {
		if reason, skip := store.Skip(s.Format.Name(), f.Key, f.SizeBytes); skip {
			l.Skipped[reason]++
		} else if !utf8.ValidString(f.Key) {
			l.Unnamed = append(l.Unnamed, strconv.QuoteToASCII(f.Key))
		} else if l.sets != nil {
			l.sort(found, f)
		} else {
			l.Objects = append(l.Objects, f)
		}
		return nil
	})
	if err == nil {
		err = s.settle(ctx, &l, found)
	}
	if err != nil {
		return Listing{}, fmt.Errorf("list source %s: %w", s.Name, err)
	}
	slices.Sort(l.Unnamed)
	slices.SortFunc(l.Faults, func(a, b Fault) int { return cmp.Compare(a.Key, b.Key) })
	slices.SortFunc(l.Objects, func(a, b store.Found) int { return cmp.Compare(a.Key, b.Key) })
	return l, nil
}
