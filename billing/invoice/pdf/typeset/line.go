package typeset

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/harfbuzz"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/segmenter"
	xbidi "golang.org/x/text/unicode/bidi"
)

// Line is a text set in one line.
type Line struct {
	Pieces  []Piece // from left to right
	Missing []rune  // what no font has, each once, rising; a stand-in is drawn
	Fonts   []ID    // what the pieces are drawn with, each once
	// Top and Bottom are how far outlines reach above and below the baseline, in
	// thousandths of the size.
	Top, Bottom int
}

// Piece is a part of a line that one font draws.
type Piece struct {
	Text     string // for the built-in font, as it stands from left to right; empty for a piece with Outline
	Outline  []Segment
	UnitsEm  int  // of Outline and its widths
	Width    int  // of Outline
	Embolden bool // the font has no bold, so its outline is to be thickened
	Clusters []Cluster
}

// Cluster is what can't be taken apart: a letter with its marks, letters that
// became one glyph. A piece's clusters stand from left to right.
type Cluster struct {
	Start, End int    // bytes of the text
	Text       string // as it is drawn, read from the left: what a reader finds and copies
	Width      int    // in the units of a piece's outline; 0 in the built-in font
}

// Segment is a step of an outline: a move or line to the last point, or a curve.
type Segment struct {
	Op     SegmentOp
	Points []Point
}

// SegmentOp is what a step does.
type SegmentOp byte

// Steps of an outline.
const (
	MoveTo SegmentOp = 'm'
	LineTo SegmentOp = 'l'
	CubeTo SegmentOp = 'c' // two control points and the end
)

// Point is a place in units of the font, counted from the beginning of the
// piece on its baseline.
type Point struct{ X, Y float32 }

type lineKey struct {
	text   string
	weight Weight
}

// linesMax bounds how many lines are kept for the next document.
const linesMax = 4096

// Line sets text, of which the built-in font draws what it has. The same text
// and fonts give the same line.
func (s *Set) Line(text string, weight Weight, builtIn func(rune) bool) Line {
	defer s.lock()()
	key := lineKey{text, weight}
	if known, ok := s.lines[key]; ok {
		return known
	}
	t := newText(s, text, weight, builtIn)
	for range len(t.clusters) + 1 { // each time around, something more is given up
		line, again := t.line()
		if again {
			continue
		}
		if len(s.lines) >= linesMax || s.lines == nil {
			s.lines = map[lineKey]Line{}
		}
		s.lines[key] = line
		return line
	}
	return Line{}
}

// StandIn is drawn for a character that no font has.
func StandIn(r rune) string { return fmt.Sprintf("[%U]", r) }

// Breaks are the places in text, in bytes, behind which a line may end.
func Breaks(text string) []int {
	var seg segmenter.Segmenter
	if err := seg.InitWithString(text); err != nil {
		return nil
	}
	var all []int
	for it := seg.LineIterator(); it.Next(); {
		l := it.Line()
		all = append(all, l.OffsetInBytes+l.LengthInBytes)
	}
	for i, r := range text {
		if leadingVowel(r) {
			all = append(all, i)
		}
	}
	return all
}

// leadingVowel says whether a Thai or Lao syllable begins with the character:
// both scripts write no blanks between words, and without a dictionary that is
// the only place where a line surely may end.
func leadingVowel(r rune) bool { return 'เ' <= r && r <= 'ไ' || 'ເ' <= r && r <= 'ໄ' }

// RightToLeft says which way text is read as a whole: by its first letter that
// has a direction, outside of isolates. None says that there is no such letter.
func RightToLeft(text string) (rtl, none bool) {
	depth := 0
	for _, r := range text {
		p, _ := xbidi.LookupRune(r)
		switch c := p.Class(); {
		case c == xbidi.FSI || c == xbidi.LRI || c == xbidi.RLI:
			depth++
		case c == xbidi.PDI:
			depth = max(0, depth-1)
		case depth > 0:
		case c == xbidi.L:
			return false, false
		case c == xbidi.R || c == xbidi.AL:
			return true, false
		}
	}
	return false, true
}

