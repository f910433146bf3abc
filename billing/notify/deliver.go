package notify

import (
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
// A message that is found in Sending was cut off in an earlier walk, and
// nobody knows whether it arrived. Where the sender is a Finder it is looked
// up first: found, it is only marked Sent; not found, it is sent; no answer
// this time, it stays for the next walk. Where there is no Finder, or the
// medium refuses lookups (a missing scope), it is sent again: an alert that
// comes twice is better than one that never comes. Result.Resent names those.
//
// The error is about the outbox or a cancelled ctx; what became of each
// message is in Result either way.
func (c *Courier) Deliver(ctx context.Context, outbox Outbox) (Result, error) {
	messages, err := outbox.Pending(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("read alert outbox: %w", err)
	}
	w := walk{outbox: outbox, courier: c}
	for _, m := range messages {
		if ctx.Err() != nil {
			w.result.Waiting = append(w.result.Waiting, problem(m, ctx.Err()))
			continue
		}
		w.deliver(ctx, m)
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
	result  Result
	errs    []error
}

// deliver brings one message as far as it goes today.
func (w *walk) deliver(ctx context.Context, m Message) {
	delivered := &w.result.Sent
	if m.State == Sending {
		ref, fate, err := w.lookUp(ctx, m)
		switch {
		case err != nil:
			w.result.Unsure = append(w.result.Unsure, problem(m, err))
			return
		case fate == arrived:
			w.markSent(ctx, m, ref, &w.result.Found)
			return
		case fate == nobodyKnows:
			delivered = &w.result.Resent
		}
	}
	for retries := 0; ; retries++ {
		if err := w.courier.ready(); err != nil {
			w.waits(ctx, m, err)
			return
		}
		if err := w.outbox.MarkSending(ctx, m.ID, m.Channel); err != nil {
			w.result.Waiting = append(w.result.Waiting, problem(m, err))
			w.errs = append(w.errs, fmt.Errorf("mark alert %s as being sent: %w; the next run sends it", m.ID, err))
			return
		}
		m.State = Sending
		ref, err := w.courier.send(ctx, m)
		if err == nil {
			w.markSent(ctx, m, ref, delivered)
			return
		}
		if busy := busyFor(err); busy == 0 || retries == retriesMax || !w.waited(ctx, m, err) {
			w.failed(ctx, m, err)
			return
		}
		m.State = Pending
	}
}

// waited waits as long as the medium asks, if there is time for it. Meanwhile
// the message is one that was not sent.
func (w *walk) waited(ctx context.Context, m Message, cause error) bool {
	if !w.courier.hasTime(busyFor(cause)) {
		return false
	}
	return w.outbox.MarkWaiting(ctx, m.ID, cause.Error()) == nil && w.courier.wait(ctx, busyFor(cause)) == nil
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
			w.courier.restAfter(err)
			return "", nobodyKnows, err
		case found:
			return ref, arrived, nil
		}
		return "", neverArrived, nil
	}
}

// failed files a message that Send did not get through. Where the outcome is
// unknown the state stays Sending, which is exactly what it means.
func (w *walk) failed(ctx context.Context, m Message, cause error) {
	w.courier.restAfter(cause)
	switch outcome(cause) {
	case Unknown:
		w.result.Unsure = append(w.result.Unsure, problem(m, cause))
	case Refused:
		w.markWaiting(ctx, m, cause, &w.result.Failed)
	default:
		w.markWaiting(ctx, m, cause, &w.result.Waiting)
	}
}

// waits files a message that is not tried in this walk. One whose fate is unknown
// keeps its state, and so its lookup.
func (w *walk) waits(ctx context.Context, m Message, cause error) {
	if m.State == Sending {
		w.result.Unsure = append(w.result.Unsure, problem(m, cause))
		return
	}
	w.markWaiting(ctx, m, cause, &w.result.Waiting)
}

// markWaiting keeps why a message was not delivered, also where ctx was
// cancelled meanwhile.
func (w *walk) markWaiting(ctx context.Context, m Message, cause error, list *[]Problem) {
	*list = append(*list, problem(m, cause))
	if err := w.outbox.MarkWaiting(context.WithoutCancel(ctx), m.ID, cause.Error()); err != nil {
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
