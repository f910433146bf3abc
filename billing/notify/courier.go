package notify

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// runLimit is how long all deliveries of a run may take together, waits and
	// lookups included: a run holds the ledger meanwhile.
	runLimit = 2 * time.Minute
	// sendLimit is how long a medium may take over one message.
	sendLimit = 20 * time.Second
	// retriesMax is how often a message is tried again in a run, where the medium
	// asks to wait and there is time for it.
	retriesMax = 3
)

// Clock is how a courier knows the time that has passed, and waits.
type Clock struct {
	Now  func() time.Time
	Wait func(context.Context, time.Duration) error // returns early, with ctx's error, where ctx is done
}

// Courier delivers the messages of one run through one medium, however often the
// run walks the outbox. When the medium asks for a longer wait than the run has
// time for, does not answer in time or fails on its side, it rests: no message is tried again
// before the next run, and each says why it waits.
type Courier struct {
	sender Sender
	clock  Clock
	spent  time.Duration
	rests  error // why no message is tried any more
	// unsure holds the messages that this run has tried and that may have arrived.
	unsure map[string]error
}

// NewCourier returns the courier of a run.
func NewCourier(sender Sender, clock Clock) *Courier {
	return &Courier{sender: sender, clock: clock, unsure: map[string]error{}}
}

// ready says why a message can't be tried in this run; nil where it can.
func (c *Courier) ready() error {
	if c.rests == nil && c.spent >= runLimit {
		c.rests = fmt.Errorf("not tried: delivering messages has taken %s, which is as long as a run has for it; the next run tries again", runLimit)
	}
	return c.rests
}

// hasTime says whether a wait leaves time for a message after it.
func (c *Courier) hasTime(wait time.Duration) bool { return c.spent+wait < runLimit }

// restAfter lets the medium rest where an error asks for it, after so many waits.
// The message that met the error has a reason of its own.
func (c *Courier) restAfter(err error, waits int) {
	var e *SendError
	hung, down := errors.Is(err, context.DeadlineExceeded), false
	if errors.As(err, &e) {
		hung, down = hung || e.Hung, e.Down
	}
	switch busy := busyFor(err); {
	case busy > 0 && waits == retriesMax:
		c.rests = fmt.Errorf("not tried: the receiver was asked %d times and each time asked to wait, at last %s; the next run tries again", waits+1, busy)
	case busy > 0 && down:
		c.rests = fmt.Errorf("not tried: the receiver failed and asked to wait %s; the next run tries again", busy)
	case down:
		c.rests = errors.New("not tried: the receiver failed; the next run tries again")
	case busy > 0:
		c.rests = fmt.Errorf("not tried: the receiver asked to wait %s, longer than a run waits; the next run tries again", busy)
	case hung:
		c.rests = errors.New("not tried: the receiver did not answer in time; the next run tries again")
	}
}

// restAfterLookup does so after a lookup. One that failed on the medium's side is
// no reason to send nothing.
func (c *Courier) restAfterLookup(err error, waits int) {
	if e := (*SendError)(nil); errors.As(err, &e) && e.Down && busyFor(err) == 0 {
		return
	}
	c.restAfter(err, waits)
}

// busyFor is how long the medium asks to be left alone; 0 where it does not.
func busyFor(err error) time.Duration {
	var e *SendError
	if errors.As(err, &e) && e.RetryAfter > 0 {
		return max(e.RetryAfter, time.Second)
	}
	return 0
}

// send has the medium deliver a message within the time that is left.
func (c *Courier) send(ctx context.Context, m Message) (ref string, err error) {
	c.during(ctx, min(sendLimit, runLimit-c.spent), func(ctx context.Context) { ref, err = c.sender.Send(ctx, m) })
	return ref, err
}

// find has the medium look a message up within the time that is left.
func (c *Courier) find(ctx context.Context, finder Finder, m Message) (ref string, found bool, err error) {
	c.during(ctx, runLimit-c.spent, func(ctx context.Context) { ref, found, err = finder.Find(ctx, m) })
	return ref, found, err
}

// wait waits, and counts the time.
func (c *Courier) wait(ctx context.Context, d time.Duration) error {
	from := c.clock.Now()
	err := c.clock.Wait(ctx, d)
	c.spent += c.clock.Now().Sub(from)
	return err
}

// during does something within a limit and counts the time that it takes.
func (c *Courier) during(ctx context.Context, limit time.Duration, do func(context.Context)) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	from := c.clock.Now()
	do(ctx)
	c.spent += c.clock.Now().Sub(from)
}
