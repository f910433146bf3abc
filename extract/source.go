// Package extract turns objects into records: it lists a window's objects,
// reads each once, decodes its records and hands them on in batches.
//
// It owns: what is listed for a window, which objects are not data, and the
// rule that a bad record is rejected alone while a corrupt object counts
// nothing.
// It does not own: what a record costs or who owes it (transform), the
// manifest (billing/ledger), or when to read (jobs).
package extract

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"chargeback/extract/decode"
	"chargeback/extract/objstore"
)

// Source is one configured place to read from.
type Source struct {
	Name        string
	Format      decode.Format
	Store       objstore.Store
	RecordBytes int // longest record that is read
	Workers     int // objects read at once
}

// Listing is what a window has to offer.
type Listing struct {
	Objects []objstore.Found // by key
	Unnamed []string         // keys that are not valid UTF-8, quoted: nothing could tell which objects they are
	Skipped map[string]int   // objects that are not data, by reason
}

// List finds the objects of the days. The order of the result does not depend
// on the order in which the store lists.
func (s Source) List(ctx context.Context, days objstore.DayRange) (Listing, error) {
	l := Listing{Skipped: map[string]int{}}
	err := objstore.Walk(ctx, s.Store, days, func(f objstore.Found) error {
		if reason, skip := objstore.Skip(s.Format.Name(), f.Key, f.SizeBytes); skip {
			l.Skipped[reason]++
		} else if !utf8.ValidString(f.Key) {
			l.Unnamed = append(l.Unnamed, strconv.QuoteToASCII(f.Key))
		} else {
			l.Objects = append(l.Objects, f)
		}
		return nil
	})
	if err != nil {
		return Listing{}, fmt.Errorf("list source %s: %w", s.Name, err)
	}
	slices.Sort(l.Unnamed)
	slices.SortFunc(l.Objects, func(a, b objstore.Found) int { return cmp.Compare(a.Key, b.Key) })
	return l, nil
}
