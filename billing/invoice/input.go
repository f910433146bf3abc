// Package invoice makes one month's document for one cost centre: an invoice
// that is booked, or a statement that only informs.
//
// It owns: what the document says and in which order, the one rounding of a
// month's money and the cents of its lines, the document number, the content
// hash, the CSV of the lines and the journal that books the invoices.
// It does not own: what is owed (billing/records), how a page looks
// (billing/invoice/pdf), its wording (templates), or where files go (jobs).
//
// Everything here is a function of its arguments. The same input, in whatever
// order its parts were found, gives the same bytes.
package invoice

import "chargeback/transform/money"

// Mode says whether a cost centre is charged or only shown its cost.
type Mode string

// The two modes of a cost centre.
const (
	Chargeback Mode = "chargeback"
	Showback   Mode = "showback"
)

// Input is all that a document is made of.
type Input struct {
	Number          string // from Number or StatementNumber
	Period          Period
	IssueDate       string // date, from the caller
	DisputeUntil    string // date, empty: no dispute terms are printed
	Issuer          Issuer
	Party           Party
	RecoveryAccount string // credit side of the journal
	Intercompany    Intercompany
	Charges         []Charge
	Shared          []Shared
	Notes           Notes
}

// Period is the service period of a document.
type Period struct {
	Month    string // "2026-10", also the posting period
	From, To string // first and last date, both included
	Zone     string // IANA zone whose days these are
}

// Issuer is the unit that provides the service and is credited.
type Issuer struct {
	Name, CostCenter, Contact, Approver string // Approver is who answers for the charges, and has approved nothing
	Company                             string // name of the company, in the page head
	CompanyCode                         string `json:",omitempty"` // company of its cost centre in the journal
}

// Intercompany is the accounts by which each company balances where the party's
// and the issuer's differ.
type Intercompany struct {
	DueTo   string // what the party's company owes
	DueFrom string // what the issuer's company is owed
}

// Party is the cost centre that the document is for.
type Party struct {
	Code, Name, Department, Owner string
	CompanyCode                   string // company in the journal
	ExpenseAccount                string // debit side of the journal
	Mode                          Mode
}

// Charge is cost of one agent and model. Charges with the same agent, model
// and adjusted document become one line.
type Charge struct {
	AgentID, AgentName, Model string
	Requests, CacheHits       int64
	InputTokens               int64 // uncached input
	CacheReadTokens           int64
	CacheWriteTokens          int64
	OutputTokens              int64
	LLM, Infra, Tool          money.USD
	CacheSavings              money.USD // already left out of LLM; negative where writing the cache cost more than it saved
	Estimated                 int64     // requests of this charge that were priced as estimates
	Held                      int64     // requests of this charge without a cost yet
	AdjustsMonth              string    // "2026-09": this corrects that closed month
	AdjustsInvoice            string    // and this document of it, if there was one

	// What a correction says of itself; charges that differ in one of these are
	// lines of their own, but for CounterAmount, which is added up.
	AdjustsCode   string    // cost centre whose document is corrected, where it is another than the party
	Reason        string    // why, such as "came after the close of its month"
	Counterpart   string    // cost centre that it moved to (reversed) or from, "" where both halves are of this one
	Reversed      bool      // the half of a pair that takes back what was charged
	CounterAmount money.USD // of what moved the counterpart's amount: the new one, or of what is charged again the old one; else the amount before
	HasCounter    bool      // whether it is half of a pair, so that CounterAmount is known
}

// Shared is this cost centre's part of a shared cost, already split. One that
// adjusts a closed month is a line of the adjustments, and may be negative.
type Shared struct {
	Name, Method, Ratio string
	AgentID             string // of a background agent's cost that its users share
	Whole               money.USD
	Amount              money.USD

	AdjustsMonth   string // "2026-09": this corrects that closed month's part
	AdjustsInvoice string // and this document of it, if there was one
	Reason         string // why, such as "30.00 USD became 45.00 USD after the close"
}

// Notes is what the document says about how its figures came to be.
type Notes struct {
	Waivers          []Waiver
	Held             Held
	Budgets          []Budget
	DataSources      []string     // as documents of earlier versions name them
	Sources          []SourceNote `json:",omitempty"`
	RateVersions     []string
	DirectoryVersion string
	Run              string // the window that made the document, such as monthly/2026-10
	LedgerHash       string // content hash of the ledger rows of the month
}

// Waiver is a failed check of the month's close and who let it pass.
// Bound is how much of it may pass, Measured how much there was.
type Waiver struct {
	Gate, By, Reason string
	Bound, Measured  string `json:",omitempty"`
}

// SourceNote is a source of data and what came of it at the close, such as
// "812.40 USD billed, 812.37 USD charged".
type SourceNote struct{ Name, Format, Outcome string }

// Held counts records that are charged nowhere yet.
type Held struct{ Unpriced, Pending, Conflicts int64 }

// Count is the number of held records.
func (h Held) Count() int64 { return h.Unpriced + h.Pending + h.Conflicts }

// Budget compares spend with a budget. Actual comes from the caller, because
// a department's budget spans several cost centres.
type Budget struct {
	Name, Scope    string // Scope such as "department Support"
	Amount, Actual money.USD
	Thresholds     []int64 // whole percent
}
