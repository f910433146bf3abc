package directory

import (
	"chargeback/transform/wildcard"
	"fmt"
	"math/rand"
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
	"chargeback/transform/strictyaml"
)

const sample = `cost_centers:
  - {code: CC-1001, name: Research, department: Research, mode: showback}
  - {code: "00420", name: Customer Support, department: Support, owner: support-lead@example.com, company_code: "1000", expense_account: "613501"}
agents:
  - {id: support-bot, name: Support Bot, kind: owned, owner: "00420", to: 2026-10-15}
  - {id: support-bot, name: Support Bot, kind: shared, from: 2026-10-15}
  - {id: indexer, kind: background, owner: User017@Example.com}
owners:
  - {team: team-12, cost_center: CC-1001}
  - {key: batch-key, cost_center: "00420", from: 2026-10-01, to: 2026-11-01}
  - {caller: "arn:aws:sts::*:assumed-role/*", cost_center: CC-1001}
  - {caller: "arn:aws:sts::*:assumed-role/etl-*/*", cost_center: "00420", to: 2026-10-10}
  - {caller: "arn:aws:sts::*:assumed-role/etl-*/*", cost_center: CC-1001, from: 2026-10-10}
`

func parse(t testing.TB, text string) *Directory {
	t.Helper()
	d, err := Parse("directory.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func october(day int) civil.Date { return civil.Date{Year: 2026, Mon: time.October, Day: day} }

func TestParse(t *testing.T) {
	d := parse(t, sample)
	wantCenters := []CostCenter{
		{Code: "00420", Name: "Customer Support", Department: "Support", Mode: Chargeback, Owner: "support-lead@example.com", CompanyCode: "1000", ExpenseAccount: "613501", From: civil.Min, To: civil.Max},
		{Code: "CC-1001", Name: "Research", Department: "Research", Mode: Showback, From: civil.Min, To: civil.Max},
	}
	if difference := diff(wantCenters, d.CostCenters()); difference != "" {
		t.Error(difference)
	}
	wantAgents := []Agent{
		{ID: "indexer", Name: "indexer", Kind: Background, OwnerEmail: "user017@example.com", Policy: OwnerPays, From: civil.Min, To: civil.Max},
		{ID: "support-bot", Name: "Support Bot", Kind: Owned, OwnerCostCenter: "00420", From: civil.Min, To: october(15)},
		{ID: "support-bot", Name: "Support Bot", Kind: Shared, From: october(15), To: civil.Max},
	}
	if difference := diff(wantAgents, d.Agents()); difference != "" {
		t.Error(difference)
	}
}

// Goal: the example explains all there is, and loads.
// Method: parse it; every key of the Go types stands in it.
func TestExample(t *testing.T) {
	parse(t, string(Example))
	doc := strictyaml.Decode("example.yaml", Example, &directoryYAML{})
	keys := map[string]bool{}
	for _, path := range doc.Paths() {
		keys[regexp.MustCompile(`\[\d+\]`).ReplaceAllString(path, "")] = true
	}
	for prefix, typ := range map[string]reflect.Type{"cost_centers": reflect.TypeFor[centerYAML](), "agents": reflect.TypeFor[agentYAML](), "owners": reflect.TypeFor[ownerYAML]()} {
		for i := range typ.NumField() {
			if key := prefix + "." + typ.Field(i).Tag.Get("yaml"); !keys[key] {
				t.Errorf("example.yaml doesn't show %s", key)
			}
		}
	}
}

func TestCostCenter(t *testing.T) {
	d := &Directory{centers: []CostCenter{{Code: "00420"}, {Code: "CC-1"}}}
	for code, want := range map[string]bool{"00420": true, "CC-1": true, "420": false, "": false, "CC-2": false} {
		if got, ok := d.CostCenter(code); ok != want || ok && got.Code != code {
			t.Errorf("%q: %+v, %v", code, got, ok)
		}
	}
}

// Goal: whoever a day is asked of, the one who pays then is found, also behind
// several successors, and nobody where nobody does.
func TestSuccessorAt(t *testing.T) {
	d := parse(t, `cost_centers:
  - {code: old, department: D, from: 2026-01-01, to: 2026-10-05, successor: mid}
  - {code: mid, department: D, to: 2026-10-20, successor: new}
  - {code: new, department: E, from: 2026-10-10}
  - {code: gone, department: D, to: 2026-10-05}
`)
	january := civil.Date{Year: 2026, Mon: time.January, Day: 1}
	tests := []struct {
		code string
		day  civil.Date
		want string
	}{
		{"old", january.AddDays(-1), ""}, {"old", january, "old"}, {"old", october(4), "old"}, {"old", october(5), "mid"}, {"old", october(19), "mid"}, {"old", october(20), "new"},
		{"mid", january, "mid"}, {"mid", october(20), "new"}, {"new", october(9), ""}, {"new", october(10), "new"},
		{"gone", october(4), "gone"}, {"gone", october(5), ""}, {"stranger", october(5), ""}, {"", october(5), ""},
	}
	for _, tt := range tests {
		if c, ok := d.SuccessorAt(tt.code, tt.day); ok != (tt.want != "") || c.Code != tt.want {
			t.Errorf("%s on %s: %q, %v; want %q", tt.code, tt.day, c.Code, ok, tt.want)
		}
	}
	for _, s := range d.Successions() {
		for day := january; day.Before(october(31)); day = day.AddDays(1) {
			c, ok := d.SuccessorAt(s.Code, day)
			if in := !day.Before(s.From) && day.Before(s.To); in && (!ok || c.Code != s.Payer.Code) {
				t.Errorf("on %s %s is paid by %s, and %q by SuccessorAt", day, s.Code, s.Payer.Code, c.Code)
			}
		}
	}
	if n := len(d.Successions()); n != 3 {
		t.Errorf("%d successions, want old by mid, old by new, mid by new", n)
	}
}

// Goal: dates of cost centres are part of the version, and a directory without
// them keeps the version that it had before there were any.
func TestVersionOfDates(t *testing.T) {
	const plain = "cost_centers:\n  - {code: \"00420\", department: Support}\n  - {code: \"00430\", department: Service"
	if got := parse(t, plain+"}\n").Version(); got != "ce4ec76a4dca" {
		t.Errorf("version %s", got)
	}
	seen := map[string]string{}
	for _, dates := range []string{"", ", from: 2026-09-01", ", to: 2026-09-01", ", to: 2026-09-02", ", to: 2026-09-01, successor: \"00420\""} {
		version := parse(t, plain+dates+"}\n").Version()
		if other, taken := seen[version]; taken {
			t.Errorf("%q and %q have one version", dates, other)
		}
		seen[version] = dates
	}
}

func TestOwnersOf(t *testing.T) {
	d := parse(t, sample)
	const etl, all = "arn:aws:sts::*:assumed-role/etl-*/*", "arn:aws:sts::*:assumed-role/*"
	tests := []struct {
		name, kind, value string
		want              []Owner
	}{
		{"team", Team, "team-12", []Owner{{Team, "team-12", "CC-1001", civil.Min, civil.Max, 0}}},
		{"key with dates", Key, "batch-key", []Owner{{Key, "batch-key", "00420", october(1), october(1).Month().Next().FirstDay(), 0}}},
		{"most specific caller first, then by file", Caller, "arn:aws:sts::123456789012:assumed-role/etl-load/job-1", []Owner{
			{Caller, etl, "00420", civil.Min, october(10), 0},
			{Caller, etl, "CC-1001", october(10), civil.Max, 0},
			{Caller, all, "CC-1001", civil.Min, civil.Max, 0},
		}},
		{"wide caller", Caller, "arn:aws:sts::123456789012:assumed-role/web/1", []Owner{{Caller, all, "CC-1001", civil.Min, civil.Max, 0}}},
		{"team of another kind", Key, "team-12", nil},
		{"longer team", Team, "team-123", nil},
		{"unknown caller", Caller, "arn:aws:iam::1:user/x", nil},
		{"empty value", Team, "", nil},
		{"empty caller", Caller, "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if difference := diff(tt.want, d.OwnersOf(tt.kind, tt.value)); difference != "" {
				t.Error(difference)
			}
		})
	}
}

