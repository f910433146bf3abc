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

	// The time that the parser takes grows with the square of these.
	keysMax      = 5_000 // of one mapping
	marksMax     = 1_000 // tags, anchors and aliases, which are refused anyway
	DocumentsMax = 1_000 // of a file
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
		var text []byte
		text, data = cutLine(data)
		m.lines++
		m.tokens++
		m.line(text)
		switch {
		case m.tokens > tokensMax:
			return &excess{m.lines, fmt.Sprintf("has more than %d keys, values and brackets up to here; split the file", tokensMax)}
		case m.deepest > depthMax:
			return &excess{m.lines, fmt.Sprintf("nests more than %d levels; close the brackets, or write the lists one below the other", depthMax)}
		case m.keys > keysMax:
			return &excess{m.lines, fmt.Sprintf("has more than %d keys in one place; write what is many as a list", keysMax)}
		case m.marks > marksMax:
			return &excess{m.lines, "uses YAML anchors, aliases or tags; write the values out"}
		case m.documents > DocumentsMax:
			return &excess{m.lines, TooManyDocuments}
		}
	}
	return nil
}

// TooManyDocuments is what is wrong with a file of more than DocumentsMax.
var TooManyDocuments = fmt.Sprintf("holds more than %d YAML documents; remove --- lines", DocumentsMax)

// cutLine cuts the first line off, at whatever ends a line to the parser.
func cutLine(data []byte) (line, rest []byte) {
	end := bytes.IndexAny(data, "\r\n")
	if end < 0 {
		return data, nil
	}
	line, rest = data[:end], data[end+1:]
	if data[end] == '\r' {
		rest = bytes.TrimPrefix(rest, []byte{'\n'})
	}
	return line, rest
}

// meter counts what a parser would make of the lines that it was shown.
type meter struct {
	lines, tokens, deepest, keys, marks, documents int

	indents []block // that are open
	flow    []int   // brackets that are open: the keys in each
	chain   int     // keys, tags and anchors one behind the other, each of which holds the next
	quote   byte    // of the quoted text that goes on; 0 outside
	literal int     // indent from which on lines are the text of | or >; -1 outside
}

// block is what stands at one indent.
type block struct {
	indent, keys int
	list         bool // its last line began an item
}

func (m *meter) line(text []byte) {
	if bytes.HasPrefix(text, []byte("---")) || bytes.HasPrefix(text, []byte("...")) {
		m.documents++
	}
	indent := len(text) - len(bytes.TrimLeft(text, " "))
	if m.literal >= 0 {
		if indent >= m.literal || indent == len(text) {
			return
		}
		m.literal = -1
	}
	at := indent
	if m.quote == 0 && len(m.flow) == 0 && indent < len(text) && text[indent] != '#' {
		at = m.begin(text, indent)
	}
	m.rest(text, at)
}

// begin opens the blocks that a line begins: that of its indent, and one for each
// - or ? before its first key or value, where it returns.
func (m *meter) begin(text []byte, at int) int {
	for {
		for len(m.indents) > 0 && m.indents[len(m.indents)-1].indent > at {
			m.close()
		}
		if len(m.indents) == 0 || m.indents[len(m.indents)-1].indent < at {
			m.indents = append(m.indents, block{indent: at})
		}
		m.deep(0)
		here := &m.indents[len(m.indents)-1]
		if here.list = at < len(text) && text[at] == '-'; !here.list {
			m.holds(&here.keys, 1)
		}
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

// deep notes how deep it is here, and more below.
func (m *meter) deep(more int) { m.deepest = max(m.deepest, len(m.indents)+len(m.flow)+more) }

// close ends the last block, whose keys are its parent's too: only what stands in
// different items of a list is apart to the parser.
func (m *meter) close() {
	last := len(m.indents) - 1
	keys := m.indents[last].keys
	m.indents = m.indents[:last]
	if last > 0 && !m.indents[last-1].list {
		m.holds(&m.indents[last-1].keys, keys)
	}
}

// holds counts keys of one mapping.
func (m *meter) holds(keys *int, more int) {
	*keys += more
	m.keys = max(m.keys, *keys)
}

// rest reads what stands in a line from a place on.
func (m *meter) rest(text []byte, at int) {
	fresh := true // a value may begin here
	if len(m.flow) == 0 {
		m.chain = 0
	}
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
			if len(m.flow) > 0 || fresh {
				m.flow = append(m.flow, 0)
				m.tokens++
				m.chain = 0
				m.deep(0)
			}
			continue
		case c == ']' || c == '}':
			if len(m.flow) > 0 {
				m.flow = m.flow[:len(m.flow)-1]
				m.tokens++
				m.chain = 0
			}
		case c == ',' && len(m.flow) > 0:
			m.tokens += 2
			fresh, m.chain = true, 0
			continue
		case c == ':' && (at+1 == len(text) || text[at+1] == ' ' || text[at+1] == '\t' || len(m.flow) > 0):
			m.tokens += 2
			m.chain++
			m.deep(m.chain - 1)
			if last := len(m.flow) - 1; last >= 0 {
				m.holds(&m.flow[last], 1)
			}
			fresh = at+1 < len(text) && (text[at+1] == ' ' || text[at+1] == '\t')
			continue
		case fresh && (c == '?' || c == '-'):
			m.tokens++
			m.chain++
			m.deep(m.chain - 1)
			continue
		case fresh && (c == '&' || c == '!' || c == '*'):
			m.tokens++
			m.marks++
			m.chain++
			m.deep(m.chain - 1)
			for at+1 < len(text) && !bytes.ContainsRune([]byte(" \t,[]{}"), rune(text[at+1])) {
				at++ // its name; what it marks begins behind it
			}
			continue
		case fresh && len(m.flow) == 0 && (c == '|' || c == '>'):
			m.literal = m.textFrom(text[at+1:])
		}
		fresh = false
	}
}

// textFrom is the indent of the text under | or >, by what stands behind that.
func (m *meter) textFrom(behind []byte) int {
	parent := -1
	if len(m.indents) > 0 {
		parent = m.indents[len(m.indents)-1].indent
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
