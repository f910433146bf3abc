package decode

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

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
		if v.Escaped && utf8.Valid(v.Raw) { // other text stays as it is and is refused as a whole
			return []byte(v.Text())
		}
		return v.Raw
	case jsonscan.Number:
		return v.Raw
	}
	return nil
}

// name returns a trimmed text; the words that exporters write for "none" are
// empty.
func name(v jsonscan.Value) []byte {
	s := trim(text(v))
	switch len(s) {
	case 0:
		return nil
	case 2, 3, 4:
		switch string(s) {
		case "NA", "N/A", "None", "none", "null", "NULL":
			return nil
		}
	}
	return s
}

// trim is bytes.TrimSpace, and quick where there is nothing to trim.
func trim(s []byte) []byte {
	if len(s) > 0 && s[0]-'!' < 0x5e && s[len(s)-1]-'!' < 0x5e { // ASCII that shows
		return s
	}
	return bytes.TrimSpace(s)
}

// id returns a normalised identifier: a name of which UUIDs and long hex are
// lower-cased and the zero UUID is empty. All else keeps its case, because ids
// such as msg_... are case sensitive and codes such as CC-1001 are not hex.
func id(v jsonscan.Value) []byte { return normID(name(v)) }

func normID(s []byte) []byte {
	switch {
	case string(s) == "00000000-0000-0000-0000-000000000000":
		return nil
	case hasCapitals(s) && (isUUID(s) || len(s) >= 16 && isHex(s)):
		return bytes.ToLower(s)
	}
	return s
}

func hasCapitals(s []byte) bool {
	for ; len(s) >= 8; s = s[8:] {
		// Adding to seven bits of each byte carries into its eighth from 'A' on,
		// and from behind 'Z' on.
		const ones, sevens = 0x0101010101010101, 0x7f7f7f7f7f7f7f7f
		w := binary.LittleEndian.Uint64(s)
		fromA, behindZ := w&sevens+ones*(0x80-'A'), w&sevens+ones*(0x80-'Z'-1)
		if fromA&^behindZ&^w&(ones*0x80) != 0 {
			return true
		}
	}
	for _, c := range s {
		if c-'A' < 26 {
			return true
		}
	}
	return false
}

func isUUID(s []byte) bool {
	return len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' &&
		isHex(s[:8]) && isHex(s[9:13]) && isHex(s[14:18]) && isHex(s[19:23]) && isHex(s[24:])
}

func isHex(s []byte) bool {
	for _, c := range s {
		if c-'0' > 9 && (c|0x20)-'a' > 5 {
			return false
		}
	}
	return true
}

// missing says whether a field is absent, or a text that means the same.
func missing(v jsonscan.Value) bool {
	return v.Kind == jsonscan.Absent || v.Kind == jsonscan.String && len(name(v)) == 0
}

// tokensMax is the largest count of tokens that is believed, far above what any
// model takes: with it, what one record costs fits DECIMAL(18,12).
const tokensMax = 100_000_000

// searchesMax is more web searches than a provider runs for one request.
const searchesMax = 1_000

// whole reads a count: a number or digits in quotes, with no fraction but .0.
// Absent is 0.
func whole(v jsonscan.Value, field string) (int64, error) {
	raw := v.Raw
	switch v.Kind {
	case jsonscan.Absent:
		return 0, nil
	case jsonscan.Number:
	case jsonscan.String:
		raw = bytes.TrimSpace(raw)
	default:
		return 0, &FieldError{field, "is not a number"}
	}
	if dot := bytes.IndexByte(raw, '.'); dot >= 0 && dot+1 < len(raw) && len(bytes.Trim(raw[dot+1:], "0")) == 0 {
		raw = raw[:dot]
	}
	switch {
	case len(raw) == 0:
		return 0, &FieldError{field, "is not a whole number"}
	case raw[0] == '-':
		return 0, &FieldError{field, "is negative"}
	}
	var n int64
	for _, c := range raw {
		if c < '0' || c > '9' {
			return 0, &FieldError{field, "is not a whole number"}
		}
		n = min(n*10+int64(c-'0'), tokensMax+1)
	}
	if n > tokensMax {
		return 0, &FieldError{field, "is larger than 100,000,000"}
	}
	return n, nil
}

// amountPicoMax is the largest amount that fits DECIMAL(18,12).
const amountPicoMax = 999_999_999_999_999_999

// picoUSD reads a decimal amount of US dollars as whole pico-dollars, rounded
// half away from zero. It is for amounts that are only compared, never owed.
func picoUSD(v jsonscan.Value, field string) (pico int64, present bool, err error) {
	if v.Kind != jsonscan.Number && v.Kind != jsonscan.String || missing(v) {
		return 0, false, nil
	}
	pico, ok := shifted(bytes.TrimSpace(v.Raw), 12)
	if !ok || pico > amountPicoMax || pico < -amountPicoMax {
		return 0, false, &FieldError{field, "is not a decimal amount below 1,000,000 US dollars"}
	}
	return pico, true, nil
}

