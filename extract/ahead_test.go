package extract_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"chargeback/extract"
	"chargeback/extract/record"
	"chargeback/extract/store"
)

// distant is a store of equal objects whose answers take their time.
type distant struct {
	*memory
	take func(waiting int) time.Duration // how long an Open takes that finds so many others waiting

	mu                   sync.Mutex
	waiting, most, opens int
	all                  int // sum of those that each Open found waiting
}

func (d *distant) Open(ctx context.Context, o store.Object) (io.ReadCloser, error) {
	d.mu.Lock()
	d.waiting++
	d.opens++
	d.most = max(d.most, d.waiting)
	d.all += d.waiting
	took := d.take(d.waiting)
	d.mu.Unlock()
	select {
	case <-time.After(took):
	case <-ctx.Done():
	}
	d.mu.Lock()
	d.waiting--
	d.mu.Unlock()
	return d.memory.Open(ctx, o)
}

// many are n objects that hold the same text.
func many(n int, text string) *memory {
	m := &memory{objects: map[string][]byte{}}
	for i := range n {
		m.objects[fmt.Sprintf("%06d", i)] = []byte(text)
	}
	return m
}

func readAll(t *testing.T, s extract.Source, m *memory) {
	t.Helper()
	r := s.Read(t.Context(), env, m.found())
	for b := range r.Batches {
		r.Done(b)
	}
	results, err := r.Results()
	if err != nil || len(results) != len(m.objects) {
		t.Fatalf("%d results of %d objects, %v", len(results), len(m.objects), err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
}

// Goal: how many small objects are fetched at once follows how long one takes.
// Method: stores in the time of a bubble: one that answers all alike, one that does
// so many a second, one that lets everybody wait while too many ask.
func TestFetchesFollowLatency(t *testing.T) {
	const ms = time.Millisecond
	always := func(took time.Duration) func(int) time.Duration {
		return func(int) time.Duration { return took }
	}
	tests := []struct {
		name                  string
		fetches               int
		now                   func() time.Time
		take                  func(waiting int) time.Duration
		mostMin, mostMax      int // fetches at once
		meanMax, perSecondMin int
	}{
		{"answers after 25 ms, however many ask", 256, time.Now, always(25 * ms), 256, 256, 256, 5000},
		{"answers after 100 ms", 256, time.Now, always(100 * ms), 256, 256, 256, 1300},
		{"answers one in a hundred late", 256, time.Now, func(n int) time.Duration {
			if n%100 == 7 {
				return 2000 * ms
			}
			return 25 * ms
		}, 200, 256, 256, 1200},
		{"bounded by the settings", 8, time.Now, always(25 * ms), 8, 8, 8, 300},
		{"without a clock", 256, nil, always(25 * ms), fetchesFirst, fetchesFirst, fetchesFirst, 600},
		{"does 1,000 a second", 256, time.Now, func(n int) time.Duration { return max(25*ms, time.Duration(n)*ms) }, 25, 100, 70, 900},
		{"lets more than 50 wait", 256, time.Now, func(n int) time.Duration {
			if n > 50 {
				return 500 * ms
			}
			return 25 * ms
		}, 51, 150, 50, 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &distant{memory: many(4000, usageLines(0, 1, false)), take: tt.take}
				s := source(t, d, 16)
				s.Fetches, s.Now = tt.fetches, tt.now
				begun := time.Now()
				readAll(t, s, d.memory)
				perSecond := int(float64(d.opens) / time.Since(begun).Seconds())
				if d.most < tt.mostMin || d.most > tt.mostMax {
					t.Errorf("%d fetches at once, want %d to %d", d.most, tt.mostMin, tt.mostMax)
				}
				if mean := d.all / d.opens; mean > tt.meanMax {
					t.Errorf("%d fetches at once in the mean, want at most %d", mean, tt.meanMax)
				}
				if perSecond < tt.perSecondMin {
					t.Errorf("%d objects a second, want %d", perSecond, tt.perSecondMin)
				}
			})
		})
	}
}

// fetchesFirst is how many fetches go at once before anything is known.
const fetchesFirst = 16

// Goal: what is held of objects that nobody decodes yet is bounded, and of large
// ones nothing is.
// Method: nobody takes batches; once all wait, few of many objects were opened.
func TestFetchesAheadAreBounded(t *testing.T) {
	small, large := usageLines(0, 950, false), usageLines(0, 1050, false)
	if len(small) > 256<<10 || len(large) <= 256<<10 {
		t.Fatalf("%d and %d bytes are not beside the bound", len(small), len(large))
	}
	const decoded = (16+2)*record.BatchRows/950 + 3 // by two workers, until both wait for somebody to take a batch
	for _, tt := range []struct {
		name    string
		text    string
		openMax int
	}{
		{"small", small, decoded + 32<<20/len(small) + 1},
		{"large", large, decoded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				d := &distant{memory: many(400, tt.text), take: func(int) time.Duration { return 25 * time.Millisecond }}
				s := source(t, d, 2)
				s.Fetches, s.Now = 256, time.Now
				s.Read(ctx, env, d.found())
				time.Sleep(time.Hour)
				synctest.Wait()
				if d.opens > tt.openMax || d.opens < tt.openMax/2 {
					t.Errorf("%d objects were opened before anybody took a row, want at most %d", d.opens, tt.openMax)
				}
				cancel()
			})
		})
	}
}

// Goal: a fault in a store's driver, or more bytes than were listed, is one
// object's failure also where it is fetched ahead.
func TestFetchFailsTheObjectAlone(t *testing.T) {
	text := []byte(usageLines(0, 3, false))
	for name, tt := range map[string]struct {
		open func(io.ReadCloser) (io.ReadCloser, error)
		want string
	}{
		"panic": {func(io.ReadCloser) (io.ReadCloser, error) { panic("the prompt") }, "decode: stopped by an internal fault (string)"},
		"longer than listed": {func(io.ReadCloser) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(append(text, '\n'))), nil
		}, "read b: it is longer than the"},
		"broken in the midst": {func(b io.ReadCloser) (io.ReadCloser, error) { return &broken{b}, nil }, io.ErrUnexpectedEOF.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			bucket := &memory{objects: map[string][]byte{"a": text, "b": text, "c": text}, open: map[string]func(io.ReadCloser) (io.ReadCloser, error){"b": tt.open}}
			s := source(t, bucket, 2)
			s.Fetches = 8
			got := take(t, s, bucket.found())
			for _, r := range got.results {
				if bad := r.Object.Key == "b"; bad != (r.Err != nil) || bad && !strings.Contains(r.Err.Error(), tt.want) || !bad && r.Counts.Rows != 3 {
					t.Errorf("object %s: %d rows, error %v", r.Object.Key, r.Counts.Rows, r.Err)
				}
			}
		})
	}
}

// broken gives some bytes and then says that there should be more.
type broken struct{ io.ReadCloser }

func (b *broken) Read(p []byte) (int, error) {
	n, _ := b.ReadCloser.Read(p[:min(len(p), 10)])
	return n, io.ErrUnexpectedEOF
}
