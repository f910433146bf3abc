package notify

import (
	"cmp"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"chargeback/billing/budget"
	"chargeback/templates"
	"chargeback/transform/money"
)

// View turns a message's alert into the strings that templates words. Amounts
// are shown in cents, rounded half up; what crosses a threshold was decided
// before, on the exact amounts.
func View(m Message) templates.AlertView {
	a := m.Alert
	view := templates.AlertView{
		Kind: a.Kind, Budget: a.Budget, ScopeKind: "department", Scope: scopeName(a.Scope),
		Month: a.Month, MonthName: a.Month, AsOf: a.AsOf,
		Spent: dollars(a.Spent), Amount: dollars(a.Amount),
		Channel: m.Channel,
	}
	if a.Scope.Kind == budget.CostCenter {
		view.ScopeKind = "cost centre"
	}
	if a.Amount.Sign() > 0 {
		view.Percent = strconv.FormatInt(a.Percent, 10) + "%"
	}
	switch left := a.Amount.Sub(a.Spent); left.Sign() {
	case 1:
		view.Left = dollars(left)
	case -1:
		view.Over = dollars(left.Neg())
	}
	for _, threshold := range a.Crossed {
		view.Crossed = append(view.Crossed, strconv.Itoa(threshold)+"%")
	}
	for _, d := range a.Drivers {
		view.Drivers = append(view.Drivers, templates.AlertDriver{Label: d.Label, Spent: dollars(d.Spent)})
	}
	if a.Held > 0 {
		view.Held, view.HeldOne = strconv.FormatInt(a.Held, 10), a.Held == 1
	}
	addDays(&view, a)
	return view
}

// addDays fills in what depends on how far the month has got.
func addDays(view *templates.AlertView, a budget.Alert) {
	month, err := time.Parse("2006-01", a.Month)
	if err != nil {
		return
	}
	view.MonthName = month.Format("January 2006")
	asOf, err := time.Parse(time.DateOnly, a.AsOf)
	if err != nil {
		return
	}
	days := month.AddDate(0, 1, -1).Day()
	if !asOf.Before(month.AddDate(0, 1, 0)) {
		view.DayOf = "month complete"
		return
	}
	day := asOf.Day()
	view.DayOf = fmt.Sprintf("day %d of %d", day, days)
	if day == days {
		return
	}
	view.MonthEnd, view.MonthEndPercent = dollars(a.Forecast), wholePercent(a.Forecast, a.Amount)
	if left := a.Amount.Sub(a.Spent); left.Sign() > 0 {
		view.DaysLeft = counted(days-day, "day")
		view.LeftPerDay, view.SpentPerDay = dollars(perDay(left, days-day)), dollars(perDay(a.Spent, day))
	}
}

// scopeName is what people call a scope, with its code where that differs.
func scopeName(s budget.Scope) string {
	name := cmp.Or(s.Name, s.Value)
	if name == s.Value {
		return name
	}
	return name + " (" + s.Value + ")"
}

// perDay spreads an amount evenly over days, cut to the pico-dollar: a figure
// to read, never one to book.
func perDay(amount money.USD, days int) money.USD {
	pico := amount.Pico()
	return money.FromPicoInt(pico.Quo(pico, big.NewInt(int64(days))))
}

// wholePercent is part in whole percent of whole, rounded down; empty where
// whole is not above zero.
func wholePercent(part, whole money.USD) string {
	if whole.Sign() <= 0 {
		return ""
	}
	hundredfold := part.MulInt(100).Pico()
	return hundredfold.Div(hundredfold, whole.Pico()).String() + "%"
}

// dollars prints an amount in cents with thousands apart: $1,234.50. What is
// not zero never shows as zero.
func dollars(a money.USD) string {
	cents := a.Cents()
	if cents == 0 && !a.IsZero() {
		return "less than $0.01"
	}
	if cents < 0 {
		return "-$" + templates.GroupThousands((-cents).String())
	}
	return "$" + templates.GroupThousands(cents.String())
}

// counted is "1 day" or "14 days".
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
