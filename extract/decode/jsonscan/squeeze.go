package jsonscan

import (
	"encoding/binary"
	"errors"
	"math"
)

// Squeezer makes a long object short while it is read: it keeps the members that
// a Spec leads to and drops all others, so that a record of many megabytes of
// prompts costs no more than what is asked of it. A scan of what it keeps gives
// what a scan of the whole would have given.
//
// Strings inside what is kept are cut behind textMax bytes. Nobody keeps a text
// that long: it stays long enough to be refused. Those that Spec.MayBeText names
// are kept whole, to be scanned.
type Squeezer struct {
	spec   *Spec
	out    []byte
	levels []level
	state  state
	at     int // bytes pushed before the current chunk

	node    *node // where the value that comes leads; nil: nowhere
	emit    bool  // something must stand for it
	child   *node // where the key that was read leads
	keyFrom int   // where the key begins, from the record's first byte
	key     []byte
	escaped bool // the key holds an escape

	opaque opaque
	lit    []byte
	litAt  int
}

// level is an object or array that is walked through.
type level struct {
	node *node
	open byte
	seen int // members that were met
	kept int // members that were kept
}

type state uint8

const (
	wantValue    state = iota
	wantKeyOrEnd       // behind {
	wantKey            // behind a comma
	inKey
	wantColon
	wantElementOrEnd // behind [
	wantNext         // behind a value
	inOpaque
	inLiteral
	finished
)

// opaque is a value that is kept or dropped as a whole, under way.
type opaque struct {
	copy   bool
	quoted bool
	escape bool // the last character was a backslash
	hex    int  // hex digits that an escape still needs
	length int  // bytes of the current string that were kept
	limit  int  // bytes of a string that are kept
	depth  int
	open   [depthMax]byte
}

const (
	textMax    = 8 << 10 // bytes of a string that are kept
	keyMax     = 4 << 10 // a longer key is none that anybody asked for
	literalMax = 4 << 10
)

// NewSqueezer returns a squeezer for spec.
func NewSqueezer(spec *Spec) *Squeezer { return &Squeezer{spec: spec} }

// Begin starts an object; its first byte is to be pushed first.
func (s *Squeezer) Begin() {
	*s = Squeezer{spec: s.spec, out: s.out[:0], levels: s.levels[:0], key: s.key[:0], lit: s.lit[:0], node: &s.spec.root, emit: true}
}

// Text is what was kept, once Push said that the object is done. It holds until
// the next Begin.
func (s *Squeezer) Text() []byte { return s.out }

// Depth says how many brackets are open, and Quoted whether a string is, and
// whether a backslash ended what was pushed.
func (s *Squeezer) Depth() int { return len(s.levels) + s.opaque.depth }

// Quoted says whether what was pushed ends inside a string, and whether it ends
// with a backslash that takes the next character's meaning.
func (s *Squeezer) Quoted() (quoted, escaped bool) {
	return s.opaque.quoted || s.state == inKey, s.opaque.escape
}

// Push takes the next bytes of the object. It returns how many of them belong to
// it, and done where it ends there. A *SyntaxError says where the object is
// broken; n is then the bytes before that place.
func (s *Squeezer) Push(d []byte) (n int, done bool, err error) {
	i := 0
	for i < len(d) && s.state != finished {
		var next int
		switch s.state {
		case inOpaque:
			next, err = s.pushOpaque(d, i)
		case inKey:
			next, err = s.pushKey(d, i)
		case inLiteral:
			next, err = s.pushLiteral(d, i)
		default:
			if c := d[i]; c == ' ' || c == '\n' || c == '\r' || c == '\t' {
				i++
				continue
			}
			next, err = s.step(d[i], i)
		}
		if err != nil {
			return next, false, err
		}
		i = next
	}
	s.at += i
	return i, s.state == finished, nil
}

func (s *Squeezer) broken(i int, reason string) (int, error) {
	return i, &SyntaxError{s.at + i, reason}
}

// step takes a character between values.
func (s *Squeezer) step(c byte, i int) (int, error) {
	switch s.state {
	case wantValue:
		return s.value(c, i)
	case wantElementOrEnd:
		if c == ']' {
			return s.pop(i)
		}
		s.element()
		return s.value(c, i)
	case wantKeyOrEnd, wantKey:
		if c == '}' && s.state == wantKeyOrEnd {
			return s.pop(i)
		}
		if c != '"' {
			return s.broken(i, "expected a key in quotes")
		}
		s.state, s.key, s.escaped, s.keyFrom, s.opaque.escape = inKey, s.key[:0], false, s.at+i+1, false
	case wantColon:
		if c != ':' {
			return s.broken(i, "expected : after a key")
		}
		s.member()
	default:
		return s.next(c, i)
	}
	return i + 1, nil
}

