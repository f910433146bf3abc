package strictyaml

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

// What a file may ask for. The parser takes some 450 bytes a token and, for each
// bracket in a bracket, as much again as the depth is; so both are counted before
// it sees the file. A rate book of 5,000 prices has 150,000 tokens and depth 4.
const (
	fileBytesMax     = 64 << 20 // of several documents
	documentBytesMax = 16 << 20
	tokensMax        = 800_000
	depthMax         = 64
)

// ReadFile reads a file that Decode or Texts may be given; it reads no more than
// those can want.
func ReadFile(path string) (data []byte, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err = io.ReadAll(io.LimitReader(file, fileBytesMax+1))
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil && len(data) > fileBytesMax {
		err = fmt.Errorf("%s is larger than %d MB; name the right file, or split it", path, fileBytesMax>>20)
	}
	return data, err
}

// excess is what of a document is too much for the parser.
type excess struct {
	line int
	text string
}

// measure walks over a document as far as it is cheap to parse. Whatever it takes
// for structure and the parser for text costs nothing but a bound that is met
// sooner; it takes nothing for text that the parser takes for structure.
func measure(data []byte) *excess {
	if len(data) > documentBytesMax {
		return &excess{1, fmt.Sprintf("is larger than %d MB; split it", documentBytesMax>>20)}
	}
	m := meter{literal: -1}
	for len(data) > 0 {
		text, rest, _ := bytes.Cut(data, []byte{'\n'})
		data = rest
		m.lines++
		m.tokens++
		m.line(bytes.TrimSuffix(text, []byte{'\r'}))
		switch {
		case m.tokens > tokensMax:
			return &excess{m.lines, fmt.Sprintf("has more than %d keys, values and brackets up to here; split the file", tokensMax)}
		case m.deepest > depthMax:
			return &excess{m.lines, fmt.Sprintf("nests more than %d levels; close the brackets, or write the lists one below the other", depthMax)}
		}
	}
	return nil
}

// meter counts what a parser would make of the lines that it was shown.
type meter struct {
	lines, tokens, deepest int

	indents []int // of the blocks that are open
	flow    int   // brackets that are open
	quote   byte  // of the quoted text that goes on; 0 outside
	literal int   // indent from which on lines are the text of | or >; -1 outside
}

func (m *meter) line(text []byte) {
	indent := len(text) - len(bytes.TrimLeft(text, " "))
	if m.literal >= 0 {
		if indent >= m.literal || indent == len(text) {
			return
		}
		m.literal = -1
	}
	at := indent
	if m.quote == 0 && m.flow == 0 && indent < len(text) && text[indent] != '#' {
		at = m.begin(text, indent)
	}
	m.rest(text, at)
}

// begin opens the blocks that a line begins: that of its indent, and one for each
// - or ? before its first key or value, where it returns.
func (m *meter) begin(text []byte, at int) int {
	for {
		for len(m.indents) > 0 && m.indents[len(m.indents)-1] >= at {
			m.indents = m.indents[:len(m.indents)-1]
		}
		m.indents = append(m.indents, at)
		m.deep()
		if at >= len(text) || text[at] != '-' && text[at] != '?' || at+1 < len(text) && text[at+1] != ' ' && text[at+1] != '\t' {
			return at
		}
		next := at + 1
		for next < len(text) && (text[next] == ' ' || text[next] == '\t') {
			next++
		}
		if m.tokens++; next == len(text) || text[next] == '#' || text[next] == '|' || text[next] == '>' {
			return next
		}
		at = next
	}
}

func (m *meter) deep() { m.deepest = max(m.deepest, len(m.indents)+m.flow) }

// rest reads what stands in a line from a place on.
func (m *meter) rest(text []byte, at int) {
	fresh := true // a value may begin here
	chain := 0    // keys, tags and anchors one behind the other, each of which holds the next
	for ; at < len(text); at++ {
		c := text[at]
		if m.quote != 0 {
			switch {
			case c == '\\' && m.quote == '"':
				at++
			case c != m.quote:
			case c == '\'' && at+1 < len(text) && text[at+1] == '\'':
				at++
			default:
				m.quote = 0
			}
			continue
		}
		switch {
		case c == ' ' || c == '\t':
			continue
		case c == '#' && (at == 0 || text[at-1] == ' ' || text[at-1] == '\t'):
			return
		case (c == '"' || c == '\'') && fresh:
			m.quote = c
			m.tokens++
		case c == '[' || c == '{':
			if m.flow > 0 || fresh {
				m.flow++
				m.tokens++
				m.deep()
			}
			continue
		case c == ']' || c == '}':
			if m.flow > 0 {
				m.flow--
				m.tokens++
			}
		case c == ',' && m.flow > 0:
			m.tokens += 2
			fresh, chain = true, 0
			continue
		case c == ':' && (at+1 == len(text) || text[at+1] == ' ' || text[at+1] == '\t' || m.flow > 0):
			m.tokens += 2
			if chain++; m.flow == 0 {
				m.deepest = max(m.deepest, len(m.indents)+chain-1)
			}
			fresh = at+1 < len(text) && (text[at+1] == ' ' || text[at+1] == '\t')
			continue
		case fresh && (c == '&' || c == '!' || c == '*' || c == '?' || c == '-'):
			m.tokens++
			chain++
			m.deepest = max(m.deepest, len(m.indents)+chain-1)
			fresh = c == '?' || c == '-' || c == '!'
			continue
		case fresh && m.flow == 0 && (c == '|' || c == '>'):
			m.literal = m.textFrom(text[at+1:])
		}
		fresh = false
	}
}

// textFrom is the indent of the text under | or >, by what stands behind that.
func (m *meter) textFrom(behind []byte) int {
	parent := -1
	if len(m.indents) > 0 {
		parent = m.indents[len(m.indents)-1]
	}
	for _, c := range behind {
		switch {
		case c >= '1' && c <= '9':
			return max(parent, 0) + int(c-'0')
		case c == '+' || c == '-' || c == ' ' || c == '\t' || c == '\r':
		case c == '#':
			return parent + 1
		default:
			return -1 // no text follows: this line is the parser's to refuse
		}
	}
	return parent + 1
}
