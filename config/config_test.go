package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"chargeback/transform/civil"
	"chargeback/transform/money"
	"chargeback/transform/strictyaml"
)

// minimal is the shortest file that loads.
const minimal = `company: {name: Example Corp, billing_zone: Europe/Berlin, start: 2026-10-01}
sources:
  - {name: gateway, format: litellm, url: file:data}
`

func sameConfig() cmp.Option {
	return cmp.Options{cmpopts.IgnoreUnexported(Config{}), cmpopts.EquateEmpty()}
}

func TestMinimalFileGetsDefaults(t *testing.T) {
	c, err := Parse(filepath.Join("conf", "chargeback.yaml"), []byte(minimal))
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Company:   Company{"Example Corp", "Europe/Berlin", civil.Date{Year: 2026, Mon: time.October, Day: 1}},
		Warehouse: Warehouse{Engine: EngineDuckDB, Path: "ledger.duckdb", MemoryLimit: 1_000_000_000, TempDir: "ledger.duckdb.tmp"},
		Sources: []Source{{
			Name: "gateway", Format: FormatLiteLLM, URL: "file:data", MaxRecordBytes: 64_000_000,
			Fields: Fields{
				AgentID:    []string{"metadata.spend_logs_metadata.agent_id", "metadata.requester_metadata.agent_id"},
				ToolCalls:  []string{"metadata.spend_logs_metadata.tool_calls"},
				CostCenter: []string{"metadata.spend_logs_metadata.cost_center", "metadata.requester_metadata.cost_center"},
				ClientRef:  []string{"metadata.spend_logs_metadata.client_ref"},
			},
		}},
		Directory: "directory.yaml", LateDays: 3, EmptyNightsMax: 10, MatchAlarmPercent: 90, RejectAlarmPercent: 50, MatchFingerprint: true, CloseDay: 5,
		Invoices:             Invoices{Dir: "invoices", Issuer: Issuer{Name: "Example Corp"}, DisputeDays: 20, CSVEncoding: CSVUTF8},
		BillTolerancePercent: money.MustParse("0.5"),
		Dir:                  "conf",
	}
	if diff := cmp.Diff(want, c, sameConfig()); diff != "" {
		t.Error(diff)
	}
	if got := c.Zone().String(); got != "Europe/Berlin" {
		t.Errorf("zone %s", got)
	}
}

func TestExampleLoadsAndKeepsText(t *testing.T) {
	c, err := Parse("chargeback.yaml", Example)
	if err != nil {
		t.Fatal(err)
	}
	support, centre, store := c.Budgets[0], c.Budgets[1], c.SharedCosts[1]
	if centre.CostCenter != "00420" || centre.Name != "00420" || centre.Channel != "#ai-costs" {
		t.Errorf("second budget: %+v", centre)
	}
	if !support.AmountUSD.Equal(money.MustParse("1200")) || support.Channel != "#support-ai-costs" {
		t.Errorf("first budget: %+v", support)
	}
	if !store.Shares["00420"].Equal(money.MustParse("60")) {
		t.Errorf("shares: %v", store.Shares)
	}
	if c.Waivers[0].Month != (civil.Month{Year: 2026, Month: time.October}) {
		t.Errorf("waiver: %+v", c.Waivers[0])
	}
}

// Goal: the small example stays small, and means what the complete one calls defaults.
// Method: it loads strictly, its lines are counted, and its source is a folder.
func TestSmallExampleLoads(t *testing.T) {
	c, err := Parse("chargeback.yaml", Small)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(Small), "\n"); lines > 20 {
		t.Errorf("small.yaml has %d lines; what most can leave out belongs into example.yaml", lines)
	}
	if scheme, path := c.Sources[0].Location(); scheme != SchemeFile || path != "logs" {
		t.Errorf("first source at %s:%s, want the folder logs", scheme, path)
	}
	if diff := cmp.Diff([]int{50, 80, 100}, c.Budgets[0].Thresholds); diff != "" {
		t.Errorf("thresholds, as the comment tells them (-want +got):\n%s", diff)
	}
}

// Goal: a key can't be added without being explained.
// Method: walk the Go types; each key must stand in example.yaml with a comment
// on the line above its first occurrence.
func TestExampleExplainsEveryKey(t *testing.T) {
	doc := strictyaml.Decode("example.yaml", Example, &Config{})
	first := map[string]int{}
	for _, path := range doc.Paths() {
		key := regexp.MustCompile(`\[\d+\]`).ReplaceAllString(path, "[]")
		if at, ok := first[key]; !ok || doc.Line(path) < at {
			first[key] = doc.Line(path)
		}
	}
	lines := strings.Split(string(Example), "\n")
	for _, key := range keysOf(reflect.TypeFor[Config](), "") {
		line, ok := first[key]
		if !ok {
			t.Errorf("%s is missing from example.yaml", key)
		} else if !strings.HasPrefix(strings.TrimSpace(lines[line-2]), "#") {
			t.Errorf("example.yaml:%d: %s has no comment above it", line, key)
		}
	}
}

