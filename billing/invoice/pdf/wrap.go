package pdf

import (
	"slices"
	"strings"
	"unicode/utf8"

	"chargeback/billing/invoice/pdf/typeset"
)

// wrap breaks s into lines of at most w, at spaces or else where the script
// allows it or behind punctuation, and cuts what is beyond linesMax with an
// ellipsis. It never cuts a letter from its marks.
func (c *canvas) wrap(st style, s string, w length, linesMax int) []string {
	whole := strings.TrimSpace(clean(s))
	rest := whole
	var lines []string
	for rest != "" {
		head := c.lineHead(st, whole, rest, w)
		if len(lines) == linesMax-1 && head < len(rest) {
			head = c.fitting(st, whole, rest, w-c.cleanWidth(st, "…"))
			return append(lines, towards(whole, strings.TrimSpace(rest[:head])+"…"))
		}
		lines = append(lines, towards(whole, strings.TrimSpace(rest[:head])))
		rest = strings.TrimSpace(rest[head:])
	}
	return lines
}

// towards lets a line of a text be read the way the whole text is.
func towards(whole, line string) string {
	if plain(whole) {
		return line
	}
	wholeRTL, _ := typeset.RightToLeft(whole)
	lineRTL, none := typeset.RightToLeft(line)
	switch {
	case wholeRTL && (none || !lineRTL):
		return string(markRTL) + line
	case !wholeRTL && lineRTL:
		return string(markLTR) + line
	}
	return line
}

// lines draws the lines of one text from y down and returns their height.
func (c *canvas) lines(x, y, w length, st style, lines []string) length {
	top := y
	for _, l := range lines {
		above, below := c.extra(st, l)
		c.text(x+c.indent(st, lines, l), y+above, w, left, st, l)
		y += above + st.height() + below
	}
	return y - top
}

// heights is the height of lines.
func (c *canvas) heights(st style, lines []string) (h length) {
	for _, l := range lines {
		above, below := c.extra(st, l)
		h += above + st.height() + below
	}
	return h
}

// indent is how far from the left a line of a text begins: lines that are read
// from the right begin together there.
func (c *canvas) indent(st style, lines []string, line string) (in length) {
	if rtl, _ := typeset.RightToLeft(line); !rtl {
		return 0
	}
	for _, other := range lines {
		in = max(in, c.width(st, other)-c.width(st, line))
	}
	return in
}

// cell is the end of a character in a text, in bytes, and its width.
type cell struct{ end, units int }

// cells are the characters of s as they follow each other when it is read.
func (c *canvas) cells(st style, s string) (all []cell) {
	if !plain(s) {
		return c.scriptCells(st, s)
	}
	for i, r := range s {
		all = append(all, cell{i + utf8.RuneLen(r), c.runeUnits(st, r)})
	}
	return all
}

// fitting is the number of bytes of s, the rest of whole, that fit into w, at
// least one character.
func (c *canvas) fitting(st style, whole, s string, w length) int {
	cells := c.cells(st, s)
	units, n := 0, 0
	for n < len(cells) && (n == 0 || st.scaled(units+cells[n].units) <= w) {
		units += cells[n].units
		n++
	}
	// A letter at the end of a line can be wider than the same letter within.
	for ; n > 1 && !plain(s) && c.cleanWidth(st, towards(whole, s[:cells[n-1].end])) > w; n-- {
	}
	if n == len(cells) {
		return len(s)
	}
	return cells[n-1].end
}

// lineHead is the number of bytes of s, the rest of whole, that make the next line.
func (c *canvas) lineHead(st style, whole, s string, w length) int {
	end := c.fitting(st, whole, s, w)
	if end == len(s) {
		return end
	}
	next, _ := utf8.DecodeRuneInString(s[end:])
	if next == ' ' {
		return end
	}
	space := strings.LastIndexByte(s[:end], ' ') + 1
	soft := strings.LastIndexAny(s[:end], " -/._:,;@") + 1
	if !plain(s) {
		soft = max(soft, c.scriptBreak(st, s, end))
		if !slices.ContainsFunc(c.cells(st, s), func(cell cell) bool { return cell.end == soft }) {
			soft = space // a mark stands on the punctuation
		}
	}
	switch {
	case space > end/3:
		return space
	case soft > end/3:
		return soft
	case space > 0:
		return space
	case soft > 0:
		return soft
	}
	return end
}
