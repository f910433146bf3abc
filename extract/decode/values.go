package decode

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"math"
	"strconv"
	"time"

	"chargeback/extract/decode/jsonscan"
)

// FieldError says which field of a record is wrong and how. It never quotes
// the field's content.
type FieldError struct{ Field, Reason string }

func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }

// text returns the characters of a string field, or of a number written where
// a string was meant. A field of another kind is empty.
func text(v jsonscan.Value) []byte {
	switch v.Kind {
	case jsonscan.String:
		if v.Escaped {
			return []byte(v.Text())
		}
		return v.Raw
	case jsonscan.Number:
		return v.Raw
	}
	return nil
}

var zeroUUID = []byte("00000000-0000-0000-0000-000000000000")

// id returns a normalised identifier: trimmed; the words that exporters write
// for "none" and the zero UUID are empty; UUIDs and hex are lower-cased, all
// else keeps its case because ids such as msg_... are case sensitive.
func id(v jsonscan.Value) []byte { return normID(text(v)) }

func normID(s []byte) []byte {
	s = bytes.TrimSpace(s)
	switch len(s) {
	case 0:
		return nil
	case 2, 4:
		switch string(s) {
		case "NA", "None", "none", "null", "NULL":
			return nil
		}
	case 3:
		if string(s) == "N/A" {
			return nil
		}
	case 36:
		if bytes.Equal(s, zeroUUID) {
			return nil
		}
	}
	if upper, hex := hexForm(s); hex && upper {
		return bytes.ToLower(s)
	}
	return s
}

// hexForm says whether s has nothing but hex digits and dashes, and whether an
// upper-case letter is among them.
func hexForm(s []byte) (upper, hex bool) {
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c == '-':
		case c >= 'A' && c <= 'F':
			upper = true
		default:
			return false, false
		}
	}
	return upper, true
}

// whole reads a count: a number or digits in quotes, with no fraction but .0.
// Absent is 0.
func whole(v jsonscan.Value, field string) (int64, error) {
	if v.Kind == jsonscan.Absent {
		return 0, nil
	}
	raw := v.Raw
	if v.Kind == jsonscan.String {
		raw = bytes.TrimSpace(raw)
	} else if v.Kind != jsonscan.Number {
		return 0, &FieldError{field, "is not a number"}
	}
	if dot := bytes.IndexByte(raw, '.'); dot >= 0 && len(bytes.Trim(raw[dot+1:], "0")) == 0 && dot+1 < len(raw) {
		raw = raw[:dot]
	}
	if len(raw) > 0 && raw[0] == '-' {
		return 0, &FieldError{field, "is negative"}
	}
	if len(raw) == 0 || len(raw) > 19 {
		return 0, &FieldError{field, "is not a whole number of at most 19 digits"}
	}
	var n uint64
	for _, c := range raw {
		if c < '0' || c > '9' {
			return 0, &FieldError{field, "is not a whole number"}
		}
		n = n*10 + uint64(c-'0')
	}
	if n > math.MaxInt64 {
		return 0, &FieldError{field, "is larger than a 64-bit number"}
	}
	return int64(n), nil
}

// picoUSD reads a decimal amount of US dollars as whole pico-dollars, rounded
// half away from zero. It is for amounts that are only compared, never owed.
func picoUSD(v jsonscan.Value, field string) (pico int64, present bool, err error) {
	if v.Kind != jsonscan.Number && (v.Kind != jsonscan.String || len(v.Raw) == 0) {
		return 0, false, nil
	}
	pico, ok := shifted(v.Raw, 12)
	if !ok {
		return 0, false, &FieldError{field, "is not a decimal amount"}
	}
	return pico, true, nil
}

