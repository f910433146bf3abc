// Package jsonscan pulls a fixed set of fields out of JSON text in one pass
// without building the document.
//
// It owns: the compiled set of wanted paths and the scan of one value, which
// checks the structure it walks through and steps over what nobody asked for.
// It does not own: what a field means (extract/decode) or where one record
// ends in a file (extract/frame).
//
// Rules: keys may come in any order; where a key occurs twice the last one
// counts, with all that lies below it; null counts as absent. Text that nobody
// asked for is checked for its brackets and quotes only.
package jsonscan

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Kind says what sort of JSON value a field held.
type Kind uint8

// The kinds of a Value. Absent also stands for null.
const (
	Absent Kind = iota
	String
	Number
	True
	False
	Object
	Array
)

// Value is one field as found. Raw points into the scanned text: the
// characters between the quotes of a string, all characters of anything else.
// It is valid until the text is changed.
type Value struct {
	Raw     []byte
	Kind    Kind
	Escaped bool
}

// ErrShort says that the text ended inside the value.
var ErrShort = errors.New("ends inside a JSON value")

// SyntaxError says at which byte of the text JSON was broken, and how. It
// never quotes the text.
type SyntaxError struct {
	Offset int
	Reason string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("broken JSON at byte %d: %s", e.Offset, e.Reason)
}

const depthMax = 512

type node struct {
	index    int // place in a scanner's list of nodes that were met
	key      string
	fold     bool
	field    int // index of the wanted field, -1 where the node only leads on
	children []*node
	byLength [][]*node // the children whose keys are as long as the index says
	first    *node     // the first element of an array
	below    []int     // the fields of all nodes below
}

// Spec is a compiled set of wanted paths. It is safe for concurrent use.
type Spec struct {
	root   node
	nodes  int
	fields int
}

// Path names one field: object keys from the outside in. "[0]" stands for the
// first element of an array. A key that ends in "~" ignores case.
type Path []string

// ParsePath splits a dotted path such as metadata.team.id.
func ParsePath(dotted string) Path { return strings.Split(dotted, ".") }

// Compile makes a Spec whose field i is found at paths[i].
func Compile(paths []Path) (*Spec, error) {
	s := &Spec{root: node{field: -1}, nodes: 1, fields: len(paths)}
	for i, path := range paths {
		n := &s.root
		for _, key := range path {
			if key == "" || key == "~" {
				return nil, fmt.Errorf("path %q: empty key; write keys with one dot between them", strings.Join(path, "."))
			}
			n.below = append(n.below, i)
			next, err := s.step(n, key)
			if err != nil {
				return nil, fmt.Errorf("path %q: %w", strings.Join(path, "."), err)
			}
			n = next
		}
		if n.field >= 0 {
			return nil, fmt.Errorf("path %q: listed twice", strings.Join(path, "."))
		}
		n.field = i
	}
	return s, nil
}

// step returns the child that key names, and makes it where it is new.
func (s *Spec) step(n *node, key string) (*node, error) {
	if key == "[0]" {
		if n.first == nil {
			n.first = s.node("")
		}
		return n.first, nil
	}
	name := strings.TrimSuffix(key, "~")
	fold := name != key
	for _, c := range n.children {
		switch {
		case c.key == name && c.fold == fold:
			return c, nil
		case (c.fold || fold) && strings.EqualFold(c.key, name):
			return nil, fmt.Errorf("key %q: another path has it as %q and one of them ignores case; write them alike", key, c.key)
		}
	}
	c := s.node(name)
	c.fold = fold
	n.children = append(n.children, c)
	for len(n.byLength) <= len(name) {
		n.byLength = append(n.byLength, nil)
	}
	n.byLength[len(name)] = append(n.byLength[len(name)], c)
	return c, nil
}

func (s *Spec) node(key string) *node {
	s.nodes++
	return &node{index: s.nodes - 1, key: key, field: -1}
}

func (n *node) child(key []byte) *node {
	if len(key) >= len(n.byLength) {
		return nil
	}
	for _, c := range n.byLength[len(key)] {
		if string(key) == c.key || c.fold && strings.EqualFold(string(key), c.key) {
			return c
		}
	}
	return nil
}

// Scanner scans values against one Spec. It is not safe for concurrent use.
type Scanner struct {
	spec  *Spec
	data  []byte
	met   []uint64 // by node: the last scan that met it
	scans uint64
	// habits holds, by node, the keys of its objects in the order of the text
	// before: writers hardly ever change it, so most keys are known by one
	// comparison.
	habits  [][]habit
	lessons int
	// Values holds field i of the Spec at index i after Scan.
	Values []Value
}

