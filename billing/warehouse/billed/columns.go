package billed

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// The service reads of a table the columns that the result of a statement needs: one
// that a select within it gives and nobody uses is not read. So what is needed goes
// down from the result, through common table expressions and selects that are read as
// tables, to the places of tables.

// names are columns that are needed; all of them where all is true.
type names struct {
	all   bool
	named map[string]bool
}

func (n names) has(name string) bool { return n.all || n.named[name] }

// with adds what another one needs.
func (n *names) with(more names) {
	n.all = n.all || more.all
	if n.named == nil {
		n.named = map[string]bool{}
	}
	maps.Copy(n.named, more.named)
}

var everything = names{all: true}

// query is selects that are put together, behind common table expressions.
type query struct {
	expressions []expression
	selects     []*selection
	distinct    bool // rows are compared as a whole
}

type expression struct {
	name string
	of   *query
}

// selection is one select.
type selection struct {
	items   []item
	whole   bool   // all of its items decide its rows
	others  []name // what stands outside of its items
	sources []source
}

// item is a column that a select gives.
type item struct {
	called string
	star   bool
	of     string // the source that a star is of; "" all
	needs  []name
}

// name is a column as it stands in an expression, or a query that stands there.
type name struct {
	source, column string
	within         *query
}

// source is what a select reads: a table, a common table expression, or a query.
type source struct {
	called string
	table  bool
	at     int // place of a table in the text
	named  string
	of     *query
}

type token struct {
	kind byte // t table, w word, otherwise the character
	text string
	at   int
}

var tokens = regexp.MustCompile("(?s)" + tableName + "|[a-zA-Z_][a-zA-Z0-9_]*|`[^`]*`|'[^']*'|\\S")

// needed are the columns that the result of a text needs of each table, by its place in
// the text; of the result those of a set. A table that no result needs is in none of
// them. false says that the text was not understood.
func needed(text string, of names) (at map[int]names, understood bool) {
	mask := masked(text)
	var all []token
	for _, m := range tokens.FindAllStringSubmatchIndex(mask, -1) {
		t := token{mask[m[0]], mask[m[0]:m[1]], m[0]}
		switch {
		case m[2] >= 0:
			t.kind, t.text = 't', mask[m[4]:m[5]]
		case word.MatchString(t.text[:1]):
			t.kind, t.text = 'w', strings.ToLower(t.text)
		}
		all = append(all, t)
	}
	start := slices.IndexFunc(all, func(t token) bool { return t.is("select") || t.is("with") })
	if start < 0 {
		return nil, false
	}
	p := parser{}
	q := p.query(all[start:])
	if p.failed {
		return nil, false
	}
	r := resolver{}
	r.query(q, of, nil)
	return r.at, true
}

func (t token) is(word string) bool { return t.kind == 'w' && t.text == word }

func (t token) among(words ...string) bool { return t.kind == 'w' && slices.Contains(words, t.text) }

type parser struct{ failed bool }

