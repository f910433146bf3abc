package pdf

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf16"

	"chargeback/billing/invoice/pdf/typeset"
)

// What the built-in font lacks is drawn as outlines of another font, since the
// PDF library has neither joined letters nor the right order. The text itself
// lies below, invisible, in the place of its outlines: that is what a reader
// finds, copies and hears.

func (c *canvas) line(st style, s string) typeset.Line {
	weight := typeset.Regular
	if st.font == bold {
		weight = typeset.Bold
	}
	return c.fonts.Line(s, weight, builtIn)
}

func (c *canvas) pieceUnits(st style, p typeset.Piece) int {
	if p.UnitsEm == 0 {
		return c.plainUnits(st, p.Text)
	}
	return p.Width * unitsPerEm / p.UnitsEm
}

func (c *canvas) scriptUnits(st style, s string) (units int) {
	for _, p := range c.line(st, s).Pieces {
		units += c.pieceUnits(st, p)
	}
	return units
}

// scriptCells are the clusters of s as they are read.
func (c *canvas) scriptCells(st style, s string) (all []cell) {
	for _, p := range c.line(st, s).Pieces {
		for _, cluster := range p.Clusters {
			units := c.plainUnits(st, cluster.Text)
			if p.UnitsEm > 0 {
				units = cluster.Width * unitsPerEm / p.UnitsEm
			}
			all = append(all, cell{cluster.End, units})
		}
	}
	slices.SortFunc(all, func(a, b cell) int { return cmp.Compare(a.end, b.end) })
	return all
}

// scriptBreak is the last place of s up to end where its script lets a line
// end, 0 for none.
func (c *canvas) scriptBreak(st style, s string, end int) (last int) {
	cells := c.cells(st, s)
	for _, at := range typeset.Breaks(s) {
		if at <= end && slices.ContainsFunc(cells, func(cell cell) bool { return cell.end == at }) {
			last = max(last, at)
		}
	}
	return last
}

// extra is the room that a line needs above and below a usual one, so that
// marks and long tails do not run into the next.
func (c *canvas) extra(st style, s string) (above, below length) {
	if plain(s) {
		return 0, 0
	}
	line := c.line(st, s)
	above = max(0, st.scaled(line.Top)-st.ascent())
	below = max(0, st.scaled(line.Bottom)-(st.height()-st.ascent()))
	return above, below
}

// script draws a line that the built-in font does not draw alone.
func (c *canvas) script(x, baseline length, st style, s string) {
	line := c.line(st, s)
	for _, r := range line.Missing {
		c.missing[r] = true
	}
	units := 0
	for _, p := range line.Pieces {
		at := x + st.scaled(units)
		if p.UnitsEm == 0 {
			c.plainText(at, baseline, st, p.Text)
		} else {
			c.outline(at, baseline, st, p)
			c.hidden(at, baseline, st, p)
		}
		units += c.pieceUnits(st, p)
	}
}

// outline fills the outline of a piece. Where its font has no bold, the line
// around it is drawn too.
func (c *canvas) outline(x, baseline length, st style, p typeset.Piece) {
	if len(p.Outline) == 0 {
		return
	}
	xPoints, yPoints := c.points(x, baseline)
	scale := float64(st.size) / 10 / float64(p.UnitsEm)
	var out bytes.Buffer
	fmt.Fprintf(&out, "q %s rg %s RG %.5f 0 0 %.5f %.2f %.2f cm\n", st.color.operands(), st.color.operands(), scale, scale, xPoints, yPoints)
	if p.Embolden {
		fmt.Fprintf(&out, "%d w\n", p.UnitsEm*3/100)
	}
	for _, s := range p.Outline {
		for _, at := range s.Points {
			out.WriteString(short(at.X) + " " + short(at.Y) + " ")
		}
		out.WriteByte(byte(s.Op))
		out.WriteByte('\n')
	}
	out.WriteString(map[bool]string{false: "f Q", true: "B Q"}[p.Embolden])
	c.pdf.RawWriteStr(out.String())
}

// hidden lays the text of a piece below it, each cluster as wide as its glyphs.
func (c *canvas) hidden(x, baseline length, st style, p typeset.Piece) {
	width := 0
	for _, cluster := range p.Clusters {
		at := x + st.scaled(width*unitsPerEm/p.UnitsEm)
		width += cluster.Width
		text, actual := cluster.Text, ""
		if slices.ContainsFunc([]rune(text), func(r rune) bool { return r > runeMax }) {
			text, actual = " ", fmt.Sprintf("/Span <</ActualText <%X>>> BDC ", utf16Text(text))
		}
		own := c.plainUnits(st, text)
		if own == 0 || cluster.Width == 0 {
			own = cluster.Width * unitsPerEm / p.UnitsEm
		}
		percent := 100.0
		if own > 0 && cluster.Width > 0 {
			percent = 100 * float64(cluster.Width) * unitsPerEm / float64(p.UnitsEm) / float64(own)
		}
		c.pdf.RawWriteStr(fmt.Sprintf("%sq 3 Tr %.2f Tz", actual, percent))
		c.plainText(at, baseline, st, text)
		c.pdf.RawWriteStr("Q")
		if actual != "" {
			c.pdf.RawWriteStr("EMC")
		}
	}
}

// points turns a place on the page into the file's own measure.
func (c *canvas) points(x, y length) (float64, float64) {
	_, height := c.pdf.GetPageSize()
	k := c.pdf.GetConversionRatio()
	return x.float() * k, (height - y.float()) * k
}

func (c color) operands() string {
	return fmt.Sprintf("%.3f %.3f %.3f", float64(c.r)/255, float64(c.g)/255, float64(c.b)/255)
}

// short prints a coordinate with a decimal where it has one.
func short(v float32) string {
	text := strconv.FormatFloat(float64(v), 'f', 1, 32)
	if n := len(text) - 2; text[n:] == ".0" {
		return text[:n]
	}
	return text
}

// utf16Text is text as a PDF's properties hold it.
func utf16Text(s string) string {
	out := []byte{0xFE, 0xFF}
	for _, unit := range utf16.Encode([]rune(s)) {
		out = append(out, byte(unit>>8), byte(unit))
	}
	return string(out)
}
