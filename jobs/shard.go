package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"chargeback/billing/manifest"
	"chargeback/billing/records"
	"chargeback/extract"
	"chargeback/extract/objstore"
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

// keep leaves the objects of a listing and of a manifest that are the shard's.
// Objects that count as a set stay together.
func (s Shard) keep(source extract.Source, listed []objstore.Found, known map[string]manifest.Object) (mine []objstore.Found) {
	if s.Count <= 1 {
		return listed
	}
	for key := range known {
		if !s.has(source.Name, source.Unit(key)) {
			delete(known, key)
		}
	}
	for _, f := range listed {
		if s.has(source.Name, source.Unit(f.Key)) {
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
