// Package civil holds calendar dates and months without a time of day or a
// zone: what business people mean by "31 October" and "October".
//
// It owns: reading and writing them as 2026-10-31 and 2026-10, arithmetic on
// them, and the one rule that ties them to instants: a day starts at its first
// instant in a named zone, also where midnight is skipped or happens twice.
// It does not own: which zone counts (config) or which days a run covers (jobs).
package civil

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Date is a calendar day of the Gregorian calendar. It is comparable. The zero
// value is no date: IsZero, printed as "".
type Date struct {
	Year int
	Mon  time.Month
	Day  int
}

// Min and Max stand for "since ever" and "for ever" in ranges of dates.
var (
	Min = Date{Year: 1, Mon: time.January, Day: 1}
	Max = Date{Year: 9999, Mon: time.December, Day: 31}
)

// ParseDate reads 2026-10-31.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < Min.Year {
		return Date{}, fmt.Errorf("%q is not a date; write it as 2026-10-31", s)
	}
	return DateOf(t, time.UTC), nil
}

// DateOf is the day that instant t falls on in zone.
func DateOf(t time.Time, zone *time.Location) Date {
	year, month, day := t.In(zone).Date()
	return Date{year, month, day}
}

// String prints 2026-10-31, and "" for the zero value.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Mon), d.Day)
}

// IsZero says whether d is no date.
func (d Date) IsZero() bool { return d == Date{} }

// AddDays is the day n days later, or earlier where n is negative.
func (d Date) AddDays(n int) Date { return DateOf(d.utc().AddDate(0, 0, n), time.UTC) }

// DaysSince is the number of days from earlier to d; negative where d comes first.
func (d Date) DaysSince(earlier Date) int {
	const secondsPerDay = 24 * 60 * 60
	return int((d.utc().Unix() - earlier.utc().Unix()) / secondsPerDay)
}

// Compare returns -1, 0 or 1 as d is before, the same as or after other.
func (d Date) Compare(other Date) int {
	return cmp.Or(
		cmp.Compare(d.Year, other.Year),
		cmp.Compare(d.Mon, other.Mon),
		cmp.Compare(d.Day, other.Day),
	)
}

// Before says whether d comes before other.
func (d Date) Before(other Date) bool { return d.Compare(other) < 0 }

// Month is the month that d lies in.
func (d Date) Month() Month { return Month{d.Year, d.Mon} }

// Start is the first instant of d in zone. Where the clocks skip midnight that
// is the instant after the gap; where midnight happens twice it is the first.
// A day that the zone skipped altogether starts with the next one.
func (d Date) Start(zone *time.Location) time.Time {
	midnight := d.utc()
	offset := func(t time.Time) time.Duration {
		_, seconds := t.In(zone).Zone()
		return time.Duration(seconds) * time.Second
	}
	// The offset that held a day earlier finds the first of two midnights. Zones
	// are at most 14 hours from UTC, so 40 hours back is always that day.
	start := midnight.Add(-offset(midnight.Add(-40 * time.Hour))).In(zone)
	if DateOf(start, zone) == d && isMidnight(start) {
		return start
	}
	changed, _ := start.ZoneBounds()
	before := DateOf(changed.Add(-1), zone)
	if before.Before(d) && !DateOf(changed, zone).Before(d) {
		return changed
	}
	return midnight.Add(-offset(start)).In(zone)
}

func isMidnight(t time.Time) bool {
	hour, minute, second := t.Clock()
	return hour == 0 && minute == 0 && second == 0
}

// MarshalText prints what String prints.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what ParseDate reads; empty text is the zero value.
func (d *Date) UnmarshalText(text []byte) error {
	*d = Date{}
	if len(text) == 0 {
		return nil
	}
	parsed, err := ParseDate(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

func (d Date) utc() time.Time { return time.Date(d.Year, d.Mon, d.Day, 0, 0, 0, 0, time.UTC) }

// EachOnce are days without repeats, oldest first. It orders the list that it is given.
func EachOnce(days []Date) []Date {
	slices.SortFunc(days, Date.Compare)
	return slices.Compact(days)
}
