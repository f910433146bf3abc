package decode

import (
	"bytes"
	"fmt"
	"io"

	"chargeback/extract/frame"
)

// csvRows reads the rows of a CSV file whose quoted cells may hold line breaks,
// each in memory that is bounded: encoding/csv would read the rest of a file into
// one row behind a quote that nobody closed.
//
// A row that is broken costs itself alone: reading goes on with the line after
// its first one. Behind a row that is too long it goes on where the row's quotes
// are closed, so that no line of a cell is ever taken for a row; where they never
// are, nobody knows what the rest was, and the file is an error.
type csvRows struct {
	in       io.Reader
	buf      []byte
	pos, end int   // what is not consumed yet
	line     int64 // of buf[pos], from 1
	max      int   // bytes of a row
	comma    byte  // between cells
	eof      bool
	long     bool // the row is longer than max
	err      error
	spans    []span
	cells    [][]byte
	text     []byte // cells of which doubled quotes were undone
}

// span is a cell's place behind pos; twice says that it holds doubled quotes.
type span struct {
	from, to int
	twice    bool
}

func newCSVRows(maxBytes int) *csvRows { return &csvRows{max: maxBytes, comma: ','} }

// reset starts anew on in and keeps the memory.
func (r *csvRows) reset(in io.Reader) {
	*r = csvRows{in: in, buf: r.buf, max: r.max, comma: r.comma, line: 1, spans: r.spans[:0], cells: r.cells[:0], text: r.text[:0]}
	if mark := []byte("\xef\xbb\xbf"); r.has(len(mark)-1) && bytes.HasPrefix(r.window(), mark) {
		r.pos += len(mark)
	}
}

// next returns the cells of the next row, which hold until the next call, and
// the line on which it starts. Lines without any text are no rows. It returns
// io.EOF after the last row, a *frame.BadRecord for a row that is broken, or an
// error after which nothing of the file is to be trusted.
func (r *csvRows) next() (cells [][]byte, line int64, err error) {
	for r.has(0) && (r.buf[r.pos] == '\n' || r.buf[r.pos] == '\r') {
		r.consume(1)
	}
	if !r.has(0) {
		if r.err == nil {
			r.err = io.EOF
		}
		return nil, r.line, r.err
	}
	line = r.line
	n, fault := r.row()
	switch {
	case r.err != nil:
		return nil, line, r.err
	case r.long:
		return nil, line, r.skipLong()
	case fault != "":
		r.skipLine()
		return nil, line, &frame.BadRecord{Line: line, Reason: "broken CSV: " + fault}
	}
	cells = r.split()
	r.consume(n)
	return cells, line, nil
}

// row finds the cells of the row at pos. n is its length with its end, fault what
// is wrong with it.
func (r *csvRows) row() (n int, fault string) {
	r.spans = r.spans[:0]
	for i := 0; ; i++ {
		var s span
		if r.has(i) && r.buf[r.pos+i] == '"' {
			if s, fault = r.quoted(i + 1); fault != "" {
				return 0, fault
			}
			i = s.to + 1
		} else {
			if s, fault = r.plain(i); fault != "" {
				return 0, fault
			}
			i = s.to
		}
		r.spans = append(r.spans, s)
		if r.has(i) && r.buf[r.pos+i] == '\r' && (!r.has(i+1) || r.buf[r.pos+i+1] == '\n') {
			i++
		}
		switch {
		case !r.has(i):
			return i, ""
		case r.buf[r.pos+i] == '\n':
			return i + 1, ""
		case r.buf[r.pos+i] != r.comma:
			return 0, "text behind a closing quote; double the quotes inside a cell"
		}
	}
}

// quoted finds the end of a cell whose first character behind its quote is at i.
func (r *csvRows) quoted(i int) (span, string) {
	s := span{from: i}
	for {
		w := r.window()
		if k := bytes.IndexByte(w[min(i, len(w)):], '"'); k >= 0 {
			i += k
		} else if i = len(w); r.has(i) {
			continue
		} else {
			return s, "a quote is never closed"
		}
		if !r.has(i+1) || r.buf[r.pos+i+1] != '"' {
			s.to = i
			return s, ""
		}
		s.twice = true
		i += 2
	}
}

// plain finds the end of a cell without quotes that starts at i.
func (r *csvRows) plain(i int) (span, string) {
	s := span{from: i}
	for {
		w := r.window()
		for i < len(w) && w[i] != r.comma && w[i] != '\n' && w[i] != '"' {
			i++
		}
		if i < len(w) && w[i] == '"' {
			return s, "a quote inside a cell that has none around it"
		}
		if i < len(w) || !r.has(i) {
			break
		}
	}
	if s.to = i; i > s.from && r.buf[r.pos+i-1] == '\r' {
		s.to--
	}
	return s, ""
}

