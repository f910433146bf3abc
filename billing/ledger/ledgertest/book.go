package ledgertest

import (
	"cmp"
	"slices"

	"chargeback/billing/ledger"
)

// Book is what the rows of a test are joined with. All of it is given to the
// ledger as it stands, but model keys, fees and owners: a key is given for each
// model that occurs and has a price, a fee for each provider that occurs, an
// owner where what it owns occurs.
type Book struct {
	ledger.References
	PriceAs map[string]string // provider/model to the key of a price
}

// Resolve does what Build.References asks for.
func (b Book) Resolve(seen ledger.Seen) (ledger.References, error) {
	refs := b.References
	refs.Fees, refs.Owners, refs.ModelKeys = nil, nil, nil
	for _, m := range seen.Meters {
		name := m.Provider + "/" + m.Model
		key := cmp.Or(b.PriceAs[name], name)
		if slices.ContainsFunc(b.Prices, func(p ledger.Price) bool { return p.Key == key }) {
			refs.ModelKeys = append(refs.ModelKeys, ledger.ModelKey{Meter: m.ID, PriceKey: key, EstimatedAs: b.PriceAs[name]})
		}
	}
	for _, f := range b.Fees {
		for _, f.Provider = range seen.Providers {
			refs.Fees = append(refs.Fees, f)
		}
	}
	for _, o := range b.Owners {
		if slices.Contains(seen.Owned, [2]string{o.Kind, o.Value}) {
			refs.Owners = append(refs.Owners, o)
		}
	}
	return refs, nil
}
