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

// FuzzVertex reads any bytes as rows of Vertex AI's log.
func FuzzVertex(f *testing.F) { fuzz(f, "vertex") }

// FuzzGemini reads any bytes as answers and batches of the Gemini API.
func FuzzGemini(f *testing.F) { fuzz(f, "gemini") }

// FuzzBedrockBatch reads any bytes as results of Bedrock's batch jobs.
func FuzzBedrockBatch(f *testing.F) { fuzz(f, "bedrock-batch") }

// FuzzOpenAIBatch reads any bytes as results of OpenAI's batches.
func FuzzOpenAIBatch(f *testing.F) { fuzz(f, "openai-batch") }

// FuzzAnthropicBatch reads any bytes as results of Anthropic's batches.
func FuzzAnthropicBatch(f *testing.F) { fuzz(f, "anthropic-batch") }

// FuzzLiteLLM reads any bytes as gateway logs.
func FuzzLiteLLM(f *testing.F) { fuzz(f, "litellm") }

// FuzzPortkey reads any bytes as a gateway's log store and export.
func FuzzPortkey(f *testing.F) { fuzz(f, "portkey") }

// FuzzOpenRouter reads any bytes as traces and generations.
func FuzzOpenRouter(f *testing.F) { fuzz(f, "openrouter") }

// FuzzLangfuse reads any bytes as observations, of JSON or of CSV.
func FuzzLangfuse(f *testing.F) { fuzz(f, "langfuse") }

// FuzzMappedJSON reads any bytes by a map of fields.
func FuzzMappedJSON(f *testing.F) { fuzz(f, "mapped-json") }

// FuzzMappedCSV reads any bytes by a map of columns.
func FuzzMappedCSV(f *testing.F) { fuzz(f, "mapped-csv") }

// FuzzMappedProvider reads any bytes as pages by a map of fields.
func FuzzMappedProvider(f *testing.F) { fuzz(f, "mapped-provider") }

// FuzzOTLP reads any bytes as OTLP JSON, the agent's side of it.
func FuzzOTLP(f *testing.F) { fuzz(f, "otlp") }

// FuzzOTLPProvider reads any bytes as OTLP JSON, the provider's side of it.
func FuzzOTLPProvider(f *testing.F) { fuzz(f, "otlp-provider") }

// FuzzPeople reads any bytes as a people file.
func FuzzPeople(f *testing.F) { fuzz(f, "people") }

// FuzzOpenAIUsage reads any bytes as usage of OpenAI.
func FuzzOpenAIUsage(f *testing.F) { fuzz(f, "openai_usage") }

// FuzzOpenAICosts reads any bytes as costs of OpenAI.
func FuzzOpenAICosts(f *testing.F) { fuzz(f, "openai_costs") }

// FuzzAnthropicUsage reads any bytes as usage of Anthropic.
func FuzzAnthropicUsage(f *testing.F) { fuzz(f, "anthropic_usage") }

// FuzzAnthropicCosts reads any bytes as costs of Anthropic.
func FuzzAnthropicCosts(f *testing.F) { fuzz(f, "anthropic_costs") }

// FuzzCUR reads any bytes as a cost and usage report.
func FuzzCUR(f *testing.F) { fuzz(f, "aws_cur") }

// FuzzFOCUS reads any bytes as a FOCUS export.
func FuzzFOCUS(f *testing.F) { fuzz(f, "focus") }

// FuzzSCIM reads any bytes as a SCIM export.
func FuzzSCIM(f *testing.F) { fuzz(f, "scim") }

// FuzzEntra reads any bytes as an export of Entra.
func FuzzEntra(f *testing.F) { fuzz(f, "entra") }

// FuzzOkta reads any bytes as an export of Okta.
func FuzzOkta(f *testing.F) { fuzz(f, "okta") }

// FuzzWorkday reads any bytes as a report of Workday.
func FuzzWorkday(f *testing.F) { fuzz(f, "workday") }

// FuzzGoogle reads any bytes as an export of Google Workspace.
func FuzzGoogle(f *testing.F) { fuzz(f, "google") }

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
		if filepath.Ext(name) == ".csv" { // a header alone, and with one row
			lines := bytes.SplitAfterN(text, []byte("\n"), 3)
			f.Add(lines[0])
			f.Add(bytes.Join(lines[:min(2, len(lines))], nil))
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
			if bytes.HasPrefix(text, parquetMagic) {
				break // its lines are rows
			}
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
		unsaid := row["snapshot_date"] != null && (c.Name == "department" || c.Name == "cost_center")
		if v, ok := row[c.Name]; ok && !c.Nullable && c.Type == record.Text && (v == "" || v == null) && !unsaid {
			t.Errorf("%s is empty", c.Name)
		}
	}
	if schema == record.TotalSchema {
		checkTotal(t, row)
		return
	}
	if v, ok := row["model"]; ok && (v == "" || v == null) {
		t.Error("model is empty")
	}
	if schema == record.PeopleSchema && row["valid_to"] <= row["valid_from"] {
		t.Errorf("valid from %s to %s", row["valid_from"], row["valid_to"])
	}
}

// checkTotal holds a control total to what every one promises.
func checkTotal(t *testing.T, row map[string]string) {
	if (row["token_class"] == null) == (row["line_item"] == null) {
		t.Errorf("class %q, line item %q", row["token_class"], row["line_item"])
	}
	if row["token_class"] != null && classOf(row["token_class"]) == nil {
		t.Errorf("class %q is none", row["token_class"])
	}
	if row["quantity"] == null && row["amount_pico"] == null && row["list_amount_pico"] == null {
		t.Error("neither a quantity nor an amount")
	}
	if (row["amount_pico"] == null && row["list_amount_pico"] == null) != (row["currency"] == null) {
		t.Errorf("amounts %s, %s in %s", row["amount_pico"], row["list_amount_pico"], row["currency"])
	}
	if row["bucket_end"] <= row["bucket_start"] || !strings.HasPrefix(row["bucket_start"], row["bucket_date"]) {
		t.Errorf("bucket of %s from %s to %s", row["bucket_date"], row["bucket_start"], row["bucket_end"])
	}
	for _, name := range []string{"quantity", "amount_pico", "list_amount_pico"} {
		most := int64(amountMax)
		if name == "quantity" {
			most = quantityMax
		}
		if n, err := strconv.ParseInt(row[name], 10, 64); row[name] != null && (err != nil || n > most || n < -most) {
			t.Errorf("%s is %s", name, row[name])
		}
	}
}
