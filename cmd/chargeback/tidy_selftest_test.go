package main_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// cleanModule is a small module that breaks no rule.
var cleanModule = map[string]string{
	"go.mod":                             "module example.com/tidy\n",
	".gitignore":                         "/demo-out/\n*.duckdb\n",
	".ci/run":                            "make test\n",
	"demo-out/left.go":                   "package left // ignored\n",
	"Makefile":                           "test:\n\tgo test ./...\n",
	"cmd/README.md":                      "# cmd\n",
	"cmd/app/main.go":                    "// Command app wires.\npackage main\n\nimport (\n\t\"os\"\n\t\"time\"\n\n\t_ \"example.com/tidy/billing/warehouse/duckdb\"\n)\n\nfunc main() { _, _ = time.Now(), os.Getenv(\"A\") }\n",
	"extract/README.md":                  "# extract\n",
	"extract/record/record.go":           "// Package record is a record.\npackage record\n",
	"extract/frame/frame.go":             "// Package frame frames.\npackage frame\n\nimport _ \"example.com/tidy/extract/record\"\n",
	"extract/testdata/bad.go":            "package bad // TODO none\n",
	"transform/README.md":                "# transform\n",
	"transform/money/money.go":           "// Package money is exact.\npackage money\n",
	"transform/money/money_test.go":      "package money\n\nimport (\n\t\"testing\"\n\t\"time\"\n)\n\nfunc TestMoney(t *testing.T) {\n\t_, _ = time.Now(), 0.5\n\tt.Skip(\"qpdf is not installed\")\n}\n",
	"transform/rates/rates.go":           "// Package rates prices.\npackage rates\n\nimport (\n\t_ \"example.com/tidy/extract/record\"\n\t_ \"example.com/tidy/transform/money\"\n)\n",
	"jobs/README.md":                     "# jobs\n",
	"jobs/jobs.go":                       "// Package jobs walks.\npackage jobs\n",
	"billing/README.md":                  "# billing\n",
	"billing/ledger/ledger.go":           "// Package ledger keeps.\npackage ledger\n\nimport _ \"example.com/tidy/transform/money\"\n",
	"billing/warehouse/duckdb/d.go":      "// Package duckdb is a driver.\npackage duckdb\n\nimport _ \"example.com/tidy/billing/ledger\"\n",
	"billing/warehouse/duckdb/d_test.go": "package duckdb_test\n\nimport (\n\t_ \"example.com/tidy/billing/warehouse/duckdb\"\n\t_ \"example.com/tidy/billing/ledger/ledgertest\"\n)\n",
	"billing/ledger/ledgertest/l.go":     "// Package ledgertest is a suite.\npackage ledgertest\n\nimport _ \"example.com/tidy/billing/ledger\"\n",
	"billing/invoice/pdf/pdf.go":         "// Package pdf draws.\npackage pdf\n\nvar width float64\n",
}

