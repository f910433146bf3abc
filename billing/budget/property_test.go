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
		budgets[i] = Budget{
			Name: fmt.Sprintf("budget-%d", i),
			Scope: rapid.SampledFrom([]Scope{
				{Kind: Department, Value: "Support"}, {Kind: Department, Value: "Sales"}, {Kind: CostCenter, Value: "00420"}, {Kind: CostCenter, Value: "CC-2"},
				{Kind: Department, Value: Unallocated}, {Kind: Company},
			}).Draw(t, "scope"),
			Amount:     drawAmount(t),
			Thresholds: rapid.SliceOfN(rapid.IntRange(1, 150), 1, 5).Draw(t, "thresholds"),
			Forecast:   rapid.Bool().Draw(t, "forecast"),
		}
	}
	return budgets
}

// drawAmount draws from few, so that walks come back to one.
func drawAmount(t *rapid.T) money.USD {
	return money.FromPico(rapid.SampledFrom([]int64{0, 300, 1000, 2000}).Draw(t, "amount"))
}

// drawSpend draws a restated month to date: any amount, higher or lower than
// the day before.
func drawSpend(t *rapid.T) []Spend {
	rows := []Spend{
		{Department: "Support", CostCenter: "00420"},
		{Department: "Sales", CostCenter: "CC-1"},
		{Department: "Sales", CostCenter: "CC-2"},
		{Department: Unallocated, CostCenter: Unallocated},
	}
	for i := range rows {
		rows[i].Actual = money.FromPico(rapid.Int64Range(-100, 2500).Draw(t, "spent"))
		rows[i].Held = rapid.Int64Range(0, 3).Draw(t, "held")
	}
	return rows
}

// postbag keeps the alerts of a month as a store does, and what people got.
type postbag struct {
	earlier []Earlier
	// got is what people hold to be crossed, by budget, amount and threshold.
	got map[string]bool
}

func (p *postbag) at(id string) *Earlier {
	return &p.earlier[slices.IndexFunc(p.earlier, func(e Earlier) bool { return e.Alert.ID == id })]
}

// take keeps what changes call for.
func (p *postbag) take(t *rapid.T, changes []Change) {
	for _, c := range changes {
		for _, id := range c.Folds {
			if p.at(id).Fate != Waiting {
				t.Fatalf("%s folds, though it does not wait", id)
			}
			p.at(id).Fate = Folded
		}
		switch {
		case c.Alert == nil:
		case c.Renews:
			p.at(c.Alert.ID).Alert = *c.Alert
		default:
			p.earlier = append(p.earlier, Earlier{Alert: *c.Alert, Fate: Waiting})
		}
	}
	waiting := map[string]bool{}
	for _, e := range p.earlier {
		if e.Fate == Waiting && waiting[e.Alert.Budget] {
			t.Fatalf("two alerts of %s wait", e.Alert.Budget)
		}
		waiting[e.Alert.Budget] = waiting[e.Alert.Budget] || e.Fate == Waiting
	}
}

// deliver gives people what waits: each alert turns what they know.
func (p *postbag) deliver(t *rapid.T) {
	for i, e := range p.earlier {
		if e.Fate != Waiting {
			continue
		}
		p.earlier[i].Fate = Told
		turn := func(amount money.USD, threshold int, to bool) {
			key := fmt.Sprint(e.Alert.Budget, amount, threshold)
			if p.got[key] == to {
				t.Fatalf("%s: %d%% of %s is told twice", e.Alert.ID, threshold, amount)
			}
			p.got[key] = to
		}
		if e.Alert.Kind == Actual {
			for _, threshold := range e.Alert.Crossed {
				turn(e.Alert.Amount, threshold, true)
			}
		}
		for _, back := range e.Alert.TakenBack {
			for _, threshold := range back.Thresholds {
				turn(back.Amount, threshold, false)
			}
		}
	}
}

