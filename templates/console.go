package templates

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// The narrowest and the usual number of columns that console text is set for.
const (
	consoleColumnsMin   = 40
	consoleColumnsUsual = 80
)

// ConsoleAlert writes an alert as plain lines of at most columns columns (0:
// 80; never under 40), each ended by a newline. A command stands on a line of
// its own and is never broken, so that it can be copied.
func ConsoleAlert(a AlertView, columns int) string {
	a = a.withData(CleanLine)
	if columns <= 0 {
		columns = consoleColumnsUsual
	}
	page := consolePage{columns: max(columns, consoleColumnsMin)}

	page.add("", "", alertTitle(a))
	for _, line := range alertLead(a, func(s string) string { return s }) {
		page.add("  ", "  ", line)
	}
	page.addDrivers(a)
	if held := alertHeld(a); held != "" {
		page.add("  ", "  ", held+" To see why:")
		page.addCommand(alertHeldCommand)
	}
	step := alertNext(a)
	page.add("  ", "  ", "To see "+step.shows+":")
	page.addCommand(step.command)
	page.add("  ", "  ", step.advice)
	page.add("  ", "  ", alertFoot(a, ", ")+".")
	page.add("  ", "  ", consoleWhy(a.Channel))
	return page.text.String()
}

// consoleWhy says why the alert is on the console.
func consoleWhy(channel string) string {
	if channel == "" {
		return "Printed here because no Slack token is configured."
	}
	return "For " + channel + "; printed here because no Slack token is configured."
}

// consolePage sets text in lines of a given width.
type consolePage struct {
	columns int
	text    strings.Builder
}

// addDrivers sets the drivers with their amounts in a column of their own.
func (p *consolePage) addDrivers(a AlertView) {
	if len(a.Drivers) == 0 {
		return
	}
	p.add("  ", "  ", alertDriversTitle+":")
	amountCells := 0
	for _, d := range a.Drivers[:min(len(a.Drivers), alertDriversMax)] {
		amountCells = max(amountCells, cells(d.Spent))
	}
	amountCells = min(amountCells, consoleColumnsMin/2)
	for i, line := range alertDrivers(a) {
		indent := "    "
		if i < alertDriversMax {
			indent += strings.Repeat(" ", max(0, amountCells-cells(a.Drivers[i].Spent)))
		}
		p.add(indent, strings.Repeat(" ", 4+amountCells+2), line)
	}
}

// addCommand sets a command on a line of its own.
func (p *consolePage) addCommand(command string) { p.text.WriteString("    " + command + "\n") }

// add sets one paragraph; first and rest are the indents of its lines. Two
// spaces in a row are kept, single ones are where a line may break.
func (p *consolePage) add(first, rest, paragraph string) {
	line, used := first, cells(first)
	empty := true
	for _, word := range strings.SplitAfter(paragraph, " ") {
		for word != "" {
			if used+cells(strings.TrimRight(word, " ")) <= p.columns {
				line, used, empty = line+word, used+cells(word), false
				break
			}
			if empty { // longer than a whole line: break inside the word
				head, tail := splitCells(word, p.columns-used)
				line, word = line+head, tail
			}
			p.text.WriteString(strings.TrimRight(line, " ") + "\n")
			line, used, empty = rest, cells(rest), true
		}
	}
	p.text.WriteString(strings.TrimRight(line, " ") + "\n")
}

// splitCells cuts s after as many runes as fit in cellsMax, at least one.
func splitCells(s string, cellsMax int) (head, tail string) {
	used := 0
	for i, r := range s {
		used += runeCells(r)
		if used > cellsMax && i > 0 {
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// cells is how many terminal columns s takes.
func cells(s string) int {
	n := 0
	for _, r := range s {
		n += runeCells(r)
	}
	return n
}

func runeCells(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}
