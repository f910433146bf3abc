package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"chargeback/billing/ledger"
	"chargeback/transform/civil"
	"chargeback/transform/directory"
	"chargeback/transform/rates"
)

// references resolves what occurs in the staged rows to the rows that the SQL
// models join with.
func (b *Books) references(seen ledger.Seen) (ledger.References, error) {
	refs := ledger.References{UsageFrom: b.UsageFrom}
	b.modelKeys(seen, &refs)
	b.fees(seen, &refs)
	if err := b.toolFees(seen, &refs); err != nil {
		return refs, err
	}
	for _, c := range b.Directory.CostCenters() {
		refs.CostCenters = append(refs.CostCenters, ledger.CostCenter{Code: c.Code, Department: c.Department})
	}
	for _, a := range b.Directory.Agents() {
		if a.OwnerCostCenter != "" || a.OwnerEmail != "" {
			refs.Agents = append(refs.Agents, ledger.Agent{ID: a.ID, CostCenter: a.OwnerCostCenter, OwnerEmail: a.OwnerEmail, From: a.From, To: a.To})
		}
	}
	for _, o := range seen.Owned {
		refs.Owners = append(refs.Owners, datedOwners(o[0], o[1], b.Directory.OwnersOf(o[0], o[1]))...)
	}
	return refs, nil
}

func (b *Books) modelKeys(seen ledger.Seen, refs *ledger.References) {
	wanted := map[string]bool{}
	for _, m := range seen.Meters {
		provider, model := m.Provider, m.Model
		key, _, ok := b.Rates.Resolve(provider, model)
		as := ""
		if !ok {
			as = b.priceAs(provider, model)
			key, _, ok = b.Rates.Resolve(provider, as)
		}
		if ok {
			wanted[key] = true
			refs.ModelKeys = append(refs.ModelKeys, ledger.ModelKey{Meter: m.ID, PriceKey: key, EstimatedAs: as})
		}
	}
	for _, p := range b.Rates.Prices() {
		if wanted[p.Key] {
			refs.Prices = append(refs.Prices, ledger.Price{Key: p.Key, From: p.From, To: p.To,
				Input: p.InputPico, CacheRead: p.CacheReadPico, CacheWrite5m: p.CacheWrite5mPico, CacheWrite1h: p.CacheWrite1hPico, Output: p.OutputPico,
				Fallbacks: p.Fallbacks})
		}
	}
}

func (b *Books) priceAs(provider, model string) string {
	for _, u := range b.UnknownModel {
		if u.Provider == provider && u.Model == model {
			return u.PriceAs
		}
	}
	return ""
}

// allTime is the one period of a book without fees: requests and tool calls
// then cost nothing, because the operator said so by naming no fee.
var allTime = rates.Fee{From: time.Unix(0, 0).UTC(), To: rates.Forever}

func (b *Books) feePeriods() []rates.Fee {
	if fees := b.Rates.Fees(); len(fees) > 0 {
		return fees
	}
	return []rates.Fee{allTime}
}

func (b *Books) fees(seen ledger.Seen, refs *ledger.References) {
	for _, f := range b.feePeriods() {
		for _, p := range seen.Providers {
			refs.Fees = append(refs.Fees, ledger.Fee{Provider: p, From: f.From, To: f.To, Infra: f.InfraPico, CacheHit: f.CacheHitPico})
		}
	}
}

func (b *Books) toolFees(seen ledger.Seen, refs *ledger.References) error {
	free := len(b.Rates.Fees()) == 0
	for _, mix := range seen.Tools {
		calls, err := rates.ParseToolMix(mix)
		if err != nil {
			return fmt.Errorf("read staged tool calls: %w", err)
		}
		for _, f := range b.feePeriods() {
			fee := ledger.ToolFee{Tools: mix, From: f.From, To: f.To}
			if !free {
				fee.Pico, fee.Missing = b.Rates.ToolFee(f.From, calls)
			}
			refs.ToolFees = append(refs.ToolFees, fee)
		}
	}
	return nil
}

// datedOwners makes ranges that don't overlap from owners in their order of
// precedence: a later owner gets only the days that no earlier one has.
func datedOwners(kind, value string, owners []directory.Owner) (rows []ledger.Owner) {
	type days struct{ from, to civil.Date }
	taken := []days{}
	for _, o := range owners {
		free := []days{{o.From, o.To}}
		for _, t := range taken {
			var left []days
			for _, f := range free {
				if t.to.Compare(f.from) <= 0 || f.to.Compare(t.from) <= 0 {
					left = append(left, f)
					continue
				}
				if f.from.Before(t.from) {
					left = append(left, days{f.from, t.from})
				}
				if t.to.Before(f.to) {
					left = append(left, days{t.to, f.to})
				}
			}
			free = left
		}
		for _, f := range free {
			rows = append(rows, ledger.Owner{Kind: kind, Value: value, CostCenter: o.CostCenter, From: f.from, To: f.to})
		}
		taken = append(taken, days{o.From, o.To})
	}
	return rows
}

// inputs is the fingerprint of everything but the records that decides what a
// cost record says. Where it changes, all days of open months are made anew.
func (b *Books) inputs(ctx context.Context) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, b.Rates.Version(), b.Directory.Version(), b.LateDays, slices.Sorted(slices.Values(b.UsageFrom)))
	for _, u := range b.UnknownModel {
		fmt.Fprintf(sum, "%q %q %q\n", u.Provider, u.Model, u.PriceAs)
	}
	people, err := b.Ledger.PeopleHash(ctx)
	fmt.Fprintln(sum, people)
	return hex.EncodeToString(sum.Sum(nil)), err
}
