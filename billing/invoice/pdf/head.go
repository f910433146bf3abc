package pdf

import (
	"chargeback/billing/invoice"
	"chargeback/templates"
)

// head draws the first page's top: title and number, facts, a warning if
// something was waived or held, then the parties, the booking and the total.
func (s *sheet) head() {
	s.title()
	s.facts()
	s.banner()
	s.parties()
}

func (s *sheet) title() {
	half := bodyWidth / 2
	s.fitted(marginLeft, s.y, half, left, label().sized(85), s.doc.Issuer.Company)
	s.fitted(marginLeft, s.y+450, half+20*mm, left, style{bold, 200, accent()}, s.words.Title)
	s.fitted(marginLeft, s.y+14*mm, half, left, label().sized(90), s.words.Legal)
	x := marginLeft + half + 20*mm
	s.text(x, s.y+4*mm, rightEdge-x, right, label(), s.words.Number)
	s.fitted(x, s.y+750, rightEdge-x, right, style{bold, 125, ink()}, s.doc.Number)
	s.y += 20 * mm
}

func (s *sheet) facts() {
	const h = 11 * mm
	s.fill(marginLeft, s.y, bodyWidth, h, light())
	x := marginLeft + 3*mm
	for _, fact := range []struct {
		label, value string
		w            length
	}{
		{s.words.Status, s.doc.Status, 42 * mm},
		{s.words.IssueDate, s.doc.IssueDate, 46 * mm},
		{s.words.ServicePeriod, templates.InvoicePeriod(s.doc.Period.From, s.doc.Period.To), 70 * mm},
		{s.words.Zone, s.doc.Period.Zone, 72 * mm},
		{s.words.Currency, invoice.Currency, 30 * mm},
	} {
		s.text(x, s.y+150, fact.w, left, label(), fact.label)
		s.fitted(x, s.y+520, fact.w-3*mm, left, body().bold().sized(90), fact.value)
		x += fact.w
	}
	s.y += h + 3*mm
}

func (s *sheet) banner() {
	text := templates.InvoiceBanner(len(s.doc.Notes.Waivers), s.doc.Notes.Held.Count())
	if text == "" {
		s.y += 1 * mm
		return
	}
	const h = 6 * mm
	s.fill(marginLeft, s.y, bodyWidth, h, straw())
	s.fill(marginLeft, s.y, 1*mm, h, amber())
	s.text(marginLeft+4*mm, s.y+120, bodyWidth-8*mm, left, body().bold().colored(amber()), text)
	s.y += h + 3*mm
}

// pair is a label and its value.
type pair struct{ label, value string }

// parties draws four columns: whom, by whom, how it is booked, how much.
func (s *sheet) parties() {
	const between = 6 * mm
	w := (bodyWidth - 3*between) / 4
	step := w + between
	p, by, words := s.doc.Party, s.doc.Issuer, s.words
	bottom := s.y
	for i, column := range []struct {
		heading, name string
		pairs         []pair
	}{
		{words.To, p.Name, []pair{{words.CostCenter, p.Code}, {words.Department, p.Department}, {words.Owner, p.Owner}, {words.CompanyCode, p.CompanyCode}}},
		{words.From, by.Name, []pair{{words.CostCenter, by.CostCenter}, {words.Contact, by.Contact}, {words.Approver, by.Approver}}},
		{words.Accounting, "", s.booking()},
	} {
		end := s.column(marginLeft+length(i)*step, w, column.heading, column.name, column.pairs)
		bottom = max(bottom, end)
	}
	bottom = max(bottom, s.summary(marginLeft+3*step, w))
	s.y = bottom + gap - 2*mm
}

// column draws a heading, a name and pairs, and returns where it ends.
func (s *sheet) column(x, w length, title, name string, pairs []pair) length {
	y := s.columnHeading(x, w, title)
	if name != "" {
		y += s.paragraph(x, y, w, body().bold().sized(90), name, 3) + 50
	}
	const labelWidth = 22 * mm
	for _, p := range pairs {
		if p.value == "" {
			continue
		}
		valueWidth := w
		valueX := x
		if p.label != "" {
			s.text(x, y+20, labelWidth, left, label(), p.label)
			valueX, valueWidth = x+labelWidth, w-labelWidth
		}
		y += s.paragraph(valueX, y, valueWidth, body(), p.value, 4) + 30
	}
	return y
}

func (s *sheet) columnHeading(x, w length, title string) length {
	s.text(x, s.y, w, left, heading(), title)
	y := s.y + heading().height() + 50
	s.rule(x, x+w, y, 20, accent())
	return y + 150
}

// booking is what the journal does with this document.
func (s *sheet) booking() []pair {
	words := s.words
	switch {
	case s.doc.Party.Mode == invoice.Showback:
		return []pair{{"", words.NoBooking}}
	case !s.doc.Booked():
		return []pair{{"", words.NoBooking}, {words.PostingPeriod, s.doc.Period.Month}}
	}
	expense := templates.InvoiceAccount(s.doc.Party.ExpenseAccount, isolated(s.doc.Party.Code))
	recovery := templates.InvoiceAccount(s.doc.RecoveryAccount, isolated(s.doc.Issuer.CostCenter))
	sides := []pair{{words.Debit, expense}, {words.Credit, recovery}}
	if s.doc.Total.Cents.Total < 0 {
		sides = []pair{{words.Debit, recovery}, {words.Credit, expense}}
	}
	if !s.doc.Earlier() {
		if party, issuer := s.doc.Party.CompanyCode, s.doc.Issuer.CompanyCode; party != issuer {
			sides = append(sides, pair{words.Between, templates.InvoiceBetween(s.doc.Intercompany.DueTo, party, s.doc.Intercompany.DueFrom, issuer)})
		}
		if len(s.doc.Adjustments.Lines) > 0 {
			sides = append(sides, pair{"", templates.InvoiceBookedApart()})
		}
	}
	return append(sides, pair{words.PostingPeriod, s.doc.Period.Month}, pair{words.PostingDate, s.doc.Period.To}, pair{words.Journal, s.doc.Number})
}

// summary draws the subtotals and the total, and returns where it ends.
func (s *sheet) summary(x, w length) length {
	y := s.columnHeading(x, w, s.words.Summary)
	for _, section := range s.doc.Sections() {
		s.text(x, y, w, left, body(), s.sectionTitle(section.Name))
		s.fitted(x+w/2, y, w/2, right, body(), amount(section.Subtotal.Cents.Total, section.Subtotal.Exact.Total))
		y += body().height() + 30
	}
	const h = 9 * mm
	y += 50
	s.fill(x, y, w, h, accent())
	s.text(x+2*mm, y+260, w, left, style{bold, 85, white()}, s.words.Total)
	s.fitted(x+w/2-8*mm, y+160, w/2+6*mm, right, style{bold, 130, white()}, invoice.Currency+" "+usd(s.doc.Total.Cents.Total))
	return y + h
}

func (s *sheet) sectionTitle(name invoice.SectionName) string {
	switch name {
	case invoice.SectionShared:
		return s.words.Shared
	case invoice.SectionAdjustments:
		return s.words.Adjustments
	}
	return s.words.Direct
}