// Ignorable says whether a character is not seen by itself. Fonts need not have it.
func Ignorable(r rune) bool { return harfbuzz.IsDefaultIgnorable(r) || unicode.Is(unicode.Cf, r) }

// seen is text without what is not seen by itself. A reader of the page looks
// for a name without it, too.
func seen(text string) string {
	return strings.Map(func(r rune) rune {
		if Ignorable(r) {
			return -1
		}
		return r
	}, text)
}

// drawing is how a grapheme is drawn.
type drawing byte

const (
	byBuiltIn drawing = iota
	byFont
	byStandIn
	notAtAll
)

// grapheme is what a reader takes for one character.
type grapheme struct {
	start, end int // runes
	level      int // see levels
	drawing    drawing
	font       *Font
	refused    bool // by the font that should have it
}

type text struct {
	set      *Set
	runes    []rune
	offsets  []int // bytes before each rune, and of all
	weight   Weight
	builtIn  func(rune) bool
	clusters []grapheme
}

func newText(set *Set, s string, weight Weight, builtIn func(rune) bool) *text {
	t := &text{set: set, runes: []rune(s), weight: weight, builtIn: builtIn}
	offset := 0
	for _, r := range t.runes {
		t.offsets = append(t.offsets, offset)
		offset += len(string(r))
	}
	t.offsets = append(t.offsets, offset)
	var seg segmenter.Segmenter
	seg.Init(t.runes)
	for it := seg.GraphemeIterator(); it.Next(); {
		g := it.Grapheme()
		t.clusters = append(t.clusters, grapheme{start: g.Offset, end: g.Offset + len(g.Text)})
	}
	levels := levels(t.runes)
	for i := range t.clusters {
		t.clusters[i].level = levels[t.clusters[i].start]
	}
	return t
}

// assign says what draws each grapheme.
func (t *text) assign() {
	for i := range t.clusters {
		g := &t.clusters[i]
		seen := slices.DeleteFunc(slices.Clone(t.runes[g.start:g.end]), Ignorable)
		g.font = nil
		switch {
		case len(seen) == 0:
			g.drawing = notAtAll
		case g.refused:
			g.drawing = byStandIn
		case !slices.ContainsFunc(seen, func(r rune) bool { return !t.builtIn(r) }):
			g.drawing = byBuiltIn
		default:
			g.drawing = byFont
		}
	}
	for from := 0; from < len(t.clusters); {
		to := from
		var run [][]rune
		for to < len(t.clusters) && t.clusters[to].drawing == byFont {
			run = append(run, t.runes[t.clusters[to].start:t.clusters[to].end])
			to++
		}
		for i := from; i < to; {
			f, n := t.set.choose(run[i-from:], suited{t.weight, wantsOf(t.runes, run[i-from])})
			if f == nil {
				t.clusters[i].drawing, n = byStandIn, 1
			}
			for j := i; j < i+n; j++ {
				t.clusters[j].font = f
			}
			i += n
		}
		from = to + 1
	}
	t.join()
}

// join lets blanks and punctuation between words that are read from the right
// be drawn with the words' font, where it has them.
func (t *text) join() {
	take := func(i, from int) {
		g, near := &t.clusters[i], t.clusters[from]
		runes := t.runes[g.start:g.end]
		if g.drawing == byBuiltIn && g.level%2 == 1 && near.level == g.level && near.drawing == byFont && t.script(*g) == language.Common && near.font.has(runes) {
			g.drawing, g.font = byFont, near.font
		}
	}
	for i := 1; i < len(t.clusters); i++ {
		take(i, i-1)
	}
	for i := len(t.clusters) - 2; i >= 0; i-- {
		take(i, i+1)
	}
}

// script is that of a grapheme's first letter that has one.
func (t *text) script(g grapheme) language.Script {
	for _, r := range t.runes[g.start:g.end] {
		if s := language.LookupScript(r); s.Strong() {
			return s
		}
	}
	return language.Common
}

