package decode

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"chargeback/extract/record"
)

// People reads the CSV of who belongs where: email, department, cost_center,
// valid_from and valid_to (dates; valid_to is exclusive, empty is open).
// Columns may stand in any order and others are ignored. A row is one line, so
// that a quote which nobody closed costs that row alone.
type People struct{}

// Name implements Format.
func (People) Name() string { return PeopleName }

// Schema implements Format.
func (People) Schema() *record.Schema { return record.PeopleSchema }

// Decoder implements Format.
func (People) Decoder(Env) Decoder { return peopleDecoder{} }

var peopleColumns = []string{"email", "department", "cost_center", "valid_from", "valid_to"}

// openEnd is the day after which nothing lies: 9999-12-31.
var openEnd = daysFromCivil(9999, 12, 31)

type peopleDecoder struct{}

// Decode implements Decoder.
func (peopleDecoder) Decode(r io.Reader, sink *Sink) error {
	in := rowReader{in: bufio.NewReaderSize(r, rowBytesMax)}
	var columns peopleColumnsAt
	for in.next() {
		cells, err := in.cells()
		switch {
		case err == nil && cells == nil:
			continue
		case columns.at == nil:
			if err == nil {
				err = columns.find(cells)
			}
			if err != nil {
				return fmt.Errorf("line %d: %w", in.line, err)
			}
			continue
		}
		var person record.Person
		if err == nil {
			person, err = columns.person(cells)
		}
		if err != nil {
			sink.Reject(in.line, err.Error())
			continue
		}
		sink.Person(&person, in.line)
	}
	switch {
	case in.err != io.EOF:
		return fmt.Errorf("line %d: %w", in.line+1, in.err)
	case columns.at == nil:
		return fmt.Errorf("the file is empty; its first line must name %s", strings.Join(peopleColumns, ", "))
	}
	return nil
}

const rowBytesMax = 1 << 16

// rowReader reads the rows of a CSV file, one a line.
type rowReader struct {
	in   *bufio.Reader
	text []byte // the line without its end
	long bool   // it was longer than rowBytesMax and is gone
	line int64  // its number, from 1
	err  error  // why there is no next line
}

func (r *rowReader) next() bool {
	text, err := r.in.ReadSlice('\n')
	for r.long = false; err == bufio.ErrBufferFull; _, err = r.in.ReadSlice('\n') {
		text, r.long = nil, true
	}
	if len(text) > rowBytesMax {
		text, r.long = nil, true
	}
	if err != nil && (err != io.EOF || len(text) == 0 && !r.long) {
		r.err = err
		return false
	}
	if r.line++; r.line == 1 {
		text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	}
	r.text = bytes.TrimSpace(text)
	return true
}

// cells splits the line; a line without any cell gives nil.
func (r *rowReader) cells() ([]string, error) {
	switch {
	case r.long:
		return nil, fmt.Errorf("the row is longer than %d bytes", rowBytesMax)
	case len(bytes.Trim(r.text, ", \t")) == 0: // spreadsheets leave rows of commas behind
		return nil, nil
	case bytes.IndexByte(r.text, '"') < 0:
		return strings.Split(string(r.text), ","), nil
	}
	cells, err := csv.NewReader(bytes.NewReader(r.text)).Read()
	if broken, ok := errors.AsType[*csv.ParseError](err); ok {
		return nil, fmt.Errorf("broken CSV: %w; close each quote in its row", broken.Err)
	}
	return cells, err
}

// peopleColumnsAt says in which columns of a file the fields stand.
type peopleColumnsAt struct {
	at    []int // by peopleColumns, nil before the header was read
	width int
}

// find reads the header.
func (c *peopleColumnsAt) find(cells []string) error {
	at := make([]int, len(peopleColumns))
	for i, name := range peopleColumns {
		at[i] = -1
		for k, cell := range cells {
			if !strings.EqualFold(strings.TrimSpace(cell), name) {
				continue
			}
			if at[i] >= 0 {
				return fmt.Errorf("column %s occurs twice; keep one of them", name)
			}
			at[i] = k
		}
		if at[i] < 0 {
			return fmt.Errorf("column %s is missing; the header must name %s, with commas between", name, strings.Join(peopleColumns, ", "))
		}
	}
	c.at, c.width = at, len(cells)
	return nil
}

func (c *peopleColumnsAt) person(cells []string) (person record.Person, err error) {
	if len(cells) > c.width {
		return person, errors.New("the row has more cells than the header; put quotes around a cell that holds a comma")
	}
	cell := func(i int) string {
		if c.at[i] >= len(cells) {
			return ""
		}
		return strings.TrimSpace(cells[c.at[i]])
	}
	for i, name := range peopleColumns[:3] {
		switch s := cell(i); {
		case s == "":
			return person, &FieldError{name, "is empty"}
		case !utf8.ValidString(s):
			return person, &FieldError{name, "is not valid UTF-8; save the file as UTF-8"}
		}
	}
	person.Email = []byte(NormEmail(cell(0)))
	person.Department, person.CostCenter = []byte(cell(1)), []byte(cell(2))
	if person.ValidFrom, err = day(cell(3), "valid_from"); err != nil {
		return person, err
	}
	person.ValidTo = openEnd
	if s := cell(4); s != "" {
		if person.ValidTo, err = day(s, "valid_to"); err != nil {
			return person, err
		}
	}
	if person.ValidTo <= person.ValidFrom {
		return person, &FieldError{"valid_to", "does not come after valid_from; it is the first day that no longer counts"}
	}
	return person, nil
}

func day(s, field string) (int64, error) {
	t, err := time.Parse("2006-01-02", s)
	if err != nil || t.Year() < 1 {
		return 0, &FieldError{field, "is not a date such as 2026-10-31"}
	}
	return daysFromCivil(t.Year(), int(t.Month()), t.Day()), nil
}

// NormEmail is the form in which addresses are compared: trimmed, lower-case,
// Unicode NFC.
func NormEmail(s string) string {
	return norm.NFC.String(strings.ToLower(strings.TrimSpace(s)))
}

// email normalises s where it is an address; any other user id keeps its case,
// and what is not UTF-8 stays as it is, to be refused.
func email(s []byte) []byte {
	if bytes.IndexByte(s, '@') < 0 || !utf8.Valid(s) {
		return s
	}
	for _, c := range s {
		if c >= 0x80 || c >= 'A' && c <= 'Z' {
			return []byte(NormEmail(string(s)))
		}
	}
	return s
}
