package budget

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chargeback/transform/money"
)

func usd(s string) money.USD { return money.MustParse(s) }

func support(thresholds ...int) Budget {
	return Budget{
		Name: "support", Scope: Scope{Kind: Department, Value: "Support", Name: "Support"},
		Amount: usd("1200"), Thresholds: thresholds, Channel: "#support-ai-costs",
	}
}

func withForecast(b Budget) Budget { b.Forecast = true; return b }

func withAmount(b Budget, amount string) Budget { b.Amount = usd(amount); return b }

func spends(amount string) []Spend {
	return []Spend{{Department: "Support", CostCenter: "00420", Actual: usd(amount)}}
}

func raisedKeys(keys ...string) []Raised {
	var raised []Raised
	for _, k := range keys {
		raised = append(raised, Raised{Key: k})
	}
	return raised
}

// allKeys lists the alerts' keys in the order they came.
func allKeys(alerts []Alert) []string {
	var keys []string
	for _, a := range alerts {
		keys = append(keys, a.Keys...)
	}
	return keys
}

// Goal: the keys that one evaluation raises, case by case.
// Method: one budget of 1,200.00, one day of October, a list of earlier keys.
func TestEvaluateRaises(t *testing.T) {
	const day10 = 10
	for _, test := range []struct {
		name   string
		budget Budget
		spent  string
		days   int
		raised []Raised
		want   []string
	}{
		{"below every threshold", support(50, 80, 100), "599.999999999999", day10, nil, nil},
		{"exactly at a threshold", support(50, 80, 100), "600", day10, nil, []string{"support/2026-10/50/actual"}},
		{"a jump from 30 to 120 percent is one alert", support(50, 80, 100), "1440", day10, nil,
			[]string{"support/2026-10/50/actual", "support/2026-10/80/actual", "support/2026-10/100/actual"}},
		{"thresholds in any order and doubled", support(100, 50, 80, 50), "960", day10, nil,
			[]string{"support/2026-10/50/actual", "support/2026-10/80/actual"}},
		{"only what is new", support(50, 80, 100), "1000", day10,
			raisedKeys("support/2026-10/50/actual"), []string{"support/2026-10/80/actual"}},
		{"nothing is new", support(50, 80, 100), "1000", day10,
			raisedKeys("support/2026-10/80/actual", "support/2026-10/50/actual"), nil},
		{"a key of another month does not count", support(50), "600", day10,
			raisedKeys("support/2026-09/50/actual"), []string{"support/2026-10/50/actual"}},
		{"a restatement takes two thresholds back in one correction", support(50, 80, 100), "700", day10,
			raisedKeys("support/2026-10/50/actual", "support/2026-10/80/actual", "support/2026-10/100/actual"),
			[]string{"support/2026-10/80/correction", "support/2026-10/100/correction"}},
		{"a correction comes once", support(50, 80), "700", day10,
			raisedKeys("support/2026-10/50/actual", "support/2026-10/80/actual", "support/2026-10/80/correction"), nil},
		{"crossed again after a correction stays silent", support(50, 80), "1000", day10,
			raisedKeys("support/2026-10/50/actual", "support/2026-10/80/actual", "support/2026-10/80/correction"), nil},
		{"a threshold added below one that is taken back", support(40, 50), "500", day10,
			raisedKeys("support/2026-10/50/actual"),
			[]string{"support/2026-10/40/actual", "support/2026-10/50/correction"}},
		{"forecast is not asked for", support(100), "400", day10, nil, nil},
		{"forecast reaches the budget exactly", withForecast(support(100)), "387.096774193549", day10, nil,
			[]string{"support/2026-10/100/forecast"}},
		{"forecast stays a pico-dollar below", withForecast(support(100)), "387.096774193548", day10, nil, nil},
		{"forecast was told", withForecast(support(100)), "400", day10, raisedKeys("support/2026-10/100/forecast"), nil},
		{"forecast adds nothing to a crossed 100", withForecast(support(100)), "1300", day10, nil,
			[]string{"support/2026-10/100/actual"}},
		{"forecast speaks where 100 is no threshold", withForecast(support(50)), "1300", day10, nil,
			[]string{"support/2026-10/50/actual", "support/2026-10/100/forecast"}},
		{"no forecast on the last day", withForecast(support(50)), "1300", 31, nil, []string{"support/2026-10/50/actual"}},
		{"no forecast before the first day is over", withForecast(support(50)), "1300", 0, nil, []string{"support/2026-10/50/actual"}},
		{"a falling forecast is no correction", withForecast(support(100)), "10", day10, raisedKeys("support/2026-10/100/forecast"), nil},
		{"a budget of zero and no spend", withAmount(support(50, 100), "0"), "0", day10, nil, nil},
		{"a budget of zero and any spend", withAmount(support(50, 100), "0"), "0.000000000001", day10, nil,
			[]string{"support/2026-10/50/actual", "support/2026-10/100/actual"}},
		{"credits exceed spend", withForecast(support(50)), "-20", day10, nil, nil},
		{"another department's spend", Budget{Name: "hr", Scope: Scope{Kind: Department, Value: "HR"}, Amount: usd("1"), Thresholds: []int{50}}, "900", day10, nil, nil},
		{"a scope of unknown kind covers nothing", Budget{Name: "x", Scope: Scope{Kind: "team", Value: "Support"}, Amount: usd("1"), Thresholds: []int{50}}, "900", day10, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			alerts := Evaluate("2026-10", "2026-10-10", test.days, 31, []Budget{test.budget}, spends(test.spent), test.raised)
			if diff := cmp.Diff(test.want, allKeys(alerts)); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}

// Goal: every field of an alert, summed over the cost centres of a department.
// Method: compare the whole JSON, which is also what a store keeps, and read it back.
func TestEvaluateFillsTheAlert(t *testing.T) {
	spend := []Spend{
		{Department: "Support", CostCenter: "00420", Actual: usd("700.5"), Held: 2},
		{Department: "Support", CostCenter: "00421", Actual: usd("300.25"), Held: 1},
		{Department: "Sales", CostCenter: "CC-1", Actual: usd("9999"), Held: 40},
	}
	alerts := Evaluate("2026-10", "2026-10-20", 20, 31, []Budget{support(50, 80, 100)}, spend, nil)
	got, err := json.MarshalIndent(alerts, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want := `[
 {
  "id": "support/2026-10/80/actual",
  "kind": "actual",
  "budget": "support",
  "month": "2026-10",
  "scope": {
   "kind": "department",
   "value": "Support",
   "name": "Support"
  },
  "amount_usd": "1200.00",
  "spent_usd": "1000.75",
  "forecast_usd": "1551.1625",
  "percent": 83,
  "crossed": [
   50,
   80
  ],
  "keys": [
   "support/2026-10/50/actual",
   "support/2026-10/80/actual"
  ],
  "as_of": "2026-10-20",
  "channel": "#support-ai-costs",
  "held": 3
 }
]`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("alert (-want +got):\n%s", diff)
	}
	var back []Alert
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(alerts, back, cmp.Comparer(money.USD.Equal)); diff != "" {
		t.Errorf("alert read back (-want +got):\n%s", diff)
	}
}

func TestEvaluateSorts(t *testing.T) {
	center := Budget{Name: "a-center", Scope: Scope{Kind: CostCenter, Value: "00420"}, Amount: usd("900"), Thresholds: []int{100}}
	low := withForecast(withAmount(support(80, 90), "1100"))
	alerts := Evaluate("2026-10", "2026-10-10", 10, 31, []Budget{low, center}, spends("900"), raisedKeys("support/2026-10/90/actual"))
	want := []string{
		"a-center/2026-10/100/actual",
		"support/2026-10/80/actual", "support/2026-10/90/correction", "support/2026-10/100/forecast",
	}
	if diff := cmp.Diff(want, allKeys(alerts)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestForecast(t *testing.T) {
	for _, test := range []struct {
		name        string
		spent       string
		days, month int
		want        string
	}{
		{"whole", "100", 10, 30, "300"},
		{"a half pico is rounded up", "0.000000000001", 2, 31, "0.000000000016"},
		{"below a half is cut", "0.000000000001", 3, 31, "0.00000000001"},
		{"a negative half goes away from zero", "-0.000000000001", 2, 31, "-0.000000000016"},
		{"nothing spent", "0", 3, 31, "0"},
		{"the last day", "100", 31, 31, "100"},
		{"after the month", "100", 33, 31, "100"},
		{"no day yet", "100", 0, 31, "100"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := forecast(usd(test.spent), test.days, test.month); !got.Equal(usd(test.want)) {
				t.Errorf("forecast = %s, want %s", got, test.want)
			}
		})
	}
}

func TestPercent(t *testing.T) {
	for _, test := range []struct {
		name, spent, amount string
		want                int64
	}{
		{"rounded down", "959.99", "1200", 79},
		{"exact", "960", "1200", 80},
		{"a pico-dollar below, of a large budget", "7999999.999999999999", "10000000", 79},
		{"a credit", "-1", "1200", -1},
		{"no budget", "5", "0", 0},
		{"beyond 64 bits", "1000000000000", "0.000000000001", 9223372036854775807},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := percent(usd(test.spent), usd(test.amount)); got != test.want {
				t.Errorf("percent = %d, want %d", got, test.want)
			}
		})
	}
}

func TestStatuses(t *testing.T) {
	budgets := []Budget{
		support(50, 80, 100),
		{Name: "a-center", Scope: Scope{Kind: CostCenter, Value: "00420"}, Amount: usd("900"), Thresholds: []int{100}},
	}
	spend := append(spends("1300.50"), Spend{Department: "Support", CostCenter: "00421", Actual: usd("0.5"), Held: 4})
	got := Statuses(budgets, spend)
	want := []Status{
		{Budget: "a-center", Scope: budgets[1].Scope, Amount: usd("900"), Spent: usd("1300.50"), Remaining: usd("-400.5"), Percent: 144, Crossed: 100},
		{Budget: "support", Scope: budgets[0].Scope, Amount: usd("1200"), Spent: usd("1301"), Remaining: usd("-101"), Percent: 108, Crossed: 100, Held: 4},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(money.USD.Equal)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if !slices.Equal(budgets[0].Thresholds, []int{50, 80, 100}) {
		t.Error("Statuses changed its input")
	}
}