// keysOf lists the paths of all values below typ; keys that only group others are left out.
func keysOf(typ reflect.Type, path string) []string {
	switch {
	case typ.Kind() == reflect.Slice && typ.Elem().Kind() == reflect.Struct:
		return keysOf(typ.Elem(), path+"[]")
	case typ.Kind() != reflect.Struct || reflect.PointerTo(typ).Implements(reflect.TypeFor[interface{ UnmarshalText([]byte) error }]()):
		return []string{path}
	}
	var keys []string
	for i := range typ.NumField() {
		key, _, _ := strings.Cut(typ.Field(i).Tag.Get("yaml"), ",")
		if key != "" && key != "-" {
			keys = append(keys, keysOf(typ.Field(i).Type, strings.TrimPrefix(path+"."+key, "."))...)
		}
	}
	return keys
}

func TestPathsAreRelativeToTheFile(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "chargeback.yaml")
	if err := os.WriteFile(file, []byte(minimal), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "token"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"":               "",
		"a/b":            filepath.Join(folder, "a", "b"),
		"/etc/elsewhere": "/etc/elsewhere",
	} {
		if got := c.Path(in); got != want {
			t.Errorf("Path(%q) = %q, want %q", in, got, want)
		}
	}
	if data, err := c.ReadFile("token"); err != nil || string(data) != "x" {
		t.Errorf("ReadFile: %q, %v", data, err)
	}
}

func TestLoadNamesTheMissingFile(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none.yaml"))
	if err == nil || !strings.Contains(err.Error(), "none.yaml") || !strings.HasSuffix(err.Error(), "name the file with --config") {
		t.Errorf("error: %v", err)
	}
}

// Goal: one reading names everything that is wrong, also what only others can
// know, on the lines where it stands.
// Method: a further check finds fault with a key of a file that has a mistake of
// its own, with a key that the file lacks and with one that is wrong already.
func TestFurtherChecksAreNamedInOrder(t *testing.T) {
	check := func(c *Config, failf func(path, format string, args ...any)) {
		if c.CloseDay != 5 {
			t.Errorf("close_day %d: defaults are not filled in", c.CloseDay)
		}
		failf("sources[0].url", "%s is empty", c.Sources[0].URL)
		failf("directory", "is gone")
		failf("late_days", "second problem of a key")
	}
	_, err := Parse("c.yaml", []byte(minimal+"late_days: 9\nworkers: -1\n"), check)
	want := []string{
		"c.yaml:1: close_day: 5 is not after late_days (9)",
		"c.yaml:1: directory: is gone",
		"c.yaml:3: sources[0].url: file:data is empty",
		"c.yaml:4: late_days: second problem of a key",
		"c.yaml:5: workers: -1 is out of range",
	}
	if err == nil {
		t.Fatal("loaded")
	}
	got := strings.Split(err.Error(), "\n")
	if len(got) != len(want) {
		t.Fatalf("%d problems:\n%v", len(got), err)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("got  %s\nwant %s", got[i], want[i])
		}
	}
}

func TestFurtherChecksAreNotAskedAboutABrokenFile(t *testing.T) {
	check := func(*Config, func(path, format string, args ...any)) { t.Error("asked") }
	if _, err := Parse("c.yaml", []byte("a: 'x"), check); err == nil {
		t.Error("loaded")
	}
}

func TestLocation(t *testing.T) {
	tests := []struct{ url, scheme, place string }{
		{"file:data/bedrock", SchemeFile, "data/bedrock"},
		{"file:/var/log", SchemeFile, "/var/log"},
		{"file:///var/log", SchemeFile, "/var/log"},
		{"file://host/log", "", ""},
		{"s3://bucket", SchemeS3, "bucket"},
		{"s3://bucket/a/b/", SchemeS3, "bucket/a/b/"},
		{"https://example.com", "", ""},
		{"data", "", ""},
	}
	for _, tt := range tests {
		scheme, place := Source{URL: tt.url}.Location()
		if scheme != tt.scheme || place != tt.place {
			t.Errorf("%s: got %q %q, want %q %q", tt.url, scheme, place, tt.scheme, tt.place)
		}
	}
}

