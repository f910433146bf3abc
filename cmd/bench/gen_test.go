package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"chargeback/config"
	"chargeback/transform/directory"
	"chargeback/transform/money"
	"chargeback/transform/rates"
)

// Goal: the hand-written script prices exactly what the generator wrote.
// Method: draw the same requests again, price them with transform/money, and
// compare with what DuckDB read back from the compressed files.
func TestScriptAddsUpWhatWasGenerated(t *testing.T) {
	dir := t.TempDir()
	s := shape{Pairs: 403, Files: 4} // does not divide evenly
	if err := generate(dir, s); err != nil {
		t.Fatal(err)
	}
	got, err := runScript(t.Context(), dir, filepath.Join(dir, "script's.duckdb"))
	if err != nil {
		t.Fatal(err)
	}
	want := scriptResult{Usage: s.Pairs, Requests: s.Pairs, Records: s.Pairs, LLMCostUSD: pricedAgain(s)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("script differs from the requests that were drawn (-want +got):\n%s", diff)
	}
}

func pricedAgain(s shape) money.USD {
	var total money.USD
	for file := range s.Files {
		random := rand.New(rand.NewPCG(uint64(file), 7))
		pairs := s.Pairs / s.Files
		if file < s.Pairs%s.Files {
			pairs++
		}
		for range pairs {
			p := drawPair(random)
			m := models[slices.IndexFunc(models, func(m model) bool { return m.id == p.model })]
			total = money.Sum(total, perToken(m.input).MulInt(int64(p.input)),
				perToken(m.cacheRead).MulInt(int64(p.cacheRead)), perToken(m.output).MulInt(int64(p.output)))
		}
	}
	return total
}

func TestGeneratedFiles(t *testing.T) {
	dir := t.TempDir()
	if err := generate(dir, shape{Pairs: 6, Files: 2}); err != nil {
		t.Fatal(err)
	}
	const logs = "bedrock/AWSLogs/123456789012/BedrockModelInvocationLogs/us-east-1/2026/10/15/00/"
	want := []string{
		logs + "20261015T000000000Z_0000000000000000.json.gz",
		logs + "20261015T000001000Z_0000000000000001.json.gz",
		"chargeback.yaml", "complete", "directory.yaml",
		"litellm/2026-10-15/part-000.jsonl.gz", "litellm/2026-10-15/part-001.jsonl.gz",
		"people.csv", "prices.yaml",
	}
	if diff := cmp.Diff(want, listFiles(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	lines := map[string][]string{
		want[0]: {"accountId", "identity", "inferenceRegion", "input", "modelId", "operation", "output", "region", "requestId", "requestMetadata", "schemaType", "schemaVersion", "timestamp"},
		want[5]: {"api_base", "cache_hit", "call_type", "completion_tokens", "custom_llm_provider", "end_user", "endTime", "error_str", "hidden_params", "id", "litellm_call_id", "metadata", "model", "model_group", "prompt_tokens", "request_tags", "response_cost", "saved_cache_cost", "startTime", "status", "stream", "total_tokens", "trace_id"},
	}
	for name, keys := range lines {
		if diff := cmp.Diff(sortedFold(keys), sortedFold(keysOf(t, filepath.Join(dir, name), 3))); diff != "" {
			t.Errorf("%s: keys (-want +got):\n%s", name, diff)
		}
	}
}

// Goal: data is made once, config every time, and a folder of another shape
// is made anew without leftovers.
func TestGenerateAgain(t *testing.T) {
	dir := t.TempDir()
	if err := generate(dir, shape{Pairs: 4, Files: 2}); err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join(dir, "litellm", "2026-10-15", "part-001.jsonl.gz")
	if err := os.WriteFile(kept, []byte("kept"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, configFile), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := generate(dir, shape{Pairs: 4, Files: 2}); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(kept); err != nil || string(got) != "kept" {
		t.Errorf("the second call wrote data again: %q, %v", got, err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, configFile)); err != nil || string(got) != fmt.Sprintf(settings, "2026-10-15") {
		t.Errorf("the second call left old config: %q, %v", got, err)
	}
	if err := generate(dir, shape{Pairs: 4, Files: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(kept); !os.IsNotExist(err) {
		t.Errorf("a file of the old shape is left: %v", err)
	}
}

// Goal: the program accepts the config that it is measured with.
// Method: load the three YAML files with the program's own loaders.
func TestGeneratedConfigLoads(t *testing.T) {
	dir := t.TempDir()
	if err := writeConfig(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(filepath.Join(dir, configFile)); err != nil {
		t.Error(err)
	}
	if _, err := rates.Load(filepath.Join(dir, "prices.yaml")); err != nil {
		t.Error(err)
	}
	if _, err := directory.Load(filepath.Join(dir, "directory.yaml")); err != nil {
		t.Error(err)
	}
}

func TestGenerateRefuses(t *testing.T) {
	for name, s := range map[string]shape{
		"no pairs":              {Pairs: 0, Files: 1},
		"no files":              {Pairs: 1, Files: 0},
		"more files than pairs": {Pairs: 3, Files: 4},
		"too many files":        {Pairs: 2000, Files: 1001},
	} {
		t.Run(name, func(t *testing.T) {
			if err := generate(t.TempDir(), s); err == nil {
				t.Errorf("generate accepted %+v", s)
			}
		})
	}
}

func TestAppendPadded(t *testing.T) {
	for _, row := range []struct {
		value, width int
		want         string
	}{{0, 1, "0"}, {0, 4, "0000"}, {7, 3, "007"}, {99, 3, "099"}, {100, 3, "100"}, {12345, 3, "12345"}} {
		if got := string(appendPadded(nil, row.value, row.width)); got != row.want {
			t.Errorf("appendPadded(%d, %d) = %q, want %q", row.value, row.width, got, row.want)
		}
	}
}

func TestPerToken(t *testing.T) {
	for perMillion, want := range map[string]string{"3.00": "0.000003000000", "0.11": "0.000000110000", "0.000001": "0.000000000001"} {
		if got := perToken(perMillion).Fixed(); got != want {
			t.Errorf("perToken(%s) = %s, want %s", perMillion, got, want)
		}
	}
}

func listFiles(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// keysOf reads a compressed file of JSON lines and gives the keys of its last line.
func keysOf(t *testing.T, path string, wantLines int) []string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var record map[string]json.RawMessage
	lines := 0
	for scanner := bufio.NewScanner(z); scanner.Scan(); lines++ {
		record = nil
		if err := json.Unmarshal(scanner.Bytes(), &record); err != nil {
			t.Fatalf("%s line %d: %v", path, lines+1, err)
		}
	}
	if lines != wantLines {
		t.Errorf("%s has %d lines, want %d", path, lines, wantLines)
	}
	return slices.Collect(maps.Keys(record))
}

func sortedFold(keys []string) []string {
	return slices.SortedFunc(slices.Values(keys), func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
}
