package bqledger

import (
	"fmt"
	"regexp"
	"strings"

	"chargeback/billing/ledger"
)

// macros are the functions that models call by the same names on every engine.
var macros = map[string]string{
	"usd":                "(cast($ as bignumeric) * cast('0.000000000001' as bignumeric))",
	"total_usd":          "ifnull(sum($), cast('0' as bignumeric))",
	"month_of":           "format_date('%Y-%m', $)",
	"first_of_month":     "date_trunc($, month)",
	"micros_of":          "unix_micros($)",
	"utc_minute_of_week": "mod(div(unix_micros($), 60000000) + 5760, 10080)",
}

var macroCall = regexp.MustCompile(`\b(usd|total_usd|month_of|first_of_month|micros_of|utc_minute_of_week)\(`)

// expandMacros writes the macros out.
func expandMacros(text string) (string, error) {
	for {
		at := macroCall.FindStringSubmatchIndex(text)
		if at == nil {
			return text, nil
		}
		end := closing(text, at[1])
		if end < 0 {
			return "", fmt.Errorf("%s is not closed", text[at[0]:at[1]])
		}
		text = text[:at[0]] + strings.ReplaceAll(macros[text[at[2]:at[3]]], "$", text[at[1]:end]) + text[end+1:]
	}
}

// closing returns the place of the bracket that closes the one before i, -1
// where there is none. Brackets in quotes don't count.
func closing(text string, i int) int {
	depth, quoted := 1, false
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// splitList splits at commas outside brackets and quotes.
func splitList(text string) (parts []string) {
	depth, quoted, start := 0, false, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			parts = append(parts, strings.TrimSpace(text[start:i]))
			start = i + 1
		}
	}
	return append(parts, strings.TrimSpace(text[start:]))
}

var comment = regexp.MustCompile(`(?m)^--.*\n`)

// plain is a statement with its parameters written in, without macros and
// without the comments above it, in which quotes need not match.
func plain(text string, args ledger.Args) (string, error) {
	text, err := expandMacros(comment.ReplaceAllString(text, "")) // before values, which may hold such words
	if err != nil {
		return "", err
	}
	return ledger.Bind(text, args, literal)
}

// place is where a table's name stands: behind one of these words. What stands
// in quotes is skipped by the alternative before it.
var place = regexp.MustCompile(`(?s)'(?:[^'\\]|\\.)*'|(?i:\b(?:from|join|into|update|view)\s+)([a-z_][a-z0-9_]*)\b`)

// named lists the names that stand where a table's name stands, each once.
func named(text string) (names []string) {
	seen := map[string]bool{}
	for _, at := range place.FindAllStringSubmatch(text, -1) {
		if name := at[1]; name != "" && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

// renamed writes full names in place of names; a table that has no alias gets
// its short name as one.
func renamed(text string, full map[string]string) string {
	var out strings.Builder
	last := 0
	for _, at := range place.FindAllStringSubmatchIndex(text, -1) {
		if at[2] < 0 {
			continue
		}
		name, rest := text[at[2]:at[3]], text[at[3]:]
		if full[name] == "" {
			continue
		}
		out.WriteString(text[last:at[2]])
		out.WriteString(full[name])
		if !aliased.MatchString(rest) {
			out.WriteString(" as " + name)
		}
		last = at[3]
	}
	out.WriteString(text[last:])
	return out.String()
}

// aliased matches what follows a name that has an alias, or can't have one.
var aliased = regexp.MustCompile(`^\s*(?:(?i:as|set)\s|\()`)

var with = regexp.MustCompile(`^\s*with\s`)

// withBefore puts common table expressions before a select.
func withBefore(expressions []string, text string) string {
	if len(expressions) == 0 {
		return text
	}
	all := "with " + strings.Join(expressions, ",\n")
	if at := with.FindStringIndex(text); at != nil {
		return all + ",\n" + text[at[1]:]
	}
	return all + "\n" + text
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

func literal(v any) (string, error) { return ledger.Literal(v, quote) }

// expanded is a stored view's text, which the ledger gives without parameters.
func expanded(text string) string {
	out, err := expandMacros(text)
	if err != nil {
		return text // the engine says what is wrong with it
	}
	return out
}