// Goal: a provider's own log is its usage without being told so, and only where
// one is read; what the settings say goes before.
func TestUsageOf(t *testing.T) {
	log, spans := []Source{{Format: FormatBedrock}, {Format: FormatLiteLLM}, {Format: FormatBedrockBatch}}, []Source{{Format: FormatOTLP, Side: SideProvider}, {Format: FormatVertex}}
	for _, tt := range []struct {
		name    string
		sources []Source
		told    map[string]string
		want    []string
	}{
		{"nothing", nil, nil, nil},
		{"its own log", log, nil, []string{"bedrock"}},
		{"another's", spans, nil, []string{"vertex_ai"}},
		{"its own log, and the gateway's counts by choice", log, map[string]string{"bedrock": UsageGateway}, nil},
		{"told of one without a log", log, map[string]string{"anthropic": UsageProvider, "openai": UsageGateway}, []string{"anthropic", "bedrock"}},
	} {
		c := &Config{Sources: tt.sources, UsageFrom: tt.told}
		if got := c.MeteredBy(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		for _, provider := range []string{"bedrock", "vertex_ai", "openai", "anthropic"} {
			if of := c.UsageOf(provider) == UsageProvider; of != slices.Contains(tt.want, provider) {
				t.Errorf("%s: the usage of %s is its own: %t", tt.name, provider, of)
			}
		}
	}
}

func TestSharedCostCovers(t *testing.T) {
	month := func(m time.Month) civil.Month { return civil.Month{Year: 2026, Month: m} }
	tests := []struct {
		name     string
		from, to civil.Month
		in       civil.Month
		want     bool
	}{
		{"open on both sides", civil.Month{}, civil.Month{}, month(5), true},
		{"first month counts", month(5), civil.Month{}, month(5), true},
		{"month before the first", month(5), civil.Month{}, month(4), false},
		{"last month counts", month(5), month(7), month(6), true},
		{"to is exclusive", month(5), month(7), month(7), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := (SharedCost{From: tt.from, To: tt.to}).Covers(tt.in); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// Goal: what `config check` prints is the config that is in force.
// Method: fill texts, numbers and amounts at random, print, read again, compare.
func TestDescribeLoadsToTheSameConfig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[!-~]([ -~äß€]{0,12}[!-~])?|[0-9eE._+-]{1,6}|true|null|~|yes`)
		c, err := Parse("chargeback.yaml", Example)
		if err != nil {
			t.Fatal(err)
		}
		c.Company.Name = text.Draw(t, "name")
		c.Budgets[0].Department = text.Draw(t, "department")
		c.Budgets[0].AmountUSD = money.FromPico(rapid.Int64Min(1).Draw(t, "pico"))
		c.SharedCosts[1].Shares = rapid.MapOf(text, rapid.Just(money.MustParse("0.5"))).Filter(
			func(m map[string]money.USD) bool { return len(m) > 0 }).Draw(t, "shares")
		c.Warehouse.MemoryLimit = Size(rapid.Int64Range(100e6, 1e15).Draw(t, "memory"))
		c.LateDays = rapid.IntRange(0, 4).Draw(t, "late days")
		again, err := Parse("chargeback.yaml", []byte(c.Describe()))
		if err != nil {
			t.Fatalf("%v\n%s", err, c.Describe())
		}
		if diff := cmp.Diff(c, again, sameConfig()); diff != "" {
			t.Fatal(diff)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(Example)
	f.Add([]byte(minimal))
	f.Add([]byte("company: &a {name: 00420}\nsources: *a\n"))
	f.Add([]byte("? a\n: b\n---\n- [x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("f.yaml", data)
		if err == nil {
			if _, err := Parse("f.yaml", []byte(c.Describe())); err != nil {
				t.Errorf("printed config doesn't load: %v\n%s", err, c.Describe())
			}
			return
		}
		if !regexp.MustCompile(`^f\.yaml:[0-9]+: `).MatchString(err.Error()) {
			t.Errorf("error doesn't say where: %v", err)
		}
	})
}

func TestPeopleSources(t *testing.T) {
	tests := []struct {
		name, format, url    string
		snapshot, person, is bool // IsSnapshot, IsPeople, IsFile
	}{
		{"a people file", FormatPeople, "s3://b/people", false, true, true},
		{"a folder of exports", FormatSCIM, "file:hr/2026.d", true, true, false},
		{"one export", FormatEntra, "file:hr/users.CSV", true, true, true},
		{"one packed export", FormatOkta, "s3://b/hr/users.jsonl.gz", true, true, true},
		{"a prefix", FormatWorkday, "s3://b/hr/", true, true, false},
		{"logs", FormatBedrock, "s3://b/x.json", false, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Source{Format: tt.format, URL: tt.url}
			if s.IsSnapshot() != tt.snapshot || s.IsPeople() != tt.person || s.IsFile() != tt.is {
				t.Errorf("snapshot %v, people %v, file %v", s.IsSnapshot(), s.IsPeople(), s.IsFile())
			}
		})
	}
}
