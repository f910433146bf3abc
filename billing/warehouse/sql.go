package warehouse

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// Select is one select. Its text is the SQL that all engines share, with markers
// in braces, and with braces nowhere else:
//
//	{name}        a table, a stored view, a work table, or one of Views
//	{@name}       the value of an argument, as a literal
//	{usd(x)}      a function that engines write differently; see Functions
//
// A text that stands in Views takes the place of its marker, in brackets. Where
// it names itself it means what the name stands for without it.
type Select struct {
	Name  string // what it reads, for errors: "spend of a month"
	Text  string
	Args  Args
	Views map[string]string
	// Wide says of a work table that it has rows of whole days with all their columns:
	// an engine that keeps work tables in memory keeps it elsewhere.
	Wide bool
}

// Args are the arguments of a text: string, int, int64, bool, time.Time,
// civil.Date, civil.Month, money.USD, record.Key, nil, or []civil.Date, which is
// written as a list and must not be empty. How keys are written is an engine's own.
type Args map[string]any

// Functions are the names that may stand in a marker, each of one argument, with
// what it gives.
var Functions = map[string]string{
	"usd":                "an amount, of a whole number of 10^-12 US dollars",
	"total_usd":          "the sum of amounts, 0 where there is none",
	"month_of":           "a date's month as text, 2026-10",
	"first_of_month":     "the first day of a date's month",
	"date_of_days":       "the date so many days after 1970-01-01",
	"micros_of":          "microseconds since 1970 of a time",
	"pico_of":            "a whole number of 10^-12 US dollars, of an amount",
	"sha256_hex":         "the SHA-256 of a text's UTF-8 bytes, in lower-case hex",
	"hex_int":            "the whole number that up to 15 hex digits say",
	"id_key":             "the key of an id's text, as record.KeyOf makes it",
	"key_text":           "a key as a UUID is written, which is the id that it tells",
	"utc_minute_of_week": "the minute of the week of a time, from Sunday 00:00 UTC",
}

// Dialect is how an engine writes what markers stand for.
type Dialect struct {
	Table     func(name string) (string, error) // full name; an error where there is no such table
	Literal   func(v any) (string, error)
	Functions map[string]string // text by name, with $ for the argument
}

// Fill writes a select's text with all markers filled in. It fails on an argument
// without a value, so that a typing error never reads as null.
func (d Dialect) Fill(s Select) (string, error) {
	text, err := d.fill(s.Text, s.Args, s.Views)
	return text, s.Failed(err)
}

// FillOnce is Fill for selects without an order of their rows, in which each view
// stands once, before the select, whatever number of markers name it: for engines
// that read a long text slowly.
func (d Dialect) FillOnce(s Select) (string, error) {
	var parts []string
	done := map[string]bool{}
	named := d
	named.Table = func(name string) (string, error) {
		if done[name] {
			return name, nil
		}
		return d.Table(name)
	}
	var add func(text, within string) error
	add = func(text, within string) error {
		for _, name := range Named(text) {
			view, is := s.Views[name]
			if !is || name == within || done[name] {
				continue
			}
			if err := add(view, name); err != nil {
				return err
			}
			filled, err := named.fill(view, s.Args, nil)
			if err != nil {
				return fmt.Errorf("view %s: %w", name, err)
			}
			parts, done[name] = append(parts, name+" as (\n"+filled+"\n)"), true
		}
		return nil
	}
	if err := add(s.Text, ""); err != nil {
		return "", s.Failed(err)
	}
	text, err := named.fill(s.Text, s.Args, nil)
	if err != nil || len(parts) == 0 {
		return text, s.Failed(err)
	}
	return "with " + strings.Join(parts, ",\n") + "\nselect * from (\n" + text + "\n)", nil
}

// Failed says in an error which select it is of.
func (s Select) Failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", s.name(), err)
}

func (d Dialect) fill(text string, args Args, views map[string]string) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		end := closing(rest)
		if end < 0 {
			return "", fmt.Errorf("marker {%.30s is not closed", rest)
		}
		filled, err := d.marker(rest[:end], args, views)
		if err != nil {
			return "", err
		}
		out.WriteString(filled)
		text = rest[end+1:]
	}
}

// closing is the place of the brace that closes the one before text.
func closing(text string) int {
	depth := 1
	for i := range len(text) {
		switch text[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

func (d Dialect) marker(mark string, args Args, views map[string]string) (string, error) {
	if name, is := strings.CutPrefix(mark, "@"); is {
		v, ok := args[name]
		if !ok {
			return "", fmt.Errorf("marker {%s} has no value", mark)
		}
		text, err := d.literals(v)
		if err != nil {
			return "", fmt.Errorf("marker {%s}: %w", mark, err)
		}
		return text, nil
	}
	if name, argument, is := strings.Cut(mark, "("); is {
		form, ok := d.Functions[name]
		if _, known := Functions[name]; !ok || !known || !strings.HasSuffix(argument, ")") {
			return "", fmt.Errorf("marker {%.60s} names no function", mark)
		}
		filled, err := d.fill(strings.TrimSuffix(argument, ")"), args, views)
		return strings.ReplaceAll(form, "$", filled), err
	}
	if view, is := views[mark]; is {
		beneath := maps.Clone(views)
		delete(beneath, mark)
		text, err := d.fill(view, args, beneath)
		if err != nil {
			return "", fmt.Errorf("view %s: %w", mark, err)
		}
		return "(\n" + text + "\n)", nil
	}
	return d.Table(mark)
}

func (d Dialect) literals(v any) (string, error) {
	days, is := v.([]civil.Date)
	if !is {
		return d.Literal(v)
	}
	if len(days) == 0 {
		return "", fmt.Errorf("an empty list of days")
	}
	texts := make([]string, len(days))
	for i, day := range days {
		text, err := d.Literal(day)
		if err != nil {
			return "", err
		}
		texts[i] = text
	}
	return strings.Join(texts, ", "), nil
}

// Named lists the names that the markers of a text stand for, each once, in
// order: tables and views, with those inside of functions.
func Named(text string) (names []string) {
	seen := map[string]bool{}
	var walk func(text string)
	walk = func(text string) {
		for {
			_, rest, found := strings.Cut(text, "{")
			end := closing(rest)
			if !found || end < 0 {
				return
			}
			mark := rest[:end]
			text = rest[end+1:]
			if _, argument, is := strings.Cut(mark, "("); is {
				walk(argument)
			} else if !strings.HasPrefix(mark, "@") && !seen[mark] {
				seen[mark] = true
				names = append(names, mark)
			}
		}
	}
	walk(text)
	return names
}

// Literal writes a value in the form that all engines read; only the quoting of
// text differs between them and is the caller's.
func Literal(v any, quote func(string) string) (string, error) {
	switch v := v.(type) {
	case string:
		return quote(v), nil
	case int:
		return fmt.Sprint(v), nil
	case int64:
		return fmt.Sprint(v), nil
	case bool:
		return fmt.Sprint(v), nil
	case time.Time:
		return "timestamp '" + v.UTC().Format("2006-01-02 15:04:05.000000") + "'", nil
	case civil.Date:
		return "date '" + v.String() + "'", nil
	case civil.Month:
		return "'" + v.String() + "'", nil
	case money.USD:
		return "cast('" + v.Fixed() + "' as bignumeric)", nil
	case nil:
		return "null", nil
	}
	return "", fmt.Errorf("a %T has no literal", v)
}
