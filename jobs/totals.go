package jobs

import (
	"context"
	"errors"
	"fmt"

	"chargeback/billing/budget"
	"chargeback/billing/invoice"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// ErrNotTied says that documents do not add up to what they are made of. It is a
// mistake of this program, and nothing is kept.
var ErrNotTied = errors.New("the documents don't add up to the cost records and shared costs; nothing was kept, report this as a bug")

// Totals are the control totals of a close: Records + Shared + TrueUps =
// Documents = Booked + Showback + Unallocated, to the last digit.
type Totals struct {
	Records     money.USD `json:"records_usd"`
	Shared      money.USD `json:"shared_usd"`          // of the month itself
	TrueUps     money.USD `json:"shared_true_ups_usd"` // of closed months
	Documents   Sum       `json:"documents"`
	Booked      Sum       `json:"journal"` // invoices, which the journal books
	Showback    Sum       `json:"showback"`
	Unallocated Sum       `json:"unallocated"`
	// Rounding is what the documents' cents are more than their exact sum.
	Rounding money.USD `json:"rounding_usd"`
	Held     HeldBack  `json:"held"`
}

// Sum is what some documents add up to.
type Sum struct {
	Count int         `json:"count"`
	Exact money.USD   `json:"exact_usd"`
	Cents money.Cents `json:"cents"`
}

func (s *Sum) add(d invoice.Document) {
	s.Count++
	s.Exact, s.Cents = s.Exact.Add(d.Total.Exact.Total), s.Cents+d.Total.Cents.Total
}

// HeldBack counts records of the month that are charged nowhere.
type HeldBack struct {
	Unpriced  int64 `json:"unpriced,omitempty"`
	Pending   int64 `json:"pending,omitempty"`
	Doubtful  int64 `json:"doubtful,omitempty"`
	Conflicts int64 `json:"conflicts,omitempty"`
}

// total reads the control totals of a close from the ledger and its documents,
// and names the cost centres without one. It returns ErrNotTied where they differ.
func (b *Books) total(ctx context.Context, month civil.Month, documents []invoice.Document, s *MonthlySummary) error {
	t := &Totals{Shared: s.SharedCosts, TrueUps: s.TrueUps}
	spend, err := b.Ledger.Records.Spend(ctx, month)
	if err != nil {
		return err
	}
	for _, row := range spend {
		t.Records = t.Records.Add(row.Actual)
	}
	gates, err := b.Ledger.Months.Gates(ctx, month)
	if err != nil {
		return err
	}
	t.Held = HeldBack{gates.Unpriced, gates.Pending, gates.Doubtful, gates.Conflicts}
	has := map[string]bool{}
	for _, d := range documents {
		has[d.Party.Code] = true
		t.Documents.add(d)
		switch {
		case d.Party.Code == Unallocated:
			t.Unallocated.add(d)
		case d.Party.Mode == invoice.Chargeback:
			t.Booked.add(d)
		default:
			t.Showback.add(d)
		}
	}
	t.Rounding = money.FromCents(t.Documents.Cents).Sub(t.Documents.Exact)
	if all := money.Sum(t.Records, t.Shared, t.TrueUps); !all.Equal(t.Documents.Exact) {
		return fmt.Errorf("%w: records %s + shared costs %s + their true-ups %s = %s USD, documents %s USD", ErrNotTied, t.Records, t.Shared, t.TrueUps, all, t.Documents.Exact)
	}
	for _, c := range b.Directory.CostCenters() {
		if !has[c.Code] && !month.LastDay().Before(c.From) && b.firstOf(month).Before(c.To) {
			s.Unused = append(s.Unused, c.Code)
		}
	}
	s.Totals = t
	return nil
}

// budgetsOf says for each party which budgets its document shows, each beside
// what the documents of its cost centres charge.
func (b *Books) budgetsOf(drafts drafts) func(invoice.Party) []invoice.Budget {
	charged := map[budget.Scope]money.USD{}
	for _, draft := range drafts.all {
		sum := draftTotal(draft)
		for _, scope := range scopesOf(draft.Party) {
			charged[scope] = charged[scope].Add(sum)
		}
	}
	return func(party invoice.Party) (shown []invoice.Budget) {
		for _, scope := range scopesOf(party) {
			for _, bud := range b.Budgets {
				if bud.Scope.Kind != scope.Kind || bud.Scope.Value != scope.Value {
					continue
				}
				one := invoice.Budget{Name: bud.Name, Scope: scope.String(), Amount: bud.Amount, Actual: charged[scope]}
				for _, t := range bud.Thresholds {
					one.Thresholds = append(one.Thresholds, int64(t))
				}
				shown = append(shown, one)
			}
		}
		return shown
	}
}

// scopesOf are the scopes of budgets that a party's document counts towards.
func scopesOf(party invoice.Party) []budget.Scope {
	return []budget.Scope{{Kind: budget.CostCenter, Value: party.Code}, {Kind: budget.Department, Value: party.Department}}
}

// draftTotal is what a draft charges.
func draftTotal(draft *invoice.Input) (sum money.USD) {
	for _, c := range draft.Charges {
		sum = money.Sum(sum, c.LLM, c.Infra, c.Tool)
	}
	for _, part := range draft.Shared {
		sum = sum.Add(part.Amount)
	}
	return sum
}