// item is a run of graphemes of one level, font and script.
type item struct {
	first, last grapheme
	graphemes   []grapheme
	script      language.Script
}

// items cuts the text into items, in the order in which it is read.
func (t *text) items() []item {
	var all []item
	for _, g := range t.clusters {
		if g.drawing == notAtAll {
			continue
		}
		script := t.script(g)
		if n := len(all); n > 0 {
			it := &all[n-1]
			fits := it.last.drawing == g.drawing && it.last.font == g.font && it.last.level == g.level && it.last.end == g.start && g.drawing != byStandIn
			if fits && (g.drawing == byBuiltIn || script == it.script || !script.Strong() || !it.script.Strong()) {
				if script.Strong() {
					it.script = script
				}
				it.last, it.graphemes = g, append(it.graphemes, g)
				continue
			}
		}
		all = append(all, item{first: g, last: g, graphemes: []grapheme{g}, script: script})
	}
	return all
}

// line sets the text, or finds graphemes that their font can't draw after all
// and is to be called again without them.
func (t *text) line() (line Line, again bool) {
	t.assign()
	items := t.items()
	for _, it := range inOrder(items) {
		var p Piece
		switch it.first.drawing {
		case byStandIn:
			p = t.standIn(it, &line)
		case byFont:
			var ok bool
			if p, ok = t.shape(it); !ok {
				again = true
			}
			line.Fonts = append(line.Fonts, it.first.font.ID)
			line.reach(p)
		default:
			p = t.plain(it)
		}
		line.Pieces = append(line.Pieces, p)
	}
	slices.Sort(line.Missing)
	line.Missing = slices.Compact(line.Missing)
	slices.SortFunc(line.Fonts, ID.Compare)
	line.Fonts = slices.Compact(line.Fonts)
	return line, again
}

// reach takes the outline of a piece into account.
func (l *Line) reach(p Piece) {
	for _, s := range p.Outline {
		for _, at := range s.Points {
			l.Top = max(l.Top, int(at.Y)*1000/p.UnitsEm)
			l.Bottom = max(l.Bottom, -int(at.Y)*1000/p.UnitsEm)
		}
	}
}

// Compare orders fonts by file.
func (id ID) Compare(other ID) int {
	return cmp.Or(strings.Compare(id.File, other.File), cmp.Compare(id.Index, other.Index), strings.Compare(id.SHA256, other.SHA256))
}

// inOrder puts items from left to right: from the deepest level on, what stands
// together is turned around.
func inOrder(items []item) []item {
	deepest := 0
	for _, it := range items {
		deepest = max(deepest, it.first.level)
	}
	for level := deepest; level > 0; level-- {
		for from := 0; from < len(items); {
			to := from
			for to < len(items) && items[to].first.level >= level {
				to++
			}
			slices.Reverse(items[from:to])
			from = to + 1
		}
	}
	return items
}

func (t *text) cluster(from, to int) Cluster {
	return Cluster{Start: t.offsets[from], End: t.offsets[to], Text: string(t.runes[from:to])}
}

// standIn draws the code points that no font has. The item is one cluster, so
// that a stand-in is never cut.
func (t *text) standIn(it item, line *Line) Piece {
	c := t.cluster(it.first.start, it.last.end)
	var drawn strings.Builder
	for _, r := range c.Text {
		switch {
		case Ignorable(r):
		case t.builtIn(r):
			drawn.WriteRune(r)
		default:
			drawn.WriteString(StandIn(r))
			line.Missing = append(line.Missing, r)
		}
	}
	c.Text = drawn.String()
	return Piece{Text: c.Text, Clusters: []Cluster{c}}
}

// plain is a piece of the built-in font, which draws from left to right.
func (t *text) plain(it item) Piece {
	var p Piece
	rtl := it.first.level%2 == 1
	if rtl {
		slices.Reverse(it.graphemes)
	}
	for _, g := range it.graphemes {
		c := t.cluster(g.start, g.end)
		c.Text = seen(c.Text)
		if rtl {
			c.Text = xbidi.ReverseString(c.Text) // brackets open the other way
		}
		p.Text += c.Text
		p.Clusters = append(p.Clusters, c)
	}
	return p
}

