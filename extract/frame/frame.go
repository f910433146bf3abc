// Package frame finds the records in an object's bytes.
//
// It owns: unpacking (gzip with any number of members, also twice, and zstd, told
// by content, never by name), the byte order mark, the time that a log service
// writes before each record, where one JSON object ends and the next begins in
// NDJSON, arrays, pretty-printed and concatenated text, and where to go on after
// a broken one.
// It does not own: what a record means (extract/decode).
package frame

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"chargeback/extract/decode/jsonscan"
)

// BadRecord is a record that can't be read; the records after it can.
type BadRecord struct {
	Line   int64
	Reason string
	// Start is how text that is no object begins, for formats that know what is
	// written between their records. It is content: it is never shown.
	Start []byte
}

func (e *BadRecord) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// unless returns e, or err where there is one.
func (e *BadRecord) unless(err error) error {
	if err != nil {
		return err
	}
	return e
}

// ErrCut says that the text ends inside a list of records: what stood behind that
// is lost, so the object is none of which any part can be trusted.
var ErrCut = errors.New("the text is cut off before the bracket that ends its list")

// layout is how an object's records lie, learnt from the first one.
type layout uint8

const (
	unknown layout = iota // no record was read yet
	oneLine               // the first record has no line break inside; what follows it is not known yet
	perLine               // one record a line
	free                  // anything: arrays, pretty-printed, concatenated
)

// Reader finds JSON objects in a stream. What it finds doesn't depend on how
// many bytes each Read gives.
type Reader struct {
	r        io.Reader
	buf      []byte
	pos, end int   // what is not consumed yet
	line     int64 // line of buf[pos], from 1
	column   int   // bytes before buf[pos] in its line, behind the last record
	max      int
	eof      bool
	layout   layout
	squeezer *jsonscan.Squeezer
	longer   int   // bytes of a record beyond which it is squeezed
	lists    int   // brackets that are open around the records
	opened   int64 // line of the first of them
	after    after // what was read last
}

// after is what stands before the place that a reader has come to.
type after uint8

const (
	nothing  after = iota // of a list, or of the text
	aRecord               // or a list that has ended
	aComma                // behind a record of a list
	aProblem              // that was told; what it swallowed is not known
	theEnd                // inside a record
)

const bufferBytes = 1 << 18

// NewReader reads records of at most maxBytes bytes from r. A record that is
// longer than the buffer goes through squeezer, and what that keeps is scanned;
// without a squeezer it is read as a whole.
func NewReader(r io.Reader, maxBytes int, squeezer *jsonscan.Squeezer) *Reader {
	f := &Reader{max: maxBytes, squeezer: squeezer, longer: bufferBytes - 1}
	if squeezer == nil {
		f.longer = maxBytes
	}
	f.Reset(r)
	return f
}

// Reset starts anew on r and keeps the buffer.
func (f *Reader) Reset(r io.Reader) {
	if f.buf == nil || len(f.buf) > 8*bufferBytes {
		f.buf = make([]byte, min(bufferBytes, f.max+1))
	}
	*f = Reader{r: r, buf: f.buf, max: f.max, line: 1, squeezer: f.squeezer, longer: f.longer}
}

// Next calls scan with text that starts at the next record. scan returns the
// record's length, or jsonscan.ErrShort itself where it needs more text, and
// is then called again. Next returns the line on which the record starts,
// io.EOF after the last record, a *BadRecord where one record is broken, or the
// reader's own error, after which nothing of the object is to be trusted. What
// scan kept of the text holds until the next call.
func (f *Reader) Next(scan func([]byte) (int, error)) (int64, error) {
	if err := f.separators(); err != nil {
		return f.line, err
	}
	line, err := f.record(scan)
	bad, broken := err.(*BadRecord)
	switch {
	case !broken:
		f.after = aRecord
	case bad.Reason == jsonscan.ErrShort.Error() && f.eof && f.pos == f.end:
		f.after = theEnd
	default:
		f.after = aProblem
	}
	return line, err
}

