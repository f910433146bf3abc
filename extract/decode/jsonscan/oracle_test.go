package jsonscan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// member is one key of a document as encoding/json's tokenizer gives it, in
// the order of the text, duplicates kept.
type member struct {
	key   string
	value any // []member, []any, string, json.Number, bool or nil
}

func ordered(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return orderedValue(d)
}

func orderedValue(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		members := []member{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			value, err := orderedValue(d)
			if err != nil {
				return nil, err
			}
			members = append(members, member{key.(string), value})
		}
		_, err = d.Token()
		return members, err
	case json.Delim('['):
		elements := []any{}
		for d.More() {
			value, err := orderedValue(d)
			if err != nil {
				return nil, err
			}
			elements = append(elements, value)
		}
		_, err = d.Token()
		return elements, err
	}
	return token, nil
}

// lookup follows a path the slow way: of equal keys the last one counts.
func lookup(v any, path Path) any {
	for _, key := range path {
		var next any
		switch at := v.(type) {
		case []member:
			if key == "[0]" {
				return nil
			}
			name := strings.TrimSuffix(key, "~")
			for _, m := range at {
				if m.key == name || name != key && len(m.key) == len(name) && strings.EqualFold(m.key, name) {
					next = m.value
				}
			}
		case []any:
			if key == "[0]" && len(at) > 0 {
				next = at[0]
			}
		}
		v = next
	}
	return v
}

// agree says how the scanned value differs from the looked up one, or "".
func agree(got Value, want any) string {
	switch want := want.(type) {
	case nil:
		if got.Kind == Absent {
			return ""
		}
	case bool:
		if want && got.Kind == True || !want && got.Kind == False {
			return ""
		}
	case json.Number:
		if got.Kind == Number && string(got.Raw) == want.String() {
			return ""
		}
	case string:
		if got.Kind == String && got.Text() == want {
			return ""
		}
	case []member:
		if v, err := ordered(got.Raw); err == nil && got.Kind == Object && cmp.Equal(v, any(want), cmp.AllowUnexported(member{})) {
			return ""
		}
	case []any:
		if v, err := ordered(got.Raw); err == nil && got.Kind == Array && cmp.Equal(v, any(want), cmp.AllowUnexported(member{})) {
			return ""
		}
	}
	return fmt.Sprintf("got %s, encoding/json has %v", found(got), want)
}

// wanted are the paths of the property test and of the fuzz target. They share
// prefixes, name wholes and parts, and ignore case in places.
var wanted = []string{"a", "a.b", "a.b.[0]", "b~", "c.[0].a", "c.[0].[0]", "c.b~.a", "id"}

// checkAgainstLibrary scans text with a scanner that may have read others.
func checkAgainstLibrary(t interface {
	Errorf(string, ...any)
	Fatalf(string, ...any)
}, s *Scanner, text []byte) {
	n, err := s.Scan(text)
	var broken *SyntaxError
	switch {
	case err != nil && !errors.Is(err, ErrShort) && !errors.As(err, &broken):
		t.Fatalf("error of unknown kind: %v", err)
	case err == nil && n > len(text):
		t.Fatalf("took %d of %d bytes", n, len(text))
	}
	if !json.Valid(text) || !utf8.Valid(text) {
		return
	}
	if err != nil {
		if broken != nil && strings.HasPrefix(broken.Reason, "nested deeper") {
			return
		}
		t.Fatalf("legal text refused: %v", err)
	}
	want, err := ordered(text)
	if err != nil {
		t.Fatalf("encoding/json: %v", err)
	}
	for i, dotted := range wanted {
		if diff := agree(s.Values[i], lookup(want, ParsePath(dotted))); diff != "" {
			t.Errorf("%s: %s", dotted, diff)
		}
	}
}

// Goal: what is scanned is what encoding/json reads, for every document.
// Method: random documents with few keys, so that duplicates, parents that
// occur twice and keys in other case are frequent, in random layout. One
// scanner reads several, so that what it learnt of one would show in the next.
func TestScanAgreesWithLibrary(t *testing.T) {
	spec := compile(t, wanted...)
	rapid.Check(t, func(t *rapid.T) {
		s := NewScanner(spec)
		for range rapid.IntRange(1, 4).Draw(t, "documents") {
			text := []byte(drawJSON(t, 4))
			if !json.Valid(text) {
				t.Fatalf("the generator made %s", text)
			}
			checkAgainstLibrary(t, s, text)
		}
	})
}

