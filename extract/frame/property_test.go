package frame

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawObject draws a compact JSON object, with brackets, quotes and line
// breaks inside its strings.
func drawObject(t *rapid.T) string {
	value := rapid.Custom(func(t *rapid.T) any {
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			return rapid.SampledFrom([]any{nil, true, false, 0, -12.5, 1e30}).Draw(t, "scalar")
		case 1:
			return rapid.SliceOfN(rapid.SampledFrom([]any{map[string]any{"a": "}"}, []any{}, "[", 7}), 0, 3).Draw(t, "list")
		case 2:
			return rapid.MapOfN(rapid.SampledFrom([]string{"a", "x"}), rapid.Just[any](map[string]any{"y": []int{1}}), 0, 2).Draw(t, "object")
		}
		return rapid.SampledFrom([]string{"", `}{`, `]},{"a":1`, "\n{", `\"`, "\u2028", "\ufeff", strings.Repeat("long ", 40)}).Draw(t, "string")
	})
	text, err := json.Marshal(rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "{", `"`}), value, 0, 4).Draw(t, "record"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func pretty(t *rapid.T, prefix, text string) string {
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(text), prefix, "  "); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// framings render records as exporters do.
var framings = map[string]func(t *rapid.T, records []string) string{
	"lines":       func(_ *rapid.T, r []string) string { return strings.Join(r, "\n") },
	"CRLF":        func(_ *rapid.T, r []string) string { return strings.Join(r, "\r\n") },
	"blank lines": func(_ *rapid.T, r []string) string { return "\n" + strings.Join(r, "\n \n\r\n") },
	"array":       func(_ *rapid.T, r []string) string { return "[" + strings.Join(r, ",") + "]" },
	"array lines": func(_ *rapid.T, r []string) string { return "[\n" + strings.Join(r, ",\n") + "\n]" },
	"comma first": func(_ *rapid.T, r []string) string { return "[" + strings.Join(r, "\n,") + "]" },
	"pretty array": func(t *rapid.T, r []string) string {
		return pretty(t, "", "["+strings.Join(r, ",")+"]")
	},
	"pretty": func(t *rapid.T, r []string) string {
		var all []string
		for _, text := range r {
			all = append(all, pretty(t, "", text))
		}
		return strings.Join(all, "\n")
	},
	"concatenated": func(_ *rapid.T, r []string) string { return strings.Join(r, "") },
	"mixed": func(t *rapid.T, r []string) string {
		var b strings.Builder
		for _, text := range r {
			if rapid.Bool().Draw(t, "pretty") {
				text = pretty(t, "", text)
			}
			b.WriteString(text)
			b.WriteString(rapid.SampledFrom([]string{"\n", "", "\r\n", " ", "\n\n", "\ufeff"}).Draw(t, "between"))
		}
		return b.String()
	},
}

// pieces reads text in parts of the drawn sizes.
type pieces struct {
	text  string
	sizes []int
	next  int
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.text == "" {
		return 0, io.EOF
	}
	n := min(len(b), len(p.text), p.sizes[p.next%len(p.sizes)])
	p.next++
	copy(b, p.text[:n])
	p.text = p.text[n:]
	return n, nil
}

func drawPieces(t *rapid.T, text string) *pieces {
	return &pieces{text: text, sizes: rapid.SliceOfN(rapid.IntRange(1, 50), 1, 20).Draw(t, "sizes")}
}

// Goal: whatever records are rendered, in whatever framing and read in
// whatever parts, exactly these come out, each with its line.
func TestReaderGivesWhatWasRendered(t *testing.T) {
	for name, render := range framings {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				records := rapid.SliceOfN(rapid.Custom(drawObject), 0, 6).Draw(t, "records")
				text := rapid.SampledFrom([]string{"", "\ufeff"}).Draw(t, "mark") + render(t, records) + rapid.SampledFrom([]string{"", "\n"}).Draw(t, "end")
				got, err := events(drawPieces(t, text), roomy)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(expected(t, records, text), compacted(t, got)); diff != "" {
					t.Fatalf("%q (-want +got)\n%s", text, diff)
				}
			})
		})
	}
}

