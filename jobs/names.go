package jobs

import (
	"context"
	"slices"

	"chargeback/billing/report"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/directory"
)

// Names reads who names of people stand for, by the directory and by what
// exports have shown.
func (b *Books) Names(ctx context.Context) (*directory.Names, error) {
	var shown []directory.Shown
	err := report.PeopleNames(ctx, b.Ledger.Records, func(p report.PersonNames) {
		record.EachName(p.Names, func(field, name string) {
			shown = append(shown, directory.Shown{Name: name, Email: p.Email, Field: field, Source: p.Source, From: p.From, Since: p.Since, To: p.To})
		})
	})
	if err != nil {
		return nil, err
	}
	place := func(s directory.Shown) int {
		if at := slices.Index(b.PeopleFrom, s.Source); at >= 0 {
			return at
		}
		return len(b.PeopleFrom)
	}
	slices.SortStableFunc(shown, func(a, b directory.Shown) int { return place(a) - place(b) })
	names := b.Directory.NewNames(shown)
	if !names.Some() {
		return names, nil
	}
	return names, report.PeopleAddresses(ctx, b.Ledger.Records, names.Own)
}

// History lists who pays for a person from when to when, oldest first, under
// whatever name the person is asked for.
func (b *Books) History(ctx context.Context, names *directory.Names, name string) (rows []report.PersonRow, err error) {
	for _, n := range names.Of(name, civil.Min, civil.Max) {
		if len(n.Rivals) > 0 {
			continue
		}
		seen, err := report.PeopleSeen(ctx, b.Ledger.Records, n.Email)
		if err != nil {
			return nil, err
		}
		refs, err := b.resolve(seen, names)
		if err != nil {
			return nil, err
		}
		found, err := report.PersonHistory(ctx, b.Ledger.Records, n.Email, refs)
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			if r.From.Before(n.From) {
				r.From = n.From
			}
			if n.To.Before(r.To) {
				r.To = n.To
			}
			if r.From.Before(r.To) {
				rows = append(rows, r)
			}
		}
	}
	return rows, nil
}

// personOn finds who pays for a person on a day; nil where nobody does.
func (b *Books) personOn(ctx context.Context, names *directory.Names, name string, day civil.Date) (*report.PersonRow, error) {
	rows, err := b.History(ctx, names, name)
	for _, r := range rows {
		if !day.Before(r.From) && day.Before(r.To) {
			return &r, err
		}
	}
	return nil, err
}
