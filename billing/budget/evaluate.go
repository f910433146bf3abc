package budget

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"

	"chargeback/transform/money"
)

// Period is how far a month has got. Days before the books begin are no days of
// it: they are neither elapsed nor left.
type Period struct {
	Month       string // 2026-10
	AsOf        string // the last business day that is in the spend, 2026-10-31
	DaysElapsed int    // up to AsOf
	DaysLeft    int    // after it
}

// Change is what one budget calls for.
type Change struct {
	// Alert is the one message to raise; nil where there is nothing to tell any more.
	Alert *Alert
	// Renews says that Alert is one that waits already, by its ID, with the figures
	// of now: people are to learn the same of it.
	Renews bool
	// Folds are the IDs of waiting alerts whose place Alert takes.
	Folds []string
}

// Evaluate returns what budgets call for in a period, by name of the budget.
// earlier holds the alerts of the month in the order in which they were raised.
// The result does not depend on the order of budgets or spend; evaluated again
// with its alerts among the earlier ones, waiting or told, it raises nothing.
//
// There is at most one alert a budget. It tells the difference between what
// people know and what holds:
//   - thresholds that spend has reached and that they were not told of, for this
//     amount of the budget, since the last correction;
//   - thresholds that they were told of, for whatever amount, and that spend is
//     below again;
//   - once for each amount, that the month will end above it, when days enough
//     are over, some are left, and no crossed threshold of 100 or more says so.
//
// An alert that waits is no knowledge: it folds into the new one, or into
// nothing where there is nothing left to tell.
func Evaluate(p Period, budgets []Budget, spend []Spend, earlier []Earlier) []Change {
	var changes []Change
	for _, b := range budgets {
		if c, calls := evaluate(p, b, spend, historyOf(b, earlier)); calls {
			changes = append(changes, c)
		}
	}
	slices.SortFunc(changes, func(x, y Change) int { return cmp.Compare(x.name(), y.name()) })
	return changes
}

// name is what changes are sorted by.
func (c Change) name() string {
	if c.Alert != nil {
		return c.Alert.Budget
	}
	return c.Folds[0]
}

func evaluate(p Period, b Budget, spend []Spend, h *history) (c Change, calls bool) {
	a := alertOf(p, b, spend, h)
	if a == nil {
		c.fold(h.waiting)
		return c, len(c.Folds) > 0
	}
	c.Alert = a
	if len(h.waiting) == 1 && h.waiting[0].tells(*a) {
		a.ID, a.Keys, c.Renews = h.waiting[0].ID, h.waiting[0].Keys, true
		return c, true
	}
	a.name(h.keys)
	c.fold(h.waiting)
	return c, true
}

func (c *Change) fold(waiting []Alert) {
	for _, a := range waiting {
		c.Folds = append(c.Folds, a.ID)
	}
}

// alertOf is what people are to learn of a budget, without keys; nil for nothing.
func alertOf(p Period, b Budget, spend []Spend, h *history) *Alert {
	spent, held := total(b.Scope, spend)
	a := &Alert{
		Budget: b.Name, Month: p.Month, Scope: b.Scope, Amount: b.Amount, Spent: spent, Percent: ShownPercent(spent, b.Amount, b.Thresholds),
		AsOf: p.AsOf, DaysElapsed: p.DaysElapsed, DaysLeft: p.DaysLeft, Channel: b.Channel, Held: held,
	}
	if a.CanForecast() {
		a.Forecast = forecast(spent, p.DaysElapsed, p.DaysLeft)
	}
	known := h.of(b.Amount)
	for _, threshold := range rising(b.Thresholds) {
		if reached(spent, b.Amount, threshold) && !known.thresholds[threshold] {
			a.Crossed = append(a.Crossed, threshold)
		}
	}
	a.TakenBack = h.takenBack(spent)
	heading := b.Forecast && !known.forecast && a.headsOver(b.Thresholds)
	switch {
	case len(a.Crossed) > 0:
		a.Kind, a.Heading = Actual, heading
	case len(a.TakenBack) > 0:
		a.Kind, a.Heading = Correction, heading
		for _, back := range a.TakenBack {
			a.Crossed = append(a.Crossed, back.Thresholds...)
		}
		a.Crossed = rising(a.Crossed)
	case heading:
		a.Kind, a.Crossed = Forecast, []int{forecastThreshold}
	default:
		return nil
	}
	return a
}

// headsOver says whether the month will end above the budget, and no crossed
// threshold says that it is above it already.
func (a Alert) headsOver(thresholds []int) bool {
	for _, threshold := range thresholds {
		if threshold >= forecastThreshold && reached(a.Spent, a.Amount, threshold) {
			return false
		}
	}
	return a.CanForecast() && reached(a.Forecast, a.Amount, forecastThreshold)
}

// tells says whether people learn the same from two alerts, whatever the figures.
func (a Alert) tells(other Alert) bool {
	return a.Kind == other.Kind && a.Amount.Equal(other.Amount) && a.Scope.same(other.Scope) && a.Heading == other.Heading &&
		slices.Equal(a.Crossed, other.Crossed) &&
		slices.EqualFunc(a.TakenBack, other.TakenBack, func(x, y TakenBack) bool {
			return x.Amount.Equal(y.Amount) && slices.Equal(x.Thresholds, y.Thresholds)
		})
}

// name gives the alert its keys, none of which was raised before. The last is
// what its kind is about.
func (a *Alert) name(raised map[string]bool) {
	add := func(amount money.USD, threshold int, kind string) {
		a.Keys = append(a.Keys, key(*a, amount, threshold, kind, raised))
	}
	if a.Heading || a.Kind == Forecast {
		add(a.Amount, forecastThreshold, Forecast)
	}
	for _, back := range a.TakenBack {
		for _, threshold := range back.Thresholds {
			add(back.Amount, threshold, Correction)
		}
	}
	if a.Kind == Actual {
		for _, threshold := range a.Crossed {
			add(a.Amount, threshold, Actual)
		}
	}
	a.ID = a.Keys[len(a.Keys)-1]
}

// key names what is told, for ever: budget/month/amount/threshold/kind/arming.
// A threshold is armed at first, and once more whenever a correction takes it
// back or the alert that named it folds into another before anybody got it.
func key(a Alert, amount money.USD, threshold int, kind string, raised map[string]bool) string {
	told := url.PathEscape(a.Budget) + "/" + a.Month + "/" + amount.String() + "/" + strconv.Itoa(threshold) + "/" + kind + "/"
	for arming := 1; ; arming++ {
		if k := told + strconv.Itoa(arming); !raised[k] {
			return k
		}
	}
}

// reached says exactly whether spent is at or above percent of amount. No
// spend reaches nothing, not even a budget of zero.
func reached(spent, amount money.USD, percent int) bool {
	return spent.Sign() > 0 && money.AtLeastPercent(spent, amount, int64(percent))
}

// total sums the actual spend and the held requests that a scope covers.
func total(scope Scope, spend []Spend) (spent money.USD, held int64) {
	for _, row := range spend {
		if scope.Covers(row) {
			spent = spent.Add(row.Actual)
			held += row.Held
		}
	}
	return spent, held
}

// rising returns the thresholds sorted and each once.
func rising(thresholds []int) []int {
	sorted := slices.Clone(thresholds)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}
