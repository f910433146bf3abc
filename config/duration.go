package config

import (
	"fmt"
	"strings"
	"time"
)

// Duration is a length of time, written as 90m, 1h or 1h30m.
type Duration time.Duration

// String prints it without units of zero: 1h, not 1h0m0s.
func (d Duration) String() string {
	text := time.Duration(d).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if rest, ends := strings.CutSuffix(text, zero); ends {
			text = rest + zero[:1]
		}
	}
	return text
}

// MarshalText prints what String prints.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads numbers with units; empty text is none.
func (d *Duration) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = 0
		return nil
	}
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a length of time; write a number and a unit, such as 30m, 1h or 1h30m", text)
	}
	*d = Duration(parsed)
	return nil
}
