package jobs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"chargeback/billing/invoice"
	"chargeback/billing/months"
	"chargeback/transform/civil"
	"chargeback/transform/directory"
	"chargeback/transform/money"
)

// documents makes one document for each cost centre with cost, by code.
func (b *Books) documents(ctx context.Context, month civil.Month, s *MonthlySummary) ([]invoice.Document, error) {
	drafts, err := b.drafts(ctx, month, s)
	if err != nil {
		return nil, err
	}
	budgets := b.budgetsOf(drafts)
	documents := make([]invoice.Document, 0, len(drafts.all))
	for _, draft := range drafts.all {
		draft.Notes.Budgets = budgets(draft.Party)
		d, err := invoice.Build(*draft)
		if err != nil {
			return nil, fmt.Errorf("document of cost centre %s: %w", draft.Party.Code, err)
		}
		d.Output = b.output(d)
		documents = append(documents, d)
	}
	slices.SortFunc(documents, func(x, y invoice.Document) int { return cmp.Compare(x.Number, y.Number) })
	return documents, nil
}

// drafts gathers what the documents of a month charge.
func (b *Books) drafts(ctx context.Context, month civil.Month, s *MonthlySummary) (d drafts, err error) {
	charges, err := b.Ledger.Months.Charges(ctx, month)
	if err != nil {
		return d, err
	}
	versions, err := b.Ledger.Months.RateVersions(ctx, month)
	if err != nil {
		return d, err
	}
	issuer := b.issuer(month)
	d = drafts{all: map[draftKey]*invoice.Input{}, agents: b.agentNames(), today: b.modeOf, begin: func(code, department string, mode invoice.Mode) *invoice.Input {
		return b.draft(month, code, department, mode, issuer, versions, s)
	}}
	earlier, err := b.earlierDocuments(ctx, charges)
	if err != nil {
		return d, err
	}
	for _, c := range charges {
		b.charge(d, earlier, c)
	}
	if err := b.shareBackground(ctx, month, d, earlier, s); err != nil {
		return d, err
	}
	return d, b.share(ctx, month, d, s)
}

// drafts are the documents of a month in the making: of each cost centre the one of
// its mode of today and, where it corrects documents of the other mode, that one, too.
// What was never booked is not corrected in the journal; what was booked always is.
type drafts struct {
	all    map[draftKey]*invoice.Input
	agents map[string]string // names by id
	today  func(code string) invoice.Mode
	begin  func(code, department string, mode invoice.Mode) *invoice.Input
}

type draftKey struct {
	code string
	mode invoice.Mode
}

// of is the document of a cost centre and mode.
func (d drafts) of(code, department string, mode invoice.Mode) *invoice.Input {
	key := draftKey{code, mode}
	if d.all[key] == nil {
		d.all[key] = d.begin(code, department, mode)
	}
	return d.all[key]
}

// modeOf is whether a cost centre is charged, by the directory of today.
func (b *Books) modeOf(code string) invoice.Mode {
	if center, known := b.Directory.CostCenter(code); code == Unallocated || known && center.Mode == directory.Showback {
		return invoice.Showback
	}
	return invoice.Chargeback
}

// draft begins the document of one cost centre.
func (b *Books) draft(month civil.Month, code, department string, mode invoice.Mode, issuer invoice.Issuer, versions []string, s *MonthlySummary) *invoice.Input {
	party := invoice.Party{Code: code, Name: code, Department: department, ExpenseAccount: b.Month.ExpenseAccount, Mode: mode}
	if center, known := b.Directory.CostCenter(code); known {
		party.Name, party.Department, party.Owner, party.CompanyCode = center.Name, center.Department, center.Owner, center.CompanyCode
		if center.ExpenseAccount != "" {
			party.ExpenseAccount = center.ExpenseAccount
		}
	} else if code == Unallocated {
		party.Name = "Belongs to no cost centre yet"
	}
	number := invoice.Number
	if party.Mode == invoice.Showback {
		number = invoice.StatementNumber
	}
	issue := s.IssueDate
	in := &invoice.Input{
		Number: number(month.String(), code, 0), IssueDate: issue.String(), Issuer: issuer, Party: party, RecoveryAccount: b.Month.RecoveryAccount, Intercompany: b.Month.Intercompany,
		Period: invoice.Period{Month: month.String(), From: month.FirstDay().String(), To: month.LastDay().String(), Zone: b.Zone.String()},
		Notes:  invoice.Notes{RateVersions: versions, DirectoryVersion: b.Directory.Version(), Run: s.Window, LedgerHash: s.Hash},
	}
	if party.Mode == invoice.Chargeback && b.Month.DisputeDays > 0 {
		in.DisputeUntil = issue.AddDays(b.Month.DisputeDays).String()
	}
	in.Notes.Sources = s.Sources
	for _, w := range s.Waived {
		in.Notes.Waivers = append(in.Notes.Waivers, invoice.Waiver{Gate: w.Gate, By: w.By, Reason: w.Reason, Bound: w.Bound, Measured: w.Measured})
	}
	return in
}

