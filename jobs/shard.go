package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"chargeback/billing/manifest"
	"chargeback/billing/records"
	"chargeback/extract"
	"chargeback/extract/decode"
	"chargeback/extract/store"
	"chargeback/transform/civil"
)

// Shard is the part of all objects that one of several workers takes in:
// Index runs from 1 to Count. The zero Shard is all of them.
type Shard struct{ Index, Count int }

// shardsMax bounds the workers of a night; each is a window of its own.
const shardsMax = 256

// ParseShard reads "2/4".
func ParseShard(text string) (s Shard, err error) {
	index, count, ok := strings.Cut(text, "/")
	s.Index, err = strconv.Atoi(index)
	n, second := strconv.Atoi(count)
	s.Count = n
	if !ok || errors.Join(err, second) != nil || s.Count < 1 || s.Count > shardsMax || s.Index < 1 || s.Index > s.Count {
		return Shard{}, fmt.Errorf("%q is not a shard; write i/n, such as 2/4, with i from 1 to n and n up to %d", text, shardsMax)
	}
	return s, nil
}

// String is the shard as ParseShard reads it; "" for all.
func (s Shard) String() string {
	if s == (Shard{}) {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Count)
}

// has says whether an object of a source belongs to the shard. It depends on
// names alone, so that workers which share nothing agree.
func (s Shard) has(source, key string) bool {
	if s.Count <= 1 {
		return true
	}
	sum := sha256.Sum256([]byte(source + "\x00" + key))
	return binary.BigEndian.Uint64(sum[:8])%uint64(s.Count) == uint64(s.Index-1)
}

// Of the names of objects that came on one day a sample is read, by which the names of
// each day are cut into the shards' shares: so many a shard at the least, or what is cut
// would be far from equal, and so many in all.
const (
	sampleShare = 16
	sampleMost  = 4096
	sampleDays  = 31 // how long before the days of a window it may have been
)

// names are the names within each day's folder that are the shard's, so that it lists
// and knows no others: a run of them. They are all names, and the share is by has, in a
// source's first nights, where objects are few by their kind, and where too many have
// the same name. Workers agree as long as the manifest of the sample's day stays as it is.
// Where they don't, the night reads what none of them has read, and what one has kept
// the next one knows.
func (b *Books) names(ctx context.Context, source extract.Source, shard Shard, days store.DayRange) (store.Names, error) {
	_, sets := source.Format.(decode.Sets)
	if shard.Count <= 1 || sets || source.Snapshots() {
		return store.Names{}, nil
	}
	before := civil.DateOf(days.First, time.UTC).AddDays(-1)
	keys, err := b.Manifest.Sample(ctx, source.Name, before.AddDays(1-sampleDays), before, sampleMost)
	if err != nil || len(keys) < sampleShare*shard.Count {
		return store.Names{}, err
	}
	day, _ := store.DayOf(keys[0])
	for i, key := range keys {
		_, keys[i] = store.SplitDay(key)
	}
	slices.Sort(keys)
	if len(slices.Compact(slices.Clone(keys))) < sampleShare*shard.Count {
		return store.Names{}, nil
	}
	cut := func(i int) string {
		if i == 0 || i == shard.Count {
			return ""
		}
		return store.MarkDay(keys[i*len(keys)/shard.Count], day)
	}
	return store.Names{After: cut(shard.Index - 1), Upto: cut(shard.Index)}, nil
}

// known are the objects of the days in the manifest, by key: those with such names, in
// the folders that a listing has found.
func (b *Books) known(ctx context.Context, source extract.Source, days store.DayRange, listing extract.Listing, names store.Names) (map[string]manifest.Object, error) {
	first, last := civil.DateOf(days.First, time.UTC), civil.DateOf(days.Last, time.UTC)
	if names.All() {
		return b.Manifest.Current(ctx, source.Name, first, last)
	}
	var ranges []manifest.Keys
	for _, folder := range listing.Folders {
		if !utf8.ValidString(folder) {
			continue // nothing below it was ever read
		}
		day, _ := store.DayOf(folder)
		on := names.On(day)
		keys := manifest.Keys{After: folder + on.After, Upto: folder + on.Upto}
		if on.Upto == "" {
			keys.Upto = strings.TrimSuffix(folder, "/") + "0" // which follows the slash
		}
		ranges = append(ranges, keys)
	}
	return b.Manifest.CurrentOf(ctx, source.Name, first, last, ranges)
}

// keep leaves the objects of a listing and of a manifest that are the shard's; both hold
// no others in days' folders where names are the shard's. Objects that count as a set
// stay together.
func (s Shard) keep(source extract.Source, listed []store.Found, known map[string]manifest.Object, names store.Names) (mine []store.Found) {
	if s.Count <= 1 {
		return listed
	}
	has := func(key string) bool {
		if folder, _ := store.SplitDay(key); folder != "" && !names.All() {
			return true
		}
		return s.has(source.Name, source.Unit(key))
	}
	for key := range known {
		if !has(key) {
			delete(known, key)
		}
	}
	for _, f := range listed {
		if has(f.Key) {
			mine = append(mine, f)
		}
	}
	return mine
}

// ShardKind is the first part of the name of a shard's window.
const ShardKind = "shard"

// window names the shard's part of a night.
func (s Shard) window(day civil.Date) string {
	return fmt.Sprintf("%s/%s/%d-of-%d", ShardKind, day, s.Index, s.Count)
}

// StageShard takes in the shard's new objects of a night and says whether those of
// all shards of the night are in, so that Nightly can make its cost records. It only
// appends to the ledger, so that any number of shards can be taken in at once (see
// onlyNew). What is gone, back, rewritten or can be read by now, people, and what has
// come since is left to Nightly, which looks at all objects; so is a shard that was
// taken in before. Killed and run again, it goes on behind the last source that was
// taken in whole.
func (b *Books) StageShard(ctx context.Context, day civil.Date, shard Shard, now time.Time) (s NightlySummary, all bool, err error) {
	s = NightlySummary{Window: shard.window(day)}
	if err := b.accountedFor(s.Window, day); err != nil {
		return s, false, err
	}
	done, err := b.Ledger.Runs.WindowsDone(ctx, ShardKind+"/"+day.String())
	if err != nil {
		return s, false, err
	}
	if !done[s.Window] {
		err := b.attempt(ctx, &s, now, func() error {
			if err := b.takeAll(ctx, records.Days{First: day, Last: day}, shard, &s); err != nil {
				return err
			}
			s.BytesProcessed = max(0, b.processed(ctx)-s.before)
			end, err := s.end(now)
			if err != nil {
				return err
			}
			return b.Ledger.Apply(ctx, end...)
		})
		if err != nil {
			return s, false, err
		}
		if done, err = b.Ledger.Runs.WindowsDone(ctx, ShardKind+"/"+day.String()); err != nil {
			return s, false, err
		}
	}
	for i := range shard.Count {
		if !done[Shard{i + 1, shard.Count}.window(day)] {
			return s, false, nil
		}
	}
	return s, true, nil
}
