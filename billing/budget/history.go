package budget

import (
	"cmp"
	"maps"
	"slices"

	"chargeback/transform/money"
)

// Fate is what became of an alert that was raised.
type Fate uint8

// The fates.
const (
	// Told: it was delivered, or perhaps was.
	Told Fate = iota
	// Waiting: nobody has got it.
	Waiting
	// Folded: nobody has got it, and a later alert took its place.
	Folded
)

// Earlier is an alert that was raised before, and its fate.
type Earlier struct {
	Alert Alert
	Fate  Fate
}

// series is what people know of a budget while it had one amount.
type series struct {
	amount     money.USD
	thresholds map[int]bool
	forecast   bool
}

// history is what people were told of one budget, by amount.
type history struct {
	series  map[string]*series
	keys    map[string]bool // ever raised, told or not
	waiting []Alert         // in the order in which they were raised
}

// historyOf reads the alerts of a budget, in the order in which they were
// raised. What was told of other spend under the same name says nothing of this.
func historyOf(b Budget, earlier []Earlier) *history {
	h := &history{series: map[string]*series{}, keys: map[string]bool{}}
	for _, e := range earlier {
		if e.Alert.Budget != b.Name {
			continue
		}
		for _, key := range e.Alert.Keys {
			h.keys[key] = true
		}
		switch {
		case e.Fate == Waiting:
			h.waiting = append(h.waiting, e.Alert)
		case e.Fate == Told && e.Alert.Scope.same(b.Scope):
			h.told(e.Alert)
		}
	}
	return h
}

// of returns the series of an amount.
func (h *history) of(amount money.USD) *series {
	key := amount.String()
	if h.series[key] == nil {
		h.series[key] = &series{amount: amount, thresholds: map[int]bool{}}
	}
	return h.series[key]
}

// told takes note of an alert that people have.
func (h *history) told(a Alert) {
	now := h.of(a.Amount)
	switch {
	case a.Kind == Actual:
		for _, threshold := range a.Crossed {
			now.thresholds[threshold] = true
		}
	case a.Kind == Forecast:
		now.forecast = true
	case len(a.TakenBack) == 0: // of an earlier version: of whatever amount
		for _, s := range h.series {
			s.drop(a.Crossed)
		}
	}
	now.forecast = now.forecast || a.Heading
	for _, back := range a.TakenBack {
		h.of(back.Amount).drop(back.Thresholds)
	}
}

func (s *series) drop(thresholds []int) {
	for _, threshold := range thresholds {
		delete(s.thresholds, threshold)
	}
}

// takenBack is what people were told, of any amount, and spent no longer
// reaches; smallest amount first.
func (h *history) takenBack(spent money.USD) (all []TakenBack) {
	for _, s := range h.series {
		var thresholds []int
		for _, threshold := range slices.Sorted(maps.Keys(s.thresholds)) {
			if !reached(spent, s.amount, threshold) {
				thresholds = append(thresholds, threshold)
			}
		}
		if len(thresholds) > 0 {
			all = append(all, TakenBack{Amount: s.amount, Thresholds: thresholds})
		}
	}
	slices.SortFunc(all, func(x, y TakenBack) int {
		return cmp.Or(x.Amount.Cmp(y.Amount), cmp.Compare(x.Amount.String(), y.Amount.String()))
	})
	return all
}
