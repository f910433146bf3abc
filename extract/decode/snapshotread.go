package decode

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// errBreaksOff says that an export is not whole.
var errBreaksOff = errors.New("the file breaks off, and who stands behind that would count as gone; export it again")

// errCutPage is errBreaksOff of records that stand for themselves.
var errCutPage = errors.New("the text is cut off before the end of its page; deliver the object again")

// pageHeadBytes is how far into a page its list must begin.
const pageHeadBytes = 1 << 16

// pageReader gives the list of a page such as
//
//	{"totalResults": 2, "Resources": [{...}, {...}], "itemsPerPage": 2}
//
// with blanks in place of what lies around it, so that lines stay what they
// are and a list of any length is read record by record. Several pages may
// follow each other, or stand in a list. Text without a page passes as it is. A page or a list
// that doesn't end is an error.
type pageReader struct {
	in      *bufio.Reader
	key     string // of the list; case doesn't count
	cut     bool   // records stand for themselves, and only pages are looked for
	state   pageState
	depth   int // brackets that are open, from the list's own or the page's tail
	blanks  int // bytes that are still to be blanked
	text    bool
	escaped bool
	lists   int        // of pages, that are open
	fields  []byte     // of the page, without its list; not where cut
	shown   int64      // records of the page
	told    []pageTold // of the pages that ended
}

type pageState uint8

const (
	atStart  pageState = iota // before a page, a list or anything else
	inList                    // of a page
	inTail                    // of a page, behind its list
	inPlain                   // in a list without a page
	passOver                  // all that follows passes
)

// Read implements io.Reader.
func (p *pageReader) Read(to []byte) (n int, err error) {
	if p.state == passOver {
		return p.in.Read(to)
	}
	for n < len(to) {
		c, err := p.next()
		if err == io.EOF && n > 0 {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		to[n] = c
		n++
	}
	return n, nil
}

func (p *pageReader) next() (byte, error) {
	if p.state == atStart {
		p.begin()
	}
	c, err := p.in.ReadByte()
	if err != nil {
		switch {
		case err != io.EOF || p.state == atStart && p.lists == 0 || p.state == passOver:
			return 0, err
		case p.cut:
			return 0, errCutPage
		}
		return 0, errBreaksOff
	}
	if p.blanks > 0 {
		p.blanks--
		return blank(c), nil
	}
	switch p.state {
	case inList, inPlain:
		before := p.depth
		if p.step(c); p.depth > 0 {
			if before == 1 && p.depth == 2 && c == '{' {
				p.shown++
			}
			return c, nil
		}
		if p.state == inPlain {
			p.state = passOver
		} else {
			p.state, p.depth = inTail, 1
		}
		return blank(c), nil
	case inTail:
		p.step(c)
		if !p.cut {
			if err := p.around(c); err != nil {
				return 0, err
			}
		}
		if p.depth == 0 {
			p.state = atStart
			if !p.cut {
				p.told = append(p.told, readPage(p.fields, p.shown))
			}
		}
		return blank(c), nil
	}
	return c, nil
}

// blank keeps lines what they are.
func blank(c byte) byte {
	if c == '\n' {
		return c
	}
	return ' '
}

// step counts brackets. A line break ends a text that was left open: it can't
// stand in one.
func (p *pageReader) step(c byte) {
	switch {
	case c == '\n':
		p.text, p.escaped = false, false
	case p.escaped:
		p.escaped = false
	case p.text && c == '\\':
		p.escaped = true
	case c == '"':
		p.text = !p.text
	case p.text:
	case c == '{' || c == '[':
		p.depth++
	case c == '}' || c == ']':
		p.depth--
	}
}

// begin looks at what comes next, as far as that is not white space.
func (p *pageReader) begin() {
	head, _ := p.in.Peek(1) // an error comes again when it is read
	if len(head) == 0 || bytes.IndexByte([]byte(" \t\r\n,\xef\xbb\xbf"), head[0]) >= 0 {
		return
	}
	p.text, p.escaped, p.depth = false, false, 1
	switch {
	case head[0] == ']' && p.lists > 0:
		p.lists, p.blanks = p.lists-1, 1
		return
	case head[0] == '[' && !p.cut:
		if head, _ = p.in.Peek(p.in.Size()); isPages(head, p.key) {
			p.lists, p.blanks = p.lists+1, 1
			return
		}
		p.state, p.blanks = inPlain, 1
		return
	case head[0] == '{':
		head, _ = p.in.Peek(p.in.Size())
		if p.cut && !bytes.Contains(head, []byte(`"`+p.key+`"`)) {
			break // most records; looking for the word is ten times faster
		}
		if at := pageHead(head, p.key); at >= 0 {
			p.state, p.blanks = inList, at+1
			if p.shown = 0; !p.cut {
				p.fields = append(append(p.fields[:0], head[:at]...), "[]"...)
			}
			return
		}
	}
	p.state = passOver
}

// pageHead finds in a text that begins with an object the bracket that opens
// the list under a key of that object; -1 where there is none.
func pageHead(text []byte, key string) int {
	depth, start, last := 0, -1, ""
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case start >= 0 && c == '\\':
			i++
		case start >= 0 && c == '"':
			if depth == 1 {
				last = string(text[start:i])
			}
			start = -1
		case start >= 0:
		case c == '"':
			start = i + 1
		case c == '[' && depth == 1 && strings.EqualFold(last, key) && opens(text[:i]):
			return i
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return -1
			}
		}
	}
	return -1
}