// record is Next at the place where a record begins.
func (f *Reader) record(scan func([]byte) (int, error)) (int64, error) {
	if f.buf[f.pos]-'0' <= 9 {
		if err := f.stamp(); err != nil {
			return f.line, err
		}
	}
	switch line := f.line; {
	case f.pos == f.end || f.buf[f.pos] != '{':
		return line, f.skipText(line)
	case f.layout == perLine:
		return f.nextLine(scan)
	}
	return f.nextFree(scan)
}

// nextFree is Next where a record may end anywhere.
func (f *Reader) nextFree(scan func([]byte) (int, error)) (int64, error) {
	line := f.line
	for {
		text := f.window()
		n, err := scan(text)
		switch {
		case err == nil:
			f.learn(text[:n])
			f.consume(n)
			return line, f.fits(n, line)
		case err == jsonscan.ErrShort && len(text) > f.max:
			return line, f.skip(f.tooLong(), true)
		case err != jsonscan.ErrShort || f.eof:
			return line, f.skip(err.Error(), true)
		case len(text) > f.longer:
			return f.nextLong(scan)
		}
		if err := f.double(); err != nil {
			return line, err
		}
	}
}

// nextLong is Next for a record that is read through the squeezer, line by line.
func (f *Reader) nextLong(scan func([]byte) (int, error)) (int64, error) {
	line, indent, size := f.line, f.column, 0
	f.squeezer.Begin()
	for {
		text := f.buf[f.pos:min(f.end, f.pos+f.max+1-size)]
		if end := bytes.IndexByte(text, '\n'); end >= 0 {
			text = text[:end+1]
		}
		n, done, err := f.squeezer.Push(text)
		f.consume(n)
		size += n
		switch {
		case err != nil:
			return line, f.goOn(line, indent, err.Error())
		case done:
			return line, f.squeezed(scan, line, size)
		case size > f.max:
			return line, f.goOn(line, indent, f.tooLong())
		}
		if cut, err := f.cut(text[n-1] == '\n'); cut || err != nil {
			return line, (&BadRecord{Line: line, Reason: jsonscan.ErrShort.Error()}).unless(err)
		}
	}
}

// cut says whether a long record that is not done ends here: with the text, or,
// where each record has a line, at the start of the next one. If it doesn't there
// is more text.
func (f *Reader) cut(lineStart bool) (bool, error) {
	if lineStart && f.layout == perLine {
		if begins, err := f.begins(0, 0); begins || err != nil {
			return begins, err
		}
	}
	_, more, err := f.peek(0)
	return !more, err
}

// squeezed scans what was kept of a long record of so many bytes that began on
// line.
func (f *Reader) squeezed(scan func([]byte) (int, error), line int64, size int) error {
	f.learnLines(f.line > line)
	if _, err := scan(f.squeezer.Text()); err != nil {
		return &BadRecord{Line: line, Reason: err.Error()}
	}
	return f.fits(size, line)
}

// nextLine is Next where every record is one line.
func (f *Reader) nextLine(scan func([]byte) (int, error)) (int64, error) {
	text, whole, err := f.restOfLine()
	if err != nil {
		return f.line, err
	}
	if !whole {
		return f.nextFree(scan) // a line of many records, or a record that is too long
	}
	line := f.line
	n, err := scan(text)
	switch {
	case err == nil:
		f.pos, f.column = f.pos+n, 0
		if len(bytes.TrimLeft(text[n:], " \t\r,]")) > 0 {
			f.layout = free
		}
		return line, f.fits(n, line)
	case err == jsonscan.ErrShort:
		begins, peekErr := f.begins(len(text)+1, 0)
		if peekErr != nil {
			return line, peekErr
		}
		if !begins && !f.drained(len(text)+1) {
			return f.nextFree(scan) // it goes on in the next line
		}
	}
	return line, f.skip(err.Error(), false)
}

