package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"chargeback/billing/ledger"
	"chargeback/billing/notify"
	"chargeback/billing/outbox"
	"chargeback/transform/civil"
)

// Deliver sends what waits in the outbox, each message to the channel that the
// settings name for its budget now. However often a run calls it, it takes no
// longer in all than notify.Courier allows.
func (b *Books) Deliver(ctx context.Context) (notify.Result, error) {
	return b.Courier.Deliver(ctx, b.outbox())
}

func (b *Books) outbox() Outbox { return Outbox{b.Outbox, b.Ledger, b.channelOf, b.refreshWaiting} }

// channelOf is the channel of a budget, "" where none is set. One that is no
// longer in the settings has the default channel.
func (b *Books) channelOf(name string) string {
	for _, each := range b.Budgets {
		if each.Name == name {
			return each.Channel
		}
	}
	return b.AlertChannel
}

// Undelivered returns the messages that are still to be delivered, in the order
// in which they were raised.
func (b *Books) Undelivered(ctx context.Context) ([]notify.Message, error) {
	return b.outbox().Pending(ctx)
}

// AlertsOf returns the messages about a month, whatever became of them, in the
// order in which they were raised.
func (b *Books) AlertsOf(ctx context.Context, month civil.Month) ([]notify.Message, error) {
	rows, err := b.Outbox.OfMonth(ctx, month)
	if err != nil {
		return nil, err
	}
	messages, err := decodeMessages(rows)
	return slices.DeleteFunc(messages, func(m notify.Message) bool { return m.Alert.Month != month.String() }), err
}

// A copy of a message has the message's id and a number.
const copyMark = "/again-"

var copyID = regexp.MustCompile(`^(.+)` + copyMark + `([0-9]+)$`)

// ErrNoMessage says that no message has an id.
var ErrNoMessage = errors.New("no alert has this id")

// ErrFolded says that a message has no content of its own any more.
var ErrFolded = errors.New("a later message took its place before it was sent")

// Resend sends a message again: a copy of one that was delivered, or else the
// message itself. The copy lies in the outbox before it is sent, so that a run
// sends it where this does not, and says nothing new to the evaluation of budgets.
func (b *Books) Resend(ctx context.Context, id string) (notify.Result, error) {
	if m := copyID.FindStringSubmatch(id); m != nil {
		id = m[1]
	}
	rows, err := b.Outbox.Like(ctx, id)
	if err != nil {
		return notify.Result{}, err
	}
	at := slices.IndexFunc(rows, func(m outbox.Message) bool { return m.ID == id })
	if at < 0 {
		return notify.Result{}, ErrNoMessage
	}
	switch m := rows[at]; m.State {
	case outbox.Folded:
		return notify.Result{}, fmt.Errorf("%w (%s)", ErrFolded, m.Reason)
	case outbox.Failed: // of an earlier version, also in a closed month
		err = b.Outbox.Set(ctx, id, outbox.Delivery{State: outbox.Pending})
	case outbox.Resending: // may be there twice; it is sent once more
		err = b.Outbox.Set(ctx, id, outbox.Delivery{State: outbox.Sending})
	case outbox.Sent:
		id, err = b.copyOf(ctx, m, rows)
	}
	if err != nil {
		return notify.Result{}, err
	}
	return b.Courier.Deliver(ctx, oneOf{b.outbox(), id})
}

// copyOf puts a copy of a message that was sent into the outbox, unless one waits
// there already.
func (b *Books) copyOf(ctx context.Context, m outbox.Message, like []outbox.Message) (id string, err error) {
	copies := 0
	for _, other := range like {
		if is := copyID.FindStringSubmatch(other.ID); is == nil || is[1] != m.ID {
			continue
		}
		if copies++; other.State != outbox.Sent {
			return other.ID, nil
		}
	}
	id = m.ID + copyMark + strconv.Itoa(copies+1)
	return id, b.keep(ctx, raised{messages: []outbox.Raised{{Message: outbox.Message{ID: id, Channel: m.Channel, Payload: m.Payload}}}})
}

