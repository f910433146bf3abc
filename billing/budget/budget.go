// Package budget decides which budget alerts a month's spend calls for.
//
// It owns: what a budget, its spend and an alert are; the rule that a
// threshold is crossed exactly, never by a rounded percentage; what people
// have been told, read from the alerts of the month in the order in which they
// were raised; the rule that there is one message per budget, amount, month,
// threshold and kind until a correction takes it back; that unsent messages
// fold into the next; and the linear forecast.
// It does not own: where spend is summed (billing/records) and where alerts are
// kept (billing/outbox), how an alert is worded (templates) or sent
// (billing/notify), and which budgets exist (config).
package budget

import "chargeback/transform/money"

// The kinds of scope that a budget can cover.
const (
	Department = "department"
	CostCenter = "cost_center"
	// Company is the whole company, with what is unallocated.
	Company = "company"
)

// Unallocated is the department and the cost centre of spend that no rule
// could attribute; a budget may cover it by either.
const Unallocated = "UNALLOCATED"

// The kinds of alert.
const (
	// Actual says that the month's spend has crossed thresholds.
	Actual = "actual"
	// Forecast says that the spend, at its present rate, will pass the budget.
	Forecast = "forecast"
	// Correction takes back thresholds that an Actual alert named.
	Correction = "correction"
)

// Scope is whose spend a budget covers. Value is the department's name or the
// cost centre's code as text ("00420"), and empty for the company; Name is what
// people call it and may be empty.
type Scope struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
	Name  string `json:"name,omitempty"`
}

// String says in words which spend it is.
func (s Scope) String() string {
	switch s.Kind {
	case Company:
		return "the whole company"
	case CostCenter:
		return "cost centre " + s.Value
	}
	return s.Kind + " " + s.Value
}

// same says whether two scopes cover the same spend, whatever they are called.
func (s Scope) same(other Scope) bool { return s.Kind == other.Kind && s.Value == other.Value }

// Covers says whether a row of spend belongs to the scope.
func (s Scope) Covers(row Spend) bool {
	switch s.Kind {
	case Department:
		return row.Department == s.Value
	case CostCenter:
		return row.CostCenter == s.Value
	case Company:
		return true
	}
	return false
}

// Budget is what a scope may spend in each month. Name and Amount are part of
// every key: Name must be unique, and another amount begins a new series of
// thresholds. Thresholds are whole percent, in
// any order; config refuses an amount that is not above zero, and where one
// arrives here all the same, any spend crosses every threshold.
type Budget struct {
	Name       string
	Scope      Scope
	Amount     money.USD
	Thresholds []int
	Forecast   bool
	Channel    string
}

// Spend is what one cost centre has spent in the month so far. Held counts
// the requests that have no cost yet, so Actual lacks them.
type Spend struct {
	Department string
	CostCenter string
	Actual     money.USD
	Held       int64
}

// Driver is one agent's share of the spend that an alert reports.
type Driver struct {
	Label string    `json:"label"`
	Spent money.USD `json:"spent"`
}

// Alert is one message about one budget.
type Alert struct {
	// ID is the last of Keys. No two alerts share one.
	ID string `json:"id"`
	// Kind is what the alert says first: Actual where it reports thresholds, else
	// Correction where it takes some back, else Forecast.
	Kind   string    `json:"kind"`
	Budget string    `json:"budget"`
	Month  string    `json:"month"` // 2026-10
	Scope  Scope     `json:"scope"`
	Amount money.USD `json:"amount_usd"`
	Spent  money.USD `json:"spent_usd"`
	// Forecast is what the month ends at if spending goes on at its average so
	// far. There is none, and it is zero, while CanForecast says no.
	Forecast money.USD `json:"forecast_usd,omitzero"`
	// Percent is Spent of Amount by ShownPercent.
	Percent int64 `json:"percent"`
	// Crossed holds, rising, the thresholds that the alert's kind is about: those
	// that this alert is the first to report; in a correction, those that are no
	// longer crossed; in a forecast, the one that it is measured against.
	Crossed []int `json:"crossed"`
	// TakenBack is what earlier alerts said and no longer holds, by the amount that
	// they named. Corrections of earlier versions have none: they took Crossed back.
	TakenBack []TakenBack `json:"taken_back,omitempty"`
	// Heading says that the alert is the first to tell that the month will end
	// above the budget. It is set on other kinds than Forecast.
	Heading bool `json:"heading,omitempty"`
	// Keys name what the alert tells, each once for ever:
	// budget/month/amount/threshold/kind/arming. The budget's name is escaped, so
	// that a key is one word.
	Keys []string `json:"keys"`
	AsOf string   `json:"as_of"` // last business day in Spent, 2026-10-31
	// DaysElapsed and DaysLeft are the days of the books in the month up to AsOf
	// and after it. Alerts of earlier versions have neither.
	DaysElapsed int    `json:"days_elapsed,omitempty"`
	DaysLeft    int    `json:"days_left,omitempty"`
	Channel     string `json:"channel"` // when it was raised
	// Drivers is filled by the caller, dearest first: Evaluate sees no agents.
	Drivers []Driver `json:"drivers,omitempty"`
	Held    int64    `json:"held"`
}

// TakenBack is thresholds of a budget of an amount that are no longer crossed.
type TakenBack struct {
	Amount     money.USD `json:"amount_usd"`
	Thresholds []int     `json:"thresholds"` // rising
}

// CanForecast says whether enough days are over, and some are left, for a
// forecast to mean anything.
func (a Alert) CanForecast() bool { return a.DaysElapsed >= forecastDaysMin && a.DaysLeft > 0 }
