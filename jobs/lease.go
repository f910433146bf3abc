package jobs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"chargeback/extract/store"
)

// ErrHeld says that another process has the lease. It comes as a *HeldError.
var ErrHeld = errors.New("another process has the lease")

// ErrLeaseLost says that a lease that was had must not be relied on any more.
var ErrLeaseLost = errors.New("the lease is lost")

const (
	// leaseTTLMin is the shortest lease that can be renewed in time.
	leaseTTLMin = time.Second
	// leaseTriesMax is how often a write is begun anew that met another version.
	leaseTriesMax = 5
)

// Slot is one object that is replaced only by whoever has seen its last
// version. Both methods end soon after ctx does.
type Slot interface {
	// Read gives the object's bytes and what stands for this version of it. Where
	// there is no object both are empty.
	Read(ctx context.Context) (content []byte, etag string, err error)

	// Write replaces the version of that etag, or creates the object where etag
	// is "", and gives the new version's etag. It fails with store.ErrReplaced
	// where another version lies there, or none. After any other error the bytes
	// may lie there all the same, now or a little later.
	Write(ctx context.Context, content []byte, etag string) (newETag string, err error)
}

// LeaseOptions say who wants which lease. All fields must be set.
type LeaseOptions struct {
	// Name is what messages call the lease: what for, and where it lies.
	Name string
	// Owner names this process, in messages too. No two processes ever have the
	// same: take host, process id and something random.
	Owner string
	// TTL is how long the lease holds after it was last renewed. Shorter, and a
	// passing outage of the store stops runs; longer, and after a crash the next
	// run waits for nothing. A sixth of it must be more than what the clocks of
	// two machines differ by and a run takes to stop.
	TTL time.Duration
	// Clock tells the time.
	Clock func() time.Time
}

func (o LeaseOptions) check() error {
	switch {
	case o.Name == "" || o.Owner == "" || o.Clock == nil:
		return fmt.Errorf("lease %q: name, owner and clock must be set", o.Name)
	case o.TTL < leaseTTLMin:
		return fmt.Errorf("%s: a lease of %s can't be renewed in time; take %s or more", o.Name, o.TTL, leaseTTLMin)
	}
	return nil
}

// HeldError says who has a lease. It is an ErrHeld.
type HeldError struct {
	Name  string
	Owner string
	Until time.Time // UTC; the owner moves it on as long as it lives
}

// Error says what to do.
func (e *HeldError) Error() string {
	return fmt.Sprintf("%s is held by %s; wait, or if that process is dead the lease falls free at %s", e.Name, e.Owner, instantText(e.Until))
}

// Is makes it an ErrHeld.
func (e *HeldError) Is(target error) bool { return target == ErrHeld }

// Lease is the right to be the only one who writes, until it is released or
// lost. Its methods are for one goroutine.
//
// A process that stands still can't see that its time is over before it goes
// on. What must be safe from that compares generations where it writes.
type Lease struct {
	slot       Slot
	o          LeaseOptions
	generation int64
	etag       string // of the version that this process wrote last, as far as it knows
	stop       func() // ends Keep; nil before

	mu      sync.Mutex
	since   time.Time // read just before the lease was last written; zero once it is released
	failure error     // of the last renewal
}

// AcquireLease takes the lease that lies in the slot: where there is none, where
// it was released, or where it has run out. Where another process has it, and
// also where the same owner does, it returns a *HeldError at once. An object
// that is no lease is an error and is left as it is.
//
// Every lease that was had has a higher generation than all before it, as long
// as nobody removes the object: without it the count begins again at 1.
func AcquireLease(ctx context.Context, slot Slot, o LeaseOptions) (*Lease, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	for range leaseTriesMax {
		found, etag, err := readLease(ctx, slot, o.Name)
		if err != nil {
			return nil, err
		}
		now := o.Clock()
		if found.heldAt(now) {
			return nil, &HeldError{Name: o.Name, Owner: found.Owner, Until: found.ExpiresAt}
		}
		l := &Lease{slot: slot, o: o, generation: found.Generation + 1, etag: etag, since: now}
		err = l.take(ctx)
		if err == nil && !l.over(o.Clock()) {
			return l, nil
		}
		if errors.Is(err, store.ErrReplaced) {
			continue // somebody was faster; look who
		}
		l.abandon(ctx)
		if err != nil {
			return nil, fmt.Errorf("take %s: %w", o.Name, err)
		}
	}
	return nil, fmt.Errorf("take %s: it changed hands, or took too long to write, %d times; try again", o.Name, leaseTriesMax)
}

