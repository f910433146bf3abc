package pdf

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/jung-kurt/gofpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"

	"chargeback/billing/invoice/pdf/typeset"
)

// length is a distance on the page in hundredths of a millimetre. Only this
// file turns it into the floats of the PDF library; no amount of money ever
// becomes one.
type length int

const mm length = 100

func (l length) float() float64 { return float64(l) / float64(mm) }

// style is how a text is set: font, size in tenths of a point, colour.
type style struct {
	font  fontName
	size  int
	color color
}

type fontName string

const (
	regular fontName = "regular"
	bold    fontName = "bold"
)

type color struct{ r, g, b int }

func (s style) bold() style            { s.font = bold; return s }
func (s style) colored(c color) style  { s.color = c; return s }
func (s style) height() length         { return length(s.size) * 45 / 10 } // line to line
func (s style) ascent() length         { return length(s.size) * 34 / 10 } // top of line to baseline
func (s style) sized(tenths int) style { s.size = tenths; return s }

type align int

const (
	left align = iota
	right
	center
)

// canvas draws on A4 landscape pages. All text goes through clean before the
// library sees it; what the built-in font lacks is set by typeset (script.go).
type canvas struct {
	pdf     *gofpdf.Fpdf
	fonts   *typeset.Set
	missing map[rune]bool // no font has them; stand-ins are drawn
	current style         // font and size that the library has now
	units   map[fontRune]int
}

type fontRune struct {
	font fontName
	r    rune
}

// unitsPerEm is what the library measures characters in.
const unitsPerEm = 1000

// properties is what a reader shows about the file.
type properties struct {
	title, subject, author, keywords string
	date                             time.Time
	attachmentName, attachmentAbout  string
	attachment                       []byte
}

func newCanvas(fonts *typeset.Set, compress bool) *canvas {
	p := gofpdf.New("L", "mm", "A4", "")
	p.SetCompression(compress)
	p.SetCatalogSort(true)
	p.SetAutoPageBreak(false, 0)
	p.AddUTF8FontFromBytes(string(regular), "", slices.Clone(goregular.TTF))
	p.AddUTF8FontFromBytes(string(bold), "", slices.Clone(gobold.TTF))
	return &canvas{pdf: p, fonts: fonts, missing: map[rune]bool{}, units: map[fontRune]int{}}
}

// setProperties describes the file. The date is an argument because the
// library would otherwise write the time of day into it.
func (c *canvas) setProperties(p properties) {
	c.pdf.SetTitle(utf16Text(p.title), false)
	c.pdf.SetSubject(utf16Text(p.subject), false)
	c.pdf.SetAuthor(utf16Text(p.author), false)
	c.pdf.SetKeywords(utf16Text(p.keywords), false)
	c.pdf.SetCreator("chargeback", false)
	c.pdf.SetCreationDate(p.date)
	c.pdf.SetModificationDate(p.date)
	c.pdf.SetAttachments([]gofpdf.Attachment{{Content: p.attachment, Filename: p.attachmentName, Description: p.attachmentAbout}})
}

// bytes closes the file. It reports the first error of drawing.
func (c *canvas) bytes() ([]byte, error) {
	if err := c.pdf.Error(); err != nil {
		return nil, fmt.Errorf("draw page %d: %w", c.page(), err)
	}
	var out bytes.Buffer
	if err := c.pdf.Output(&out); err != nil {
		return nil, fmt.Errorf("close file: %w", err)
	}
	return out.Bytes(), nil
}

func (c *canvas) addPage()  { c.pdf.AddPage() }
func (c *canvas) page() int { return c.pdf.PageNo() }

// toPage goes back to a page to draw more on it.
func (c *canvas) toPage(page int) {
	c.pdf.SetPage(page)
	c.current = style{}
}

func (c *canvas) fill(x, y, w, h length, col color) {
	c.pdf.SetFillColor(col.r, col.g, col.b)
	c.pdf.Rect(x.float(), y.float(), w.float(), h.float(), "F")
}

func (c *canvas) rule(x1, x2, y, thickness length, col color) {
	c.fill(x1, y-thickness/2, x2-x1, thickness, col)
}

// text draws one line whose top is y in the box from x to x+w.
func (c *canvas) text(x, y, w length, a align, st style, s string) {
	s = clean(s)
	if s == "" {
		return
	}
	switch a {
	case right:
		x += w - c.cleanWidth(st, s)
	case center:
		x += (w - c.cleanWidth(st, s)) / 2
	}
	c.use(st)
	if !plain(s) {
		c.script(x, y+st.ascent(), st, s)
		return
	}
	c.plainText(x, y+st.ascent(), st, s)
}

// plainText draws with the built-in font.
func (c *canvas) plainText(x, baseline length, st style, s string) {
	c.pdf.SetTextColor(st.color.r, st.color.g, st.color.b)
	c.pdf.Text(x.float(), baseline.float(), s)
}

// fitted is text set smaller, down to half, where it is too wide for its box.
// Words that are too wide even then are cut; an amount never is.
func (c *canvas) fitted(x, y, w length, a align, st style, s string) {
	full := st.size
	for c.width(st, s) > w && st.size > full/2 {
		st.size--
	}
	if words := !plain(s) || strings.ContainsFunc(s, unicode.IsLower); words && c.width(st, s) > w {
		for _, line := range c.wrap(st, s, w, 1) {
			s = line
		}
	}
	y += (style{size: full}.ascent() - st.ascent())
	c.text(x, y, w, a, st, s)
}

func (c *canvas) use(st style) {
	if st.font == c.current.font && st.size == c.current.size {
		return
	}
	c.pdf.SetFont(string(st.font), "", float64(st.size)/10)
	c.current = st
}

func (c *canvas) width(st style, s string) length { return c.cleanWidth(st, clean(s)) }

// cleanWidth adds up the widths of the characters; the built-in fonts are not kerned.
func (c *canvas) cleanWidth(st style, s string) length {
	if !plain(s) {
		return st.scaled(c.scriptUnits(st, s))
	}
	return st.scaled(c.plainUnits(st, s))
}

func (c *canvas) plainUnits(st style, s string) (units int) {
	for _, r := range s {
		units += c.runeUnits(st, r)
	}
	return units
}

// scaled turns font units into a length: an em is the size of the text, and a
// point is 25.4/72 mm.
func (s style) scaled(units int) length {
	return length(units*s.size*2540) / (unitsPerEm * 10 * 72)
}

func (c *canvas) runeUnits(st style, r rune) int {
	key := fontRune{st.font, r}
	units, known := c.units[key]
	if !known {
		c.use(st)
		units = c.pdf.GetStringSymbolWidth(string(r))
		c.units[key] = units
	}
	return units
}
