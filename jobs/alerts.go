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
	"chargeback/transform/civil"
)

const driversMax = 5

// raise puts alerts for what the new cost records crossed into the outbox, for
// every open month that the days touch; for all open months where budgets have
// changed since they were looked at. It runs inside the days' transaction.
func (b *Books) raise(ctx context.Context, runs []ledger.Days, latest civil.Date) (ids []string, err error) {
	mark, err := b.budgetsMark()
	if err != nil {
		return nil, err
	}
	known, err := b.Ledger.BudgetsMark(ctx)
	if err != nil {
		return nil, err
	}
	closed, err := b.Ledger.ClosedMonths(ctx)
	if err != nil {
		return nil, err
	}
	first := latest.Month().Next()
	if len(runs) > 0 {
		first = runs[0].First.Month()
	}
	if open := b.openMonth(closed); known != mark && open.Before(first) {
		first = open
	}
	for m := first; !latest.Month().Before(m); m = m.Next() {
		if closed[m] != "" {
			continue
		}
		raised, err := b.raiseMonth(ctx, m, latest, b.Budgets)
		if err != nil {
			return nil, fmt.Errorf("budgets of %s: %w", m, err)
		}
		ids = append(ids, raised...)
	}
	if known == mark {
		return ids, nil
	}
	return ids, b.Ledger.SetBudgetsMark(ctx, mark)
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
	err = b.Ledger.Transact(ctx, func() (err error) {
		ids, err = b.raise(ctx, nil, latest)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("check budgets: %w", err)
	}
	return ids, nil
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
	closed, err := b.Ledger.ClosedMonths(ctx)
	if err != nil {
		return err
	}
	return b.Ledger.Transact(ctx, func() error {
		for _, id := range gone {
			if err := b.Ledger.SetMessage(ctx, id, ledger.Delivery{State: ledger.MessageFolded, Reason: "the budget is no longer in the settings"}); err != nil {
				return err
			}
		}
		for _, month := range slices.SortedFunc(maps.Keys(waiting), civil.Month.Compare) {
			if closed[month] != "" || latest.IsZero() || latest.Month().Before(month) {
				continue
			}
			if _, err := b.raiseMonth(ctx, month, latest, waiting[month]); err != nil {
				return fmt.Errorf("budgets of %s: %w", month, err)
			}
		}
		return nil
	})
}

// raiseMonth raises what budgets call for in a month, and returns the ids of the
// new messages.
func (b *Books) raiseMonth(ctx context.Context, month civil.Month, latest civil.Date, budgets []budget.Budget) (ids []string, err error) {
	if len(budgets) == 0 {
		return nil, nil
	}
	spend, err := b.spend(ctx, month)
	if err != nil {
		return nil, err
	}
	earlier, err := b.earlier(ctx, month)
	if err != nil {
		return nil, err
	}
	alerts := make([]budget.Earlier, len(earlier))
	for i, e := range earlier {
		alerts[i] = e.Earlier
	}
	for _, change := range budget.Evaluate(b.period(month, latest), budgets, spend, alerts) {
		id, err := b.change(ctx, month, change, earlier)
		if err != nil {
			return nil, err
		}
		if id != "" {
			ids = append(ids, id)
		}
	}
	return ids, nil
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
	rows, err := b.Ledger.MonthMessages(ctx, month)
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
		case ledger.MessagePending, ledger.MessageFailed:
			fate = budget.Waiting
		case ledger.MessageFolded:
			fate = budget.Folded
		}
		all = append(all, raisedBefore{budget.Earlier{Alert: m.Alert, Fate: fate}, row.Payload})
	}
	return all, nil
}

// change does what one budget calls for, and returns the id of the message where
// it is a new one.
func (b *Books) change(ctx context.Context, month civil.Month, c budget.Change, earlier []raisedBefore) (id string, err error) {
	into := "nothing is left to tell"
	if c.Alert != nil {
		into = "folded into " + c.Alert.ID
	}
	for _, folded := range c.Folds {
		if err := b.Ledger.SetMessage(ctx, folded, ledger.Delivery{State: ledger.MessageFolded, Reason: into}); err != nil {
			return "", err
		}
	}
	if c.Alert == nil {
		return "", nil
	}
	if err := b.addDrivers(ctx, month, c.Alert); err != nil {
		return "", err
	}
	text, err := json.Marshal(c.Alert)
	if err != nil {
		return "", err
	}
	payload := string(text)
	if !c.Renews {
		return c.Alert.ID, b.Ledger.Raise(ctx, ledger.Message{ID: c.Alert.ID, Channel: c.Alert.Channel, Payload: payload}, c.Alert.Keys)
	}
	if slices.ContainsFunc(earlier, func(e raisedBefore) bool { return e.Alert.ID == c.Alert.ID && e.payload == payload }) {
		return "", nil
	}
	return "", b.Ledger.RenewMessage(ctx, c.Alert.ID, c.Alert.Channel, payload)
}

// addDrivers names the agents on which a budget went.
func (b *Books) addDrivers(ctx context.Context, month civil.Month, alert *budget.Alert) error {
	column := alert.Scope.Kind
	if column == budget.Company {
		column = ""
	}
	drivers, err := b.Ledger.Drivers(ctx, month, column, alert.Scope.Value, driversMax)
	for _, d := range drivers {
		alert.Drivers = append(alert.Drivers, budget.Driver{Label: d.Label, Spent: d.Spent})
	}
	return err
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
