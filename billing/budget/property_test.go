package budget

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"chargeback/transform/money"
)

func drawBudgets(t *rapid.T) []Budget {
	budgets := make([]Budget, rapid.IntRange(1, 4).Draw(t, "budgets"))
	for i := range budgets {
		scope := Scope{Kind: Department, Value: rapid.SampledFrom([]string{"Support", "Sales"}).Draw(t, "department")}
		if rapid.Bool().Draw(t, "cost centre") {
			scope = Scope{Kind: CostCenter, Value: rapid.SampledFrom([]string{"00420", "CC-1", "CC-2"}).Draw(t, "code")}
		}
		budgets[i] = Budget{
			Name: fmt.Sprintf("budget-%d", i), Scope: scope,
			Amount:     money.FromPico(rapid.Int64Range(0, 2000).Draw(t, "amount")),
			Thresholds: rapid.SliceOfN(rapid.IntRange(1, 150), 1, 5).Draw(t, "thresholds"),
			Forecast:   rapid.Bool().Draw(t, "forecast"),
		}
	}
	return budgets
}

// drawSpend draws a restated month to date: any amount, higher or lower than
// the day before.
func drawSpend(t *rapid.T) []Spend {
	rows := []Spend{
		{Department: "Support", CostCenter: "00420"},
		{Department: "Sales", CostCenter: "CC-1"},
		{Department: "Sales", CostCenter: "CC-2"},
	}
	for i := range rows {
		rows[i].Actual = money.FromPico(rapid.Int64Range(-100, 2500).Draw(t, "spent"))
		rows[i].Held = rapid.Int64Range(0, 3).Draw(t, "held")
	}
	return rows
}

// Goal: whatever spend does, no key and no ID is ever alerted twice, and every
// alert says something true.
// Method: walk through a month of random restatements, keeping the raised keys.
func TestNoKeyTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		budgets := drawBudgets(t)
		var raised []Raised
		seen, ids := map[string]bool{}, map[string]bool{}
		days := rapid.IntRange(1, 31).Draw(t, "days")
		for day := 1; day <= days; day++ {
			spend := drawSpend(t)
			alerts := Evaluate("2026-10", fmt.Sprintf("2026-10-%02d", day), day, 31, budgets, spend, raised)
			oneOfAKind := map[string]bool{}
			for _, a := range alerts {
				checkAlert(t, a, budgets, spend)
				if ids[a.ID] || oneOfAKind[a.Budget+"/"+a.Kind] {
					t.Fatalf("second alert %s on day %d", a.ID, day)
				}
				ids[a.ID], oneOfAKind[a.Budget+"/"+a.Kind] = true, true
				for _, k := range a.Keys {
					if seen[k] {
						t.Fatalf("key %s raised twice", k)
					}
					seen[k] = true
					raised = append(raised, Raised{Key: k})
				}
			}
			if again := Evaluate("2026-10", fmt.Sprintf("2026-10-%02d", day), day, 31, budgets, spend, raised); len(again) > 0 {
				t.Fatalf("the same day again raised %v", allKeys(again))
			}
		}
	})
}

// checkAlert re-derives an alert's claim with cross-multiplied pico-dollars.
func checkAlert(t *rapid.T, a Alert, budgets []Budget, spend []Spend) {
	i := slices.IndexFunc(budgets, func(b Budget) bool { return b.Name == a.Budget })
	var spent int64
	for _, row := range spend {
		if budgets[i].Scope.Covers(row) {
			spent += row.Actual.Pico().Int64()
		}
	}
	amount := budgets[i].Amount.Pico().Int64()
	for _, threshold := range a.Crossed {
		crossed := spent > 0 && spent*100 >= amount*int64(threshold)
		if a.Kind != Forecast && crossed == (a.Kind == Correction) {
			t.Fatalf("%s: %d of %d pico-dollars, threshold %d", a.ID, spent, amount, threshold)
		}
	}
	if a.Kind == Forecast && a.Forecast.Cmp(a.Amount) < 0 {
		t.Fatalf("%s: forecast %s is below %s", a.ID, a.Forecast, a.Amount)
	}
	if len(a.Crossed) != len(a.Keys) || a.ID != a.Keys[len(a.Keys)-1] || !slices.IsSorted(a.Crossed) {
		t.Fatalf("%s: thresholds %v do not fit keys %v", a.ID, a.Crossed, a.Keys)
	}
}

// Goal: the result depends on what is true, not on the order it was read in.
// Method: shuffle budgets, thresholds, spend and raised keys.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		budgets, spend := drawBudgets(t), drawSpend(t)
		earlier := Evaluate("2026-10", "2026-10-09", 9, 31, budgets, drawSpend(t), nil)
		raised := raisedKeys(allKeys(earlier)...)
		want := Evaluate("2026-10", "2026-10-10", 10, 31, budgets, spend, raised)

		shuffled := rapid.Permutation(budgets).Draw(t, "budgets")
		for i := range shuffled {
			shuffled[i].Thresholds = rapid.Permutation(shuffled[i].Thresholds).Draw(t, "thresholds")
		}
		got := Evaluate("2026-10", "2026-10-10", 10, 31, shuffled,
			rapid.Permutation(spend).Draw(t, "spend"), rapid.Permutation(raised).Draw(t, "raised"))
		if diff := cmp.Diff(want, got, cmp.Comparer(money.USD.Equal)); diff != "" {
			t.Fatalf("shuffled (-want +got):\n%s", diff)
		}
	})
}
