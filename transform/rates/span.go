package rates

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"chargeback/transform/strictyaml"
)

// place is an entry in one of the book's files.
type place struct {
	doc  *strictyaml.Document
	path string
}

// line names the place to somebody who reads about a problem in doc.
func (p place) line(doc *strictyaml.Document) string {
	if p.doc == doc || p.doc.Name() == doc.Name() {
		return fmt.Sprintf("line %d", p.doc.Line(p.path))
	}
	return fmt.Sprintf("line %d of %s", p.doc.Line(p.path), p.doc.Name())
}

// span is the range of dates of an entry, and when it became known.
type span struct {
	place
	from, to *time.Time // to is zero where the range is open
	learned  time.Time
	open     bool
}

// spans are all ranges, by what they are ranges of.
type spans struct{ of map[string][]*span }

func (s *spans) add(of string, doc *strictyaml.Document, path string, from, to *time.Time, learned time.Time) {
	if s.of == nil {
		s.of = map[string][]*span{}
	}
	s.of[of] = append(s.of[of], &span{place{doc, path}, from, to, learned, to.IsZero()})
}

// close ends each open range where the next one of the same thing begins that
// was known when it was learned, the last at Forever. Of two ranges that share an
// instant the one that was learned later holds; ranges that were learned at the
// same time must not share any.
func (s *spans) close() {
	for _, of := range slices.Sorted(maps.Keys(s.of)) {
		closeSpans(s.of[of])
	}
}

func closeSpans(all []*span) {
	slices.SortStableFunc(all, func(a, b *span) int {
		return cmp.Or(a.from.Compare(*b.from), a.learned.Compare(b.learned))
	})
	for i, s := range all {
		if !s.open {
			continue
		}
		*s.to = Forever
		for _, next := range all[i+1:] {
			if next.from.After(*s.from) && !next.learned.After(s.learned) {
				*s.to = *next.from
				break
			}
		}
	}
	for i, next := range all {
		for _, s := range all[:i] {
			if s.learned.Equal(next.learned) && next.from.Before(*s.to) && !s.from.IsZero() {
				next.doc.Failf(next.path+".from", "%s overlaps the entry on %s, which holds from %s to %s; let one end before the other begins, or say when it was learned",
					next.from.Format(time.RFC3339), s.line(next.doc), s.from.Format(time.RFC3339), endText(*s.to, s.open && s.from.Equal(*next.from)))
			}
		}
	}
}

func endText(to time.Time, open bool) string {
	if open || !to.Before(Forever) {
		return "ever"
	}
	return to.Format(time.RFC3339)
}

func checkSpan(doc *strictyaml.Document, path string, from, to instant) {
	if from.IsZero() {
		doc.Failf(path+".from", "is missing; write the instant from which it holds, such as 2026-10-01T00:00:00Z")
	} else if !to.IsZero() && !from.Before(to.Time) {
		doc.Failf(path+".to", "%s is not after from; to is the first instant at which it no longer holds", to.Format(time.RFC3339))
	}
}

// holds says whether at lies in [from, to).
func holds(at, from, to time.Time) bool { return !at.Before(from) && at.Before(to) }
