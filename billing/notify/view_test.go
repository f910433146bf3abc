package notify

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"chargeback/billing/budget"
	"chargeback/templates"
	"chargeback/transform/money"
)

func alert(change func(*budget.Alert)) Message {
	a := budget.Alert{
		ID: "support/2026-10/80/actual", Kind: budget.Actual, Budget: "support", Month: "2026-10",
		Scope:  budget.Scope{Kind: budget.CostCenter, Value: "00420", Name: "Customer Support"},
		Amount: money.MustParse("1200"), Spent: money.MustParse("984.004"), Forecast: money.MustParse("1794.354352941176"),
		Percent: 82, Crossed: []int{50, 80}, AsOf: "2026-10-17", DaysElapsed: 17, DaysLeft: 14,
		Drivers: []budget.Driver{{Label: "Support Bot", Spent: money.MustParse("700.005")}, {Label: "Triage", Spent: money.MustParse("0.0001")}},
	}
	change(&a)
	return Message{ID: a.ID, Channel: "#support-ai-costs", Alert: a}
}

func TestView(t *testing.T) {
	want := templates.AlertView{
		Kind: "actual", Budget: "support", ScopeKind: "cost centre", Scope: "Customer Support (00420)",
		Month: "2026-10", MonthName: "October 2026", AsOf: "2026-10-17", DayOf: "day 17 of 31",
		Spent: "$984.00", Amount: "$1,200.00", Percent: "82%",
		Left: "$216.00", DaysLeft: "14 days", LeftPerDay: "$15.43", SpentPerDay: "$57.88",
		MonthEnd: "$1,794.35", MonthEndPercent: "150%",
		Crossed: []string{"50%", "80%"},
		Drivers: []templates.AlertDriver{{Label: "Support Bot", Spent: "$700.01"}, {Label: "Triage", Spent: "less than $0.01"}},
		Channel: "#support-ai-costs",
	}
	if diff := cmp.Diff(want, View(alert(func(*budget.Alert) {}))); diff != "" {
		t.Errorf("view (-want +got):\n%s", diff)
	}
}