// split returns the cells of the row that was found.
func (r *csvRows) split() [][]byte {
	r.cells, r.text = r.cells[:0], r.text[:0]
	if cap(r.text) > textBytesKept {
		r.text = nil
	}
	for _, s := range r.spans {
		cell := r.buf[r.pos+s.from : r.pos+s.to]
		if s.twice {
			from := len(r.text)
			r.text = undouble(r.text, cell)
			cell = r.text[from:len(r.text):len(r.text)]
		}
		r.cells = append(r.cells, cell)
	}
	return r.cells
}

// undouble appends a cell of which each "" stands for one quote.
func undouble(to, cell []byte) []byte {
	for {
		i := bytes.IndexByte(cell, '"')
		if i < 0 {
			return append(to, cell...)
		}
		to = append(to, cell[:i+1]...)
		cell = cell[i+2:]
	}
}

// window is what is there of the row, and no more than shows that it is too
// long, so that the verdict is the same however the bytes came.
func (r *csvRows) window() []byte { return r.buf[r.pos:min(r.end, r.pos+r.max+1)] }

// has reads on until the row's byte i is there. It is false where the file ends
// before, or the row is too long.
func (r *csvRows) has(i int) bool {
	for len(r.window()) <= i {
		if i > r.max {
			r.long = true
			return false
		}
		if r.eof || r.err != nil || !r.fill() {
			return false
		}
	}
	return true
}

// fill reads more behind what is there, and makes room for it first.
func (r *csvRows) fill() bool {
	if r.pos > 0 {
		copy(r.buf, r.buf[r.pos:r.end])
		r.pos, r.end = 0, r.end-r.pos
	}
	if r.end == len(r.buf) {
		r.buf = append(r.buf, make([]byte, max(len(r.buf), rowBytesMax))...)
	}
	for range 100 {
		n, err := r.in.Read(r.buf[r.end:])
		r.end += n
		switch {
		case err == io.EOF:
			r.eof = true
			return n > 0
		case err != nil:
			r.err = err
			return false
		case n > 0:
			return true
		}
	}
	r.err = io.ErrNoProgress
	return false
}

func (r *csvRows) consume(n int) {
	r.line += int64(bytes.Count(r.buf[r.pos:r.pos+n], []byte{'\n'}))
	r.pos += n
	r.long = false
}

// skipLine steps over the row's first line.
func (r *csvRows) skipLine() {
	for r.has(0) {
		w := r.window()
		if i := bytes.IndexByte(w, '\n'); i >= 0 {
			r.consume(i + 1)
			return
		}
		r.consume(len(w))
	}
}

// skipLong steps over a row that is too long, to the line's end at which its
// quotes are closed.
func (r *csvRows) skipLong() error {
	line, quoted := r.line, false
	for r.has(0) {
		w := r.window()
		for i, c := range w {
			if c == '"' {
				quoted = !quoted
			}
			if c == '\n' && !quoted {
				r.consume(i + 1)
				return r.tooLong(line)
			}
		}
		r.consume(len(w))
	}
	switch {
	case r.err != nil:
		return r.err
	case quoted:
		return fmt.Errorf("a quote in the row of line %d is never closed, so what follows can't be told from it; is the file cut off?", line)
	}
	return r.tooLong(line)
}

func (r *csvRows) tooLong(line int64) error {
	return &frame.BadRecord{Line: line, Reason: fmt.Sprintf("record is longer than %d bytes; raise the source's max_record_bytes", r.max)}
}

// decode is the loop that formats of tables share: header takes the first row,
// row each further one, which has as many cells. What row returns rejects it;
// what header returns is the file's fault.
func (r *csvRows) decode(in io.Reader, sink *Sink, header func(cells [][]byte) error, row func(cells [][]byte, line int64) error) error {
	r.reset(in)
	width := 0
	for {
		cells, line, err := r.next()
		bad, isBad := err.(*frame.BadRecord)
		switch {
		case err == io.EOF:
			return nil
		case isBad && width > 0:
			sink.Reject(bad.Line, bad.Reason)
			continue
		case isBad:
			return fmt.Errorf("line %d: %s", bad.Line, bad.Reason)
		case err != nil:
			return fmt.Errorf("line %d: %w", line, err)
		case width == 0:
			if err := header(cells); err != nil {
				return fmt.Errorf("line %d: %w", line, err)
			}
			width = len(cells)
			continue
		case len(cells) != width:
			err = fmt.Errorf("the row has %d cells and the header %d", len(cells), width)
		default:
			err = row(cells, line)
		}
		if err != nil {
			sink.Reject(line, err.Error())
		}
	}
}
