package jsonscan

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func compile(t testing.TB, dotted ...string) *Spec {
	t.Helper()
	paths := make([]Path, 0, len(dotted))
	for _, d := range dotted {
		paths = append(paths, ParsePath(d))
	}
	spec, err := Compile(paths)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// found shows a value as one text: kind and raw characters.
func found(v Value) string {
	kind := [...]string{"absent", "string", "number", "true", "false", "object", "array"}[v.Kind]
	switch v.Kind {
	case String:
		return kind + " " + v.Text()
	case Number, Object, Array:
		return kind + " " + string(v.Raw)
	}
	return kind
}

func TestScanFindsWantedFields(t *testing.T) {
	const deep = "d.e.f"
	tests := []struct {
		name  string
		paths []string
		text  string
		want  []string
	}{
		{"string", []string{"a"}, `{"a":"x"}`, []string{"string x"}},
		{"empty string", []string{"a"}, `{"a":""}`, []string{"string "}},
		{"number", []string{"a"}, `{"a":-12.5e+3}`, []string{"number -12.5e+3"}},
		{"true and false", []string{"a", "b"}, `{"a":true,"b":false}`, []string{"true", "false"}},
		{"null is absent", []string{"a"}, `{"a":null}`, []string{"absent"}},
		{"missing", []string{"a", "b"}, `{"b":1}`, []string{"absent", "number 1"}},
		{"object as a whole", []string{"a"}, `{"a": {"b": [1, "}"]} }`, []string{`object {"b": [1, "}"]}`}},
		{"array as a whole", []string{"a"}, `{"a":[[1],{}]}`, []string{"array [[1],{}]"}},
		{"nested", []string{deep}, `{"d":{"x":{"f":1},"e":{"x":0,"f":2}}}`, []string{"number 2"}},
		{"object and a field of it", []string{"a", "a.b"}, `{"a":{"b":1}}`, []string{`object {"b":1}`, "number 1"}},
		{"not an object on the way", []string{deep}, `{"d":{"e":"f"}}`, []string{"absent"}},
		{"first element", []string{"a.[0].b"}, `{"a":[{"b":1},{"b":2}]}`, []string{"number 1"}},
		{"first element of an empty array", []string{"a.[0].b"}, `{"a":[]}`, []string{"absent"}},
		{"first element and member", []string{"a.[0]", "a.b"}, `{"a":{"b":1}}`, []string{"absent", "number 1"}},
		{"first of first", []string{"a.[0].[0]"}, `{"a":[[7,8],[9]]}`, []string{"number 7"}},
		{"folded key", []string{"x-id~"}, `{"X-Id":"v"}`, []string{"string v"}},
		{"exact key keeps case", []string{"x-id"}, `{"X-Id":"v"}`, []string{"absent"}},
		{"escaped value", []string{"a"}, `{"a":"\"\\\/\b\f\n\r\tü\ud83d\ude00"}`, []string{"string \"\\/\b\f\n\r\tü😀"}},
		{"lone surrogate", []string{"a"}, `{"a":"\ud83d"}`, []string{"string \ufffd"}},
		{"escaped key", []string{"ab"}, `{"\u0061b":1}`, []string{"number 1"}},
		{"line separators inside a string", []string{"a"}, "{\"a\":\"\u2028\u2029\"}", []string{"string \u2028\u2029"}},
		{"duplicate key", []string{"a"}, `{"a":1,"a":2}`, []string{"number 2"}},
		{"duplicate key, null last", []string{"a"}, `{"a":1,"a":null}`, []string{"absent"}},
		{"duplicate key in other case", []string{"x~"}, `{"X":1,"x":2}`, []string{"number 2"}},
		{"duplicate parent forgets the first one's fields", []string{"a.b", "a.c"}, `{"a":{"b":1,"c":1},"a":{"c":2}}`, []string{"absent", "number 2"}},
		{"duplicate parent that is no object", []string{"a.b"}, `{"a":{"b":1},"a":null}`, []string{"absent"}},
		{"duplicate grandparent", []string{"a.b.c"}, `{"a":{"b":{"c":1}},"a":{"x":0}}`, []string{"absent"}},
		{"duplicate parent of a first element", []string{"a.[0].b"}, `{"a":[{"b":1}],"a":[]}`, []string{"absent"}},
		{"white space everywhere", []string{"a.b"}, " \t\r\n{ \"a\" :\n{ \"b\"\t: 1 , \"c\":2 } }", []string{"number 1"}},
		{"root as a whole", []string{"[0]"}, `["x"]`, []string{"string x"}},
		{"brackets and quotes in what is skipped", []string{"z"}, `{"a":{"b":"}]\"{"},"c":["[{",{"d":"\\"}],"z":1}`, []string{"number 1"}},
		{"long strings around the eight byte steps", []string{"z"}, `{"a":"1234567\"12345678\\123456789","z":"abcdefgh\"ijklmnop"}`, []string{`string abcdefgh"ijklmnop`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := NewScanner(compile(t, tt.paths...))
			text := strings.TrimLeft(tt.text, " \t\r\n")
			for range 2 { // the second scan must not see the first
				n, err := s.Scan([]byte(text))
				if err != nil || n != len(text) {
					t.Fatalf("scanned %d of %d bytes, error %v", n, len(text), err)
				}
				var got []string
				for _, v := range s.Values {
					got = append(got, found(v))
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("fields (-want +got)\n%s", diff)
				}
			}
		})
	}
}

// Goal: text that is legal for encoding/json is taken, other text that lies on
// the way to a wanted field is refused with the right kind of error.
func TestScanVerdict(t *testing.T) {
	const legal = "legal"
	nested := strings.Repeat(`{"a":`, 600) + "1" + strings.Repeat("}", 600)
	tests := []struct{ name, text, want string }{
		{"empty object", `{}`, legal},
		{"empty array", `[]`, legal},
		{"numbers", `{"w":[0,-0,1.5,1e9,1E-9,1.25e+3]}`, legal},
		{"zero in front", `{"w":01}`, "broken JSON at byte 7: not a number"},
		{"minus alone", `{"w":-}`, "broken JSON at byte 6: not a number"},
		{"point without digits", `{"w":1.}`, "broken JSON at byte 7: not a number"},
		{"exponent without digits", `{"w":1e}`, "broken JSON at byte 7: not a number"},
		{"plus in front", `{"w":+1}`, "broken JSON at byte 5: expected a value"},
		{"NaN", `{"w":NaN}`, "broken JSON at byte 5: expected a value"},
		{"word cut", `{"w":tru}`, "broken JSON at byte 5: expected true, false or null"},
		{"word too long", `{"w":nulls}`, "broken JSON at byte 9: expected , or } after a value"},
		{"single quotes", `{'w':1}`, "broken JSON at byte 1: expected a key in quotes"},
		{"no colon", `{"w" 1}`, "broken JSON at byte 5: expected : after a key"},
		{"no comma", `{"w":1 "x":2}`, "broken JSON at byte 7: expected , or } after a value"},
		{"comma at the end of an object", `{"w":1,}`, "broken JSON at byte 7: expected a key in quotes"},
		{"comma at the end of an array", `{"f":[1,]}`, "broken JSON at byte 8: expected a value"},
		{"no comma in an array", `{"f":[1 2]}`, "broken JSON at byte 8: expected , or ] after an element"},
		{"bracket that does not match", `{"s":{"x":[1}}`, "broken JSON at byte 12: bracket does not match"},
		{"line break in a string", "{\"w\":\"a\nb\"}", "broken JSON at byte 7: control character inside a string"},
		{"tab in a key", "{\"w\t\":1}", "broken JSON at byte 3: control character inside a string"},
		{"unknown escape in a wanted field", `{"w":"\x41"}`, "broken JSON at byte 5: illegal escape in a string"},
		{"short unicode escape", `{"w":"\u12g4"}`, "broken JSON at byte 5: illegal escape in a string"},
		{"unicode escape at the end", `{"w":"\u12"}`, "broken JSON at byte 5: illegal escape in a string"},
		{"unknown escape in a key", `{"\q":1}`, "broken JSON at byte 2: illegal escape in a key"},
		{"nested too deep", nested, "broken JSON at byte 2565: nested deeper than 512 levels"},
		{"no value", `}`, "broken JSON at byte 0: expected a value"},
		{"nothing", ``, ErrShort.Error()},
		{"cut after the bracket", `{`, ErrShort.Error()},
		{"cut in a key", `{"w`, ErrShort.Error()},
		{"cut after a key", `{"w"`, ErrShort.Error()},
		{"cut after the colon", `{"w":`, ErrShort.Error()},
		{"cut in an escape", `{"w":"\`, ErrShort.Error()},
		{"cut in a word", `{"w":fal`, ErrShort.Error()},
		{"cut after a minus", `{"w":-`, ErrShort.Error()},
		{"cut after a point", `{"w":1.`, ErrShort.Error()},
		{"cut in an exponent", `{"w":1e+`, ErrShort.Error()},
		{"cut in what is skipped", `{"s":[[{"x":"y`, ErrShort.Error()},
		{"cut in an array", `{"f":[1,`, ErrShort.Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, err := NewScanner(compile(t, "w", "f.[0]")).Scan([]byte(tt.text))
			got := legal
			if err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if legalForLibrary := json.Valid([]byte(tt.text)); err == nil && (!legalForLibrary || n != len(tt.text)) {
				t.Errorf("took %d bytes, encoding/json says legal: %v", n, legalForLibrary)
			}
		})
	}
}

// Goal: a text that is cut anywhere is short, never broken: whoever reads in
// parts asks for more and gets it.
func TestScanOfEveryPrefixIsShort(t *testing.T) {
	text := []byte(`{"s":{"x":[true,false,null,-1.5e-7,"\u00fc\\"]},"w":"\"é","f":[-0.5E+2,{}],"\u0077":[],"z":nul` + `l}`)
	s := NewScanner(compile(t, "w", "f.[0]", "z"))
	for n := range text {
		if _, err := s.Scan(text[:n:n]); !errors.Is(err, ErrShort) {
			t.Errorf("%s: got error %v, want ErrShort", text[:n], err)
		}
	}
	if n, err := s.Scan(text); err != nil || n != len(text) {
		t.Errorf("whole text: %d bytes, error %v", n, err)
	}
}

func TestScanStopsBehindTheValue(t *testing.T) {
	text := []byte(`{"w":1}{"w":2}`)
	s := NewScanner(compile(t, "w"))
	n, err := s.Scan(text)
	if err != nil || n != 7 || found(s.Values[0]) != "number 1" {
		t.Errorf("got %d bytes, %v, error %v", n, found(s.Values[0]), err)
	}
}

func TestErrorsNeverQuoteTheText(t *testing.T) {
	const canary = "canary"
	s := NewScanner(compile(t, "w", "f.[0]"))
	for _, text := range []string{
		`{"w":canary}`, `{"w":tcanary}`, `{"w":"canary\q"}`, `{canary:1}`, `{"canary"1}`, `{"w":1 canary}`, `{"f":[1 canary]}`, "{\"w\":\"canary\x01\"}", `{"w":-canary}`, `{"canary`,
	} {
		_, err := s.Scan([]byte(text))
		if err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: error %q", text, err)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	tests := []struct {
		name  string
		paths []string
		want  string
	}{
		{"empty key", []string{"a..b"}, `path "a..b": empty key; write keys with one dot between them`},
		{"empty path", []string{""}, `path "": empty key; write keys with one dot between them`},
		{"tilde alone", []string{"a.~"}, `path "a.~": empty key; write keys with one dot between them`},
		{"twice", []string{"a.b", "a.b"}, `path "a.b": listed twice`},
		{"same key with and without case", []string{"x.Id~", "x.id"}, `path "x.id": key "id": another path has it as "Id" and one of them ignores case; write them alike`},
		{"two folded keys", []string{"Id~", "ID~"}, `path "ID~": key "ID~": another path has it as "Id" and one of them ignores case; write them alike`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var paths []Path
			for _, p := range tt.paths {
				paths = append(paths, ParsePath(p))
			}
			if _, err := Compile(paths); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestScanDoesNotAllocate(t *testing.T) {
	s := NewScanner(compile(t, "a.b", "c~", "d.[0].e"))
	text := []byte(`{"x":[1,2,{"y":"z"}],"a":{"q":1,"b":"v"},"C":-1.5,"d":[{"e":true}]}`)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := s.Scan(text); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a scan", n)
	}
}

func TestTextOfOtherKindsIsRaw(t *testing.T) {
	s := NewScanner(compile(t, "a"))
	if _, err := s.Scan([]byte(`{"a":1.50}`)); err != nil {
		t.Fatal(err)
	}
	if got := s.Values[0].Text(); got != "1.50" {
		t.Errorf("got %q", got)
	}
	if !bytes.Equal(s.Values[0].Raw, []byte("1.50")) {
		t.Errorf("got %q", s.Values[0].Raw)
	}
}

// Goal: AppendText gives what encoding/json reads, behind what is there, and
// needs no memory of its own.
func TestAppendTextAgreesWithText(t *testing.T) {
	for _, raw := range []string{
		``, `plain`, `\"\\\/`, `\b\f\n\r\t`, `a\u0041\u00e9\uFFFF`, `\ud83d\ude00`, `\uD83D\uDE00x`, `\ud83d`, `\ud83dx`, `\ud83d\n`,
		`\ude00`, `\ud83d\u0041`, `\ud83d\ud83d\ude00`, `\\u0041`, `{\"id\":\"msg_1\",\"x\":\"a\\nb\"}`, "ä\\tö",
	} {
		v := Value{Raw: []byte(raw), Kind: String, Escaped: strings.Contains(raw, `\`)}
		if got := string(v.AppendText([]byte("before "))); got != "before "+v.Text() {
			t.Errorf("%s: got %q, want %q", raw, got, "before "+v.Text())
		}
	}
	if got := string(Value{Raw: []byte(`{"a":"\n"}`), Kind: Object, Escaped: true}.AppendText(nil)); got != `{"a":"\n"}` {
		t.Errorf("an object became %s", got)
	}
	v, dst := Value{Raw: []byte(`{\"id\":\"\u00e9\"}`), Kind: String, Escaped: true}, make([]byte, 0, 64)
	if n := testing.AllocsPerRun(10, func() { dst = v.AppendText(dst[:0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