// oneOf is an outbox with one message, which goes as it is: somebody asked for it.
type oneOf struct {
	Outbox
	id string
}

// Pending implements notify.Outbox.
func (o oneOf) Pending(ctx context.Context) ([]notify.Message, error) {
	all, err := o.Outbox.Pending(ctx)
	return slices.DeleteFunc(all, func(m notify.Message) bool { return m.ID != o.id }), err
}

// Refresh implements notify.Outbox.
func (o oneOf) Refresh(context.Context) error { return nil }

// Outbox is the outbox as package notify wants it.
type Outbox struct {
	Messages *outbox.Outbox
	Ledger   *ledger.Ledger // which months are closed
	// ChannelOf is the channel of a budget by the settings of now, "" where they
	// name none: a message then goes where it was meant to go when it was raised.
	ChannelOf func(budget string) string
	// RefreshBy holds the messages that wait against the budgets and figures of now.
	RefreshBy func(context.Context) error
}

var _ notify.Outbox = Outbox{}

// Pending implements notify.Outbox. What an earlier version gave up, because it
// was refused, is tried again as long as its month is open.
func (o Outbox) Pending(ctx context.Context) ([]notify.Message, error) {
	rows, err := o.Messages.Outgoing(ctx)
	if err != nil {
		return nil, err
	}
	all, err := decodeMessages(rows)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(all, func(m notify.Message) bool { return m.State == notify.Failed }) {
		closed, err := o.Ledger.Months.Closed(ctx)
		if err != nil {
			return nil, err
		}
		all = slices.DeleteFunc(all, func(m notify.Message) bool {
			month, err := civil.ParseMonth(m.Alert.Month)
			return m.State == notify.Failed && (err != nil || closed[month] != "")
		})
	}
	for i, m := range all {
		if channel := o.ChannelOf(m.Alert.Budget); channel != "" && channel != m.Channel {
			all[i].Channel, all[i].Earlier = channel, m.Channel
		}
	}
	return all, nil
}

// All returns every message, whatever became of it.
func (o Outbox) All(ctx context.Context) ([]notify.Message, error) {
	rows, err := o.Messages.All(ctx)
	if err != nil {
		return nil, err
	}
	return decodeMessages(rows)
}

func decodeMessages(rows []outbox.Message) ([]notify.Message, error) {
	messages := make([]notify.Message, 0, len(rows))
	for _, r := range rows {
		m, err := decodeMessage(r)
		if err != nil {
			return nil, err
		}
		messages = append(messages, m)
	}
	return messages, nil
}

func decodeMessage(r outbox.Message) (notify.Message, error) {
	m := notify.Message{ID: r.ID, Channel: r.Channel, State: notify.State(r.State), Attempts: r.Attempts, Reason: r.Reason, Copy: copyID.MatchString(r.ID)}
	if m.Reason == "" && (m.State == notify.Sending || m.State == notify.Resending) {
		m.Reason = "it was cut off while it was sent; the next run finds out whether it arrived"
	}
	if err := json.Unmarshal([]byte(r.Payload), &m.Alert); err != nil {
		return m, fmt.Errorf("read message %s: %w", r.ID, err)
	}
	return m, nil
}

// MarkSending implements notify.Outbox.
func (o Outbox) MarkSending(ctx context.Context, id, channel string, state notify.State) error {
	return o.Messages.Set(ctx, id, outbox.Delivery{State: string(state), Channel: channel, Tried: true})
}

// MarkSent implements notify.Outbox.
func (o Outbox) MarkSent(ctx context.Context, id, ref string) error {
	return o.Messages.Set(ctx, id, outbox.Delivery{State: outbox.Sent, Reference: ref})
}

// MarkWaiting implements notify.Outbox.
func (o Outbox) MarkWaiting(ctx context.Context, id string, state notify.State, reason string) error {
	return o.Messages.Set(ctx, id, outbox.Delivery{State: string(state), Reason: reason})
}

// Refresh implements notify.Outbox.
func (o Outbox) Refresh(ctx context.Context) error { return o.RefreshBy(ctx) }
