package typeset

import (
	"slices"

	"golang.org/x/text/unicode/bidi"
)

// levels says of each character how deep it is nested between text of both
// directions, by the Unicode bidirectional algorithm (UAX 9, revision 49): even
// levels are read from the left, odd ones from the right. The text is one line.
// Embeddings and overrides, by which a name could turn its surroundings around,
// count as nothing; isolates and marks count.
//
// The two Go packages for it, golang.org/x/text/unicode/bidi and the one of
// typesetting, tell directions but not levels, and without these a figure behind
// a Hebrew name can't be told from one that belongs to the English around it.
func levels(text []rune) []int {
	p := paragraph{text: text, classes: make([]bidi.Class, len(text)), levels: make([]int, len(text))}
	for i, r := range text {
		properties, _ := bidi.LookupRune(r)
		p.classes[i] = properties.Class()
	}
	base := p.baseLevel(0, len(text), 0)
	p.resolve(0, len(text), base)
	for i := len(text) - 1; i >= 0 && (p.classes[i] == bidi.WS || p.invisible(i) || isolates(p.classes[i]) || p.classes[i] == bidi.PDI); i-- {
		p.levels[i] = base // L1
	}
	return p.levels
}

type paragraph struct {
	text    []rune
	classes []bidi.Class
	levels  []int
}

func isolates(c bidi.Class) bool { return c == bidi.FSI || c == bidi.LRI || c == bidi.RLI }

// invisible says whether the character takes no part.
func (p *paragraph) invisible(i int) bool {
	switch p.classes[i] {
	case bidi.BN, bidi.LRO, bidi.RLO, bidi.LRE, bidi.RLE, bidi.PDF, bidi.Control:
		return true
	}
	return false
}

// matching is the place of the end of the isolate that begins at i, or to.
func (p *paragraph) matching(i, to int) int {
	depth := 1
	for j := i + 1; j < to; j++ {
		switch {
		case isolates(p.classes[j]):
			depth++
		case p.classes[j] == bidi.PDI:
			if depth--; depth == 0 {
				return j
			}
		}
	}
	return to
}

// baseLevel is the level above outer of the first letter with a direction (P2, P3).
func (p *paragraph) baseLevel(from, to, outer int) int {
	for i := from; i < to; i++ {
		switch p.classes[i] {
		case bidi.L:
			return (outer + 1) &^ 1
		case bidi.R, bidi.AL:
			return outer | 1
		case bidi.FSI, bidi.LRI, bidi.RLI:
			i = p.matching(i, to)
		}
	}
	return (outer + 1) &^ 1
}

// depthMax is the deepest level that isolates may reach.
const depthMax = 125

// resolve sets the levels of a text at a level, and of the isolates in it.
func (p *paragraph) resolve(from, to, level int) {
	var places []int
	for i := from; i < to; i++ {
		if p.invisible(i) {
			continue
		}
		places = append(places, i)
		if !isolates(p.classes[i]) {
			continue
		}
		end := p.matching(i, to)
		inner := p.baseLevel(i+1, end, level+1)
		switch p.classes[i] {
		case bidi.LRI:
			inner = (level + 2) &^ 1
		case bidi.RLI:
			inner = (level + 1) | 1
		}
		if inner > depthMax {
			inner = level
		}
		p.resolve(i+1, end, inner)
		i = end - 1
	}
	s := sequence{p: p, places: places, level: level, types: make([]bidi.Class, len(places))}
	for i, at := range places {
		s.types[i] = p.classes[at]
	}
	s.weak()
	s.brackets()
	s.neutral()
	for i, at := range places {
		p.levels[at] = level + s.deeper(s.types[i])
	}
	for i := from; i < to; i++ {
		if p.invisible(i) {
			p.levels[i] = level
			if i > from {
				p.levels[i] = p.levels[i-1]
			}
		}
	}
}

// sequence is the characters of one level, without the isolates between them.
type sequence struct {
	p      *paragraph
	places []int
	types  []bidi.Class
	level  int
}

func (s *sequence) direction() bidi.Class {
	if s.level%2 == 1 {
		return bidi.R
	}
	return bidi.L
}

