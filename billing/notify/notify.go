// Package notify walks the outbox of budget alerts and hands each message to
// a sender, once.
//
// It owns: the order in which a message's state changes around a send, what
// happens to a message whose fate is unknown after a crash, how long a run may
// spend on deliveries, and the view of an alert that templates words.
// It does not own: which alerts exist (billing/budget), where the outbox is
// kept (billing/outbox), the words (templates) or a medium (slacknotify,
// consolenotify).
package notify

import (
	"context"

	"chargeback/billing/budget"
)

// State is where a message stands in the outbox.
type State string

// A message goes from Pending to Sending to Sent, and from Sending back to
// Pending where a send did not happen. From Sending it goes to Resending, once,
// and back where that send did not happen. A message that waits may become Folded: a
// later one has taken its place. Failed is what earlier versions left of a
// message that the medium had refused.
const (
	Pending State = "pending"
	Sending State = "sending"
	// Resending is Sending once more, where nobody knows whether the message had
	// arrived the first time and no lookup can tell.
	Resending State = "resending"
	Sent      State = "sent"
	Folded    State = "folded"
	Failed    State = "failed"
)

// Message is one alert on its way to one channel. ID is the alert's ID, or names
// a copy of it.
type Message struct {
	ID string
	// Channel is where the settings want the message now. Where an earlier attempt
	// went to another one, Earlier names that.
	Channel  string
	Earlier  string
	State    State
	Attempts int
	Reason   string // why the last attempt did not deliver it; empty for none
	Copy     bool   // somebody asked to send the alert again
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
// that no lookup will answer; any other error that this one did not.
type Finder interface {
	Find(ctx context.Context, m Message) (ref string, found bool, err error)
}

// Outbox is the durable queue of messages. Each method is one durable step: a
// process started after a crash sees it done or not done.
type Outbox interface {
	// Pending returns every message that is to be delivered, in the order in which
	// they were raised.
	Pending(ctx context.Context) ([]Message, error)
	// Refresh gives messages that wait the figures of now, and folds those that say
	// nothing any more.
	Refresh(ctx context.Context) error
	// MarkSending sets the state, Sending or Resending, keeps the channel that it is
	// sent to, and adds one to Attempts. It takes a message in any of the states that
	// Pending returns.
	MarkSending(ctx context.Context, id, channel string, state State) error
	// MarkSent sets state Sent and keeps the medium's reference.
	MarkSent(ctx context.Context, id, ref string) error
	// MarkWaiting keeps why the message was not delivered and sets the state: Pending
	// where it is not there, Sending or Resending where it may be.
	MarkWaiting(ctx context.Context, id string, state State, reason string) error
}
