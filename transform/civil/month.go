package civil

import (
	"cmp"
	"fmt"
	"time"
)

// Month is a calendar month. It is comparable. The zero value is no month:
// IsZero, printed as "".
type Month struct {
	Year  int
	Month time.Month
}

// ParseMonth reads 2026-10.
func ParseMonth(s string) (Month, error) {
	t, err := time.Parse("2006-01", s)
	if err != nil || t.Year() < Min.Year {
		return Month{}, fmt.Errorf("%q is not a month; write it as 2026-10", s)
	}
	return Month{t.Year(), t.Month()}, nil
}

// String prints 2026-10, and "" for the zero value.
func (m Month) String() string {
	if m.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d", m.Year, int(m.Month))
}

// IsZero says whether m is no month.
func (m Month) IsZero() bool { return m == Month{} }

// FirstDay is the first day of the month.
func (m Month) FirstDay() Date { return Date{m.Year, m.Month, 1} }

// LastDay is the last day of the month.
func (m Month) LastDay() Date { return m.Next().FirstDay().AddDays(-1) }

// Next is the month after m.
func (m Month) Next() Month { return m.FirstDay().AddDays(31).Month() }

// Prev is the month before m.
func (m Month) Prev() Month { return m.FirstDay().AddDays(-1).Month() }

// Contains says whether d lies in the month.
func (m Month) Contains(d Date) bool { return d.Month() == m }

// Compare returns -1, 0 or 1 as m is before, the same as or after other.
func (m Month) Compare(other Month) int {
	return cmp.Or(cmp.Compare(m.Year, other.Year), cmp.Compare(m.Month, other.Month))
}

// Before says whether m comes before other.
func (m Month) Before(other Month) bool { return m.Compare(other) < 0 }

// MarshalText prints what String prints.
func (m Month) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what ParseMonth reads; empty text is the zero value.
func (m *Month) UnmarshalText(text []byte) error {
	*m = Month{}
	if len(text) == 0 {
		return nil
	}
	parsed, err := ParseMonth(string(text))
	if err != nil {
		return err
	}
	*m = parsed
	return nil
}
