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
// are shown in cents, rounded half up, and what follows from them is reckoned
// from the amounts as they are shown; what crosses a threshold was decided
// before, on the exact amounts.
func View(m Message) templates.AlertView {
	a := m.Alert
	view := templates.AlertView{
		Kind: a.Kind, Budget: a.Budget, ScopeKind: scopeKind(a.Scope), Scope: scopeName(a.Scope),
		Month: a.Month, MonthName: a.Month, AsOf: a.AsOf,
		Spent: dollars(a.Spent), Amount: dollars(a.Amount), Percent: wholePercent(a.Percent, a.Amount),
		Crossed: percents(a.Crossed), Heading: a.Heading, Channel: m.Channel, Again: m.Copy,
	}
	switch left := a.Amount.Sub(a.Spent); left.Sign() {
	case 1:
		view.Left = difference(a.Amount, a.Spent)
	case -1:
		view.Over = difference(a.Spent, a.Amount)
	}
	for _, back := range takenBack(a) {
		view.TakenBack = append(view.TakenBack, templates.AlertTakenBack{Amount: dollars(back.Amount), Thresholds: percents(back.Thresholds)})
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
	view.DayOf = fmt.Sprintf("day %d of %d", asOf.Day(), days)
	if a.DaysElapsed == 0 { // of an earlier version, which did not ask when the books began
		a.DaysElapsed, a.DaysLeft = asOf.Day(), days-asOf.Day()
	}
	if a.CanForecast() {
		view.MonthEnd, view.MonthEndPercent = dollars(a.Forecast), wholePercent(budget.ShownPercent(a.Forecast, a.Amount, nil), a.Amount)
	}
	if left := a.Amount.Sub(a.Spent); left.Sign() > 0 && a.DaysLeft > 0 {
		view.DaysLeft = counted(a.DaysLeft, "day")
		view.LeftPerDay, view.SpentPerDay = dollars(perDay(left, a.DaysLeft)), dollars(perDay(a.Spent, a.DaysElapsed))
	}
}

// takenBack is what an alert takes back, by the amount that was alerted. Those of
// earlier versions did not keep it.
func takenBack(a budget.Alert) []budget.TakenBack {
	if a.Kind == budget.Correction && len(a.TakenBack) == 0 {
		return []budget.TakenBack{{Amount: a.Amount, Thresholds: a.Crossed}}
	}
	return a.TakenBack
}

func scopeKind(s budget.Scope) string {
	switch {
	case s.Value == budget.Unallocated:
		return templates.ScopeUnallocated
	case s.Kind == budget.Company:
		return templates.ScopeCompany
	case s.Kind == budget.CostCenter:
		return templates.ScopeCostCenter
	}
	return templates.ScopeDepartment
}

// scopeName is what people call a scope, with its code where that differs.
func scopeName(s budget.Scope) string {
	name := cmp.Or(s.Name, s.Value)
	if name == s.Value || s.Value == "" {
		return name
	}
	return name + " (" + s.Value + ")"
}

func percents(thresholds []int) (texts []string) {
	for _, threshold := range thresholds {
		texts = append(texts, strconv.Itoa(threshold)+"%")
	}
	return texts
}

// perDay spreads an amount evenly over days, cut to the pico-dollar: a figure
// to read, never one to book.
func perDay(amount money.USD, days int) money.USD {
	pico := amount.Pico()
	return money.FromPicoInt(pico.Quo(pico, big.NewInt(int64(days))))
}

// wholePercent is a percentage of whole; empty where whole is shown as zero.
func wholePercent(percent int64, whole money.USD) string {
	if whole.Cents() <= 0 {
		return ""
	}
	return strconv.FormatInt(percent, 10) + "%"
}

// difference is how much larger is above smaller, reckoned from what is shown of
// both, so that a reader who subtracts comes to it. What is less than a cent is
// said so.
func difference(larger, smaller money.USD) string {
	if shown := larger.Cents() - smaller.Cents(); shown > 0 {
		return dollars(money.FromCents(shown))
	}
	return lessThanACent
}

const lessThanACent = "less than $0.01"

// dollars prints an amount in cents with thousands apart: $1,234.50. What is
// not zero never shows as zero.
func dollars(a money.USD) string {
	cents := a.Cents()
	if cents == 0 && !a.IsZero() {
		return lessThanACent
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
