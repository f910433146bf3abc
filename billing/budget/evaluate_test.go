package budget

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
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

func withScope(b Budget, s Scope) Budget { b.Scope = s; return b }

func spends(amount string) []Spend {
	return []Spend{{Department: "Support", CostCenter: "00420", Actual: usd(amount)}}
}

// october is the period after some days of October 2026.
func october(days int) Period {
	return Period{Month: "2026-10", AsOf: fmt.Sprintf("2026-10-%02d", days), DaysElapsed: days, DaysLeft: 31 - days}
}

// alerted is an earlier alert of the budget support, of 1,200.00.
func alerted(kind string, fate Fate, crossed ...int) Earlier {
	a := Alert{Budget: "support", Month: "2026-10", Kind: kind, Scope: support().Scope, Amount: usd("1200"), Crossed: crossed}
	if kind == Correction {
		a.TakenBack = []TakenBack{{a.Amount, crossed}}
	}
	a.name(map[string]bool{})
	return Earlier{Alert: a, Fate: fate}
}

// like changes an earlier alert.
func like(e Earlier, change func(*Alert)) Earlier {
	change(&e.Alert)
	e.Alert.Keys = nil
	e.Alert.name(map[string]bool{})
	return e
}

func ofAmount(e Earlier, amount string) Earlier {
	return like(e, func(a *Alert) {
		a.Amount = usd(amount)
		for i := range a.TakenBack {
			a.TakenBack[i].Amount = a.Amount
		}
	})
}

// ofEarlierVersion has keys that hold no amount, and no details of a correction.
func ofEarlierVersion(e Earlier) Earlier {
	e.Alert.TakenBack, e.Alert.Keys = nil, nil
	for _, threshold := range e.Alert.Crossed {
		e.Alert.Keys = append(e.Alert.Keys, fmt.Sprintf("support/2026-10/%d/%s", threshold, e.Alert.Kind))
	}
	e.Alert.ID = e.Alert.Keys[len(e.Alert.Keys)-1]
	return e
}

// told lists what changes tell: the keys without budget and month, and what is folded.
func told(changes []Change) (all []string) {
	for _, c := range changes {
		for _, id := range c.Folds {
			all = append(all, "folds "+strings.TrimPrefix(id, "support/2026-10/"))
		}
		if c.Alert == nil {
			continue
		}
		for _, k := range c.Alert.Keys {
			if c.Renews {
				k = "renews " + k
			}
			all = append(all, strings.Replace(k, "support/2026-10/", "", 1))
		}
	}
	return all
}

