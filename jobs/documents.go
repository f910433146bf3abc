package jobs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"chargeback/billing/invoice"
	"chargeback/billing/ledger"
	"chargeback/transform/civil"
	"chargeback/transform/directory"
)

// documents makes one document for each cost centre with cost, by code.
func (b *Books) documents(ctx context.Context, month civil.Month, s *MonthlySummary) ([]invoice.Document, error) {
	drafts, err := b.drafts(ctx, month, s)
	if err != nil {
		return nil, err
	}
	budgets := b.budgetsOf(drafts)
	documents := make([]invoice.Document, 0, len(drafts))
	for _, draft := range drafts {
		draft.Notes.Budgets = budgets(draft.Party)
		d, err := invoice.Build(*draft)
		if err != nil {
			return nil, fmt.Errorf("document of cost centre %s: %w", draft.Party.Code, err)
		}
		documents = append(documents, d)
	}
	slices.SortFunc(documents, func(x, y invoice.Document) int { return cmp.Compare(x.Number, y.Number) })
	return documents, nil
}

// drafts gathers what the documents of a month charge, by code.
func (b *Books) drafts(ctx context.Context, month civil.Month, s *MonthlySummary) (map[string]*invoice.Input, error) {
	charges, err := b.Ledger.Charges(ctx, month)
	if err != nil {
		return nil, err
	}
	versions, err := b.Ledger.RateVersions(ctx, month)
	if err != nil {
		return nil, err
	}
	drafts := map[string]*invoice.Input{}
	for _, c := range charges {
		draft := drafts[c.CostCenter]
		if draft == nil {
			draft = b.draft(month, c.CostCenter, c.Department, versions, s)
			drafts[c.CostCenter] = draft
		}
		if err := b.charge(ctx, draft, c); err != nil {
			return nil, err
		}
	}
	if err := b.shareBackground(ctx, month, drafts, versions, s); err != nil {
		return nil, err
	}
	return drafts, b.share(ctx, month, drafts, versions, s)
}

// draft begins the document of one cost centre.
func (b *Books) draft(month civil.Month, code, department string, versions []string, s *MonthlySummary) *invoice.Input {
	center, known := b.Directory.CostCenter(code)
	party := invoice.Party{Code: code, Name: code, Department: department, ExpenseAccount: b.Month.ExpenseAccount, Mode: invoice.Chargeback}
	switch {
	case known:
		party.Name, party.Department, party.Owner, party.CompanyCode = center.Name, center.Department, center.Owner, center.CompanyCode
		if center.ExpenseAccount != "" {
			party.ExpenseAccount = center.ExpenseAccount
		}
		if center.Mode == directory.Showback {
			party.Mode = invoice.Showback
		}
	case code == Unallocated:
		party.Name, party.Mode = "Belongs to no cost centre yet", invoice.Showback
	}
	number := invoice.Number
	if party.Mode == invoice.Showback {
		number = invoice.StatementNumber
	}
	issue := s.IssueDate
	in := &invoice.Input{
		Number: number(month.String(), code, 0), IssueDate: issue.String(), Issuer: b.Month.Issuer, Party: party, RecoveryAccount: b.Month.RecoveryAccount,
		Period: invoice.Period{Month: month.String(), From: month.FirstDay().String(), To: month.LastDay().String(), Zone: b.Zone.String()},
		Notes:  invoice.Notes{RateVersions: versions, DirectoryVersion: b.Directory.Version(), Run: s.Window, LedgerHash: s.Hash},
	}
	if party.Mode == invoice.Chargeback && b.Month.DisputeDays > 0 {
		in.DisputeUntil = issue.AddDays(b.Month.DisputeDays).String()
	}
	for _, source := range b.Sources {
		in.Notes.DataSources = append(in.Notes.DataSources, source.Name+" ("+source.Format.Name()+")")
	}
	for _, w := range s.Waived {
		in.Notes.Waivers = append(in.Notes.Waivers, invoice.Waiver{Gate: w.Gate, By: w.By, Reason: w.Reason})
	}
	return in
}

func (b *Books) charge(ctx context.Context, in *invoice.Input, c ledger.Charge) error {
	line := invoice.Charge{
		AgentID: c.AgentID, AgentName: b.agentName(c.AgentID), Model: modelName(c),
		Requests: c.Requests, CacheHits: c.CacheHits, InputTokens: c.Input, CacheReadTokens: c.CacheRead, CacheWriteTokens: c.CacheWrite, OutputTokens: c.Output,
		LLM: c.LLM, Infra: c.Infra, Tool: c.Tool, CacheSavings: c.CacheSavings, Estimated: c.Estimated, Held: c.Unpriced + c.Pending, AdjustsMonth: c.AdjustsMonth,
	}
	if c.AdjustsMonth != "" {
		number, err := b.issuedNumber(ctx, c.AdjustsMonth, c.CostCenter)
		if err != nil {
			return err
		}
		line.AdjustsInvoice = number
	}
	in.Charges = append(in.Charges, line)
	in.Notes.Held.Unpriced += c.Unpriced
	in.Notes.Held.Pending += c.Pending
	return nil
}

func (b *Books) issuedNumber(ctx context.Context, month, code string) (string, error) {
	m, err := civil.ParseMonth(month)
	if err != nil {
		return "", err
	}
	issued, err := b.Ledger.Issued(ctx, m)
	if err != nil {
		return "", err
	}
	for _, d := range issued {
		if d.CostCenter == code {
			return d.Number, nil
		}
	}
	return "", nil
}

func (b *Books) agentName(id string) string {
	for _, a := range b.Directory.Agents() {
		if a.ID == id {
			return a.Name
		}
	}
	return ""
}

// modelName is the model's name in the rate book, or as sent where the book
// doesn't have it.
func modelName(c ledger.Charge) string {
	if _, name, found := strings.Cut(c.PriceKey, "/"); found {
		return name
	}
	return c.Model
}