// opens says that a value follows its key here.
func opens(before []byte) bool {
	before = bytes.TrimRight(before, " \t\r\n")
	return len(before) > 0 && before[len(before)-1] == ':'
}

// tableReader reads the rows of a CSV file whose cells may hold line breaks.
// The header tells whether commas, semicolons or tabs part the cells.
type tableReader struct {
	in    *bufio.Reader
	max   int // bytes of the longest row
	comma byte
	lines int64 // that were read
}

// next returns the next row that holds anything, and the line on which it
// starts.
func (t *tableReader) next() (cells []string, line int64, err error) {
	for {
		line = t.lines + 1
		row, err := t.row()
		if err != nil {
			return nil, line, err
		}
		if line == 1 {
			row = bytes.TrimPrefix(row, []byte("\xef\xbb\xbf"))
		}
		row = bytes.TrimRight(row, "\r\n")
		if len(bytes.Trim(row, ",;\t \"\r\n")) == 0 {
			continue
		}
		if t.comma == 0 {
			t.comma = separatorOf(row)
		}
		cells, err := t.cells(row)
		return cells, line, err
	}
}

// separatorOf is what parts the titles of a header.
func separatorOf(header []byte) byte {
	best := byte(',')
	for _, c := range []byte(";\t") {
		if bytes.Count(header, []byte{c}) > bytes.Count(header, []byte{best}) {
			best = c
		}
	}
	return best
}

// row reads a line, and those behind it while a quote is open.
func (t *tableReader) row() (row []byte, err error) {
	for quotes := 0; ; {
		text, err := t.in.ReadSlice('\n')
		if len(row)+len(text) > t.max {
			return nil, fmt.Errorf("the row is longer than %d bytes; close each quote, or raise the source's max_record_bytes", t.max)
		}
		row, quotes = append(row, text...), quotes+bytes.Count(text, []byte{'"'})
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && len(row) > 0:
			t.lines++
			if quotes%2 != 0 {
				return nil, errBreaksOff
			}
			return row, nil
		case err != nil:
			return nil, err
		}
		if t.lines++; quotes%2 == 0 {
			return row, nil
		}
	}
}

// errQuotes says that the quotes of a row are not in pairs around its cells.
var errQuotes = errors.New("broken CSV: put quotes around the whole cell, and write a quote in it twice")

func (t *tableReader) cells(row []byte) ([]string, error) {
	if bytes.IndexByte(row, '"') < 0 {
		return strings.Split(string(row), string(t.comma)), nil
	}
	in := csv.NewReader(bytes.NewReader(row))
	in.Comma, in.FieldsPerRecord = rune(t.comma), -1
	cells, err := in.Read()
	if _, more := in.Read(); err == nil && more == io.EOF {
		return cells, nil
	}
	if bytes.IndexByte(row, '\n') >= 0 { // the rows behind an open quote hang on it
		return nil, errors.New("a quote is not closed, and who stands behind it would count as gone; export the file again")
	}
	return nil, errQuotes
}
