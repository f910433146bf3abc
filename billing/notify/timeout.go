package notify

import (
	"context"
	"time"
)

// Timeout bounds each Send and Find of sender, waits for a rate limit
// included, so that a medium that hangs costs a run one message and not the
// night. It is a Finder where sender is one.
func Timeout(sender Sender, limit time.Duration) Sender {
	bounded := timeout{sender: sender, limit: limit}
	if finder, ok := sender.(Finder); ok {
		return findingTimeout{timeout: bounded, finder: finder}
	}
	return bounded
}

type timeout struct {
	sender Sender
	limit  time.Duration
}

// Send sends within the limit.
func (t timeout) Send(ctx context.Context, m Message) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, t.limit)
	defer cancel()
	return t.sender.Send(ctx, m)
}

type findingTimeout struct {
	timeout
	finder Finder
}

// Find looks up within the limit.
func (t findingTimeout) Find(ctx context.Context, m Message) (string, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, t.limit)
	defer cancel()
	return t.finder.Find(ctx, m)
}