func TestMatches(t *testing.T) {
	tests := []struct {
		pattern, value string
		want           bool
	}{
		{"abc", "abc", true}, {"abc", "abcd", false}, {"", "", true}, {"", "a", false},
		{"*", "", true}, {"*", "a/b:c", true}, {"a*", "a", true}, {"a*", "ba", false},
		{"*a", "ba", true}, {"*a", "ab", false}, {"a*a", "a", false}, {"a*a", "aa", true},
		{"a*b*c", "a-b-c", true}, {"a*b*c", "abc", true}, {"a*b*c", "acb", false}, {"a*b*c", "a-b-b-c-c", true},
		{"*ab*ab*", "abab", true}, {"*ab*ab*", "aba", false}, {"a**b", "ab", true}, {"a?c", "abc", false}, {"[a]*", "a", false},
	}
	for _, tt := range tests {
		if got := wildcard.Match(tt.pattern, tt.value); got != tt.want {
			t.Errorf("%q matches %q: %v", tt.pattern, tt.value, got)
		}
	}
}

// Goal: * means what a regular expression's .* means.
// Method: compare both on short texts of few letters.
func TestMatchesLikeARegularExpression(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*]{0,6}`).Draw(t, "pattern")
		value := rapid.StringMatching(`[ab]{0,8}`).Draw(t, "value")
		want := regexp.MustCompile("^" + strings.ReplaceAll(pattern, "*", ".*") + "$").MatchString(value)
		if got := wildcard.Match(pattern, value); got != want {
			t.Fatalf("%q matches %q: %v", pattern, value, got)
		}
	})
}

func TestParseRefuses(t *testing.T) {
	const centers = "cost_centers: # line 1\n  - {code: \"00420\", department: Support}\n"
	tests := []struct{ name, text, want string }{
		{"nothing", "", "d.yaml:1: cost_centers: is missing"},
		{"unknown key", centers + "people: []", "d.yaml:3: people: is not a known key; use one of cost_centers, agents, owners"},
		{"code without quotes", "cost_centers:\n  - {code: 00420, department: D}", `d.yaml:2: cost_centers[0].code: 00420 is not quoted, so it may be read as a number or a truth value; quote it: "00420"`},
		{"code that only looks octal", "cost_centers:\n  - {code: 00980, department: D}", `quote it: "00980"`},
		{"no code", "cost_centers:\n  - {department: D}", "d.yaml:2: cost_centers[0].code: is missing"},
		{"code like an address", "cost_centers:\n  - {code: a@b, department: D}", `cost_centers[0].code: "a@b" has an @`},
		{"no department", "cost_centers:\n  - {code: a}", "cost_centers[0].department: is missing"},
		{"unknown mode", "cost_centers:\n  - {code: a, department: D, mode: free}", `cost_centers[0].mode: "free" is not a choice; use chargeback or showback`},
		{"owner without address", "cost_centers:\n  - {code: a, department: D, owner: boss}", `cost_centers[0].owner: "boss" is not an e-mail address`},
		{"code twice", centers + "  - {code: \"00420\", department: D}", `d.yaml:3: cost_centers[1].code: "00420" stands already on line 2`},
		{"account without quotes", "cost_centers:\n  - {code: a, department: D, expense_account: 613500}", "cost_centers[0].expense_account: 613500 is not quoted"},

		{"ends before it begins", "cost_centers:\n  - {code: a, department: D, from: 2026-09-01, to: 2026-09-01}", "d.yaml:2: cost_centers[0].to: 2026-09-01 is not after from (2026-09-01)"},
		{"successor without end", centers + "  - {code: b, department: D, successor: \"00420\"}", "d.yaml:3: cost_centers[1].successor: is set without to"},
		{"unknown successor", centers + "  - {code: b, department: D, to: 2026-09-01, successor: c}", `d.yaml:3: cost_centers[1].successor: "c" is not among cost_centers (line 1)`},
		{"successor without quotes", centers + "  - {code: b, department: D, to: 2026-09-01, successor: 00420}", "cost_centers[1].successor: 00420 is not quoted"},
		{"its own successor", "cost_centers:\n  - {code: a, department: D, to: 2026-09-01, successor: a}", `d.yaml:2: cost_centers[0].successor: "a" leads back to a`},
		{"successors in a circle", centers + "  - {code: a, department: D, to: 2026-09-01, successor: b}\n  - {code: b, department: D, to: 2026-10-01, successor: c}\n  - {code: c, department: D, to: 2026-11-01, successor: a}", `d.yaml:3: cost_centers[1].successor: "b" leads back to a`},
		{"successor that begins later", centers + "  - {code: a, department: D, to: 2026-09-01, successor: b}\n  - {code: b, department: D, from: 2026-09-02}", "d.yaml:3: cost_centers[1].successor: b begins on 2026-09-02, after a ends (2026-09-01)"},
		{"successor that has ended", centers + "  - {code: a, department: D, to: 2026-09-01, successor: b}\n  - {code: b, department: D, to: 2026-09-01, successor: \"00420\"}", "d.yaml:3: cost_centers[1].successor: b has ended (2026-09-01) when a ends (2026-09-01)"},

		{"agent without id", centers + "agents:\n  - {kind: shared}", "d.yaml:4: agents[0].id: is missing"},
		{"agent of unknown kind", centers + "agents:\n  - {id: x, kind: robot}", `agents[0].kind: "robot" is not a choice; use shared, owned or background`},
		{"owned by nobody", centers + "agents:\n  - {id: x, kind: owned}", "agents[0].owner: is missing; name the cost centre that pays"},
		{"background of nobody", centers + "agents:\n  - {id: x, kind: background}", "agents[0].owner: is missing"},
		{"policy of nobody's agent", centers + "agents:\n  - {id: x, kind: shared, policy: owner}", "d.yaml:4: agents[0].policy: is only for kind background; remove it"},
		{"unknown policy", centers + "agents:\n  - {id: x, kind: background, owner: \"00420\", policy: fair}", `agents[0].policy: "fair" is not a choice; use owner or proportional`},
		{"months without shares", centers + "agents:\n  - {id: x, kind: background, owner: \"00420\", policy_months: 3}", "agents[0].policy_months: is only for policy proportional; remove it"},
		{"too many months", centers + "agents:\n  - {id: x, kind: background, owner: \"00420\", policy: proportional, policy_months: 13}", "agents[0].policy_months: 13 is not from 1 to 12"},
		{"owned by an unknown cost centre", centers + "agents:\n  - {id: x, kind: owned, owner: \"420\"}", `d.yaml:4: agents[0].owner: "420" is not among cost_centers (line 1)`},
		{"owner without quotes", centers + "agents:\n  - {id: x, kind: owned, owner: 00420}", "agents[0].owner: 00420 is not quoted"},
		{"agent's dates overlap", centers + "agents:\n  - {id: x, kind: shared, to: 2026-10-16}\n  - {id: x, kind: shared, from: 2026-10-15}", "d.yaml:5: agents[1]: counts on days on which the entry of the same name on line 4 counts too (0001-01-01 to 2026-10-16)"},
		{"agent twice", centers + "agents:\n  - {id: x, kind: shared}\n  - {id: x, kind: shared}", "d.yaml:5: agents[1]: counts on days on which the entry of the same name on line 4 counts too"},
		{"agent ends before it begins", centers + "agents:\n  - {id: x, kind: shared, from: 2026-10-15, to: 2026-10-15}", "agents[0].to: 2026-10-15 is not after from (2026-10-15)"},
		{"not a date", centers + "agents:\n  - {id: x, kind: shared, from: 2026-10}", `agents[0].from: "2026-10" is not a date; write it as 2026-10-31`},

		{"owner of nothing", centers + "owners:\n  - {cost_center: \"00420\"}", "d.yaml:4: owners[0]: needs exactly one of team, key, project and caller"},
		{"owner of two things", centers + "owners:\n  - {team: a, key: b, cost_center: \"00420\"}", "owners[0]: needs exactly one of team, key, project and caller"},
		{"owner without cost centre", centers + "owners:\n  - {team: a}", "owners[0].cost_center: is missing"},
		{"owner of an unknown cost centre", centers + "owners:\n  - {team: a, cost_center: b}", `owners[0].cost_center: "b" is not among cost_centers (line 1)`},
		{"owner without quotes", centers + "owners:\n  - {team: a, cost_center: 00420}", "owners[0].cost_center: 00420 is not quoted"},
		{"team without quotes", centers + "owners:\n  - {team: 12, cost_center: \"00420\"}", "owners[0].team: 12 is not quoted"},
		{"default of two cost centres", "cost_centers:\n  - {code: a, department: D, default_for: [D]}\n  - {code: b, department: D, default_for: [E, D]}", `d.yaml:3: cost_centers[1].default_for[1]: "D" is already a default of cost centre a on line 2`},
		{"default of two cost centres in other letters", "cost_centers:\n  - {code: a, department: D, default_for: [Sales]}\n  - {code: b, department: D, default_for: [SALES]}", `cost_centers[1].default_for[0]: "SALES" is already a default of cost centre a on line 2`},
		{"one pattern for two cost centres", "cost_centers:\n  - {code: a, department: D, default_for: [\"Sales*\"]}\n  - {code: b, department: D, default_for: [\"sales*\"]}", `"sales*" is already a default of cost centre a on line 2`},
		{"patterns that fit the same", "cost_centers:\n  - {code: a, department: D, default_for: [\"Sales*\"]}\n  - {code: b, department: D, default_for: [\"*Sales\"]}", `cost_centers[1].default_for[0]: "*Sales" fits departments that the default of cost centre a on line 2 fits as well`},
		{"default of nothing", "cost_centers:\n  - {code: a, department: D, default_for: [\"\"]}", "cost_centers[0].default_for[0]: is empty"},
		{"alias of nothing", centers + "aliases:\n  - {email: a@example.com}", "d.yaml:4: aliases[0].alias: is missing"},
		{"alias without address", centers + "aliases:\n  - {alias: a@example.com, email: jane}", `aliases[0].email: "jane" is not an e-mail address`},
		{"alias of itself", centers + "aliases:\n  - {alias: A@example.com, email: a@example.com}", "aliases[0].email: is the alias itself"},
		{"alias of two on one day", centers + "aliases:\n  - {alias: a@example.com, email: b@example.com, to: 2026-10-02}\n  - {alias: A@example.com, email: c@example.com, from: 2026-10-01}", "d.yaml:5: aliases[1]: counts on days on which the entry of the same name on line 4"},
		{"aliases in a circle", centers + "aliases:\n  - {alias: a@example.com, email: b@example.com, from: 2026-10-01}\n  - {alias: b@example.com, email: c@example.com}\n  - {alias: c@example.com, email: a@example.com, to: 2026-11-01}", "d.yaml:4: aliases[0]: leads back to itself"},

		{"owners' dates overlap", centers + "owners:\n  - {team: a, cost_center: \"00420\"}\n  - {team: a, cost_center: \"00420\", to: 2026-10-01}", "d.yaml:5: owners[1]: counts on days on which the entry of the same name on line 4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("d.yaml", []byte(tt.text+"\n"))
			if err == nil {
				t.Fatalf("loaded, want error %q", tt.want)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "directory.yaml")
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "read directory: open "+path) {
		t.Errorf("missing file: %v", err)
	}
	if err := os.WriteFile(path, []byte("cost_centers: [{code: a, department: D}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if d, err := Load(path); err != nil || len(d.CostCenters()) != 1 {
		t.Errorf("got %v, %v", d, err)
	}
}

func TestNormEmail(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"blanks", " user017@example.com\t", "user017@example.com"},
		{"upper case", "User017@EXAMPLE.com", "user017@example.com"},
		{"decomposed", "mu\u0308ller@example.com", "m\u00fcller@example.com"},
		{"decomposed upper case", "MU\u0308LLER@example.com", "m\u00fcller@example.com"},
		{"empty", " ", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := NormEmail(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNormEmailOnceIsEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		if once := NormEmail(s); NormEmail(once) != once {
			t.Fatalf("%q becomes %q and then %q", s, once, NormEmail(once))
		}
	})
}

// Goal: the version names the content, nothing else.
// Method: any order of entries and any comment gives the same version; another
// entry gives another version.
func TestVersion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var centers, agents, owners []string
		for i := range rapid.IntRange(1, 6).Draw(t, "n") {
			mode := rapid.SampledFrom([]string{Chargeback, Showback}).Draw(t, "mode")
			centers = append(centers, fmt.Sprintf("{code: \"%05d\", department: D%d, mode: %s}", i, i%2, mode))
			agents = append(agents, fmt.Sprintf("{id: a, kind: owned, owner: \"%05d\", from: 2026-%02d-01, to: 2026-%02d-01}", i, i+1, i+2))
			owners = append(owners, fmt.Sprintf("{team: t%d, cost_center: \"00000\"}", i))
			owners = append(owners, fmt.Sprintf("{caller: \"%s*\", cost_center: \"00000\"}", strings.Repeat("x", i)))
		}
		text := func(separator string, r *rand.Rand, lists ...[]string) []byte {
			var out strings.Builder
			for i, key := range []string{"cost_centers", "agents", "owners"} {
				list := slices.Clone(lists[i])
				r.Shuffle(len(list), func(a, b int) { list[a], list[b] = list[b], list[a] })
				out.WriteString(key + ":\n  - " + strings.Join(list, separator+"\n  - ") + "\n")
			}
			return []byte(out.String())
		}
		shuffle := rand.New(rand.NewSource(rapid.Int64().Draw(t, "seed")))
		version := func(separator string, lists ...[]string) string {
			d, err := Parse("d.yaml", text(separator, shuffle, lists...))
			if err != nil {
				t.Fatal(err)
			}
			return d.Version()
		}
		first := version("", centers, agents, owners)
		if again := version(" # comment\n", centers, agents, owners); again != first || len(first) != 12 {
			t.Fatalf("versions %s and %s", first, again)
		}
		more := append(slices.Clone(owners), `{project: p, cost_center: "00000"}`)
		if other := version("", centers, agents, more); other == first {
			t.Fatalf("version %s stays with one more owner", first)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("cost_centers: [{code: 00420}]\nagents: [{owner: *x}]\nowners: [{caller: '**'}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse("f.yaml", data)
		if err != nil {
			if !regexp.MustCompile(`^f\.yaml:[0-9]+: `).MatchString(err.Error()) {
				t.Errorf("error doesn't say where: %v", err)
			}
			return
		}
		for _, o := range d.owners {
			if _, ok := d.CostCenter(o.CostCenter); !ok || len(d.OwnersOf(o.Kind, o.Pattern)) == 0 {
				t.Errorf("owner %+v", o)
			}
		}
		agents := d.Agents()
		for i, a := range agents {
			if !a.From.Before(a.To) || i > 0 && agents[i-1].ID == a.ID && a.From.Before(agents[i-1].To) {
				t.Errorf("agents %+v", agents)
			}
		}
	})
}

// diff compares all but the lines of entries.
func diff(want, got any) string {
	return cmp.Diff(want, got, cmpopts.IgnoreFields(CostCenter{}, "Line"), cmpopts.IgnoreFields(Agent{}, "Line"), cmpopts.IgnoreFields(Owner{}, "Line"), cmpopts.IgnoreFields(Alias{}, "Line"))
}

func TestEntriesKnowTheirLines(t *testing.T) {
	d := parse(t, "cost_centers:\n  - {code: CC-1, department: D}\n  - {code: CC-2, department: D}\nagents:\n  - {id: a, kind: owned, owner: CC-2}\nowners:\n  - {team: t, cost_center: CC-1}\n")
	center, _ := d.CostCenter("CC-2")
	if got := []int{center.Line, d.Agents()[0].Line, d.OwnersOf(Team, "t")[0].Line}; !slices.Equal(got, []int{3, 5, 7}) {
		t.Errorf("lines %v, want 3, 5, 7", got)
	}
}

// Goal: patterns fit teams, keys and projects as they fit callers, and the most
// specific one goes first, the name itself before all.
func TestOwnersByPattern(t *testing.T) {
	for _, kind := range []string{Team, Key, Project, Caller} {
		t.Run(kind, func(t *testing.T) {
			d := parse(t, strings.ReplaceAll(`cost_centers: [{code: A, department: D}, {code: B, department: D}, {code: C, department: D}, {code: E, department: D}, {code: F, department: D}]
