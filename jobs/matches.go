package jobs

import (
	"context"
	"fmt"
	"slices"

	"chargeback/billing/report"
	"chargeback/extract"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// An alarm needs so many records on so many days: fewer say little.
const (
	matchAlarmRecords = 100
	matchAlarmDays    = 7
)

// matchAlarms names the sources of usage of which too few records found their
// request on the last days. Where no source holds requests none is missed.
func (b *Books) matchAlarms(ctx context.Context, latest civil.Date) (problems []Problem, err error) {
	holdsRequests := func(s extract.Source) bool { return s.Format.Schema() == record.RequestSchema }
	if b.MatchAlarm == 0 || !slices.ContainsFunc(b.Sources, holdsRequests) {
		return nil, nil
	}
	first := latest.AddDays(1 - matchAlarmDays)
	rates, err := report.MatchRates(ctx, b.Ledger, first, latest)
	for _, m := range rates {
		if m.Records >= matchAlarmRecords && m.Below(b.MatchAlarm) {
			problems = append(problems, Problem{Kind: KindMatches, Source: m.Source, Object: fmt.Sprintf("%s..%s", first, latest), What: fmt.Sprintf(
				"only %s%% of its %d records found their request, which is below match_alarm_percent (%d): look whether the requests' logs are complete and still carry the provider's request ids (`chargeback report matches`)", m.Percent(), m.Records, b.MatchAlarm)})
		}
	}
	return problems, err
}

// doubtful says how many requests of open months are held because their cost may
// stand in usage that is charged already.
func (b *Books) doubtful(ctx context.Context, open civil.Month, latest civil.Date) ([]Problem, error) {
	d, err := b.Ledger.Months.Doubtful(ctx, open.FirstDay(), latest)
	if err != nil || d.Requests == 0 {
		return nil, err
	}
	return []Problem{{Kind: KindDoubtful, Source: "doubtful", Object: "since " + open.FirstDay().String(), What: fmt.Sprintf(
		"requests held as doubtful: %d, %s USD by their own counts; their provider's own log covers their days and has no usage for them. Usage there that found no request: %d, charged %s USD. Make both logs carry a common id; see `chargeback report matches`", d.Requests, d.Cost, d.UsageAloneRecords, d.UsageAlone)}}, nil
}
