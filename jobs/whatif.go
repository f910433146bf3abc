package jobs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"chargeback/billing/months"
	"chargeback/billing/records"
	"chargeback/billing/report"
	"chargeback/transform/civil"
	"chargeback/transform/directory"
	"chargeback/transform/money"
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
func (b *Books) WhatIf(ctx context.Context, month civil.Month, w WhatIf) ([]report.Rerated, error) {
	other, used := *b, map[string]bool{}
	if w.Rates != nil {
		other.Rates = w.Rates
	}
	if w.Directory != nil {
		other.Directory = w.Directory
	}
	r := report.Rerating{
		Days: records.Days{First: month.FirstDay(), Last: month.LastDay()}, RateVersion: other.Rates.Version(), Attribute: w.Directory != nil, CacheReads: -1,
	}
	if w.CacheReads != nil {
		r.CacheReads = *w.CacheReads
	}
	seen, err := b.Ledger.Records.SeenOn(ctx, r.Days)
	if err != nil {
		return nil, err
	}
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
					return nil, &UnknownModelError{as, "is not in the rate book; name one that it has, or give a book that has it with --prices"}
				}
				seen.Meters[i].Provider, seen.Meters[i].Model = provider, model
				break
			}
		}
	}
	refs, err := other.references(ctx, seen)
	if err != nil {
		return nil, err
	}
	rows, err := report.Rerate(ctx, b.Ledger.Records, r, refs)
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

// Repricing is what the books would charge by what is known today.
type Repricing struct {
	Open  civil.Month // the month that corrections of closed ones are charged in
	Rated []report.Rerated
	// Corrections are those that the next nightly run would add to the open month, with
	// what it would withdraw counted down; Standing are those that it has and that stay.
	Corrections, Standing []months.Correction
	// Unread are people files that have changed since they were read: what they say now
	// is in none of it.
	Unread []string
}

// Reprice prices the records of open months by today's rate book, and finds the
// corrections that closed months call for by prices, people, owners and logs as they
// are known today, in scratch tables. The ledger stays as it is.
func (b *Books) Reprice(ctx context.Context) (Repricing, error) {
	var p Repricing
	latest, err := b.latestDone(ctx)
	if err != nil || latest.IsZero() {
		return p, err
	}
	plan, err := b.plan(ctx, records.Days{First: latest, Last: latest})
	if err != nil {
		return p, err
	}
	build := plan.build
	p.Open = build.OpenMonth
	if first := b.firstOf(p.Open); !latest.Before(first) {
		if p.Rated, err = b.rerate(ctx, records.Days{First: first, Last: latest}); err != nil {
			return p, err
		}
	}
	build.Days = before(p.Open.FirstDay(), build.Days)
	standing, err := b.Ledger.Months.Corrections(ctx, p.Open)
	if err != nil {
		return p, err
	}
	refs, err := b.referencesFor(ctx, build)
	if err != nil {
		return p, err
	}
	then, err := b.Ledger.Months.CorrectionsBy(ctx, build, refs)
	if err != nil {
		return p, err
	}
	p.Corrections, p.Standing = changes(standing, then)
	p.Unread, err = b.unreadPeople(ctx)
	return p, err
}

// rerate prices the records of days again by today's rate book.
func (b *Books) rerate(ctx context.Context, days records.Days) ([]report.Rerated, error) {
	seen, err := b.Ledger.Records.SeenOn(ctx, days)
	if err != nil {
		return nil, err
	}
	refs, err := b.references(ctx, seen)
	if err != nil {
		return nil, err
	}
	return report.Rerate(ctx, b.Ledger.Records, b.rerating(days), refs)
}

// rerating is pricing days again by today's rate book.
func (b *Books) rerating(days records.Days) report.Rerating {
	return report.Rerating{Days: days, RateVersion: b.Rates.Version(), CacheReads: -1}
}

// before are the days up to, and without, a day.
func before(day civil.Date, days []civil.Date) []civil.Date {
	return slices.DeleteFunc(slices.Clone(days), func(d civil.Date) bool { return !d.Before(day) })
}

// changes are the corrections that differ, each with its difference, and those that
// don't.
func changes(was, is []months.Correction) (changed, same []months.Correction) {
	key := func(c months.Correction) months.Correction {
		c.Records, c.Reversed, c.Charged = 0, money.USD{}, money.USD{}
		return c
	}
	old := map[months.Correction]months.Correction{}
	for _, c := range was {
		old[key(c)] = c
	}
	for _, c := range is {
		o, stood := old[key(c)]
		delete(old, key(c))
		if stood && c.Records == o.Records && c.Reversed.Equal(o.Reversed) && c.Charged.Equal(o.Charged) {
			same = append(same, c)
			continue
		}
		c.Records, c.Reversed, c.Charged = c.Records-o.Records, c.Reversed.Sub(o.Reversed), c.Charged.Sub(o.Charged)
		changed = append(changed, c)
	}
	for _, c := range was {
		if _, withdrawn := old[key(c)]; withdrawn {
			c.Records, c.Reversed, c.Charged = -c.Records, c.Reversed.Neg(), c.Charged.Neg()
			changed = append(changed, c)
		}
	}
	return changed, same
}

// LatestNight is the newest business day whose night was run; the zero date
// where none was.
func (b *Books) LatestNight(ctx context.Context) (civil.Date, error) { return b.latestDone(ctx) }
