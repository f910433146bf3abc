package templates

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files of this package anew")

// views are the alerts that the golden files show.
func views() map[string]AlertView {
	base := AlertView{
		Kind: "actual", Budget: "support-october", ScopeKind: "department", Scope: "Support",
		Month: "2026-10", MonthName: "October 2026", AsOf: "2026-10-17", DayOf: "day 17 of 31",
		Spent: "$984.00", Amount: "$1,200.00", Percent: "82%",
		Left: "$216.00", DaysLeft: "14 days", LeftPerDay: "$15.42", SpentPerDay: "$57.88",
		MonthEnd: "$1,794.35", MonthEndPercent: "149%",
		Crossed: []string{"80%"},
		Drivers: []AlertDriver{{"Support Bot (support-bot)", "$700.00"}, {"Triage", "$84.00"}},
		Held:    "17", Channel: "#support-ai-costs",
	}
	over := base
	over.AsOf, over.DayOf = "2026-10-31", "day 31 of 31"
	over.Spent, over.Percent, over.Left, over.Over = "$1,440.00", "120%", "", "$240.00"
	over.DaysLeft, over.LeftPerDay, over.SpentPerDay, over.MonthEnd, over.MonthEndPercent = "", "", "", "", ""
	over.Crossed = []string{"50%", "80%", "100%"}
	over.Held, over.HeldOne = "1", true
	forecast := base
	forecast.Kind, forecast.Crossed, forecast.Held = "forecast", []string{"100%"}, ""
	correction := base
	correction.Kind, correction.Crossed = "correction", []string{"80%", "100%"}
	correction.Spent, correction.Percent, correction.Held = "$900.00", "75%", ""
	correction.TakenBack = []AlertTakenBack{{"$1,200.00", []string{"80%", "100%"}}}
	raised := base
	raised.TakenBack, raised.Heading, raised.Held = []AlertTakenBack{{"$300.00", []string{"100%"}}, {"$1,200.00", []string{"90%"}}}, true, ""
	early := base
	early.MonthEnd, early.DayOf, early.AsOf, early.Again = "", "day 2 of 31", "2026-10-02", true
	company := base
	company.ScopeKind, company.Scope, company.Budget = ScopeCompany, "Example Inc.", "company"
	unallocated := over
	unallocated.ScopeKind, unallocated.Scope, unallocated.Budget = ScopeUnallocated, "UNALLOCATED", "nobody"
	hostile := base
	hostile.ScopeKind, hostile.Budget = "cost centre", "`rm -rf` <https://example.com|click>"
	hostile.Scope = "R&D *bold* _it_ ~no~ <!channel> <@U012AB3CD>\n> quoted (00420)"
	hostile.Drivers = []AlertDriver{
		{"support_bot_v2", "$500.00"}, {"事務センター・カスタマーサポート自動応答エージェント第二号", "$1.00"},
		{strings.Repeat("long-", 40), "$1.00"}, {"\x1b[31mred\x07", "$1.00"}, {"", "$1.00"}, {"six", "$1.00"}, {"seven", "$1.00"},
	}
	return map[string]AlertView{
		"actual": base, "over": over, "forecast": forecast, "correction": correction, "hostile": hostile,
		"raised": raised, "early": early, "company": company, "unallocated": unallocated,
	}
}

func (s SlackText) golden() string {
	return "header:   " + s.Header + "\n\n" + strings.Join(s.Sections, "\n\n") + "\n\ncontext:  " + s.Context + "\n\nfallback: " + s.Fallback + "\n"
}

func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestAlertTexts(t *testing.T) {
	for name, view := range views() {
		t.Run(name, func(t *testing.T) {
			checkGolden(t, "alert-"+name+".slack.txt", SlackAlert(view).golden())
			checkGolden(t, "alert-"+name+".console.txt", ConsoleAlert(view, 72))
		})
	}
	t.Run("narrow", func(t *testing.T) {
		checkGolden(t, "alert-hostile.narrow.txt", ConsoleAlert(views()["hostile"], 40))
	})
}

func TestAlertTitles(t *testing.T) {
	for _, test := range []struct {
		name string
		view AlertView
		want string
	}{
		{"under way", AlertView{Kind: "actual", Percent: "50%", Left: "$1.00"}, "Budget 50% used: (unnamed), "},
		{"exactly used up", AlertView{Kind: "actual", Percent: "100%"}, "Budget used up: (unnamed), "},
		{"over", AlertView{Kind: "actual", Percent: "100%", Over: "less than $0.01"}, "Over budget: (unnamed), "},
		{"forecast", AlertView{Kind: "forecast", Left: "$1.00"}, "Heading over budget: (unnamed), "},
		{"correction", AlertView{Kind: "correction", Crossed: []string{"80%", "100%"}}, "Correction: back below 80%: (unnamed), "},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := SlackAlert(test.view).Header; got != test.want {
				t.Errorf("header = %q, want %q", got, test.want)
			}
		})
	}
}

