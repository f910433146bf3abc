package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"chargeback/extract/store"
)

const (
	// smallBytesMax is how large an object may be to be fetched before somebody
	// decodes it. The bytes of a larger one are decoded as they come, and never held.
	smallBytesMax = 256 << 10
	// aheadBytesMax is how much is held of all objects that were fetched ahead, or
	// are being fetched.
	aheadBytesMax = 32 << 20
	// aheadBytesMin is what an object counts for at least: it has a goroutine and a
	// connection beside its bytes.
	aheadBytesMin = 32 << 10
)

// fetched is a small object in memory.
type fetched struct {
	store.Found
	text []byte
	err  error // why it isn't there
}

// cost is what an object counts for as long as it is held.
func cost(o store.Found) int64 { return max(o.SizeBytes, aheadBytesMin) }

// ahead fetches small objects while others are decoded: a fetch is mostly waiting
// for the store, so many go at once, as pace says. Their bytes are bounded.
type ahead struct {
	store store.Store
	now   func() time.Time // nil: the pace stays as it begins
	pace  *pace
	bytes *semaphore.Weighted
	todo  chan store.Found
	ready chan fetched
}

func newAhead(s Source) *ahead {
	return &ahead{
		store: s.Store, now: s.Now, pace: newPace(s.Fetches), bytes: semaphore.NewWeighted(aheadBytesMax),
		todo: make(chan store.Found), ready: make(chan fetched),
	}
}

// run fetches the objects and closes ready after the last. A fetch that finds nobody
// to do it is done by one more, who then waits for others.
func (a *ahead) run(ctx context.Context, objects []store.Found) {
	var running sync.WaitGroup
	defer close(a.ready)
	defer running.Wait()
	defer close(a.todo)
	for _, o := range objects {
		if a.bytes.Acquire(ctx, cost(o)) != nil || a.pace.begin(ctx) != nil {
			return // cancelled
		}
		select {
		case a.todo <- o:
		default:
			running.Go(func() { a.fetch(ctx, o) })
		}
	}
}

// fetch fetches one object and then others.
func (a *ahead) fetch(ctx context.Context, o store.Found) {
	for more := true; more; o, more = <-a.todo {
		f := fetched{Found: o}
		f.text, f.err = a.timed(ctx, o.Object)
		select {
		case a.ready <- f:
		case <-ctx.Done():
			return
		}
	}
}

// done is called when a fetched object was decoded.
func (a *ahead) done(f fetched) { a.bytes.Release(cost(f.Found)) }

func (a *ahead) timed(ctx context.Context, o store.Object) ([]byte, error) {
	if a.now == nil {
		defer a.pace.end(0)
		return whole(ctx, a.store, o)
	}
	begun := a.now()
	defer func() { a.pace.end(a.now().Sub(begun)) }()
	return whole(ctx, a.store, o)
}

// whole is all of an object.
func whole(ctx context.Context, bucket store.Store, o store.Object) (text []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = faultError(p)
		}
	}()
	body, err := bucket.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	text = make([]byte, o.SizeBytes+1) // the last byte stays free, so that the end is seen
	for n := 0; n < len(text); {
		more, err := body.Read(text[n:])
		n += more
		if err == io.EOF { // where the store vouches for the version
			return text[:n], nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("read %s: it is longer than the %d bytes listed; report this driver's fault", o.Key, o.SizeBytes)
}