// next takes what stands behind a value.
func (s *Squeezer) next(c byte, i int) (int, error) {
	object := s.levels[len(s.levels)-1].open == '{'
	switch {
	case c == ',' && object:
		s.state = wantKey
	case c == ',':
		s.element()
		s.state = wantValue
	case c == '}' && object, c == ']' && !object:
		return s.pop(i)
	case object:
		return s.broken(i, "expected , or } after a value")
	default:
		return s.broken(i, "expected , or ] after an element")
	}
	return i + 1, nil
}

// member begins the value of the key that was read.
func (s *Squeezer) member() {
	s.node, s.emit, s.state = s.child, s.child != nil, wantValue
	if s.emit {
		s.comma()
		s.out = append(append(append(s.out, '"'), s.key...), '"', ':')
	}
}

// element begins an element of the array: the first one counts.
func (s *Squeezer) element() {
	l := &s.levels[len(s.levels)-1]
	s.node, s.emit = nil, false
	if l.seen == 0 {
		s.node, s.emit = l.node.first, true
		s.comma()
	}
	l.seen++
}

func (s *Squeezer) comma() {
	l := &s.levels[len(s.levels)-1]
	if l.kept > 0 {
		s.out = append(s.out, ',')
	}
	l.kept++
}

func (s *Squeezer) pop(i int) (int, error) {
	last := len(s.levels) - 1
	s.out = append(s.out, s.levels[last].open+2)
	s.levels = s.levels[:last]
	if s.state = wantNext; last == 0 {
		s.state = finished
	}
	return i + 1, nil
}

// value begins a value at c.
func (s *Squeezer) value(c byte, i int) (int, error) {
	wanted := s.node != nil && s.node.field >= 0
	limit := textMax
	if wanted && s.node.text {
		wanted, limit = c == '"', math.MaxInt
	}
	switch {
	case c == '{' && !wanted && s.node != nil && len(s.node.children) > 0:
		return s.push(c, wantKeyOrEnd, i)
	case c == '[' && !wanted && s.node != nil && s.node.first != nil:
		return s.push(c, wantElementOrEnd, i)
	case c == '"' || c == '{' || c == '[':
		s.opaque.limit = limit
		s.opaque.copy, s.opaque.quoted, s.opaque.escape, s.opaque.hex, s.opaque.depth = wanted, false, false, 0, 0
		s.state = inOpaque
		s.stand(wanted)
		return i, nil
	}
	s.lit, s.litAt, s.state = s.lit[:0], s.at+i, inLiteral
	return i, nil
}

// stand writes something in the place of a value that isn't kept: that its key
// was there again decides which value counts.
func (s *Squeezer) stand(wanted bool) {
	if s.emit && !wanted {
		s.out = append(s.out, '0')
	}
}

func (s *Squeezer) push(c byte, then state, i int) (int, error) {
	s.levels = append(s.levels, level{node: s.node, open: c})
	s.out = append(s.out, c)
	s.state = then
	return i + 1, nil
}

func (s *Squeezer) pushKey(d []byte, i int) (int, error) {
	for ; i < len(d); i++ {
		c := d[i]
		switch {
		case c < 0x20 && !s.opaque.escape:
			return s.broken(i, "control character inside a string")
		case s.opaque.escape:
			s.opaque.escape = false
		case c == '\\':
			s.opaque.escape, s.escaped = true, true
		case c == '"':
			s.state = wantColon
			return i + 1, s.lookUp()
		}
		if len(s.key) <= keyMax {
			s.key = append(s.key, c)
		}
	}
	return i, nil
}

// lookUp finds where a key leads.
func (s *Squeezer) lookUp() error {
	s.child = nil
	if len(s.key) > keyMax {
		return nil
	}
	key := s.key
	if s.escaped {
		if !legalEscapes(key) {
			return &SyntaxError{s.keyFrom, "illegal escape in a key"}
		}
		key = []byte(Value{Raw: key, Kind: String, Escaped: true}.Text())
	}
	s.child = s.levels[len(s.levels)-1].node.child(key)
	return nil
}

