package frame

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"chargeback/extract/decode/jsonscan"
)

const roomy = 1 << 20

// events reads everything and tells it in one line each: "LINE TEXT" of a
// record, "LINE! REASON" of a broken one.
func events(r io.Reader, maxBytes int) ([]string, error) {
	return eventsOf(NewReader(r, maxBytes, nil))
}

func eventsOf(f *Reader) ([]string, error) {
	spec, err := jsonscan.Compile([]jsonscan.Path{{"a"}})
	if err != nil {
		return nil, err
	}
	scanner := jsonscan.NewScanner(spec)
	var all []string
	for {
		var record []byte
		line, err := f.Next(func(text []byte) (int, error) {
			n, err := scanner.Scan(text)
			if err == nil {
				record = text[:n]
			}
			return n, err
		})
		bad, isBad := errors.AsType[*BadRecord](err)
		switch {
		case err == nil:
			all = append(all, fmt.Sprintf("%d %s", line, record))
		case isBad:
			if bad.Line != line {
				return all, fmt.Errorf("bad record on line %d was returned with line %d", bad.Line, line)
			}
			all = append(all, fmt.Sprintf("%d! %s", line, bad.Reason))
		case err == io.EOF:
			return all, nil
		default:
			return all, err
		}
	}
}

const short = "ends inside a JSON value"

