package invoice

import (
	"cmp"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"chargeback/templates"
	"chargeback/transform/money"
)

// Journal is the booking of a month's invoices. Every invoice is a journal of
// its own whose id is the invoice number, so that a system which has booked it
// refuses it a second time. Its usage, its shared costs and its corrections of
// each document are booked apart, each on lines for both sides; where the party's
// company and the issuer's differ, on lines between them too, so that each
// company balances by itself.
type Journal struct {
	Lines   []JournalLine
	Control JournalControl
}

// JournalLine is one side of a booking. Exactly one of Debit and Credit is
// more than zero.
type JournalLine struct {
	JournalID             string // the invoice number: the key that refuses a second booking
	LineNo                int    // within the journal, from 1
	Side                  JournalSide
	PostingDate           string // last day of the service period
	Period                string // posting period, the month
	Company               string
	Account, CostCenter   string
	Debit, Credit         money.Cents
	Memo, Reference, Hash string // Reference is the invoice, or the one that is corrected
}

// JournalSide is what a line stands for.
type JournalSide string

// The sides of a booking.
const (
	SideExpense  JournalSide = "expense"  // what the charged cost centre bears
	SideDueTo    JournalSide = "due to"   // what its company owes the issuer's
	SideDueFrom  JournalSide = "due from" // what the issuer's company is owed
	SideRecovery JournalSide = "recovery" // what the issuer gets
)

// JournalControl is what the target system must arrive at, in all and in each
// company.
type JournalControl struct {
	Journals, Lines int
	Debit, Credit   money.Cents
	Companies       []CompanyControl
}

// CompanyControl is the lines of one company.
type CompanyControl struct {
	Company         string
	Journals, Lines int
	Debit, Credit   money.Cents
}

// booking is one kind of cost of an invoice.
type booking struct {
	amount          money.Cents
	memo, reference string
}

// bookings lists what is booked of an invoice: its usage, its shared costs, and
// its corrections by what they correct. What is zero is not booked.
func (d Document) bookings() []booking {
	memo := func(what, month, number string) string {
		return templates.JournalMemo(what, month, number, d.Party.Name)
	}
	all := []booking{
		{d.Direct.Subtotal.Cents.Total, memo(templates.JournalUsage(), d.Period.Month, d.Number), d.Number},
		{d.Shared.Subtotal.Cents.Total, memo(templates.JournalShared(), d.Period.Month, d.Number), d.Number},
	}
	type corrected struct{ month, number string }
	amounts := map[corrected]money.Cents{}
	for _, l := range d.Adjustments.Lines {
		amounts[corrected{l.AdjustsMonth, l.AdjustsInvoice}] += l.Cents.Total
	}
	order := make([]corrected, 0, len(amounts))
	for c := range amounts {
		order = append(order, c)
	}
	slices.SortFunc(order, func(a, b corrected) int {
		return cmp.Or(strings.Compare(a.month, b.month), strings.Compare(a.number, b.number))
	})
	for _, c := range order {
		all = append(all, booking{amounts[c], memo(templates.JournalCorrection(), c.month, c.number), cmp.Or(c.number, d.Number)})
	}
	return slices.DeleteFunc(all, func(b booking) bool { return b.amount == 0 })
}

// Booked says whether the journal has lines of the document.
func (d Document) Booked() bool {
	if d.Party.Mode != Chargeback {
		return false
	}
	if d.Earlier() {
		return d.Total.Cents.Total != 0
	}
	return len(d.bookings()) > 0
}

// NewJournal books the chargeback documents among docs, in the order of their
// numbers. A statement books nothing, nor does an invoice of nothing; what is
// negative has its sides swapped. It is an error if a number appears twice or
// if the lines do not balance.
func NewJournal(docs []Document) (Journal, error) {
	byNumber := slices.SortedFunc(slices.Values(docs), func(a, b Document) int { return strings.Compare(a.Number, b.Number) })
	var j Journal
	var charged money.Cents
	for i, doc := range byNumber {
		if i > 0 && doc.Number == byNumber[i-1].Number {
			return Journal{}, fmt.Errorf("make journal: document %s appears twice; give each cost centre its documents once", doc.Number)
		}
		if !doc.Booked() {
			continue
		}
		if doc.Earlier() {
			j.Lines = append(j.Lines, earlierLines(doc)...)
		} else {
			j.Lines = append(j.Lines, journalLines(doc)...)
		}
		charged += doc.Total.Cents.Total
	}
	control, err := balance(j.Lines, charged)
	j.Control = control
	return j, err
}

// journalLines is the lines of one invoice.
func journalLines(doc Document) (lines []JournalLine) {
	party, issuer := doc.Party.CompanyCode, doc.Issuer.CompanyCode
	for _, b := range doc.bookings() {
		add := func(side JournalSide, company, account, costCenter string, debit money.Cents) {
			l := JournalLine{
				JournalID: doc.Number, LineNo: len(lines) + 1, Side: side, PostingDate: doc.Period.To, Period: doc.Period.Month,
				Company: company, Account: account, CostCenter: costCenter, Memo: b.memo, Reference: b.reference, Hash: doc.ContentHash,
			}
			l.Debit, l.Credit = max(debit, 0), max(-debit, 0)
			lines = append(lines, l)
		}
		add(SideExpense, party, doc.Party.ExpenseAccount, doc.Party.Code, b.amount)
		if party != issuer {
			add(SideDueTo, party, doc.Intercompany.DueTo, "", -b.amount)
			add(SideDueFrom, issuer, doc.Intercompany.DueFrom, "", b.amount)
		}
		add(SideRecovery, issuer, doc.RecoveryAccount, doc.Issuer.CostCenter, -b.amount)
	}
	return lines
}

