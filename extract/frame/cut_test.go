package frame

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"chargeback/extract/decode/jsonscan"
)

// Goal: a list whose end is missing is an error, wherever it was cut, and what is
// whole is not.
// Method: cut rendered lists at every byte; a text that holds all records and ends
// with the list's bracket is whole.
func TestCutListsAreTold(t *testing.T) {
	for _, name := range []string{"array", "array lines", "comma first", "pretty array"} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				text := framings[name](t, rapid.SliceOfN(rapid.Custom(drawObject), 0, 3).Draw(t, "records")) + rapid.SampledFrom([]string{"", "\n", " \r\n"}).Draw(t, "end")
				begin, whole := strings.IndexByte(text, '['), len(strings.TrimRight(text, " \r\n"))
				for cut := range len(text) + 1 {
					got, err := events(drawPieces(t, text[:cut]), roomy)
					if want := cut > begin && cut < whole; want != errors.Is(err, ErrCut) || !want && err != nil {
						t.Fatalf("%q: %q, error %v", text[:cut], got, err)
					}
				}
			})
		})
	}
}

// Goal: a cut inside a record that is longer than the buffer is told like any.
func TestCutListOfLongRecords(t *testing.T) {
	text := "[{\"a\": 1, \"b\": \"" + strings.Repeat("x", 500) + "\"},\n{\"a\": 2, \"b\": \"" + strings.Repeat("x", 500) + "\"}]"
	spec, err := jsonscan.Compile([]jsonscan.Path{{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	for cut := 1; cut <= len(text); cut += 7 {
		f := NewReader(strings.NewReader(text[:cut]), roomy, jsonscan.NewSqueezer(spec))
		f.longer = 100
		if _, err := eventsOf(f); !errors.Is(err, ErrCut) {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
}

// Goal: each way in which a list can lack its end, or something in it, is told with
// the line on which it begins; a broken record in it costs itself alone; and what
// some writers do besides is none of that.
func TestListsThatLackSomething(t *testing.T) {
	const cut, missing = "cut off before the bracket that ends its list, which begins on line ", "a record is missing beside a comma of the list that begins on line "
	for _, tt := range []struct {
		text, err string
		broken    int
	}{
		{"[", cut + "1", 0},
		{"[\n{}\n", cut + "1", 0},
		{"{}\n[\n{},\n{}", cut + "2", 0},
		{"[{},", cut + "1", 0},
		{"[{}, {\"a\": ", cut + "1", 1},
		{"[{},\n{}]\n[", cut + "3", 0},
		{"[[{}]", cut + "1", 0},
		{"[{},]", missing + "1", 0},
		{"[{},,{}]", missing + "1", 0},
		{"\n[,{}]", missing + "2", 0},
		{"[,]", missing + "1", 0},
		{"[{}] and more", "", 1},
		{"[{},\n{\"a\": x}]", "", 1},
		{"[\n{},\n{},\n{\"a\": x}]\n", "", 1},
		{"[{},\nx]", "", 1},
		{"[{}, {\"a\": x}, {}]", "", 1},
		{"[]", "", 0},
		{" [ ] \n", "", 0},
		{"[[{}],[{}]]", "", 0},
		{"[{}][{}]", "", 0},
		{"[{}]\n[]\n", "", 0},
		{"{},\n{},\n", "", 0},
		{"\ufeff[{}\n,{}]", "", 0},
	} {
		for name, r := range readings(tt.text) {
			all, err := events(r, roomy)
			broken := 0
			for _, event := range all {
				if line, _, _ := strings.Cut(event, " "); strings.HasSuffix(line, "!") {
					broken++
				}
			}
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) || broken != tt.broken {
				t.Errorf("%q, %s: %q, error %v, want %q", tt.text, name, all, err, tt.err)
			}
		}
	}
}

// Goal: an archive that is whole around a list that isn't tells it, too.
func TestCutListInAnArchive(t *testing.T) {
	for name, packed := range map[string][]byte{"gzip": gzipped(t, "[{},"), "zstd": zstandard(t, "[{},")} {
		var u Unpacker
		defer u.Close()
		plain, err := u.Plain(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := events(plain, roomy); !errors.Is(err, ErrCut) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
