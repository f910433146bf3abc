package budget

import (
	"cmp"
	"slices"
	"strconv"

	"chargeback/transform/money"
)

// forecastThreshold is the one percentage that a forecast is measured against.
const forecastThreshold = 100

// Evaluate returns the alerts that budgets call for in month ("2026-10") with
// the spend up to and including the business day asOf ("2026-10-31").
// daysElapsed of daysInMonth are behind asOf. raised holds every key of the
// month that was ever alerted. The result does not depend on the order of
// budgets, spend or raised; feeding its keys back as raised yields nothing.
//
// Each budget gets at most one alert of a kind:
//   - actual: thresholds that spend has reached and no alert has named yet;
//   - forecast: once a month, when the linear forecast reaches the amount, days
//     are left, and no crossed threshold of 100 or more says so already;
//   - correction: thresholds of the budget that an alert named and spend is
//     below again. It is sent once; a later crossing of the same threshold
//     stays silent, and so does a forecast that falls, which is no restatement.
func Evaluate(month, asOf string, daysElapsed, daysInMonth int, budgets []Budget, spend []Spend, raised []Raised) []Alert {
	told := make(map[string]bool, len(raised))
	for _, r := range raised {
		told[r.Key] = true
	}
	var alerts []Alert
	for _, b := range budgets {
		spent, held := total(b.Scope, spend)
		base := Alert{
			Budget: b.Name, Month: month, Scope: b.Scope,
			Amount: b.Amount, Spent: spent, Percent: percent(spent, b.Amount),
			Forecast: forecast(spent, daysElapsed, daysInMonth),
			AsOf:     asOf, Channel: b.Channel, Held: held,
		}
		daysLeft := daysElapsed > 0 && daysElapsed < daysInMonth
		alerts = appendAlert(alerts, base, Actual, newlyCrossed(b, base, told))
		alerts = appendAlert(alerts, base, Correction, takenBack(b, base, told))
		alerts = appendAlert(alerts, base, Forecast, newlyForecast(b, base, daysLeft, told))
	}
	slices.SortFunc(alerts, func(x, y Alert) int {
		return cmp.Or(cmp.Compare(x.Budget, y.Budget), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.ID, y.ID))
	})
	return alerts
}

// newlyCrossed returns the thresholds that spend has reached and that no
// alert has named.
func newlyCrossed(b Budget, now Alert, told map[string]bool) []int {
	var found []int
	for _, threshold := range rising(b.Thresholds) {
		if reached(now.Spent, b.Amount, threshold) && !told[key(now, threshold, Actual)] {
			found = append(found, threshold)
		}
	}
	return found
}

// takenBack returns the thresholds that were named, are not reached any more
// and have not been corrected.
func takenBack(b Budget, now Alert, told map[string]bool) []int {
	var found []int
	for _, threshold := range rising(b.Thresholds) {
		wasTold := told[key(now, threshold, Actual)] && !told[key(now, threshold, Correction)]
		if wasTold && !reached(now.Spent, b.Amount, threshold) {
			found = append(found, threshold)
		}
	}
	return found
}

// newlyForecast returns the forecast's threshold if it is time to warn.
func newlyForecast(b Budget, now Alert, daysLeft bool, told map[string]bool) []int {
	if !b.Forecast || !daysLeft || told[key(now, forecastThreshold, Forecast)] {
		return nil
	}
	for _, threshold := range b.Thresholds {
		if threshold >= forecastThreshold && reached(now.Spent, b.Amount, threshold) {
			return nil
		}
	}
	if !reached(now.Forecast, b.Amount, forecastThreshold) {
		return nil
	}
	return []int{forecastThreshold}
}

// appendAlert adds base as an alert of kind where crossed is not empty.
func appendAlert(alerts []Alert, base Alert, kind string, crossed []int) []Alert {
	if len(crossed) == 0 {
		return alerts
	}
	base.Kind, base.Crossed = kind, crossed
	for _, threshold := range crossed {
		base.Keys = append(base.Keys, key(base, threshold, kind))
	}
	base.ID = base.Keys[len(base.Keys)-1]
	return append(alerts, base)
}

// key names one message for ever: budget/month/threshold/kind.
func key(a Alert, threshold int, kind string) string {
	return a.Budget + "/" + a.Month + "/" + strconv.Itoa(threshold) + "/" + kind
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
