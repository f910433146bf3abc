package report

import (
	"context"
	_ "embed" // texts of selects
	"fmt"
	"slices"

	"chargeback/billing/ledger"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// Matches is how the providers' records of a month found their requests: for
// each source of usage and each source of requests how many met, and by which
// key. Its shares are of the records of the source of usage. Below it stand the
// records that found no request, and the requests whose usage hasn't come or that
// are held as doubtful. Notes tell of calls that several sources logged.
func Matches(ctx context.Context, q Querier, month civil.Month) (Report, error) {
	r := Report{Name: "matches", Title: "How usage found its requests", Month: month.String(), Columns: []Column{
		{Name: "usage_source", Title: "Usage from", None: "no usage yet"},
		{Name: "request_source", Title: "Requests from", None: "no request"},
		{Name: "records", Title: "Records", Kind: Count},
		{Name: "by_request_id", Title: "By request id", Kind: Count, Rank: 1},
		{Name: "by_response_id", Title: "By response id", Kind: Count, Rank: 2},
		{Name: "by_client_reference", Title: "By client reference", Kind: Count, Rank: 3},
		{Name: "by_fingerprint", Title: "By fingerprint", Kind: Count, Rank: 3},
		{Name: "ambiguous", Title: "Ambiguous", Kind: Count, Rank: 4},
		{Name: "share_percent", Title: "Share", Kind: Percent},
	}}
	err := r.read(ctx, q, pairsText, ledger.Args{"first_day": month.FirstDay(), "last_day": month.LastDay()})
	rates := ratesOf(r.Rows)
	for _, row := range r.Rows {
		if source, ok := row[0].(string); ok {
			all := rates[slices.IndexFunc(rates, func(m MatchRate) bool { return m.Source == source })].Records
			row[r.at("share_percent")] = money.Cents(share(row[2].(int64), all)).String()
		}
	}
	for _, m := range rates {
		r.note("%s: %s%% of %s found their request.", m.Source, m.Percent(), plural(m.Records, "record", "records"))
	}
	if err != nil {
		return r, err
	}
	return r, r.noteCopies(ctx, q, month)
}

// noteCopies says which sources logged calls of which another source's record
// counts.
func (r *Report) noteCopies(ctx context.Context, q Querier, month civil.Month) error {
	err := q.Query(ctx, `
select o.source, count(*) as records
from {repeats} as d
inner join {objects} as o on o.object_id = d.object_id
where d.verdict = 'copy' and d.usage_date between {@first_day} and {@last_day}
group by o.source
order by o.source`, ledger.Args{"first_day": month.FirstDay(), "last_day": month.LastDay()}, func(row ledger.Row) error {
		r.note("%s: %s of calls that a source before it in the settings logged, too: each call counts once.", row.Text(0), plural(row.Int(1), "request", "requests"))
		return nil
	})
	if err != nil {
		return fmt.Errorf("read calls that several sources logged: %w", err)
	}
	return nil
}

// MatchRate is how many of a source's usage records found their request.
type MatchRate struct {
	Source           string
	Records, Matched int64
}

// Percent is the share that matched, with two decimals, rounded down: only what
// is whole is 100.00.
func (m MatchRate) Percent() string { return money.Cents(share(m.Matched, m.Records)).String() }

// Below says whether less than percent of the records matched.
func (m MatchRate) Below(percent int) bool { return m.Matched*100 < m.Records*int64(percent) }

func share(part, whole int64) int64 {
	if whole <= 0 {
		return 0
	}
	return part * hundredths / whole
}

// MatchRates are the rates of all sources of usage with records on the days from
// first to last, by name.
func MatchRates(ctx context.Context, q Querier, first, last civil.Date) ([]MatchRate, error) {
	var rows [][]any
	err := q.Query(ctx, pairsText, ledger.Args{"first_day": first, "last_day": last}, func(row ledger.Row) error {
		rows = append(rows, slices.Clone(row))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read match rates: %w", err)
	}
	return ratesOf(rows), nil
}

// ratesOf adds pairs up by their source of usage.
func ratesOf(pairs [][]any) (rates []MatchRate) {
	for _, p := range pairs { // in order of this source
		source, _ := p[0].(string)
		if source == "" {
			continue
		}
		if n := len(rates); n == 0 || rates[n-1].Source != source {
			rates = append(rates, MatchRate{Source: source})
		}
		m, n := &rates[len(rates)-1], p[2].(int64)
		if m.Records += n; p[1] != nil {
			m.Matched += n
		}
	}
	return rates
}

//go:embed pairs.sql
var pairsText string
