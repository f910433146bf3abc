package pdf

import (
	"chargeback/billing/invoice"
	"chargeback/templates"
)

// tableColumn is a column of numbers; the two text columns stand before them.
type tableColumn struct {
	title string
	w     length
}

const (
	agentWidth  = 39 * mm
	modelWidth  = 45 * mm
	textWidth   = agentWidth + modelWidth
	cellPadding = 1 * mm
	rowPadding  = 90
	cellLines   = 4 // of a name; the CSV has all of it
)

// tableColumns are the number columns from left to right; with the text
// columns they fill the page.
func (s *sheet) tableColumns() []tableColumn {
	words := s.words
	return []tableColumn{
		{words.Requests, 16 * mm}, {words.CacheHits, 15 * mm},
		{words.Input, 20 * mm}, {words.CacheRead, 20 * mm}, {words.CacheWrite, 18 * mm}, {words.Output, 17 * mm},
		{words.LLM, 17 * mm}, {words.Infra, 14 * mm}, {words.Tools, 14 * mm}, {words.SharedColumn, 15 * mm}, {words.TotalColumn, 19 * mm},
	}
}

// numbers are the cells of those columns. A shared cost has no quantities.
func numbers(name invoice.SectionName, a invoice.Amounts) []string {
	q, c, e := a.Quantities, a.Cents, a.Exact
	quantities := []string{
		count(q.Requests), count(q.CacheHits),
		count(q.InputTokens), count(q.CacheReadTokens), count(q.CacheWriteTokens), count(q.OutputTokens),
	}
	if name == invoice.SectionShared {
		quantities = make([]string, len(quantities))
	}
	return append(quantities,
		amount(c.LLM, e.LLM), amount(c.Infra, e.Infra), amount(c.Tool, e.Tool), amount(c.Shared, e.Shared), usd(c.Total))
}

// table draws all lines by section, each with its subtotal, and the total.
func (s *sheet) table() {
	const headAndThreeRows = 40 * mm
	s.need(headAndThreeRows)
	s.tableHead()
	s.onPage = s.tableHead
	var sections []invoice.Section
	for _, section := range s.doc.Sections() {
		if len(section.Lines) > 0 {
			sections = append(sections, section)
		}
	}
	for i, section := range sections {
		s.section(section, i == len(sections)-1)
	}
	if len(sections) == 0 {
		s.text(marginLeft+cellPadding, s.y+rowPadding, bodyWidth, left, small(), s.words.NoLines)
		s.y += small().height() + 2*rowPadding
	}
	s.totalRow()
	s.onPage = nil
	s.y += gap
}

func (s *sheet) tableHead() {
	st := small().bold().colored(white())
	const h = 950
	s.fill(marginLeft, s.y, bodyWidth, h, accent())
	s.text(marginLeft+cellPadding, s.y+500, agentWidth, left, st, s.words.Agent)
	s.text(marginLeft+agentWidth+cellPadding, s.y+500, modelWidth, left, st, s.words.Model)
	x := marginLeft + textWidth
	for i, column := range s.tableColumns() {
		s.fitted(x, s.y+500, column.w-cellPadding, right, st, column.title)
		switch i {
		case 2:
			s.group(x, 75*mm, s.words.Tokens)
		case 6:
			s.group(x, 79*mm, s.words.Dollars)
		}
		x += column.w
	}
	s.y += h
}

// group draws a heading over several columns.
func (s *sheet) group(x, w length, title string) {
	s.text(x+3*mm, s.y+90, w-3*mm-cellPadding, center, small().colored(white()), title)
	s.rule(x+3*mm, x+w-cellPadding, s.y+460, 10, white())
}

// section draws the lines of one section. A subtotal stays on a page with its
// last line, and the total with the last subtotal.
func (s *sheet) section(section invoice.Section, last bool) {
	const titleHeight = 550
	s.need(titleHeight + s.lineHeight(section.Lines[0]) + s.closingHeight(last))
	s.text(marginLeft+cellPadding, s.y+120, bodyWidth, left, small().bold().colored(accent()), s.sectionTitle(section.Name))
	s.y += titleHeight
	s.rule(marginLeft, rightEdge, s.y, 10, line())
	for i, l := range section.Lines {
		if i == len(section.Lines)-1 {
			s.need(s.lineHeight(l) + s.closingHeight(last))
		}
		s.row(section.Name, l)
	}
	s.sumRow(section.Name, s.subtotalTitle(section.Name), section.Subtotal)
}

// closingHeight is the height of what stands below a section's last line.
func (s *sheet) closingHeight(last bool) length {
	if last {
		return sumHeight() + totalHeight()
	}
	return sumHeight()
}

func (s *sheet) subtotalTitle(name invoice.SectionName) string {
	switch name {
	case invoice.SectionShared:
		return s.words.SubtotalShared
	case invoice.SectionAdjustments:
		return s.words.SubtotalAdjustments
	}
	return s.words.SubtotalDirect
}

// cellText is the wrapped text of a line: one wide cell for a shared cost, an
// agent and a model for the rest. Remarks stand below in grey, those on the line
// as a whole below both.
type cellText struct{ agent, agentRemarks, model, modelRemarks, below []string }

