package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"chargeback/transform/civil"
)

// value is a flag that reads its own text, so that a wrong one is refused
// before anything is opened.
type value[T any] struct {
	to    *T
	parse func(string) (T, error)
	kind  string // placeholder in help
}

// Set implements pflag.Value.
func (v value[T]) Set(text string) (err error) {
	*v.to, err = v.parse(text)
	return err
}

// String implements pflag.Value.
func (v value[T]) String() string {
	if v.to == nil {
		return ""
	}
	return fmt.Sprint(*v.to)
}

// Type implements pflag.Value.
func (v value[T]) Type() string { return v.kind }

func monthFlag(c *cobra.Command, to *civil.Month, help string) {
	c.Flags().Var(value[civil.Month]{to, civil.ParseMonth, "MONTH"}, "month", help)
}

func dateFlag(c *cobra.Command, name string, to *civil.Date, help string) {
	c.Flags().Var(value[civil.Date]{to, civil.ParseDate, "DATE"}, name, help)
}

// wholeFlag takes a whole number from least up.
func wholeFlag(c *cobra.Command, name string, to *int, least int, help string) {
	parse := func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < least {
			return 0, fmt.Errorf("%q is not a whole number from %d up", text, least)
		}
		return n, nil
	}
	c.Flags().Var(value[int]{to, parse, "N"}, name, help)
}

// The forms of a report.
const (
	formatTable = "table"
	formatJSON  = "json"
	formatCSV   = "csv"
	formatText  = "text" // of what is no table
)

func formatFlag(c *cobra.Command, to *string) {
	formats := []string{formatTable, formatJSON, formatCSV}
	*to = formatTable
	parse := func(text string) (string, error) {
		if !slices.Contains(formats, text) {
			return "", fmt.Errorf("%q is not a format; take %s", text, strings.Join(formats, ", "))
		}
		return text, nil
	}
	c.Flags().Var(value[string]{to, parse, "FORMAT"}, "format", "table, json or csv")
}

// logFlag says how a command speaks of its own work.
func logFlag(c *cobra.Command, to *string) {
	c.PersistentFlags().Var(value[string]{to, parseTextOrJSON, "FORMAT"}, "log-format", "what is said of the work: text, or json on stderr for machines")
}

// parseTextOrJSON takes a format of what is no table.
func parseTextOrJSON(text string) (string, error) {
	if text != formatText && text != formatJSON {
		return "", fmt.Errorf("%q is not a format; take text or json", text)
	}
	return text, nil
}

// waitFlag takes a time from 0 up.
func waitFlag(c *cobra.Command, to *time.Duration, help string) {
	*to = waitDefault
	parse := func(text string) (time.Duration, error) {
		long, err := time.ParseDuration(text)
		if err != nil || long < 0 {
			return *to, fmt.Errorf("%q is not a time to wait; write one such as 30s or 5m, or 0s to not wait", text)
		}
		return long, nil
	}
	c.PersistentFlags().Var(value[time.Duration]{to, parse, "LONG"}, "wait", help)
}

// flagError words what is wrong with a flag.
func flagError(c *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		return usage("--%s: %w", invalid.GetFlag().Name, errors.Unwrap(invalid))
	}
	return usage("%w; see \"%s --help\"", err, c.CommandPath())
}
