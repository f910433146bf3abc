package report

import (
	"context"
	_ "embed" // texts of selects
	"fmt"

	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
	"chargeback/transform/rates"
)

var (
	//go:embed held.sql
	heldText string
	//go:embed delivered_objects.sql
	deliveredObjects string
	//go:embed rejects.sql
	rejectsText string
	//go:embed objects.sql
	objectsText string
	//go:embed set_aside.sql
	setAsideText string
	//go:embed conflicts.sql
	conflictsText string
)

// Held is the month's requests without a cost, by reason and model, with what
// is known of them. Unpriced ones come first: they stand in the way of the
// month's close.
func Held(ctx context.Context, q Querier, month civil.Month) (Report, error) {
	r := Report{Name: "held", Title: "Requests held without a cost", Month: month.String(), Columns: []Column{
		{Name: "pricing", Title: "State"},
		{Name: "reason", Title: "Why", Wrap: true, Null: true},
		{Name: "provider", Title: "Provider", Rank: 3},
		{Name: "model", Title: "Model"},
		{Name: "requests", Title: "Requests", Kind: Count},
		{Name: "input_tokens", Title: "Input tokens", Kind: Count, Rank: 1},
		{Name: "output_tokens", Title: "Output tokens", Kind: Count, Rank: 2},
		{Name: "first_day", Title: "First day", Rank: 5},
		{Name: "last_day", Title: "Last day", Rank: 4},
	}}
	q, err := r.ofMonth(ctx, q, month)
	if err != nil {
		return r, err
	}
	if err := r.read(ctx, q, warehouse.Select{Text: heldText}); err != nil {
		return r, err
	}
	missing := map[string]bool{}
	err = warehouse.Each(ctx, q, warehouse.Select{
		Name: "read report held: what is missing", Text: "select distinct ifnull(flags, pricing) as missing from {counted_items} where is_held",
	}, func(what string) error {
		missing[what] = true
		return nil
	})
	if err != nil {
		return r, err
	}
	for _, a := range advices {
		if missing[records.FlagMissing+a.missing] || a.missing == records.MissingUsage && missing["pending"] {
			r.note("%s", a.text)
		}
	}
	return r, nil
}

// advices say what helps where something is missing, in the order in which they
// are told.
var advices = []struct{ missing, text string }{
	{string(rates.LacksModel), "Model that is not in the rate book: add its price, or name the model under unknown_models, and run again."},
	{records.MissingReported, "Model without a price, whose gateway reported no cost: add its price, or name another model under unknown_models (price_as), and run again."},
	{string(rates.LacksPrice), "Price that the rate book does not have at that time or of that class: add it to the model's entry, and run again."},
	{string(rates.LacksTier), "Service tier that the rate book does not know: add it under tiers of the model's entry, and run again."},
	{string(rates.LacksBound), "Price that is out of bounds: correct it, or the factors on it, in the rate book, and run again."},
	{records.MissingSearchPrice, "Web searches without a price: give the model's entry usd_per_search, and run again."},
	{records.MissingCounts, "No token counts: let the gateway log them (OpenAI's streams want stream_options.include_usage) or read the provider's own log (usage_from). " +
		"What is not sold by tokens, such as images or reranking, wants usd_per_request in the model's entry. A price by tokens does not help."},
	{records.MissingFees, "No fees at that time: add fees to the rate book from that time on, and run again."},
	{records.MissingToolFee, "Tool without a fee: add it, or \"*\", under tools of the fees in the rate book, and run again."},
	{records.MissingMatch, "Doubtful: the provider's own log covers the day and has no usage that is known to be this request's. Make both logs carry a common id (see `chargeback report matches`), " +
		"or deliver what is missing of the provider's log; if it can't come, waive the gate doubtful for the month."},
	{records.MissingUsage, "Pending: usage may still come; nothing to do."},
}

// Advice says what helps where a record with these flags is held, "" where it
// isn't, or nothing is known that does.
func Advice(flags []string) string {
	for _, flag := range flags {
		for _, a := range advices {
			if flag == records.FlagMissing+a.missing {
				return a.text
			}
		}
	}
	return ""
}

// Page is a part of a long list: at most Limit rows (0: all) after Offset.
type Page struct{ Limit, Offset int }

func (p Page) check(name string) error {
	if p.Limit < 0 || p.Offset < 0 {
		return fmt.Errorf("read report %s: limit %d, offset %d; neither may be below zero", name, p.Limit, p.Offset)
	}
	return nil
}