// LeaseHolder says who has the lease that lies in the slot at now; nil where it
// is free.
func LeaseHolder(ctx context.Context, slot Slot, name string, now time.Time) (*HeldError, error) {
	found, _, err := readLease(ctx, slot, name)
	if err != nil || !found.heldAt(now) {
		return nil, err
	}
	return &HeldError{Name: name, Owner: found.Owner, Until: found.ExpiresAt}, nil
}

// take writes the lease over the version that was found free. Then it sees to it
// that the slot minds versions: a second write over that one must be refused. A
// server that does it releases the lease by it.
func (l *Lease) take(ctx context.Context) (err error) {
	free := l.etag
	if l.etag, err = l.slot.Write(ctx, l.held(l.since).content(), free); err != nil {
		l.etag = free
		return err
	}
	_, err = l.slot.Write(ctx, l.released(l.since).content(), free)
	switch {
	case errors.Is(err, store.ErrReplaced):
		return nil
	case err == nil:
		return errors.New("the server replaces an object whatever If-Match and If-None-Match say, so no lease is safe there; keep it on Amazon S3 or another server that minds them")
	}
	return err
}

// abandon releases a lease that is perhaps written, perhaps still under way,
// and not had. Where that fails too, the lease falls free by itself.
func (l *Lease) abandon(ctx context.Context) {
	ctx, stop := context.WithTimeout(ctx, l.o.TTL/6)
	defer stop()
	_ = l.Release(ctx) // the caller has the reason
}

// Generation numbers the leases, from 1: a later one is higher.
func (l *Lease) Generation() int64 { return l.generation }

// Keep renews the lease every third of its TTL until stop is called, also while
// ctx is done and the run winds up. The context it returns is ctx, cancelled
// with an ErrLeaseLost as its cause when another has taken the lease, or when a
// sixth of the TTL is left and no renewal has succeeded. Nothing may be written
// without it. Errors that pass are tried again.
//
// Call it once. stop may be called again; it cancels the context and returns
// when nothing goes on in the background.
func (l *Lease) Keep(ctx context.Context) (kept context.Context, stop func()) {
	kept, cancel := context.WithCancelCause(ctx)
	background, end := context.WithCancel(context.WithoutCancel(ctx))
	lose := func(cause error) {
		cancel(cause)
		end()
	}
	if l.over(l.o.Clock()) {
		lose(l.lapsed())
	}
	var running sync.WaitGroup
	running.Go(func() { l.watch(background, lose) })
	running.Go(func() { l.renewAgain(background, lose) })
	l.stop = func() {
		lose(nil)
		running.Wait()
	}
	return kept, l.stop
}

// Release stops Keep and lets the next one in at once. It is not an error that
// another has the lease by now. Give it a context that is not done.
func (l *Lease) Release(ctx context.Context) error {
	if l.stop != nil {
		l.stop()
	}
	l.mu.Lock()
	until := l.since.Add(l.o.TTL)
	l.since = time.Time{}
	l.mu.Unlock()
	err := l.replace(ctx, l.released(l.o.Clock()))
	if err == nil || errors.Is(err, ErrLeaseLost) {
		return nil
	}
	return fmt.Errorf("release %s: %w; it falls free by itself at %s", l.o.Name, err, instantText(until))
}

// watch looks at the clock, in small steps: no timer runs while a machine
// sleeps, and a renewal that hangs must not keep the end from being seen.
func (l *Lease) watch(ctx context.Context, lose func(error)) {
	for passes(ctx, min(l.o.TTL/30, time.Second)) {
		if l.over(l.o.Clock()) {
			lose(l.lapsed())
		}
	}
}

// renewAgain renews the lease until it is lost, sooner after a failure.
func (l *Lease) renewAgain(ctx context.Context, lose func(error)) {
	wait := l.o.TTL / 3
	for passes(ctx, wait) {
		err := l.renew(ctx)
		if errors.Is(err, ErrLeaseLost) {
			lose(err)
		}
		if wait = l.o.TTL / 3; err != nil {
			wait = l.o.TTL / 30
		}
	}
}

