package strictyaml

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// upper is a type that reads text itself.
type upper string

func (u *upper) UnmarshalText(text []byte) error {
	if string(text) != strings.ToUpper(string(text)) {
		return fmt.Errorf("%q is not in capitals; write %q", text, strings.ToUpper(string(text)))
	}
	*u = upper(text)
	return nil
}

type item struct {
	Code string `yaml:"code"`
	Rate upper  `yaml:"rate"`
}

type sample struct {
	Name    string            `yaml:"name"`
	Count   int               `yaml:"count"`
	On      bool              `yaml:"on,omitempty"`
	Items   []item            `yaml:"items"`
	Words   []string          `yaml:"words"`
	Sums    []OneOrMore       `yaml:"sums,omitempty"`
	Rates   map[string]upper  `yaml:"rates"`
	Labels  map[string]string `yaml:"labels"`
	Nested  item              `yaml:"nested"`
	Private string            `yaml:"-"`
}

func TestDecode(t *testing.T) {
	const all = `# a comment
name: "00420"
count: -3
on: true
items:
  - {code: a, rate: X}
  - code: |
      two
      lines
words: [one, 'two words', "3"]
sums: [one, [two, "3"], [four]]
rates: {x: 1.50, "7": "A"}
labels:
  a b: c
nested:
  rate: 007
`
	tests := []struct {
		name, text string
		want       sample
	}{
		{"every kind", all, sample{
			Name: "00420", Count: -3, On: true,
			Items:  []item{{Code: "a", Rate: "X"}, {Code: "two\nlines"}},
			Words:  []string{"one", "two words", "3"},
			Sums:   []OneOrMore{{"one"}, {"two", "3"}, {"four"}},
			Rates:  map[string]upper{"x": "1.50", "7": "A"}, // the characters of the file, not a float's
			Labels: map[string]string{"a b": "c"},
			Nested: item{Rate: "007"},
		}},
		{"nothing keeps what is there", "", sample{Name: "before", Count: 1}},
		{"comments only", "# none\n", sample{Name: "before", Count: 1}},
		{"null keeps what is there", "name:\ncount: ~\nitems: null", sample{Name: "before", Count: 1}},
		{"an empty list is not null", "items: []", sample{Name: "before", Count: 1, Items: []item{}}},
		{"byte-order mark and CRLF", "\uFEFFname: x\r\ncount: 2\r\n", sample{Name: "x", Count: 2}},
		{"one document after a line", "---\nname: x\n", sample{Name: "x", Count: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := sample{}
			if tt.want.Name == "before" || tt.want.Count == 1 {
				got = sample{Name: "before", Count: 1}
			}
			doc := Decode("f.yaml", []byte(tt.text), &got)
			if err := doc.Err(); err != nil || doc.Broken() {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"unknown key", "names: x", "f.yaml:1: names: is not a known key; use one of name, count, on, items, words, sums, rates, labels, nested"},
		{"unknown key below", "name: x\nnested: {cod: x}", "f.yaml:2: nested.cod: is not a known key; use one of code, rate"},
		{"key that Go keeps to itself", "Private: x", "f.yaml:1: Private: is not a known key"},
		{"key twice", "count: 3\ncount: 4", `f.yaml:2: is not YAML: mapping key "count" already defined`},
		{"a number in a sum", "sums: [[one, 2]]", `f.yaml:1: sums[0][1]: 2 is not quoted`},
		{"a number in the place of a sum", "sums: [2]", `f.yaml:1: sums[0]: 2 is not quoted`},
		{"keys in the place of a sum", "sums: [{a: b}]", "f.yaml:1: sums[0]: needs a single value"},
		{"broken YAML", "count: 1\nname: 'x", "f.yaml:2: is not YAML: could not find end character"},
		{"not UTF-8", "name: \xff", "f.yaml:1: is not UTF-8 text; save the file as UTF-8"},
		{"anchor", "name: &x y", "f.yaml:1: name: uses a YAML anchor"},
		{"alias", "name: &x y\nlabels: {a: *x}", "f.yaml:2: labels.a: uses a YAML anchor, alias, merge key or tag; write the value out"},
		{"tag", "name: !!str 5", "f.yaml:1: name: uses a YAML anchor"},
		{"second document", "name: x\n---\nname: y", "f.yaml:1: holds 2 YAML documents; keep one and remove the --- lines"},
		{"list as a whole", "- a", "f.yaml:1: needs keys with values below it"},
		{"number where text belongs", "name: 12", `f.yaml:1: name: 12 is not quoted, so it may be read as a number or a truth value; quote it: "12"`},
		{"code that only looks octal", "name: 00980", `quote it: "00980"`},
		{"code with an exponent", "name: 4e2", `quote it: "4e2"`},
		{"time of day", "name: 12:30", `quote it: "12:30"`},
		{"truth value where text belongs", "name: true", `quote it: "true"`},
		{"unquoted number as a key", "labels: {00420: x}", "f.yaml:1: labels.00420: 00420 is not quoted"},
		{"text where a number belongs", "count: many", `f.yaml:1: count: "many" is not a whole number; write digits only`},
		{"fraction where a whole number belongs", "count: 1.5", `f.yaml:1: count: "1.5" is not a whole number`},
		{"number beyond 32 bits", "count: 2147483648", `f.yaml:1: count: "2147483648" is not a whole number`},
		{"text where a list belongs", "items: none", "f.yaml:1: items: needs a list; put each item on a line of its own after - or write [a, b]"},
		{"list where keys belong", "nested: [a]", "f.yaml:1: nested: needs keys with values below it; write key: value"},
		{"keys where a value belongs", "name: {a: b}", "f.yaml:1: name: needs a single value; write it after the colon"},
		{"empty list item", "items:\n  -", "f.yaml:2: items[0]: is empty; fill it in or remove the -"},
		{"truth value in another language", "on: yes", "f.yaml:1: on: is neither true nor false; write one of the two"},
		{"blanks around text", `name: " x"`, `f.yaml:1: name: " x" has blanks around it; remove them`},
		{"type that refuses", "items:\n  - code: a\n  - code: b\n    rate: low", `f.yaml:4: items[1].rate: "low" is not in capitals; write "LOW"`},
		{"entry that its type refuses", "rates: {a: low}", "f.yaml:1: rates.a: "},
		{"pasted token", "count: xoxb-1-secret", `f.yaml:1: count: "***" is not a whole number`},
		{"pasted token as a key", "xoxb-1-secret: x", "f.yaml:1: ***: is not a known key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Decode("f.yaml", []byte(tt.text), &sample{}).Err()
			if err == nil {
				t.Fatalf("was read, want error %q", tt.want)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("a token shows: %v", err)
			}
		})
	}
}

func TestProblemsComeInTheOrderOfTheFile(t *testing.T) {
	doc := Decode("f.yaml", []byte("name: 12\nnested:\n  code: a\nitems:\n  - {code: b}\n"), &sample{})
	doc.Failf("items[0].rate", "is missing; give it")  // its item is on line 5
	doc.Failf("nested.rate.deep", "is missing")        // nested is on line 2
	doc.Failf("count", "is missing")                   // the file is on line 1
	doc.Failf("count", "second problem of the key")    // hidden
	doc.Failf("name", "is too short after all this x") // hidden: it could not be read
	if !doc.Refused("name") || !doc.Refused("count") || doc.Refused("nested") || doc.Refused("") {
		t.Error("Refused is wrong about name, count, nested or the file")
	}
	want := []string{
		"f.yaml:1: count: is missing",
		`f.yaml:1: name: 12 is not quoted, so it may be read as a number or a truth value; quote it: "12"`,
		"f.yaml:2: nested.rate.deep: is missing",
		"f.yaml:5: items[0].rate: is missing; give it",
	}
	if diff := cmp.Diff(want, strings.Split(doc.Err().Error(), "\n")); diff != "" {
		t.Error(diff)
	}
}

func TestPaths(t *testing.T) {
	doc := Decode("f.yaml", []byte("name: x\nitems: [{code: a}]\n"), &sample{})
	got := doc.Paths()
	slices.Sort(got)
	if diff := cmp.Diff([]string{"", "items", "items[0]", "items[0].code", "name"}, got); diff != "" {
		t.Error(diff)
	}
	if !doc.Has("items[0].code") || doc.Has("items[0].rate") {
		t.Error("Has is wrong about items[0]")
	}
}

func TestLooksLikeToken(t *testing.T) {
	for text, want := range map[string]bool{"xoxb-1-a": true, "of xapp-1-a x": true, "xox": false, "token": false, "": false} {
		if got := LooksLikeToken(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// Goal: no text changes on its way, whatever it looks like.
// Method: write random texts in double quotes, read them again.
func TestQuotedTextIsKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.StringMatching(`([!-~äß€]([ -~äß€]{0,12}[!-~äß€])?)?`).Draw(t, "text")
		quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(want) + `"`
		var got sample
		if err := Decode("f.yaml", []byte("name: "+quoted+"\n"), &got).Err(); err != nil {
			t.Fatal(err)
		}
		if got.Name != want {
			t.Fatalf("read %q, want %q", got.Name, want)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("name: x\nitems:\n  - {code: a, rate: X}\nlabels: {a: b}\n"))
	f.Add([]byte("name: &a {b: 00420}\nitems: *a\n"))
	f.Add([]byte("? a\n: b\n---\n- [x"))
	f.Add([]byte("rates: {\"\": X}\nwords: [~, [a]]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc := Decode("f.yaml", data, &sample{})
		if err := doc.Err(); err != nil && !regexp.MustCompile(`^f\.yaml:[0-9]+: `).MatchString(err.Error()) {
			t.Errorf("error doesn't say where: %v", err)
		}
		for _, path := range doc.Paths() {
			if !doc.Has(path) || doc.Line(path) < 1 {
				t.Errorf("%q stands on line %d", path, doc.Line(path))
			}
		}
	})
}

// Goal: every text of a file is told with its place, whatever reads it.
func TestTexts(t *testing.T) {
	got := Texts([]byte("a: x\nb:\n  - {c: \"2\", d: 3}\n  - y z\ne: |\n  two\n  lines\n# no: text\n\"助\": true\n"))
	want := []Text{
		{Path: "a", Line: 1, Value: "a"}, {Path: "a", Line: 1, Value: "x"},
		{Path: "b", Line: 2, Value: "b"},
		{Path: "b[0].c", Line: 3, Value: "c"}, {Path: "b[0].c", Line: 3, Value: "2"}, {Path: "b[0].d", Line: 3, Value: "d"},
		{Path: "b[1]", Line: 4, Value: "y z"},
		{Path: "e", Line: 5, Value: "e"}, {Path: "e", Line: 5, Value: "two\nlines\n"},
		{Path: "助", Line: 9, Value: "助"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := Texts([]byte("a: [")); got != nil {
		t.Errorf("of a broken file %v", got)
	}
}
