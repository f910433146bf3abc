package jobs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"chargeback/billing/ledger"
	"chargeback/transform/civil"
	"chargeback/transform/directory"
	"chargeback/transform/rates"
)

// WhatIf is what would be otherwise; the zero value of a field leaves it.
type WhatIf struct {
	Rates     *rates.Book
	Directory *directory.Directory
	// Models prices one model as another: MODEL or PROVIDER/MODEL, both sides, as
	// records or the rate book name them.
	Models map[string]string
	// CacheReads is how many millionths of the prompt tokens that were not
	// written to the cache are read from it; nil as it was.
	CacheReads *int64
}

// UnknownModelError says that a model of a what-if can't be priced, or never
// occurs.
type UnknownModelError struct{ Model, What string }

func (e *UnknownModelError) Error() string { return fmt.Sprintf("model %q %s", e.Model, e.What) }

// WhatIf prices the records of a month's usage again, in scratch tables, and
// compares. The ledger stays as it is.
func (b *Books) WhatIf(ctx context.Context, month civil.Month, w WhatIf) ([]ledger.Rerated, error) {
	other, used := *b, map[string]bool{}
	if w.Rates != nil {
		other.Rates = w.Rates
	}
	if w.Directory != nil {
		other.Directory = w.Directory
	}
	r := ledger.Rerating{
		Days: ledger.Days{First: month.FirstDay(), Last: month.LastDay()}, RateVersion: other.Rates.Version(), Attribute: w.Directory != nil, CacheReads: -1,
		References: func(seen ledger.Seen) (ledger.References, error) {
			for i, m := range seen.Meters {
				names := []string{m.Provider + "/" + m.Model, m.Model}
				if key, _, ok := b.Rates.Resolve(m.Provider, m.Region, m.Model); ok {
					names = append(names, key, strings.TrimPrefix(key, m.Provider+"/"))
				}
				for _, old := range names {
					if as, mapped := w.Models[old]; mapped {
						used[old] = true
						provider, model, ok := other.named(m.Provider, as)
						if !ok {
							return ledger.References{}, &UnknownModelError{as, "is not in the rate book; name one that it has, or give a book that has it with --prices"}
						}
						seen.Meters[i].Provider, seen.Meters[i].Model = provider, model
						break
					}
				}
			}
			return other.references(ctx)(seen)
		},
	}
	if w.CacheReads != nil {
		r.CacheReads = *w.CacheReads
	}
	rows, err := b.Ledger.Rerate(ctx, r)
	if err != nil {
		return nil, err
	}
	for old := range w.Models {
		if !used[old] {
			return nil, &UnknownModelError{old, "does not occur in the ledger in " + month.String() + "; write it as the records have it, see `chargeback report agents`"}
		}
	}
	return rows, nil
}

// named finds a model that is written alone, of the given provider, or behind
// its own provider.
func (b *Books) named(provider, name string) (string, string, bool) {
	if own, model, ok := strings.Cut(name, "/"); ok {
		if _, _, ok := b.Rates.Resolve(own, "", model); ok {
			return own, model, true
		}
	}
	_, _, ok := b.Rates.Resolve(provider, "", name)
	return provider, name, ok
}

// Repricing is what the books would charge by today's rate book.
type Repricing struct {
	Open  civil.Month // the month that corrections of closed ones are charged in
	Days  []ledger.Days
	Rated []ledger.Rerated
	// Closed names the months of Rated that are closed: their differences would
	// be corrections in Open.
	Closed map[string]bool
}

// Reprice prices all records of open months again by today's rate book, and
// those of closed months that it prices otherwise, in scratch tables. The ledger
// stays as it is.
func (b *Books) Reprice(ctx context.Context) (Repricing, error) {
	p := Repricing{Closed: map[string]bool{}}
	latest, err := b.latestDone(ctx)
	if err != nil || latest.IsZero() {
		return p, err
	}
	closed, err := b.Ledger.ClosedMonths(ctx)
	if err != nil {
		return p, err
	}
	p.Open = b.Start.Month()
	for ; closed[p.Open] != ""; p.Open = p.Open.Next() {
		p.Closed[p.Open.String()] = true
	}
	days, err := b.Ledger.PricedAnew(ctx, b.prices)
	if err != nil {
		return p, err
	}
	for d := p.Open.FirstDay(); !latest.Before(d); d = d.AddDays(1) {
		days = append(days, d)
	}
	days = slices.DeleteFunc(days, func(d civil.Date) bool { return d.Before(b.Start) })
	p.Days = runsOf(days)
	for _, run := range p.Days {
		rows, err := b.Ledger.Rerate(ctx, ledger.Rerating{Days: run, RateVersion: b.Rates.Version(), References: b.references(ctx), CacheReads: -1})
		if err != nil {
			return p, err
		}
		p.Rated = append(p.Rated, rows...)
	}
	return p, nil
}

// LatestNight is the newest business day whose night was run; the zero date
// where none was.
func (b *Books) LatestNight(ctx context.Context) (civil.Date, error) { return b.latestDone(ctx) }
