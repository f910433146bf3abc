package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Size is a number of bytes, written as 64MB (10^6) or 64MiB (2^20).
type Size int64

type sizeUnit struct {
	name  string
	bytes int64
}

// sizeUnits stand largest first, so that String finds the largest that divides.
func sizeUnits() []sizeUnit {
	return []sizeUnit{
		{"TiB", 1 << 40}, {"TB", 1e12}, {"GiB", 1 << 30}, {"GB", 1e9},
		{"MiB", 1 << 20}, {"MB", 1e6}, {"KiB", 1 << 10}, {"kB", 1e3}, {"KB", 1e3}, {"B", 1},
	}
}

// ParseSize reads a whole number and a unit: 64MB, 1 GiB. A number without a
// unit is refused, because nobody can tell what it counts.
func ParseSize(s string) (Size, error) {
	text := strings.TrimSpace(s)
	for _, unit := range sizeUnits() {
		digits, ok := strings.CutSuffix(text, unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > (1<<62)/unit.bytes {
			break
		}
		return Size(n * unit.bytes), nil
	}
	return 0, fmt.Errorf("%q is not a size; write a whole number and a unit, such as 512MB, 1GB or 512MiB", s)
}

// String prints the size in the largest unit that divides it.
func (s Size) String() string {
	for _, unit := range sizeUnits() {
		if s != 0 && int64(s)%unit.bytes == 0 {
			return strconv.FormatInt(int64(s)/unit.bytes, 10) + unit.name
		}
	}
	return "0B"
}

// MarshalText prints what String prints.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what ParseSize reads.
func (s *Size) UnmarshalText(text []byte) error {
	parsed, err := ParseSize(string(text))
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}
