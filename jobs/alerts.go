package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"chargeback/billing/budget"
	"chargeback/billing/ledger"
	"chargeback/billing/notify"
	"chargeback/billing/outbox"
	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
)

const driversMax = 5

// raised is what budgets call for: the ids of new messages, and the changes of the
// outbox.
type raised struct {
	ids      []string
	messages []outbox.Raised
	changes  []warehouse.Change
}

// outbox are all changes of the outbox.
func (r raised) outbox(ctx context.Context, o *outbox.Outbox) ([]warehouse.Change, error) {
	messages, err := o.Raise(ctx, r.messages...)
	return append(r.changes, messages...), err
}

// raise says which alerts the cost records call for, for every open month that the
// days touch; for all open months where budgets have changed since they were looked
// at. It reads the books as they will be.
func (b *Books) raise(ctx context.Context, days []civil.Date, latest civil.Date) (r raised, err error) {
	mark, err := b.budgetsMark()
	if err != nil {
		return r, err
	}
	known, err := b.Ledger.BudgetsMark(ctx)
	if err != nil {
		return r, err
	}
	closed, err := b.Ledger.Months.Closed(ctx)
	if err != nil {
		return r, err
	}
	first := latest.Month().Next()
	if len(days) > 0 {
		first = days[0].Month()
	}
	if open := b.openMonth(closed); known != mark && open.Before(first) {
		first = open
	}
	for m := first; !latest.Month().Before(m); m = m.Next() {
		if closed[m] != "" {
			continue
		}
		if err := b.raiseMonth(ctx, m, latest, b.Budgets, &r); err != nil {
			return r, fmt.Errorf("budgets of %s: %w", m, err)
		}
	}
	if known != mark {
		r.changes = append(r.changes, ledger.SetBudgetsMark(mark)...)
	}
	return r, nil
}

// CheckBudgets holds budgets that have changed since the last night against what
// is spent, as the newest night would, and puts the alerts that they call for into
// the outbox: for a run in which no night was due. Where none has changed it reads
// nothing but that.
func (b *Books) CheckBudgets(ctx context.Context) (ids []string, err error) {
	mark, err := b.budgetsMark()
	if err != nil {
		return nil, err
	}
	known, err := b.Ledger.BudgetsMark(ctx)
	if err != nil || known == mark {
		return nil, err
	}
	latest, err := b.latestDone(ctx)
	if err != nil || latest.IsZero() {
		return nil, err
	}
	r, err := b.raise(ctx, nil, latest)
	if err == nil {
		err = b.keep(ctx, r)
	}
	if err != nil {
		return nil, fmt.Errorf("check budgets: %w", err)
	}
	return r.ids, nil
}

// keep changes the outbox by what budgets call for.
func (b *Books) keep(ctx context.Context, r raised) error {
	changes, err := r.outbox(ctx, b.Outbox)
	if err != nil {
		return err
	}
	return b.Ledger.Apply(ctx, changes...)
}