// end is the place of the bracket that closes the one at a place.
func (p *parser) end(all []token, open int) int {
	depth := 0
	for i := open; i < len(all); i++ {
		switch all[i].kind {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	p.failed = true
	return len(all) - 1
}

func (p *parser) query(all []token) *query {
	q := &query{}
	for len(all) > 4 && (all[0].is("with") || all[0].kind == ',') {
		if !all[2].is("as") || all[3].kind != '(' {
			p.failed = true
			return q
		}
		end := p.end(all, 3)
		q.expressions = append(q.expressions, expression{all[1].text, p.query(all[4:end])})
		all = all[end+1:]
	}
	for _, part := range p.split(all, func(t token) bool { return t.among("union", "except", "intersect") }) {
		if len(part) > 0 && part[0].among("all", "distinct") {
			q.distinct = q.distinct || part[0].is("distinct")
			part = part[1:]
		}
		q.selects = append(q.selects, p.selection(part))
	}
	return q
}

// split cuts tokens where none of their brackets is open.
func (p *parser) split(all []token, between func(token) bool) (parts [][]token) {
	start := 0
	for i := 0; i < len(all); i++ {
		switch {
		case all[i].kind == '(':
			i = p.end(all, i)
		case between(all[i]):
			parts, start = append(parts, all[start:i]), i+1
		}
	}
	return append(parts, all[min(start, len(all)):])
}

func comma(t token) bool { return t.kind == ',' }

func (p *parser) selection(all []token) *selection {
	s := &selection{}
	if len(all) > 0 && all[0].kind == '(' {
		end := p.end(all, 0)
		s.sources, s.items = []source{{of: p.query(all[1:end])}}, []item{{star: true}}
		s.others = p.names(all[end+1:])
		return s
	}
	if len(all) == 0 || !all[0].is("select") {
		p.failed = true
		return s
	}
	all = all[1:]
	if len(all) > 0 && all[0].is("distinct") {
		s.whole, all = true, all[1:]
	}
	parts := p.split(all, func(t token) bool { return t.is("from") })
	for _, column := range p.split(parts[0], comma) {
		s.items = append(s.items, p.item(column))
	}
	if len(parts) == 1 {
		return s
	}
	if len(parts) > 2 {
		p.failed = true
	}
	s.from(p, parts[1])
	return s
}

func (p *parser) item(all []token) item {
	n := len(all)
	switch {
	case n == 0:
		p.failed = true
		return item{}
	case n == 1 && all[0].kind == '*':
		return item{star: true}
	case n == 3 && all[2].kind == '*' && all[1].kind == '.':
		return item{star: true, of: all[0].text}
	case n > 2 && all[n-2].is("as"):
		return item{called: all[n-1].text, needs: p.names(all[:n-2])}
	case n <= 3 && all[n-1].kind == 'w':
		return item{called: all[n-1].text, needs: p.names(all)}
	}
	return item{needs: p.names(all)}
}

// from reads what stands behind the word.
func (s *selection) from(p *parser, all []token) {
	begins := true
	for i := 0; i < len(all); i++ {
		t := all[i]
		switch {
		case begins && (t.kind == 't' || t.kind == 'w' || t.kind == '('):
			of := source{called: t.text, named: t.text, table: t.kind == 't', at: t.at}
			if t.kind == '(' {
				end := p.end(all, i)
				of = source{of: p.query(all[i+1 : end])}
				i = end
			}
			if i+1 < len(all) && all[i+1].is("as") {
				i++
			}
			if i+1 < len(all) && all[i+1].kind == 'w' && !keyword[all[i+1].text] {
				i++
				of.called = all[i].text
			}
			s.sources, begins = append(s.sources, of), false
		case t.is("join") || t.kind == ',':
			begins = true
		case t.among("left", "right", "full", "inner", "cross", "outer"):
		case t.among("on", "using"):
			end := i + 1
			for ; end < len(all) && !all[end].among("join", "left", "right", "full", "inner", "cross", "where", "group", "having", "qualify", "window", "order", "limit"); end++ {
				if all[end].kind == '(' {
					end = p.end(all, end)
				}
			}
			s.others = append(s.others, p.names(all[i+1:min(end, len(all))])...)
			i = end - 1
		case t.among("where", "group", "having", "qualify", "window", "order", "limit"):
			s.whole = s.whole || slices.ContainsFunc(all[i:], func(t token) bool { return t.is("group") })
			s.others = append(s.others, p.names(all[i:])...)
			return
		default:
			p.failed = true
			return
		}
	}
}

// names are the columns that stand in an expression, with the queries within it.
func (p *parser) names(all []token) (found []name) {
	for i := 0; i < len(all); i++ {
		t := all[i]
		switch {
		case t.kind == '(' && i+1 < len(all) && all[i+1].among("select", "with"):
			end := p.end(all, i)
			found = append(found, name{within: p.query(all[i+1 : end])})
			for j := i + 1; j+2 < end; j++ { // what it asks of the select around it
				if all[j].kind == 'w' && all[j+1].kind == '.' && all[j+2].kind == 'w' {
					found = append(found, name{source: all[j].text, column: all[j+2].text})
				}
			}
			i = end
		case t.kind == 'w' && i+2 < len(all) && all[i+1].kind == '.':
			found = append(found, name{source: t.text, column: all[i+2].text})
			i += 2
		case t.kind == 'w' && i+1 < len(all) && all[i+1].kind == '(': // a function
		case t.kind == 'w':
			found = append(found, name{column: t.text})
		}
	}
	return found
}

// resolver gives what is needed to the places of tables.
type resolver struct {
	at map[int]names
}

// scope are the common table expressions that a query may read, with what was needed of
// them so far.
type scope map[string]*names

// query passes on what is needed of a query.
func (r *resolver) query(q *query, of names, around scope) {
	within := maps.Clone(around)
	if within == nil {
		within = scope{}
	}
	scopes := make([]scope, len(q.expressions))
	for i, e := range q.expressions {
		scopes[i] = maps.Clone(within)
		within[e.name] = &names{}
	}
	if q.distinct {
		of = everything
	}
	for _, s := range q.selects {
		r.selection(s, s.wanted(of, q.selects[0]), of, within)
	}
	for i, e := range slices.Backward(q.expressions) {
		if n := within[e.name]; n.all || n.named != nil {
			r.query(e.of, *n, scopes[i])
		}
	}
}

// wanted says which items of a select are needed, of which those of the first one that
// it is put together with give the names.
func (s *selection) wanted(of names, first *selection) []bool {
	starred := slices.ContainsFunc(append(slices.Clone(s.items), first.items...), func(i item) bool { return i.star })
	wanted := make([]bool, len(s.items))
	for i, item := range s.items {
		called := item.called
		if !starred && i < len(first.items) {
			called = first.items[i].called
		}
		wanted[i] = s.whole || of.has(called) || slices.ContainsFunc(s.others, func(n name) bool { return n.source == "" && n.within == nil && n.column == item.called })
	}
	return wanted
}

func (r *resolver) selection(s *selection, wanted []bool, of names, within scope) {
	if s.whole {
		of = everything
	}
	all := slices.Clone(s.others)
	for i, item := range s.items {
		if !item.star && wanted[i] {
			all = append(all, item.needs...)
		}
	}
	for _, n := range all {
		if n.within != nil {
			r.query(n.within, everything, within)
		}
	}
	for _, source := range s.sources {
		var need names
		need.with(names{})
		for _, n := range all {
			if n.within == nil && (n.source == "" || n.source == source.called) {
				need.named[n.column] = true
			}
		}
		for _, item := range s.items {
			if item.star && (item.of == "" || item.of == source.called) {
				need.with(of)
			}
		}
		r.source(source, need, within)
	}
}

func (r *resolver) source(s source, need names, within scope) {
	switch {
	case s.of != nil:
		r.query(s.of, need, within)
	case s.table:
		if r.at == nil {
			r.at = map[int]names{}
		}
		n := r.at[s.at]
		n.with(need)
		r.at[s.at] = n
	case within[s.named] != nil:
		within[s.named].with(need)
	}
}
