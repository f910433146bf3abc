package invoice

import (
	"fmt"
	"strings"
	"unicode"

	"chargeback/transform/money"
)

// Currency is the currency of every amount.
const Currency = "USD"

// StatusFinal is the status of a document of a closed month.
const StatusFinal = "Final"

// formatNow is the Format of documents that are made now.
const formatNow = 3

// Document is a finished invoice or statement. All views of it (PDF, CSV,
// journal) print these figures and compute none of their own.
//
// Within each Columns the total is the sum of the others, and each subtotal
// and total is the sum of its lines, column by column: exactly in USD, and in
// cents as shown.
type Document struct {
	// Format is 0 on documents that were issued before there was one. Their words
	// and their journal stay as they were issued; see Earlier.
	Format int `json:",omitempty"`

	Number, Status          string
	Period                  Period
	IssueDate, DisputeUntil string
	Issuer                  Issuer
	Party                   Party
	RecoveryAccount         string
	Intercompany            Intercompany `json:",omitzero"`

	Direct      Section // usage of this month
	Shared      Section // parts of shared costs
	Adjustments Section // corrections of closed months
	Total       Amounts
	Savings     Savings
	Notes       Notes

	// Output is how the files of the document are made. It says nothing of what
	// they tell, so the hash does not cover it.
	Output Output `json:",omitzero"`

	// ContentHash is the SHA-256, in hex, of all the rest.
	ContentHash string `json:",omitempty"`
}

// Earlier says that the document was issued before Format, so that all views of
// it must stay byte for byte what they were.
func (d Document) Earlier() bool { return d.Format == 0 }

// BudgetPercent is how much of a budget is spent, in whole percent of the amounts
// as they are shown. Documents of before Format 3 cut it from the exact ones.
func (d Document) BudgetPercent(b Budget) int64 {
	if d.Format < 3 {
		return money.Percent(b.Actual, b.Amount)
	}
	return money.ShownPercent(b.Actual, b.Amount)
}

// Credit says that the document gives more back than it charges.
func (d Document) Credit() bool { return d.Total.Cents.Total < 0 && !d.Earlier() }

// Output is how files of a document were made at the close. It is kept, so that
// they are made the same way for ever after, whatever the settings say then.
type Output struct {
	CSVEncoding string `json:",omitempty"` // one of the CSV encodings; empty is UTF8
	Fonts       []Font `json:",omitempty"` // beside the built-in one
	Unshown     string `json:",omitempty"` // characters that no font had
}

// Font is a font of a file, so named that no other is taken for it.
type Font struct {
	File   string // its name, without the folder
	Index  int    `json:",omitempty"` // in a collection
	SHA256 string
}

// Characters lists characters with their code points: "𠮷" (U+20BB7). Those that
// are not seen by themselves have only that.
func Characters(runes []rune) string {
	const most = 8
	var all []string
	for i, r := range runes {
		switch {
		case i == most:
			return strings.Join(all, ", ") + fmt.Sprintf(" and %d more", len(runes)-most)
		case unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S):
			all = append(all, fmt.Sprintf("%q (%U)", string(r), r))
		default:
			all = append(all, fmt.Sprintf("%U", r))
		}
	}
	return strings.Join(all, ", ")
}

// Sections lists the sections in the order of the page.
func (d Document) Sections() []Section { return []Section{d.Direct, d.Shared, d.Adjustments} }

// SectionName is the name of a section in the CSV.
type SectionName string

// The sections of a document.
const (
	SectionDirect      SectionName = "direct"
	SectionShared      SectionName = "shared"
	SectionAdjustments SectionName = "adjustment"
)

// Section is a run of lines, dearest first, and their sum.
type Section struct {
	Name     SectionName
	Lines    []Line
	Subtotal Amounts
}

