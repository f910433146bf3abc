package bigquery

import (
	"fmt"
	"strings"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

// functions are those of warehouse.Functions as GoogleSQL writes them.
var functions = map[string]string{
	"usd":                usdOfPico,
	"total_usd":          "ifnull(sum($), cast('0' as bignumeric))",
	"month_of":           "format_date('%Y-%m', $)",
	"first_of_month":     "date_trunc($, month)",
	"date_of_days":       "date_add(date '1970-01-01', interval $ day)",
	"micros_of":          "unix_micros($)",
	"pico_of":            "cast(($) * 1000000000000 as int64)",
	"sha256_hex":         "to_hex(sha256($))",
	"hex_int":            "cast(concat('0x', $) as int64)",
	"id_key":             "from_hex(if(regexp_contains($, r'^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}') and length($) = 36 and substr($, 15, 1) <> '8', replace($, '-', ''), concat(substr(to_hex(sha256($)), 1, 12), '8', substr(to_hex(sha256($)), 14, 19))))",
	"key_text":           "concat(substr(to_hex($), 1, 8), '-', substr(to_hex($), 9, 4), '-', substr(to_hex($), 13, 4), '-', substr(to_hex($), 17, 4), '-', substr(to_hex($), 21, 12))",
	"utc_minute_of_week": "mod(div(unix_micros($), 60000000) + 5760, 10080)",
}

const usdOfPico = "(cast($ as bignumeric) * cast('0.000000000001' as bignumeric))"

var sqlTypes = map[record.Type]string{
	record.Text: "string", record.Int: "int64", record.Bool: "bool", record.Time: "timestamp", record.Date: "date", record.USD: "bignumeric", record.Sum: "bignumeric", record.ID: "bytes",
}

func (s *Store) dialect() warehouse.Dialect { return Dialect(s.named) }

// Dialect is GoogleSQL over tables that have these names.
func Dialect(named func(name string) (string, error)) warehouse.Dialect {
	return warehouse.Dialect{Table: named, Literal: literal, Functions: functions}
}

// named is what a name of a text stands for.
func (s *Store) named(name string) (string, error) {
	if w, is := s.works[name]; is {
		return s.from(w), nil
	}
	if full, is := s.names[name]; is {
		return full, nil
	}
	return "", fmt.Errorf("there is no table, view or work table %s", name)
}

// from is what reads a work table.
func (s *Store) from(w work) string {
	if w.table == "" {
		return "(" + w.text + ")"
	}
	full := s.fullIn(s.o.WorkDataset, w.table)
	if !w.raw {
		return full
	}
	values := make([]string, len(w.columns))
	for i, c := range w.columns {
		values[i] = c.Name
		if form, is := fromRaw[c.Type]; is {
			values[i] = strings.ReplaceAll(form, "$", c.Name) + " as " + c.Name
		}
	}
	return "(select " + strings.Join(values, ", ") + " from " + full + ")"
}

// fromRaw are the columns that travel as whole numbers, or as hex.
var fromRaw = map[record.Type]string{
	record.Time: "timestamp_micros($)",
	record.Date: "date_add(date '1970-01-01', interval $ day)",
	record.USD:  usdOfPico,
	record.ID:   "from_hex($)",
}

func literal(v any) (string, error) {
	if key, is := v.(record.Key); is {
		return fmt.Sprintf("from_hex('%x')", key[:]), nil
	}
	return warehouse.Literal(v, quote)
}

// quote writes a text literal of GoogleSQL.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range s {
		switch {
		case r == '\'' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f || r == 0x2028 || r == 0x2029:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// asText writes rows as a select of at most max bytes; "" where they don't fit.
func asText(t warehouse.Table, rows [][]any, most int) (string, error) {
	if len(rows) > rowsMax {
		return "", nil
	}
	types := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		types[i] = c.Name + " " + sqlTypes[c.Type]
	}
	kind := "struct<" + strings.Join(types, ", ") + ">"
	next := ",\n  "
	if len(types) == 1 { // in brackets it would be a value, not a row
		next += kind
	}
	var b strings.Builder
	b.WriteString("select " + t.ColumnNames() + " from unnest([\n  " + kind)
	for n, row := range rows {
		if err := warehouse.FitRow(t, row); err != nil {
			return "", err
		}
		values := make([]string, len(row))
		for i, v := range row {
			text, err := literal(v)
			if err != nil {
				return "", fmt.Errorf("insert into %s: column %s: %w", t.Name, t.Columns[i].Name, err)
			}
			values[i] = text
		}
		if n > 0 {
			b.WriteString(next)
		}
		b.WriteString("(" + strings.Join(values, ", ") + ")")
		if b.Len() > most {
			return "", nil
		}
	}
	b.WriteString("\n])")
	return b.String(), nil
}

// More rows than rowsMax, or more text than textMax in one script, is loaded.
const (
	rowsMax = 500
	textMax = 100_000
)
