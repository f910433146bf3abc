package ledgertest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"chargeback/billing/records"
	"chargeback/transform/rates"
)

// Book is what the rows of a test are joined with. Prices and fees go through a
// rate book as an operator would write it. All else is given to the ledger as it
// stands, but owners: one is given where what it owns occurs.
type Book struct {
	records.References
	Prices  []Price
	Fees    []Fee
	Text    string            // more of the rate book, as YAML
	PriceAs map[string]string // provider/model to the model that it is priced as

	TakeReported []string          // provider/model of models that cost what was reported
	TTLs         map[string]string // source, or provider/model, to how long its cache writes are kept
}

// Price is a price in pico-dollars a token; below 0 is none.
type Price struct {
	Key                                                  string // provider/model
	From, To                                             time.Time
	Input, CacheRead, CacheWrite5m, CacheWrite1h, Output int64
}

// Fee is what a request costs besides tokens, in pico-dollars.
type Fee struct {
	From, To        time.Time
	Infra, CacheHit int64
	Tools           map[string]int64 // a call, by tool
}

// Rates is the rate book.
func (b Book) Rates() (*rates.Book, error) {
	var text strings.Builder
	text.WriteString("prices:\n")
	for _, p := range b.Prices {
		provider, model, _ := strings.Cut(p.Key, "/")
		e := rates.Entry{Provider: provider, Model: model, From: p.From, To: p.To, Sheet: rates.Sheet{Units: rates.Units{}}}
		for class, pico := range map[rates.Class]int64{
			rates.Input: p.Input, rates.CacheRead: p.CacheRead, rates.CacheWrite5m: p.CacheWrite5m, rates.CacheWrite1h: p.CacheWrite1h, rates.Output: p.Output,
		} {
			if pico >= 0 {
				e.Units[class] = pico
			}
		}
		text.WriteString(e.YAML())
	}
	if len(b.Fees) > 0 {
		text.WriteString("fees:\n")
	}
	for _, f := range b.Fees {
		fmt.Fprintf(&text, "  - {from: %s, infra_per_request_usd: %q, infra_per_cache_hit_usd: %q, tools: {", f.From.Format(time.RFC3339), rates.USDEach(f.Infra), rates.USDEach(f.CacheHit))
		for tool, pico := range f.Tools {
			fmt.Fprintf(&text, "%q: %q,", tool, rates.USDEach(pico))
		}
		text.WriteString("}")
		if f.To.Before(rates.Forever) {
			text.WriteString(", to: " + f.To.Format(time.RFC3339))
		}
		text.WriteString("}\n")
	}
	files := []rates.File{{Name: "test.yaml", Data: []byte(text.String())}}
	if b.Text != "" {
		files = append(files, rates.File{Name: "more.yaml", Data: []byte(b.Text)})
	}
	return rates.ParseFiles(files)
}

// Resolve is what the models join with, for what occurs.
func (b Book) Resolve(seen records.Seen) (records.References, error) {
	refs := b.References
	book, err := b.Rates()
	if err != nil {
		return refs, err
	}
	refs.Owners = nil
	err = refs.Price(book, seen, func(m records.Meter) records.StandIn {
		name := m.Provider + "/" + m.Model
		return records.StandIn{PriceAs: b.PriceAs[name], Reported: slices.Contains(b.TakeReported, name)}
	})
	refs.CacheTTLs = nil
	for _, name := range slices.Sorted(maps.Keys(b.TTLs)) {
		if !strings.Contains(name, "/") {
			refs.CacheTTLs = append(refs.CacheTTLs, records.CacheTTL{Source: name, TTL: b.TTLs[name]})
			continue
		}
		for _, m := range seen.Meters {
			if name == m.Provider+"/"+m.Model {
				refs.CacheTTLs = append(refs.CacheTTLs, records.CacheTTL{Meter: m.ID, TTL: b.TTLs[name]})
			}
		}
	}
	for _, o := range b.Owners {
		if slices.Contains(seen.Owned, [2]string{o.Kind, o.Value}) {
			refs.Owners = append(refs.Owners, o)
		}
	}
	return refs, err
}