// renew makes the lease last for another TTL from now on. A try that hangs is
// given up in time for another.
func (l *Lease) renew(ctx context.Context) error {
	begun := l.o.Clock()
	if l.over(begun) {
		return l.lapsed()
	}
	ctx, stop := context.WithTimeout(ctx, l.o.TTL/6)
	defer stop()
	err := l.replace(ctx, l.held(begun))
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failure = err; err == nil {
		l.since = begun
	}
	return err
}

// replace writes a record over the lease if it is still this process's. A
// version that an earlier write of its own left without its knowing is one too.
func (l *Lease) replace(ctx context.Context, r leaseRecord) error {
	for range leaseTriesMax {
		etag, err := l.slot.Write(ctx, r.content(), l.etag)
		if err == nil {
			l.etag = etag
			return nil
		}
		if !errors.Is(err, store.ErrReplaced) {
			return err
		}
		found, etag, err := readLease(ctx, l.slot, l.o.Name)
		if err != nil {
			return err
		}
		if found.Owner != l.o.Owner || found.Generation != l.generation {
			return l.taken(found)
		}
		l.etag = etag
	}
	return errors.New("the server refuses every write as one over an older version; ask who runs it")
}

// over says whether the lease may not be relied on at now, with a margin before
// the others think so. The wall clock counts, which goes on while a machine
// sleeps, and so does the monotonic one, which nobody can set back.
func (l *Lease) over(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	usable := l.o.TTL - l.o.TTL/6
	return now.Sub(l.since) >= usable || now.Round(0).Sub(l.since.Round(0)) >= usable
}

// taken is the error for a lease that another process has, or had.
func (l *Lease) taken(found leaseRecord) error {
	if found.Owner == "" {
		return fmt.Errorf("%s: %w: it was released or removed by another process; find out by whom, then run again", l.o.Name, ErrLeaseLost)
	}
	return fmt.Errorf("%s: %w: %s has it now, in generation %d; wait for that process, then run again", l.o.Name, ErrLeaseLost, found.Owner, found.Generation)
}

// lapsed is the error for a lease that was not renewed in time.
func (l *Lease) lapsed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.since.IsZero():
		return fmt.Errorf("%s: %w: it was released; take it again", l.o.Name, ErrLeaseLost)
	case l.failure != nil:
		return fmt.Errorf("%s: %w: it could not be renewed since %s (%w); mend that, then run again", l.o.Name, ErrLeaseLost, instantText(l.since), l.failure)
	}
	return fmt.Errorf("%s: %w: this process did not get to renew it since %s; keep its machine awake, then run again", l.o.Name, ErrLeaseLost, instantText(l.since))
}

func (l *Lease) held(from time.Time) leaseRecord {
	return leaseRecord{Owner: l.o.Owner, Generation: l.generation, ExpiresAt: from.UTC().Add(l.o.TTL)}
}

func (l *Lease) released(at time.Time) leaseRecord {
	return leaseRecord{Generation: l.generation, ExpiresAt: at.UTC()}
}

// leaseRecord is what lies in the slot. Without an owner the lease is free; the
// generation stays.
type leaseRecord struct {
	Owner      string    `json:"owner"`
	Generation int64     `json:"generation"`
	ExpiresAt  time.Time `json:"expires_at"`
}

func (r leaseRecord) heldAt(now time.Time) bool {
	return r.Owner != "" && now.Before(r.ExpiresAt)
}

func (r leaseRecord) content() []byte {
	content, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("lease %+v: %v", r, err)) // only a year beyond 9999
	}
	return append(content, '\n')
}

// readLease gives what lies in the slot; nothing is a record without an owner,
// of generation 0.
func readLease(ctx context.Context, slot Slot, name string) (r leaseRecord, etag string, err error) {
	content, etag, err := slot.Read(ctx)
	if err != nil {
		return leaseRecord{}, "", fmt.Errorf("read %s: %w", name, err)
	}
	if etag == "" {
		return leaseRecord{}, "", nil
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(&r)
	if _, rest := decoder.Token(); err != nil || rest != io.EOF || r.ExpiresAt.IsZero() || r.Generation < 1 || r.Generation == math.MaxInt64 {
		return leaseRecord{}, "", fmt.Errorf("%s is not a lease: the object there does not hold owner, generation and expires_at as JSON; it is left as it is: name another object, or put back what was there", name)
	}
	return r, etag, nil
}

func instantText(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// passes waits, and says whether ctx went on all that time.
func passes(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
