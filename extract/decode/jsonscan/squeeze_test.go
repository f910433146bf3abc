package jsonscan

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// squeeze pushes text in parts of the given sizes, over and over.
func squeeze(s *Squeezer, text []byte, sizes []int) (n int, done bool, err error) {
	s.Begin()
	for k := 0; n < len(text) && !done && err == nil; k++ {
		var took int
		part := text[n:min(len(text), n+sizes[k%len(sizes)])]
		took, done, err = s.Push(bytes.Clone(part))
		n += took
	}
	return n, done, err
}

// checkSqueezed holds a squeezer against a scanner of the same spec.
func checkSqueezed(t interface {
	Helper()
	Errorf(string, ...any)
}, spec *Spec, text []byte, sizes []int) {
	t.Helper()
	if len(text) == 0 || text[0] != '{' {
		return
	}
	whole, short := NewScanner(spec), NewScanner(spec)
	length, wantErr := whole.Scan(text)
	squeezer := NewSqueezer(spec)
	n, done, err := squeeze(squeezer, text, sizes)
	if err == nil && done {
		if _, err = short.Scan(squeezer.Text()); errors.Is(err, ErrShort) {
			t.Errorf("%q became %q, which is short", text, squeezer.Text())
			return
		}
	}
	var syntax *SyntaxError
	switch {
	case wantErr == nil:
		if err != nil || !done || n != length {
			t.Errorf("%q: %d bytes, done %v, error %v; want all %d", text, n, done, err, length)
			return
		}
		for i := range whole.Values {
			if want, got := show(whole.Values[i]), show(short.Values[i]); want != got {
				t.Errorf("%q became %q: field %d is %s, want %s", text, squeezer.Text(), i, got, want)
			}
		}
	case errors.Is(wantErr, ErrShort):
		if err != nil && !errors.As(err, &syntax) || done {
			t.Errorf("%q: done %v, error %v; want more text", text, done, err)
		}
	case err == nil && done:
		t.Errorf("%q: done %v as %q; want %v", text, done, squeezer.Text(), wantErr)
	}
}

// show tells a value without the blanks and unwanted parts in which a squeezed
// one differs.
func show(v Value) string {
	var b bytes.Buffer
	if v.Kind != Object && v.Kind != Array || json.Compact(&b, v.Raw) != nil {
		return found(v)
	}
	return b.String()
}

// Goal: what is kept of an object scans to what the object scans to, whatever
// parts it came in.
func TestSqueezedScansAlike(t *testing.T) {
	spec := compile(t, wanted...)
	rapid.Check(t, func(t *rapid.T) {
		text := drawJSON(t, 4)
		if rapid.Bool().Draw(t, "broken") {
			at := rapid.IntRange(0, len(text)).Draw(t, "at")
			text = text[:at] + rapid.SampledFrom([]string{"", `"`, "{", "]", ",", "\\", "\n", "x", "1"}).Draw(t, "instead") + text[min(len(text), at+1):]
		}
		checkSqueezed(t, spec, []byte(text), rapid.SliceOfN(rapid.IntRange(1, 9), 1, 5).Draw(t, "sizes"))
	})
}

// Goal: what nobody asked for is dropped, and long texts are cut between
// characters.
func TestSqueezerDrops(t *testing.T) {
	long := strings.Repeat("x", textMax-1)
	tests := []struct{ name, in, want string }{
		{"members", `{"x":1,"id":"k","y":{"id":"other"},"z":[1,2]}`, `{"id":"k"}`},
		{"all", `{"x":{"a":1}}`, `{}`},
		{"later elements", `{"c":[{"a":1,"x":2},{"a":3}]}`, `{"c":[{"a":1}]}`},
		{"another kind where more was expected", `{"c":"text","c":7}`, `{"c":0,"c":7}`},
		{"a duplicate stays a duplicate", `{"a":{"b":1},"a":{}}`, `{"a":{"b":1},"a":{}}`},
		{"a long text", `{"id":"` + strings.Repeat("y", 3*textMax) + `","B":2}`, `{"id":"` + strings.Repeat("y", textMax) + `","B":2}`},
		{"a cut at a character", `{"id":"` + long + `ääää"}`, `{"id":"` + long + `ä"}`},
		{"a cut at an escape", `{"id":"` + long + `\u00e4\u00e4"}`, `{"id":"` + long + `\u00e4"}`},
		{"texts inside", `{"a":["` + strings.Repeat("z", 2*textMax) + `",1]}`, `{"a":["` + strings.Repeat("z", textMax) + `",1]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, sizes := range [][]int{{1}, {7}, {1 << 20}} {
				s := NewSqueezer(compile(t, wanted...))
				n, done, err := squeeze(s, []byte(tt.in+" more"), sizes)
				if n != len(tt.in) || !done || err != nil {
					t.Fatalf("%d of %d bytes, done %v, error %v", n, len(tt.in), done, err)
				}
				if diff := cmp.Diff(tt.want, string(s.Text())); diff != "" {
					t.Errorf("parts of %d (-want +got)\n%s", sizes[0], diff)
				}
			}
		})
	}
}

// Goal: a place that may hold JSON as text keeps it whole, and of an object no
// more than was asked for.
func TestSqueezerKeepsJSONText(t *testing.T) {
	spec := compile(t, "m", "m.a", "n")
	spec.MayBeText(0)
	long := strings.Repeat(`\"x\u00e4`, textMax)
	tests := []struct{ name, in, want string }{
		{"text", `{"m":"` + long + `"}`, `{"m":"` + long + `"}`},
		{"object", `{"m":{"b":"` + long + `","a":1,"c":[1]}}`, `{"m":{"a":1}}`},
		{"object's own texts", `{"m":{"a":"` + strings.Repeat("z", 2*textMax) + `"}}`, `{"m":{"a":"` + strings.Repeat("z", textMax) + `"}}`},
		{"other texts", `{"n":"` + strings.Repeat("z", 2*textMax) + `"}`, `{"n":"` + strings.Repeat("z", textMax) + `"}`},
		{"list", `{"m":[1,2]}`, `{"m":0}`},
		{"number", `{"m":12}`, `{"m":12}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, sizes := range [][]int{{1}, {7}, {1 << 20}} {
				s := NewSqueezer(spec)
				if n, done, err := squeeze(s, []byte(tt.in), sizes); n != len(tt.in) || !done || err != nil {
					t.Fatalf("%d of %d bytes, done %v, error %v", n, len(tt.in), done, err)
				}
				if string(s.Text()) != tt.want {
					t.Errorf("parts of %d: %d bytes were kept, want %d", sizes[0], len(s.Text()), len(tt.want))
				}
			}
		})
	}
}

// FuzzSqueeze holds the squeezer against the scanner for any bytes, in any parts.
func FuzzSqueeze(f *testing.F) {
	for _, seed := range []string{
		`{"a":{"b":[1,2]},"B":"x","c":[{"a":1}],"id":"\u0041"}`, `{"a":{"b":1},"a":{"c":2}}`, `{"a":[`, `{"id":"\`, `{"id":-`, "{\"id\":\"\xff\"}", `{"\u0061":tru}`,
	} {
		f.Add([]byte(seed), uint8(1), uint8(5))
	}
	spec := compile(f, wanted...)
	f.Fuzz(func(t *testing.T, text []byte, one, two uint8) {
		checkSqueezed(t, spec, text, []int{1 + int(one), 1 + int(two)})
	})
}