// weak settles marks, figures and what stands with figures (W1 to W7).
func (s *sequence) weak() {
	t := s.types
	before, strong := s.direction(), s.direction()
	for i := range t {
		if t[i] == bidi.NSM {
			t[i] = before
		}
		switch before = t[i]; before {
		case bidi.FSI, bidi.LRI, bidi.RLI, bidi.PDI:
			before = bidi.ON
		case bidi.L, bidi.R, bidi.AL:
			strong = before
		case bidi.EN:
			if strong == bidi.AL {
				t[i] = bidi.AN
			}
		}
	}
	for i := range t {
		if t[i] == bidi.AL {
			t[i] = bidi.R
		}
	}
	for i := 1; i+1 < len(t); i++ {
		if same := t[i-1] == t[i+1]; same && (t[i] == bidi.ES || t[i] == bidi.CS) && t[i-1] == bidi.EN || same && t[i] == bidi.CS && t[i-1] == bidi.AN {
			t[i] = t[i-1]
		}
	}
	for from := 0; from < len(t); from++ {
		if t[from] != bidi.ET {
			continue
		}
		to := from
		for to < len(t) && t[to] == bidi.ET {
			to++
		}
		if from > 0 && t[from-1] == bidi.EN || to < len(t) && t[to] == bidi.EN {
			for i := from; i < to; i++ {
				t[i] = bidi.EN
			}
		}
		from = to
	}
	strong = s.direction()
	for i := range t {
		switch t[i] {
		case bidi.ES, bidi.ET, bidi.CS:
			t[i] = bidi.ON
		case bidi.L, bidi.R:
			strong = t[i]
		case bidi.EN:
			if strong == bidi.L {
				t[i] = bidi.L
			}
		}
	}
}

// side is the direction by which a settled type counts for its neighbours, or ON.
func side(c bidi.Class) bidi.Class {
	switch c {
	case bidi.L:
		return bidi.L
	case bidi.R, bidi.EN, bidi.AN:
		return bidi.R
	}
	return bidi.ON
}

// brackets gives both brackets of a pair one direction (N0).
func (s *sequence) brackets() {
	type pair struct{ open, close int }
	type opened struct {
		closing rune
		at      int
	}
	const stackMax = 63
	var pairs []pair
	var stack []opened
scan:
	for i, at := range s.places {
		properties, _ := bidi.LookupRune(s.p.text[at])
		switch {
		case s.types[i] != bidi.ON || !properties.IsBracket():
		case properties.IsOpeningBracket():
			if len(stack) == stackMax {
				break scan
			}
			stack = append(stack, opened{[]rune(bidi.ReverseString(string(s.p.text[at])))[0], i})
		default:
			for j := len(stack) - 1; j >= 0; j-- {
				if stack[j].closing == s.p.text[at] {
					pairs = append(pairs, pair{stack[j].at, i})
					stack = stack[:j]
					break
				}
			}
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int { return a.open - b.open })
	own := s.direction()
	for _, pair := range pairs {
		if d := s.inside(pair.open, pair.close); d != bidi.ON {
			if d != own && s.before(pair.open) != d {
				d = own
			}
			s.settle(pair.open, d)
			s.settle(pair.close, d)
		}
	}
}

// inside is the direction of what stands between brackets: that of the sequence
// where it is there, else the other, else ON.
func (s *sequence) inside(open, close int) bidi.Class {
	found := bidi.ON
	for _, c := range s.types[open+1 : close] {
		switch d := side(c); d {
		case s.direction():
			return d
		case bidi.L, bidi.R:
			found = d
		}
	}
	return found
}

// before is the direction of the nearest letter or figure before a place.
func (s *sequence) before(i int) bidi.Class {
	for i--; i >= 0; i-- {
		if d := side(s.types[i]); d != bidi.ON {
			return d
		}
	}
	return s.direction()
}

// settle gives a bracket, and the marks on it, a direction.
func (s *sequence) settle(i int, d bidi.Class) {
	s.types[i] = d
	for i++; i < len(s.types) && s.p.classes[s.places[i]] == bidi.NSM; i++ {
		s.types[i] = d
	}
}

// neutral gives what stands between two of one direction that direction, and
// the rest that of the sequence (N1, N2).
func (s *sequence) neutral() {
	for from := 0; from < len(s.types); from++ {
		if side(s.types[from]) != bidi.ON {
			continue
		}
		to, after := from, s.direction()
		for ; to < len(s.types); to++ {
			if d := side(s.types[to]); d != bidi.ON {
				after = d
				break
			}
		}
		d := s.before(from)
		if d != after {
			d = s.direction()
		}
		for i := from; i < to; i++ {
			s.types[i] = d
		}
		from = to
	}
}

// deeper is by how much a settled type is deeper than the sequence (I1, I2).
func (s *sequence) deeper(c bidi.Class) int {
	switch {
	case s.level%2 == 1 && c != bidi.R:
		return 1
	case s.level%2 == 0 && c == bidi.R:
		return 1
	case s.level%2 == 0 && c != bidi.L:
		return 2
	}
	return 0
}