func (s *sheet) cells(l invoice.Line) cellText {
	st, remark := small(), label().sized(60)
	below := s.wrap(remark, s.moved(l), textWidth-2*cellPadding, cellLines)
	if l.SharedName != "" || l.Method != "" {
		t := cellText{
			agent:        s.wrap(st, l.SharedName, textWidth-2*cellPadding, cellLines),
			agentRemarks: s.wrap(remark, templates.InvoiceSplit(l.Method, l.Ratio), textWidth-2*cellPadding, cellLines),
			below:        below,
		}
		if l.AdjustsMonth != "" {
			t.agentRemarks = append(t.agentRemarks, s.wrap(remark, templates.InvoiceCorrects(l.AdjustsMonth, l.AdjustsInvoice, l.AdjustsCode), textWidth-2*cellPadding, 2)...)
		}
		return t
	}
	t := cellText{
		below: below,
		agent: s.wrap(st, s.agentName(l), agentWidth-2*cellPadding, cellLines),
		model: s.wrap(st, s.orNone(l.Model), modelWidth-2*cellPadding, cellLines),
	}
	if l.AgentName != "" && l.AgentName != l.AgentID {
		t.agentRemarks = s.wrap(remark, l.AgentID, agentWidth-2*cellPadding, 2)
	}
	if l.AdjustsMonth != "" {
		t.modelRemarks = s.wrap(remark, templates.InvoiceCorrects(l.AdjustsMonth, l.AdjustsInvoice, l.AdjustsCode), modelWidth-2*cellPadding, 2)
	}
	if l.Estimated != 0 {
		t.modelRemarks = append(t.modelRemarks, templates.InvoiceEstimatedLine(l.Estimated))
	}
	if l.Held != 0 {
		t.modelRemarks = append(t.modelRemarks, templates.InvoiceHeldLine(l.Held))
	}
	return t
}

// moved says what a correction did, "" where the line is none or doesn't tell.
func (*sheet) moved(l invoice.Line) string {
	m := l.Moved()
	before, now := "", ""
	if m.Known {
		before, now = usd(m.Before.Cents()), usd(m.Now.Cents())
	}
	return templates.InvoiceMoved(l.Reason, isolated(m.From), isolated(m.To), before, now)
}

func (s *sheet) agentName(l invoice.Line) string {
	if l.AgentName != "" {
		return l.AgentName
	}
	return s.orNone(l.AgentID)
}

func (s *sheet) orNone(name string) string {
	if name == "" {
		return s.words.None
	}
	return name
}

// upper is the height of the cells, without what stands below both.
func (t cellText) upper(c *canvas) length {
	remark := label().sized(60)
	return max(
		c.heights(small(), t.agent)+c.heights(remark, t.agentRemarks),
		c.heights(small(), t.model)+c.heights(remark, t.modelRemarks),
		small().height())
}

func (t cellText) height(c *canvas) length {
	return t.upper(c) + c.heights(label().sized(60), t.below)
}

func (s *sheet) lineHeight(l invoice.Line) length { return s.cells(l).height(s.canvas) + 2*rowPadding }

// row draws one line, whole on one page.
func (s *sheet) row(name invoice.SectionName, l invoice.Line) {
	cells := s.cells(l)
	h := cells.height(s.canvas) + 2*rowPadding
	s.need(h)
	y := s.y + rowPadding
	s.stack(marginLeft+cellPadding, y, cells.agent, cells.agentRemarks)
	s.stack(marginLeft+agentWidth+cellPadding, y, cells.model, cells.modelRemarks)
	s.stack(marginLeft+cellPadding, y+cells.upper(s.canvas), nil, cells.below)
	cellsOf := numbers(name, l.Amounts)
	if l.Unknown() {
		cellsOf[len(cellsOf)-1] = s.words.NotPriced
	}
	s.numberCells(y, small(), cellsOf)
	s.y += h
	s.rule(marginLeft, rightEdge, s.y, 8, line())
}

func (s *sheet) stack(x, y length, lines, remarks []string) {
	y += s.lines(x, y, 0, small(), lines)
	s.lines(x, y, 0, label().sized(60), remarks)
}

// numberCells draws numbers; the total, in the last column, is bold.
func (s *sheet) numberCells(y length, st style, cells []string) {
	x := marginLeft + textWidth
	columns := s.tableColumns()
	for i, column := range columns {
		cell := st
		if i == len(columns)-1 {
			cell = st.bold()
		}
		s.fitted(x+50, y, column.w-cellPadding-50, right, cell, cells[i])
		x += column.w
	}
}

func sumHeight() length   { return small().height() + 2*rowPadding + 60 }
func totalHeight() length { return totalStyle().height() + 350 }
func totalStyle() style   { return small().bold().sized(80) }

func (s *sheet) sumRow(name invoice.SectionName, title string, a invoice.Amounts) {
	h := sumHeight()
	s.need(h)
	s.fill(marginLeft, s.y, bodyWidth, h, light())
	st := small().bold()
	s.text(marginLeft+cellPadding, s.y+rowPadding+30, textWidth, left, st, title)
	s.numberCells(s.y+rowPadding+30, st, numbers(name, a))
	s.y += h
	s.rule(marginLeft, rightEdge, s.y, 10, line())
}

func (s *sheet) totalRow() {
	st, h := totalStyle(), totalHeight()
	s.need(h)
	s.rule(marginLeft, rightEdge, s.y, 35, accent())
	s.text(marginLeft+cellPadding, s.y+180, textWidth, left, st.colored(accent()), s.words.Total+" "+invoice.Currency)
	s.numberCells(s.y+180, st, numbers("", s.doc.Total))
	s.y += h
	s.rule(marginLeft, rightEdge, s.y, 35, accent())
}