// shifted reads a decimal number times 10^places, rounded half away from zero.
// It reports false for what is not a number and for what doesn't fit.
func shifted(raw []byte, places int) (int64, bool) {
	negative := len(raw) > 0 && raw[0] == '-'
	if negative || len(raw) > 0 && raw[0] == '+' {
		raw = raw[1:]
	}
	mantissa, exponent, ok := cutExponent(raw)
	whole := bytes.IndexByte(mantissa, '.')
	if whole < 0 {
		whole = len(mantissa)
	}
	var n uint64
	keep, seen := whole+exponent+places, 0 // digits that stay, digits read
	for i, c := range mantissa {
		if i == whole {
			continue
		}
		digit := c - '0'
		if digit > 9 {
			return 0, false
		}
		switch {
		case seen < keep:
			n, ok = timesTen(n, digit, ok)
		case seen == keep && digit >= 5:
			n++
		}
		seen++
	}
	for zeros := seen; zeros < keep && n > 0 && ok; zeros++ {
		n, ok = timesTen(n, 0, ok)
	}
	if !ok || seen == 0 || n > math.MaxInt64 {
		return 0, false
	}
	if negative {
		return -int64(n), true
	}
	return int64(n), true
}

// cutExponent splits 2.5e-05 into 2.5 and -5. Exponents that only a number out
// of all bounds can have are refused.
func cutExponent(raw []byte) (mantissa []byte, exponent int, ok bool) {
	for i, c := range raw {
		if c|0x20 == 'e' {
			exponent, err := strconv.Atoi(string(raw[i+1:]))
			return raw[:i], exponent, err == nil && exponent <= 400 && exponent >= -400
		}
	}
	return raw, 0, true
}

// timesTen appends a digit to n; ok stays false once it was, or n overflowed.
func timesTen(n uint64, digit byte, ok bool) (uint64, bool) {
	if n > (math.MaxInt64-9)/10 {
		return 0, false
	}
	return n*10 + uint64(digit), ok
}

// Times outside these years, 2015 to 2100, are a mistake in the unit or the
// clock.
const (
	yearMinMicros = 1420070400 * 1e6
	yearEndMicros = 4133980800 * 1e6
)

// instant reads a point in time as microseconds UTC: seconds since 1970 with a
// fraction, RFC 3339, or a naive "2025-01-24 09:20:46.847371", taken as UTC.
func instant(v jsonscan.Value, field string) (int64, error) {
	var us int64
	var ok bool
	switch {
	case v.Kind == jsonscan.Number:
		if us, ok = shifted(v.Raw, 6); !ok {
			return 0, &FieldError{field, "is not seconds since 1970"}
		}
	case missing(v):
		return 0, &FieldError{field, "is missing"}
	case v.Kind == jsonscan.String:
		if us, ok = clockText(text(v)); !ok {
			return 0, &FieldError{field, "is not a time such as 2026-10-31T23:59:40Z"}
		}
	default:
		return 0, &FieldError{field, "is not a time"}
	}
	if us < yearMinMicros || us >= yearEndMicros {
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

// plainUTC reads 2026-10-31T23:59:40Z and 2026-10-31 23:59:40.847371, the forms
// of nearly every record. What it doesn't know goes the long way.
func plainUTC(s []byte) (int64, bool) {
	if len(s) < 19 || s[4] != '-' || s[7] != '-' || s[10] != 'T' && s[10] != ' ' || s[13] != ':' || s[16] != ':' {
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
	if y < 0 || mo < 1 || mo > 12 || d < 1 || d > 31 || h < 0 || h > 23 || mi < 0 || mi > 59 || sec < 0 || sec > 59 {
		return 0, false
	}
	days := daysFromCivil(y, mo, d)
	if d > 28 && days >= daysFromCivil(y+mo/12, mo%12+1, 1) {
		return 0, false // the month is shorter
	}
	fraction, ok := micros(bytes.TrimSuffix(s[19:], []byte{'Z'}))
	return (days*86400+int64(h*3600+mi*60+sec))*1e6 + fraction, ok
}

// micros reads .847371 or nothing; digits beyond the sixth are cut off.
func micros(s []byte) (us int64, ok bool) {
	if len(s) == 0 {
		return 0, true
	}
	if s[0] != '.' || len(s) < 2 || len(s) > 10 {
		return 0, false
	}
	for i := range 6 {
		us *= 10
		if i+1 < len(s) {
			us += int64(s[i+1] - '0')
		}
	}
	for _, c := range s[1:] {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	return us, true
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

// recordKey hashes a natural key to 63 bits of its SHA-256. Two records of one
// day that met there by chance would show as a conflict, never as one record.
func recordKey(scratch *[]byte, parts ...[]byte) int64 {
	b := (*scratch)[:0]
	for _, p := range parts { // with their lengths, so that parts don't run into each other
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	*scratch = b
	sum := sha256.Sum256(b)
	return int64(binary.BigEndian.Uint64(sum[:8]) >> 1)
}
