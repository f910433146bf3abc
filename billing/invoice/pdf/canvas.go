package pdf

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jung-kurt/gofpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
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
// library sees it.
type canvas struct {
	pdf      *gofpdf.Fpdf
	err      error // first error of our own; the library keeps its own
	replaced bool  // some character could not be drawn
	current  style // font and size that the library has now
	units    map[fontRune]int
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

func newCanvas(compress bool) *canvas {
	p := gofpdf.New("L", "mm", "A4", "")
	p.SetCompression(compress)
	p.SetCatalogSort(true)
	p.SetAutoPageBreak(false, 0)
	p.AddUTF8FontFromBytes(string(regular), "", slices.Clone(goregular.TTF))
	p.AddUTF8FontFromBytes(string(bold), "", slices.Clone(gobold.TTF))
	return &canvas{pdf: p, units: map[fontRune]int{}}
}

// setProperties describes the file. The date is an argument because the
// library would otherwise write the time of day into it.
func (c *canvas) setProperties(p properties) {
	c.pdf.SetTitle(c.clean(p.title), true)
	c.pdf.SetSubject(c.clean(p.subject), true)
	c.pdf.SetAuthor(c.clean(p.author), true)
	c.pdf.SetKeywords(c.clean(p.keywords), true)
	c.pdf.SetCreator("chargeback", false)
	c.pdf.SetCreationDate(p.date)
	c.pdf.SetModificationDate(p.date)
	c.pdf.SetAttachments([]gofpdf.Attachment{{Content: p.attachment, Filename: p.attachmentName, Description: p.attachmentAbout}})
}

// bytes closes the file. It reports the first error of drawing.
func (c *canvas) bytes() ([]byte, error) {
	if c.err != nil {
		return nil, c.err
	}
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

func (c *canvas) clean(s string) string {
	text, replaced, err := clean(s)
	if err != nil && c.err == nil {
		c.err = err
	}
	c.replaced = c.replaced || replaced
	return text
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
	s = c.clean(s)
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
	c.pdf.SetTextColor(st.color.r, st.color.g, st.color.b)
	c.pdf.Text(x.float(), (y + st.ascent()).float(), s)
}

// fitted is text set smaller, down to half, where it is too wide for its box.
func (c *canvas) fitted(x, y, w length, a align, st style, s string) {
	full := st.size
	for c.width(st, s) > w && st.size > full/2 {
		st.size--
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

func (c *canvas) width(st style, s string) length { return c.cleanWidth(st, c.clean(s)) }

// cleanWidth adds up the widths of the characters; the fonts are not kerned.
func (c *canvas) cleanWidth(st style, s string) length {
	units := 0
	for _, r := range s {
		units += c.runeUnits(st, r)
	}
	return st.scaled(units)
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

// wrap breaks s into lines of at most w, at spaces or else behind punctuation,
// and cuts what is beyond linesMax with an ellipsis.
func (c *canvas) wrap(st style, s string, w length, linesMax int) []string {
	rest := strings.TrimSpace(c.clean(s))
	var lines []string
	for rest != "" {
		head := c.lineHead(st, rest, w)
		if len(lines) == linesMax-1 && head < len(rest) {
			head = c.fitting(st, rest, w-c.cleanWidth(st, "…"))
			return append(lines, strings.TrimSpace(rest[:head])+"…")
		}
		lines = append(lines, strings.TrimSpace(rest[:head]))
		rest = strings.TrimSpace(rest[head:])
	}
	return lines
}

// fitting is the number of bytes of s that fit into w, at least one character.
func (c *canvas) fitting(st style, s string, w length) int {
	units := 0
	for i, r := range s {
		units += c.runeUnits(st, r)
		if st.scaled(units) > w && i > 0 {
			return i
		}
	}
	return len(s)
}

// lineHead is the number of bytes of s that make the next line.
func (c *canvas) lineHead(st style, s string, w length) int {
	end := c.fitting(st, s, w)
	if end == len(s) {
		return end
	}
	next, _ := utf8.DecodeRuneInString(s[end:])
	if next == ' ' {
		return end
	}
	space := strings.LastIndexByte(s[:end], ' ') + 1
	soft := strings.LastIndexAny(s[:end], " -/._:,;@") + 1
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
