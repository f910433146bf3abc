package budget

import (
	"cmp"
	"slices"

	"chargeback/transform/money"
)

// Status is where a budget stands, for a table that people read.
type Status struct {
	Budget string
	Scope  Scope
	Amount money.USD
	Spent  money.USD
	// Remaining is Amount less Spent: below zero where the budget is overspent.
	Remaining money.USD
	// Percent is Spent of Amount by ShownPercent.
	Percent int64
	// Crossed is the highest threshold that spend has reached, 0 for none.
	Crossed int
	Held    int64
}

// Statuses returns one row per budget, by budget name, from the month's spend
// so far. It says where budgets stand now, whatever was alerted.
func Statuses(budgets []Budget, spend []Spend) []Status {
	rows := make([]Status, 0, len(budgets))
	for _, b := range budgets {
		spent, held := total(b.Scope, spend)
		row := Status{
			Budget: b.Name, Scope: b.Scope, Amount: b.Amount, Spent: spent,
			Remaining: b.Amount.Sub(spent), Percent: ShownPercent(spent, b.Amount, b.Thresholds), Held: held,
		}
		for _, threshold := range rising(b.Thresholds) {
			if reached(spent, b.Amount, threshold) {
				row.Crossed = threshold
			}
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(x, y Status) int { return cmp.Compare(x.Budget, y.Budget) })
	return rows
}
