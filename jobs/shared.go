package jobs

import (
	"cmp"
	"fmt"
	"slices"

	"chargeback/billing/invoice"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// share divides the month's shared costs among cost centres.
func (b *Books) share(month civil.Month, drafts drafts) {
	for _, cost := range b.Month.SharedCosts {
		if !cost.Covers(month) {
			continue
		}
		weights := b.weights(cost, drafts)
		var whole money.USD
		for _, w := range weights {
			whole = whole.Add(w.Exact)
		}
		for i, amount := range money.Split(cost.Amount, weights) {
			code := weights[i].Key
			ratio := fmt.Sprintf("%s of %s", weights[i].Exact, whole)
			if cost.Split == "even" {
				ratio = fmt.Sprintf("1 of %d", len(weights))
			}
			draft := drafts.of(code, "", b.modeOf(code))
			draft.Shared = append(draft.Shared, invoice.Shared{Name: cost.Name, Method: cost.Split, Ratio: ratio, Whole: cost.Amount, Amount: amount})
		}
	}
}

// weights says who bears a shared cost and how much of it: the named shares,
// or all cost centres with cost of their own in the month, evenly or by that
// cost, background agents that they share among it. What belongs to nobody bears
// nothing.
func (b *Books) weights(cost SharedCost, drafts drafts) (weights []money.Part) {
	if cost.Split == "fixed" {
		for code, share := range cost.Shares {
			weights = append(weights, money.Part{Key: code, Exact: share})
		}
	} else {
		for at, draft := range drafts.all {
			var direct money.USD
			for _, c := range draft.Charges {
				direct = money.Sum(direct, c.LLM, c.Infra, c.Tool)
			}
			for _, part := range draft.Shared {
				if part.AgentID != "" {
					direct = direct.Add(part.Amount)
				}
			}
			if at.mode != b.modeOf(at.code) || at.code == Unallocated || direct.Sign() <= 0 {
				continue
			}
			if cost.Split == "even" {
				direct = money.MustParse("1")
			}
			weights = append(weights, money.Part{Key: at.code, Exact: direct})
		}
	}
	slices.SortFunc(weights, func(x, y money.Part) int { return cmp.Compare(x.Key, y.Key) })
	return weights
}
