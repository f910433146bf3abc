package invoice

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"chargeback/templates"
	"chargeback/transform/money"
)

// Journal is the booking of a month's invoices: two lines each, one for each
// side. Every invoice is a journal of its own whose id is the invoice number,
// so that a system which has booked it refuses it a second time.
type Journal struct {
	Lines   []JournalLine
	Control JournalControl
}

// JournalLine is one side of a booking. Exactly one of Debit and Credit is
// more than zero.
type JournalLine struct {
	JournalID             string // the invoice number: the key that refuses a second booking
	LineNo                int    // within the journal, from 1
	PostingDate           string // last day of the service period
	Period                string // posting period, the month
	Company               string // of the charged party, on both sides, so that each company balances
	Account, CostCenter   string
	Debit, Credit         money.Cents
	Memo, Reference, Hash string
}

// JournalControl is what the target system must arrive at.
type JournalControl struct {
	Journals, Lines int
	Debit, Credit   money.Cents
}

// NewJournal books the chargeback documents among docs, in the order of their
// numbers. A statement books nothing, nor does an invoice of zero; a negative
// invoice has its sides swapped. It is an error if a number appears twice or
// if the lines do not balance.
func NewJournal(docs []Document) (Journal, error) {
	byNumber := slices.SortedFunc(slices.Values(docs), func(a, b Document) int { return strings.Compare(a.Number, b.Number) })
	var j Journal
	var charged money.Cents
	for i, doc := range byNumber {
		if i > 0 && doc.Number == byNumber[i-1].Number {
			return Journal{}, fmt.Errorf("make journal: document %s appears twice; give each cost centre its documents once", doc.Number)
		}
		if doc.Party.Mode != Chargeback || doc.Total.Cents.Total == 0 {
			continue
		}
		j.Lines = append(j.Lines, bookings(doc)...)
		charged += doc.Total.Cents.Total
	}
	control, err := balance(j.Lines, charged)
	j.Control = control
	return j, err
}

// bookings is the two lines of one invoice.
func bookings(doc Document) []JournalLine {
	common := JournalLine{
		JournalID:   doc.Number,
		PostingDate: doc.Period.To,
		Period:      doc.Period.Month,
		Company:     doc.Party.CompanyCode,
		Memo:        templates.JournalMemo(doc.Period.Month, doc.Party.Code, doc.Party.Name),
		Reference:   doc.Number,
		Hash:        doc.ContentHash,
	}
	expense, recovery := common, common
	expense.LineNo, expense.Account, expense.CostCenter = 1, doc.Party.ExpenseAccount, doc.Party.Code
	recovery.LineNo, recovery.Account, recovery.CostCenter = 2, doc.RecoveryAccount, doc.Issuer.CostCenter
	if total := doc.Total.Cents.Total; total > 0 {
		expense.Debit, recovery.Credit = total, total
	} else {
		expense.Credit, recovery.Debit = -total, -total
	}
	return []JournalLine{expense, recovery}
}

// balance checks that each journal's debits equal its credits, that every line
// has one side, and that the cost centres bear what was charged. It returns
// the control totals.
func balance(lines []JournalLine, charged money.Cents) (JournalControl, error) {
	control := JournalControl{Lines: len(lines)}
	open := map[string]money.Cents{}
	var borne money.Cents
	for _, l := range lines {
		if l.Debit < 0 || l.Credit < 0 || (l.Debit == 0) == (l.Credit == 0) {
			return control, fmt.Errorf("make journal: %s line %d has debit %s and credit %s; one of them must be more than zero and the other empty", l.JournalID, l.LineNo, l.Debit, l.Credit)
		}
		open[l.JournalID] += l.Debit - l.Credit
		control.Debit += l.Debit
		control.Credit += l.Credit
		if l.LineNo == 1 {
			borne += l.Debit - l.Credit
		}
	}
	control.Journals = len(open)
	for _, l := range lines {
		if open[l.JournalID] != 0 {
			return control, fmt.Errorf("make journal: %s does not balance by %s; do not book it", l.JournalID, open[l.JournalID])
		}
	}
	if borne != charged {
		return control, fmt.Errorf("make journal: books %s to cost centres but the invoices charge %s; do not book it", borne, charged)
	}
	return control, nil
}

// WriteJournal writes NewJournal(docs) as a general CSV for a ledger's import:
// a header, one row a line, and a last row whose journal_id is CONTROL, whose
// line_no counts the lines and whose debit and credit are the control totals.
// Nothing is written if the journal does not balance.
func WriteJournal(w io.Writer, docs []Document) error {
	j, err := NewJournal(docs)
	if err != nil {
		return err
	}
	rows := [][]string{{
		"journal_id", "line_no", "posting_date", "period", "company", "gl_account", "cost_center",
		"debit", "credit", "currency", "memo", "reference", "content_hash",
	}}
	for _, l := range j.Lines {
		rows = append(rows, journalRow(l))
	}
	rows = append(rows, []string{
		"CONTROL", strconv.Itoa(j.Control.Lines), "", "", "", "", "",
		j.Control.Debit.String(), j.Control.Credit.String(), Currency, strconv.Itoa(j.Control.Journals) + " journals", "", "",
	})
	if err := errors.Join(begin(w, docs...), csv.NewWriter(w).WriteAll(rows)); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

func journalRow(l JournalLine) []string {
	text := templates.CSVText
	side := func(c money.Cents) string {
		if c == 0 {
			return ""
		}
		return c.String()
	}
	return []string{
		text(l.JournalID), strconv.Itoa(l.LineNo), text(l.PostingDate), text(l.Period), text(l.Company), text(l.Account), text(l.CostCenter),
		side(l.Debit), side(l.Credit), Currency, text(l.Memo), text(l.Reference), l.Hash,
	}
}