// shape draws an item with its font. It is not ok where the font lacks a glyph
// that it seemed to have; those graphemes are then marked.
func (t *text) shape(it item) (p Piece, ok bool) {
	f := it.first.font
	from, to := it.first.start, it.last.end
	buffer := harfbuzz.NewBuffer()
	buffer.AddRunes(t.runes, from, to-from)
	buffer.Props = harfbuzz.SegmentProperties{Language: language.NewLanguage("und"), Script: it.script, Direction: harfbuzz.LeftToRight}
	rtl := it.first.level%2 == 1
	if rtl {
		buffer.Props.Direction = harfbuzz.RightToLeft
	}
	_, err := guard(func() (any, error) { buffer.Shape(harfbuzz.NewFont(f.face), nil); return nil, nil })
	if err != nil {
		t.refuse(from, to)
		return p, false
	}
	p.UnitsEm, p.Embolden = int(f.face.Upem()), t.weight == Bold && !f.bold()
	ends := map[int]int{}
	starts := []int{to}
	for _, info := range buffer.Info {
		starts = append(starts, info.Cluster)
	}
	slices.Sort(starts)
	starts = slices.Compact(starts)
	for i, start := range starts[:len(starts)-1] {
		ends[start] = starts[i+1]
	}
	ok = true
	for i := 0; i < len(buffer.Info); {
		start := buffer.Info[i].Cluster
		c, visible, blank, lacks := t.cluster(start, ends[start]), false, true, false
		for ; i < len(buffer.Info) && buffer.Info[i].Cluster == start; i++ {
			glyph, at := buffer.Info[i].Glyph, buffer.Pos[i]
			outline, _ := f.face.GlyphDataOutline(opentype.GID(glyph))
			blank, lacks = blank && len(outline.Segments) == 0, lacks || glyph == 0
			p.draw(outline.Segments, float32(p.Width+c.Width+int(at.XOffset)), float32(at.YOffset))
			c.Width += int(at.XAdvance)
		}
		c.Text = seen(c.Text)
		visible = strings.TrimSpace(c.Text) != ""
		if visible && (blank || lacks) {
			t.refuse(start, ends[start])
			ok = false
		}
		if rtl {
			runes := []rune(c.Text)
			slices.Reverse(runes)
			c.Text = string(runes)
		}
		p.Width += c.Width
		p.Clusters = append(p.Clusters, c)
	}
	return p, ok
}

func (t *text) refuse(from, to int) {
	for i := range t.clusters {
		if g := &t.clusters[i]; g.start < to && from < g.end {
			g.refused = true
		}
	}
}

// draw adds a glyph's outline, its curves as cubic ones.
func (p *Piece) draw(segments []opentype.Segment, x, y float32) {
	var at Point
	point := func(a opentype.SegmentPoint) Point { return Point{a.X + x, a.Y + y} }
	for _, s := range segments {
		var step Segment
		switch s.Op {
		case opentype.SegmentOpMoveTo:
			step = Segment{MoveTo, []Point{point(s.Args[0])}}
		case opentype.SegmentOpLineTo:
			step = Segment{LineTo, []Point{point(s.Args[0])}}
		case opentype.SegmentOpQuadTo:
			middle, end := point(s.Args[0]), point(s.Args[1])
			step = Segment{CubeTo, []Point{towards(at, middle), towards(end, middle), end}}
		case opentype.SegmentOpCubeTo:
			step = Segment{CubeTo, []Point{point(s.Args[0]), point(s.Args[1]), point(s.Args[2])}}
		}
		at = step.Points[len(step.Points)-1]
		p.Outline = append(p.Outline, step)
	}
}

// towards is the point two thirds on the way from a to b.
func towards(a, b Point) Point { return Point{a.X + (b.X-a.X)*2/3, a.Y + (b.Y-a.Y)*2/3} }
