package frame

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"chargeback/extract/decode/jsonscan"
)

// fieldsOf reads everything with a squeezer for records longer than so many
// bytes, 0 for none, and tells a line for each record: where it starts, and its
// wanted fields or "broken".
func fieldsOf(t *rapid.T, r io.Reader, longer int) (all []string) {
	spec, err := jsonscan.Compile([]jsonscan.Path{{"a"}, {"b", "a"}, {"c", "[0]"}})
	if err != nil {
		t.Fatal(err)
	}
	f := NewReader(r, roomy, nil)
	if longer > 0 {
		f = NewReader(r, roomy, jsonscan.NewSqueezer(spec))
		f.longer = longer
	}
	scanner := jsonscan.NewScanner(spec)
	for {
		line, err := f.Next(scanner.Scan)
		_, isBad := errors.AsType[*BadRecord](err)
		switch {
		case err == io.EOF:
			return all
		case isBad:
			all = append(all, fmt.Sprintf("%d broken", line))
		case err != nil:
			t.Fatal(err)
		default:
			told := fmt.Sprintf("%d", line)
			for _, v := range scanner.Values {
				told += fmt.Sprintf(" %d:%s", v.Kind, strings.Join(strings.Fields(string(v.Raw)), " "))
			}
			all = append(all, told)
		}
	}
}

// Goal: a long record gives what it would give if it were read as a whole, in
// every framing.
func TestLongRecordsAreReadAlike(t *testing.T) {
	for name, render := range framings {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				text := render(t, rapid.SliceOfN(rapid.Custom(drawObject), 0, 6).Draw(t, "records"))
				want := fieldsOf(t, strings.NewReader(text), 0)
				if diff := cmp.Diff(want, fieldsOf(t, drawPieces(t, text), rapid.IntRange(1, 12).Draw(t, "longer"))); diff != "" {
					t.Fatalf("%q (-whole +squeezed)\n%s", text, diff)
				}
			})
		})
	}
}

// Goal: of long lines, too, exactly the broken ones are lost.
func TestLongBrokenLinesCostThemselves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := []string{"{}", "{}"} // from here on there is one record a line
		for range rapid.IntRange(1, 12).Draw(t, "lines") {
			line := drawObject(t)
			if rapid.IntRange(0, 2).Draw(t, "cut") == 0 {
				line = line[:rapid.IntRange(1, len(line)-1).Draw(t, "length")]
			}
			lines = append(lines, line)
		}
		text := strings.Join(lines, "\n")
		want := fieldsOf(t, strings.NewReader(text), 0)
		if diff := cmp.Diff(want, fieldsOf(t, drawPieces(t, text), rapid.IntRange(1, 12).Draw(t, "longer"))); diff != "" {
			t.Fatalf("%q (-whole +squeezed)\n%s", text, diff)
		}
	})
}

// Goal: a line of many megabytes costs no memory but the buffer.
// Method: prompts as one text, as many texts and as numbers, in one record and
// in many; what is allocated is counted.
func TestLongRecordsCostLittleMemory(t *testing.T) {
	const size = 20 << 20
	spec, err := jsonscan.Compile([]jsonscan.Path{{"id"}, {"usage", "tokens"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{
		"one text":   `"` + strings.Repeat("Which form is this? ", size/20) + `"`,
		"many texts": `[` + strings.Repeat(`{"role":"user","content":"Which form?"},`, size/40) + `null]`,
		"numbers":    `{"embedding":[` + strings.Repeat("0.0123456,", size/10) + `0]}`,
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Repeat(`{"id":"x","body":`+body+`,"usage":{"tokens":7,"text":`+body+"}}\n", 2)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			f := NewReader(strings.NewReader(text), 4*size, jsonscan.NewSqueezer(spec))
			scanner := jsonscan.NewScanner(spec)
			for range 2 {
				if _, err := f.Next(scanner.Scan); err != nil || string(scanner.Values[0].Raw) != "x" || string(scanner.Values[1].Raw) != "7" {
					t.Fatalf("%v, error %v", scanner.Values, err)
				}
			}
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 4*bufferBytes {
				t.Errorf("%d bytes for a record of %d", used, len(text)/2)
			}
			if _, err := f.Next(scanner.Scan); err != io.EOF {
				t.Errorf("at the end: %v", err)
			}
		})
	}
}
