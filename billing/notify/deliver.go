package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
)

// Result is what one walk did, message by message, in outbox order. Whatever is
// not delivered stays in the outbox and is tried again by the next run.
type Result struct {
	Sent    []string  // delivered by this walk
	Found   []string  // delivered by an earlier walk that died; only marked now
	Resent  []string  // delivered by this walk, though an earlier one may have: perhaps there twice
	Waiting []Problem // not delivered; the next walk tries again
	Unsure  []Problem // perhaps delivered; the next walk finds out
	Failed  []Problem // refused until the cause is mended; Reason ends with what to do
}

// Problem is a message that was not delivered and why.
type Problem struct {
	ID      string
	Channel string
	Reason  string
}

// Delivered says whether no message is left over.
func (r Result) Delivered() bool { return len(r.Undelivered()) == 0 }

// Undelivered are the messages that are left over, whatever became of them.
func (r Result) Undelivered() (all []Problem) {
	return append(append(append(all, r.Failed...), r.Waiting...), r.Unsure...)
}

// Deliver walks the outbox once, in order, and tries each message. A message is
// marked Sending before the sender is called and Sent after; one that fails
// never keeps the others from being tried, unless the medium rests: see Courier.
// Only one walk may run at a time.
//
// A message that is found in Sending was cut off in an earlier walk, or met an
// error, and nobody knows whether it arrived. Where the sender is a Finder all
// of these are looked up first: found, it is only marked Sent; not found, it is
// put back to Pending; no answer this time, it stays for the next run. Then the
// outbox is refreshed, so that what waits goes out as it is now. Where there is
// no Finder, or the medium refuses lookups (a missing scope), the message is sent
// again, marked Resending: an alert that comes twice is better than one that
// never comes. Result.Resent names those. When nobody knows of that one either,
// it waits for somebody who looks. In one run a message that may have arrived is
// not tried twice.
//
// The error is about the outbox or a cancelled ctx; what became of each
// message is in Result either way.
func (c *Courier) Deliver(ctx context.Context, outbox Outbox) (Result, error) {
	w := walk{outbox: outbox, courier: c, settled: map[string]bool{}}
	messages, err := outbox.Pending(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("read alert outbox: %w", err)
	}
	for _, m := range messages {
		if ctx.Err() == nil && m.mayBeThere() {
			w.settle(ctx, m)
		}
	}
	if len(messages) > 0 && ctx.Err() == nil {
		if err := outbox.Refresh(ctx); err != nil {
			w.errs = append(w.errs, fmt.Errorf("refresh alert outbox: %w", err))
		}
		if messages, err = outbox.Pending(ctx); err != nil {
			return w.result, errors.Join(append(w.errs, fmt.Errorf("read alert outbox: %w", err))...)
		}
	}
	for _, m := range messages {
		switch {
		case w.settled[m.ID]:
		case ctx.Err() != nil:
			w.result.Waiting = append(w.result.Waiting, problem(m, ctx.Err()))
		default:
			w.deliver(ctx, m)
		}
	}
	if err := ctx.Err(); err != nil {
		w.errs = append(w.errs, fmt.Errorf("deliver alerts: %w; the next run sends the rest", err))
	}
	return w.result, errors.Join(w.errs...)
}

// walk is one pass over the outbox.
type walk struct {
	outbox  Outbox
	courier *Courier
	settled map[string]bool // nothing is left to do for these in this walk
	result  Result
	errs    []error
}

// mayBeThere says whether an earlier try may have delivered the message.
func (m Message) mayBeThere() bool { return m.State == Sending || m.State == Resending }

// settle finds out what became of a message that may have arrived. What is not
// settled is to be sent.
func (w *walk) settle(ctx context.Context, m Message) {
	if tried := w.courier.unsure[m.ID]; tried != nil {
		w.settled[m.ID] = true
		w.result.Unsure = append(w.result.Unsure, problem(m, tried))
		return
	}
	ref, fate, err := w.lookUp(ctx, m)
	switch {
	case err != nil:
		w.settled[m.ID] = true
		w.markWaiting(ctx, m, m.State, err, &w.result.Unsure)
	case fate == arrived:
		w.settled[m.ID] = true
		w.markSent(ctx, m, ref, &w.result.Found)
	case fate == neverArrived:
		reason := cmp.Or(m.Reason, "a lookup did not find it")
		if err := w.outbox.MarkWaiting(ctx, m.ID, Pending, reason); err != nil {
			w.settled[m.ID] = true
			w.result.Unsure = append(w.result.Unsure, problem(m, err))
			w.errs = append(w.errs, fmt.Errorf("mark alert %s as waiting: %w; the next run looks it up", m.ID, err))
		}
	case m.State == Resending:
		w.settled[m.ID] = true
		w.markWaiting(ctx, m, m.State, errMayBeThere(m), &w.result.Unsure)
	}
}

// errMayBeThere says of a message that was sent twice that somebody must look.
func errMayBeThere(m Message) error {
	return fmt.Errorf("it may be there: nobody knows what became of two tries, and it can't be looked up; it is not sent again by itself; look into the channel, and if it is missing, \"chargeback alerts resend %s\" sends it again", m.ID)
}