func TestAlertSentences(t *testing.T) {
	for _, test := range []struct {
		name string
		view AlertView
		want string
	}{
		{"one request is held", AlertView{Held: "1", HeldOne: true}, "1 request is held and not in these figures yet."},
		{"exactly used up", AlertView{Percent: "100%"}, "Nothing is left."},
		{"next to nothing", AlertView{Left: "less than $0.01"}, "Less than $0.01 is left."},
		{"next to nothing for some days", AlertView{Left: "less than $0.01", DaysLeft: "2 days", LeftPerDay: "less than $0.01", SpentPerDay: "$9.00"}, "Less than $0.01 is left for 2 days, less than $0.01 a day; so far it was $9.00 a day."},
		{"the month is over", AlertView{Left: "$1.00"}, "$1.00 is left."},
		{"a budget of zero", AlertView{Spent: "$3.00", Amount: "$0.00", Over: "$3.00"}, "budget for . That crosses"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := SlackAlert(test.view).golden(); !strings.Contains(got, test.want) {
				t.Errorf("%q is not in:\n%s", test.want, got)
			}
		})
	}
}

func TestSlackEscape(t *testing.T) {
	for _, test := range []struct{ name, data, want string }{
		{"plain", "Customer Support (00420)", "Customer Support (00420)"},
		{"entities", "R&D <b> a>b", "R&amp;D &lt;b&gt; a&gt;b"},
		{"an entity stays what it was", "&amp;", "&amp;amp;"},
		{"channel mention", "<!channel> <!here>", "&lt;!channel&gt; &lt;!here&gt;"},
		{"user mention and link", "<@U012AB3CD> <https://example.com|x>", "&lt;@U012AB3CD&gt; &lt;https://example.com|x&gt;"},
		{"bold", "*loud*", "∗loud∗"},
		{"italic and struck out", "_it_ ~no~", "ˍitˍ ∼no∼"},
		{"ids keep their underscores", "support_bot_v2 2*3 a~b", "support_bot_v2 2*3 a~b"},
		{"two underscores in a row", "a__b", "aˍˍb"},
		{"backticks everywhere", "a`b `c`", "aˋb ˋcˋ"},
		{"lines become one", " a\n> b\r\n\tc ", "a &gt; b c"},
		{"terminal escape", "\x1b[31mred", "[31mred"},
		{"text direction", "a\u202etxt.exe", "atxt.exe"},
		{"not UTF-8", "a\xffb", "a\ufffdb"},
		{"empty", " \x00 ", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := SlackEscape(test.data); got != test.want {
				t.Errorf("SlackEscape(%q) = %q, want %q", test.data, got, test.want)
			}
		})
	}
}

func TestTruncate(t *testing.T) {
	for _, test := range []struct {
		name string
		s    string
		max  int
		want string
	}{
		{"short enough", "abc", 3, "abc"},
		{"one too long", "abcd", 3, "ab…"},
		{"a rune is never halved", "äöü", 2, "ä…"},
		{"a surrogate pair counts two", "a😀b", 3, "a…"},
		{"a surrogate pair that fits", "a😀", 3, "a😀"},
		{"an entity is never halved", "ab&amp;c", 6, "ab…"},
		{"a whole entity stays", "ab&amp;cd", 8, "ab&amp;…"},
		{"room for the mark alone", "abc", 1, "…"},
		{"no room", "abc", 0, ""},
		{"empty", "", 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Truncate(test.s, test.max); got != test.want {
				t.Errorf("Truncate(%q, %d) = %q, want %q", test.s, test.max, got, test.want)
			}
		})
	}
}

var (
	strayAmpersand  = regexp.MustCompile(`&(amp;|lt;|gt;)?`)
	strayUnderscore = regexp.MustCompile(`(^|[^\pL\p{Nd}])[_*~]|[_*~]($|[^\pL\p{Nd}])`)
)

// checkEscaped fails where s holds anything that Slack would act on.
func checkEscaped(t testing.TB, s string) {
	t.Helper()
	for _, match := range strayAmpersand.FindAllString(s, -1) {
		if match == "&" {
			t.Fatalf("bare ampersand in %q", s)
		}
	}
	if strings.ContainsAny(s, "<>`\n\r\x00\x1b") || strayUnderscore.MatchString(s) || !utf8.ValidString(s) {
		t.Fatalf("markup left in %q", s)
	}
}

