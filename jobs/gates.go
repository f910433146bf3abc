package jobs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"chargeback/billing/invoice"
	"chargeback/billing/months"
	"chargeback/templates"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// gate is one check of a month's close: what it found, in words, and how much of
// it, in what the gate measures.
type gate struct {
	name  string
	open  bool // it stands in the way
	found []string
	measure
	tells bool // a waiver says what was found, not only how much
}

// measure is how much a gate found. A waiver covers all of it, or nothing.
type measure struct {
	count  int64
	noun   string // of one that is counted; empty: nothing is
	amount *money.USD
	each   bool // a count and an amount are of different things: a waiver must cover each
}

// gates checks what may stand in the way, and returns the waivers used and what
// came of each source of data.
func (b *Books) gates(ctx context.Context, month civil.Month) (used []Waiver, sources []invoice.SourceNote, err error) {
	g, err := b.Ledger.Months.Gates(ctx, month)
	if err != nil {
		return nil, nil, err
	}
	strangers, err := b.strangers(ctx, month)
	if err != nil {
		return nil, nil, err
	}
	bills, outcomes, err := b.bills(ctx, month)
	if err != nil {
		return nil, nil, err
	}
	var failed []string
	for _, gate := range slices.Concat(b.recordGates(month, g, strangers), []gate{b.sourcesGate()}, bills) {
		if !gate.open {
			continue
		}
		i := slices.IndexFunc(b.Month.Waivers, func(w Waiver) bool { return w.Month == month && w.Gate == gate.name })
		if i >= 0 && gate.covered(b.Month.Waivers[i]) {
			w := b.Month.Waivers[i]
			w.Bound, w.Measured = gate.bound(w), gate.measured()
			if gate.tells {
				w.Measured += ": " + strings.Join(gate.found, "; ")
			}
			used = append(used, w)
			continue
		}
		for _, what := range gate.found {
			failed = append(failed, "gate "+gate.name+": "+what)
		}
		if i >= 0 {
			w := b.Month.Waivers[i]
			failed = append(failed, fmt.Sprintf("gate %s: the waiver of %s covers %s; found: %s", gate.name, w.By, gate.bound(w), gate.measured()))
		}
	}
	if len(failed) > 0 {
		return nil, nil, fmt.Errorf("%w:\n  %s\nfix them and run `chargeback run` again, which reads what was delivered again, or waive a gate by name, reason and bound (count or amount_usd) in the config's waivers", ErrGates, strings.Join(failed, "\n  "))
	}
	sources, err = b.sourceNotes(ctx, month, outcomes)
	return used, sources, err
}

// recordGates are the gates that look at the ledger alone.
func (b *Books) recordGates(month civil.Month, g months.Gates, strangers []string) []gate {
	return []gate{
		{"unpriced", g.Unpriced+g.Pending > 0, []string{fmt.Sprintf("records without a cost: %d; still waiting for usage: %d (see `chargeback rejects held`)", g.Unpriced, g.Pending)},
			measure{count: g.Unpriced + g.Pending, noun: "record"}, false},
		{"doubtful", g.Doubtful > 0, []string{fmt.Sprintf("requests without usage on days that their provider's own log covers: %d, %s USD by their own counts; usage that found no request there: %d, charged %s USD (see `chargeback rejects held`, `chargeback report matches`)", g.Doubtful, g.DoubtfulCost, g.UsageAloneRecords, g.UsageAlone)},
			measure{count: g.Doubtful, noun: "request", amount: &g.DoubtfulCost}, false},
		{"conflicts", g.Conflicts > 0, []string{fmt.Sprintf("records that share an id and differ: %d (see `chargeback rejects conflicts`)", g.Conflicts)},
			measure{count: g.Conflicts, noun: "record"}, false},
		{"unallocated", g.Unallocated.Sub(b.Month.UnallocatedLimit).Sign() > 0, []string{fmt.Sprintf("%s USD belong to nobody, more than unallocated_limit_usd %s", g.Unallocated, b.Month.UnallocatedLimit)},
			measure{amount: &g.Unallocated}, false},
		{"directory", len(strangers) > 0, []string{fmt.Sprintf("payers that the directory does not know, or not on those days: %s", strings.Join(strangers, "; "))},
			measure{count: int64(len(strangers)), noun: "payer"}, false},
		{"rejects", g.Rejected > 0, []string{fmt.Sprintf("records rejected: %d (see `chargeback rejects records`)", g.Rejected)},
			measure{count: g.Rejected, noun: "record"}, false},
		{"missing", g.Missing+g.Failed > 0, []string{fmt.Sprintf("objects that can't be read: %d; gone from their source: %d (see `chargeback status`)", g.Failed, g.Missing)},
			measure{count: g.Missing + g.Failed, noun: "object"}, false},
		{"empty", g.Records == 0, []string{b.emptyMonth(month)}, measure{count: 1, noun: "empty month"}, false},
	}
}

