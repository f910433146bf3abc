package ledger

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"chargeback/billing/meta"
	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
	"chargeback/transform/money"
	"chargeback/transform/rates"
)

// Reads of this file are what a night and status tell of the books as they stand.
// Each is bounded by days or by the open months.

// SourceDay is a day of which a source has records or figures, and the night that
// read them.
type SourceDay struct {
	Source string
	Night  civil.Date // zero where no night did
	Day    civil.Date
}

// SourceDays lists the days from first to last of which sources have records of
// usage or requests, or control totals, by the nights that read them.
func (l *Ledger) SourceDays(ctx context.Context, first, last civil.Date) (days []SourceDay, err error) {
	err = l.Query(ctx, `
with staged as (
  select object_id, usage_date as record_date from {usage} where usage_date between {@first_day} and {@last_day} group by object_id, usage_date
  union all
  select object_id, request_date as record_date from {requests} where request_date between {@first_day} and {@last_day} group by object_id, request_date
  union all
  select object_id, bucket_date as record_date from {totals} where bucket_date between {@first_day} and {@last_day} group by object_id, bucket_date
)
select distinct
  o.source,
  o.run,
  s.record_date
from staged as s
inner join {objects} as o on o.object_id = s.object_id
order by o.source, s.record_date, o.run`, Args{"first_day": first, "last_day": last}, func(r Row) error {
		days = append(days, SourceDay{r.Text(0), nightOf(r.Text(1)), r.Date(2)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the days that sources have records of: %w", err)
	}
	return days, nil
}

// SourceNight is what a night and its shards read of a source.
type SourceNight struct {
	Source           string
	Night            civil.Date
	Staged, Rejected int64
}

// SourceNights lists what the nights from first to last read of each source, as far
// as it was not replaced since, by source and night.
func (l *Ledger) SourceNights(ctx context.Context, first, last civil.Date) (nights []SourceNight, err error) {
	err = l.Query(ctx, `
select
  source,
  if(run like 'shard/%', substr(run, 7, 10), substr(run, 9, 10)) as night_day,
  sum(if(state in ('read', 'missing'), rows_staged, 0)),
  sum(if(state in ('read', 'missing'), rows_rejected, 0))
from {objects}
where run between {@first_night} and {@last_night} or run between {@first_shard} and {@last_shard}
group by 1, 2
order by 1, 2`, Args{
		"first_night": "nightly/" + first.String(), "last_night": "nightly/" + last.String(),
		"first_shard": shardKind + first.String(), "last_shard": shardKind + last.String() + "/~",
	}, func(r Row) error {
		night, err := civil.ParseDate(r.Text(1))
		nights = append(nights, SourceNight{r.Text(0), night, r.Int(2), r.Int(3)})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read what nights read of sources: %w", err)
	}
	return nights, nil
}

// SourceArrivals lists the nights from first to last that read records of a source,
// also of objects that were replaced since, by source and night.
func (l *Ledger) SourceArrivals(ctx context.Context, first, last civil.Date) (arrivals []SourceDay, err error) {
	err = l.Query(ctx, `
select distinct
  source,
  run
from {objects}
where rows_staged > 0 and (run between {@first_night} and {@last_night} or run between {@first_shard} and {@last_shard})
order by 1, 2`, Args{
		"first_night": "nightly/" + first.String(), "last_night": "nightly/" + last.String(),
		"first_shard": shardKind + first.String(), "last_shard": shardKind + last.String() + "/~",
	}, func(r Row) error {
		arrivals = append(arrivals, SourceDay{Source: r.Text(0), Night: nightOf(r.Text(1))})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read when sources delivered: %w", err)
	}
	return arrivals, nil
}

// NightsWith lists the nights from first to last that were run as parts of another
// one, and that one.
func (l *Ledger) NightsWith(ctx context.Context, first, last civil.Date) (with map[civil.Date]civil.Date, err error) {
	with = map[civil.Date]civil.Date{}
	err = l.Query(ctx, `
select run_window, summary
from {runs}
where run_window between {@first_night} and {@last_night} and state = 'done' and summary like {@with}
order by attempt, run_window`, Args{"first_night": "nightly/" + first.String(), "last_night": "nightly/" + last.String(), "with": `{"with":%`}, func(r Row) error {
		var summary struct {
			With string `json:"with"`
		}
		if err := json.Unmarshal([]byte(r.Text(1)), &summary); err != nil {
			return fmt.Errorf("summary of %s: %w", r.Text(0), err)
		}
		with[nightOf(r.Text(0))] = nightOf(summary.With)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read which nights were run together: %w", err)
	}
	return with, nil
}

// shardKind is what windows of a night's shards begin with.
const shardKind = "shard/"

// nightOf is the night of a window, or of a shard's; the zero date where it is of
// neither.
func nightOf(window string) civil.Date {
	for _, kind := range []string{"nightly/", shardKind} {
		if rest, is := strings.CutPrefix(window, kind); is {
			text, _, _ := strings.Cut(rest, "/")
			if day, err := civil.ParseDate(text); err == nil {
				return day
			}
		}
	}
	return civil.Date{}
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
func (l *Ledger) Unpriced(ctx context.Context, open civil.Month) ([]Unpriced, error) {
	args, err := l.openArgs(ctx, open)
	if err != nil {
		return nil, err
	}
	return warehouse.All[Unpriced](ctx, l.q, warehouse.Select{Name: "models without a price", Text: unpricedText, Args: args})
}

// openArgs bound a read of what the months from open on charge.
func (l *Ledger) openArgs(ctx context.Context, open civil.Month) (Args, error) {
	return l.daysArgs(ctx, open.FirstDay(), civil.Max)
}

//go:embed unallocated.sql
var unallocatedText string

// Unallocated is what the months from open on charge to nobody, by month.
func (l *Ledger) Unallocated(ctx context.Context, open civil.Month) (map[civil.Month]money.USD, error) {
	args, err := l.openArgs(ctx, open)
	if err != nil {
		return nil, err
	}
	args["unallocated"] = unallocated.Code
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
func (l *Ledger) Corrected(ctx context.Context, open civil.Month) ([]Corrected, error) {
	bounds, err := ChargedDays(ctx, l, open.FirstDay(), civil.Max)
	if err != nil || len(bounds.Corrected) == 0 {
		return nil, err
	}
	return warehouse.All[Corrected](ctx, l.q, warehouse.Select{Name: "corrections of closed months", Text: correctedText, Args: bounds.Args()})
}

// FailedRun is a window whose newest attempt failed.
type FailedRun struct{ Window, Reason string }

// FailedRuns lists the nightly and monthly windows, and those of documents, whose
// newest attempt failed since a time.
func (l *Ledger) FailedRuns(ctx context.Context, since time.Time) (failed []FailedRun, err error) {
	err = l.Query(ctx, `
with newest_attempts as (
  select
    run_window,
    state,
    summary
  from {runs}
  where started_at >= {@since} and (run_window like 'nightly/%' or run_window like 'monthly/%' or run_window like 'documents/%')
  qualify row_number() over (partition by run_window order by attempt desc) = 1
)
select
  n.run_window,
  n.summary
from newest_attempts as n
where n.state = 'failed'
order by n.run_window`, Args{"since": since}, func(r Row) error {
		var summary struct {
			Error string `json:"error"`
		}
		if err := json.Unmarshal([]byte(r.Text(1)), &summary); err != nil {
			return fmt.Errorf("summary of %s: %w", r.Text(0), err)
		}
		failed = append(failed, FailedRun{r.Text(0), summary.Error})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read runs that failed: %w", err)
	}
	return failed, nil
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
func (l *Ledger) BookMarks(ctx context.Context) (marks BookMarks, err error) {
	err = l.fact(ctx, bookMarksFact, &marks)
	return marks, err
}

// BookEdits reads the edits of the rate book that were kept.
func (l *Ledger) BookEdits(ctx context.Context) (edits []BookEdit, err error) {
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
func (l *Ledger) fact(ctx context.Context, name string, to any) error {
	row, err := l.one(ctx, "select value from {meta} where name = {@name}", Args{"name": name})
	if err == nil && row != nil {
		err = json.Unmarshal([]byte(row.Text(0)), to)
	}
	if err != nil {
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
func (l *Ledger) PricesUsed(ctx context.Context) (map[string]bool, error) {
	used := map[string]bool{}
	err := l.Query(ctx, "select distinct price_key from {rate_entries} where price_key is not null", nil, func(r Row) error {
		used[r.Text(0)] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read which prices were used: %w", err)
	}
	return used, nil
}