// NewScanner returns a scanner for spec.
func NewScanner(spec *Spec) *Scanner {
	return &Scanner{spec: spec, met: make([]uint64, spec.nodes), habits: make([][]habit, spec.nodes), Values: make([]Value, spec.fields)}
}

// Scan reads the one JSON value that starts at data[0], fills Values and
// returns the value's length in bytes. It returns ErrShort where data ends
// before the value does, and a *SyntaxError where the text is broken.
func (s *Scanner) Scan(data []byte) (int, error) {
	s.data = data
	s.scans++
	clear(s.Values)
	return s.value(0, &s.spec.root, 0)
}

// forget clears the fields below a node that the text names again: the earlier
// one counts no more, nor does anything in it.
func (s *Scanner) forget(n *node) {
	if s.met[n.index] == s.scans {
		for _, field := range n.below {
			s.Values[field] = Value{}
		}
	}
	s.met[n.index] = s.scans
}

func (s *Scanner) value(i int, n *node, depth int) (int, error) {
	if i >= len(s.data) {
		return i, ErrShort
	}
	if len(n.below) > 0 {
		s.forget(n)
	}
	start := i
	var v Value
	var err error
	switch c := s.data[i]; c {
	case '"':
		v.Kind = String
		i, v.Escaped, err = skipString(s.data, i+1)
	case '{', '[':
		v.Kind = Object
		if c == '[' {
			v.Kind = Array
		}
		switch {
		case depth >= depthMax:
			return i, &SyntaxError{i, "nested deeper than 512 levels"}
		case c == '{' && len(n.children) > 0:
			i, err = s.object(i+1, n, depth+1)
		case c == '[' && n.first != nil:
			i, err = s.array(i+1, n.first, depth+1)
		default:
			i, err = skipContainer(s.data, i)
		}
	default:
		i, v.Kind, err = skipLiteral(s.data, i)
	}
	if err != nil {
		return i, err
	}
	if n.field < 0 {
		return i, nil
	}
	v.Raw = s.data[start:i]
	if v.Kind == String {
		v.Raw = s.data[start+1 : i-1]
		if v.Escaped && !legalEscapes(v.Raw) {
			return start, &SyntaxError{start, "illegal escape in a string"}
		}
	}
	s.Values[n.field] = v
	return i, nil
}

// habit is a key as it stood in the text, from its quote to the value, and
// where it leads: nil where nobody asked for it.
type habit struct {
	text  string
	child *node
}

// What a scanner learns is bounded: a writer without habits teaches nothing.
const (
	lessonsMax    = 4096
	habitBytesMax = 256
)

// expected steps over key number k where it is the one that stood there before.
func (s *Scanner) expected(i, k int, n *node) (child *node, next int, ok bool) {
	habits := s.habits[n.index]
	if k >= len(habits) {
		return nil, i, false
	}
	text := habits[k].text
	if len(s.data)-i <= len(text) || string(s.data[i:i+len(text)]) != text {
		return nil, i, false
	}
	return habits[k].child, skipSpace(s.data, i+len(text)), true
}

// learn notes key number k of a node for the next text.
func (s *Scanner) learn(text []byte, k int, n, child *node) {
	if s.lessons >= lessonsMax || len(text) > habitBytesMax || k > len(s.habits[n.index]) {
		return
	}
	s.lessons++
	if k == len(s.habits[n.index]) {
		s.habits[n.index] = append(s.habits[n.index], habit{})
	}
	s.habits[n.index][k] = habit{string(text), child}
}

// key reads a key and what parts it from its value.
func (s *Scanner) key(i int) (key []byte, next int, err error) {
	if i >= len(s.data) {
		return nil, i, ErrShort
	}
	if s.data[i] != '"' {
		return nil, i, &SyntaxError{i, "expected a key in quotes"}
	}
	start := i + 1
	end, escaped, err := skipString(s.data, start)
	if err != nil {
		return nil, end, err
	}
	key = s.data[start : end-1]
	if escaped {
		if !legalEscapes(key) {
			return nil, start, &SyntaxError{start, "illegal escape in a key"}
		}
		key = []byte(Value{Raw: key, Kind: String, Escaped: true}.Text())
	}
	i = skipSpace(s.data, end)
	if i >= len(s.data) {
		return nil, i, ErrShort
	}
	if s.data[i] != ':' {
		return nil, i, &SyntaxError{i, "expected : after a key"}
	}
	return key, skipSpace(s.data, i+1), nil
}