// window is what a scan may see: not more than shows that a record is too long,
// so that the verdict is the same for every size of buffer.
func (f *Reader) window() []byte { return f.buf[f.pos:min(f.end, f.pos+f.max+1)] }

// restOfLine returns the text up to the line's end, without consuming it, and
// false where the line is longer than a record may be.
func (f *Reader) restOfLine() (text []byte, whole bool, err error) {
	seen := 0
	for {
		text := f.window()
		if i := bytes.IndexByte(text[seen:], '\n'); i >= 0 {
			return text[:seen+i], true, nil
		}
		if len(text) > min(f.max, f.longer) || f.eof {
			return text, f.eof && len(text) <= f.max, nil
		}
		seen = len(text)
		if err := f.fill(); err != nil {
			return nil, false, err
		}
	}
}

func (f *Reader) fits(n int, line int64) error {
	if n > f.max {
		return &BadRecord{Line: line, Reason: f.tooLong()}
	}
	return nil
}

func (f *Reader) tooLong() string {
	return fmt.Sprintf("record is longer than %d bytes; raise the source's max_record_bytes", f.max)
}

// learn notes what a record that was read by nextFree tells of the layout.
func (f *Reader) learn(record []byte) {
	f.learnLines(bytes.IndexByte(record, '\n') >= 0)
}

// learnLines notes whether a record has a line break inside. Where each had a
// line so far, what follows this one tells whether it had, too.
func (f *Reader) learnLines(breaks bool) {
	if breaks || f.layout == free {
		f.layout = free
	} else {
		f.layout = oneLine
	}
}

func (f *Reader) consume(n int) {
	f.line += int64(bytes.Count(f.buf[f.pos:f.pos+n], []byte{'\n'}))
	f.pos += n
	f.column = 0
}

// separators steps over white space, commas, the brackets of an array around
// the records, and byte order marks. An array that ends before its bracket, or
// lacks a record beside a comma, has lost something, and is an error.
func (f *Reader) separators() error {
	for {
		for f.pos < f.end {
			c := f.buf[f.pos]
			switch c {
			case '\n':
				f.line++
				f.column = -1
			case ' ', '\t', '\r':
			case ',', '[', ']':
				if err := f.bracket(c); err != nil {
					return err
				}
			case 0xef:
				if mark, err := f.byteOrderMark(); !mark || err != nil {
					return err
				}
				f.pos += 2
				f.column--
			default:
				f.settle(false)
				return nil
			}
			f.step(c)
		}
		if f.eof {
			return f.ended()
		}
		if err := f.fill(); err != nil {
			return err
		}
	}
}

// bracket notes a comma or a bracket between records.
func (f *Reader) bracket(c byte) error {
	before := f.after
	switch {
	case c == '[':
		if f.lists++; f.lists == 1 {
			f.opened = f.line
		}
		f.after = nothing
		return nil
	case c == ',' && f.lists > 0:
		f.after = aComma
	case c == ',':
		return nil // some write one behind each record of a line
	default:
		f.lists, f.after = max(0, f.lists-1), aRecord
	}
	if before != aComma && (before != nothing || c != ',') {
		return nil
	}
	return fmt.Errorf("a record is missing beside a comma of the list that begins on line %d; deliver the object again", f.opened)
}

// step goes over one byte between records.
func (f *Reader) step(c byte) {
	f.settle(c == '\n' || c == ' ' || c == '\t' || c == '\r')
	f.pos++
	f.column++
}

// ended is what the end of the text means. A problem may have swallowed the
// bracket.
func (f *Reader) ended() error {
	if f.lists == 0 || f.after == aProblem {
		return io.EOF
	}
	return fmt.Errorf("%w, which begins on line %d; deliver the object again", ErrCut, f.opened)
}

// settle decides the layout by what follows a first record of one line.
func (f *Reader) settle(space bool) {
	switch {
	case f.layout != oneLine:
	case !space:
		f.layout = free
	case f.buf[f.pos] == '\n':
		f.layout = perLine
	}
}

