package jsonscan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestEachMember(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string // key, kind and raw value
		err        bool
	}{
		{"empty", ` { } `, nil, false},
		{"kinds", `{"a":1, "b" : "x\"y","c":null,"d":{"a":[1]},"e":[],"f":true}`, []string{"a 2 1", `b 1 x\"y`, "c 0 null", `d 5 {"a":[1]}`, "e 6 []", "f 3 true"}, false},
		{"escaped key", `{"a\"b":1}`, []string{`a\"b 2 1`}, false},
		{"same key twice", `{"a":1,"a":2}`, []string{"a 2 1", "a 2 2"}, false},
		{"no object", `[1]`, nil, true},
		{"nothing", ``, nil, true},
		{"cut", `{"a":1`, []string{"a 2 1"}, true},
		{"cut behind a comma", `{"a":1,`, []string{"a 2 1"}, true},
		{"no comma", `{"a":1 "b":2}`, []string{"a 2 1"}, true},
		{"no quotes", `{a:1}`, nil, true},
		{"illegal escape", `{"a":"\q"}`, nil, true},
		{"value cut", `{"a":"`, nil, true},
		{"object cut", `{"a":[`, nil, true},
		{"no value", `{"a":`, nil, true},
		{"broken value", `{"a":x}`, nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			err := EachMember([]byte(tt.text), func(key []byte, v Value) error {
				got = append(got, fmt.Sprintf("%s %d %s", key, v.Kind, v.Raw))
				return nil
			})
			if !slices.Equal(got, tt.want) || (err != nil) != tt.err {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// Goal: the walk ends with what its callback says.
func TestEachMemberStops(t *testing.T) {
	enough := errors.New("enough")
	calls := 0
	err := EachMember([]byte(`{"a":1,"b":2}`), func([]byte, Value) error { calls++; return enough })
	if !errors.Is(err, enough) || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

// Goal: AppendText undoes escapes exactly as encoding/json does.
func TestAppendTextIsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		escapes := rapid.SampledFrom([]string{`\"`, `\\`, `\/`, `\b`, `\f`, `\n`, `\r`, `\t`, `\u00e9`, `\ud83d\ude00`, `\ud83d`, `\ude00`, `\ud83d\u0041`, `\ud83d\ud83d\ude00`, `\u0000`, `\uFFFD`})
		quoted := rapid.Custom(func(t *rapid.T) string {
			text, err := json.Marshal(rapid.StringN(0, 8, -1).Draw(t, "text"))
			if err != nil {
				t.Fatal(err)
			}
			return string(text[1 : len(text)-1])
		})
		raw := []byte(strings.Join(rapid.SliceOf(rapid.OneOf(escapes, quoted)).Draw(t, "pieces"), ""))
		v := Value{Raw: raw, Kind: String, Escaped: bytes.IndexByte(raw, '\\') >= 0}
		if got, want := string(v.AppendText([]byte("x"))), "x"+v.Text(); got != want {
			t.Errorf("%q: got %q, want %q", raw, got, want)
		}
	})
}

// Goal: what is no string, or has no escapes, is taken as it stands.
func TestAppendTextAsItStands(t *testing.T) {
	for _, v := range []Value{{Raw: []byte(`12.5`), Kind: Number}, {Raw: []byte(`{"a":"\n"}`), Kind: Object, Escaped: true}, {Raw: []byte("caf\xe9"), Kind: String}} {
		if got := v.AppendText(nil); !bytes.Equal(got, v.Raw) {
			t.Errorf("got %q, want %q", got, v.Raw)
		}
	}
}