// shifted reads a decimal number times 10^places, rounded half away from zero.
func shifted(raw []byte, places int) (int64, bool) {
	negative := len(raw) > 0 && raw[0] == '-'
	if negative || len(raw) > 0 && raw[0] == '+' {
		raw = raw[1:]
	}
	mantissa, exponent := raw, 0
	if e := bytes.IndexAny(raw, "eE"); e >= 0 {
		n, err := strconv.Atoi(string(raw[e+1:]))
		if err != nil || n > 40 || n < -400 {
			return 0, false
		}
		mantissa, exponent = raw[:e], n
	}
	dot := bytes.IndexByte(mantissa, '.')
	digits := mantissa
	if dot >= 0 {
		digits = append(append(make([]byte, 0, len(mantissa)), mantissa[:dot]...), mantissa[dot+1:]...)
		exponent -= len(mantissa) - dot - 1
	}
	if len(digits) == 0 {
		return 0, false
	}
	keep := len(digits) + exponent + places // digits that stay before the point
	var n uint64
	for i := range max(keep, len(digits)) {
		c := byte('0')
		if i < len(digits) {
			c = digits[i]
		}
		if c < '0' || c > '9' {
			return 0, false
		}
		if i == keep && c >= '5' {
			n++
		}
		if i >= keep {
			continue
		}
		if n > (math.MaxInt64-9)/10 {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	if n > math.MaxInt64 {
		return 0, false
	}
	if negative {
		return -int64(n), true
	}
	return int64(n), true
}

// Timestamps outside these years are a mistake in the unit or the clock.
const (
	yearMin = 2015
	yearMax = 2100
)

// instant reads a point in time as microseconds UTC: seconds since 1970 with a
// fraction, RFC 3339, or a naive "2025-01-24 09:20:46.847371", taken as UTC.
func instant(v jsonscan.Value, field string) (int64, error) {
	var us int64
	switch v.Kind {
	case jsonscan.Number:
		n, ok := shifted(v.Raw, 6)
		if !ok {
			return 0, &FieldError{field, "is not seconds since 1970"}
		}
		us = n
	case jsonscan.String:
		n, ok := clockText(v.Raw)
		if !ok {
			return 0, &FieldError{field, "is not a time such as 2026-10-31T23:59:40Z"}
		}
		us = n
	case jsonscan.Absent:
		return 0, &FieldError{field, "is missing"}
	default:
		return 0, &FieldError{field, "is not a time"}
	}
	if year := time.UnixMicro(us).UTC().Year(); year < yearMin || year > yearMax {
		return 0, &FieldError{field, "lies outside the years 2015 to 2100"}
	}
	return us, nil
}

func clockText(s []byte) (int64, bool) {
	if us, ok := plainUTC(s); ok {
		return us, true
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, string(s)); err == nil {
			return t.UnixMicro(), true
		}
	}
	return 0, false
}

// plainUTC reads 2026-10-31T23:59:40Z, the form of nearly every record.
func plainUTC(s []byte) (int64, bool) {
	if len(s) != 20 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s[19] != 'Z' {
		return 0, false
	}
	two := func(i int) int {
		a, b := s[i]-'0', s[i+1]-'0'
		if a > 9 || b > 9 {
			return -1000000
		}
		return int(a)*10 + int(b)
	}
	y, mo, d, h, mi, sec := two(0)*100+two(2), two(5), two(8), two(11), two(14), two(17)
	if y < 0 || mo < 1 || mo > 12 || d < 1 || d > 28 || h < 0 || h > 23 || mi < 0 || mi > 59 || sec < 0 || sec > 59 {
		return 0, false // days 29 to 31 go the long way, which knows the months
	}
	return (daysFromCivil(y, mo, d)*86400 + int64(h*3600+mi*60+sec)) * 1e6, true
}

// daysFromCivil counts days since 1970-01-01 in the Gregorian calendar.
func daysFromCivil(y, m, d int) int64 {
	if m <= 2 {
		y, m = y-1, m+12
	}
	era := y / 400
	yearOfEra := y - era*400
	dayOfYear := (153*(m-3)+2)/5 + d - 1
	dayOfEra := yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear
	return int64(era)*146097 + int64(dayOfEra) - 719468
}

// Calendar turns instants into business dates of one zone.
type Calendar struct {
	zone  *time.Location
	hour  int64 // the UTC hour of the last answer
	shift int64 // the zone's offset in that hour, in microseconds
	valid bool
}

const hourMicros = 3600 * 1e6

// Date returns the days since 1970-01-01 of the local date at us. Zones change
// their offset on whole UTC quarter hours at the finest, so an hour in which
// the offset differs at its two ends is asked each time.
func (c *Calendar) Date(us int64) int64 {
	hour := floorDiv(us, hourMicros)
	if !c.valid || hour != c.hour {
		start, end := c.offset(hour*hourMicros), c.offset((hour+1)*hourMicros-1)
		if start != end {
			c.valid = false
			return floorDiv(us+c.offset(us), 24*hourMicros)
		}
		c.hour, c.shift, c.valid = hour, start, true
	}
	return floorDiv(us+c.shift, 24*hourMicros)
}

func (c *Calendar) offset(us int64) int64 {
	_, seconds := time.UnixMicro(us).In(c.zone).Zone()
	return int64(seconds) * 1e6
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// recordKey hashes a natural key to 22 characters: SHA-256 cut to 128 bits, so
// that nobody who chooses ids can make two requests look like one.
func recordKey(dst []byte, scratch *[]byte, parts ...[]byte) []byte {
	b := (*scratch)[:0]
	for _, p := range parts {
		b = append(b, p...)
		b = append(b, 0)
	}
	*scratch = b
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.AppendEncode(dst[:0], sum[:16])
}
