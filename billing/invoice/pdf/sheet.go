package pdf

import (
	"strconv"

	"chargeback/billing/invoice"
	"chargeback/templates"
	"chargeback/transform/money"
)

// The page: A4 landscape.
const (
	pageWidth    = 297 * mm
	pageHeight   = 210 * mm
	marginLeft   = 14 * mm
	marginTop    = 12 * mm
	marginBottom = 16 * mm // holds the footer
	rightEdge    = pageWidth - marginLeft
	bodyWidth    = rightEdge - marginLeft
	bodyBottom   = pageHeight - marginBottom
	gap          = 6 * mm // between blocks
)

func ink() color    { return color{33, 37, 41} }
func grey() color   { return color{96, 104, 112} }
func accent() color { return color{23, 62, 103} }
func white() color  { return color{255, 255, 255} }
func line() color   { return color{206, 212, 218} }
func light() color  { return color{243, 245, 248} }
func amber() color  { return color{148, 88, 0} }
func straw() color  { return color{255, 245, 220} }

func body() style    { return style{regular, 80, ink()} }
func small() style   { return style{regular, 70, ink()} }
func label() style   { return style{regular, 70, grey()} }
func heading() style { return style{bold, 85, accent()} }

// sheet is a document being drawn from top to bottom.
type sheet struct {
	*canvas
	doc    invoice.Document
	words  templates.DocumentWords
	y      length // where the next block goes
	onPage func() // draws what a table repeats on each page
}

// newPage begins a page, with a running head on all but the first.
func (s *sheet) newPage() {
	s.addPage()
	s.y = marginTop
	if s.page() == 1 {
		return
	}
	title := s.words.Title + " " + s.doc.Number
	s.fitted(marginLeft, s.y, bodyWidth/2, left, heading(), title)
	s.fitted(marginLeft+bodyWidth/2, s.y, bodyWidth/2, right, label(), isolated(s.doc.Party.Code)+" "+isolated(s.doc.Party.Name)+", "+s.doc.Period.Month)
	s.y += 5 * mm
	s.rule(marginLeft, rightEdge, s.y, 20, accent())
	s.y += 4 * mm
	if s.onPage != nil {
		s.onPage()
	}
}

// need begins a new page where h no longer fits on this one.
func (s *sheet) need(h length) {
	if s.y+h > bodyBottom {
		s.newPage()
	}
}

// footers draws the foot of every page. It comes last, when the number of
// pages is known; the library's own way, a mark in the text that it replaces
// afterwards, would replace the same mark in a name as well.
func (s *sheet) footers() {
	pages := s.page()
	for page := 1; page <= pages; page++ {
		s.toPage(page)
		s.footer(page, pages)
	}
}

func (s *sheet) footer(page, pages int) {
	y := pageHeight - 13*mm
	st := label().sized(65)
	s.rule(marginLeft, rightEdge, y-1*mm, 10, line())
	third := bodyWidth / 3
	s.fitted(marginLeft, y, third, left, st, s.doc.Number+"  "+isolated(s.doc.Issuer.Name))
	s.fitted(marginLeft+third, y, third, center, st, s.words.Foot)
	s.text(marginLeft+2*third, y, third, right, st, templates.InvoicePage(page, pages))
	s.fitted(marginLeft, y+st.height(), bodyWidth, left, st.sized(60), s.words.ContentHash+" "+s.doc.ContentHash)
}

// paragraph draws wrapped text from x to x+w and returns its height.
func (s *sheet) paragraph(x, y, w length, st style, text string, linesMax int) length {
	return s.lines(x, y, w, st, s.wrap(st, text, w, linesMax))
}

// usd prints cents with separators: 1,234.50.
func usd(c money.Cents) string { return templates.GroupThousands(c.String()) }

// amount prints cents, or a dash where nothing at all was spent. An amount of
// less than a cent that was rounded away shows as 0.00.
func amount(c money.Cents, exact money.USD) string {
	if c == 0 && exact.IsZero() {
		return "–"
	}
	return usd(c)
}

// count prints a number of requests or tokens, or a dash for none.
func count(n int64) string {
	if n == 0 {
		return "–"
	}
	return templates.GroupThousands(strconv.FormatInt(n, 10))
}
