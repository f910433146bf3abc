package decode

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"chargeback/extract/frame"
)

// rowsOf reads all rows and tells each in one line: "LINE cell|cell" of a row,
// "LINE! reason" of a broken one.
func rowsOf(in io.Reader, maxBytes int) (told []string, err error) {
	rows := newCSVRows(maxBytes)
	rows.reset(in)
	for {
		cells, line, err := rows.next()
		bad, isBad := errors.AsType[*frame.BadRecord](err)
		switch {
		case err == io.EOF:
			return told, nil
		case isBad:
			told = append(told, fmt.Sprintf("%d! %s", bad.Line, bad.Reason))
		case err != nil:
			return told, err
		default:
			var texts []string
			for _, c := range cells {
				texts = append(texts, string(c))
			}
			told = append(told, fmt.Sprintf("%d %s", line, strings.Join(texts, "|")))
		}
	}
}

func TestCSVRows(t *testing.T) {
	const (
		long   = "record is longer than 20 bytes; raise the source's max_record_bytes"
		closed = "broken CSV: a quote is never closed"
		behind = "broken CSV: text behind a closing quote; double the quotes inside a cell"
		bare   = "broken CSV: a quote inside a cell that has none around it"
	)
	tests := []struct {
		name, in string
		want     []string
		err      string
	}{
		{"plain", "a,b\nc,d\n", []string{"1 a|b", "2 c|d"}, ""},
		{"no line break at the end", "a,b\nc,", []string{"1 a|b", "2 c|"}, ""},
		{"byte order mark and CRLF", "\xef\xbb\xbfa,b\r\nc,d\r\n", []string{"1 a|b", "2 c|d"}, ""},
		{"carriage return at the end", "a,b\r", []string{"1 a|b"}, ""},
		{"blank lines", "\n\r\na\n\n\nb\n", []string{"3 a", "6 b"}, ""},
		{"empty cells", ",\n\"\",\n", []string{"1 |", "2 |"}, ""},
		{"line breaks in cells", "\"a\nb\",\"c\r\n\"\nd,e\n", []string{"1 a\nb|c\r\n", "4 d|e"}, ""},
		{"commas and quotes in cells", `"a,""b""",""""` + "\n", []string{`1 a,"b"|"`}, ""},
		{"nothing", "", nil, ""},
		{"text behind a quote", "\"a\"b,c\nd,e\n", []string{"1! " + behind, "2 d|e"}, ""},
		{"quote that takes the next row's", "\"a,b\n\"c\",d\ne,f\n", []string{"1! " + behind, "2 c|d", "3 e|f"}, ""},
		{"broken and longer than a row may be", "a\"" + strings.Repeat("x,", 40) + "\nb\n", []string{"1! " + bare, "2 b"}, ""},
		{"bare quote", "a\"b\nc\n", []string{"1! " + bare, "2 c"}, ""},
		{"quote never closed", "a\n\"b,c\nd\ne\n", []string{"1 a", "2! " + closed, "3 d", "4 e"}, ""},
		{"exactly as long as may be", strings.Repeat("x", 20) + "\ny\n", []string{"1 " + strings.Repeat("x", 20), "2 y"}, ""},
		{"a byte too long", strings.Repeat("x", 21) + "\ny\n", []string{"1! " + long, "2 y"}, ""},
		{"too long with line breaks that look like rows", "a\n\"" + strings.Repeat("x\ny,z\n", 9) + "\"\nb\n", []string{"1 a", "2! " + long, "21 b"}, ""},
		{"too long at the end", "a\n" + strings.Repeat("x", 50), []string{"1 a", "2! " + long}, ""},
		{"too long and never closed", "a\n\"" + strings.Repeat("x\n", 50), []string{"1 a"}, "a quote in the row of line 2 is never closed, so what follows can't be told from it; is the file cut off?"},
	}
	for _, tt := range tests {
		for way, in := range map[string]io.Reader{"at once": strings.NewReader(tt.in), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.in)), "with its end": iotest.DataErrReader(strings.NewReader(tt.in))} {
			t.Run(tt.name+"/"+way, func(t *testing.T) {
				got, err := rowsOf(in, 20)
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				if fmt.Sprint(err) != map[bool]string{true: "<nil>", false: tt.err}[tt.err == ""] {
					t.Errorf("error %v, want %q", err, tt.err)
				}
			})
		}
	}
}

// Goal: what encoding/csv reads without complaint is read alike.
func TestCSVRowsAreThoseOfEncodingCSV(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{`"`, `""`, ",", "\n", "\r\n", "a", "é", " ", `"b"`, `"c,d"`, "\"e\nf\""})).Draw(t, "text"), "")
		oracle := csv.NewReader(strings.NewReader(text))
		oracle.FieldsPerRecord = -1
		records, err := oracle.ReadAll()
		if err != nil {
			return
		}
		var want []string
		for _, cells := range records {
			want = append(want, strings.Join(cells, "|"))
		}
		got, err := rowsOf(strings.NewReader(text), 1<<20)
		for i, row := range got {
			_, got[i], _ = strings.Cut(row, " ")
			got[i] = strings.ReplaceAll(got[i], "\r\n", "\n") // encoding/csv makes them one character
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %q, %v; want %q", text, got, err, want)
		}
	})
}

// Goal: no more of a file is kept than its longest row may have.
func TestCSVRowsAreBounded(t *testing.T) {
	rows := newCSVRows(1000)
	rows.reset(io.MultiReader(strings.NewReader("a\n\""), io.LimitReader(zeros{}, 50<<20), strings.NewReader("\"\nb\n")))
	for {
		_, _, err := rows.next()
		if _, bad := errors.AsType[*frame.BadRecord](err); err != nil && !bad {
			if err != io.EOF || rows.line != 4 {
				t.Errorf("line %d: %v", rows.line, err)
			}
			break
		}
	}
	if len(rows.buf) > 4*rowBytesMax {
		t.Errorf("%d bytes are kept", len(rows.buf))
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}