// expected are the events of a text that holds these records in this order.
func expected(t *rapid.T, records []string, text string) []string {
	var all []string
	rest := text
	for _, record := range records {
		start := strings.IndexByte(rest, '{')
		d := json.NewDecoder(strings.NewReader(rest[start:]))
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			t.Fatal(err)
		}
		at := len(text) - len(rest) + start
		all = append(all, fmt.Sprintf("%d %s", 1+strings.Count(text[:at], "\n"), record))
		rest = rest[start+int(d.InputOffset()):]
	}
	return all
}

func compacted(t *rapid.T, events []string) []string {
	var all []string
	for _, event := range events {
		line, record, _ := strings.Cut(event, " ")
		var b bytes.Buffer
		if err := json.Compact(&b, []byte(record)); err != nil {
			t.Fatalf("%s: %v", event, err)
		}
		all = append(all, line+" "+b.String())
	}
	return all
}

// Goal: of a file of lines exactly the broken ones are lost, and the verdict
// names their lines.
// Method: some lines are cut short, the first too; a cut object is never legal.
func TestReaderLosesBrokenLinesOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var lines, want []string
		for i := range rapid.IntRange(1, 12).Draw(t, "lines") {
			line := drawObject(t)
			if rapid.IntRange(0, 2).Draw(t, "cut") == 0 {
				line = line[:rapid.IntRange(1, len(line)-1).Draw(t, "length")]
				want = append(want, fmt.Sprintf("%d!", i+1))
			} else {
				want = append(want, fmt.Sprintf("%d %s", i+1, line))
			}
			lines = append(lines, line)
		}
		text := strings.Join(lines, "\n")
		got, err := events(drawPieces(t, text), roomy)
		if err != nil {
			t.Fatal(err)
		}
		for i, event := range got {
			if verdict, _, broken := strings.Cut(event, "! "); broken {
				got[i] = verdict + "!"
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q (-want +got)\n%s", text, diff)
		}
	})
}

// FuzzFrame reads any bytes: no panic, lines that only rise, and the same
// events, and the same error of a list that is cut off, however the bytes are
// parted.
func FuzzFrame(f *testing.F) {
	for _, seed := range []string{
		"{\"a\":1}\n{\"a\":2}\n", `[{"a":1},{"a":x}]`, "{\n  \"a\": 1\n}\n", `{"a":1}{"a":2}`, "\ufeff{}\r\n{\"a\":\n{}", "{}\n{}{}\n\xef\xbb{", `{"a":"` + strings.Repeat("x", 100),
		`[{"a":1}`, "[{\"a\":1},\n", `[{"a":1},,{"a":2}]`, "[{\"a\":1},{\"a\":",
	} {
		f.Add([]byte(seed), uint8(3), uint8(40))
	}
	f.Fuzz(func(t *testing.T, text []byte, size, bound uint8) {
		want, whole := events(bytes.NewReader(text), int(bound))
		got, parted := events(&pieces{text: string(text), sizes: []int{1 + int(size)}}, int(bound))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in parts of %d bytes (-at once +in parts)\n%s", 1+int(size), diff)
		}
		if fmt.Sprint(whole) != fmt.Sprint(parted) {
			t.Errorf("in parts of %d bytes the text ends with %v, at once with %v", 1+int(size), parted, whole)
		}
		if whole != nil && !strings.Contains(whole.Error(), "deliver the object again") {
			t.Errorf("a reader that can't fail gave %v", whole)
		}
		last, lines := int64(1), int64(1+bytes.Count(text, []byte("\n")))
		for _, event := range got {
			var line int64
			if _, err := fmt.Sscan(strings.TrimRight(strings.Fields(event)[0], "!"), &line); err != nil || line < last || line > lines {
				t.Errorf("event %q after line %d of %d", event, last, lines)
			}
			last = line
		}
	})
}