owners:
  - {KIND: "*", cost_center: A}
  - {KIND: "ml-*", cost_center: B}
  - {KIND: "*-prod", cost_center: C}
  - {KIND: "ml-prod*", cost_center: E}
  - {KIND: ml-prod, cost_center: F, from: 2026-10-01}
`, "KIND", kind))
			for value, want := range map[string]string{"ml-prod": "FECBA", "ml-prod-2": "EBA", "ml-test": "BA", "web-prod": "CA", "x": "A", "": ""} {
				got := ""
				for _, o := range d.OwnersOf(kind, value) {
					got += o.CostCenter
				}
				if got != want {
					t.Errorf("%q has owners %s, want %s", value, got, want)
				}
			}
		})
	}
}

func TestCallerUser(t *testing.T) {
	tests := []struct{ name, caller, want string }{
		{"single sign-on", "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/Jane.Smith@Example.com", "jane.smith@example.com"},
		{"a name that is no address", "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/JSmith", "JSmith"},
		{"another role", "arn:aws:sts::111122223333:assumed-role/gateway/jane.smith@example.com", ""},
		{"a user", "arn:aws:iam::111122223333:user/AWSReservedSSO_Dev_0/jane", ""},
		{"without a session", "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Dev_0123456789abcdef", ""},
		{"with an empty one", "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := CallerUser(tt.caller); got != tt.want || ok != (tt.want != "") {
				t.Errorf("got %q, %v, want %q", got, ok, tt.want)
			}
		})
	}
}

// Goal: each day of a name is one address's, also behind aliases of aliases.
func TestNames(t *testing.T) {
	d := parse(t, `cost_centers: [{code: A, department: D}]