// Line is one line of the document. A line of shared cost has SharedName,
// Method and Ratio, and an agent where it is a background agent's cost; every
// other has an agent and a model. A line of the adjustments has AdjustsMonth.
type Line struct {
	AgentID, AgentName, Model    string
	SharedName, Method, Ratio    string
	AdjustsMonth, AdjustsInvoice string
	AdjustsCode                  string    `json:",omitempty"` // see Charge, also of those below
	Reason, Counterpart          string    `json:",omitempty"`
	CounterAmount                money.USD `json:",omitzero"`
	HasCounter                   bool      `json:",omitempty"`
	Reversed                     bool      `json:",omitempty"` // of what moved
	Whole                        money.USD `json:",omitzero"`  // of a shared cost: what was divided
	Amounts
	CacheSavings money.USD

	key string // unique in the document, for ties
}

// Amounts is what a line or a sum of lines counts and costs.
type Amounts struct {
	Quantities
	Exact Exact
	Cents Cents
}

// Quantities counts requests and tokens. Token classes are disjoint.
type Quantities struct {
	Requests, CacheHits            int64
	Estimated, Held                int64
	InputTokens, CacheReadTokens   int64
	CacheWriteTokens, OutputTokens int64
}

// Unknown says that nothing of the line has a cost yet: it must not read as free.
func (l Line) Unknown() bool {
	return l.Held > 0 && l.Held >= l.Requests && l.Exact.Total.IsZero() && l.Cents.Total == 0
}

// Move is what a correction says of its amount: from or to which cost centre, and,
// where it is Known, what was charged before and is charged now.
type Move struct {
	From, To    string
	Before, Now money.USD
	Known       bool
}

// Moved reads a correction. Of what stays with its cost centre the line is the
// difference.
func (l Line) Moved() Move {
	switch {
	case l.Counterpart == "":
		return Move{Before: l.CounterAmount, Now: l.CounterAmount.Add(l.Exact.Total), Known: l.HasCounter}
	case l.Reversed:
		return Move{To: l.Counterpart, Before: l.Exact.Total.Neg(), Now: l.CounterAmount, Known: l.HasCounter}
	}
	return Move{From: l.Counterpart, Before: l.CounterAmount, Now: l.Exact.Total, Known: l.HasCounter}
}

// moved says that a charge came from another cost centre's document or goes there.
func (c Charge) moved() bool { return c.Counterpart != "" }

// Exact is unrounded cost by kind.
type Exact struct{ LLM, Infra, Tool, Shared, Total money.USD }

// Cents is cost by kind as the document shows it.
type Cents struct{ LLM, Infra, Tool, Shared, Total money.Cents }

// Savings is what caching saved on this month's direct usage. It is
// information and no part of the total. Gross - Saved = Net, and Net is the
// direct subtotal.
type Savings struct {
	Exact             money.USD
	Gross, Saved, Net money.Cents
}

func (a Amounts) plus(b Amounts) Amounts {
	return Amounts{a.Quantities.plus(b.Quantities), a.Exact.plus(b.Exact), a.Cents.plus(b.Cents)}
}

func (q Quantities) plus(r Quantities) Quantities {
	return Quantities{
		Requests:         q.Requests + r.Requests,
		CacheHits:        q.CacheHits + r.CacheHits,
		Estimated:        q.Estimated + r.Estimated,
		Held:             q.Held + r.Held,
		InputTokens:      q.InputTokens + r.InputTokens,
		CacheReadTokens:  q.CacheReadTokens + r.CacheReadTokens,
		CacheWriteTokens: q.CacheWriteTokens + r.CacheWriteTokens,
		OutputTokens:     q.OutputTokens + r.OutputTokens,
	}
}

func (e Exact) plus(f Exact) Exact {
	return Exact{
		LLM:    e.LLM.Add(f.LLM),
		Infra:  e.Infra.Add(f.Infra),
		Tool:   e.Tool.Add(f.Tool),
		Shared: e.Shared.Add(f.Shared),
		Total:  e.Total.Add(f.Total),
	}
}

func (c Cents) plus(d Cents) Cents {
	return Cents{c.LLM + d.LLM, c.Infra + d.Infra, c.Tool + d.Tool, c.Shared + d.Shared, c.Total + d.Total}
}