func (s *Scanner) object(i int, n *node, depth int) (int, error) {
	i = skipSpace(s.data, i)
	if i < len(s.data) && s.data[i] == '}' {
		return i + 1, nil
	}
	for k := 0; ; k++ {
		child, next, known := s.expected(i, k, n)
		if !known {
			key, after, err := s.key(i)
			if err != nil {
				return after, err
			}
			child, next = n.child(key), after
			s.learn(s.data[i:after], k, n, child)
		}
		i = next
		var err error
		if child != nil {
			i, err = s.value(i, child, depth)
		} else {
			i, err = skipValue(s.data, i)
		}
		if err != nil {
			return i, err
		}
		i = skipSpace(s.data, i)
		if i >= len(s.data) {
			return i, ErrShort
		}
		switch s.data[i] {
		case ',':
			i = skipSpace(s.data, i+1)
		case '}':
			return i + 1, nil
		default:
			return i, &SyntaxError{i, "expected , or } after a value"}
		}
	}
}

func (s *Scanner) array(i int, first *node, depth int) (int, error) {
	i = skipSpace(s.data, i)
	if i < len(s.data) && s.data[i] == ']' {
		return i + 1, nil
	}
	for k := 0; ; k++ {
		var err error
		if k == 0 {
			i, err = s.value(i, first, depth)
		} else {
			i, err = skipValue(s.data, i)
		}
		if err != nil {
			return i, err
		}
		i = skipSpace(s.data, i)
		if i >= len(s.data) {
			return i, ErrShort
		}
		switch s.data[i] {
		case ',':
			i = skipSpace(s.data, i+1)
		case ']':
			return i + 1, nil
		default:
			return i, &SyntaxError{i, "expected , or ] after an element"}
		}
	}
}

func skipSpace(d []byte, i int) int {
	for i < len(d) && (d[i] == ' ' || d[i] == '\n' || d[i] == '\r' || d[i] == '\t') {
		i++
	}
	return i
}

func skipValue(d []byte, i int) (int, error) {
	if i >= len(d) {
		return i, ErrShort
	}
	switch d[i] {
	case '"':
		end, _, err := skipString(d, i+1)
		return end, err
	case '{', '[':
		return skipContainer(d, i)
	}
	end, _, err := skipLiteral(d, i)
	return end, err
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// stops marks (in the high bit of its byte) every byte of w that is a quote, a
// backslash or a control character; marks above the lowest one may be false.
func stops(w uint64) uint64 {
	quote := w ^ (ones * '"')
	slash := w ^ (ones * '\\')
	return ((quote - ones) &^ quote & highs) | ((slash - ones) &^ slash & highs) | ((w - ones*0x20) &^ w & highs)
}

// skipString returns the index after the closing quote of the string whose
// first character is at i, and whether it holds escapes.
func skipString(d []byte, i int) (end int, escaped bool, err error) {
	for {
		for i+8 <= len(d) {
			m := stops(binary.LittleEndian.Uint64(d[i:]))
			if m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		if i >= len(d) {
			return i, escaped, ErrShort
		}
		switch c := d[i]; {
		case c == '"':
			return i + 1, escaped, nil
		case c == '\\':
			escaped = true
			i += 2
		case c < 0x20:
			return i, escaped, &SyntaxError{i, "control character inside a string"}
		default:
			i++
		}
	}
}

// skipContainer steps over an object or array by its brackets and strings.
func skipContainer(d []byte, i int) (int, error) {
	var open [depthMax]byte
	depth := 0
	for i < len(d) {
		switch c := d[i]; c {
		case '"':
			end, _, err := skipString(d, i+1)
			if err != nil {
				return end, err
			}
			i = end
			continue
		case '{', '[':
			if depth == depthMax {
				return i, &SyntaxError{i, "nested deeper than 512 levels"}
			}
			open[depth] = c + 2 // } is { + 2, ] is [ + 2
			depth++
		case '}', ']':
			depth--
			if open[depth] != c {
				return i, &SyntaxError{i, "bracket does not match"}
			}
			if depth == 0 {
				return i + 1, nil
			}
		}
		i++
	}
	return i, ErrShort
}

func skipLiteral(d []byte, i int) (int, Kind, error) {
	switch c := d[i]; {
	case c == '-' || c >= '0' && c <= '9':
		return number(d, i)
	case c == 't':
		return word(d, i, "true", True)
	case c == 'f':
		return word(d, i, "false", False)
	case c == 'n':
		return word(d, i, "null", Absent)
	}
	return i, Absent, &SyntaxError{i, "expected a value"}
}

// number steps over a number. One that ends with the text is taken as whole:
// whoever asked for the number's container then finds the text too short.
func number(d []byte, i int) (int, Kind, error) {
	if d[i] == '-' {
		i++
	}
	start := i
	i = skipDigits(d, i)
	whole := i - start
	ok := whole == 1 || whole > 1 && d[start] != '0'
	if ok && i < len(d) && d[i] == '.' {
		start, i = i+1, skipDigits(d, i+1)
		ok = i > start
	}
	if ok && i < len(d) && d[i]|0x20 == 'e' {
		if i++; i < len(d) && (d[i] == '+' || d[i] == '-') {
			i++
		}
		start, i = i, skipDigits(d, i)
		ok = i > start
	}
	switch {
	case ok:
		return i, Number, nil
	case i >= len(d):
		return i, Absent, ErrShort
	}
	return i, Absent, &SyntaxError{i, "not a number"}
}

func skipDigits(d []byte, i int) int {
	for i < len(d) && d[i] >= '0' && d[i] <= '9' {
		i++
	}
	return i
}

func word(d []byte, i int, want string, kind Kind) (int, Kind, error) {
	if len(d)-i < len(want) {
		if strings.HasPrefix(want, string(d[i:])) {
			return i, Absent, ErrShort
		}
	} else if string(d[i:i+len(want)]) == want {
		return i + len(want), kind, nil
	}
	return i, Absent, &SyntaxError{i, "expected true, false or null"}
}

// legalEscapes says whether every backslash of a string starts an escape that
// JSON knows.
func legalEscapes(s []byte) bool {
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		if i++; i == len(s) {
			return false
		}
		switch s[i] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		case 'u':
			if len(s)-i <= 4 || !isHex(s[i+1:i+5]) {
				return false
			}
			i += 4
		default:
			return false
		}
	}
	return true
}

