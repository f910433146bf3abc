package decode

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"chargeback/extract/record"
)

// FuzzBedrock reads any bytes as invocation logs.
func FuzzBedrock(f *testing.F) { fuzz(f, "bedrock") }

// FuzzLiteLLM reads any bytes as gateway logs.
func FuzzLiteLLM(f *testing.F) { fuzz(f, "litellm") }

// FuzzOTLP reads any bytes as OTLP JSON, the agent's side of it.
func FuzzOTLP(f *testing.F) { fuzz(f, "otlp") }

// FuzzOTLPProvider reads any bytes as OTLP JSON, the provider's side of it.
func FuzzOTLPProvider(f *testing.F) { fuzz(f, "otlp-provider") }

// FuzzPeople reads any bytes as a people file.
func FuzzPeople(f *testing.F) { fuzz(f, "people") }

// fuzz decodes any bytes as the format of a folder, seeded with its fixtures: no panic, only
// rows that keep their promises, every row counted, and the same however the
// bytes are parted.
func fuzz(f *testing.F, folder string) {
	format := formats(f)[folder]
	names, err := filepath.Glob(filepath.Join("testdata", folder, "*.[jc]s*"))
	if err != nil || len(names) == 0 {
		f.Fatalf("%d fixtures, error %v", len(names), err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for part := range bytes.SplitSeq(text, []byte("}\n")) { // short seeds: the fuzzer spends its time on making long ones shorter
			f.Add(append(bytes.Clone(part), "}\n"...))
		}
	}
	env := berlin(f)
	env.RecordBytes = 1 << 14
	f.Fuzz(func(t *testing.T, text []byte) {
		l := load(env, format, bytes.NewReader(text))
		if int64(len(l.rows)) != l.counts.Rows || int64(len(l.rejects)) != l.counts.Rejected {
			t.Errorf("%d rows and %d rejects, counted %+v", len(l.rows), len(l.rejects), l.counts)
		}
		for _, row := range l.rows {
			checkRow(t, format.Schema(), row)
		}
		for _, r := range l.rejects {
			if r.Reason == "" || r.Line < 1 || r.Line > 1+int64(bytes.Count(text, []byte("\n"))) {
				t.Errorf("reject %+v of a text of %d line breaks", r, bytes.Count(text, []byte("\n")))
			}
		}
		parted := load(env, format, iotest.OneByteReader(bytes.NewReader(text)))
		if diff := cmp.Diff(l.show(format), parted.show(format)); diff != "" {
			t.Errorf("(-at once +byte by byte)\n%s", diff)
		}
	})
}

// checkRow holds one row to what every row promises.
func checkRow(t *testing.T, schema *record.Schema, row map[string]string) {
	for name, v := range row {
		n, isNumber := strconv.ParseInt(v, 10, 64)
		switch {
		case !utf8.ValidString(v), len(v) > record.TextBytesMax:
			t.Errorf("%s: %d bytes, valid UTF-8: %v", name, len(v), utf8.ValidString(v))
		case v == "(null)":
		case strings.HasSuffix(name, "_tokens") && (isNumber != nil || n < 0 || n > tokensMax):
			t.Errorf("%s: %s", name, v)
		case name == "tool_calls" && (isNumber != nil || n < 0 || n > toolCallsMax):
			t.Errorf("%s: %s", name, v)
		case name == "record_key" && (isNumber != nil || n < 0):
			t.Errorf("%s: %s", name, v)
		}
	}
	for _, c := range schema.Columns {
		if v, ok := row[c.Name]; ok && !c.Nullable && c.Type == record.Text && (v == "" || v == null) {
			t.Errorf("%s is empty", c.Name)
		}
	}
	if v, ok := row["model"]; ok && (v == "" || v == null) {
		t.Error("model is empty")
	}
	if schema == record.PeopleSchema && row["valid_to"] <= row["valid_from"] {
		t.Errorf("valid from %s to %s", row["valid_from"], row["valid_to"])
	}
}