func FuzzSlackEscape(f *testing.F) {
	for _, seed := range []string{"", "R&D", "<!channel>", "*a* _b_ ~c~ `d`", "a_b", "a\xff\n\u202eb", "😀_é_x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		escaped := SlackEscape(data)
		checkEscaped(t, escaped)
		if again := SlackEscape(data); again != escaped {
			t.Fatalf("%q escapes to %q and to %q", data, escaped, again)
		}
		back := strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "∗", "*", "ˍ", "_", "∼", "~", "ˋ", "`").Replace(escaped)
		same := strings.NewReplacer("∗", "*", "ˍ", "_", "∼", "~", "ˋ", "`").Replace(CleanLine(data))
		if back != same {
			t.Fatalf("%q reads as %q", data, back)
		}
		if clean := CleanLine(data); CleanLine(clean) != clean || strings.IndexFunc(clean, unicode.IsControl) >= 0 {
			t.Fatalf("CleanLine(%q) = %q is not clean", data, clean)
		}
	})
}

func FuzzTruncate(f *testing.F) {
	f.Add("abc", 2)
	f.Add("a&amp;b&lt;c", 5)
	f.Add("😀😀", 3)
	f.Fuzz(func(t *testing.T, data string, limit int) {
		limit = int(uint(limit) % 4096)
		clean := strings.ToValidUTF8(data, "?")
		for _, s := range []string{clean, SlackEscape(clean)} {
			cut := Truncate(s, limit)
			if n := len(utf16.Encode([]rune(cut))); n > limit {
				t.Fatalf("Truncate(%q, %d) has %d characters", s, limit, n)
			}
			kept := strings.TrimSuffix(cut, "…")
			if cut != s && !strings.HasPrefix(s, kept) || !utf8.ValidString(cut) {
				t.Fatalf("Truncate(%q, %d) = %q", s, limit, cut)
			}
		}
		for _, match := range strayAmpersand.FindAllString(Truncate(SlackEscape(clean), limit), -1) {
			if match == "&" {
				t.Fatalf("half an entity in %q", Truncate(SlackEscape(clean), limit))
			}
		}
	})
}

// Goal: no name, however long or hostile, breaks a limit of Slack or a line
// of the console.
// Method: draw every field freely, then measure.
func TestAlertLimits(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching("[<>&*_`~]{0,500}"), rapid.StringN(0, 300, -1))
	rapid.Check(t, func(t *rapid.T) {
		view := AlertView{
			Kind:   rapid.SampledFrom([]string{"actual", "forecast", "correction"}).Draw(t, "kind"),
			Budget: text.Draw(t, "budget"), ScopeKind: "department", Scope: text.Draw(t, "scope"),
			Month: "2026-10", MonthName: "October 2026", AsOf: "2026-10-31", DayOf: "day 31 of 31",
			Spent: text.Draw(t, "spent"), Amount: "$5.00", Over: "$1.00", Held: "3",
			Crossed:   rapid.SliceOfN(rapid.Just("80%"), 1, 5).Draw(t, "crossed"),
			TakenBack: rapid.SliceOfN(rapid.Just(AlertTakenBack{"$5.00", []string{"50%", "80%"}}), 0, 9).Draw(t, "taken back"), Channel: text.Draw(t, "channel"),
		}
		for range rapid.IntRange(0, 8).Draw(t, "drivers") {
			view.Drivers = append(view.Drivers, AlertDriver{Label: text.Draw(t, "label"), Spent: text.Draw(t, "amount")})
		}
		s := SlackAlert(view)
		total := units(s.Header) + units(s.Context)
		for _, section := range s.Sections {
			if n := units(section); n == 0 || n > SlackSectionMax {
				t.Fatalf("section of %d characters", n)
			}
			total += units(section)
		}
		if n := units(s.Header); n == 0 || n > SlackHeaderMax || units(s.Fallback) > SlackTextMax || total > 12000 {
			t.Fatalf("header %d, fallback %d, all blocks %d characters", n, units(s.Fallback), total)
		}
		columns := rapid.IntRange(0, 100).Draw(t, "columns")
		for _, line := range strings.Split(ConsoleAlert(view, columns), "\n") {
			if cells(line) > max(columns, 40) && columns != 0 && !strings.HasPrefix(line, "    chargeback ") {
				t.Fatalf("line of %d cells at %d columns: %q", cells(line), columns, line)
			}
			if strings.IndexFunc(line, unicode.IsControl) >= 0 || strings.HasSuffix(line, " ") {
				t.Fatalf("line %q", line)
			}
		}
	})
}

func units(s string) int { return len(utf16.Encode([]rune(s))) }
