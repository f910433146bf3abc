// Package months holds what a month comes to and its close: gates, charges, the
// documents that were issued and their files, and the hash by which a closed month is
// known to be unchanged.
//
// It does not own the records (records), what documents look like (billing/invoice), or
// when a month closes (jobs).
package months

import (
	"cmp"
	"context"
	_ "embed" // texts of selects
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// Months are the months of the books, as they stand by their records.
type Months struct {
	q       warehouse.Querier
	records *records.Records
}

// New are the months of records.
func New(r *records.Records) *Months { return &Months{r, r} }

// Closed returns the closed months with the content hash of each.
func (l *Months) Closed(ctx context.Context) (map[civil.Month]string, error) {
	return records.ClosedMonths(ctx, l.q)
}

// ErrClosed says that a month is closed and can't be closed or changed again.
var ErrClosed = errors.New("month is closed")

// Issued is one document as it was issued. Document is JSON.
type Issued struct {
	Number, Month, CostCenter string
	Total                     money.Cents `column:"total_cents"`
	ContentHash               string
	Document                  string
}

// Close closes a month with the documents that it was billed by. It returns
// ErrClosed where it is closed.
func (l *Months) Close(ctx context.Context, month civil.Month, now time.Time, hash string, summary any, documents []Issued) ([]warehouse.Change, error) {
	text, err := json.Marshal(summary)
	if err != nil {
		return nil, fmt.Errorf("write summary of %s: %w", month, err)
	}
	closed, err := l.Closed(ctx)
	if err != nil {
		return nil, err
	}
	if _, is := closed[month]; is {
		return nil, fmt.Errorf("close %s: %w", month, ErrClosed)
	}
	asked, err := l.records.NoteClosed(ctx, month)
	if err != nil {
		return nil, err
	}
	rows := make([][]any, 0, len(documents))
	for _, d := range documents {
		rows = append(rows, []any{d.Number, d.Month, d.CostCenter, int64(d.Total), d.ContentHash, d.Document})
	}
	return append([]warehouse.Change{
		warehouse.Guard{
			Count: warehouse.Select{Name: "closed months", Text: "select count(*) from {months} where month = {@month}", Args: warehouse.Args{"month": month}},
			Err:   fmt.Errorf("close %s: %w", month, ErrClosed),
		},
		warehouse.Append{Table: invoicesTable.Name, Rows: rows},
		warehouse.Append{Table: monthsTable.Name, Rows: [][]any{{month.String(), month.FirstDay(), "closed", now, hash, string(text)}}},
	}, asked...), nil
}

// Issued returns the documents of a month, by number.
func (l *Months) Issued(ctx context.Context, month civil.Month) ([]Issued, error) {
	return warehouse.All[Issued](ctx, l.q, warehouse.Select{
		Name: "documents of " + month.String(), Args: warehouse.Args{"month": month},
		Text: "select number, month, cost_center, total_cents, content_hash, document from {invoices} where month = {@month} order by number",
	})
}

// File is one file of a closed month as it was first written.
type File struct {
	Folder, Name, SHA256 string
}

// NoteFiles is the files of a closed month, once they are all written.
func NoteFiles(month civil.Month, files []File) warehouse.Change {
	rows := make([][]any, 0, len(files))
	for _, f := range files {
		rows = append(rows, []any{month.String(), f.Folder, f.Name, f.SHA256})
	}
	return warehouse.Append{Table: filesTable.Name, Rows: rows}
}

// Files returns the files that were noted of a month, by folder and name.
func (l *Months) Files(ctx context.Context, month civil.Month) ([]File, error) {
	return warehouse.All[File](ctx, l.q, warehouse.Select{
		Name: "files of " + month.String(), Args: warehouse.Args{"month": month},
		Text: "select folder, name, sha256 from {document_files} where month = {@month} order by folder, name",
	})
}

// Gates counts what may stand in the way of a month's close.
type Gates struct {
	Records                                                           int64 // that it charges or holds, corrections too
	Unpriced, Pending, Doubtful, Conflicts, Rejected, Failed, Missing int64
	Unallocated                                                       money.USD
	// What the doubtful requests would cost, as far as that is known, beside what
	// the usage without a request was charged of the same providers and days.
	DoubtfulCost      money.USD
	UsageAlone        money.USD `column:"-"`
	UsageAloneRecords int64     `column:"-"`
}

//go:embed gates.sql
var gatesText string

// Gates reads the gates of a month. Rejects and objects belong to the month
// in which their objects were delivered.
func (l *Months) Gates(ctx context.Context, month civil.Month) (g Gates, err error) {
	bounds, err := records.ChargedDays(ctx, l.q, month.FirstDay(), month.FirstDay())
	if err != nil {
		return g, err
	}
	args := bounds.Args()
	args["first_day"], args["last_day"], args["unallocated"] = month.FirstDay(), month.LastDay(), records.NoCostCenter.Code
	g, err = warehouse.One[Gates](ctx, l.q, warehouse.Select{Name: "gates of " + month.String(), Text: gatesText, Args: args})
	if err != nil || g.Doubtful == 0 {
		return g, err
	}
	both, err := l.Doubtful(ctx, month.FirstDay(), month.LastDay())
	g.UsageAlone, g.UsageAloneRecords = both.UsageAlone, both.UsageAloneRecords
	return g, err
}

// Doubtful is what stands on both sides of requests that are held as doubtful.
type Doubtful struct {
	Requests          int64     // requests held
	Cost              money.USD // what they would cost, as far as that is known
	UsageAloneRecords int64     // usage records of the same providers and days that found no request
	UsageAlone        money.USD // what these were charged
}

//go:embed doubtful.sql
var doubtfulText string

// Doubtful reads the doubtful requests of the days that open months charge,
// with the usage that they may be.
func (l *Months) Doubtful(ctx context.Context, first, last civil.Date) (Doubtful, error) {
	return warehouse.One[Doubtful](ctx, l.q, warehouse.Select{Name: "doubtful requests", Text: doubtfulText, Args: warehouse.Args{"first_day": first, "last_day": last}})
}

// Payer is who pays for something in a month, with the days that count: those of
// use, and for a correction of a closed month the first day of this one.
type Payer struct {
	records.CostCenter
	First, Last civil.Date
	Own         bool // for records of the month itself, not for corrections alone
}

//go:embed payers.sql
var payersText string

// Payers lists who pays in a month, by department and cost centre.
func (l *Months) Payers(ctx context.Context, month civil.Month) ([]Payer, error) {
	return records.OfMonth[Payer](ctx, l.q, month, "who pays", payersText)
}

// SourceRecords is how many records of a kind a source has for a month.
type SourceRecords struct {
	Source, Kind string // usage, requests or people
	Records      int64
}

//go:embed source_records.sql
var sourceRecordsText string

// SourceRecords counts the staged records of a month's days, by source and kind,
// and the people of which each source tells.
func (l *Months) SourceRecords(ctx context.Context, month civil.Month) ([]SourceRecords, error) {
	return warehouse.All[SourceRecords](ctx, l.q, warehouse.Select{
		Name: "records of " + month.String() + " by source", Text: sourceRecordsText, Args: warehouse.Args{"first_day": month.FirstDay(), "last_day": month.LastDay()},
	})
}

// Charge is what one cost centre owes for one agent and model in a month, or, of a
// correction, for one reason and counterpart, too.
type Charge struct {
	Owed
	AdjustsMonth string // of a correction: the closed month, else ""

	// Of a correction.
	AdjustsCenter string    // cost centre whose document is corrected: CostCenter, or one that it succeeds
	Reason        string    // why
	Paired        bool      // a record is reversed and charged again, and this is one of the two
	Counterpart   string    // AdjustsCenter of the other one
	CounterAmount money.USD // of what is reversed the new amount, of what is charged again the old one
	// BookedMonth and BookedCenter are on whose document the amount stands that is
	// corrected: AdjustsMonth and AdjustsCenter, or, where that is a correction itself,
	// the month and the bearer of that one.
	BookedMonth, BookedCenter string
}

// Owed is what records of one cost centre, agent and model come to.
type Owed struct {
	Department, CostCenter, AgentID, PriceKey, Model          string
	Requests, CacheHits, Input, CacheRead, CacheWrite, Output int64
	LLM, Infra, Tool, CacheSavings                            money.USD
	Estimated, Unpriced, Pending                              int64
}

//go:embed charges.sql
var chargesText string

//go:embed corrections.sql
var correctionsText string

// Charges sums a month's cost records by cost centre, agent, model and, of
// corrections, corrected month and cost centre, reason and counterpart.
func (l *Months) Charges(ctx context.Context, month civil.Month) ([]Charge, error) {
	bounds, err := records.ChargedDays(ctx, l.q, month.FirstDay(), month.FirstDay())
	if err != nil {
		return nil, err
	}
	own, err := warehouse.All[Owed](ctx, l.q, warehouse.Select{Name: "charges of " + month.String(), Text: chargesText, Args: bounds.Args()})
	if err != nil {
		return nil, err
	}
	var charges []Charge
	for _, o := range own {
		charges = append(charges, Charge{Owed: o})
	}
	corrections, err := l.corrections(ctx, month, bounds)
	if err != nil || len(corrections) == 0 {
		return charges, err
	}
	charges = append(charges, corrections...)
	slices.SortStableFunc(charges, func(x, y Charge) int {
		return cmp.Or(cmp.Compare(x.CostCenter, y.CostCenter), cmp.Compare(x.AgentID, y.AgentID), cmp.Compare(x.PriceKey, y.PriceKey), cmp.Compare(x.Model, y.Model), cmp.Compare(x.AdjustsMonth, y.AdjustsMonth))
	})
	return charges, nil
}

// corrections are the charges of a month that are corrections.
func (l *Months) corrections(ctx context.Context, month civil.Month, bounds records.Bounds) ([]Charge, error) {
	if len(bounds.Corrected) == 0 {
		return nil, nil
	}
	charges, err := warehouse.All[Charge](ctx, l.q, warehouse.Select{Name: "corrections of " + month.String(), Text: correctionsText, Args: bounds.Args()})
	for i := range charges {
		c := &charges[i]
		if c.BookedMonth == "" || c.BookedMonth == c.AdjustsMonth {
			c.BookedMonth, c.BookedCenter = c.AdjustsMonth, c.AdjustsCenter
		}
	}
	return charges, err
}

// Correction is what a month corrects of a closed one, of one cost centre's document
// and for one reason. A pair is two of them, each other's counterpart.
type Correction struct {
	Month       string // the closed one
	CostCenter  string // whose document is corrected
	Bearer      string // who bears it: CostCenter, or its successor
	Reason      string
	Counterpart string // whose document the other half of a pair corrects; "" where it has none
	Records     int64
	Reversed    money.USD // taken back, below 0
	Charged     money.USD // charged late, or again
}

// Corrections are those that a month charges, in the order of month, cost centre,
// bearer, reason and counterpart.
func (l *Months) Corrections(ctx context.Context, month civil.Month) ([]Correction, error) {
	bounds, err := records.ChargedDays(ctx, l.q, month.FirstDay(), month.FirstDay())
	if err != nil {
		return nil, err
	}
	charges, err := l.corrections(ctx, month, bounds)
	return correctionsOf(charges), err
}

// CorrectionsBy are the corrections that days which are made leave in the open month.
func (l *Months) CorrectionsBy(ctx context.Context, b records.Build, refs records.References) ([]Correction, error) {
	made, err := l.records.Compute(ctx, b, refs)
	if err != nil {
		return nil, fmt.Errorf("make corrections in %s to look at: %w", b.OpenMonth, err)
	}
	return New(l.records.After(made)).Corrections(ctx, b.OpenMonth)
}

func correctionsOf(charges []Charge) (all []Correction) {
	at := map[Correction]int{}
	for _, c := range charges {
		k := Correction{Month: c.AdjustsMonth, CostCenter: c.AdjustsCenter, Bearer: c.CostCenter, Reason: c.Reason, Counterpart: c.Counterpart}
		i, found := at[k]
		if !found {
			i = len(all)
			at[k], all = i, append(all, k)
		}
		total := money.Sum(c.LLM, c.Infra, c.Tool)
		if c.Requests < 0 {
			all[i].Records, all[i].Reversed = all[i].Records-c.Requests, all[i].Reversed.Add(total)
		} else {
			all[i].Records, all[i].Charged = all[i].Records+c.Requests, all[i].Charged.Add(total)
		}
	}
	slices.SortFunc(all, func(x, y Correction) int {
		return cmp.Or(cmp.Compare(x.Month, y.Month), cmp.Compare(x.CostCenter, y.CostCenter), cmp.Compare(x.Bearer, y.Bearer), cmp.Compare(x.Reason, y.Reason), cmp.Compare(x.Counterpart, y.Counterpart))
	})
	return all
}

// Numbers are the numbers of the documents issued for the months from first to last,
// by month and cost centre, sorted.
func (l *Months) Numbers(ctx context.Context, first, last civil.Month) (numbers map[string]map[string][]string, err error) {
	numbers = map[string]map[string][]string{}
	err = warehouse.Each(ctx, l.q, warehouse.Select{
		Name: "numbers of documents", Args: warehouse.Args{"first_month": first, "last_month": last},
		Text: "select month, cost_center, number from {invoices} where month between {@first_month} and {@last_month} order by month, cost_center, number",
	}, func(d struct{ Month, CostCenter, Number string }) error {
		if numbers[d.Month] == nil {
			numbers[d.Month] = map[string][]string{}
		}
		numbers[d.Month][d.CostCenter] = append(numbers[d.Month][d.CostCenter], d.Number)
		return nil
	})
	return numbers, err
}

//go:embed rate_versions.sql
var rateVersionsText string

// RateVersions lists the versions of the rate book that priced a month.
func (l *Months) RateVersions(ctx context.Context, month civil.Month) ([]string, error) {
	return records.OfMonth[string](ctx, l.q, month, "versions of the rate book", rateVersionsText)
}

// Closing reads into summary what Close kept of a closed month. It leaves
// summary as it is where the month is open.
func (l *Months) Closing(ctx context.Context, month civil.Month, summary any) error {
	text, closed, err := warehouse.Maybe[string](ctx, l.q, warehouse.Select{
		Name: "read the close of " + month.String(), Text: "select summary from {months} where month = {@month}", Args: warehouse.Args{"month": month},
	})
	if err != nil || !closed {
		return err
	}
	if err := json.Unmarshal([]byte(text), summary); err != nil {
		return fmt.Errorf("read the close of %s: %w", month, err)
	}
	return nil
}