func isHex(s []byte) bool {
	for _, c := range s {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return true
}

// Text returns the string that a String value stands for, and the raw text of
// any other kind.
func (v Value) Text() string {
	if v.Kind != String || !v.Escaped {
		return string(v.Raw)
	}
	quoted := make([]byte, 0, len(v.Raw)+2)
	quoted = append(append(append(quoted, '"'), v.Raw...), '"')
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return string(v.Raw)
	}
	return s
}

// AppendText appends what Text returns to dst. It is for long texts: it
// allocates nothing where dst has room.
func (v Value) AppendText(dst []byte) []byte {
	s := v.Raw
	if v.Kind != String || !v.Escaped {
		return append(dst, s...)
	}
	for {
		i := bytes.IndexByte(s, '\\')
		if i < 0 || i+1 == len(s) {
			return append(dst, s...)
		}
		dst = append(dst, s[:i]...)
		c := s[i+1]
		s = s[i+2:]
		switch c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			var r rune
			r, s = escapedRune(s)
			dst = utf8.AppendRune(dst, r)
		default: // a quote, a slash or a backslash
			dst = append(dst, c)
		}
	}
}

// escapedRune reads the digits behind \u, and the second half that may follow
// them. Half a character alone is unicode.ReplacementChar, as encoding/json has
// it.
func escapedRune(s []byte) (r rune, rest []byte) {
	r, s = hex4(s), s[min(4, len(s)):]
	if !utf16.IsSurrogate(r) {
		return r, s
	}
	if len(s) >= 6 && s[0] == '\\' && s[1] == 'u' {
		if whole := utf16.DecodeRune(r, hex4(s[2:])); whole != unicode.ReplacementChar {
			return whole, s[6:]
		}
	}
	return unicode.ReplacementChar, s
}

func hex4(s []byte) (r rune) {
	for _, c := range s[:min(4, len(s))] {
		digit := rune(c - '0')
		if c > '9' {
			digit = rune(c|0x20-'a') + 10
		}
		r = r<<4 | digit
	}
	return r
}

// Each calls do with every element of an array's text, in order, and ends with
// the first error.
func Each(array []byte, do func(element []byte) error) error {
	i := skipSpace(array, 0)
	if i >= len(array) {
		return ErrShort
	}
	if array[i] != '[' {
		return &SyntaxError{i, "expected a list"}
	}
	if i = skipSpace(array, i+1); i < len(array) && array[i] == ']' {
		return nil
	}
	for {
		end, err := skipValue(array, i)
		if err != nil {
			return err
		}
		if err := do(array[i:end]); err != nil {
			return err
		}
		if i = skipSpace(array, end); i >= len(array) {
			return ErrShort
		}
		switch array[i] {
		case ',':
			i = skipSpace(array, i+1)
		case ']':
			return nil
		default:
			return &SyntaxError{i, "expected , or ] after an element"}
		}
	}
}
