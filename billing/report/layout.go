package report

import (
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

const (
	gap = "  "
	// nameWidthMin is what is left of a shortened name at least.
	nameWidthMin = 10
)

// view is a report as cells of text, on its way to fit a width.
type view struct {
	columns  []viewColumn
	rows     int
	hasTotal bool
	left     []viewColumn // columns that were left out, the least important first
}

type viewColumn struct {
	Column
	place   int
	cells   []string
	total   string
	natural int // width of the widest cell
	width   int // width it gets
}

func newView(r Report) *view {
	v := &view{rows: len(r.Rows)}
	for i, c := range r.Columns {
		column := viewColumn{Column: c, place: i, cells: make([]string, len(r.Rows))}
		for j, row := range r.Rows {
			column.cells[j] = cell(c, row[i])
		}
		if i < len(r.Total) && r.Total[i] != nil {
			column.total, v.hasTotal = cell(c, r.Total[i]), true
		}
		v.columns = append(v.columns, column)
	}
	if v.hasTotal && v.columns[0].total == "" {
		v.columns[0].total = "Total"
	}
	for i := range v.columns {
		v.columns[i].measure()
	}
	return v
}

// measure finds the width that shows everything; a title may break at spaces.
func (c *viewColumn) measure() {
	for _, s := range append(append(strings.Fields(c.Title), c.total), c.cells...) {
		c.natural = max(c.natural, displayWidth(s))
	}
	c.width = c.natural
}

// fitted is the cell in the column's width.
func (c viewColumn) fitted(s string) string {
	if c.Wrap {
		return strings.Join(wrap(s, c.width), "\n")
	}
	return shorten(s, c.width)
}

// fit gives every column its width, 0 for no limit.
func (v *view) fit(width int) {
	if width <= 0 {
		return
	}
	for i, c := range v.columns {
		if c.Kind == Text && !c.Whole {
			v.columns[i].width = min(c.natural, max(nameWidthMin, c.titleWidth(), width/3))
		}
	}
	for v.width() > width && v.leaveOut() {
	}
	v.takeBack(width)
	for v.width() > width && v.shrink() {
	}
	for v.width() < width && v.widen() {
	}
}

func (v *view) width() int {
	sum := 0
	for _, c := range v.columns {
		sum += c.width
	}
	return sum + len(gap)*len(v.columns)
}

// leaveOut drops the least important column, if one may go.
func (v *view) leaveOut() bool {
	last := 0
	for i, c := range v.columns {
		if c.Rank > 0 && c.Rank >= v.columns[last].Rank {
			last = i
		}
	}
	if v.columns[last].Rank == 0 {
		return false
	}
	v.left = append(v.left, v.columns[last])
	v.columns = slices.Delete(v.columns, last, last+1)
	return true
}

// takeBack puts back what fits all the same, the most important first: a
// narrow column may have gone before a wide one. Of amounts none comes back before
// a more important one: fees without the cost of models explain a total wrongly.
func (v *view) takeBack(width int) {
	amounts := true
	for i := len(v.left) - 1; i >= 0; i-- {
		c := v.left[i]
		if v.width()+c.width+len(gap) > width || c.Kind == USD && !amounts {
			amounts = amounts && c.Kind != USD
			continue
		}
		at := slices.IndexFunc(v.columns, func(other viewColumn) bool { return other.place > c.place })
		if at < 0 {
			at = len(v.columns)
		}
		v.columns = slices.Insert(v.columns, at, c)
		v.left = slices.Delete(v.left, i, i+1)
	}
}

// shrink takes a column's width from the widest text, if one can give it.
func (v *view) shrink() bool {
	widest := -1
	for i, c := range v.columns {
		if c.Kind == Text && !c.Whole && c.width > max(nameWidthMin, c.titleWidth()) && (widest < 0 || c.width > v.columns[widest].width) {
			widest = i
		}
	}
	if widest >= 0 {
		v.columns[widest].width--
	}
	return widest >= 0
}

// widen gives a column's width to the narrowest text that lacks some.
func (v *view) widen() bool {
	narrowest := -1
	for i, c := range v.columns {
		if c.width < c.natural && (narrowest < 0 || c.width < v.columns[narrowest].width) {
			narrowest = i
		}
	}
	if narrowest >= 0 {
		v.columns[narrowest].width++
	}
	return narrowest >= 0
}

// titleWidth is the longest word of the title.
func (c viewColumn) titleWidth() int {
	longest := displayWidth(c.total)
	for _, word := range strings.Fields(c.Title) {
		longest = max(longest, displayWidth(word))
	}
	return longest
}

// notes say what the table does not show.
func (v *view) notes() (notes []string) {
	if v.rows == 0 {
		return nil
	}
	if len(v.left) > 0 {
		titles := make([]string, len(v.left))
		for i, c := range v.left {
			titles[i] = c.Title
		}
		notes = append(notes, "Left out for want of width: "+strings.Join(titles, ", ")+".")
	}
	if slices.ContainsFunc(v.columns, func(c viewColumn) bool { return !c.Wrap && c.width < c.natural }) {
		notes = append(notes, "Names with … are shortened.")
	}
	if slices.ContainsFunc(v.columns, func(c viewColumn) bool { return c.Kind == USD }) {
		notes = append(notes, noteCents)
	}
	return notes
}

func displayWidth(s string) int { return text.StringWidthWithoutEscSequences(s) }

// shorten cuts the middle out of s, because both ends of an id tell it apart.
func shorten(s string, width int) string {
	const mark = "…"
	if displayWidth(s) <= width {
		return s
	}
	room := width - displayWidth(mark)
	head, _ := split(s, (room+1)/2)
	tail := []rune(s)
	for len(tail) > 0 && displayWidth(string(tail)) > room/2 {
		tail = tail[1:]
	}
	return head + mark + string(tail)
}

// wrap breaks s at spaces, and words that are longer than a line after a slash
// or anywhere. It does not break where width is 0.
func wrap(s string, width int) []string {
	if width <= 0 {
		return []string{s}
	}
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && displayWidth(line)+1+displayWidth(word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for displayWidth(word) > width {
			head, rest := splitPath(word, width)
			lines, word = append(lines, head), rest
		}
		line = word
	}
	return append(lines, line)
}

// splitPath is split, but ends after a slash where one is near the end.
func splitPath(s string, width int) (head, rest string) {
	head, rest = split(s, width)
	if slash := strings.LastIndexByte(head, '/') + 1; slash > len(head)/2 {
		return s[:slash], s[slash:]
	}
	return head, rest
}

// split cuts s after as many runes as fit in width, at least one.
func split(s string, width int) (head, rest string) {
	used := 0
	for i, r := range s {
		used += text.RuneWidth(r)
		if used > width && i > 0 {
			return s[:i], s[i:]
		}
	}
	return s, ""
}