// Goal: what one evaluation tells, case by case.
// Method: one budget of 1,200.00, one day of October, a list of earlier alerts.
func TestEvaluateTells(t *testing.T) {
	const day10 = 10
	actual := func(crossed ...int) Earlier { return alerted(Actual, Told, crossed...) }
	correction := func(crossed ...int) Earlier { return alerted(Correction, Told, crossed...) }
	headed := alerted(Forecast, Told, 100)
	for _, test := range []struct {
		name    string
		budget  Budget
		spent   string
		days    int
		earlier []Earlier
		want    []string
	}{
		{"below every threshold", support(50, 80, 100), "599.999999999999", day10, nil, nil},
		{"exactly at a threshold", support(50, 80, 100), "600", day10, nil, []string{"1200.00/50/actual/1"}},
		{"a jump from 30 to 120 percent is one alert", support(50, 80, 100), "1440", day10, nil,
			[]string{"1200.00/50/actual/1", "1200.00/80/actual/1", "1200.00/100/actual/1"}},
		{"thresholds in any order and doubled", support(100, 50, 80, 50), "960", day10, nil, []string{"1200.00/50/actual/1", "1200.00/80/actual/1"}},
		{"only what is new", support(50, 80, 100), "1000", day10, []Earlier{actual(50)}, []string{"1200.00/80/actual/1"}},
		{"nothing is new", support(50, 80, 100), "1000", day10, []Earlier{actual(50), actual(80)}, nil},
		{"another budget's alerts do not count", support(50), "600", day10,
			[]Earlier{like(actual(50), func(a *Alert) { a.Budget = "sales" })}, []string{"1200.00/50/actual/1"}},
		{"alerts of other spend under the same name do not count, but their keys stay taken", support(50), "600", day10,
			[]Earlier{like(actual(50), func(a *Alert) { a.Scope = Scope{Kind: CostCenter, Value: "00420"} })}, []string{"1200.00/50/actual/2"}},

		{"a restatement takes two thresholds back in one correction", support(50, 80, 100), "700", day10,
			[]Earlier{actual(50, 80, 100)}, []string{"1200.00/80/correction/1", "1200.00/100/correction/1"}},
		{"a correction comes once", support(50, 80), "700", day10, []Earlier{actual(50, 80), correction(80)}, nil},
		{"what was taken back is armed again", support(50, 80), "1000", day10, []Earlier{actual(50, 80), correction(80)}, []string{"1200.00/80/actual/2"}},
		{"and taken back again", support(50, 80), "700", day10,
			[]Earlier{actual(50, 80), correction(80), like(actual(80), func(*Alert) {})}, []string{"1200.00/80/correction/2"}},
		{"a threshold that is no longer in the settings is taken back all the same", support(50), "700", day10, []Earlier{actual(50, 80)}, []string{"1200.00/80/correction/1"}},
		{"one added below one that is taken back", support(40, 50), "500", day10, []Earlier{actual(50)},
			[]string{"1200.00/50/correction/1", "1200.00/40/actual/1"}},

		{"a raised budget is a new series", withAmount(support(50, 80, 100), "2000"), "1250", day10, []Earlier{actual(50, 80, 100)}, []string{"2000.00/50/actual/1"}},
		{"a raised budget takes back nothing by itself", withAmount(support(50, 80, 100), "9000"), "1250", day10, []Earlier{actual(50, 80, 100)}, nil},
		{"a lowered budget tells all of its thresholds", withAmount(support(50, 80, 100), "500"), "650", day10, []Earlier{actual(50)},
			[]string{"500.00/50/actual/1", "500.00/80/actual/1", "500.00/100/actual/1"}},
		{"a correction is held against the amount that was alerted", withAmount(support(50, 80, 100), "9000"), "700", day10, []Earlier{actual(50, 80)}, []string{"1200.00/80/correction/1"}},
		{"of every amount", withAmount(support(50), "500"), "100", day10, []Earlier{actual(50), ofAmount(actual(50, 80), "500")},
			[]string{"500.00/50/correction/1", "500.00/80/correction/1", "1200.00/50/correction/1"}},
		{"an earlier amount resumes its series", support(50, 80), "1000", day10, []Earlier{actual(50), ofAmount(actual(50), "2000")}, []string{"1200.00/80/actual/1"}},

		{"waiting alerts fold into the next", support(50, 80, 100), "1250", day10, []Earlier{alerted(Actual, Waiting, 50)},
			[]string{"folds 1200.00/50/actual/1", "1200.00/50/actual/2", "1200.00/80/actual/1", "1200.00/100/actual/1"}},
		{"a waiting one that still holds is renewed", support(50, 80, 100), "700", day10, []Earlier{alerted(Actual, Waiting, 50)}, []string{"renews 1200.00/50/actual/1"}},
		{"several that wait become one", support(50, 80, 100), "1000", day10, []Earlier{alerted(Actual, Waiting, 50), alerted(Actual, Waiting, 80)},
			[]string{"folds 1200.00/50/actual/1", "folds 1200.00/80/actual/1", "1200.00/50/actual/2", "1200.00/80/actual/2"}},
		{"nobody is told what was taken back before it was sent", support(50), "10", day10, []Earlier{alerted(Actual, Waiting, 50)}, []string{"folds 1200.00/50/actual/1"}},
		{"nor of a correction that no longer holds", support(50), "700", day10, []Earlier{actual(50), alerted(Correction, Waiting, 50)}, []string{"folds 1200.00/50/correction/1"}},
		{"a waiting one of another amount folds", withAmount(support(50), "2000"), "1000", day10, []Earlier{alerted(Actual, Waiting, 50)},
			[]string{"folds 1200.00/50/actual/1", "2000.00/50/actual/1"}},
		{"what was folded is no knowledge", support(50), "600", day10, []Earlier{alerted(Actual, Folded, 50)}, []string{"1200.00/50/actual/2"}},
		{"a waiting forecast folds into the crossing", withForecast(support(50)), "700", day10, []Earlier{alerted(Forecast, Waiting, 100)},
			[]string{"folds 1200.00/100/forecast/1", "1200.00/100/forecast/2", "1200.00/50/actual/1"}},

		{"alerts of earlier versions count", support(50, 80, 100), "1000", day10, []Earlier{ofEarlierVersion(actual(50))}, []string{"1200.00/80/actual/1"}},
		{"their corrections arm again", support(50, 80), "1000", day10, []Earlier{ofEarlierVersion(actual(50, 80)), ofEarlierVersion(correction(80))}, []string{"1200.00/80/actual/1"}},
		{"their corrections name the amount of then", withAmount(support(50, 80), "2000"), "1100", day10,
			[]Earlier{ofEarlierVersion(actual(50, 80)), ofEarlierVersion(ofAmount(correction(80), "2000"))}, []string{"2000.00/50/actual/1"}},

		{"forecast is not asked for", support(100), "400", day10, nil, nil},
		{"forecast reaches the budget exactly", withForecast(support(100)), "387.096774193549", day10, nil, []string{"1200.00/100/forecast/1"}},
		{"forecast stays a pico-dollar below", withForecast(support(100)), "387.096774193548", day10, nil, nil},
		{"forecast was told", withForecast(support(100)), "400", day10, []Earlier{headed}, nil},
		{"forecast of another amount was told", withAmount(withForecast(support(100)), "900"), "400", day10, []Earlier{headed}, []string{"900.00/100/forecast/1"}},
		{"forecast was told beside a crossing", withForecast(support(30, 100)), "400", day10,
			[]Earlier{like(actual(30), func(a *Alert) { a.Heading = true })}, nil},
		{"forecast adds nothing to a crossed 100", withForecast(support(100)), "1300", day10, nil, []string{"1200.00/100/actual/1"}},
		{"forecast and crossing are one message", withForecast(support(50)), "1300", day10, nil, []string{"1200.00/100/forecast/1", "1200.00/50/actual/1"}},
		{"no forecast on the last day", withForecast(support(50)), "1300", 31, nil, []string{"1200.00/50/actual/1"}},
		{"no forecast on the second day", withForecast(support(50)), "500", 2, nil, nil},
		{"a forecast on the third day", withForecast(support(50)), "500", 3, nil, []string{"1200.00/100/forecast/1"}},
		{"a falling forecast is no correction", withForecast(support(100)), "10", day10, []Earlier{headed}, nil},

		{"a budget of zero and no spend", withAmount(support(50, 100), "0"), "0", day10, nil, nil},
		{"a budget of zero and any spend", withAmount(support(50, 100), "0"), "0.000000000001", day10, nil, []string{"0.00/50/actual/1", "0.00/100/actual/1"}},
		{"credits exceed spend", withForecast(support(50)), "-20", day10, nil, nil},
		{"another department's spend", withScope(support(50), Scope{Kind: Department, Value: "HR"}), "900", day10, nil, nil},
		{"the whole company's", withScope(support(50), Scope{Kind: Company}), "900", day10, nil, []string{"1200.00/50/actual/1"}},
		{"a scope of unknown kind covers nothing", withScope(support(50), Scope{Kind: "team", Value: "Support"}), "900", day10, nil, nil},
		{"no spend at all", support(50), "0", day10, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			changes := Evaluate(october(test.days), []Budget{test.budget}, spends(test.spent), test.earlier)
			if diff := cmp.Diff(test.want, told(changes)); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
	if changes := Evaluate(october(10), nil, nil, nil); changes != nil {
		t.Errorf("without budgets: %v", changes)
	}
}

// Goal: a key is one word whatever the budget is called, and no two names share one.
func TestKeysOfNames(t *testing.T) {
	for name, want := range map[string]string{
		"R&D / ml ops": "R&D%20%2F%20ml%20ops/2026-10/1200.00/50/actual/1", "50%": "50%25/2026-10/1200.00/50/actual/1", "Vertrieb Süd": "Vertrieb%20S%C3%BCd/2026-10/1200.00/50/actual/1",
	} {
		b := support(50)
		b.Name = name
		if c := Evaluate(october(10), []Budget{b}, spends("700"), nil); c[0].Alert.ID != want {
			t.Errorf("id = %s, want %s", c[0].Alert.ID, want)
		}
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
	earlier := []Earlier{ofAmount(alerted(Actual, Told, 100), "1001")}
	alert := *Evaluate(october(20), []Budget{withForecast(support(50, 80, 100))}, spend, earlier)[0].Alert
	got, err := json.MarshalIndent(alert, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want := `{
 "id": "support/2026-10/1200.00/80/actual/1",
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
 "taken_back": [
  {
   "amount_usd": "1001.00",
   "thresholds": [
    100
   ]
  }
 ],
 "heading": true,
 "keys": [
  "support/2026-10/1200.00/100/forecast/1",
  "support/2026-10/1001.00/100/correction/1",
  "support/2026-10/1200.00/50/actual/1",
  "support/2026-10/1200.00/80/actual/1"
 ],
 "as_of": "2026-10-20",
 "days_elapsed": 20,
 "days_left": 11,
 "channel": "#support-ai-costs",
 "held": 3
}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("alert (-want +got):\n%s", diff)
	}
	var back Alert
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(alert, back, cmp.Comparer(money.USD.Equal)); diff != "" {
		t.Errorf("alert read back (-want +got):\n%s", diff)
	}
}

// Goal: a forecast of too few days is unknown, not zero.
func TestNoForecastOfFewDays(t *testing.T) {
	alert := Evaluate(october(2), []Budget{support(50)}, spends("700"), nil)[0].Alert
	text, err := json.Marshal(alert)
	if err != nil || strings.Contains(string(text), "forecast_usd") {
		t.Errorf("%v %s", err, text)
	}
}

func TestEvaluateSorts(t *testing.T) {
	center := Budget{Name: "a-center", Scope: Scope{Kind: CostCenter, Value: "00420"}, Amount: usd("900"), Thresholds: []int{100}}
	gone := support(50)
	gone.Name = "b-gone"
	gone.Scope.Value = "HR"
	waiting := like(alerted(Actual, Waiting, 50), func(a *Alert) { a.Budget = "b-gone" })
	changes := Evaluate(october(10), []Budget{support(50), gone, center}, spends("900"), []Earlier{waiting})
	want := []string{"a-center/2026-10/900.00/100/actual/1", "folds b-gone/2026-10/1200.00/50/actual/1", "1200.00/50/actual/1"}
	if diff := cmp.Diff(want, told(changes)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestForecast(t *testing.T) {
	for _, test := range []struct {
		name          string
		spent         string
		elapsed, left int
		want          string
	}{
		{"whole", "100", 10, 20, "300"},
		{"a half pico is rounded up", "0.000000000001", 2, 29, "0.000000000016"},
		{"below a half is cut", "0.000000000001", 3, 28, "0.00000000001"},
		{"a negative half goes away from zero", "-0.000000000001", 2, 29, "-0.000000000016"},
		{"nothing spent", "0", 3, 28, "0"},
		{"books that begin on the 21st", "40", 4, 7, "110"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := forecast(usd(test.spent), test.elapsed, test.left); !got.Equal(usd(test.want)) {
				t.Errorf("forecast = %s, want %s", got, test.want)
			}
		})
	}
}

// Goal: percents are rounded as amounts are, and never contradict what was crossed.
func TestShownPercent(t *testing.T) {
	for _, test := range []struct {
		name, spent, amount string
		thresholds          []int
		want                int64
	}{
		{"half up", "106.67", "100", nil, 107},
		{"half", "106.5", "100", nil, 107},
		{"below half", "106.49", "100", nil, 106},
		{"exact", "960", "1200", []int{80}, 80},
		{"nearly a threshold", "79.999", "100", []int{50, 80}, 79},
		{"nearly one, in any order", "79.6", "100", []int{100, 80, 50}, 79},
		{"the same without that threshold", "79.999", "100", []int{50, 90}, 80},
		{"just a threshold", "80.000001", "100", []int{80, 81}, 80},
		{"nearly all", "99.9999", "100", nil, 99},
		{"a hair over all", "100.0001", "100", nil, 100},
		{"nearly one above all", "109.9996", "100", []int{110}, 109},
		{"one above all", "119.9996", "100", []int{110}, 120},
		{"reached, though what is shown is less", "1.0044", "1.255", []int{80}, 80},
		{"a large budget", "7999999.994", "10000000", []int{80}, 79},
		{"a credit", "-1", "1200", nil, 0},
		{"a larger credit", "-9", "1200", []int{1}, -1},
		{"no budget", "5", "0", nil, 0},
		{"a budget that is shown as zero", "5", "0.001", nil, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := ShownPercent(usd(test.spent), usd(test.amount), test.thresholds); got != test.want {
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
		{Budget: "a-center", Scope: budgets[1].Scope, Amount: usd("900"), Spent: usd("1300.50"), Remaining: usd("-400.5"), Percent: 145, Crossed: 100},
		{Budget: "support", Scope: budgets[0].Scope, Amount: usd("1200"), Spent: usd("1301"), Remaining: usd("-101"), Percent: 108, Crossed: 100, Held: 4},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(money.USD.Equal)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if !slices.Equal(budgets[0].Thresholds, []int{50, 80, 100}) {
		t.Error("Statuses changed its input")
	}
}