// issuer is who the documents come from. Its company is what the directory says of
// its cost centre, or the settings, or the only company that there is.
func (b *Books) issuer(month civil.Month) invoice.Issuer {
	issuer := b.Month.Issuer
	if center, ok := b.inForceOn(issuer.CostCenter, month.LastDay(), month.FirstDay()); ok {
		issuer.CostCenter, issuer.CompanyCode = center.Code, cmp.Or(center.CompanyCode, issuer.CompanyCode)
	}
	if issuer.CompanyCode != "" {
		return issuer
	}
	companies := map[string]bool{}
	for _, center := range b.Directory.CostCenters() {
		if center.CompanyCode != "" {
			companies[center.CompanyCode] = true
		}
	}
	if len(companies) == 1 {
		for code := range companies {
			issuer.CompanyCode = code
		}
	}
	return issuer
}

// charge adds a line to the document that it belongs on: a correction to one of the
// mode of the document that it corrects.
func (b *Books) charge(d drafts, earlier earlierDocuments, c months.Charge) {
	mode := b.modeOf(c.CostCenter)
	line := invoice.Charge{
		AgentID: c.AgentID, AgentName: d.agents[c.AgentID], Model: modelName(c),
		Requests: c.Requests, CacheHits: c.CacheHits, InputTokens: c.Input, CacheReadTokens: c.CacheRead, CacheWriteTokens: c.CacheWrite, OutputTokens: c.Output,
		LLM: c.LLM, Infra: c.Infra, Tool: c.Tool, CacheSavings: c.CacheSavings, Estimated: c.Estimated, Held: c.Unpriced + c.Pending, AdjustsMonth: c.AdjustsMonth,
	}
	if c.AdjustsMonth != "" {
		mode, line.AdjustsInvoice = b.correctedCharge(earlier, c)
		line.Reason = c.Reason
		if c.AdjustsCenter != c.CostCenter {
			line.AdjustsCode = c.AdjustsCenter
		}
		if c.Paired {
			line.HasCounter, line.Reversed = true, c.Requests < 0
			switch {
			case c.Counterpart != c.AdjustsCenter:
				line.Counterpart, line.CounterAmount = c.Counterpart, c.CounterAmount
				if line.AdjustsInvoice == "" { // it had none for that month: that which it moved from
					line.AdjustsInvoice = earlier[earlierKey{c.AdjustsMonth, "", c.Counterpart}].number
				}
			case line.Reversed: // both halves are on this document: the amount before
				line.CounterAmount = money.Sum(c.LLM, c.Infra, c.Tool).Neg()
			}
		}
	}
	in := d.of(c.CostCenter, c.Department, mode)
	in.Charges = append(in.Charges, line)
	in.Notes.Held.Unpriced += c.Unpriced
	in.Notes.Held.Pending += c.Pending
}

// earlierDocuments are the documents that corrections may name.
type earlierDocuments map[earlierKey]earlierDocument

// earlierKey is a month's document of a cost centre: that with the month's own use, or,
// where adjusts is set, that with its corrections of another month.
type earlierKey struct{ month, adjusts, code string }

type earlierDocument struct {
	number string
	mode   invoice.Mode
}

// corrected is the mode and the number of the document that a correction of a month
// and cost centre corrects. Where none was issued the mode is that of today: nothing
// was told or booked that could be corrected otherwise.
func (b *Books) corrected(earlier earlierDocuments, month, code string) (invoice.Mode, string) {
	if d, issued := earlier[earlierKey{month, "", code}]; issued {
		return d.mode, d.number
	}
	return b.modeOf(code), ""
}

