package sniff

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Suggestion is a map of fields for records that no format knows, as far as the
// names of their fields tell it. It holds no value of a record.
type Suggestion struct {
	CSV       bool
	Delimiter string              // of CSV: "" for commas, ";" or "tab"
	Records   string              // JSON pointer to the list of records in a page
	Fields    map[string][]string // field of ours to the places that add up to it, nearly always one
	Key       []string            // fields that together name a record, where it has no id of its own
	Only      map[string][]string // place to the words of records that have tokens, where others have none
	Time      string              // how started_at is written; "" where that can't be told
	TokensIn  string              // inclusive or exclusive; "" where no cache tokens are mapped
	CostUnit  string              // usd, cents or micros; "" where no cost is mapped
	Success   []string            // well-known words of status that mean success
	CacheHit  []string            // and of cache_hit that mean yes, besides true
	Provider  string              // who is paid, as far as the names of models tell
	Looked    int                 // records that were looked at
	Repeats   int                 // of these, the ones with the id of an earlier one
	Others    []string            // names of fields that serve none of ours, the first of them
	models    []string
	counted   []bool // records that have tokens
	untitled  bool   // a table whose first row may be one of data
}

// plainKey is a name that a program gives: what people write is never repeated.
var plainKey = regexp.MustCompile(`^[A-Za-z0-9_.$:@-]{1,64}$`)

const (
	sampled   = 50 // records of which the fields are looked at
	depthMost = 6
)

// leaf is a place of records with a value that is no object.
type leaf struct {
	place  string   // JSON pointer or column
	keys   []string // from the outside in, without case and signs
	depth  int
	sample []string // values of the first records, "" where there is none
	list   bool
}

// name is the last key, and parent the one before.
func (l leaf) name() string   { return l.keys[len(l.keys)-1] }
func (l leaf) parent() string { return l.keys[max(0, len(l.keys)-2)] }

// named says whether a leaf has a name as it stands in lists of wanted ones: a
// last key, this with the key before it, "parent/name" for both and nothing else,
// or "*end" for how the last key ends.
func (l leaf) named(want string) bool {
	if end, open := strings.CutPrefix(want, "*"); open {
		return strings.HasSuffix(l.name(), end)
	}
	if strings.Contains(want, "/") {
		return len(l.keys) > 1 && l.parent()+"/"+l.name() == want
	}
	return l.name() == want || len(l.keys) > 1 && l.parent()+l.name() == want
}

// Suggest maps the fields of JSON or CSV by their names; unpacked is its text, of
// which the beginning is read.
func Suggest(unpacked io.Reader) (Suggestion, error) {
	text, err := io.ReadAll(io.LimitReader(unpacked, peekBytes))
	if err != nil {
		return Suggestion{}, err
	}
	text = bytes.TrimLeft(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), " \t\r\n")
	var s Suggestion
	var leaves []leaf
	s.Fields = map[string][]string{}
	if len(text) > 0 && (text[0] == '{' || text[0] == '[') {
		leaves = s.fromJSON(text)
	} else {
		leaves = s.fromCSV(text)
	}
	s.choose(leaves)
	return s, nil
}

func (s *Suggestion) fromJSON(text []byte) []leaf {
	var all []map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	for len(all) < sampled {
		var v any
		if err := decoder.Decode(&v); err != nil { // what is broken or cut is for the decoder to tell
			break
		}
		all = append(all, objects(v)...)
	}
	if len(all) == 0 {
		all = objectsOfCut(text)
	}
	if len(all) == 1 {
		if key, list := listOf(all[0]); key != "" {
			s.Records, all = "/"+escaped(key), list
		}
	}
	all = all[:min(len(all), sampled)]
	s.Looked = len(all)
	g := gathered{}
	for i, record := range all {
		g.walk(record, place{}, i, len(all))
	}
	return g.leaves()
}

// gathered are leaves by their places.
type gathered map[string]*leaf

func (g gathered) leaves() (all []leaf) {
	for _, l := range g {
		all = append(all, *l)
	}
	return all
}

// place leads to an object.
type place struct {
	pointer string
	keys    []string
}

func (p place) below(key string) place {
	keys := slices.Clone(p.keys)
	for part := range strings.SplitSeq(key, ".") { // flat records have dots in their keys
		if part = bare(part); part != "" {
			keys = append(keys, part)
		}
	}
	return place{p.pointer + "/" + escaped(key), keys}
}

// textsOfFields are the places whose text may be JSON that a program wrote. Texts
// of people, which may be JSON, too, are never looked into.
var textsOfFields = []string{"metadata", "meta", "usage", "usagedetails", "usagemetadata", "tokenusage", "tokens", "costdetails", "properties", "customproperties",
	"attributes", "tags", "labels", "details", "context", "extra", "info"}

