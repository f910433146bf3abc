package jobs

import (
	"context"

	"chargeback/billing/ledger"
	"chargeback/transform/civil"
)

// sourceChange is how a source differs from what the last night found.
type sourceChange struct {
	mark     ledger.SourceMark // as it is now
	why      string            // in words; "" where only a mark is missing
	outdated bool              // its objects are read by other settings now
	adopt    bool              // its objects are of a version that kept no settings
}

// sourceChanges says which sources are new, lie elsewhere or are read by other
// settings than the last night found. Of a ledger that was kept by a version
// which marked no sources, they are taken to be as they were.
func (b *Books) sourceChanges(ctx context.Context) (map[string]sourceChange, error) {
	marks, err := b.Ledger.SourceMarks(ctx)
	if err != nil {
		return nil, err
	}
	changes := map[string]sourceChange{}
	var unmarked map[string]bool
	for _, source := range b.Sources {
		before, marked := marks[source.Name]
		c := sourceChange{mark: ledger.SourceMark{Reading: reading(source), Place: source.Place}}
		if before == c.mark {
			continue
		}
		c.outdated = marked && before.Reading != c.mark.Reading
		switch moved := before.Place != c.mark.Place; {
		case !marked && unmarked == nil:
			if unmarked, err = b.Ledger.SourcesWithoutReading(ctx); err != nil {
				return nil, err
			}
			fallthrough
		case !marked:
			if c.adopt = unmarked[source.Name]; !c.adopt {
				c.why = "it is new"
			}
		case moved && c.outdated:
			c.why = "its address and its settings changed"
		case moved:
			c.why = "its address changed"
		default:
			c.why = "its settings changed"
		}
		changes[source.Name] = c
	}
	return changes, nil
}

// sourcesChanged says whether a night would find a source changed, of which it
// then looks through more days than its own.
func (b *Books) sourcesChanged(ctx context.Context) (bool, error) {
	changes, err := b.sourceChanges(ctx)
	for _, c := range changes {
		if c.why != "" {
			return true, err
		}
	}
	return false, err
}

// keepMarks notes how a night found the sources.
func (b *Books) keepMarks(ctx context.Context, changes map[string]sourceChange) error {
	for _, source := range b.Sources {
		if c, changed := changes[source.Name]; changed {
			if err := b.Ledger.SetSourceMark(ctx, source.Name, c.mark, c.adopt); err != nil {
				return err
			}
		}
	}
	return nil
}

// firstOpen is the first day of the open months.
func (b *Books) firstOpen(ctx context.Context) (civil.Date, error) {
	closed, err := b.Ledger.ClosedMonths(ctx)
	return b.firstOf(b.openMonth(closed)), err
}
