package decode

import (
	"fmt"
	"slices"
	"strings"

	"chargeback/extract/decode/jsonscan"
)

// Place is where a field stands: a JSON pointer such as /usage/input, or the
// title of a column. Several are a sum of those that a record has.
type Place []string

// mappedPlaces are all places that a map names, by their index in scanned
// values. Behind them stand the objects around them, each of which may be JSON in
// a text, as cells of CSV and columns of databases are.
type mappedPlaces struct {
	csv   bool
	names []string // as the settings write them
	fields
	spec  *jsonscan.Spec // of JSON records
	texts []textFields
}

// index adds a place; the same place asked for twice has one index.
func (p *mappedPlaces) index(name string) (int, error) {
	if i := slices.Index(p.names, name); i >= 0 {
		return i, nil
	}
	var path jsonscan.Path
	var err error
	switch {
	case name == "":
		return 0, fmt.Errorf("has an empty place; write a JSON pointer such as /id, or a column")
	case p.csv:
		path = columnPath(name)
	default:
		path, err = parsePointer(name)
	}
	if err != nil {
		return 0, fmt.Errorf("%q %w", name, err)
	}
	i := p.path(path)
	if i == len(p.names) {
		p.names = append(p.names, name)
	}
	return i, nil
}

// columnPath is the column that a place names, and what of the JSON in its cells
// is meant: of /metadata/user the user in those of metadata. Where a file has a
// column with the whole name, that one is meant.
func columnPath(name string) jsonscan.Path {
	if path, err := parsePointer("/" + strings.TrimPrefix(name, "/")); err == nil && len(path) > 1 {
		return path
	}
	return jsonscan.Path{name}
}

// compile makes the spec of JSON records and of the texts in them.
func (p *mappedPlaces) compile() (err error) {
	type prefix struct {
		name string
		path jsonscan.Path
	}
	var around []prefix
	for _, path := range slices.Clone(p.paths) {
		for n := 1; n < len(path); n++ {
			known := slices.ContainsFunc(around, func(a prefix) bool { return slices.Equal(a.path, path[:n]) })
			if !known {
				around = append(around, prefix{"/" + strings.Join(path[:n], "/"), path[:n]})
			}
		}
	}
	slices.SortStableFunc(around, func(a, b prefix) int { return len(a.path) - len(b.path) })
	for _, a := range around {
		p.path(a.path)
	}
	for _, a := range around {
		text, err := p.below(a.name, a.path)
		if err != nil {
			return err
		}
		p.texts = append(p.texts, text)
	}
	if p.csv {
		return nil
	}
	if p.spec, err = jsonscan.Compile(p.paths); err != nil {
		return err
	}
	for _, text := range p.texts {
		p.spec.MayBeText(text.at)
	}
	return nil
}

// columns finds the places in the titles of a table: by index the column that
// is one, -1 where there is none. direct says of a place in a cell's JSON that a
// column has its whole name.
func (p *mappedPlaces) columns(titles [][]byte) (at []int, direct []bool) {
	at, direct = make([]int, len(p.paths)), make([]bool, len(p.paths))
	find := func(name string) int {
		return slices.IndexFunc(titles, func(title []byte) bool { return strings.EqualFold(string(trim(title)), name) })
	}
	for i, path := range p.paths {
		at[i] = -1
		if len(path) == 1 {
			at[i] = find(path[0])
		}
		if i < len(p.names) {
			if k := find(p.names[i]); k >= 0 {
				at[i], direct[i] = k, len(path) > 1
			}
		}
	}
	if !slices.Contains(direct, true) {
		direct = nil
	}
	return at, direct
}

// found says whether a table whose columns are at has a place.
func (p *mappedPlaces) found(i int, at []int) bool {
	return at[i] >= 0 || len(p.paths[i]) > 1 && at[p.path(p.paths[i][:1])] >= 0
}

// parsePointer reads a JSON pointer (RFC 6901). Of a list it knows the first
// element, 0.
func parsePointer(text string) (path jsonscan.Path, err error) {
	rest, ok := strings.CutPrefix(text, "/")
	if !ok {
		return nil, fmt.Errorf("is not a JSON pointer; write /usage/input_tokens")
	}
	for _, key := range strings.Split(rest, "/") {
		key = strings.ReplaceAll(strings.ReplaceAll(key, "~1", "/"), "~0", "~")
		digits := key != "" && strings.Trim(key, "0123456789") == ""
		switch {
		case key == "" || strings.HasSuffix(key, "~"):
			return nil, fmt.Errorf("has a key that is empty or ends in ~, which can't be read")
		case key == "0":
			key = "[0]"
		case digits:
			return nil, fmt.Errorf("names element %s of a list; only the first one, 0, can be read", key)
		}
		path = append(path, key)
	}
	return path, nil
}

// wordSet is a list of words without regard to case.
type wordSet []string

func (w wordSet) has(word []byte) bool {
	return len(word) > 0 && slices.ContainsFunc(w, func(known string) bool { return strings.EqualFold(known, string(word)) })
}

// mappedFilter leaves records out by what stands at a place.
type mappedFilter struct {
	at    int
	words wordSet
	keep  bool // those that hold a word, else the others
}

// concerns says whether a record passes.
func (f mappedFilter) concerns(v []jsonscan.Value) bool { return f.words.has(word(v[f.at])) == f.keep }

// filters compiles only and except.
func (m *Mapped) filters() error {
	for _, block := range []struct {
		key    string
		places map[string][]string
		keep   bool
	}{{"only", m.o.Only, true}, {"except", m.o.Except, false}} {
		for place, words := range block.places {
			i, err := m.places.index(place)
			switch {
			case err != nil:
				return fmt.Errorf("%s: %w", block.key, err)
			case len(words) == 0:
				return fmt.Errorf("%s.%s: has no words; list what stands there, such as [llm]", block.key, place)
			}
			m.filter = append(m.filter, mappedFilter{i, words, block.keep})
		}
	}
	return nil
}

// word is a value as a person would write it in the settings: a text, a number,
// true or false.
func word(v jsonscan.Value) []byte {
	if v.Kind == jsonscan.True || v.Kind == jsonscan.False {
		return v.Raw
	}
	return trim(text(v))
}

// translations compiles the tables of words.
func (m *Mapped) translations() error {
	for name, table := range m.o.Words {
		f, err := m.known("words", name)
		switch {
		case err != nil:
			return err
		case f.numeric() || f == mapStartedAt || f == mapEndedAt || f == mapToolCalls:
			return fmt.Errorf("words.%s: is no field of words; remove it", name)
		case len(m.at[f]) == 0:
			return fmt.Errorf("words.%s: is not mapped; say under fields where it stands", name)
		}
		m.words[f] = map[string]jsonscan.Value{}
		for theirs, ours := range table {
			key := strings.ToLower(theirs)
			if _, twice := m.words[f][key]; twice {
				return fmt.Errorf("words.%s: lists %q twice, since case does not count; keep one", name, key)
			}
			m.words[f][key] = jsonscan.Value{Kind: jsonscan.String, Raw: []byte(ours)}
			if ours == "" {
				m.words[f][key] = jsonscan.Value{}
			}
		}
	}
	return nil
}

// translated is a value by the table of its field. Words that the table does not
// list stay as they are.
func (m *mappedRow) translated(f mappedField, v jsonscan.Value) (ours jsonscan.Value, known bool) {
	m.lower = lowered(m.lower, word(v))
	if ours, known = m.words[f][string(m.lower)]; known {
		return ours, true
	}
	return v, false
}