// Goal: records are found in every framing, a broken one costs itself alone,
// and each has its right line.
// Method: the whole text at once, one byte at a time and in two halves must
// give the same.
func TestReaderFindsRecords(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", nil},
		{"blank lines only", "\n \r\n\t\n", nil},
		{"one record", `{"a":1}`, []string{`1 {"a":1}`}},
		{"lines", "{\"a\":1}\n{\"a\":2}\n", []string{`1 {"a":1}`, `2 {"a":2}`}},
		{"last line without an end", "{\"a\":1}\n{\"a\":2}", []string{`1 {"a":1}`, `2 {"a":2}`}},
		{"CRLF", "{\"a\":1}\r\n{\"a\":2}\r\n", []string{`1 {"a":1}`, `2 {"a":2}`}},
		{"blank lines between", "\n\n{\"a\":1}\n\n \n{\"a\":2}\n\n", []string{`3 {"a":1}`, `6 {"a":2}`}},
		{"byte order mark", "\ufeff{\"a\":1}\n{\"a\":2}\n", []string{`1 {"a":1}`, `2 {"a":2}`}},
		{"byte order mark inside, of a joined file", "{\"a\":1}\n\ufeff{\"a\":2}\n", []string{`1 {"a":1}`, `2 {"a":2}`}},
		{"blanks around", "  {\"a\":1}\t \n\t{\"a\":2} \n", []string{`1 {"a":1}`, `2 {"a":2}`}},
		{"a time before each", "2026-10-31T23:59:40.120Z {\"a\":1}\n2026-10-31T23:59:41Z\t {\"a\":2}\n", []string{`1 {"a":1}`, `2 {"a":2}`}},
		{"a time before each, and text, a cut record, none", "2026-10-31T23:59:40.120Z started\n2026-10-31T23:59:40.120Z {\"a\":\n2026-10-31T23:59:41.120Z {\"a\":2}\n2026-10-31T23:59:41.120Z \n2026-10-31T23:59:42.120Z {\"a\":3}", []string{`1! does not start with {`, "2! broken JSON at byte 10: expected , or } after a value", `3 {"a":2}`, `4! does not start with {`, `5 {"a":3}`}},
		{"a time before records of several lines", "2026-10-31T23:59:40.120Z {\n\"a\":1}\n2026-10-31T23:59:41.120Z {\n\"a\":\n2026-10-31T23:59:42.120Z {\"a\":3}\n", []string{"1 {\n\"a\":1}", "3! broken JSON at byte 11: expected , or } after a value", `5 {"a":3}`}},
		{"a time alone", "2026-10-31T23:59:40.120Z", []string{`1! does not start with {`}},
		{"what is no time", "2026-10-31 {\"a\":1}\n2026-10-31T23:59:40.Z1 {\"a\":2}\n20261031T235940Z {\"a\":3}\n", []string{`1! does not start with {`, `2! does not start with {`, `3! does not start with {`}},
		{"array on one line", `[{"a":1},{"a":2}]`, []string{`1 {"a":1}`, `1 {"a":2}`}},
		{"empty array", `[ ]`, nil},
		{"array, a record a line", "[\n{\"a\":1},\n{\"a\":2}\n]\n", []string{`2 {"a":1}`, `3 {"a":2}`}},
		{"array, commas in front", "[{\"a\":1}\n,{\"a\":2}\n,{\"a\":3}]\n", []string{`1 {"a":1}`, `2 {"a":2}`, `3 {"a":3}`}},
		{"pretty array", "[\n  {\n    \"a\": 1\n  },\n  {\n    \"a\": 2\n  }\n]\n", []string{"2 {\n    \"a\": 1\n  }", "5 {\n    \"a\": 2\n  }"}},
		{"pretty records", "{\n  \"a\": 1\n}\n{\n  \"a\": 2\n}\n", []string{"1 {\n  \"a\": 1\n}", "4 {\n  \"a\": 2\n}"}},
		{"pretty records after an empty one", "{}\n{\n  \"a\": 2\n}\n{\n  \"a\": 3\n}\n", []string{"1 {}", "2 {\n  \"a\": 2\n}", "5 {\n  \"a\": 3\n}"}},
		{"concatenated", `{"a":1}{"a":2}{"a":3}`, []string{`1 {"a":1}`, `1 {"a":2}`, `1 {"a":3}`}},
		{"concatenated after a first line", "{\"a\":1}\n{\"a\":2}{\"a\":3}\n{\"a\":4}", []string{`1 {"a":1}`, `2 {"a":2}`, `2 {"a":3}`, `3 {"a":4}`}},
		{"concatenated, line break between", "{\"a\":1}\n{\"a\":{\n}}{\"a\":3}", []string{`1 {"a":1}`, "2 {\"a\":{\n}}", `3 {"a":3}`}},
		{"line separator in a string", "{\"a\":\"\u2028\"}\n{\"a\":2}", []string{"1 {\"a\":\"\u2028\"}", `2 {"a":2}`}},

		{"broken line in the middle", "{\"a\":1}\n{\"a\":x}\n{\"a\":3}\n", []string{`1 {"a":1}`, "2! broken JSON at byte 5: expected a value", `3 {"a":3}`}},
		{"broken first line", "{\"a\":x}\n{\"a\":2}\n", []string{"1! broken JSON at byte 5: expected a value", `2 {"a":2}`}},
		{"line cut in a value", "{\"a\":1}\n{\"a\":\n{\"a\":3}\n{\"a\":4}\n", []string{`1 {"a":1}`, "2! " + short, `3 {"a":3}`, `4 {"a":4}`}},
		{"line cut in a string", "{\"a\":1}\n{\"a\":\"x\n{\"a\":3}\n", []string{`1 {"a":1}`, "2! " + short, `3 {"a":3}`}},
		{"line cut in what is skipped", "{\"a\":1}\n{\"b\":{\"c\":[\n{\"a\":3}\n", []string{`1 {"a":1}`, "2! " + short, `3 {"a":3}`}},
		{"first line cut", "{\"a\":\n{\"a\":2}\n{\"a\":3}\n", []string{"1! broken JSON at byte 14: expected , or } after a value", `2 {"a":2}`, `3 {"a":3}`}},
		{"last line cut", "{\"a\":1}\n{\"a\":2", []string{`1 {"a":1}`, "2! " + short}},
		{"only record cut", "{\"a\":1", []string{"1! " + short}},
		{"several broken lines", "{\"a\":1}\nx\n}\n\"y\"\n{\"a\":5}\n", []string{`1 {"a":1}`, "2! does not start with {", "3! does not start with {", "4! does not start with {", `5 {"a":5}`}},
		{"too much behind a record", "{\"a\":1}\n{\"a\":2}}\n{\"a\":3}\n", []string{`1 {"a":1}`, `2 {"a":2}`, "2! does not start with {", `3 {"a":3}`}},
		{"line break inside a string", "{\"a\":1}\n{\"a\":\"x\ny\"}\n{\"a\":4}\n", []string{`1 {"a":1}`, "2! broken JSON at byte 7: control character inside a string", "3! does not start with {", `4 {"a":4}`}},
		{"broken record in a one-line array", `[{"a":1},{"a":x},{"a":3}]`, []string{`1 {"a":1}`, "1! broken JSON at byte 5: expected a value", `1 {"a":3}`}},
		{"broken record in a pretty array", "[\n  {\n    \"a\": 1\n  },\n  {\n    \"a\": x,\n    \"c\": [\n      {\"a\": 9}\n    ]\n  },\n  {\n    \"a\": 3\n  }\n]\n",
			[]string{"2 {\n    \"a\": 1\n  }", "5! broken JSON at byte 11: expected a value", "11 {\n    \"a\": 3\n  }"}},
		{"pretty record without its end", "{\n  \"a\": [\n    {\n{\n  \"a\": 2\n}\n", []string{"1! " + short, "4 {\n  \"a\": 2\n}"}},
		{"broken record among concatenated ones", `{"a":1}{"a":tru}{"a":3}`, []string{`1 {"a":1}`, "1! broken JSON at byte 5: expected true, false or null", `1 {"a":3}`}},
		{"text in front of a record", "at noon: {\"a\":1}\n{\"a\":2}\n", []string{"1! does not start with {", `2 {"a":2}`}},
		{"values that are no objects", "1\n\"x\"\nnull\n", []string{"1! does not start with {"}},
		{"half a byte order mark", "\xef\xbb{\"a\":1}\n{\"a\":2}\n", []string{"1! does not start with {", `2 {"a":2}`}},
		{"zero bytes behind", "{\"a\":1}\n\x00\x00\x00", []string{`1 {"a":1}`, "2! does not start with {"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for how, r := range readings(tt.text) {
				got, err := events(r, roomy)
				if err != nil {
					t.Fatalf("%s: %v", how, err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%s (-want +got)\n%s", how, diff)
				}
			}
		})
	}
}

