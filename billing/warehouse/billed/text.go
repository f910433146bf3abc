package billed

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"chargeback/transform/civil"
)

// masked is a text of the same length in which nothing stands in quotes or in
// comments.
func masked(text string) string {
	out := []byte(text)
	for i := 0; i < len(out); i++ {
		switch {
		case out[i] == '\'':
			for i++; i < len(out) && out[i] != '\''; i++ {
				if out[i] == '\\' {
					out[i] = '.'
					i++
				}
				if i < len(out) {
					out[i] = '.'
				}
			}
		case out[i] == '-' && i+1 < len(out) && out[i+1] == '-':
			for ; i < len(out) && out[i] != '\n'; i++ {
				out[i] = ' '
			}
		}
	}
	return string(out)
}

// Split splits a script into its statements.
func Split(text string) (parts []string) {
	mask, start := masked(text), 0
	for i := range len(mask) + 1 {
		if i < len(mask) && mask[i] != ';' {
			continue
		}
		if part := strings.TrimSpace(text[start:i]); part != "" {
			parts = append(parts, part)
		}
		start = i + 1
	}
	return parts
}

const tableName = "`[^`]+`\\.`([^`]+)`\\.`([^`]+)`"

var (
	reference = regexp.MustCompile(tableName)
	changes   = regexp.MustCompile(`(?is)^\s*(insert into|update|delete from|merge into|merge|create (?:or replace )?table(?: if not exists)?)\s+` + tableName)
	alias     = regexp.MustCompile(`^\s+(?:as\s+)?([a-z_][a-z0-9_]*)`)
	allOf     = regexp.MustCompile(`(?i)(?:\bselect|,|\.)\s*\*`)
	word      = regexp.MustCompile(`[a-zA-Z_][a-zA-Z0-9_]*`)
	union     = regexp.MustCompile(`(?i)\b(?:union all|union distinct|except distinct|intersect distinct)\b`)
)

// KindOf is what a statement does, and to which table (as dataset.table).
func KindOf(text string) (kind, target string) {
	m := changes.FindStringSubmatch(text)
	if m == nil {
		return "select", ""
	}
	kind, _, _ = strings.Cut(strings.ToLower(m[1]), " ")
	return kind, m[2] + "." + m[3]
}

// Mutates is the table, as dataset.table, whose rows a statement changes or
// removes; "" where it only adds rows, or reads.
func Mutates(text string) string {
	switch kind, target := KindOf(text); kind {
	case "update", "delete", "merge":
		return target
	}
	return ""
}

// closing is the place of the bracket that closes the one before a place.
func closing(mask string, at int) int {
	depth := 0
	for ; at < len(mask); at++ {
		if c := mask[at]; c == '(' {
			depth++
		} else if c == ')' {
			if depth == 0 {
				break
			}
			depth--
		}
	}
	return at
}

// segment is the part of a text between brackets and unions in which a place
// lies: the select that reads it.
func segment(mask string, at int) (start, end int) {
	depth := 0
	for start = at; start > 0; start-- {
		if c := mask[start-1]; c == ')' {
			depth++
		} else if c == '(' {
			if depth == 0 {
				break
			}
			depth--
		}
	}
	end = closing(mask, at)
	flat := []byte(mask[start:end])
	depth = 0
	for i, c := range flat {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		}
		if depth > 0 {
			flat[i] = '.'
		}
	}
	from, to := start, end
	for _, u := range union.FindAllIndex(flat, -1) {
		if start+u[1] <= at {
			from = start + u[1]
		} else if to == end {
			to = start + u[0]
		}
	}
	return from, to
}

const constant = `date\s+'(\d{4}-\d\d-\d\d)'(?:\s*([+-])\s*(\d+)\b)?`

var (
	oneConstant = regexp.MustCompile(`(?i)^\s*` + constant)
	moved       = regexp.MustCompile(`(?i)^\s*date_(add|sub)\(\s*` + constant + `\s*,\s*interval\s+(\d+)\s+day\s*\)`)
	listed      = regexp.MustCompile(`(?i)` + constant)
)

// constantAt reads a constant date at the begin of a text.
func constantAt(text string) (civil.Date, string, bool) {
	if m := moved.FindStringSubmatch(text); m != nil {
		day, err := civil.ParseDate(m[2])
		n, _ := strconv.Atoi(m[5])
		if strings.EqualFold(m[1], "sub") {
			n = -n
		}
		return day.AddDays(n), text[len(m[0]):], err == nil
	}
	m := oneConstant.FindStringSubmatch(text)
	if m == nil {
		return civil.Date{}, text, false
	}
	day, err := civil.ParseDate(m[1])
	n, _ := strconv.Atoi(m[3])
	if m[2] == "-" {
		n = -n
	}
	if n != 0 {
		day = day.AddDays(n)
	}
	return day, text[len(m[0]):], err == nil
}

// bound narrows a read by what a text says of a column of a table that is called
// by an alias. It takes every condition for one that must hold, also one that stands
// under "or" beside a condition on something else, where the service would read all
// days: such a select is billed too little. Only days that are equal to one constant or
// another are taken together.
func (r *Read) bound(text, column, called string) {
	condition := regexp.MustCompile(`(?i)(?:\b([a-z_][a-z0-9_]*)\.)?\b` + regexp.QuoteMeta(column) + `\b\s*(between|>=|<=|=|>|<|in\b)`)
	var either []civil.Date // of one row or another
	defer func() { r.among(either) }()
	for _, at := range condition.FindAllStringSubmatchIndex(text, -1) {
		if at[2] >= 0 && text[at[2]:at[3]] != called || at[2] < 0 && at[0] > 0 && text[at[0]-1] == '.' {
			continue
		}
		rest := text[at[1]:]
		switch operator := strings.ToLower(text[at[4]:at[5]]); operator {
		case "between":
			first, after, is := constantAt(rest)
			if !is {
				continue
			}
			r.from(first)
			if _, after, is = strings.Cut(after, "and"); is {
				if last, _, is := constantAt(after); is {
					r.until(last)
				}
			}
		case "in":
			if list, _, is := strings.Cut(rest, ")"); is {
				r.among(days(list))
			}
		case "=":
			if day, _, is := constantAt(rest); is {
				either = append(either, day)
			}
		default:
			day, _, is := constantAt(rest)
			if is {
				r.compared(operator, day)
			}
		}
	}
}

