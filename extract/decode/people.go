package decode

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"chargeback/extract/record"
)

// People reads the CSV of who belongs where: email, department, cost_center,
// valid_from and valid_to (dates; valid_to is exclusive, empty is open).
// Columns may stand in any order and others are ignored.
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
	text := bufio.NewReader(r)
	if head, _ := text.Peek(3); bytes.Equal(head, []byte("\xef\xbb\xbf")) {
		if _, err := text.Discard(3); err != nil {
			return err
		}
	}
	rows := csv.NewReader(text)
	rows.FieldsPerRecord = -1
	rows.ReuseRecord = true
	header, err := rows.Read()
	if err != nil {
		return fmt.Errorf("line 1: read header: %w", err)
	}
	at, err := columnsOf(header)
	if err != nil {
		return fmt.Errorf("line 1: %w", err)
	}
	for {
		row, err := rows.Read()
		var broken *csv.ParseError
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, &broken):
			sink.Reject(int64(broken.StartLine), "broken CSV: "+broken.Err.Error())
			continue
		case err != nil:
			return err
		}
		n, _ := rows.FieldPos(0)
		person, err := personOf(row, at)
		if err != nil {
			sink.Reject(int64(n), err.Error())
			continue
		}
		sink.Person(&person, int64(n))
	}
}

func columnsOf(header []string) ([]int, error) {
	at := make([]int, len(peopleColumns))
	for i, name := range peopleColumns {
		at[i] = slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), name) })
		if at[i] < 0 {
			return nil, fmt.Errorf("column %s is missing; the header must name %s", name, strings.Join(peopleColumns, ", "))
		}
	}
	return at, nil
}

func personOf(row []string, at []int) (p record.Person, err error) {
	cell := func(i int) string {
		if at[i] >= len(row) {
			return ""
		}
		return strings.TrimSpace(row[at[i]])
	}
	p.Email = []byte(NormEmail(cell(0)))
	p.Department, p.CostCenter = []byte(cell(1)), []byte(cell(2))
	for i, v := range [][]byte{p.Email, p.Department, p.CostCenter} {
		if len(v) == 0 {
			return p, &FieldError{peopleColumns[i], "is empty"}
		}
	}
	if p.ValidFrom, err = day(cell(3), "valid_from"); err != nil {
		return p, err
	}
	p.ValidTo = openEnd
	if s := cell(4); s != "" {
		if p.ValidTo, err = day(s, "valid_to"); err != nil {
			return p, err
		}
	}
	if p.ValidTo <= p.ValidFrom {
		return p, &FieldError{"valid_to", "does not come after valid_from; it is the first day that no longer counts"}
	}
	return p, nil
}

func day(s, field string) (int64, error) {
	t, err := time.Parse("2006-01-02", s)
	if err != nil {
		return 0, &FieldError{field, "is not a date such as 2026-10-31"}
	}
	return daysFromCivil(t.Year(), int(t.Month()), t.Day()), nil
}

// NormEmail is the form in which addresses are compared: trimmed, lower-case,
// Unicode NFC.
func NormEmail(s string) string {
	return norm.NFC.String(strings.ToLower(strings.TrimSpace(s)))
}

// email normalises s where it is an address; any other user id keeps its case.
func email(s []byte) []byte {
	if bytes.IndexByte(s, '@') < 0 {
		return s
	}
	for _, c := range s {
		if c >= 0x80 || c >= 'A' && c <= 'Z' {
			return []byte(NormEmail(string(s)))
		}
	}
	return s
}
