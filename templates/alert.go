package templates

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The kinds of alert that AlertView.Kind may hold; any other reads as actual.
const (
	alertForecast   = "forecast"
	alertCorrection = "correction"
)

// The kinds of scope that AlertView.ScopeKind may hold; any other is named as it is.
const (
	ScopeDepartment  = "department"
	ScopeCostCenter  = "cost centre"
	ScopeCompany     = "company"
	ScopeUnallocated = "unallocated"
)

// AlertView is a budget alert as finished strings: amounts with their sign
// and currency ("$1,440.00"), percentages with theirs ("120%"). An empty
// string leaves its sentence out.
type AlertView struct {
	Kind      string // actual, forecast or correction
	Budget    string // support-october
	ScopeKind string // ScopeDepartment and the like
	Scope     string // Customer Support (00420); not shown for what is unallocated
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
	// MonthEnd is where the month ends at the present rate, empty where too few days
	// are over, and once it is over.
	MonthEnd, MonthEndPercent string
	Heading                   bool // it is news that the month ends above the budget

	Crossed   []string         // rising, at least one: 50%, 80%
	TakenBack []AlertTakenBack // what earlier messages said and no longer holds
	Drivers   []AlertDriver
	Held      string // how many requests, empty for none
	HeldOne   bool   // Held is "1"
	Channel   string // where the alert belongs
	Again     bool   // somebody asked to send it again
}

// AlertTakenBack is thresholds of a budget of an amount.
type AlertTakenBack struct {
	Amount     string
	Thresholds []string // rising, at least one
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
	each := func(texts []string) []string {
		all := make([]string, len(texts))
		for i, text := range texts {
			all[i] = data(text)
		}
		return all
	}
	back := make([]AlertTakenBack, len(a.TakenBack))
	for i, b := range a.TakenBack {
		back[i] = AlertTakenBack{Amount: data(b.Amount), Thresholds: each(b.Thresholds)}
	}
	drivers := make([]AlertDriver, len(a.Drivers))
	for i, d := range a.Drivers {
		drivers[i] = AlertDriver{Label: name(d.Label), Spent: data(d.Spent)}
	}
	a.Crossed, a.TakenBack, a.Drivers = each(a.Crossed), back, drivers
	return a
}

// alertTitle is the headline: what is wrong, whose budget, which month.
func alertTitle(a AlertView) string {
	whose := a.Scope + ", " + a.MonthName
	if a.ScopeKind == ScopeUnallocated {
		whose = "unallocated usage, " + a.MonthName
	}
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

// alertWho names who has the budget, as the subject of a sentence.
func alertWho(a AlertView, strong func(string) string) string {
	if a.ScopeKind == ScopeUnallocated {
		return strong("unallocated usage")
	}
	return "the " + a.ScopeKind + " " + strong(a.Scope)
}

// alertLead is the message in two or three lines: how much of how much, what
// that crosses, and what is left.
func alertLead(a AlertView, strong func(string) string) []string {
	who := alertWho(a, strong)
	spent := func(of string) string { return sentence(who + " has spent " + of) }
	if a.ScopeKind == ScopeUnallocated {
		spent = func(of string) string { return sentence(who + " has cost " + of) }
	}
	switch a.Kind {
	case alertCorrection:
		if !a.Heading {
			a.MonthEnd = ""
		}
		return withoutEmpty(
			alertTakenBack(a, "An earlier message said that "+who),
			spent(fmt.Sprintf("%s budget for %s%s.", strong(a.Spent+" of its "+a.Amount), a.MonthName, inBrackets(a.Percent))),
			alertMonthEnd(a, strong),
			"A new message comes when it crosses a threshold again.",
		)
	case alertForecast:
		return withoutEmpty(
			spent(fmt.Sprintf("%s of its %s budget for %s%s. At this rate the month ends at %s.",
				a.Spent, a.Amount, a.MonthName, inBrackets(a.Percent), strong(a.MonthEnd+inBrackets(a.MonthEndPercent)))),
			alertRoom(a),
		)
	}
	return withoutEmpty(
		spent(fmt.Sprintf("%s budget for %s%s. That crosses %s.",
			strong(a.Spent+" of its "+a.Amount), a.MonthName, inBrackets(a.Percent), thresholds(a.Crossed))),
		alertRoom(a),
		alertMonthEnd(a, strong),
		alertTakenBack(a, "An earlier message said that it"),
	)
}

// alertTakenBack takes back what an earlier message said; who is how that begins.
func alertTakenBack(a AlertView, who string) string {
	if len(a.TakenBack) == 0 {
		return ""
	}
	crossed := make([]string, len(a.TakenBack))
	for i, back := range a.TakenBack {
		crossed[i] = listed(back.Thresholds, "and") + " of a " + back.Amount + " budget"
		if back.Amount == a.Amount {
			crossed[i] = listed(back.Thresholds, "and") + " of its " + back.Amount + " budget"
		}
	}
	return fmt.Sprintf("%s had crossed %s for %s. That no longer holds: costs, or who bears them, were corrected.", who, listed(crossed, "and"), a.MonthName)
}

// sentence begins with a capital letter, also behind a sign of layout.
func sentence(s string) string {
	at := strings.IndexFunc(s, unicode.IsLetter)
	if at < 0 {
		return s
	}
	first, size := utf8.DecodeRuneInString(s[at:])
	return s[:at] + string(unicode.ToUpper(first)) + s[at+size:]
}

// capital begins a sentence with an amount, which may be "less than $0.01".
func capital(amount string) string {
	if rest, is := strings.CutPrefix(amount, "less"); is {
		return "Less" + rest
	}
	return amount
}

// alertRoom says what is left, or how far over it is.
func alertRoom(a AlertView) string {
	switch {
	case a.Over != "":
		return "It is " + a.Over + " over."
	case a.Left == "":
		return "Nothing is left."
	case a.LeftPerDay == "":
		return capital(a.Left) + " is left."
	}
	return fmt.Sprintf("%s is left for %s, %s a day; so far it was %s a day.", capital(a.Left), a.DaysLeft, a.LeftPerDay, a.SpentPerDay)
}

// alertMonthEnd says where the month is heading.
func alertMonthEnd(a AlertView, strong func(string) string) string {
	end := a.MonthEnd + inBrackets(a.MonthEndPercent)
	switch {
	case a.MonthEnd == "":
		return ""
	case a.Heading:
		return "At this rate the month ends at " + strong(end) + ", over budget."
	}
	return "At this rate the month ends at " + end + "."
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
	step := alertStep{
		command: "chargeback report agents --month " + a.Month, shows: "what each agent cost",
		advice: "If this spending is planned, ask for a higher budget; if it is not, talk to the agents' owners.",
	}
	switch a.ScopeKind {
	case ScopeCompany:
		step.command, step.shows = "chargeback report departments --month "+a.Month, "what each department cost"
		step.advice = "If this spending is planned, ask for a higher budget; if it is not, talk to the departments."
	case ScopeUnallocated:
		step.command, step.shows = "chargeback report users --department UNALLOCATED --month "+a.Month, "who used it"
		step.advice = "Add these people to the people file, or the agents to the directory: the next run charges it to their cost centres."
	}
	if a.Kind == alertCorrection {
		step.shows, step.advice = "the corrected figures", "There is nothing else to do."
	}
	return step
}

// alertFoot says which budget it is and how current the figures are.
func alertFoot(a AlertView, separator string) string {
	again := ""
	if a.Again {
		again = "sent again on request"
	}
	return strings.Join(withoutEmpty("Budget "+a.Budget, a.DayOf, "costs up to "+a.AsOf, again), separator)
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