func TestViewDetails(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*budget.Alert)
		got    func(templates.AlertView) []string
		want   []string
	}{
		{"one day left", func(a *budget.Alert) { a.AsOf, a.DaysElapsed, a.DaysLeft = "2026-10-30", 30, 1 },
			func(v templates.AlertView) []string { return []string{v.DayOf, v.DaysLeft} }, []string{"day 30 of 31", "1 day"}},
		{"the last day has nothing to forecast", func(a *budget.Alert) { a.AsOf, a.DaysElapsed, a.DaysLeft = "2026-10-31", 31, 0 },
			func(v templates.AlertView) []string { return []string{v.DayOf, v.DaysLeft, v.MonthEnd, v.Left} }, []string{"day 31 of 31", "", "", "$216.00"}},
		{"figures restated after the month", func(a *budget.Alert) { a.AsOf = "2026-11-02" },
			func(v templates.AlertView) []string { return []string{v.DayOf, v.DaysLeft, v.MonthEnd} }, []string{"month complete", "", ""}},
		{"two days are too few for a forecast", func(a *budget.Alert) { a.AsOf, a.DaysElapsed, a.DaysLeft = "2026-10-02", 2, 29 },
			func(v templates.AlertView) []string { return []string{v.MonthEnd, v.MonthEndPercent, v.SpentPerDay} }, []string{"", "", "$492.00"}},
		{"days before the books are no days", func(a *budget.Alert) { a.AsOf, a.DaysElapsed, a.DaysLeft = "2026-10-28", 1, 3 },
			func(v templates.AlertView) []string { return []string{v.DayOf, v.MonthEnd, v.DaysLeft, v.SpentPerDay} }, []string{"day 28 of 31", "", "3 days", "$984.00"}},
		{"an alert of an earlier version did not count its days", func(a *budget.Alert) { a.DaysElapsed, a.DaysLeft = 0, 0 },
			func(v templates.AlertView) []string { return []string{v.MonthEnd, v.DaysLeft, v.SpentPerDay} }, []string{"$1,794.35", "14 days", "$57.88"}},
		{"percents are those of the alert", func(a *budget.Alert) {
			a.Spent, a.Percent, a.Forecast = money.MustParse("1319.996"), 110, money.MustParse("1499.9999")
		},
			func(v templates.AlertView) []string {
				return []string{v.Spent, v.Percent, v.Over, v.MonthEnd, v.MonthEndPercent}
			}, []string{"$1,320.00", "110%", "$120.00", "$1,500.00", "125%"}},
		{"what is left is what the shown amounts leave", func(a *budget.Alert) { a.Spent = money.MustParse("33.335") },
			func(v templates.AlertView) []string { return []string{v.Spent, v.Left} }, []string{"$33.34", "$1,166.66"}},
		{"a hair over", func(a *budget.Alert) { a.Spent, a.Percent = money.MustParse("1200.000001"), 100 },
			func(v templates.AlertView) []string { return []string{v.Spent, v.Percent, v.Over} }, []string{"$1,200.00", "100%", "less than $0.01"}},
		{"the company", func(a *budget.Alert) { a.Scope = budget.Scope{Kind: budget.Company, Name: "Example"} },
			func(v templates.AlertView) []string { return []string{v.ScopeKind, v.Scope} }, []string{"company", "Example"}},
		{"what is unallocated", func(a *budget.Alert) { a.Scope = budget.Scope{Kind: budget.Department, Value: "UNALLOCATED"} },
			func(v templates.AlertView) []string { return []string{v.ScopeKind} }, []string{"unallocated"}},
		{"a correction names the amount that was alerted", func(a *budget.Alert) {
			a.Kind, a.TakenBack = budget.Correction, []budget.TakenBack{{Amount: money.MustParse("100"), Thresholds: []int{50, 80}}}
		}, func(v templates.AlertView) []string { return append(v.TakenBack[0].Thresholds, v.TakenBack[0].Amount) }, []string{"50%", "80%", "$100.00"}},
		{"a correction of an earlier version", func(a *budget.Alert) { a.Kind = budget.Correction },
			func(v templates.AlertView) []string { return append(v.TakenBack[0].Thresholds, v.TakenBack[0].Amount) }, []string{"50%", "80%", "$1,200.00"}},
		{"a leap February", func(a *budget.Alert) { a.Month, a.AsOf = "2028-02", "2028-02-01" },
			func(v templates.AlertView) []string { return []string{v.MonthName, v.DayOf} }, []string{"February 2028", "day 1 of 29"}},
		{"over", func(a *budget.Alert) { a.Spent = money.MustParse("1234567.891") },
			func(v templates.AlertView) []string { return []string{v.Spent, v.Left, v.Over, v.LeftPerDay} }, []string{"$1,234,567.89", "", "$1,233,367.89", ""}},
		{"exactly used up", func(a *budget.Alert) { a.Spent = a.Amount },
			func(v templates.AlertView) []string { return []string{v.Left, v.Over} }, []string{"", ""}},
		{"credits", func(a *budget.Alert) { a.Spent = money.MustParse("-1500.5") },
			func(v templates.AlertView) []string { return []string{v.Spent, v.Left} }, []string{"-$1,500.50", "$2,700.50"}},
		{"a budget of zero has no percentages", func(a *budget.Alert) { a.Amount = money.USD{} },
			func(v templates.AlertView) []string { return []string{v.Percent, v.MonthEndPercent, v.Amount} }, []string{"", "", "$0.00"}},
		{"a department without a name of its own", func(a *budget.Alert) { a.Scope = budget.Scope{Kind: budget.Department, Value: "Support"} },
			func(v templates.AlertView) []string { return []string{v.ScopeKind, v.Scope} }, []string{"department", "Support"}},
		{"a name equal to the value", func(a *budget.Alert) { a.Scope.Name = "00420" },
			func(v templates.AlertView) []string { return []string{v.Scope} }, []string{"00420"}},
		{"one held request", func(a *budget.Alert) { a.Held = 1 },
			func(v templates.AlertView) []string { return []string{v.Held} }, []string{"1"}},
		{"dates that are none", func(a *budget.Alert) { a.Month, a.AsOf = "soon", "later" },
			func(v templates.AlertView) []string { return []string{v.MonthName, v.AsOf, v.DayOf} }, []string{"soon", "later", ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.got(View(alert(test.change)))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