func (r *Read) compared(operator string, day civil.Date) {
	if strings.Contains(operator, ">") {
		r.from(day)
	} else {
		r.until(day)
	}
}

// days are the dates of a list.
func days(list string) (all []civil.Date) {
	for _, m := range listed.FindAllStringSubmatch(list, -1) {
		if day, err := civil.ParseDate(m[1]); err == nil {
			all = append(all, day)
		}
	}
	return all
}

// among bounds by a list.
func (r *Read) among(days []civil.Date) {
	if len(days) == 0 {
		return
	}
	slices.SortFunc(days, civil.Date.Compare)
	days = slices.Compact(days)
	r.from(days[0])
	r.until(days[len(days)-1])
	if r.Days != nil {
		days = slices.DeleteFunc(days, func(d civil.Date) bool { return !slices.Contains(r.Days, d) })
	}
	r.Days = days
}

func (r *Read) from(day civil.Date) {
	r.Filtered = true
	if day.DaysSince(civil.Min) > 0 && (r.First == civil.Date{} || day.DaysSince(r.First) > 0) {
		r.First = day
	}
}

func (r *Read) until(day civil.Date) {
	r.Filtered = true
	if day.DaysSince(civil.Max) < 0 && (r.Last == civil.Date{} || day.DaysSince(r.Last) < 0) {
		r.Last = day
	}
}

var inner = regexp.MustCompile(`(?i)^\(\s*(?:select|with)\b`)

// alone is a select without those within it, whose conditions are their own.
func alone(text, mask string) string {
	out := []byte(text)
	for i := range mask {
		if mask[i] != '(' || !inner.MatchString(mask[i:]) {
			continue
		}
		end := closing(mask, i+1)
		for j := i; j < min(end+1, len(out)); j++ {
			out[j] = ' '
		}
	}
	return string(out)
}

// place is one reference to a table in a text.
type place struct {
	table string // dataset.table
	at    int    // where it stands
	scope string // the select that reads it
	alias string
	outer []outer // selects that read that one as a table, the innermost first
}

// outer is a select that reads another one under a name.
type outer struct{ scope, alias string }

// places finds what a statement reads. A table that is only added to is not
// among them.
func places(text string) (found []place) {
	mask := masked(text)
	kind, target := KindOf(text)
	for n, at := range reference.FindAllStringSubmatchIndex(mask, -1) {
		name := mask[at[2]:at[3]] + "." + mask[at[4]:at[5]]
		if n == 0 && name == target && (kind == "insert" || kind == "create") {
			continue
		}
		start, end := segment(mask, at[0])
		p := place{table: name, at: at[0], scope: alone(text[start:end], mask[start:end]), alias: called(mask[at[1]:], mask[at[4]:at[5]]), outer: outers(text, mask, at[0])}
		found = append(found, p)
	}
	return found
}

// called is the alias that a text begins with.
func called(text, otherwise string) string {
	if m := alias.FindStringSubmatch(text); m != nil && !keyword[m[1]] {
		return m[1]
	}
	return otherwise
}

// outers are the selects that read the one of a place as a table, and those that read
// them so.
func outers(text, mask string, at int) (all []outer) {
	for {
		open, end := opening(mask, at), closing(mask, at)
		if open < 0 || !readsTable.MatchString(mask[:open]) || end >= len(mask) {
			return all
		}
		start, until := segment(mask, open)
		all = append(all, outer{alone(text[start:until], mask[start:until]), called(mask[end+1:], "")})
		at = open
	}
}

// opening is the place of the bracket in which a place lies; -1 where it lies in none.
func opening(mask string, at int) int {
	depth := 0
	for at--; at >= 0; at-- {
		if c := mask[at]; c == ')' {
			depth++
		} else if c == '(' {
			if depth == 0 {
				return at
			}
			depth--
		}
	}
	return -1
}

var (
	readsTable = regexp.MustCompile(`(?i)\b(?:from|join)\s*$`)
	holdsBack  = regexp.MustCompile(`(?i)\b(?:group by|qualify|limit|over|distinct)\b`)
	selected   = regexp.MustCompile(`(?is)^\s*select\b(.*?)\bfrom\b`)
)

// passes says whether a condition on a column of a select's rows may be asked of the
// rows that it reads: it gives the column as it is, and only filters rows.
func passes(scope, column string) bool {
	mask := masked(scope)
	m := selected.FindStringSubmatch(mask)
	if m == nil || holdsBack.MatchString(mask) {
		return false
	}
	return words(m[1])[column] || allOf.MatchString(mask)
}

var keyword = map[string]bool{"where": true, "join": true, "left": true, "right": true, "full": true, "inner": true, "cross": true, "on": true, "group": true, "order": true, "union": true, "set": true, "limit": true, "having": true, "qualify": true, "window": true, "using": true, "when": true}

// words are the names that stand in a text.
func words(texts ...string) map[string]bool {
	named := map[string]bool{}
	for _, text := range texts {
		for _, w := range word.FindAllString(masked(text), -1) {
			named[w] = true
		}
	}
	return named
}
