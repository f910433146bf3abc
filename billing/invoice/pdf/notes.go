package pdf

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"chargeback/billing/invoice"
	"chargeback/templates"
	"chargeback/transform/money"
)

const budgetsMax = 8

// closing draws what follows the table: savings beside budgets, then notes.
func (s *sheet) closing() {
	s.figures()
	s.notes()
}

func (s *sheet) figures() {
	const (
		between      = 10 * mm
		savingsWidth = 92 * mm
		rowHeight    = 480
		budgetHeight = 950
	)
	budgets := s.doc.Notes.Budgets
	rows := min(len(budgets), budgetsMax)
	h := max(8*mm+3*rowHeight, 8*mm+length(rows)*budgetHeight+rowHeight)
	s.need(h)
	end := s.savings(marginLeft, savingsWidth, rowHeight)
	if rows > 0 {
		x := marginLeft + savingsWidth + between
		end = max(end, s.budgets(x, rightEdge-x, budgetHeight, budgets))
	}
	s.y = end + gap
}

// savings shows what the direct usage would have cost without caching.
func (s *sheet) savings(x, w, rowHeight length) length {
	y := s.columnHeading(x, w, s.words.Savings)
	saved, savedTitle := s.doc.Savings, s.words.Saved
	if saved.Saved < 0 {
		savedTitle = s.words.ExtraCost
	}
	for i, row := range []struct {
		title string
		cents money.Cents
	}{
		{s.words.Gross, saved.Gross},
		{savedTitle, -saved.Saved},
		{s.words.Net, saved.Net},
	} {
		st := body()
		if i == 2 {
			st = st.bold()
			y += 40
			s.rule(x+w-30*mm, x+w, y-30, 10, ink())
		}
		s.text(x, y, w, left, st, row.title)
		s.fitted(x+w/2, y, w/2, right, st, usd(row.cents))
		y += rowHeight
	}
	return y
}

func (s *sheet) budgets(x, w, rowHeight length, budgets []invoice.Budget) length {
	y := s.columnHeading(x, w, s.words.Budget)
	for _, b := range budgets[:min(len(budgets), budgetsMax)] {
		s.budget(x, y, w, b)
		y += rowHeight
	}
	if more := len(budgets) - budgetsMax; more > 0 {
		s.text(x, y, w, left, label(), templates.InvoiceMore(more))
		y += label().height()
	}
	return y
}

// budget draws a bar of spend with a tick at each threshold. A bar that is
// over the budget is full and amber.
func (s *sheet) budget(x, y, w length, b invoice.Budget) {
	percent := s.doc.BudgetPercent(b)
	title := isolated(b.Name)
	if b.Scope != "" {
		title += ", " + isolated(b.Scope)
	}
	s.text(x, y, w/2, left, body(), s.firstLine(body(), title, w/2))
	s.fitted(x+w/2, y, w/2, right, body(), templates.InvoiceBudget(usd(b.Actual.Cents()), usd(b.Amount.Cents()), percent, warnings(b)))
	top := y + body().height() + 30
	const h = 250
	s.fill(x, top, w, h, light())
	col := accent()
	if percent >= 100 {
		col = amber()
	}
	s.fill(x, top, w*length(min(max(percent, 0), 100))/100, h, col)
	for _, threshold := range b.Thresholds {
		if threshold > 0 && threshold < 100 {
			tick := x + w*length(threshold)/100
			s.fill(tick, top, 15, h+80, ink())
		}
	}
}

// note is a label and a text of its own style.
type note struct {
	label, text string
	style       style
}

func (s *sheet) notes() {
	s.need(20 * mm)
	s.y = s.columnHeading(marginLeft, bodyWidth, s.words.Notes)
	for _, n := range s.noteList() {
		s.note(n)
	}
	if len(s.missing) > 0 { // known only after everything else is drawn
		s.note(note{s.words.Characters, templates.InvoiceUnshown(), body()})
	}
}

