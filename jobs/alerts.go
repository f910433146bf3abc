package jobs

import (
	"context"
	"encoding/json"
	"fmt"

	"chargeback/billing/budget"
	"chargeback/billing/ledger"
	"chargeback/billing/notify"
	"chargeback/transform/civil"
)

const driversMax = 5

// raise puts alerts for what the new cost records crossed into the outbox, for
// every open month that the days touch. It runs inside their transaction.
func (b *Books) raise(ctx context.Context, runs []ledger.Days, latest civil.Date) (ids []string, err error) {
	if len(runs) == 0 || len(b.Budgets) == 0 {
		return nil, nil
	}
	closed, err := b.Ledger.ClosedMonths(ctx)
	if err != nil {
		return nil, err
	}
	for m := runs[0].First.Month(); !latest.Month().Before(m); m = m.Next() {
		if closed[m] != "" {
			continue
		}
		raised, err := b.raiseMonth(ctx, m, latest)
		if err != nil {
			return nil, fmt.Errorf("budgets of %s: %w", m, err)
		}
		ids = append(ids, raised...)
	}
	return ids, nil
}

func (b *Books) raiseMonth(ctx context.Context, month civil.Month, latest civil.Date) (ids []string, err error) {
	asOf := month.LastDay()
	if latest.Before(asOf) {
		asOf = latest
	}
	spend, err := b.spend(ctx, month)
	if err != nil {
		return nil, err
	}
	keys, err := b.Ledger.RaisedKeys(ctx, month)
	if err != nil {
		return nil, err
	}
	raised := make([]budget.Raised, len(keys))
	for i, key := range keys {
		raised[i].Key = key
	}
	elapsed := asOf.DaysSince(month.FirstDay()) + 1
	for _, alert := range budget.Evaluate(month.String(), asOf.String(), elapsed, month.LastDay().Day, b.Budgets, spend, raised) {
		drivers, err := b.Ledger.Drivers(ctx, month, alert.Scope.Kind, alert.Scope.Value, driversMax)
		if err != nil {
			return nil, err
		}
		for _, d := range drivers {
			alert.Drivers = append(alert.Drivers, budget.Driver{Label: d.Label, Spent: d.Spent})
		}
		payload, err := json.Marshal(alert)
		if err != nil {
			return nil, err
		}
		if err := b.Ledger.Raise(ctx, ledger.Message{ID: alert.ID, Channel: alert.Channel, Payload: string(payload)}, alert.Keys); err != nil {
			return nil, err
		}
		ids = append(ids, alert.ID)
	}
	return ids, nil
}

func (b *Books) spend(ctx context.Context, month civil.Month) ([]budget.Spend, error) {
	rows, err := b.Ledger.Spend(ctx, month)
	spend := make([]budget.Spend, len(rows))
	for i, r := range rows {
		spend[i] = budget.Spend(r)
	}
	return spend, err
}

// BudgetStatus says where the budgets of a month stand.
func (b *Books) BudgetStatus(ctx context.Context, month civil.Month) ([]budget.Status, error) {
	spend, err := b.spend(ctx, month)
	return budget.Statuses(b.Budgets, spend), err
}

// Deliver sends what waits in the outbox.
func (b *Books) Deliver(ctx context.Context) (notify.Result, error) {
	return notify.Deliver(ctx, Outbox{b.Ledger}, b.Sender)
}

// Outbox is the ledger's outbox as package notify wants it.
type Outbox struct{ Ledger *ledger.Ledger }

var _ notify.Outbox = Outbox{}

// Pending implements notify.Outbox.
func (o Outbox) Pending(ctx context.Context) ([]notify.Message, error) {
	waiting, err := o.Ledger.Outgoing(ctx)
	return decodeMessages(waiting, err)
}

// All returns every message, whatever became of it.
func (o Outbox) All(ctx context.Context) ([]notify.Message, error) {
	all, err := o.Ledger.Messages(ctx)
	return decodeMessages(all, err)
}

func decodeMessages(rows []ledger.Message, err error) ([]notify.Message, error) {
	messages := make([]notify.Message, 0, len(rows))
	for _, r := range rows {
		m := notify.Message{ID: r.ID, Channel: r.Channel, State: notify.State(r.State), Attempts: r.Attempts}
		if err := json.Unmarshal([]byte(r.Payload), &m.Alert); err != nil {
			return nil, fmt.Errorf("read message %s: %w", r.ID, err)
		}
		messages = append(messages, m)
	}
	return messages, err
}

// MarkSending implements notify.Outbox.
func (o Outbox) MarkSending(ctx context.Context, id string) error {
	return o.Ledger.SetMessage(ctx, id, ledger.MessageSending, "", "")
}

// MarkSent implements notify.Outbox.
func (o Outbox) MarkSent(ctx context.Context, id, ref string) error {
	return o.Ledger.SetMessage(ctx, id, ledger.MessageSent, ref, "")
}

// MarkFailed implements notify.Outbox.
func (o Outbox) MarkFailed(ctx context.Context, id, reason string, permanent bool) error {
	state := ledger.MessagePending
	if permanent {
		state = ledger.MessageFailed
	}
	return o.Ledger.SetMessage(ctx, id, state, "", reason)
}