// Goal: what a scanner learnt of one writer doesn't mislead it with another.
func TestScanAfterOtherWriters(t *testing.T) {
	s := NewScanner(compile(t, wanted...))
	for _, text := range []string{
		`{"a":{"b":[1]},"id":"x"}`,
		`{"a": {"b": [2]}, "id": "y"}`,
		`{"a" : {"b" : [3]}, "id" : "z"}`,
		`{"id":"k","a":{"b":[4]}}`,
		`{"id":"k","a":{"b":[5]},"a":{}}`,
		"{\n\t\"id\":\n\"l\"}",
		`{}`,
		`{"\u0069d":"m","a":{"x":0,"b":[6]}}`,
		`{"a":{"b":[1]},"id":"x"}`,
		`{"` + strings.Repeat("long key ", 100) + `":1,"id":"n"}`,
	} {
		checkAgainstLibrary(t, s, []byte(text))
	}
}

// drawJSON draws the text of a value with at most depth levels below it.
func drawJSON(t *rapid.T, depth int) string {
	space := func() string { return rapid.SampledFrom([]string{"", "", " ", "\n\t"}).Draw(t, "space") }
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	if depth == 4 {
		kind = 9 // a record is an object
	}
	switch {
	case kind == 0:
		return rapid.SampledFrom([]string{"null", "true", "false"}).Draw(t, "word")
	case kind <= 2:
		return rapid.SampledFrom([]string{"0", "-0", "12", "-1.5", "1e9", "2.5E-03", "9007199254740993"}).Draw(t, "number")
	case kind <= 4 || depth == 0:
		return drawString(t, rapid.StringN(0, 20, -1).Draw(t, "text"))
	case kind <= 6:
		var parts []string
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			parts = append(parts, space()+drawJSON(t, depth-1)+space())
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	var parts []string
	for range rapid.IntRange(0, 5).Draw(t, "members") {
		key := rapid.SampledFrom([]string{"a", "b", "B", "c", "id", "x"}).Draw(t, "key")
		parts = append(parts, space()+drawString(t, key)+space()+":"+space()+drawJSON(t, depth-1)+space())
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// drawString writes s as JSON, as the library does or with every character
// escaped.
func drawString(t *rapid.T, s string) string {
	if rapid.IntRange(0, 4).Draw(t, "escaped") > 0 {
		quoted, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(quoted)
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		if r > 0xffff {
			r -= 0x10000
			b.WriteString(`\u` + strconv.FormatInt(0xd800+int64(r>>10), 16) + `\u` + strconv.FormatInt(0xdc00+int64(r&0x3ff), 16))
			continue
		}
		fmt.Fprintf(&b, `\u%04X`, r)
	}
	b.WriteByte('"')
	return b.String()
}

// FuzzScan holds any bytes against encoding/json: no panic, nothing read
// behind the end, the same values where the library takes the text, also after
// another text.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{
		`{"a":{"b":[1,2]},"B":"x","c":[{"a":1}],"id":"\u0041"}`,
		`{"a":{"b":1},"a":{"c":2}}`,
		`{"c": {"B": {"a": 1}, "b": {}}}`,
		`{"a":[`, `{"id":"\`, `{"id":-`, "{\"id\":\"\xff\"}", `[[[[[[`, `"`,
	} {
		f.Add([]byte(seed), []byte(`{"a":{"b":[1,2]},"c":[{"a":1}]}`))
	}
	spec := compile(f, wanted...)
	f.Fuzz(func(t *testing.T, first, second []byte) {
		s := NewScanner(spec)
		for _, text := range [][]byte{first, second, first} {
			text = bytes.TrimLeft(text, " \t\r\n") // Scan starts at a value
			checkAgainstLibrary(t, s, text[:len(text):len(text)])
		}
	})
}