// Problems of the zero month are those of all months. A problem belongs to the
// month in which its object was delivered or, where the row was read, to that
// of its business date.
func problemArgs(month civil.Month, p Page) records.Args {
	args := records.Args{"first_day": civil.Min, "last_day": civil.Max, "limit": int64(p.Limit), "offset": int64(p.Offset)}
	if p.Limit == 0 {
		args["limit"] = int64(1) << 62
	}
	if !month.IsZero() {
		args["first_day"], args["last_day"] = month.FirstDay(), month.LastDay()
	}
	return args
}

// readPage reads one page of a list, which is what page selects of {listed}, and
// notes where it lies in the whole. A page has no total.
func (r *Report) readPage(ctx context.Context, q Querier, month civil.Month, p Page, page string, views map[string]string) error {
	if err := p.check(r.Name); err != nil {
		return err
	}
	q = warehouse.With(q, views, problemArgs(month, p))
	if err := r.read(ctx, q, warehouse.Select{Text: page}); err != nil {
		return err
	}
	all, err := warehouse.One[int64](ctx, q, warehouse.Select{Name: "count report " + r.Name, Text: "select count(*) as n from {listed}"})
	if err != nil {
		return err
	}
	listed := int64(len(r.Rows))
	switch {
	case listed == all:
	case listed == 0:
		r.note("The list has %s; offset %d is beyond its end.", plural(all, "row", "rows"), p.Offset)
	default:
		r.note("Rows %s to %s of %s.", grouped(int64(p.Offset)+1), grouped(int64(p.Offset)+listed), grouped(all))
	}
	return nil
}

// sourceRank goes first on a narrow terminal; the object's key and what is
// wrong with it always stay.
const sourceRank = 9

func objectColumns(rest ...Column) []Column {
	return append([]Column{
		{Name: "source", Title: "Source", Rank: sourceRank},
		{Name: "object", Title: "Object", Wrap: true},
	}, rest...)
}

// Rejects lists records that could not be taken in, with the line on which
// each starts and why; the zero month is all months.
func Rejects(ctx context.Context, q Querier, month civil.Month, p Page) (Report, error) {
	r := Report{Name: "rejects", Title: "Records that could not be taken in", Month: month.String(), Columns: objectColumns(
		Column{Name: "line", Title: "Line", Kind: Number},
		Column{Name: "reason", Title: "Why", Wrap: true},
	)}
	err := r.readPage(ctx, q, month, p, "select source, object, line, reason from {listed} order by source, object, line, reason limit {@limit} offset {@offset}",
		map[string]string{"listed": rejectsText, "delivered_objects": deliveredObjects})
	return r, err
}

// Objects lists objects that failed, none of whose records count, objects
// that are gone from their source, all of whose records still do, and those that are
// gone for good, none of whose do any more.
func Objects(ctx context.Context, q Querier) (Report, error) {
	r := Report{Name: "objects", Title: "Objects that failed or are gone", Columns: objectColumns(
		Column{Name: "state", Title: "State"},
		Column{Name: "day", Title: "Day", Rank: 2, Null: true},
		Column{Name: "rows_staged", Title: "Rows", Kind: Number, Rank: 1},
		Column{Name: "reason", Title: "Why", Wrap: true, Null: true},
	)}
	err := r.read(ctx, q, warehouse.Select{Text: objectsText})
	return r, err
}

// Conflicts lists staged records that share their key with another of
// different content; none of them is charged. The zero month is all months.
func Conflicts(ctx context.Context, q Querier, month civil.Month, p Page) (Report, error) {
	r := Report{Name: "conflicts", Title: "Records that contradict each other", Month: month.String(), Columns: objectColumns(
		Column{Name: "line", Title: "Line", Kind: Number},
		Column{Name: "kind", Title: "Kind", Rank: 1},
		Column{Name: "usage_date", Title: "Day"},
		Column{Name: "call_id", Title: "Call", Null: true},
		Column{Name: "differs", Title: "Differs in", Wrap: true, Null: true},
	)}
	err := r.readPage(ctx, q, month, p, conflictsText, map[string]string{"listed": setAsideText, "conflict_rows": conflictRows()})
	if len(r.Rows) > 0 {
		r.note("%s", ConflictAdvice)
	}
	return r, err
}

// ConflictAdvice says what helps against conflicts.
const ConflictAdvice = "None of them is charged: nothing says which one is right. Let the source write one record for each call, or give each call an id of its own."