// note draws one note, over several pages where it must.
func (s *sheet) note(n note) {
	const labelWidth = 34 * mm
	for i, l := range s.wrap(n.style, n.text, bodyWidth-labelWidth, noteLinesMax) {
		above, below := s.extra(n.style, l)
		s.need(above + n.style.height() + below)
		s.y += above
		if i == 0 {
			s.text(marginLeft, s.y+20, labelWidth, left, label(), n.label)
		}
		s.text(marginLeft+labelWidth, s.y, bodyWidth-labelWidth, left, n.style, l)
		s.y += n.style.height() + below
	}
	s.y += 35
}

// noteLinesMax bounds a note, so that one broken text can not fill a file.
const noteLinesMax = 60

// noteList is every note that has something to say, the warnings first.
func (s *sheet) noteList() []note {
	n, words := s.doc.Notes, s.words
	var list []note
	add := func(label, text string, st style) {
		if text != "" {
			list = append(list, note{label, text, st})
		}
	}
	for _, w := range n.Waivers {
		add(words.Waiver, templates.InvoiceWaiver(w.Gate, isolated(w.By), isolated(w.Reason), w.Measured, w.Bound), body().bold().colored(amber()))
	}
	add(words.Held, templates.InvoiceHeld(n.Held.Unpriced, n.Held.Pending, n.Held.Conflicts), body().colored(amber()))
	if estimated := s.doc.Total.Estimated; estimated != 0 {
		add(words.Estimates, templates.InvoiceEstimated(estimated), body())
	}
	if len(s.doc.Adjustments.Lines) > 0 {
		add(words.AdjustmentsNote, words.AdjustmentsText, body())
	}
	add(words.Rounding, words.RoundingText, body())
	add(words.Terms, s.terms(), body())
	add(words.Close, s.closeText(), body())
	s.sources(add)
	add(words.PriceBook, strings.Join(n.RateVersions, ", "), body())
	add(words.Directory, n.DirectoryVersion, body())
	add(words.Run, n.Run, body())
	add(words.LedgerHash, n.LedgerHash, body())
	add(words.Attachment, templates.InvoiceAttachment(csvName(s.doc)), body())
	return list
}

func (s *sheet) terms() string {
	contact := isolated(cmp.Or(s.doc.Issuer.Contact, s.doc.Issuer.Name))
	switch {
	case s.doc.Party.Mode == invoice.Showback:
		return templates.StatementTerms(s.doc.DisputeUntil, contact)
	case !s.doc.Booked():
		return s.words.NoBooking
	case s.doc.Earlier():
		return templates.EarlierInvoiceTerms(s.doc.Period.Month, s.doc.DisputeUntil, contact)
	}
	return templates.InvoiceTerms(s.doc.Period.Month, s.doc.DisputeUntil, contact, s.doc.Credit())
}

// closeText says how the document came to be issued. Nobody approves one yet, so
// no name stands here.
func (s *sheet) closeText() string {
	if s.doc.Earlier() {
		return strings.Join(nonEmpty(s.doc.Issuer.Approver, s.doc.Issuer.Name), ", ")
	}
	return s.words.CloseText
}

// sources adds a note for each source of data and what came of it.
func (s *sheet) sources(add func(label, text string, st style)) {
	n := s.doc.Notes
	if len(n.Sources) == 0 {
		add(s.words.DataSources, strings.Join(n.DataSources, ", "), body())
	}
	for i, source := range n.Sources {
		heading := s.words.DataSources
		if i > 0 {
			heading = ""
		}
		add(heading, templates.InvoiceSource(source.Name, source.Format, source.Outcome), body())
	}
}

func nonEmpty(texts ...string) []string {
	return slices.DeleteFunc(texts, func(t string) bool { return t == "" })
}

// warnings lists a budget's thresholds.
func warnings(b invoice.Budget) string {
	levels := make([]string, len(b.Thresholds))
	for i, t := range b.Thresholds {
		levels[i] = strconv.FormatInt(t, 10)
	}
	return strings.Join(levels, ", ")
}
