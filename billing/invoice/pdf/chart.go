package pdf

import (
	"cmp"
	"slices"
	"strconv"

	"chargeback/templates"
	"chargeback/transform/money"
)

const agentBarsMax = 5

// bar is one row of a chart.
type bar struct {
	label string
	cents money.Cents
	color color
}

// charts draws what the total is made of beside the dearest agents. Both use
// one scale, so that their bars compare. A credit is no sum of shares and has none.
func (s *sheet) charts() {
	kinds, agents := s.kindBars(), s.agentBars()
	positive := max(charged(kinds), charged(agents))
	if s.doc.Earlier() {
		kinds = s.earlierKindBars()
		positive = charged(kinds)
	}
	if positive == 0 || s.doc.Credit() {
		return
	}
	const between = 6 * mm
	w := (bodyWidth - between) / 2
	h := max(s.chart(marginLeft, w, s.words.ByKind, kinds, positive),
		s.chart(marginLeft+w+between, w, s.words.ByAgent, agents, positive))
	s.y += h + gap - 2*mm
}

// charged adds up what is more than zero.
func charged(bars []bar) (sum money.Cents) {
	for _, b := range bars {
		sum += max(b.cents, 0)
	}
	return sum
}

// kindBars are the columns of the table's last row, corrections and all.
func (s *sheet) kindBars() []bar {
	total := s.doc.Total.Cents
	return []bar{
		{s.words.LLM, total.LLM, accent()},
		{s.words.Infrastructure, total.Infra, color{46, 125, 150}},
		{s.words.Tools, total.Tool, color{118, 160, 102}},
		{s.words.Shared, total.Shared, color{140, 150, 160}},
	}
}

// earlierKindBars show the columns of direct usage, and sections beside them.
func (s *sheet) earlierKindBars() []bar {
	direct := s.doc.Direct.Subtotal.Cents
	bars := []bar{
		{s.words.LLM, direct.LLM, accent()},
		{s.words.Infrastructure, direct.Infra, color{46, 125, 150}},
		{s.words.Tools, direct.Tool, color{118, 160, 102}},
		{s.words.Shared, s.doc.Shared.Subtotal.Cents.Total, color{140, 150, 160}},
	}
	if len(s.doc.Adjustments.Lines) > 0 {
		bars = append(bars, bar{s.words.Adjustments, s.doc.Adjustments.Subtotal.Cents.Total, color{190, 120, 60}})
	}
	return bars
}

// agentBars adds up the direct lines by agent, dearest first, and puts all
// after the fifth together.
func (s *sheet) agentBars() []bar {
	place := map[string]int{}
	var bars []bar
	for _, l := range s.doc.Direct.Lines {
		i, found := place[l.AgentID]
		if !found {
			i = len(bars)
			place[l.AgentID] = i
			bars = append(bars, bar{label: s.agentName(l), color: accent()})
		}
		bars[i].cents += l.Cents.Total
	}
	slices.SortStableFunc(bars, func(a, b bar) int { return cmp.Compare(b.cents, a.cents) })
	if len(bars) <= agentBarsMax {
		return bars
	}
	rest := bar{label: templates.InvoiceOtherAgents(len(bars) - agentBarsMax + 1), color: color{140, 150, 160}}
	for _, b := range bars[agentBarsMax-1:] {
		rest.cents += b.cents
	}
	return append(bars[:agentBarsMax-1], rest)
}

// chart draws bars as shares of whole and returns the height.
func (s *sheet) chart(x, w length, title string, bars []bar, whole money.Cents) length {
	if len(bars) == 0 {
		return 0
	}
	s.text(x, s.y, w, left, heading(), title)
	y := s.y + heading().height() + 100
	const (
		row          = 450
		labelWidth   = 42 * mm
		amountWidth  = 22 * mm
		percentWidth = 13 * mm
	)
	barMax := w - labelWidth - amountWidth - percentWidth - 2*mm
	for _, b := range bars {
		s.text(x, y+40, labelWidth, left, small(), s.firstLine(small(), b.label, labelWidth-2*mm))
		s.fill(x+labelWidth, y+60, barMax, 300, light())
		if b.cents > 0 {
			s.fill(x+labelWidth, y+60, max(barMax*length(b.cents)/length(whole), 20), 300, b.color)
		}
		s.fitted(x+labelWidth+barMax, y+40, amountWidth, right, small(), usd(b.cents))
		s.text(x+w-percentWidth, y+40, percentWidth, right, label(), percent(b.cents, whole))
		y += row
	}
	return y - s.y
}

// firstLine cuts text to one line.
func (s *sheet) firstLine(st style, text string, w length) string {
	for _, l := range s.wrap(st, text, w, 1) {
		return l
	}
	return ""
}

// percent prints a share with one decimal, rounded half up; nothing for a
// credit, which has no share.
func percent(part, whole money.Cents) string {
	if part < 0 {
		return ""
	}
	tenths := (int64(part)*1000 + int64(whole)/2) / int64(whole)
	return strconv.FormatInt(tenths/10, 10) + "." + strconv.FormatInt(tenths%10, 10) + " %"
}
