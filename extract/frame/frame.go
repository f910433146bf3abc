// Package frame finds the records in an object's bytes.
//
// It owns: unpacking (gzip with any number of members and zstd, told by
// content, never by name), the byte order mark, and where one JSON value ends
// and the next begins in NDJSON, arrays, pretty-printed and concatenated text.
// It does not own: what a record means (extract/decode).
package frame

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"chargeback/extract/decode/jsonscan"
)

// Plain returns the unpacked bytes of r. The error of a corrupt or truncated
// archive comes from Read.
func Plain(r io.Reader) (io.ReadCloser, error) {
	b := bufio.NewReaderSize(r, 1<<18)
	head, err := b.Peek(4)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("read first bytes: %w", err)
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fmt.Errorf("open gzip: %w", err)
		}
		return z, nil
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, fmt.Errorf("open zstd: %w", err)
		}
		return z.IOReadCloser(), nil
	}
	return io.NopCloser(b), nil
}

// BadRecord is a record that can't be read; the records after it can.
type BadRecord struct {
	Line   int64
	Reason string
}

func (e *BadRecord) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

const bufferBytes = 1 << 18

// Reader finds JSON values in a stream.
type Reader struct {
	r        io.Reader
	buf      []byte
	pos, end int
	line     int64 // line of buf[pos], from 1
	max      int
	eof      bool
	started  bool
	lines    bool // one record a line, learnt from the first record
}

// NewReader reads values of at most maxBytes bytes from r.
func NewReader(r io.Reader, maxBytes int) *Reader {
	f := &Reader{max: maxBytes}
	f.Reset(r)
	return f
}

// Reset starts anew on r and keeps the buffer.
func (f *Reader) Reset(r io.Reader) {
	if f.buf == nil || len(f.buf) > 8*bufferBytes {
		f.buf = make([]byte, min(bufferBytes, f.max+1))
	}
	*f = Reader{r: r, buf: f.buf, max: f.max, line: 1}
}

// Next calls scan with text that starts at the next value. scan returns the
// value's length, or jsonscan.ErrShort where it needs more text and is then
// called again. Next returns the line on which the value starts, io.EOF after
// the last value, a *BadRecord where one record is broken, or the reader's own
// error, after which nothing of the object is to be trusted. What scan kept of
// the text holds until the next call.
func (f *Reader) Next(scan func([]byte) (int, error)) (int64, error) {
	if err := f.separators(); err != nil {
		return f.line, err
	}
	if f.lines {
		return f.nextLine(scan)
	}
	line := f.line
	for {
		n, err := scan(f.buf[f.pos:f.end])
		switch {
		case err == nil:
			f.learn(n)
			f.advance(n)
			return line, nil
		case errors.Is(err, jsonscan.ErrShort) && !f.eof:
			if f.end-f.pos > f.max {
				return line, f.tooLong(line)
			}
			if err := f.fill(); err != nil {
				return line, err
			}
		default:
			return line, f.resync(line, err)
		}
	}
}

// nextLine is Next where every record is one line.
func (f *Reader) nextLine(scan func([]byte) (int, error)) (int64, error) {
	line := f.line
	text, err := f.restOfLine()
	if err != nil {
		var bad *BadRecord
		if errors.As(err, &bad) {
			return line, bad
		}
		return line, err
	}
	n, err := scan(text)
	if err != nil {
		f.pos += len(text)
		return line, &BadRecord{line, err.Error()}
	}
	f.pos += n
	return line, nil
}

// restOfLine returns the text up to the line's end, without consuming it.
func (f *Reader) restOfLine() ([]byte, error) {
	from := f.pos
	for {
		if i := bytes.IndexByte(f.buf[from:f.end], '\n'); i >= 0 {
			return f.buf[f.pos : from+i], nil
		}
		if f.eof {
			return f.buf[f.pos:f.end], nil
		}
		if f.end-f.pos > f.max {
			return nil, f.tooLong(f.line)
		}
		seen := f.end - f.pos
		if err := f.fill(); err != nil {
			return nil, err
		}
		from = f.pos + seen
	}
}

// learn notes whether the object is line by line: the first record has no
// line break inside and one behind.
func (f *Reader) learn(n int) {
	if f.started {
		return
	}
	f.started = true
	after := bytes.TrimLeft(f.buf[f.pos+n:f.end], " \r\t")
	f.lines = len(after) > 0 && after[0] == '\n' && bytes.IndexByte(f.buf[f.pos:f.pos+n], '\n') < 0
}

func (f *Reader) advance(n int) {
	f.line += int64(bytes.Count(f.buf[f.pos:f.pos+n], []byte{'\n'}))
	f.pos += n
}

// separators steps over white space, commas, the brackets of an array around
// the records, and the byte order mark.
func (f *Reader) separators() error {
	for {
		for f.pos < f.end {
			switch c := f.buf[f.pos]; c {
			case '\n':
				f.line++
				f.pos++
			case ' ', '\t', '\r', ',', '[', ']':
				f.pos++
			case 0xef:
				if !bytes.HasPrefix(f.buf[f.pos:f.end], []byte("\xef\xbb\xbf")) {
					return nil
				}
				f.pos += 3
			default:
				return nil
			}
		}
		if f.eof {
			return io.EOF
		}
		if err := f.fill(); err != nil {
			return err
		}
	}
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

// tooLong drops the record up to its line's end.
func (f *Reader) tooLong(line int64) error {
	for {
		if i := bytes.IndexByte(f.buf[f.pos:f.end], '\n'); i >= 0 {
			f.pos += i
			break
		}
		f.pos, f.end = 0, 0
		if f.eof {
			break
		}
		if err := f.fill(); err != nil {
			return err
		}
	}
	return &BadRecord{line, fmt.Sprintf("record is longer than %d bytes; raise the source's max_record_bytes", f.max)}
}

// resync goes on after a broken record: at the next line that starts a value.
func (f *Reader) resync(line int64, cause error) error {
	bad := &BadRecord{line, cause.Error()}
	for first := true; ; first = false {
		text, err := f.restOfLine()
		if err != nil {
			var long *BadRecord
			if errors.As(err, &long) {
				return bad
			}
			return err
		}
		trimmed := bytes.TrimLeft(text, " \t,[")
		if !first && len(trimmed) > 0 && trimmed[0] == '{' {
			return bad
		}
		f.pos += len(text)
		if f.pos < f.end {
			f.pos++
			f.line++
		} else if f.eof {
			return bad
		}
	}
}