// readings are the same text in parts of different sizes.
func readings(text string) map[string]io.Reader {
	return map[string]io.Reader{
		"at once":            strings.NewReader(text),
		"byte by byte":       iotest.OneByteReader(strings.NewReader(text)),
		"in halves":          iotest.HalfReader(strings.NewReader(text)),
		"end with last byte": iotest.DataErrReader(strings.NewReader(text)),
	}
}

// Goal: a record of exactly the bound is read, one byte more is a reject that
// names the setting, and the records around it count, in every framing.
func TestReaderBoundsRecords(t *testing.T) {
	const bound = 64
	fits := fmt.Sprintf(`{"a":"%s"}`, strings.Repeat("x", bound-8))
	long := fmt.Sprintf(`{"a":"%s"}`, strings.Repeat("x", bound-7))
	huge := fmt.Sprintf(`{"a":"%s","b":[{"a":"}{"}]}`, strings.Repeat("x", 10*bound))
	hugePretty := fmt.Sprintf("{\n  \"a\": [\n    {\"a\":\"%s\"\n    }\n  ]\n}", strings.Repeat("x", 10*bound))
	const reason = "record is longer than 64 bytes; raise the source's max_record_bytes"
	tests := []struct {
		name, text string
		want       []string
	}{
		{"lines", strings.Join([]string{`{"a":1}`, fits, long, huge, `{"a":5}`}, "\n"), []string{`1 {"a":1}`, "2 " + fits, "3! " + reason, "4! " + reason, `5 {"a":5}`}},
		{"first line", long + "\n{\"a\":2}\n", []string{"1! " + reason, `2 {"a":2}`}},
		{"first line, far too long", huge + "\n{\"a\":2}\n", []string{"1! " + reason, `2 {"a":2}`}},
		{"last line", "{\"a\":1}\n" + huge, []string{`1 {"a":1}`, "2! " + reason}},
		{"array on one line", "[" + strings.Join([]string{`{"a":1}`, fits, long, huge, `{"a":5}`}, ",") + "]", []string{`1 {"a":1}`, "1 " + fits, "1! " + reason, "1! " + reason, `1 {"a":5}`}},
		{"concatenated after a first line", "{\"a\":1}\n" + fits + huge + fits + "\n{\"a\":3}\n", []string{`1 {"a":1}`, "2 " + fits, "2! " + reason, "2 " + fits, `3 {"a":3}`}},
		{"pretty", "{\n\"a\":1}\n" + hugePretty + "\n{\n\"a\":3}\n", []string{"1 {\n\"a\":1}", "3! " + reason, "9 {\n\"a\":3}"}},
		{"many records on one long line", strings.Repeat(`{"a":1}`, 30), repeated(`1 {"a":1}`, 30)},
		{"many records on a long second line", "{}\n" + strings.Repeat(`{"a":1}`, 30), append([]string{"1 {}"}, repeated(`2 {"a":1}`, 30)...)},
		{"long blank line", `{"a":1}` + strings.Repeat(" ", 5*bound) + "\n" + strings.Repeat(" ", 5*bound) + `{"a":2}`, []string{`1 {"a":1}`, `2 {"a":2}`}},
		{"cut record that swallows what follows", "{\n\"a\":1}\n{\n \"b\":{\n" + strings.Repeat("{\"a\":1}\n", 30), append([]string{"1 {\n\"a\":1}", "3! " + reason}, lineByLine(`{"a":1}`, 5, 30)...)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for how, r := range readings(tt.text) {
				got, err := events(r, bound)
				if err != nil {
					t.Fatalf("%s: %v", how, err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%s (-want +got)\n%s", how, diff)
				}
			}
		})
	}
}

