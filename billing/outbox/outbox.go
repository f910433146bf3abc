// Package outbox keeps messages to people until they are delivered, and which
// alerts they have reported.
//
// It owns: the states of a message, their order, and the rule that an alert is
// raised once.
// It does not own: which alerts there are (budget), what a message says
// (templates), or how it is sent (notify).
package outbox

import (
	"context"
	"fmt"
	"unicode/utf8"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// States of a message.
const (
	Pending = "pending"
	Sending = "sending"
	// Resending is being sent once more: it may have arrived the first time
	Resending = "resending"
	Sent      = "sent"
	Folded    = "folded" // a later message took its place before it was sent
	Failed    = "failed" // refused, in books of earlier versions
)

var (
	alertsTable = warehouse.Table{Name: "alerts", About: "Thresholds that were reported", Columns: []record.Column{
		{Name: "alert_key", Type: record.Text, About: "budget/month/amount/threshold/kind/arming; budget/month/threshold/kind in books of earlier versions"},
		{Name: "message_id", Type: record.Text},
	}}
	outboxTable = warehouse.Table{Name: "outbox", About: "Messages to people, with what became of them", Columns: []record.Column{
		{Name: "message_id", Type: record.Text},
		{Name: "sequence", Type: record.Int, About: "order in which messages were raised"},
		{Name: "channel", Type: record.Text},
		{Name: "state", Type: record.Text, About: "pending, sending, sent, folded, or failed in books of earlier versions"},
		{Name: "attempts", Type: record.Int},
		{Name: "reference", Type: record.Text, Nullable: true, About: "the receiver's id of the message"},
		{Name: "reason", Type: record.Text, Nullable: true, About: "why it failed"},
		{Name: "payload", Type: record.Text, About: "JSON"},
	}}
)

// Tables are the tables that the outbox owns.
func Tables() []warehouse.Table { return []warehouse.Table{alertsTable, outboxTable} }

// Outbox is the messages of one warehouse.
type Outbox struct{ w warehouse.Warehouse }

// New is the outbox of a warehouse that has the tables.
func New(w warehouse.Warehouse) *Outbox { return &Outbox{w} }

// Message is one message to people. Payload is JSON that the outbox doesn't look
// into.
type Message struct {
	ID       string `column:"message_id"`
	Channel  string
	State    string
	Attempts int
	Reason   string `column:",null"` // why the last attempt failed; empty for none
	Payload  string
}

// Raised is a new message with the alert keys that it reports.
type Raised struct {
	Message
	Keys []string
}

// Raise puts messages into the outbox in their order, each with the alert keys that
// it reports. It is applied with the spend that they report. A key that was reported
// before is an error: the caller asks OfMonth first.
func (o *Outbox) Raise(ctx context.Context, raised ...Raised) ([]warehouse.Change, error) {
	if len(raised) == 0 {
		return nil, nil
	}
	last, err := warehouse.One[int64](ctx, o.w, warehouse.Select{Name: "number messages", Text: "select ifnull(max(sequence), 0) as sequence from {outbox}"})
	if err != nil {
		return nil, err
	}
	var messages, keys [][]any
	for i, m := range raised {
		messages = append(messages, []any{m.ID, last + 1 + int64(i), m.Channel, Pending, 0, nil, nil, m.Payload})
		for _, key := range m.Keys {
			keys = append(keys, []any{key, m.ID})
		}
	}
	if err := o.w.Put(ctx, "alerts_raised", alertsTable.Columns, keys); err != nil {
		return nil, err
	}
	before := warehouse.Select{Name: "alerts that were raised before", Text: "select alert_key from {alerts} where alert_key in (select alert_key from {alerts_raised}) union all select alert_key from {alerts_raised} group by alert_key having count(*) > 1 order by 1"}
	twice, err := warehouse.All[string](ctx, o.w, before)
	if err != nil {
		return nil, err
	}
	if len(twice) > 0 {
		return nil, fmt.Errorf("alert %s was raised before", twice[0])
	}
	return []warehouse.Change{
		warehouse.Guard{Count: warehouse.Select{Name: before.Name, Text: "select count(*) from {alerts} where alert_key in (select alert_key from {alerts_raised})"}},
		warehouse.Append{Table: alertsTable.Name, From: "alerts_raised"},
		warehouse.Append{Table: outboxTable.Name, Rows: messages},
	}, nil
}

// OfMonth returns the messages about a month, whatever became of them, in the order
// in which they were raised.
func (o *Outbox) OfMonth(ctx context.Context, month civil.Month) ([]Message, error) {
	return o.messages(ctx, "message_id like {@pattern}", warehouse.Args{"pattern": "%/" + month.String() + "/%"})
}

// Outgoing returns the messages whose delivery is not settled, in the order in
// which they were raised.
func (o *Outbox) Outgoing(ctx context.Context) ([]Message, error) {
	return o.messages(ctx, "state in ('pending', 'sending', 'resending', 'failed')", nil)
}

// Like returns the messages whose id begins so.
func (o *Outbox) Like(ctx context.Context, begin string) ([]Message, error) {
	return o.messages(ctx, "substr(message_id, 1, {@length}) = {@begin}", warehouse.Args{"begin": begin, "length": utf8.RuneCountInString(begin)})
}

// All returns all messages, in the order in which they were raised.
func (o *Outbox) All(ctx context.Context) ([]Message, error) { return o.messages(ctx, "true", nil) }

func (o *Outbox) messages(ctx context.Context, where string, args warehouse.Args) ([]Message, error) {
	return warehouse.All[Message](ctx, o.w, warehouse.Select{
		Name: "read outbox", Text: "select message_id, channel, state, attempts, reason, payload from {outbox} where " + where + " order by sequence", Args: args,
	})
}

// Delivery is what has become of a message. What is empty stays as it was.
type Delivery struct {
	State     string
	Channel   string // that it was sent to
	Reference string // the receiver's id of it
	Reason    string // why it was not delivered
	Tried     bool   // counts an attempt
}

// Set is what has become of a message.
func Set(id string, d Delivery) warehouse.Change {
	set := warehouse.Args{}
	for column, value := range map[string]string{"state": d.State, "channel": d.Channel, "reference": d.Reference, "reason": d.Reason} {
		if value != "" {
			set[column] = value
		}
	}
	if d.State == Sent {
		set["reason"] = nil // why it was late is of no concern any more
	}
	if d.Tried {
		set["attempts"] = warehouse.Expression("attempts + 1")
	}
	return warehouse.Key(outboxTable.Name, warehouse.Args{"message_id": id}, set)
}

// Set notes what has become of a message.
func (o *Outbox) Set(ctx context.Context, id string, d Delivery) error {
	return o.w.Apply(ctx, Set(id, d))
}

// Renew gives a message that waits another payload.
func Renew(id, channel, payload string) warehouse.Change {
	return warehouse.Update{
		Table: outboxTable.Name, Set: warehouse.Args{"channel": channel, "payload": payload},
		Where: "message_id = {@id} and state in ('pending', 'failed')", Args: warehouse.Args{"id": id},
	}
}