// Goal: each rule finds what it is for and nothing in a tidy module.
// Method: lay one file over a clean module of a few lines and expect exactly
// the findings that it causes.
func TestTidyRules(t *testing.T) {
	const ours = "example.com/tidy/"
	imports := func(pkg, path string) string { return "package " + pkg + "\n\nimport _ \"" + ours + path + "\"\n" }
	for _, row := range []struct {
		name, file, content string
		want                []string // starts of the findings
	}{
		{name: "clean module"},

		{"extract imports to its right", "extract/frame/x.go", imports("frame", "transform/money"), []string{"extract/frame/x.go:3: extract may not import transform/money"}},
		{"transform imports to its right", "transform/rates/x.go", imports("rates", "billing/ledger"), []string{"transform/rates/x.go:3: transform may not import billing/ledger"}},
		{"transform imports more than records", "transform/rates/x.go", imports("rates", "extract/frame"), []string{"transform/rates/x.go:3: transform may not import extract/frame"}},
		{"a test imports to its right", "extract/frame/x_test.go", imports("frame", "billing/ledger"), []string{"extract/frame/x_test.go:3: extract may not import billing/ledger"}},
		{"billing imports records", "billing/ledger/x.go", imports("ledger", "extract/record"), nil},
		{"billing imports extract", "billing/ledger/x.go", imports("ledger", "extract/frame"), []string{"billing/ledger/x.go:3: billing may not import extract/frame"}},
		{"code imports a driver", "billing/budget/x.go", "// Package budget warns.\n" + imports("budget", "billing/warehouse/duckdb"), []string{"billing/budget/x.go:4: billing/warehouse/duckdb is a driver"}},
		{"the books know who reads them", "billing/ledger/x.go", imports("ledger", "billing/report"), []string{"billing/ledger/x.go:3: billing/ledger stands before billing/report in the books"}},
		{"the manifest knows the records", "billing/manifest/x.go", "// Package manifest keeps.\n" + imports("manifest", "billing/ledger"), []string{"billing/manifest/x.go:4: billing/manifest stands before billing/ledger in the books"}},
		{"the records know the manifest", "billing/ledger/x.go", imports("ledger", "billing/manifest"), nil},
		{"a test from outside imports to its right", "extract/frame/x_test.go", imports("frame_test", "billing/ledger"), nil},
		{"a test imports a driver", "billing/invoice/pdf/x_test.go", imports("pdf_test", "billing/warehouse/duckdb"), nil},
		{"drivers know each other", "billing/warehouse/bigquery/x.go", "// Package bigquery is a driver.\n" + imports("bigquery", "billing/warehouse/duckdb"), []string{"billing/warehouse/bigquery/x.go:4: billing/warehouse/duckdb is a driver"}},
		{"children know each other", "billing/invoice/html/x.go", "// Package html writes.\n" + imports("html", "billing/invoice/pdf"), []string{"billing/invoice/html/x.go:4: billing/invoice/html and billing/invoice/pdf are children of one parent"}},
		{"code imports a suite", "billing/ledger/x.go", imports("ledger", "billing/ledger/ledgertest"), []string{"billing/ledger/x.go:3: billing/ledger/ledgertest is a test suite"}},
		{"anything imports cmd", "billing/ledger/x.go", imports("ledger", "cmd/app"), []string{"billing/ledger/x.go:3: billing may not import cmd/app"}},

		{"tests of jobs open books", "jobs/x_test.go", imports("jobs_test", "cmd/chargeback/app"), nil},
		{"jobs opens books", "jobs/x.go", imports("jobs", "cmd/chargeback/app"), []string{"jobs/x.go:3: cmd/chargeback/app is the wiring"}},
		{"tests inside jobs open books", "jobs/x_test.go", imports("jobs", "cmd/chargeback/app"), []string{"jobs/x_test.go:3: cmd/chargeback/app is the wiring"}},
		{"tests of others open books", "billing/ledger/x_test.go", imports("ledger_test", "cmd/chargeback/app"), []string{"billing/ledger/x_test.go:3: cmd/chargeback/app is the wiring"}},
		{"a command opens books", "cmd/app/x.go", imports("main", "cmd/chargeback/app"), nil},

		{"clock called", "extract/frame/x.go", "package frame\n\nimport \"time\"\n\nvar at = time.Now()\n", []string{"extract/frame/x.go:5: time.Now outside cmd"}},
		{"clock passed under another name", "extract/frame/x.go", "package frame\n\nimport clock \"time\"\n\nvar at = clock.Since\n", []string{"extract/frame/x.go:5: time.Since outside cmd"}},
		{"a Now of our own", "extract/frame/x.go", "package frame\n\nimport \"time\"\n\nfunc f(at interface{ Now() time.Time }) { at.Now() }\n", nil},
		{"environment read", "transform/rates/x.go", "package rates\n\nimport \"os\"\n\nvar v, ok = os.LookupEnv(\"A\")\n", []string{"transform/rates/x.go:5: os.LookupEnv outside cmd"}},
		{"files read", "transform/rates/x.go", "package rates\n\nimport \"os\"\n\nvar b, err = os.ReadFile(\"a\")\n", nil},

		{"float type", "transform/rates/x.go", "package rates\n\nvar price float64\n", []string{"transform/rates/x.go:3: float64 near money"}},
		{"float constant", "transform/rates/x.go", "package rates\n\nvar price = 1.5\n", []string{"transform/rates/x.go:3: 1.5 near money"}},
		{"small float constant", "transform/rates/x.go", "package rates\n\nvar price = 1e-6\n", []string{"transform/rates/x.go:3: 1e-6 near money"}},
		{"whole number in short", "transform/rates/x.go", "package rates\n\nconst bytesMax = 64e6\n", nil},
		{"float made by a call", "billing/ledger/x.go", "package ledger\n\nimport \"strconv\"\n\nvar v, err = strconv.ParseFloat(\"1\", 64)\n", []string{"billing/ledger/x.go:5: ParseFloat near money"}},
		{"float with a reason", "transform/rates/x.go", "package rates\n\nvar ratio float64 //tidy:float a match rate, not an amount\n", nil},
		{"float with too little of a reason", "transform/rates/x.go", "package rates\n\nvar ratio float64 //tidy:float ok\n", []string{"transform/rates/x.go:3: float64 near money"}},
		{"float away from money", "extract/frame/x.go", "package frame\n\nvar ratio float64\n", nil},

		{"no package comment", "extract/decode/x.go", "package decode\n", []string{"extract/decode: no file has a package comment"}},
		{"comment of another form", "extract/decode/x.go", "// Decoders.\npackage decode\n", []string{"extract/decode: no file has a package comment"}},
		{"folder of tests only", "extract/decode/x_test.go", "package decode_test\n", []string{"extract/decode: no file has a package comment"}},
		{"command without a comment", "cmd/other/main.go", "package main\n", []string{"cmd/other: no file has a package comment"}},

		{"skip without a reason", "extract/frame/x_test.go", "package frame\n\nimport \"testing\"\n\nfunc TestX(tt *testing.T) { tt.Skip() }\n", []string{"extract/frame/x_test.go:5: tt.Skip without a reason"}},
		{"skip with a word", "extract/frame/x_test.go", "package frame\n\nimport \"testing\"\n\nfunc FuzzX(f *testing.F) { f.Skipf(\"later %d\", 1) }\n", []string{"extract/frame/x_test.go:5: f.Skipf without a reason"}},
		{"skip now", "extract/frame/x_test.go", "package frame\n\nimport \"testing\"\n\nfunc help(tb testing.TB) { tb.SkipNow() }\n", []string{"extract/frame/x_test.go:5: tb.SkipNow without a reason"}},
		{"a Skip of our own", "extract/frame/x.go", "package frame\n\nfunc f(r interface{ Skip(int) }) { r.Skip(1) }\n", nil},

		{"leftover in a comment", "extract/frame/x.go", "package frame\n\n/* one\n   TODO two */\n", []string{"extract/frame/x.go:4: unfinished work"}},
		{"leftover with its issue", "extract/frame/x.go", "package frame\n\n// FIXME(#12): two\n", nil},
		{"leftover in SQL", "transform/rates/m.sql", "select 1\n-- XXX two\n", []string{"transform/rates/m.sql:2: unfinished work"}},
		{"leftover in a string", "extract/frame/x.go", "package frame\n\nconst s = \"TODO\"\n", nil},

		{"rows by position", "jobs/x.go", "package jobs\n\nimport books \"" + ours + "billing/warehouse\"\n\nfunc f(r books.Row) any { return r.Values[0] }\n", []string{"jobs/x.go:5: a row is read by position"}},
		{"rows by name", "jobs/x.go", "package jobs\n\nimport \"" + ours + "billing/warehouse\"\n\nvar read = warehouse.All[string]\n", nil},
		{"rows in a driver", "billing/warehouse/duckdb/x.go", "// Package duckdb is a driver.\npackage duckdb\n\nimport \"" + ours + "billing/warehouse\"\n\nvar r warehouse.Row\n", nil},

		{"unknown top folder", "internal/x.txt", "", []string{"internal: not one of billing, cmd, config,"}},
		{"top folder without README", "config/x.go", "// Package config loads.\npackage config\n", []string{"config: no README.md"}},
		{"init", "extract/frame/x.go", "package frame\n\nfunc init() {}\n", []string{"extract/frame/x.go:3: func init"}},
		{"a method called init", "extract/frame/x.go", "package frame\n\ntype t int\n\nfunc (t) init() {}\n", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			m, err := loadModule(fakeTree(row.file, row.content))
			if err != nil {
				t.Fatal(err)
			}
			got := m.findings()
			for i, want := range row.want {
				if i < len(got) && strings.HasPrefix(got[i], want) {
					got[i] = want
				}
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadModuleRefuses(t *testing.T) {
	for name, tree := range map[string]fstest.MapFS{
		"no go.mod":                 {},
		"go.mod without name":       {"go.mod": {Data: []byte("go 1.26\n")}},
		"file that is not Go":       fakeTree("extract/frame/x.go", "not go"),
		"go.mod in the wrong place": {"sub/go.mod": {Data: []byte("module x\n")}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := loadModule(tree); err == nil {
				t.Error("was accepted")
			}
		})
	}
}

// Goal: a rule that nobody tried can't hide.
// Method: every rule's name ends at least one finding of a thoroughly untidy tree.
func TestEveryRuleCanFail(t *testing.T) {
	tree := fakeTree("internal/x.txt", "")
	tree["extract/bad/x.go"] = &fstest.MapFile{Data: []byte("package bad\n\nimport (\n\t\"os\"\n\t\"testing\"\n\t\"time\"\n\n\t_ \"example.com/tidy/billing/ledger\"\n)\n\n// TODO one\nfunc init() { _, _ = time.Now(), os.Environ() }\n\nfunc T(t *testing.T) { t.Skip() }\n")}
	tree["billing/ledger/x.go"] = &fstest.MapFile{Data: []byte("package ledger\n\nimport \"example.com/tidy/billing/warehouse\"\n\nvar x float32\n\nvar row warehouse.Row\n")}
	m, err := loadModule(tree)
	if err != nil {
		t.Fatal(err)
	}
	silent := map[string]bool{}
	for _, rule := range rules {
		silent[rule.name] = true
	}
	for _, finding := range m.findings() {
		delete(silent, finding[strings.LastIndex(finding, "[")+1:len(finding)-1])
	}
	if len(silent) > 0 {
		t.Errorf("rules without a finding: %v", slices.Sorted(maps.Keys(silent)))
	}
}

// fakeTree is the clean module with one more file; no file where it is "".
func fakeTree(file, content string) fstest.MapFS {
	tree := fstest.MapFS{}
	for name, content := range cleanModule {
		tree[name] = &fstest.MapFile{Data: []byte(content)}
	}
	if file != "" {
		tree[file] = &fstest.MapFile{Data: []byte(content)}
	}
	return tree
}
