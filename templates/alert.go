package templates

import (
	"cmp"
	"fmt"
	"strings"
)

// The kinds of alert that AlertView.Kind may hold; any other reads as actual.
const (
	alertForecast   = "forecast"
	alertCorrection = "correction"
)

// AlertView is a budget alert as finished strings: amounts with their sign
// and currency ("$1,440.00"), percentages with theirs ("120%"). An empty
// string leaves its sentence out.
type AlertView struct {
	Kind      string // actual, forecast or correction
	Budget    string // support-october
	ScopeKind string // department or cost centre
	Scope     string // Customer Support (00420)
	Month     string // 2026-10, for commands
	MonthName string // October 2026
	AsOf      string // 2026-10-17
	DayOf     string // day 17 of 31, or month complete

	Spent   string
	Amount  string
	Percent string // empty where the budget is zero
	// Left and Over: one of the two, or none where exactly everything is spent.
	Left, Over string
	// DaysLeft, LeftPerDay and SpentPerDay say what is left for the days left
	// ("14 days"); empty once the month is over.
	DaysLeft, LeftPerDay, SpentPerDay string
	// MonthEnd is where the month ends at the present rate, empty once it is over.
	MonthEnd, MonthEndPercent string

	Crossed []string // rising, at least one: 50%, 80%
	Drivers []AlertDriver
	Held    string // how many requests, empty for none
	HeldOne bool   // Held is "1"
	Channel string // where the alert belongs
}

// AlertDriver is one agent and what it spent.
type AlertDriver struct{ Label, Spent string }

// alertDriversMax is how many drivers a message names.
const alertDriversMax = 5

const (
	alertDriversTitle = "Where it went"
	alertHeldCommand  = "chargeback status"
)

// alertStep is what the reader can do next: run command, which shows
// something, then follow advice.
type alertStep struct{ command, shows, advice string }

// withData returns a copy in which every piece of data is cut to a readable
// length and escaped. Words are added only after that.
func (a AlertView) withData(escape func(string) string) AlertView {
	data := func(s string) string { return escape(Truncate(CleanLine(s), dataUnitsMax)) }
	name := func(s string) string { return cmp.Or(data(s), "(unnamed)") }
	a.Budget, a.Scope = name(a.Budget), name(a.Scope)
	for _, field := range []*string{
		&a.ScopeKind, &a.Month, &a.MonthName, &a.AsOf, &a.DayOf,
		&a.Spent, &a.Amount, &a.Percent, &a.Left, &a.Over, &a.DaysLeft, &a.LeftPerDay, &a.SpentPerDay,
		&a.MonthEnd, &a.MonthEndPercent, &a.Held, &a.Channel,
	} {
		*field = data(*field)
	}
	crossed := make([]string, len(a.Crossed))
	for i, c := range a.Crossed {
		crossed[i] = data(c)
	}
	drivers := make([]AlertDriver, len(a.Drivers))
	for i, d := range a.Drivers {
		drivers[i] = AlertDriver{Label: name(d.Label), Spent: data(d.Spent)}
	}
	a.Crossed, a.Drivers = crossed, drivers
	return a
}

// alertTitle is the headline: what is wrong, whose budget, which month.
func alertTitle(a AlertView) string {
	whose := a.Scope + ", " + a.MonthName
	switch {
	case a.Kind == alertCorrection:
		return "Correction: back below " + lowest(a.Crossed) + ": " + whose
	case a.Kind == alertForecast:
		return "Heading over budget: " + whose
	case a.Over != "":
		return "Over budget: " + whose
	case a.Left == "":
		return "Budget used up: " + whose
	}
	return "Budget " + a.Percent + " used: " + whose
}