// deliver brings one message as far as it goes today. One that may be there
// already is sent again.
func (w *walk) deliver(ctx context.Context, m Message) {
	delivered, before, during := &w.result.Sent, Pending, Sending
	if m.mayBeThere() {
		delivered, before, during = &w.result.Resent, Sending, Resending
	}
	for retries := 0; ; retries++ {
		if err := w.courier.ready(); err != nil {
			w.waits(ctx, m, before, err)
			return
		}
		if err := w.outbox.MarkSending(ctx, m.ID, m.Channel, during); err != nil {
			w.result.Waiting = append(w.result.Waiting, problem(m, err))
			w.errs = append(w.errs, fmt.Errorf("mark alert %s as being sent: %w; the next run sends it", m.ID, err))
			return
		}
		ref, err := w.courier.send(ctx, m)
		if err == nil {
			w.markSent(ctx, m, ref, delivered)
			return
		}
		if outcome(err) == Unknown || busyFor(err) == 0 || retries == retriesMax || !w.waited(ctx, m, before, err) {
			w.courier.restAfter(err, retries)
			w.failed(ctx, m, before, during, err)
			return
		}
	}
}

// waited waits as long as the medium asks, if there is time for it. Meanwhile
// the message is what it was before it was tried.
func (w *walk) waited(ctx context.Context, m Message, before State, cause error) bool {
	if !w.courier.hasTime(busyFor(cause)) {
		return false
	}
	return w.outbox.MarkWaiting(ctx, m.ID, before, cause.Error()) == nil && w.courier.wait(ctx, busyFor(cause)) == nil
}

// fate is what became of a message that was cut off while being sent.
type fate int

const (
	nobodyKnows fate = iota
	arrived
	neverArrived
)

// lookUp asks the sender about a message of unknown fate, in the channel that it
// was sent to. An error means that it could not tell this time.
func (w *walk) lookUp(ctx context.Context, m Message) (ref string, _ fate, err error) {
	finder, ok := w.courier.sender.(Finder)
	if !ok {
		return "", nobodyKnows, nil
	}
	if m.Earlier != "" {
		m.Channel = m.Earlier
	}
	for retries := 0; ; retries++ {
		if err := w.courier.ready(); err != nil {
			return "", nobodyKnows, err
		}
		ref, found, err := w.courier.find(ctx, finder, m)
		switch {
		case err != nil && outcome(err) == Refused:
			return "", nobodyKnows, nil
		case err != nil:
			if busy := busyFor(err); busy > 0 && retries < retriesMax && w.courier.hasTime(busy) && w.courier.wait(ctx, busy) == nil {
				continue
			}
			w.courier.restAfterLookup(err, retries)
			return "", nobodyKnows, err
		case found:
			return ref, arrived, nil
		}
		return "", neverArrived, nil
	}
}

// failed files a message that Send did not get through. Where the outcome is
// unknown the state stays what it was during the try, which is exactly what it
// means, and the run tries it no more.
func (w *walk) failed(ctx context.Context, m Message, before, during State, cause error) {
	switch outcome(cause) {
	case Unknown:
		w.courier.unsure[m.ID] = cause
		w.markWaiting(ctx, m, during, cause, &w.result.Unsure)
	case Refused:
		w.markWaiting(ctx, m, before, cause, &w.result.Failed)
	default:
		w.markWaiting(ctx, m, before, cause, &w.result.Waiting)
	}
}

// waits files a message that is not tried in this walk. One whose fate is unknown
// keeps its state, and so its lookup.
func (w *walk) waits(ctx context.Context, m Message, before State, cause error) {
	list := &w.result.Waiting
	if before == Sending {
		list = &w.result.Unsure
	}
	w.markWaiting(ctx, m, before, cause, list)
}

// markWaiting keeps why a message was not delivered, also where ctx was
// cancelled meanwhile.
func (w *walk) markWaiting(ctx context.Context, m Message, state State, cause error, list *[]Problem) {
	*list = append(*list, problem(m, cause))
	if err := w.outbox.MarkWaiting(context.WithoutCancel(ctx), m.ID, state, cause.Error()); err != nil {
		w.errs = append(w.errs, fmt.Errorf("mark alert %s as waiting: %w; the next run looks it up", m.ID, err))
	}
}

// markSent records a delivery. It does so even where ctx was cancelled
// meanwhile: the message is out.
func (w *walk) markSent(ctx context.Context, m Message, ref string, list *[]string) {
	*list = append(*list, m.ID)
	if err := w.outbox.MarkSent(context.WithoutCancel(ctx), m.ID, ref); err != nil {
		w.errs = append(w.errs, fmt.Errorf("mark alert %s as sent: %w; the next run looks it up", m.ID, err))
	}
}

func problem(m Message, err error) Problem {
	return Problem{ID: m.ID, Channel: m.Channel, Reason: err.Error()}
}

// outcome is what an error of a sender says about the message.
func outcome(err error) Outcome {
	var e *SendError
	if errors.As(err, &e) {
		return e.Outcome
	}
	return Unknown
}
