package ledger

import (
	"context"
	"fmt"
	"unicode/utf8"

	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// States of a message in the outbox.
const (
	MessagePending = "pending"
	MessageSending = "sending"
	// MessageResending is being sent once more: it may have arrived the first time
	MessageResending = "resending"
	MessageSent      = "sent"
	MessageFolded    = "folded" // a later message took its place before it was sent
	MessageFailed    = "failed" // refused, in books of earlier versions
)

// Message is one message to people. Payload is JSON that the ledger doesn't
// look into.
type Message struct {
	ID       string
	Channel  string
	State    string
	Attempts int
	Reason   string // why the last attempt failed; empty for none
	Payload  string
}

// Raise puts a message into the outbox together with the alert keys that it
// reports. It belongs inside the transaction of the spend it reports. A key
// that was reported before is an error: the caller asks MonthMessages first.
func (l *Ledger) Raise(ctx context.Context, m Message, keys []string) error {
	for _, key := range keys {
		row, err := l.one(ctx, "select count(*) from alerts where alert_key = @key", Args{"key": key})
		if err != nil {
			return fmt.Errorf("look up alert %s: %w", key, err)
		}
		if row.Int(0) > 0 {
			return fmt.Errorf("alert %s was raised before", key)
		}
		if err := l.engine.Insert(ctx, alertsTable, [][]any{{key, m.ID}}); err != nil {
			return err
		}
	}
	row, err := l.one(ctx, "select ifnull(max(sequence), 0) from outbox", nil)
	if err != nil {
		return fmt.Errorf("number message %s: %w", m.ID, err)
	}
	return l.engine.Insert(ctx, outboxTable, [][]any{{m.ID, row.Int(0) + 1, m.Channel, MessagePending, 0, nil, nil, m.Payload}})
}

// MonthMessages returns the messages about a month, whatever became of them, in
// the order in which they were raised.
func (l *Ledger) MonthMessages(ctx context.Context, month civil.Month) ([]Message, error) {
	return l.messages(ctx, "message_id like @pattern", Args{"pattern": "%/" + month.String() + "/%"})
}

// Outgoing returns the messages whose delivery is not settled, in the order in
// which they were raised.
func (l *Ledger) Outgoing(ctx context.Context) ([]Message, error) {
	return l.messages(ctx, "state in ('pending', 'sending', 'resending', 'failed')", nil)
}

// MessagesLike returns the messages whose id begins so.
func (l *Ledger) MessagesLike(ctx context.Context, begin string) ([]Message, error) {
	return l.messages(ctx, "substr(message_id, 1, @length) = @begin", Args{"begin": begin, "length": utf8.RuneCountInString(begin)})
}

// Messages returns all messages of the outbox, in the order in which they
// were raised.
func (l *Ledger) Messages(ctx context.Context) ([]Message, error) {
	return l.messages(ctx, "true", nil)
}

func (l *Ledger) messages(ctx context.Context, where string, args Args) (messages []Message, err error) {
	err = l.engine.Query(ctx, "select message_id, channel, state, attempts, ifnull(reason, ''), payload from outbox where "+where+" order by sequence", args, func(r Row) error {
		messages = append(messages, Message{ID: r.Text(0), Channel: r.Text(1), State: r.Text(2), Attempts: int(r.Int(3)), Reason: r.Text(4), Payload: r.Text(5)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	return messages, nil
}

// Delivery is what has become of a message. What is empty stays as it was.
type Delivery struct {
	State     string
	Channel   string // that it was sent to
	Reference string // the receiver's id of it
	Reason    string // why it was not delivered
	Tried     bool   // counts an attempt
}

// SetMessage notes what has become of a message. What is
// tried counts an attempt.
func (l *Ledger) SetMessage(ctx context.Context, id string, d Delivery) error {
	tried := 0
	if d.Tried {
		tried = 1
	}
	return l.engine.Exec(ctx, `
update outbox set
  state = coalesce(@state, state),
  channel = coalesce(@channel, channel),
  attempts = attempts + @tried,
  reference = coalesce(@reference, reference),
  reason = coalesce(@reason, reason)
where message_id = @id`, Args{"id": id, "tried": tried, "state": nullText(d.State), "channel": nullText(d.Channel), "reference": nullText(d.Reference), "reason": nullText(d.Reason)})
}

// RenewMessage gives a message that waits another payload.
func (l *Ledger) RenewMessage(ctx context.Context, id, channel, payload string) error {
	return l.engine.Exec(ctx, "update outbox set channel = @channel, payload = @payload where message_id = @id and state in ('pending', 'failed')",
		Args{"id": id, "channel": channel, "payload": payload})
}

// Spend is what one cost centre has spent in a month so far.
type Spend struct {
	Department, CostCenter string
	Actual                 money.USD
	Held                   int64 // requests without a cost yet
}

// Spend sums the month's cost records by cost centre. It reads the facts
// themselves, not cost_items, whose joins cost more than the sum does.
func (l *Ledger) Spend(ctx context.Context, month civil.Month) (spend []Spend, err error) {
	err = l.engine.Query(ctx, `
select p.department, p.cost_center, total_usd(f.total_cost_usd), countif(r.pricing in ('unpriced', 'pending', 'doubtful'))
from record_facts as f
inner join payers as p on p.payer_id = f.payer_id
inner join rulings as r on r.ruling_id = f.ruling_id
where f.billing_month = @first_day and f.usage_date >= @since
group by p.department, p.cost_center
order by p.department, p.cost_center`, Args{"first_day": month.FirstDay(), "since": civil.Min}, func(r Row) error {
		spend = append(spend, Spend{r.Text(0), r.Text(1), r.USD(2), r.Int(3)})
		return nil
	})
	return spend, err
}

// Driver is one agent's part of a spend.
type Driver struct {
	Label string
	Spent money.USD
}

// Drivers returns the dearest agents of a department or cost centre (column
// names which) in a month, or of all where column is empty.
func (l *Ledger) Drivers(ctx context.Context, month civil.Month, column, value string, limit int) (drivers []Driver, err error) {
	whose := "true"
	switch column {
	case "":
	case "department", "cost_center":
		whose = "p." + column + " = @value"
	default:
		return nil, fmt.Errorf("drivers of %q: only department and cost_center are known", column)
	}
	err = l.engine.Query(ctx, `
select coalesce(t.agent_id, c.agent_id, 'no agent'), total_usd(f.total_cost_usd)
from record_facts as f
inner join payers as p on p.payer_id = f.payer_id
left join tasks as t on t.task_id = f.task_id
left join callers as c on c.caller_id = f.caller_id
where f.billing_month = @first_day and f.usage_date >= @since and `+whose+`
group by 1
order by 2 desc, 1
limit @limit`, Args{"first_day": month.FirstDay(), "since": civil.Min, "value": value, "limit": limit}, func(r Row) error {
		drivers = append(drivers, Driver{r.Text(0), r.USD(1)})
		return nil
	})
	return drivers, err
}