// correctedCharge is corrected for a correction of records. What corrects a correction
// corrects the document that holds that one.
func (b *Books) correctedCharge(earlier earlierDocuments, c months.Charge) (invoice.Mode, string) {
	if c.BookedMonth == c.AdjustsMonth {
		return b.corrected(earlier, c.AdjustsMonth, c.AdjustsCenter)
	}
	if d, issued := earlier[earlierKey{c.BookedMonth, c.AdjustsMonth, c.BookedCenter}]; issued {
		return d.mode, d.number
	}
	return b.modeOf(c.BookedCenter), ""
}

// earlierDocuments reads which documents the charges correct, each month's once. Of
// two documents of a cost centre for one month, the one with the month's own use is that
// of the month; which holds corrections of another month is looked up.
func (b *Books) earlierDocuments(ctx context.Context, charges []months.Charge) (earlierDocuments, error) {
	first, last := "", ""
	for _, c := range charges {
		for _, m := range []string{c.AdjustsMonth, c.BookedMonth} {
			if m != "" && (first == "" || m < first) {
				first = m
			}
			last = max(last, m)
		}
	}
	if first == "" {
		return nil, nil
	}
	from, err := civil.ParseMonth(first)
	if err != nil {
		return nil, err
	}
	to, err := civil.ParseMonth(last)
	if err != nil {
		return nil, err
	}
	numbers, err := b.Ledger.Months.Numbers(ctx, from, to)
	if err != nil {
		return nil, err
	}
	held := map[string]map[string]holdings{} // of months in which a cost centre has several documents
	which := func(month, code string, holds func(holdings) bool) (d earlierDocument, issued bool, err error) {
		of := numbers[month][code]
		if len(of) == 0 {
			return d, false, nil
		}
		number := of[0]
		if len(of) > 1 {
			if held[month] == nil {
				if held[month], err = b.holdings(ctx, month); err != nil {
					return d, false, err
				}
			}
			if i := slices.IndexFunc(of, func(number string) bool { return holds(held[month][number]) }); i >= 0 {
				number = of[i]
			}
		}
		return earlierDocument{number, invoice.ModeOf(number)}, true, nil
	}
	earlier := earlierDocuments{}
	add := func(key earlierKey, holds func(holdings) bool) error {
		if _, known := earlier[key]; known {
			return nil
		}
		d, issued, err := which(key.month, key.code, holds)
		if issued {
			earlier[key] = d
		}
		return err
	}
	for month, centers := range numbers {
		for code := range centers {
			if err := add(earlierKey{month, "", code}, func(h holdings) bool { return h.own }); err != nil {
				return nil, err
			}
		}
	}
	for _, c := range charges {
		if c.BookedMonth == c.AdjustsMonth {
			continue
		}
		if err := add(earlierKey{c.BookedMonth, c.AdjustsMonth, c.BookedCenter}, func(h holdings) bool { return h.adjusts[c.AdjustsMonth] }); err != nil {
			return nil, err
		}
	}
	return earlier, nil
}

// holdings is what a document holds that a correction may be of.
type holdings struct {
	own     bool            // use of its own month
	adjusts map[string]bool // closed months whose records it corrects
}

// holdings reads what the documents of a closed month hold, by number.
func (b *Books) holdings(ctx context.Context, month string) (map[string]holdings, error) {
	m, err := civil.ParseMonth(month)
	if err != nil {
		return nil, err
	}
	documents, err := b.issued(ctx, m)
	all := make(map[string]holdings, len(documents))
	for _, d := range documents {
		h := holdings{len(d.Direct.Lines) > 0, map[string]bool{}}
		for _, l := range d.Adjustments.Lines {
			if l.SharedName == "" {
				h.adjusts[l.AdjustsMonth] = true
			}
		}
		all[d.Number] = h
	}
	return all, err
}

// agentNames are the names of the directory's agents by id: of one that has several
// the first.
func (b *Books) agentNames() map[string]string {
	names := map[string]string{}
	for _, a := range b.Directory.Agents() {
		if _, named := names[a.ID]; !named {
			names[a.ID] = a.Name
		}
	}
	return names
}

// modelName is the model's name in the rate book, or as sent where the book
// doesn't have it.
func modelName(c months.Charge) string {
	if _, name, found := strings.Cut(c.PriceKey, "/"); found {
		return name
	}
	return c.Model
}
