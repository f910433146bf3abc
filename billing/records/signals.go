package records

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"

	"chargeback/billing/meta"
	"chargeback/billing/runs"
	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
	"chargeback/transform/money"
	"chargeback/transform/rates"
)

// Reads of this file are what a night and status tell of the records as they stand.
// Each is bounded by days or by the open months.

// SourceDay is a day of which a source has records or figures, and the night that
// read them.
type SourceDay struct {
	Source string
	Night  civil.Date // zero where no night did
	Day    civil.Date
}

//go:embed source_days.sql
var sourceDaysText string

// SourceDays lists the days from first to last of which sources have records of
// usage or requests, or control totals, by the nights that read them.
func (l *Records) SourceDays(ctx context.Context, first, last civil.Date) (days []SourceDay, err error) {
	err = warehouse.Each(ctx, l.q, warehouse.Select{Name: "days that sources have records of", Text: sourceDaysText, Args: Args{"first_day": first, "last_day": last}}, func(r struct {
		Source, Run string
		RecordDate  civil.Date
	}) error {
		days = append(days, SourceDay{r.Source, runs.NightOf(r.Run), r.RecordDate})
		return nil
	})
	return days, err
}

// Unpriced is records of one model that are held because something has no price.
type Unpriced struct {
	Provider, Model string
	Flags           string // with what is missing
	Why             string
	Records         int64
}

//go:embed unpriced.sql
var unpricedText string

// Unpriced lists the records without a price that months from open on hold, by model
// and what is missing.
func (l *Records) Unpriced(ctx context.Context, open civil.Month) ([]Unpriced, error) {
	args, err := l.openArgs(ctx, open)
	if err != nil {
		return nil, err
	}
	return warehouse.All[Unpriced](ctx, l.q, warehouse.Select{Name: "models without a price", Text: unpricedText, Args: args})
}

// openArgs bound a read of what the months from open on charge.
func (l *Records) openArgs(ctx context.Context, open civil.Month) (Args, error) {
	return l.daysArgs(ctx, open.FirstDay(), civil.Max)
}

//go:embed unallocated.sql
var unallocatedText string

// Unallocated is what the months from open on charge to nobody, by month.
func (l *Records) Unallocated(ctx context.Context, open civil.Month) (map[civil.Month]money.USD, error) {
	args, err := l.openArgs(ctx, open)
	if err != nil {
		return nil, err
	}
	args["unallocated"] = NoCostCenter.Code
	type monthTotal struct {
		FirstDay civil.Date
		Total    money.USD
	}
	months, err := warehouse.All[monthTotal](ctx, l.q, warehouse.Select{Name: "what is unallocated", Text: unallocatedText, Args: args})
	sums := map[civil.Month]money.USD{}
	for _, m := range months {
		sums[m.FirstDay.Month()] = m.Total
	}
	return sums, err
}

// Corrected is what months from some month on correct of a closed one, of one
// cost centre's document and by one price.
type Corrected struct {
	Month      string // the closed one
	CostCenter string
	PriceKey   string // "" where there is none
	Amount     money.USD
}

//go:embed corrected.sql
var correctedText string

// Corrected sums the corrections that months from open on charge, by closed month,
// cost centre and price.
func (l *Records) Corrected(ctx context.Context, open civil.Month) ([]Corrected, error) {
	bounds, err := ChargedDays(ctx, l, open.FirstDay(), civil.Max)
	if err != nil || len(bounds.Corrected) == 0 {
		return nil, err
	}
	return warehouse.All[Corrected](ctx, l.q, warehouse.Select{Name: "corrections of closed months", Text: correctedText, Args: bounds.Args()})
}

// BookMarks is the marks of the rate book that the last night charged by, with its
// version.
type BookMarks struct {
	Version string       `json:"version"`
	Marks   []rates.Mark `json:"marks"`
}

// BookEdit is an edit of the rate book, with the first month that was open when a
// night found it.
type BookEdit struct {
	rates.Mark
	What string `json:"what"`
	Open string `json:"open"`
}

const (
	bookMarksFact = "marks of the rate book"
	bookEditsFact = "edits of the rate book"
)

// BookMarks reads what was kept of the rate book; without a version where nothing
// was.
func (l *Records) BookMarks(ctx context.Context) (marks BookMarks, err error) {
	err = l.fact(ctx, bookMarksFact, &marks)
	return marks, err
}

// BookEdits reads the edits of the rate book that were kept.
func (l *Records) BookEdits(ctx context.Context) (edits []BookEdit, err error) {
	err = l.fact(ctx, bookEditsFact, &edits)
	return edits, err
}

// SetBook keeps the marks and the edits of the rate book.
func SetBook(marks BookMarks, edits []BookEdit) ([]warehouse.Change, error) {
	kept, err := setFact(bookMarksFact, marks)
	if err != nil {
		return nil, err
	}
	more, err := setFact(bookEditsFact, edits)
	return append(kept, more...), err
}

// fact reads a fact that is kept as JSON; what is not there leaves to as it is.
func (l *Records) fact(ctx context.Context, name string, to any) error {
	text, err := meta.Get(ctx, l.q, name)
	if err != nil || text == "" {
		return err
	}
	if err := json.Unmarshal([]byte(text), to); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

func setFact(name string, fact any) ([]warehouse.Change, error) {
	text, err := json.Marshal(fact)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	return meta.Set(name, string(text)), nil
}

// PricesUsed are the keys of all prices that have ever priced a record.
func (l *Records) PricesUsed(ctx context.Context) (map[string]bool, error) {
	used := map[string]bool{}
	err := warehouse.Each(ctx, l.q, warehouse.Select{Name: "prices that were used", Text: "select distinct price_key from {rate_entries} where price_key is not null"}, func(key string) error {
		used[key] = true
		return nil
	})
	return used, err
}
