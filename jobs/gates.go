package jobs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"chargeback/billing/ledger"
	"chargeback/transform/civil"
)

// gates checks what may stand in the way, and returns the waivers used.
func (b *Books) gates(ctx context.Context, month civil.Month) (used []Waiver, err error) {
	g, err := b.Ledger.Gates(ctx, month)
	if err != nil {
		return nil, err
	}
	strangers, err := b.strangers(ctx, month)
	if err != nil {
		return nil, err
	}
	over := g.Unallocated.Sub(b.Month.UnallocatedLimit).Sign() > 0
	var failed []string
	for _, gate := range []struct {
		name string
		open bool
		what string
	}{
		{"unpriced", g.Unpriced+g.Pending > 0, fmt.Sprintf("records without a cost: %d; still waiting for usage: %d (see `chargeback rejects held`)", g.Unpriced, g.Pending)},
		{"doubtful", g.Doubtful > 0, fmt.Sprintf("requests without usage on days that their provider's own log covers: %d, %s USD by their own counts; usage that found no request there: %d, charged %s USD (see `chargeback rejects held`, `chargeback report matches`)", g.Doubtful, g.DoubtfulCost, g.UsageAloneRecords, g.UsageAlone)},
		{"conflicts", g.Conflicts > 0, fmt.Sprintf("records that share an id and differ: %d (see `chargeback rejects conflicts`)", g.Conflicts)},
		{"unallocated", over, fmt.Sprintf("%s USD belong to nobody, more than unallocated_limit_usd %s", g.Unallocated, b.Month.UnallocatedLimit)},
		{"directory", len(strangers) > 0, fmt.Sprintf("payers that the directory does not know: %s", strings.Join(strangers, "; "))},
		{"rejects", g.Rejected > 0, fmt.Sprintf("records rejected: %d (see `chargeback rejects records`)", g.Rejected)},
		{"missing", g.Missing+g.Failed > 0, fmt.Sprintf("objects that can't be read: %d; gone from their source: %d (see `chargeback status`)", g.Failed, g.Missing)},
	} {
		if !gate.open {
			continue
		}
		i := slices.IndexFunc(b.Month.Waivers, func(w Waiver) bool { return w.Month == month && w.Gate == gate.name })
		if i < 0 {
			failed = append(failed, "gate "+gate.name+": "+gate.what)
			continue
		}
		used = append(used, b.Month.Waivers[i])
	}
	if len(failed) > 0 {
		return nil, fmt.Errorf("%w:\n  %s\nmend them and run `chargeback run` again, which reads what was delivered again, or waive a gate by name and reason in the config's waivers", ErrGates, strings.Join(failed, "\n  "))
	}
	return used, nil
}

// strangers are the payers of a month that the directory does not know, and why.
func (b *Books) strangers(ctx context.Context, month civil.Month) (all []string, err error) {
	spend, err := b.Ledger.Spend(ctx, month)
	for _, s := range spend {
		if what := b.stranger(ledger.CostCenter{Code: s.CostCenter, Department: s.Department}); what != "" {
			all = append(all, what)
		}
	}
	return all, err
}
