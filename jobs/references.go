package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"chargeback/billing/ledger"
	"chargeback/transform/civil"
	"chargeback/transform/directory"
)

// references resolves what occurs in the staged rows to the rows that the SQL
// models join with.
func (b *Books) references(seen ledger.Seen) (ledger.References, error) {
	refs := ledger.References{UsageFrom: b.UsageFrom}
	if err := refs.Price(b.Rates, seen, b.priceAs); err != nil {
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

// priceAs is the model that the config prices an unknown one as, "" for none.
func (b *Books) priceAs(m ledger.Meter) string {
	for _, u := range b.UnknownModel {
		if u.Provider == m.Provider && u.Model == m.Model {
			return u.PriceAs
		}
	}
	return ""
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