func repeated(s string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

func lineByLine(s string, first, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%d %s", first+i, s)
	}
	return all
}

// Goal: records longer than any buffer are read whole.
func TestReaderReadsLongRecords(t *testing.T) {
	for _, size := range []int{1 << 16, 1<<16 + 1, bufferBytes - 1, bufferBytes, bufferBytes + 1, 1 << 20, 3<<20 + 17} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			long := fmt.Sprintf(`{"a":"%s"}`, strings.Repeat("x", size-8))
			for _, text := range []string{
				"{\"a\":1}\n" + long + "\n{\"a\":3}\n",
				`[{"a":1},` + long + `,{"a":3}]`,
				long + "\n" + long,
			} {
				got, err := events(strings.NewReader(text), 8<<20)
				if err != nil {
					t.Fatal(err)
				}
				found := 0
				for _, event := range got {
					if strings.HasSuffix(event, " "+long) {
						found++
					}
				}
				if found != strings.Count(text, long) || len(got) != strings.Count(text, "{") {
					t.Errorf("%d of %d records, %d of %d long ones", len(got), strings.Count(text, "{"), found, strings.Count(text, long))
				}
			}
		})
	}
}

// Goal: a long record that comes in many small parts is scanned a few times
// over, not once a part.
func TestReaderScansLongRecordsFewTimes(t *testing.T) {
	long := fmt.Sprintf(`{"a":"%s"}`, strings.Repeat("x", 1<<20))
	for _, text := range []string{long, "{\n}" + long, "{}\n" + long + "\n", "{}\n{\n\"b\":" + long + "}"} {
		f := NewReader(&pieces{text: text, sizes: []int{1000}}, 4<<20, nil)
		spec, err := jsonscan.Compile(nil)
		if err != nil {
			t.Fatal(err)
		}
		scanner, scanned := jsonscan.NewScanner(spec), 0
		for err == nil {
			_, err = f.Next(func(text []byte) (int, error) {
				scanned += len(text)
				return scanner.Scan(text)
			})
		}
		if err != io.EOF || scanned > 5*len(text) {
			t.Errorf("scanned %d bytes of %d, error %v", scanned, len(text), err)
		}
	}
}

// Goal: a reader is as new after Reset, whatever it read before.
func TestReaderReset(t *testing.T) {
	f := NewReader(strings.NewReader("{\"a\":1}\n{\"a\":2}\n{\"a\":\""+strings.Repeat("x", 9*bufferBytes)), 16*bufferBytes, nil)
	if _, err := eventsOf(f); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		f.Reset(strings.NewReader("\n{\n\"a\":1}{\"a\":2}"))
		got, err := eventsOf(f)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"2 {\n\"a\":1}", `3 {"a":2}`}, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	if len(f.buf) > 8*bufferBytes {
		t.Errorf("keeps a buffer of %d bytes", len(f.buf))
	}
}

// Goal: an error of the stream is the object's, wherever it comes, and is never
// taken for its end.
func TestReaderReturnsStreamErrors(t *testing.T) {
	broken := errors.New("the disk is gone")
	tests := []struct{ name, text string }{
		{"at once", ""},
		{"between records", "{\"a\":1}\n"},
		{"inside the first record", `{"a":`},
		{"inside a line", "{\"a\":1}\n{\"a\":"},
		{"behind a broken line", "{\"a\":1}\n{\"a\":x}\n"},
		{"inside a broken record", `[{"a":x`},
		{"behind a cut line", "{\"a\":1}\n{\"a\":\n"},
		{"inside a byte order mark", "\xef\xbb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := events(io.MultiReader(strings.NewReader(tt.text), iotest.ErrReader(broken)), roomy)
			if !errors.Is(err, broken) {
				t.Errorf("got %v, want %v", err, broken)
			}
		})
	}
	if _, err := events(idle{}, roomy); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that gives nothing: %v", err)
	}
}

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

func TestBadRecordNamesTheLine(t *testing.T) {
	if got := (&BadRecord{Line: 7, Reason: "is cut"}).Error(); got != "line 7: is cut" {
		t.Errorf("got %q", got)
	}
}