func (f *Reader) byteOrderMark() (bool, error) {
	mark := []byte("\xef\xbb\xbf")
	for i := range mark {
		if c, ok, err := f.peek(i); c != mark[i] || !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// peek returns the byte i bytes ahead; false where the text ends before.
func (f *Reader) peek(i int) (byte, bool, error) {
	for f.pos+i >= f.end {
		if f.eof {
			return 0, false, nil
		}
		if err := f.fill(); err != nil {
			return 0, false, err
		}
	}
	return f.buf[f.pos+i], true, nil
}

// drained says whether no text lies i bytes ahead, as far as was read.
func (f *Reader) drained(i int) bool { return f.eof && f.pos+i >= f.end }

// begins says whether the line that starts i bytes ahead begins with a record,
// indented by at most indent bytes: what is indented deeper lies inside one.
func (f *Reader) begins(i, indent int) (bool, error) {
	if n, err := f.stampAt(i); n > 0 || err != nil {
		return n > 0, err
	}
	for end := i + min(indent, 256); i <= end; i++ {
		c, ok, err := f.peek(i)
		if !ok || c == '{' {
			return ok, err
		}
		if c != ' ' && c != '\t' && c != ',' && c != '[' {
			return false, nil
		}
	}
	return false, nil
}

// double reads until twice the text is there, so that scanning a long record
// again and again costs no more than a few times its length.
func (f *Reader) double() error {
	want := min(2*(f.end-f.pos), f.max+1)
	for f.end-f.pos < want && !f.eof {
		if err := f.fill(); err != nil {
			return err
		}
	}
	return nil
}

// fill reads more text behind what is there, and makes room for it first.
func (f *Reader) fill() error {
	if f.pos > 0 {
		copy(f.buf, f.buf[f.pos:f.end])
		f.pos, f.end = 0, f.end-f.pos
	}
	if f.end == len(f.buf) {
		f.buf = append(f.buf, make([]byte, len(f.buf))...)
	}
	for range 100 {
		n, err := f.r.Read(f.buf[f.end:])
		f.end += n
		if err == io.EOF {
			f.eof = true
			return nil
		}
		if err != nil {
			return err
		}
		if n > 0 {
			return nil
		}
	}
	return io.ErrNoProgress
}

// skip steps over a broken record, which starts here, and returns what was
// wrong with it. It goes to the end of the line where there is one record a
// line; else to the next line that begins with a record, or, by brackets, to
// the bracket that closes the record, whichever comes first.
func (f *Reader) skip(reason string, brackets bool) error {
	return f.skipFrom(&BadRecord{Line: f.line, Reason: reason}, f.column, brackets, 0, false, false)
}

// goOn is skip for a record that began on another line and column, and was read
// to where the squeezer stands.
func (f *Reader) goOn(line int64, indent int, reason string) error {
	quoted, escaped := f.squeezer.Quoted()
	return f.skipFrom(&BadRecord{Line: line, Reason: reason}, indent, true, f.squeezer.Depth(), quoted, escaped)
}

// skipFrom steps over the rest of a record that is indented so far, and of which
// so many brackets are open.
func (f *Reader) skipFrom(bad *BadRecord, indent int, brackets bool, depth int, quoted, escaped bool) error {
	for {
		c, ok, err := f.peek(0)
		if !ok || err != nil {
			return bad.unless(err)
		}
		f.pos++
		switch {
		case c == '\n':
			f.line, f.column, quoted, escaped = f.line+1, 0, false, false
			if begins, err := f.begins(0, indent); begins || err != nil || f.layout == perLine {
				return bad.unless(err)
			}
		case escaped:
			escaped = false
		case c == '\\':
			escaped = quoted
		case c == '"':
			quoted = !quoted
		case quoted || !brackets:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth <= 0 {
				if depth < 0 && c == ']' {
					f.lists = max(0, f.lists-1)
				}
				return bad
			}
		}
	}
}
