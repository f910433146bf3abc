package decode

import (
	"bytes"
	"encoding/csv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"
)

// curColumns are columns of a cost and usage report that tests write.
var curColumns = []string{
	"bill_billing_period_start_date", "line_item_currency_code", "line_item_line_item_type", "line_item_product_code", "line_item_unblended_cost", "line_item_usage_account_id",
	"line_item_usage_amount", "line_item_usage_end_date", "line_item_usage_start_date", "line_item_usage_type", "pricing_unit", "product", "line_item_line_item_description",
}

// asParquet writes a CSV file's rows as AWS writes Parquet: times, doubles, maps
// and texts, in small row groups, compressed with snappy.
func asParquet(t testing.TB, text []byte, filler int) []byte {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var fields []arrow.Field
	for _, name := range rows[0] {
		fields = append(fields, arrow.Field{Name: name, Type: typeOf(name), Nullable: true})
	}
	fields = append(fields, arrow.Field{Name: "zz_filler", Type: arrow.BinaryTypes.String, Nullable: true})
	schema := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, row := range rows[1:] {
		for i, cell := range row {
			appendCell(t, b.Field(i), cell)
		}
		b.Field(len(row)).(*array.StringBuilder).Append(noise(filler, len(row)+b.Field(0).Len()))
	}
	batch := b.NewRecordBatch()
	defer batch.Release()
	var out bytes.Buffer
	properties := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy), parquet.WithMaxRowGroupLength(3), parquet.WithDictionaryDefault(filler == 0))
	w, err := pqarrow.NewFileWriter(schema, &out, properties, pqarrow.NewArrowWriterProperties())
	if err != nil {
		t.Fatal(err)
	}
	for from := int64(0); from < batch.NumRows(); from += 3 {
		part := batch.NewSlice(from, min(from+3, batch.NumRows()))
		if err := w.WriteBuffered(part); err != nil {
			t.Fatal(err)
		}
		part.Release()
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// noise is text that doesn't compress.
func noise(bytes, seed int) string {
	source := rand.NewChaCha8([32]byte{byte(seed)})
	text := make([]byte, bytes)
	for i := range text {
		text[i] = byte(' ' + source.Uint64()%94)
	}
	return string(text)
}

func typeOf(name string) arrow.DataType {
	switch {
	case strings.HasSuffix(name, "_date"), strings.HasSuffix(name, "PeriodStart"), strings.HasSuffix(name, "PeriodEnd"):
		return arrow.FixedWidthTypes.Timestamp_ms
	case strings.HasSuffix(name, "_cost"), strings.HasSuffix(name, "Cost"), strings.HasSuffix(name, "_amount"), strings.HasSuffix(name, "Quantity"):
		return arrow.PrimitiveTypes.Float64
	case name == "product":
		return arrow.MapOf(arrow.BinaryTypes.String, arrow.BinaryTypes.String)
	}
	return arrow.BinaryTypes.String
}

func appendCell(t testing.TB, to array.Builder, cell string) {
	t.Helper()
	if cell == "" {
		to.AppendNull()
		return
	}
	switch b := to.(type) {
	case *array.TimestampBuilder:
		at, err := time.Parse(time.RFC3339, cell)
		if err != nil {
			t.Fatal(err)
		}
		b.Append(arrow.Timestamp(at.UnixMilli()))
	case *array.Float64Builder:
		n, err := strconv.ParseFloat(cell, 64)
		if err != nil {
			t.Fatal(err)
		}
		b.Append(n)
	case *array.MapBuilder:
		b.Append(true)
		keys, items := b.KeyBuilder().(*array.StringBuilder), b.ItemBuilder().(*array.StringBuilder)
		for _, pair := range strings.Split(strings.Trim(cell, "{}"), ",") {
			key, item, _ := strings.Cut(pair, ":")
			keys.Append(strings.Trim(key, `" `))
			items.Append(strings.Trim(item, `" `))
		}
	case *array.StringBuilder:
		b.Append(cell)
	default:
		t.Fatalf("no cells of %T", to)
	}
}

// Goal: a Parquet file says what the CSV file of the same export says.
// Method: every fixture of good lines, as AWS would write it; in memory, and
// through a temporary file.
func TestParquetIsAsCSV(t *testing.T) {
	for folder, names := range map[string][]string{"aws_cur": {"first_party", "marketplace", "other_lines"}, "focus": {"lines"}} {
		for _, name := range names {
			text, err := os.ReadFile(filepath.Join("testdata", folder, name+".csv"))
			if err != nil {
				t.Fatal(err)
			}
			format := formats(t)[folder]
			want := load(berlin(t), format, bytes.NewReader(text))
			for how, filler := range map[string]int{"in memory": 0, "through a file": 4 << 20} {
				t.Run(folder+"/"+name+"/"+how, func(t *testing.T) {
					data := asParquet(t, text, filler)
					if (len(data) > parquetMemoryBytes) != (how == "through a file") {
						t.Fatalf("the file has %d bytes", len(data))
					}
					got := load(berlin(t), format, bytes.NewReader(data))
					for i, row := range got.rows {
						row["line"] = want.rows[i]["line"] // rows have numbers, not lines
					}
					if diff := cmp.Diff(want.show(format), got.show(format)); diff != "" {
						t.Errorf("(-CSV +Parquet)\n%s", diff)
					}
				})
			}
		}
	}
}

// FuzzCURParquet reads broken Parquet.
func FuzzCURParquet(f *testing.F) {
	text, err := os.ReadFile(filepath.Join("testdata", "aws_cur", "marketplace.csv"))
	if err != nil {
		f.Fatal(err)
	}
	whole := asParquet(f, text, 0)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	format := NewCUR()
	f.Fuzz(func(t *testing.T, data []byte) {
		l := load(berlin(t), format, bytes.NewReader(append([]byte("PAR1"), bytes.TrimPrefix(data, parquetMagic)...)))
		for _, row := range l.rows {
			checkRow(t, format.Schema(), row)
		}
		if l.err != nil && strings.Contains(l.err.Error(), "runtime error") {
			t.Error(l.err)
		}
	})
}

// Goal: usage types say the class, model and tier that AWS bills.
func TestParseUsageType(t *testing.T) {
	tests := []struct {
		text string
		want usageType
	}{
		{"USE1-Claude4.6Sonnet-input-tokens", usageType{"Claude4.6Sonnet", "input_uncached", "", true}},
		{"Claude4.6Sonnet-input-tokens", usageType{"Claude4.6Sonnet", "input_uncached", "", true}},
		{"USE1-Claude4.6Sonnet-output-tokens-cross-region-global", usageType{"Claude4.6Sonnet", "output", "", true}},
		{"USE1-Claude4.6Sonnet-cache-read-input-token-count", usageType{"Claude4.6Sonnet", "cache_read", "", true}},
		{"USE1-Claude4.6Sonnet-cache-write-input-token-count", usageType{"Claude4.6Sonnet", "cache_write_5m", "", true}},
		{"USE1-Claude4.6Sonnet-cache-write-input-token-count-1h", usageType{"Claude4.6Sonnet", "cache_write_1h", "", true}},
		{"USE1-Claude4.6Sonnet-cache-write-1h-input-token-count-cross-region-global", usageType{"Claude4.6Sonnet", "cache_write_1h", "", true}},
		{"EUW1-claude-sonnet-4-cache-write-tokens", usageType{"claude-sonnet-4", "cache_write_5m", "", true}},
		{"APN1-model-output-token-count", usageType{"model", "output", "", true}},
		{"USE1-gpt-oss-120b-output-tokens-priority", usageType{"gpt-oss-120b", "output", "priority", true}},
		{"gpt-oss-20b-input-tokens-flex", usageType{"gpt-oss-20b", "input_uncached", "flex", true}},
		{"EU-gpt-oss-120b-output-tokens-batch", usageType{"gpt-oss-120b", "output", "batch", true}},
		{"USW2-anthropic.claude-opus-4-8-mantle-input-tokens-global-standard", usageType{"anthropic.claude-opus-4-8", "input_uncached", "standard", true}},
		{"USE1-NovaSonic-output-speech-tokens", usageType{"NovaSonic", "output_audio", "", true}},
		{"USE1-NovaPro-input-image-tokens", usageType{"NovaPro", "input_image", "", true}},
		{"USE1-NovaPro-input-video-tokens", usageType{"NovaPro", "", "", true}},
		{"USE1-MP:USE1_InputTokenCount-Units", usageType{"", "input_uncached", "", true}},
		{"USE1-MP:USE1_OutputTokenCount_Batch-Units", usageType{"", "output", "batch", true}},
		{"USE1-MP:USE1_CacheWriteInputTokenCount-Units", usageType{"", "cache_write_5m", "", true}},
		{"MP:EU_CacheWrite1hInputTokenCount_Global-Units", usageType{"", "cache_write_1h", "", true}},
		{"USE1-MP:USE1_cache_read_tokens_standard-Units", usageType{"", "cache_read", "standard", true}},
		{"USE1-MP:USE1_output_tokens_global_standard-Units", usageType{"", "output", "standard", true}},
		{"USE1-MP:USE1_ProvisionedThroughput-Units", usageType{}},
		{"USE1-BedrockKnowledgeBase-searchunits", usageType{}},
		{"USE1-Guardrail-ContentPolicyUnitsConsumed", usageType{}},
		{"", usageType{}},
	}
	for _, tt := range tests {
		if got := parseUsageType(tt.text); got != tt.want {
			t.Errorf("%s is %+v, want %+v", tt.text, got, tt.want)
		}
	}
}

// Goal: a unit is worth what its words say, and nothing is assumed.
func TestTokenUnit(t *testing.T) {
	tests := []struct {
		texts  []string
		places int
		ok     bool
	}{
		{[]string{"1K tokens"}, 3, true},
		{[]string{"1k"}, 3, true},
		{[]string{"1,000 tokens"}, 3, true},
		{[]string{"1M tokens"}, 6, true},
		{[]string{"1,000,000 tokens"}, 6, true},
		{[]string{"Million tokens"}, 6, true},
		{[]string{"Tokens"}, 0, true},
		{[]string{"Units", "AWS Marketplace software usage|us-east-1|Million Input Tokens"}, 6, true},
		{[]string{"Units", "$0.003 per 1K input tokens"}, 3, true},
		{[]string{"Units"}, 0, false},
		{[]string{"", ""}, 0, false},
		{[]string{"10K tokens"}, 0, false},
		{[]string{"Hrs"}, 0, false},
	}
	for _, tt := range tests {
		var texts [][]byte
		for _, s := range tt.texts {
			texts = append(texts, []byte(s))
		}
		if places, ok := tokenUnit(texts...); places != tt.places || ok != tt.ok {
			t.Errorf("%q: 10^%d, %v; want 10^%d, %v", tt.texts, places, ok, tt.places, tt.ok)
		}
	}
}