// Goal: whatever spend and amounts do and whatever is delivered when, every
// threshold of every amount is told once each time that it is armed, no key and no
// ID is used twice, and once all is delivered people know what holds.
// Method: walk through a month of random restatements and changes of the settings;
// deliver on some days only; evaluate each day twice.
func TestPeopleKnowWhatHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		budgets := drawBudgets(t)
		bag := &postbag{got: map[string]bool{}}
		seen := map[string]bool{}
		days := rapid.IntRange(1, 31).Draw(t, "days")
		for day := 1; day <= days; day++ {
			if rapid.IntRange(0, 3).Draw(t, "new amount") == 0 {
				budgets[rapid.IntRange(0, len(budgets)-1).Draw(t, "whose")].Amount = drawAmount(t)
			}
			spend := drawSpend(t)
			changes := Evaluate(october(day), budgets, spend, bag.earlier)
			for _, c := range changes {
				if c.Alert == nil {
					continue
				}
				checkAlert(t, *c.Alert, budgets, spend)
				for _, k := range c.Alert.Keys {
					if seen[k] && !c.Renews {
						t.Fatalf("key %s raised twice", k)
					}
					seen[k] = true
				}
			}
			bag.take(t, changes)
			for _, c := range Evaluate(october(day), budgets, spend, bag.earlier) {
				if !c.Renews || len(c.Folds) > 0 {
					t.Fatalf("the same day again calls for %v", told([]Change{c}))
				}
			}
			if !rapid.Bool().Draw(t, "delivered") {
				continue
			}
			bag.deliver(t)
			if again := Evaluate(october(day), budgets, spend, bag.earlier); len(again) > 0 {
				t.Fatalf("after the delivery the same day calls for %v", told(again))
			}
			for _, b := range budgets {
				checkKnown(t, b, spend, bag)
			}
		}
	})
}

// checkKnown holds what people know of a budget against what holds.
func checkKnown(t *rapid.T, b Budget, spend []Spend, bag *postbag) {
	spent := pico(b.Scope, spend)
	for _, amount := range []int64{0, 300, 1000, 2000} {
		for threshold := 1; threshold <= 150; threshold++ {
			knows, holds := bag.got[fmt.Sprint(b.Name, money.FromPico(amount), threshold)], spent > 0 && spent*100 >= amount*int64(threshold)
			if knows && !holds {
				t.Fatalf("%s: people think that %d%% of %d is crossed by %d", b.Name, threshold, amount, spent)
			}
			if now := b.Amount.Equal(money.FromPico(amount)) && slices.Contains(b.Thresholds, threshold); now && holds && !knows {
				t.Fatalf("%s: nobody knows that %d%% of %d is crossed by %d", b.Name, threshold, amount, spent)
			}
		}
	}
}

func pico(s Scope, spend []Spend) (sum int64) {
	for _, row := range spend {
		if s.Covers(row) {
			sum += row.Actual.Pico().Int64()
		}
	}
	return sum
}

// checkAlert re-derives an alert's claim with cross-multiplied pico-dollars.
func checkAlert(t *rapid.T, a Alert, budgets []Budget, spend []Spend) {
	i := slices.IndexFunc(budgets, func(b Budget) bool { return b.Name == a.Budget })
	spent := pico(budgets[i].Scope, spend)
	crossed := func(amount money.USD, threshold int) bool {
		return spent > 0 && spent*100 >= amount.Pico().Int64()*int64(threshold)
	}
	if a.Kind == Actual {
		for _, threshold := range a.Crossed {
			if !crossed(a.Amount, threshold) {
				t.Fatalf("%s: %d pico-dollars, threshold %d", a.ID, spent, threshold)
			}
		}
	}
	for _, back := range a.TakenBack {
		for _, threshold := range back.Thresholds {
			if crossed(back.Amount, threshold) {
				t.Fatalf("%s takes back %d of %s, at %d pico-dollars", a.ID, threshold, back.Amount, spent)
			}
		}
	}
	if (a.Kind == Forecast || a.Heading) && (a.DaysElapsed < 3 || a.Forecast.Cmp(a.Amount) < 0) {
		t.Fatalf("%s: forecast %s of %s after %d days", a.ID, a.Forecast, a.Amount, a.DaysElapsed)
	}
	if a.ID != a.Keys[len(a.Keys)-1] || !slices.IsSorted(a.Crossed) || len(a.Crossed) == 0 {
		t.Fatalf("%s: thresholds %v, keys %v", a.ID, a.Crossed, a.Keys)
	}
}

// Goal: the result depends on what is true, not on the order it was read in.
// Method: shuffle budgets, thresholds and spend; earlier alerts have an order.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		budgets, spend := drawBudgets(t), drawSpend(t)
		bag := &postbag{got: map[string]bool{}}
		bag.take(t, Evaluate(october(9), budgets, drawSpend(t), nil))
		if rapid.Bool().Draw(t, "delivered") {
			bag.deliver(t)
		}
		want := Evaluate(october(10), budgets, spend, bag.earlier)

		shuffled := rapid.Permutation(budgets).Draw(t, "budgets")
		for i := range shuffled {
			shuffled[i].Thresholds = rapid.Permutation(shuffled[i].Thresholds).Draw(t, "thresholds")
		}
		got := Evaluate(october(10), shuffled, rapid.Permutation(spend).Draw(t, "spend"), bag.earlier)
		if diff := cmp.Diff(want, got, cmp.Comparer(money.USD.Equal)); diff != "" {
			t.Fatalf("shuffled (-want +got):\n%s", diff)
		}
	})
}
