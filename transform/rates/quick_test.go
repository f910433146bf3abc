package rates

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestQuickReadsTheBuiltInBook holds the quick reader to the one form that it is
// for: every file of the built-in book with prices, read as strictyaml reads it.
func TestQuickReadsTheBuiltInBook(t *testing.T) {
	for _, file := range defaultFiles() {
		if _, ok := quick(file.Name, 0, file.Data); ok == strings.Contains(string(file.Data), "\nfees:") {
			t.Errorf("%s: read quickly %v", file.Name, ok)
		}
		sameBook(t, []File{file})
	}
}

// sameBook reads files quickly, where that can be, and as any YAML.
func sameBook(t *testing.T, files []File) {
	t.Helper()
	fast, errFast := parseFiles(files, quick)
	slow, errSlow := parseFiles(files, nil)
	if errFast == nil && errSlow != nil {
		t.Fatalf("read quickly, but: %v\n%s", errSlow, files[0].Data)
	}
	if errFast != nil || errSlow != nil {
		return
	}
	if diff := cmp.Diff(slow.Entries(), fast.Entries(), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("-any YAML +quickly:\n%s\n%s", diff, files[0].Data)
	}
	if slow.Version() != fast.Version() {
		t.Fatal("other versions")
	}
}

func TestQuickLeavesOtherFormsToYAML(t *testing.T) {
	const good = `# a comment
prices:
  # another
  - provider: "p"
    model: "m"
    aliases: ["a", "b c"]
    from: 2026-01-01T00:00:00Z
    announced: true
    usd_per_million: {input: "1", output: "2"}
    usd_per_search: "0.01"
    thresholds:
      - {more_than: 5, usd_per_million: {input: "2"}}
    tiers:
      flex: {times: "0.5"}
      priority:
        usd_per_million: {input: "3"}
        thresholds:
          - {at_least: 9, usd_per_million: {input: "4"}}
    off_peak:
      - {utc: "16:30-00:30", days: [mon, sun], times: "0.5"}
    uplifts:
      - {regions: ["eu-*"], times: "1.1", cache: false}
    source: "page, 2026-01-01"
`
	tests := []struct{ name, from, to string }{
		{"", "", ""},
		{"a comment behind a value", `"m"`, `"m" # the model`},
		{"an escape", `"m"`, `"m\u0041"`},
		{"single quotes", `"m"`, `'m'`},
		{"plain text", `"m"`, `m`},
		{"text without quotes in a list", `["a", "b c"]`, `[a, "b c"]`},
		{"a block list", `["a", "b c"]`, "\n      - \"a\""},
		{"an anchor", `"p"`, `&p "p"`},
		{"a key that is twice", `    model: "m"`, "    model: \"m\"\n    model: \"n\""},
		{"a class that is twice", `{input: "1", output`, `{input: "1", input: "1", output`},
		{"a tier that is twice", `      priority:`, "      flex: {times: \"2\"}\n      priority:"},
		{"an unknown key", `    usd_per_search:`, `    usd_per_page:`},
		{"an unknown class", `{input: "1", output`, `{input: "1", thought: "3", output`},
		{"other blanks", `{input: "1", output`, `{ input: "1",output`},
		{"other indents", "      - {more_than", "        - {more_than"},
		{"windows lines", "\n", "\r\n"},
		{"a tab", "    model:", "\tmodel:"},
		{"a number as text", `"m"`, `4.1`},
		{"a price that is none", `output: "2"`, `output: "free"`},
		{"no output", `, output: "2"`, ``},
		{"a block without anything", "      - {more_than: 5, usd_per_million: {input: \"2\"}}\n", ""},
		{"a tier without anything", "        usd_per_million: {input: \"3\"}\n        thresholds:\n          - {at_least: 9, usd_per_million: {input: \"4\"}}\n", ""},
		{"a day in quotes", "[mon, sun]", `["mon", "sun"]`},
		{"blanks around text", `"m"`, `" m"`},
		{"an octal number", "more_than: 5", "more_than: 05"},
		{"null", `"m"`, `~`},
		{"a second list", "prices:", "prices:\nprices:"},
		{"fees behind it", `    source: "page, 2026-01-01"`, "    source: \"page, 2026-01-01\"\nfees: []"},
		{"not announced", "announced: true", "announced: false"},
		{"no answer", "announced: true", "announced: maybe"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := good
			if tt.from != "" {
				if text = strings.ReplaceAll(good, tt.from, tt.to); text == good {
					t.Fatal("row changes nothing")
				}
			}
			if _, ok := quick("b.yaml", 0, []byte(text)); ok != (tt.name == "") && tt.name != "no output" {
				t.Errorf("read quickly: %v", ok)
			}
			sameBook(t, []File{{"b.yaml", []byte(text)}})
		})
	}
}

// FuzzQuick holds what is read quickly to what strictyaml makes of it.
func FuzzQuick(f *testing.F) {
	for _, name := range []string{"default/deepseek.yaml", "default/xai.yaml"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:4000])
	}
	f.Add([]byte("prices:\n  - provider: \"p\"\n    model: \"m\"\n    from: 2026-01-01T00:00:00Z\n    usd_per_million: {input: 1, output: 2}\n    tiers:\n      flex:\n        usd_per_million: {input: 1}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, ok := quick("f.yaml", 0, data); ok {
			sameBook(t, []File{{"f.yaml", data}})
		}
	})
}