func mayHoldFields(name string) bool {
	return slices.Contains(textsOfFields, name) || strings.HasSuffix(name, "metadata") || strings.HasSuffix(name, "properties")
}

// walk notes what record i of several has.
func (g gathered) walk(record map[string]any, at place, i, records int) {
	for key, v := range record {
		if !plainKey.MatchString(key) {
			continue
		}
		to := at.below(key)
		if len(to.keys) == 0 {
			continue
		}
		below, is := v.(map[string]any)
		if text, isText := v.(string); isText && mayHoldFields(to.keys[len(to.keys)-1]) {
			below, is = objectIn(text)
		}
		if is && len(to.keys) < depthMost {
			g.walk(below, to, i, records)
			continue
		}
		l := g[to.pointer]
		if l == nil {
			l = &leaf{place: to.pointer, keys: to.keys, depth: len(to.keys), sample: make([]string, records)}
			g[to.pointer] = l
		}
		switch v := v.(type) {
		case string:
			l.sample[i] = v
		case json.Number:
			l.sample[i] = v.String()
		case bool:
			l.sample[i] = strconv.FormatBool(v)
		case []any:
			l.list = true
		}
	}
}

// objectIn reads a text that is a JSON object.
func objectIn(text string) (o map[string]any, is bool) {
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return nil, false
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	return o, decoder.Decode(&o) == nil
}

// objects are the records of a JSON text: itself, or the elements of a list.
func objects(v any) (all []map[string]any) {
	switch v := v.(type) {
	case map[string]any:
		all = append(all, v)
	case []any:
		for _, e := range v {
			if o, ok := e.(map[string]any); ok {
				all = append(all, o)
			}
		}
	}
	return all
}

// objectsOfCut are the first records of a list that is longer than what was read.
func objectsOfCut(text []byte) (all []map[string]any) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if token, err := decoder.Token(); err != nil || token != json.Delim('[') {
		return nil
	}
	for decoder.More() && len(all) < sampled {
		var o map[string]any
		if err := decoder.Decode(&o); err != nil {
			break
		}
		all = append(all, o)
	}
	return all
}

// listOf finds the list of records in a page: the only list of objects of an
// object that has no time of its own.
func listOf(page map[string]any) (key string, list []map[string]any) {
	for _, name := range startNames {
		for k := range page {
			if bare(k) == name {
				return "", nil
			}
		}
	}
	for k, v := range page {
		elements, ok := v.([]any)
		if !ok || !plainKey.MatchString(k) {
			continue
		}
		found := objects(elements)
		if len(found) == 0 || len(found) != len(elements) {
			continue
		}
		if key != "" {
			return "", nil
		}
		key, list = k, found
	}
	return key, list
}

func escaped(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

func (s *Suggestion) fromCSV(text []byte) (leaves []leaf) {
	s.CSV = true
	line, _, _ := bytes.Cut(text, []byte("\n"))
	comma := ','
	for _, c := range ";\t" {
		if bytes.ContainsRune(line, c) && bytes.Count(line, []byte(string(c))) > bytes.Count(line, []byte(string(comma))) {
			comma = c
		}
	}
	s.Delimiter = map[rune]string{';': ";", '\t': "tab"}[comma]
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = comma, true, -1
	titles, err := r.Read()
	if err != nil {
		return nil
	}
	for i, title := range titles {
		titles[i] = strings.TrimSpace(title)
		s.untitled = s.untitled || plainNumber.MatchString(titles[i]) || dateLike.MatchString(titles[i]) || isAddress(titles[i]) || len(strings.Fields(title)) > 4
	}
	var rows [][]string
	for len(rows) < sampled {
		row, err := r.Read()
		if err != nil {
			break
		}
		rows = append(rows, row)
	}
	s.Looked = len(rows)
	g := gathered{}
	for k, title := range titles {
		keys := place{}.below(title).keys
		if len(keys) == 0 {
			continue
		}
		l := &leaf{place: title, keys: keys, depth: 1, sample: make([]string, len(rows))}
		inside := 0
		for i, row := range rows {
			if k >= len(row) {
				continue
			}
			l.sample[i] = strings.TrimSpace(row[k])
			if o, is := objectIn(l.sample[i]); is && mayHoldFields(l.name()) {
				g.walk(o, place{"/" + escaped(title), keys}, i, len(rows))
				inside++
			}
		}
		if inside == 0 {
			leaves = append(leaves, *l)
		}
	}
	return append(leaves, g.leaves()...)
}

// bare is a name without case and signs.
func bare(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return -1
	}, name)
}
