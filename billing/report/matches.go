package report

import (
	"context"
	_ "embed" // texts of selects
	"fmt"
	"slices"

	"chargeback/billing/records"
	"chargeback/billing/warehouse"
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
	pairs, err := readPairs(ctx, q, month.FirstDay(), month.LastDay())
	if err != nil {
		return r, fmt.Errorf("read report matches: %w", err)
	}
	rates := ratesOf(pairs)
	r.begin()
	for _, p := range pairs {
		var percent any
		if i := slices.IndexFunc(rates, func(m MatchRate) bool { return m.Source == p.UsageSource }); i >= 0 {
			percent = money.Cents(share(p.Records, rates[i].Records)).String()
		}
		r.append([]any{
			nullable(p.UsageSource), nullable(p.RequestSource), p.Records, p.ByRequestID, p.ByResponseID, p.ByClientReference, p.ByFingerprint, p.Ambiguous, percent,
		})
	}
	for _, m := range rates {
		r.note("%s: %s%% of %s found their request.", m.Source, m.Percent(), plural(m.Records, "record", "records"))
	}
	return r, r.noteCopies(ctx, q, month)
}

// noteCopies says which sources logged calls of which another source's record
// counts.
func (r *Report) noteCopies(ctx context.Context, q Querier, month civil.Month) error {
	return warehouse.Each(ctx, q, warehouse.Select{
		Name: "read calls that several sources logged", Text: copiesText, Args: records.Args{"first_day": month.FirstDay(), "last_day": month.LastDay()},
	}, func(c struct {
		Source  string
		Records int64
	}) error {
		r.note("%s: %s of calls that a source before it in the settings logged, too: each call counts once.", c.Source, plural(c.Records, "request", "requests"))
		return nil
	})
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
	pairs, err := readPairs(ctx, q, first, last)
	return ratesOf(pairs), err
}

// pair is records of a source of usage that found their requests in one source of
// requests. A source is empty where there is none.
type pair struct {
	UsageSource                                                                     string `column:",null"`
	RequestSource                                                                   string `column:",null"`
	Records, ByRequestID, ByResponseID, ByClientReference, ByFingerprint, Ambiguous int64
}

// readPairs reads the pairs of some days, in order of the source of usage.
func readPairs(ctx context.Context, q Querier, first, last civil.Date) ([]pair, error) {
	return warehouse.All[pair](ctx, q, warehouse.Select{Name: "read match rates", Text: pairsText, Args: records.Args{"first_day": first, "last_day": last}})
}

// ratesOf adds pairs up by their source of usage.
func ratesOf(pairs []pair) (rates []MatchRate) {
	for _, p := range pairs {
		if p.UsageSource == "" {
			continue
		}
		if n := len(rates); n == 0 || rates[n-1].Source != p.UsageSource {
			rates = append(rates, MatchRate{Source: p.UsageSource})
		}
		m := &rates[len(rates)-1]
		if m.Records += p.Records; p.RequestSource != "" {
			m.Matched += p.Records
		}
	}
	return rates
}

var (
	//go:embed pairs.sql
	pairsText string
	//go:embed copies.sql
	copiesText string
)
