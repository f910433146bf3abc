// Package notify walks the outbox of budget alerts and hands each message to
// a sender, once.
//
// It owns: the order in which a message's state changes around a send, what
// happens to a message whose fate is unknown after a crash, and the view of
// an alert that templates words.
// It does not own: which alerts exist (billing/budget), where the outbox is
// kept (billing/ledger), the words (templates) or a medium (slacknotify,
// consolenotify).
package notify

import (
	"context"

	"chargeback/billing/budget"
)

// State is where a message stands in the outbox.
type State string

// A message goes from Pending to Sending to Sent or Failed, and from Sending
// back to Pending where a send did not happen and may be tried again.
const (
	Pending State = "pending"
	Sending State = "sending"
	Sent    State = "sent"
	Failed  State = "failed"
)

// Message is one alert on its way to one channel. ID is the alert's ID.
type Message struct {
	ID       string
	Channel  string
	State    State
	Attempts int
	Alert    budget.Alert
}

// Sender delivers one message.
//
// Send returns the medium's reference of the delivered message (Slack: its
// ts). An error says what is known: a *SendError its Outcome, any other error
// that the message may or may not have been delivered.
type Sender interface {
	Send(ctx context.Context, m Message) (ref string, err error)
}

// Finder is a Sender that can say whether a message was delivered.
//
// Find returns the reference of a delivered message with the same ID, or
// found false where there is none. A *SendError with Outcome Refused says
// that no lookup will ever answer; any other error that this one did not.
type Finder interface {
	Find(ctx context.Context, m Message) (ref string, found bool, err error)
}

// Outbox is the durable queue of messages. Each method is one durable step: a
// process started after a crash sees it done or not done.
type Outbox interface {
	// Pending returns every message in state Pending or Sending, in the order
	// in which they were raised.
	Pending(ctx context.Context) ([]Message, error)
	// MarkSending sets state Sending and adds one to Attempts. It takes a
	// message in either of the states that Pending returns.
	MarkSending(ctx context.Context, id string) error
	// MarkSent sets state Sent and keeps the medium's reference.
	MarkSent(ctx context.Context, id, ref string) error
	// MarkFailed keeps the reason and sets state Failed where permanent, else
	// Pending.
	MarkFailed(ctx context.Context, id, reason string, permanent bool) error
}
