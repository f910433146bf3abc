package jobs

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"chargeback/billing/invoice"
	"chargeback/templates"
	"chargeback/transform/civil"
	"chargeback/transform/directory"
	"chargeback/transform/money"
)

// Background is how the cost of a background agent is divided in a month, as it
// was found at the month's close. Corrections of the month go by it for ever.
type Background struct {
	Agent     string      `json:"agent"`
	AgentName string      `json:"name"`     // as it was then
	FirstDay  civil.Date  `json:"from"`     // first day of the month that the policy holds
	LastDay   civil.Date  `json:"last"`     // and the last
	FirstUse  civil.Month `json:"use_from"` // first month whose use counts
	LastUse   civil.Month `json:"use_last"` // and the last
	Weights   []Weight    `json:"weights"`  // by cost centre; none: nobody used it, its owner pays
}

// Weight is what a cost centre's own requests to an agent cost in the months
// that count.
type Weight struct {
	CostCenter string    `json:"cost_center"`
	Cost       money.USD `json:"cost_usd"`
}

// shareBackground gives owners of background agents back what their agents cost
// without a user, and charges it to those who used them, where the agents'
// policy says so. What it moves adds up to nothing.
func (b *Books) shareBackground(ctx context.Context, month civil.Month, drafts drafts, earlier earlierDocuments, s *MonthlySummary) error {
	owned, err := b.Ledger.Records.OwnedCosts(ctx, month)
	if err != nil {
		return err
	}
	if s.Background, err = b.weighBackground(ctx, month); err != nil {
		return err
	}
	frozen := map[string][]Background{"": s.Background}
	type pool struct{ agent, owner, adjusts string }
	sums, ways := map[pool]money.USD{}, map[pool]Background{}
	for _, c := range owned {
		if _, read := frozen[c.AdjustsMonth]; !read {
			closed, err := civil.ParseMonth(c.AdjustsMonth)
			if err != nil {
				return err
			}
			var then MonthlySummary
			if err := b.Ledger.Months.Closing(ctx, closed, &then); err != nil {
				return err
			}
			frozen[c.AdjustsMonth] = then.Background
		}
		for _, way := range frozen[c.AdjustsMonth] {
			if way.Agent == c.AgentID && !c.Day.Before(way.FirstDay) && !way.LastDay.Before(c.Day) {
				p := pool{c.AgentID, c.CostCenter, c.AdjustsMonth}
				sums[p], ways[p] = sums[p].Add(c.Total), way
			}
		}
	}
	for _, p := range slices.SortedFunc(maps.Keys(sums), func(x, y pool) int {
		return cmp.Or(strings.Compare(x.agent, y.agent), strings.Compare(x.owner, y.owner), strings.Compare(x.adjusts, y.adjusts))
	}) {
		way, sum := ways[p], sums[p]
		part := func(code, method, ratio string, amount money.USD) {
			mode, number := b.modeOf(code), ""
			if p.adjusts != "" {
				mode, number = b.corrected(earlier, p.adjusts, code)
			}
			reason := ""
			if p.adjusts != "" {
				reason = templates.InvoiceBackgroundCorrected()
			}
			draft := drafts.of(code, "", mode)
			draft.Shared = append(draft.Shared, invoice.Shared{
				Name: templates.InvoiceBackground(way.AgentName, p.adjusts), AgentID: p.agent, Method: method, Ratio: ratio, Whole: sum, Amount: amount,
				AdjustsMonth: p.adjusts, AdjustsInvoice: number, Reason: reason,
			})
		}
		use := templates.InvoiceUse(way.FirstUse.String(), way.LastUse.String())
		if len(way.Weights) == 0 {
			part(p.owner, templates.InvoiceUnused(use), "", money.USD{})
			continue
		}
		part(p.owner, templates.InvoiceGivenBack(use), "", sum.Neg())
		weights := make([]money.Part, len(way.Weights))
		var whole money.USD
		for i, w := range way.Weights {
			weights[i] = money.Part{Key: w.CostCenter, Exact: w.Cost}
			whole = whole.Add(w.Cost)
		}
		for i, amount := range money.Split(sum, weights) {
			part(weights[i].Key, use, fmt.Sprintf("%s of %s", weights[i].Exact, whole), amount)
		}
	}
	return nil
}

// weighBackground finds how the background agents whose policy is to share are
// shared in a month: an entry for each run of days of the directory.
func (b *Books) weighBackground(ctx context.Context, month civil.Month) (all []Background, err error) {
	earliest := month
	for _, a := range b.Directory.Agents() {
		first, last := month.FirstDay(), month.LastDay()
		if first.Before(a.From) {
			first = a.From
		}
		if end := a.To.AddDays(-1); end.Before(last) {
			last = end
		}
		if a.Policy != directory.Proportional || last.Before(first) {
			continue
		}
		from := month
		for range a.PolicyMonths {
			from = from.Prev()
		}
		if from.Before(earliest) {
			earliest = from
		}
		all = append(all, Background{Agent: a.ID, AgentName: a.Name, FirstDay: first, LastDay: last, FirstUse: from, LastUse: month.Prev()})
	}
	if len(all) == 0 {
		return nil, nil
	}
	used, err := b.Ledger.Records.UsedCosts(ctx, earliest, month.Prev())
	if err != nil {
		return nil, err
	}
	for i, way := range all {
		sums := map[string]money.USD{}
		for _, u := range used {
			if u.AgentID == way.Agent && !u.Month.Before(way.FirstUse) {
				sums[u.CostCenter] = sums[u.CostCenter].Add(u.Total)
			}
		}
		for _, code := range slices.Sorted(maps.Keys(sums)) {
			if sums[code].Sign() > 0 {
				all[i].Weights = append(all[i].Weights, Weight{code, sums[code]})
			}
		}
	}
	return all, nil
}
