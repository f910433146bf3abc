package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chargeback/billing/ledger"
	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/duckdb"
)

// canary stands for content in the objects of the decoders' tests: prompts,
// answers, headers, cookies, metadata that nobody asked for.
const canary = "canary7f3d"

// Goal: content gets through to nothing: no table, log, reject, document, report,
// message or error.
// Method: sources of all formats whose objects are full of canaries, among them
// broken ones; a night, a close, every command that tells something; then all
// that was printed, written and kept is searched.
func TestContentStaysOutside(t *testing.T) {
	dir := t.TempDir()
	formats := plant(t, dir)
	told := &bytes.Buffer{}
	chargeback := func(args ...string) {
		t.Helper()
		w := world{out: told, err: told, now: func() time.Time { return scriptClock }, getenv: func(string) string { return "" }, columns: 160, program: "chargeback"}
		fmt.Fprintf(told, "$ %s\n", strings.Join(args, " "))
		code := run(context.Background(), w, append([]string{"--config", filepath.Join(dir, "chargeback.yaml")}, args...))
		fmt.Fprintf(told, "exit %d\n", code)
	}
	for _, command := range []string{
		"config check", "doctor", "run", "run monthly --month 2026-10", "status", "rejects", "rejects retry",
		"rejects --export " + filepath.Join(dir, "rejects.csv"), "rejects --export " + filepath.Join(dir, "rejects.json"),
		"report departments", "report cost-centers", "report agents", "report users", "report savings", "report matches", "report totals", "report totals --by day,provider,account,model,class --format json",
		"reprice --dry-run", "what-if --month 2026-10", "explain r1", "explain chatcmpl-1",
	} {
		chargeback(strings.Fields(command)...)
	}
	for _, format := range formats {
		chargeback("sniff", filepath.Join(dir, "data", format))
		chargeback("sniff", "--format", strings.ReplaceAll(format, "_", "-"), filepath.Join(dir, "data", format))
	}
	staged := 0
	for table, rows := range dump(t, filepath.Join(dir, "ledger.duckdb")) {
		lookFor(t, "table "+table, []byte(rows))
		if table == "usage" || table == "requests" || table == "totals" {
			staged += strings.Count(rows, "\n")
		}
	}
	if staged < len(formats) || !strings.Contains(told.String(), "rejected") {
		t.Errorf("%d rows staged of %d formats, so the test shows little:\n%s", staged, len(formats), told)
	}
	lookFor(t, "output", told.Bytes())
	documents := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(path, filepath.Join(dir, "data")) || strings.Contains(filepath.Base(path), "people") {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.HasSuffix(path, ".pdf") {
			documents++
			text, err = exec.Command("pdftotext", path, "-").Output()
		}
		lookFor(t, path, text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if documents == 0 {
		t.Errorf("no document was written:\n%s", told)
	}
}

func lookFor(t *testing.T, where string, text []byte) {
	t.Helper()
	for line := range bytes.Lines(text) {
		if bytes.Contains(bytes.ToLower(line), []byte(canary)) {
			t.Errorf("%s holds content: %s", where, line)
		}
	}
}

// plant makes a company whose sources are those objects, and returns their folders.
func plant(t *testing.T, dir string) (formats []string) {
	t.Helper()
	if err := copyTree(filepath.Join("testdata", "company"), dir); err != nil {
		t.Fatal(err)
	}
	from := filepath.Join("..", "..", "extract", "decode", "testdata", "canary")
	names, err := filepath.Glob(filepath.Join(from, "*.txt"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%d objects with canaries, error %v", len(names), err)
	}
	var sources strings.Builder
	for _, name := range names {
		folder, number, _ := strings.Cut(filepath.Base(name), ".")
		format, more := strings.ReplaceAll(folder, "_", "-"), ""
		switch format {
		case "otlp-provider":
			format, more = "otlp", ", side: provider"
		case "mapped-json":
			format, more = "mapped", `, mapped: {time: M/d/yyyy h:mm:ss a, fields: {agent_request_id: [/id], started_at: [/timestamp], model: [/model], input_tokens: [/promptTokens], output_tokens: [/responseTokens], reported_cost: [/cost], tool_calls: [/tools]}}`
		case "mapped-csv", "mapped-provider": // the same format by other maps, which the decoders' tests have
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		put := func(text []byte, parts ...string) string {
			path := filepath.Join(append([]string{dir, "data", folder}, parts...)...)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		place := ""
		switch format {
		case "people":
			place = put(text, number)
		case "aws-cur", "focus":
			if number != "00.txt" {
				continue
			}
			put(text, "data", "BILLING_PERIOD=2026-10", "part.csv")
			put([]byte(`{"canary7f3d":"canary7f3d","dataFiles":["data/BILLING_PERIOD=2026-10/part.csv"]}`), "metadata", "BILLING_PERIOD=2026-10", "export-Manifest.json")
		default:
			put(text, "2026-10-31", number)
		}
		if place == "" && len(formats) > 0 && formats[len(formats)-1] == folder {
			continue
		}
		if place == "" {
			place = filepath.Join(dir, "data", folder)
			formats = append(formats, folder)
		}
		fmt.Fprintf(&sources, "  - {name: canary-%d, format: %s, url: %q%s}\n", sources.Len(), format, "file:"+place, more)
	}
	settings := filepath.Join(dir, "chargeback.yaml")
	text, err := os.ReadFile(settings)
	if err != nil {
		t.Fatal(err)
	}
	waivers := "waivers:\n"
	for gate, bound := range map[string]string{"unpriced": "", "conflicts": "", "doubtful": "", "unallocated": "amount_usd: \"9000000\"", "directory": "", "rejects": "", "missing": "", "bill": "amount_usd: \"9000000\", count: 1000000000"} {
		waivers += fmt.Sprintf("  - {month: 2026-10, gate: %s, %s, by: Test, reason: all of it is made up}\n", gate, cmp.Or(bound, "count: 1000"))
	}
	text = bytes.Replace(text, []byte("sources:\n"), []byte("sources:\n"+sources.String()), 1)
	if err := os.WriteFile(settings, append(text, waivers...), 0o600); err != nil {
		t.Fatal(err)
	}
	return formats
}

// dump reads all tables of a ledger as text.
func dump(t *testing.T, path string) map[string]string {
	t.Helper()
	store, err := duckdb.Open(t.Context(), duckdb.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	tables := map[string]string{}
	if err := store.Migrate(t.Context(), ledger.Layout()); err != nil {
		t.Fatal(err)
	}
	for _, table := range ledger.Layout().Tables {
		err := store.Query(t.Context(), warehouse.Select{Text: "select * from {" + table.Name + "}"}, func(r warehouse.Row) error {
			tables[table.Name] += fmt.Sprintln(r.Values...)
			return nil
		})
		if err != nil {
			t.Fatalf("%s: %v", table.Name, err)
		}
	}
	return tables
}
