// Package budget decides which budget alerts a month's spend calls for.
//
// It owns: what a budget, its spend and an alert are; the rule that a
// threshold is crossed exactly, never by a rounded percentage; the rule that
// there is one message per budget, month, threshold and kind, ever; the one
// correction when a restatement takes a crossing back; and the linear
// forecast.
// It does not own: where spend is summed and where raised keys are kept
// (billing/ledger), how an alert is worded (templates) or sent
// (billing/notify), and which budgets exist (config).
//
// A key holds no amount. A budget whose amount is changed inside a month
// therefore stays silent at thresholds it has already told about; giving it
// another name makes it a new budget that tells about all of them.
package budget

import "chargeback/transform/money"

// The kinds of scope that a budget can cover.
const (
	Department = "department"
	CostCenter = "cost_center"
)

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
// cost centre's code as text ("00420"); Name is what people call it and may
// be empty.
type Scope struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
	Name  string `json:"name,omitempty"`
}

// Covers says whether a row of spend belongs to the scope.
func (s Scope) Covers(row Spend) bool {
	switch s.Kind {
	case Department:
		return row.Department == s.Value
	case CostCenter:
		return row.CostCenter == s.Value
	}
	return false
}

// Budget is what a scope may spend in each month. Name is part of every key,
// so it must be unique and stay the same. Thresholds are whole percent, in
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

// Raised is a key that an earlier alert carried, whatever became of the alert.
type Raised struct{ Key string }

// Alert is one message about one budget.
type Alert struct {
	// ID is the key of the highest threshold in Crossed. No two alerts share one.
	ID     string    `json:"id"`
	Kind   string    `json:"kind"`
	Budget string    `json:"budget"`
	Month  string    `json:"month"` // 2026-10
	Scope  Scope     `json:"scope"`
	Amount money.USD `json:"amount_usd"`
	Spent  money.USD `json:"spent_usd"`
	// Forecast is what the month ends at if spending goes on at its average so
	// far. It is filled for every kind and equals Spent once the month is over.
	Forecast money.USD `json:"forecast_usd"`
	// Percent is Spent in whole percent of Amount, rounded down; 0 where the
	// budget is not above zero.
	Percent int64 `json:"percent"`
	// Crossed holds, rising, the thresholds that this alert is the first to
	// report; in a correction, those that are no longer crossed.
	Crossed []int `json:"crossed"`
	// Keys has one key per threshold of Crossed, in the same order.
	Keys    []string `json:"keys"`
	AsOf    string   `json:"as_of"` // last business day in Spent, 2026-10-31
	Channel string   `json:"channel"`
	// Drivers is filled by the caller, dearest first: Evaluate sees no agents.
	Drivers []Driver `json:"drivers,omitempty"`
	Held    int64    `json:"held"`
}