// pushLiteral collects a number or word up to the character behind it.
func (s *Squeezer) pushLiteral(d []byte, i int) (int, error) {
	for ; i < len(d) && len(s.lit) < literalMax; i++ {
		c := d[i]
		if c-'0' > 9 && c|0x20-'a' > 25 && c != '.' && c != '+' && c != '-' {
			return s.literal(i)
		}
		s.lit = append(s.lit, c)
	}
	if len(s.lit) == literalMax {
		return s.literal(i)
	}
	return i, nil
}

// literal ends the number or word that was collected before i. What is left of
// it behind a whole value is no comma, so it breaks the object.
func (s *Squeezer) literal(i int) (int, error) {
	end, _, err := skipLiteral(append(s.lit, ','), 0)
	if syntax, ok := errors.AsType[*SyntaxError](err); ok {
		return i, &SyntaxError{s.litAt + syntax.Offset, syntax.Reason}
	}
	if s.emit {
		s.out = append(s.out, s.lit[:end]...)
	}
	s.state = wantNext
	if end < len(s.lit) {
		_, err = s.next(s.lit[end], end)
		return i, &SyntaxError{s.litAt + end, err.(*SyntaxError).Reason}
	}
	return i, nil
}

// pushOpaque goes on in a value that is kept or dropped as a whole.
func (s *Squeezer) pushOpaque(d []byte, i int) (int, error) {
	o := &s.opaque
	for i < len(d) {
		if o.quoted {
			end, err := s.pushString(d, i)
			if err != nil {
				return end, err
			}
			if i = end; !o.quoted && o.depth == 0 {
				s.state = wantNext
				return i, nil
			}
			continue
		}
		c := d[i]
		switch c {
		case '"':
			o.quoted, o.length, o.hex = true, 0, 0
		case '{', '[':
			if o.depth == depthMax {
				return s.broken(i, "nested deeper than 512 levels")
			}
			o.open[o.depth] = c + 2
			o.depth++
		case '}', ']':
			if o.depth--; o.open[o.depth] != c {
				o.depth++
				return s.broken(i, "bracket does not match")
			}
		}
		if o.copy {
			s.out = append(s.out, c)
		}
		if i++; o.depth == 0 && !o.quoted {
			s.state = wantNext
			return i, nil
		}
	}
	return i, nil
}

// pushString goes on inside a string, to behind its closing quote or to the end
// of what there is.
func (s *Squeezer) pushString(d []byte, i int) (int, error) {
	o := &s.opaque
	for i < len(d) {
		if !o.escape && o.hex == 0 {
			end := plain(d, i)
			s.keep(d[i:end])
			if i = end; i == len(d) {
				return i, nil
			}
		}
		c := d[i]
		closing := false
		switch {
		case o.escape:
			if o.escape = false; c == 'u' {
				o.hex = 4
			}
		case c == '\\':
			o.escape, o.hex = true, 0
		case c == '"':
			closing = true
		case c < 0x20:
			return s.broken(i, "control character inside a string")
		case o.hex > 0:
			o.hex--
		}
		i++
		if closing {
			o.quoted = false
			if o.copy {
				s.out = append(s.out, '"')
			}
			return i, nil
		}
		s.keepEscape(c)
	}
	return i, nil
}

// keep copies plain text of a string up to textMax bytes, and beyond that to the
// end of a character.
func (s *Squeezer) keep(text []byte) {
	o := &s.opaque
	if !o.copy || len(text) == 0 || o.length < 0 {
		return
	}
	n := min(len(text), max(0, o.limit-o.length))
	for n < len(text) && text[n]&0xc0 == 0x80 {
		n++
	}
	s.out = append(s.out, text[:n]...)
	if o.length += n; n < len(text) {
		o.length = -1 // cut: nothing more of it is kept
	}
}

// keepEscape copies a character of an escape, which is never cut in two.
func (s *Squeezer) keepEscape(c byte) {
	o := &s.opaque
	switch {
	case !o.copy || o.length < 0:
	case c == '\\' && o.escape && o.length >= o.limit:
		o.length = -1
	default:
		s.out = append(s.out, c)
		o.length++
	}
}

// plain returns the index of the next quote, backslash or control character at
// or behind i; the end of d where there is none.
func plain(d []byte, i int) int {
	for ; i+8 <= len(d); i += 8 {
		if m := stops(binary.LittleEndian.Uint64(d[i:])); m != 0 {
			for ; d[i] != '"' && d[i] != '\\' && d[i] >= 0x20; i++ {
			}
			return i
		}
	}
	for ; i < len(d) && d[i] != '"' && d[i] != '\\' && d[i] >= 0x20; i++ {
	}
	return i
}