// sourcesGate stands in the way where a source could not be read: nobody knows what
// of the month lies there.
func (b *Books) sourcesGate() gate {
	g := gate{name: "sources", measure: measure{noun: "source"}, tells: true}
	for _, unread := range b.unreadSources() {
		g.open, g.count = true, g.count+1
		g.found = append(g.found, "source "+unread.source.Name+" can't be read") // a problem says why
	}
	return g
}

// emptyMonth says what a close without a record would mean.
func (b *Books) emptyMonth(month civil.Month) string {
	what := fmt.Sprintf("%s has no cost record: its sources delivered nothing, or nothing of that month", month)
	var shared []string
	for _, c := range b.Month.SharedCosts {
		if c.Covers(month) {
			shared = append(shared, fmt.Sprintf("%s (%s)", c.Name, dollars(c.Amount)))
		}
	}
	if len(shared) > 0 {
		what += "; its shared costs would be divided without any usage: " + strings.Join(shared, ", ")
	}
	return what + " (see `chargeback status`)"
}

// covered says whether a waiver covers all that was found. Of what it names no
// bound for it covers nothing, where that is measured beside another thing.
func (m measure) covered(w Waiver) bool {
	counted := m.noun == "" || m.count <= int64(w.Count)
	paid := m.amount == nil || m.amount.Cmp(w.AmountUSD) <= 0
	switch {
	case m.each || m.noun == "" || m.amount == nil || w.Count > 0 && w.AmountUSD.Sign() > 0:
		return counted && paid
	case w.Count > 0:
		return counted
	}
	return paid
}

// bound is how much a waiver covers, in words.
func (m measure) bound(w Waiver) string {
	var parts []string
	if w.Count > 0 {
		parts = append(parts, counted(int64(w.Count), m.noun))
	}
	if w.AmountUSD.Sign() > 0 {
		parts = append(parts, dollars(w.AmountUSD))
	}
	return "up to " + strings.Join(parts, " and ")
}

// measured is how much was found, in words.
func (m measure) measured() string {
	var parts []string
	if m.noun != "" && (m.count != 0 || m.amount == nil) {
		parts = append(parts, counted(m.count, m.noun))
	}
	if m.amount != nil {
		parts = append(parts, dollars(*m.amount))
	}
	return strings.Join(parts, " and ")
}

func counted(n int64, noun string) string {
	if noun = cmp.Or(noun, "unit"); n != 1 {
		noun += "s"
	}
	return templates.GroupThousands(strconv.FormatInt(n, 10)) + " " + noun
}

// dollars is an amount in words, to its last digit.
func dollars(a money.USD) string { return templates.GroupThousands(a.String()) + " USD" }

// strangers are the payers of a month that the directory does not know, or not on
// the days that they pay for, and why.
func (b *Books) strangers(ctx context.Context, month civil.Month) (all []string, err error) {
	payers, err := b.Ledger.Months.Payers(ctx, month)
	for _, p := range payers {
		if known, ok := b.Directory.CostCenter(p.Code); ok && !p.Own {
			p.Department = known.Department // a correction of a month in which it was called otherwise
		}
		if what := b.stranger(p.CostCenter); what != "" {
			all = append(all, what)
		} else if what := b.undated(p, month); what != "" {
			all = append(all, what)
		}
	}
	issuer := b.Month.Issuer.CostCenter
	if c, known := b.Directory.CostCenter(issuer); known && len(payers) > 0 {
		if _, ok := b.inForceOn(issuer, month.LastDay(), month.FirstDay()); !ok {
			all = append(all, fmt.Sprintf("the issuer's cost centre %s is not in force (from: %s, to: %s) and has no successor that is; name one, or correct invoices.issuer.cost_center", issuer, c.From, c.To))
		}
	}
	return all, err
}

// undated says why a payer can't be charged for days of a month, "" where it can.
// A cost centre that has ended is charged for days before, and its successor for
// those after.
func (b *Books) undated(p months.Payer, month civil.Month) string {
	c, known := b.Directory.CostCenter(p.Code)
	switch {
	case !known:
		return ""
	case p.First.Before(c.From):
		return fmt.Sprintf("%s begins on %s and is charged for %s; correct its from, or who is charged", c.Code, c.From, p.First)
	case p.Last.Before(c.To):
		return ""
	case !p.Own:
		return fmt.Sprintf("%s has ended (to: %s) without a successor that is in force, and corrections of closed months are charged to it in %s; name a successor", c.Code, c.To, month)
	}
	return fmt.Sprintf("%s has ended (to: %s) without a successor that is in force, and is charged for %s; name a successor, or correct who is charged", c.Code, c.To, p.Last)
}