// earlierLines is the two lines of an invoice that was issued before Format.
func earlierLines(doc Document) []JournalLine {
	common := JournalLine{
		JournalID:   doc.Number,
		PostingDate: doc.Period.To,
		Period:      doc.Period.Month,
		Company:     doc.Party.CompanyCode,
		Memo:        templates.EarlierJournalMemo(doc.Period.Month, doc.Party.Code, doc.Party.Name),
		Reference:   doc.Number,
		Hash:        doc.ContentHash,
	}
	expense, recovery := common, common
	expense.LineNo, expense.Side, expense.Account, expense.CostCenter = 1, SideExpense, doc.Party.ExpenseAccount, doc.Party.Code
	recovery.LineNo, recovery.Side, recovery.Account, recovery.CostCenter = 2, SideRecovery, doc.RecoveryAccount, doc.Issuer.CostCenter
	if total := doc.Total.Cents.Total; total > 0 {
		expense.Debit, recovery.Credit = total, total
	} else {
		expense.Credit, recovery.Debit = -total, -total
	}
	return []JournalLine{expense, recovery}
}

// balance checks that every line has one side, that the debits of each journal
// equal its credits in each company, and that the cost centres bear what was
// charged. It returns the control totals.
func balance(lines []JournalLine, charged money.Cents) (JournalControl, error) {
	type part struct{ journal, company string }
	open := map[part]money.Cents{}
	journals := map[string]bool{}
	companies := map[string]*CompanyControl{}
	control := JournalControl{Lines: len(lines)}
	var borne money.Cents
	for _, l := range lines {
		if l.Debit < 0 || l.Credit < 0 || (l.Debit == 0) == (l.Credit == 0) {
			return control, fmt.Errorf("make journal: %s line %d has debit %s and credit %s; one of them must be more than zero and the other empty", l.JournalID, l.LineNo, l.Debit, l.Credit)
		}
		company := companies[l.Company]
		if company == nil {
			company = &CompanyControl{Company: l.Company}
			companies[l.Company] = company
		}
		p := part{l.JournalID, l.Company}
		if _, known := open[p]; !known {
			company.Journals++
		}
		journals[l.JournalID] = true
		open[p] += l.Debit - l.Credit
		company.Lines++
		company.Debit += l.Debit
		company.Credit += l.Credit
		control.Debit += l.Debit
		control.Credit += l.Credit
		if l.Side == SideExpense {
			borne += l.Debit - l.Credit
		}
	}
	control.Journals = len(journals)
	for _, company := range companies {
		control.Companies = append(control.Companies, *company)
	}
	slices.SortFunc(control.Companies, func(a, b CompanyControl) int { return strings.Compare(a.Company, b.Company) })
	for _, l := range lines {
		if off := open[part{l.JournalID, l.Company}]; off != 0 {
			return control, fmt.Errorf("make journal: %s does not balance by %s%s; do not book it", l.JournalID, off, inCompany(l.Company))
		}
	}
	if borne != charged {
		return control, fmt.Errorf("make journal: books %s to cost centres but the invoices charge %s; do not book it", borne, charged)
	}
	return control, nil
}

func inCompany(code string) string {
	if code == "" {
		return ""
	}
	return " in company " + code
}

// WriteJournal writes NewJournal(docs) as a general CSV for a ledger's import:
// a header and one row a line, and nothing else, so that it can be imported as
// it is; what it adds up to is written by WriteJournalControl. Nothing is written
// if the journal does not balance.
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
	if !ControlBeside(docs) {
		rows = append(rows, []string{
			"CONTROL", strconv.Itoa(j.Control.Lines), "", "", "", "", "",
			j.Control.Debit.String(), j.Control.Credit.String(), Currency, strconv.Itoa(j.Control.Journals) + " journals", "", "",
		})
	}
	if err := errors.Join(begin(w, docs...), csv.NewWriter(w).WriteAll(rows)); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	return nil
}

// ControlBeside says whether the control totals of a journal lie in a file of
// their own. Those of documents that were issued before Format are its last row.
func ControlBeside(docs []Document) bool {
	return len(docs) == 0 || slices.ContainsFunc(docs, func(d Document) bool { return !d.Earlier() })
}

// WriteJournalControl writes what the file of NewJournal(docs) must add up to:
// a row for each company and one for all, and in each the file's name and the
// SHA-256 of its content.
func WriteJournalControl(w io.Writer, docs []Document, file string, content []byte) error {
	j, err := NewJournal(docs)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	rows := [][]string{{"row", "company", "journals", "lines", "debit", "credit", "currency", "file", "sha256"}}
	add := func(row string, c CompanyControl) {
		rows = append(rows, []string{
			row, templates.CSVText(c.Company), strconv.Itoa(c.Journals), strconv.Itoa(c.Lines), c.Debit.String(), c.Credit.String(),
			Currency, templates.CSVText(file), hex.EncodeToString(sum[:]),
		})
	}
	for _, c := range j.Control.Companies {
		add("company", c)
	}
	add("total", CompanyControl{"", j.Control.Journals, j.Control.Lines, j.Control.Debit, j.Control.Credit})
	if err := csv.NewWriter(w).WriteAll(rows); err != nil {
		return fmt.Errorf("write control totals of %s: %w", file, err)
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
