package jobs_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"chargeback/extract/store"
	"chargeback/jobs"
)

// askedNames is a store that lists ranges of names and keeps of which it was asked for
// one that has an end.
type askedNames struct {
	store.Store
	mu    *sync.Mutex
	asked *[]store.Names
}

func (a askedNames) note(names store.Names) {
	a.mu.Lock()
	defer a.mu.Unlock()
	*a.asked = append(*a.asked, names)
}

func (a askedNames) LevelOf(ctx context.Context, prefix string, names store.Names) ([]store.Object, []string, error) {
	a.note(names)
	return a.Level(ctx, prefix)
}

func (a askedNames) AllOf(ctx context.Context, prefix string, names store.Names, yield func(store.Object) error) error {
	a.note(names)
	return a.All(ctx, prefix, yield)
}

// Goal: each worker of a night lists a share of the names of its days and knows the
// manifest of these, and the night is the one that one worker makes, also where workers
// have cut the names in different ways.
// Method: sixty objects a day, in folders of hours, with the day in their names as
// Bedrock has it, and a folder whose name is no text; the last night by two workers, whose
// objects must be the first and the last ones of each day, and by workers of which one
// believes in two and the others in three, so that shares overlap and leave a gap.
func TestShardsShareNames(t *testing.T) {
	t.Parallel()
	const last = "2026-11-02"
	c := newCompany(t)
	c.ordinary(firstDay, last)
	for day := date(firstDay); !date(last).Before(day); day = day.AddDays(1) {
		for i := range 60 {
			at := fmt.Sprintf("%s %02d:30:00", day.String()[5:], i/3)
			c.deliver(usageKey(fmt.Sprintf("%sT%02d:30:00Z", day, i/3), fmt.Sprintf("%sT%02d-more-%02d", strings.ReplaceAll(day.String(), "-", ""), i/3, i)), usage{id: fmt.Sprintf("u-%s-%d", day, i), at: clock(at), in: i + 1, out: 1})
		}
	}
	c.put(strings.Replace(usageKey(last+"T10:00:00Z", "odd"), "AWSLogs/", "caf\xe9/AWSLogs/", 1), []byte("its folder's name is no text"))
	want := c.inOneGo(firstDay, last).only(compared...)
	for name, tt := range map[string]struct {
		shards []jobs.Shard
		whole  bool // they are all of a night
	}{
		"two of two":                {[]jobs.Shard{{Index: 1, Count: 2}, {Index: 2, Count: 2}}, true},
		"a gap and what is another": {[]jobs.Shard{{Index: 1, Count: 3}, {Index: 3, Count: 3}, {Index: 2, Count: 2}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked []store.Names
			mu := new(sync.Mutex)
			b := open(t, c.dir, wiring{ledger: t.TempDir() + "/ledger.duckdb", store: func(s store.Store) store.Store { return askedNames{s, mu, &asked} }})
			for day := date(firstDay); day.Before(date(last)); day = day.AddDays(1) {
				b.night(t, day)
			}
			equal(t, "ranges that nights asked for", 0, len(asked))
			behind := ""
			for i, shard := range tt.shards {
				asked = nil
				s, all, err := b.StageShard(t.Context(), date(last), shard, b.morning(date(last)))
				if err != nil || all != (tt.whole && i == len(tt.shards)-1) {
					t.Fatalf("part %s: all parts there: %v, %v", shard, all, err)
				}
				if len(asked) == 0 {
					t.Errorf("part %s listed everything", shard)
				}
				var names []string
				for _, day := range []string{"2026/11/02/", "2026/11/03/"} {
					for key := range b.counts(t, "select object_key, 1 from {objects} where source = 'bedrock' and run = '"+s.Window+"' and object_key like '%/"+day+"%'") {
						_, name, _ := strings.Cut(key, day)
						names = append(names, name)
					}
				}
				if len(names) < 8 || len(names) > 40 {
					t.Errorf("part %s took %d of 60 objects and some others", shard, len(names))
				}
				if tt.whole && slices.Min(names) <= behind {
					t.Errorf("part %s took %s, behind which the part before it ended at %s", shard, slices.Min(names), behind)
				}
				behind = slices.Max(names)
			}
			b.night(t, date(last))
			same(t, want, b.state(t).only(compared...))
		})
	}
}