aliases:
  - {alias: Old@Example.com, email: mid@example.com, from: 2026-01-01, to: 2026-07-01}
  - {alias: old@example.com, email: other@example.com, from: 2026-09-01}
  - {alias: mid@example.com, email: NEW@example.com, from: 2026-03-01}
  - {alias: new@example.com, email: mid@example.com, to: 2026-02-01}
  - {alias: Login-7, email: new@example.com}
`)
	tests := []struct{ name, of, want string }{
		{"no alias", "else@example.com", "0001-01-01 else@example.com"},
		{"dates, gaps and an alias of an alias", "old@example.com", "0001-01-01 old@example.com, 2026-01-01 mid@example.com, 2026-03-01 new@example.com, 2026-07-01 old@example.com, 2026-09-01 other@example.com"},
		{"a user's id keeps its case", "Login-7", "0001-01-01 mid@example.com, 2026-02-01 new@example.com"},
		{"another case is another id", "login-7", "0001-01-01 login-7"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			rows := d.Names(tt.of, civil.Min, civil.Max)
			for i, r := range rows {
				got = append(got, r.From.String()+" "+r.Email)
				if r.Name != tt.of || i > 0 && rows[i-1].To != r.From || i == len(rows)-1 && r.To != civil.Max {
					t.Errorf("row %d: %+v", i, r)
				}
			}
			if text := strings.Join(got, ", "); text != tt.want {
				t.Errorf("got  %s\nwant %s", text, tt.want)
			}
		})
	}
}