// alertLead is the message in two or three lines: how much of how much, what
// that crosses, and what is left.
func alertLead(a AlertView, strong func(string) string) []string {
	whose := fmt.Sprintf("%s %s", a.ScopeKind, strong(a.Scope))
	switch a.Kind {
	case alertCorrection:
		return []string{
			fmt.Sprintf("An earlier message said that the %s had crossed %s of its %s budget for %s. That no longer holds: costs were corrected or the budget was changed, and it has now spent %s.",
				whose, listed(a.Crossed, "and"), a.Amount, a.MonthName, strong(a.Spent+inBrackets(a.Percent))),
			fmt.Sprintf("There will be no further message this month when it crosses %s again.", listed(a.Crossed, "or")),
		}
	case alertForecast:
		return withoutEmpty(
			fmt.Sprintf("The %s has spent %s of its %s budget for %s%s. At this rate the month ends at %s.",
				whose, a.Spent, a.Amount, a.MonthName, inBrackets(a.Percent), strong(a.MonthEnd+inBrackets(a.MonthEndPercent))),
			alertRoom(a),
		)
	}
	return withoutEmpty(
		fmt.Sprintf("The %s has spent %s budget for %s%s. That crosses %s.",
			whose, strong(a.Spent+" of its "+a.Amount), a.MonthName, inBrackets(a.Percent), thresholds(a.Crossed)),
		alertRoom(a),
		alertMonthEnd(a),
	)
}

// alertRoom says what is left, or how far over it is.
func alertRoom(a AlertView) string {
	switch {
	case a.Over != "":
		return "It is " + a.Over + " over."
	case a.Left == "":
		return "Nothing is left."
	case a.LeftPerDay == "":
		return a.Left + " is left."
	}
	return fmt.Sprintf("%s is left for %s, %s a day; so far it was %s a day.", a.Left, a.DaysLeft, a.LeftPerDay, a.SpentPerDay)
}

// alertMonthEnd says where the month is heading.
func alertMonthEnd(a AlertView) string {
	if a.MonthEnd == "" {
		return ""
	}
	return "At this rate the month ends at " + a.MonthEnd + inBrackets(a.MonthEndPercent) + "."
}

// alertDrivers is one line per agent, dearest first.
func alertDrivers(a AlertView) []string {
	var lines []string
	for i, d := range a.Drivers {
		if i == alertDriversMax {
			return append(lines, fmt.Sprintf("and %d more", len(a.Drivers)-i))
		}
		lines = append(lines, d.Spent+"  "+d.Label)
	}
	return lines
}

// alertHeld says what the figures lack.
func alertHeld(a AlertView) string {
	switch {
	case a.Held == "":
		return ""
	case a.HeldOne:
		return "1 request is held and not in these figures yet."
	}
	return a.Held + " requests are held and not in these figures yet."
}

// alertNext says what the reader can do.
func alertNext(a AlertView) alertStep {
	step := alertStep{command: "chargeback report agents --month " + a.Month}
	if a.Kind == alertCorrection {
		step.shows, step.advice = "the corrected figures", "There is nothing else to do."
		return step
	}
	step.shows = "what each agent cost"
	step.advice = "If this spending is planned, ask for a higher budget; if it is not, talk to the agents' owners."
	return step
}

// alertFoot says which budget it is and how current the figures are.
func alertFoot(a AlertView, separator string) string {
	return strings.Join(withoutEmpty("Budget "+a.Budget, a.DayOf, "costs up to "+a.AsOf), separator)
}

// thresholds names the thresholds that were crossed.
func thresholds(crossed []string) string {
	if len(crossed) == 1 {
		return "the " + crossed[0] + " threshold"
	}
	return "the thresholds " + listed(crossed, "and")
}

// listed joins words as a sentence does: a, b and c.
func listed(words []string, conjunction string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " " + conjunction + " " + words[last]
}

// lowest is the first of rising thresholds.
func lowest(crossed []string) string {
	if len(crossed) == 0 {
		return "its thresholds"
	}
	return crossed[0]
}

// inBrackets puts a value behind another one, or nothing where it is empty.
func inBrackets(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// withoutEmpty drops the sentences that have nothing to say.
func withoutEmpty(lines ...string) []string {
	var kept []string
	for _, line := range lines {
		if line != "" {
			kept = append(kept, line)
		}
	}
	return kept
}