// budgetsMark tells budgets apart, as far as they decide what is alerted.
func (b *Books) budgetsMark() (string, error) {
	budgets := slices.Clone(b.Budgets)
	for i := range budgets {
		budgets[i].Channel, budgets[i].Scope.Name = "", ""
	}
	text, err := json.Marshal(budgets)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// refreshWaiting holds the messages that wait against the budgets and the spend of
// now, before they are sent: those of a budget that the settings no longer have
// fold, those of open months get the figures of now or fold. It raises nothing for
// budgets of which nothing waits: that is for the night. Copies that somebody asked
// for go as they are.
func (b *Books) refreshWaiting(ctx context.Context) error {
	messages, err := b.Undelivered(ctx)
	if err != nil {
		return err
	}
	var gone []string
	waiting := map[civil.Month][]budget.Budget{}
	for _, m := range messages {
		if m.Copy {
			continue
		}
		at := slices.IndexFunc(b.Budgets, func(each budget.Budget) bool { return each.Name == m.Alert.Budget })
		if at < 0 {
			gone = append(gone, m.ID)
			continue
		}
		month, err := civil.ParseMonth(m.Alert.Month)
		if err != nil || m.State != notify.Pending && m.State != notify.Failed {
			continue
		}
		if !slices.ContainsFunc(waiting[month], func(each budget.Budget) bool { return each.Name == m.Alert.Budget }) {
			waiting[month] = append(waiting[month], b.Budgets[at])
		}
	}
	if len(gone)+len(waiting) == 0 {
		return nil
	}
	latest, err := b.latestDone(ctx)
	if err != nil {
		return err
	}
	closed, err := b.Ledger.Months.Closed(ctx)
	if err != nil {
		return err
	}
	var r raised
	for _, id := range gone {
		r.changes = append(r.changes, outbox.Set(id, outbox.Delivery{State: outbox.Folded, Reason: "the budget is no longer in the settings"}))
	}
	for _, month := range slices.SortedFunc(maps.Keys(waiting), civil.Month.Compare) {
		if closed[month] != "" || latest.IsZero() || latest.Month().Before(month) {
			continue
		}
		if err := b.raiseMonth(ctx, month, latest, waiting[month], &r); err != nil {
			return fmt.Errorf("budgets of %s: %w", month, err)
		}
	}
	return b.keep(ctx, r)
}

// raiseMonth adds what budgets call for in a month.
func (b *Books) raiseMonth(ctx context.Context, month civil.Month, latest civil.Date, budgets []budget.Budget, r *raised) error {
	if len(budgets) == 0 {
		return nil
	}
	spend, err := b.spend(ctx, month)
	if err != nil {
		return err
	}
	earlier, err := b.earlier(ctx, month)
	if err != nil {
		return err
	}
	alerts := make([]budget.Earlier, len(earlier))
	for i, e := range earlier {
		alerts[i] = e.Earlier
	}
	changes := budget.Evaluate(b.period(month, latest), budgets, spend, alerts)
	var drivers records.Drivers
	if slices.ContainsFunc(changes, func(c budget.Change) bool { return c.Alert != nil }) {
		if drivers, err = b.Ledger.Records.Drivers(ctx, month); err != nil {
			return err
		}
	}
	for _, change := range changes {
		if err := b.change(change, drivers, earlier, r); err != nil {
			return err
		}
	}
	return nil
}

// period says how far a month has got by the newest night. Days before the books
// begin are no days.
func (b *Books) period(month civil.Month, latest civil.Date) budget.Period {
	asOf := month.LastDay()
	if latest.Before(asOf) {
		asOf = latest
	}
	return budget.Period{
		Month: month.String(), AsOf: asOf.String(),
		DaysElapsed: asOf.DaysSince(b.firstOf(month)) + 1, DaysLeft: month.LastDay().DaysSince(asOf),
	}
}

// raisedBefore is an alert that was raised before, as it lies in the outbox.
type raisedBefore struct {
	budget.Earlier
	payload string
}

// earlier reads the alerts of a month that were ever raised. Copies that somebody
// asked for tell nothing new, so they are not among them.
func (b *Books) earlier(ctx context.Context, month civil.Month) (all []raisedBefore, err error) {
	rows, err := b.Outbox.OfMonth(ctx, month)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		m, err := decodeMessage(row)
		if err != nil {
			return nil, err
		}
		if m.Copy || m.Alert.Month != month.String() {
			continue
		}
		fate := budget.Told // also while it is being sent: it may have arrived
		switch row.State {
		case outbox.Pending, outbox.Failed:
			fate = budget.Waiting
		case outbox.Folded:
			fate = budget.Folded
		}
		all = append(all, raisedBefore{budget.Earlier{Alert: m.Alert, Fate: fate}, row.Payload})
	}
	return all, nil
}

// change adds what one budget calls for.
func (b *Books) change(c budget.Change, drivers records.Drivers, earlier []raisedBefore, r *raised) error {
	into := "nothing is left to tell"
	if c.Alert != nil {
		into = "folded into " + c.Alert.ID
	}
	for _, folded := range c.Folds {
		r.changes = append(r.changes, outbox.Set(folded, outbox.Delivery{State: outbox.Folded, Reason: into}))
	}
	if c.Alert == nil {
		return nil
	}
	if err := addDrivers(c.Alert, drivers); err != nil {
		return err
	}
	text, err := json.Marshal(c.Alert)
	if err != nil {
		return err
	}
	payload := string(text)
	switch {
	case !c.Renews:
		r.ids = append(r.ids, c.Alert.ID)
		r.messages = append(r.messages, outbox.Raised{Message: outbox.Message{ID: c.Alert.ID, Channel: c.Alert.Channel, Payload: payload}, Keys: c.Alert.Keys})
	case !slices.ContainsFunc(earlier, func(e raisedBefore) bool { return e.Alert.ID == c.Alert.ID && e.payload == payload }):
		r.changes = append(r.changes, outbox.Renew(c.Alert.ID, c.Alert.Channel, payload))
	}
	return nil
}

// addDrivers names the agents on which a budget went.
func addDrivers(alert *budget.Alert, spend records.Drivers) error {
	column := alert.Scope.Kind
	if column == budget.Company {
		column = ""
	}
	drivers, err := spend.Of(column, alert.Scope.Value, driversMax)
	for _, d := range drivers {
		alert.Drivers = append(alert.Drivers, budget.Driver{Label: d.Label, Spent: d.Spent})
	}
	return err
}

func (b *Books) spend(ctx context.Context, month civil.Month) ([]budget.Spend, error) {
	rows, err := b.Ledger.Records.Spend(ctx, month)
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
