package jsonscan

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// walked reads a text step by step as ordered does with the library.
func walked(w *Walker) (any, error) {
	switch {
	case w.Enter('{'):
		members := []member{}
		for {
			key, more, err := w.Member()
			if !more || err != nil {
				return members, err
			}
			name := string(key)
			v, err := walked(w)
			if err != nil {
				return nil, err
			}
			members = append(members, member{name, v})
		}
	case w.Enter('['):
		elements := []any{}
		for {
			more, err := w.Element()
			if !more || err != nil {
				return elements, err
			}
			v, err := walked(w)
			if err != nil {
				return nil, err
			}
			elements = append(elements, v)
		}
	}
	v, err := w.Value()
	switch v.Kind {
	case String:
		return v.Text(), err
	case Number:
		return json.Number(v.Raw), err
	case True, False:
		return v.Kind == True, err
	}
	return nil, err
}

// Goal: what is walked through is what encoding/json reads, and Skip and Seek
// lead where reading leads.
// Method: random documents in random layout.
func TestWalkAgreesWithLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(drawJSON(t, 4) + " ")
		want, err := ordered(text)
		if err != nil {
			t.Fatal(err)
		}
		w := NewWalker(text)
		start := w.At()
		got, err := walked(&w)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(member{})); diff != "" || err != nil {
			t.Errorf("%s: error %v (-library +walker)\n%s", text, err, diff)
		}
		behind := w.At()
		w.Seek(start)
		if err := w.Skip(); err != nil || w.At() != behind {
			t.Errorf("%s: reading led to %d, Skip to %d, error %v", text, behind, w.At(), err)
		}
		w.Seek(start)
		if _, err := w.Value(); err != nil || w.At() != behind {
			t.Errorf("%s: reading led to %d, Value to %d, error %v", text, behind, w.At(), err)
		}
	})
}

// Goal: a broken text is refused where it is broken, and never read past its end.
func TestWalkRefuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"nothing", "", ErrShort.Error()},
		{"end behind a bracket", "[", ErrShort.Error()},
		{"end behind a key", `{"a"`, ErrShort.Error()},
		{"end behind a colon", `{"a":`, ErrShort.Error()},
		{"end behind a value", `{"a":1`, ErrShort.Error()},
		{"end in a string", `["a`, ErrShort.Error()},
		{"no comma in a list", `[1 2]`, "broken JSON at byte 3: expected , or ] after an element"},
		{"no comma in an object", `{"a":1 "b":2}`, "broken JSON at byte 7: expected , or } after a value"},
		{"the other bracket", `[1}`, "broken JSON at byte 2: expected , or ] after an element"},
		{"key without quotes", `{a:1}`, "broken JSON at byte 1: expected a key in quotes"},
		{"no colon", `{"a" 1}`, "broken JSON at byte 5: expected : after a key"},
		{"no value", `[,]`, "broken JSON at byte 1: expected a value"},
		{"illegal escape", `["\q"]`, "broken JSON at byte 1: illegal escape in a string"},
		{"illegal escape in a key", `{"\q":1}`, "broken JSON at byte 2: illegal escape in a key"},
		{"control character", "[\"\n\"]", "broken JSON at byte 2: control character inside a string"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := NewWalker([]byte(tt.text)[:len(tt.text):len(tt.text)])
			if _, err := walked(&w); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	w := NewWalker([]byte(`{}`))
	if w.Enter('[') || w.At() != 0 {
		t.Error("went into a list that is an object")
	}
}

// FuzzWalk walks through any bytes: no panic, an error of a known kind, and what
// the library reads where it takes the text.
func FuzzWalk(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"\u0061":"x"}],"b":null}`, `[[],{}]`, `{"a" : 1 , "b":2}`, `[1,`, `{"a"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if strings.Count(string(text), "[")+strings.Count(string(text), "{") > depthMax {
			return // walked calls itself on each level
		}
		w := NewWalker(text[:len(text):len(text)])
		got, err := walked(&w)
		if broken := new(SyntaxError); err != nil && !errors.Is(err, ErrShort) && !errors.As(err, &broken) {
			t.Fatalf("error of unknown kind: %v", err)
		}
		want, library := ordered(text)
		if library != nil || !json.Valid(text) || strings.ToValidUTF8(string(text), "") != string(text) {
			return
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(member{})); err != nil || diff != "" {
			t.Errorf("error %v (-library +walker)\n%s", err, diff)
		}
	})
}
