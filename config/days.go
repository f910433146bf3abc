package config

import (
	"fmt"
	"strconv"
)

// DayCount is a whole number of days that may be left open.
type DayCount struct {
	Set  bool
	Days int
}

// daysMost is the most days that a setting may count.
const daysMost = 3650

// String prints the number, and nothing where it is left open.
func (d DayCount) String() string {
	if !d.Set {
		return ""
	}
	return strconv.Itoa(d.Days)
}

// MarshalText prints what String prints.
func (d DayCount) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads a whole number of 0 or more; empty text leaves it open.
func (d *DayCount) UnmarshalText(text []byte) error {
	*d = DayCount{}
	if len(text) == 0 {
		return nil
	}
	n, err := strconv.ParseUint(string(text), 10, 31)
	if err != nil {
		return fmt.Errorf("%q is not a number of days; write a whole number, 0 is never", text)
	}
	*d = DayCount{Set: true, Days: int(n)}
	return nil
}
