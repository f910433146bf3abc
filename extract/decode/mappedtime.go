package decode

import (
	"fmt"
	"strings"
	"time"

	"chargeback/extract/decode/jsonscan"
)

// TimeFormats are the words for how times are written, besides a pattern.
func TimeFormats() []string {
	return []string{"rfc3339", "unix", "unix_ms", "unix_us", "unix_ns", "ticks"}
}

// clockReader reads times that are written one way.
type clockReader struct {
	word   string // one of TimeFormats, "" for a layout
	layout string // Go's
	zone   *time.Location
	zoned  bool // the layout has a zone
	days   bool // the layout has no time of day: each time is the start of its day
}

// newClockReader takes one of TimeFormats or a pattern of Unicode's date fields.
func newClockReader(format string, zone *time.Location) (c clockReader, err error) {
	if c.zone = zone; zone == nil {
		c.zone = time.UTC
	}
	for _, word := range TimeFormats() {
		if format == word {
			c.word = word
			return c, nil
		}
	}
	var has string
	c.layout, has, err = goLayout(format)
	c.zoned, c.days = strings.ContainsAny(has, "XZ"), !strings.ContainsAny(has, "Hh")
	return c, err
}

// patternFields are the fields of Unicode's date patterns in Go's layouts.
var patternFields = map[string]string{
	"yyyy": "2006", "MM": "01", "M": "1", "dd": "02", "d": "2", "HH": "15", "H": "15", "hh": "03", "h": "3", "mm": "04", "m": "4", "ss": "05", "s": "5",
	"a": "PM", "tt": "PM", "XXX": "Z07:00", "Z": "-0700", "MMM": "Jan", "EEE": "Mon",
}

// goLayout turns a pattern such as M/d/yyyy h:mm:ss a into Go's layout, and says
// which letters of fields it has. Fractions of a second (S) are read whether the
// pattern has them or not.
func goLayout(pattern string) (layout, has string, err error) {
	var b strings.Builder
	for i := 0; i < len(pattern); {
		c := pattern[i]
		n := 1
		for i+n < len(pattern) && pattern[i+n] == c {
			n++
		}
		field := pattern[i : i+n]
		switch {
		case c == '\'':
			end := strings.IndexByte(pattern[i+1:], '\'')
			if end < 0 {
				return "", "", fmt.Errorf("%q has a quote that is not closed; close it", pattern)
			}
			b.WriteString(pattern[i+1 : i+1+end])
			n = end + 2
		case c == 'S':
			if text := b.String(); strings.HasSuffix(text, ".") || strings.HasSuffix(text, ",") {
				b.Reset()
				b.WriteString(text[:len(text)-1])
			}
		case patternFields[field] != "":
			b.WriteString(patternFields[field])
			has += string(c)
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' && c != 'T':
			return "", "", fmt.Errorf("%q has the field %s; use one of %s, or a pattern of yyyy MM dd HH mm ss SSS a XXX", pattern, field, strings.Join(TimeFormats(), ", "))
		default:
			b.WriteString(field)
		}
		i += n
	}
	return b.String(), has, wholeDay(pattern, has)
}

// wholeDay refuses a pattern that doesn't tell a day, or of its time only a part.
func wholeDay(pattern, has string) error {
	timed := strings.ContainsAny(has, "Hhmsat")
	switch {
	case !strings.Contains(has, "y") || !strings.Contains(has, "M") || !strings.Contains(has, "d"):
		return fmt.Errorf("%q has no year, month or day; use one of %s, or a pattern such as yyyy-MM-dd HH:mm:ss, or yyyy-MM-dd for days", pattern, strings.Join(TimeFormats(), ", "))
	case timed && !(strings.ContainsAny(has, "Hh") && strings.Contains(has, "m")):
		return fmt.Errorf("%q has a time of day without hours or minutes; write both, or none where records name only days", pattern)
	}
	return nil
}

// ticksOf1970 are the .NET ticks of 100 ns from the year 1 to 1970.
const ticksOf1970 = 621355968000000000

// read reads a time as microseconds UTC.
func (c *clockReader) read(v jsonscan.Value, field string) (us int64, err error) {
	if v.Kind == jsonscan.Absent {
		return 0, &FieldError{field, "is missing"}
	}
	raw, ok := trim(text(v)), false
	switch c.word {
	case "rfc3339":
		if c.zone == time.UTC {
			return instant(jsonscan.Value{Kind: jsonscan.String, Raw: raw}, field)
		}
		if us, ok = clockText(raw); ok && !hasZone(raw) {
			us, ok = c.local(us)
		}
	case "unix":
		us, ok = shifted(raw, 6)
	case "unix_ms":
		us, ok = shifted(raw, 3)
	case "unix_us":
		us, ok = shifted(raw, 0)
	case "unix_ns":
		us, ok = shifted(raw, 0)
		us /= 1000
	case "ticks":
		us, ok = shifted(raw, 0)
		us = (us - ticksOf1970) / 10
	default:
		t, parseErr := time.Parse(c.layout, string(raw))
		us, ok = t.UnixMicro(), parseErr == nil
		switch {
		case !ok:
		case c.days:
			us = c.startOfDay(t)
		case c.zoned:
		default:
			us, ok = c.local(us)
		}
	}
	switch {
	case !ok:
		return 0, &FieldError{field, "is not a time as the source's settings describe it, or one that its zone's clocks never showed"}
	case us < yearMinMicros || us >= yearEndMicros:
		return 0, &FieldError{field, "lies outside the years 2015 to 2100"}
	}
	return us, nil
}

// hasZone says whether a time ends in Z or an offset.
func hasZone(s []byte) bool {
	if len(s) < 20 {
		return false
	}
	tail := string(s[len(s)-6:])
	return strings.HasSuffix(tail, "Z") || tail[0] == '+' || tail[0] == '-'
}

// local takes a clock's reading, given as if it were UTC, for one of the zone. Of
// the two hours of an autumn night the first counts; a reading that clocks skip
// in spring is none.
func (c *clockReader) local(us int64) (int64, bool) {
	wall := time.UnixMicro(us).UTC()
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), c.zone)
	if t.Hour() != wall.Hour() || t.Minute() != wall.Minute() {
		return 0, false
	}
	for _, earlier := range []time.Duration{time.Hour, 30 * time.Minute} {
		if e := t.Add(-earlier); e.Hour() == wall.Hour() && e.Minute() == wall.Minute() && e.Day() == wall.Day() {
			t = e
			break
		}
	}
	return t.UnixMicro(), true
}

// startOfDay is the first moment of a day of the zone, which is no midnight where
// the clocks skip it.
func (c *clockReader) startOfDay(day time.Time) int64 {
	t := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, c.zone)
	for t.Day() != day.Day() {
		t = t.Add(15 * time.Minute)
	}
	return t.UnixMicro()
}
