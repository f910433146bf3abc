package typeset

import (
	"strings"
	"testing"

	"github.com/go-text/typesetting/bidi"
	"pgregory.net/rapid"
)

// Goal: text of both directions stands in the order in which its readers read it.
// Method: capitals are Hebrew letters and & is Arabic, as in the algorithm's own
// examples; the result is what stands on the page from left to right.
func TestVisualOrder(t *testing.T) {
	for _, row := range []struct{ name, in, want string }{
		{"left", "abc 12", "abc 12"},
		{"right", "ABC DEF", "FED CBA"},
		{"name in English", "abc ABC DEF def", "abc FED CBA def"},
		{"English in a name", "ABC abc DEF", "FED abc CBA"},
		{"figures in a name", "ABC 2026-10 DEF", "FED 2026-10 CBA"},
		{"figures in a name in English", "abc ABC 12-13 DEF def", "abc FED 12-13 CBA def"},
		{"figures behind a name", "ABC 12, abc", "abc ,12 CBA"},
		{"English first, figures behind a name", "abc ABC 12", "abc 12 CBA"},
		{"brackets", "ABC (DEF) abc", "abc (FED) CBA"},
		{"brackets around English", "ABC (abc) DEF", "FED (abc) CBA"},
		{"brackets in English", "abc (ABC) 1", "abc (CBA) 1"},
		{"version", "ABC abc-4", "abc-4 CBA"},
		{"per cent", "ABC 50%", "50% CBA"},
		{"isolate", "abc [ABC 12], 2026-10", "abc 12 CBA, 2026-10"},
		{"isolate first", "[ABC 2026-10], abc 9", "2026-10 CBA, abc 9"},
		{"isolate of English", "ABC [abc 12], 13", "13 ,abc 12 CBA"},
		{"isolate without an end", "abc [ABC 12", "abc 12 CBA"},
		{"end without an isolate", "abc ABC 12] def", "abc 12 CBA def"},
		{"isolate in an isolate", "abc [ABC [abc 1] DEF] 2", "abc FED abc 1 CBA 2"},
		{"date in Arabic", "& 2026-10", "10-2026 &"}, // as the algorithm says: figures are Arabic there, a hyphen parts them
		{"blanks at the end", "ABC ", " CBA"},
	} {
		t.Run(row.name, func(t *testing.T) {
			text := []rune(strings.Map(func(r rune) rune {
				switch {
				case 'A' <= r && r <= 'Z':
					return 'א' + r - 'A'
				case r == '[':
					return '\u2068'
				case r == ']':
					return '\u2069'
				case r == '&':
					return 'ع'
				}
				return r
			}, row.in))
			if row.name == "blanks at the end" {
				if got := levels(text); got[len(got)-1] != 1 {
					t.Errorf("levels are %v", got)
				}
				return
			}
			items := make([]item, len(text))
			for i, level := range levels(text) {
				items[i].first = grapheme{start: i, level: level}
			}
			got := ""
			for _, it := range inOrder(items) {
				r := rune(row.in[it.first.start])
				if r == '[' || r == ']' {
					continue
				}
				if it.first.level%2 == 1 {
					r = map[rune]rune{'(': ')', ')': '('}[r]
					if r == 0 {
						r = rune(row.in[it.first.start])
					}
				}
				got += string(r)
			}
			if got != row.want {
				t.Errorf("got %q, want %q; levels %v", got, row.want, levels(text))
			}
		})
	}
}

// Goal: directions are those of the algorithm, whatever the text.
// Method: against another implementation, which tells directions only.
func TestLevelsHaveTheDirections(t *testing.T) {
	alphabet := []rune("abאבعغ01٣۴ ,.+-:%$(){}<>!\u05B0\u0301\u200E\u200F\u2066\u2067\u2068\u2069中ก\u200D")
	rapid.Check(t, func(t *rapid.T) {
		text := []rune(rapid.OneOf(
			rapid.StringOfN(rapid.RuneFrom(alphabet), 1, 40, -1),
			rapid.StringOfN(rapid.RuneFrom([]rune("aא1(),ع ")), 1, 20, -1),
			rapid.StringOfN(rapid.RuneFrom([]rune("aא()")), 3, 6, -1),
		).Draw(t, "text"))
		var p bidi.Paragraph
		runs := p.Segment(text, bidi.Neutral)
		got := levels(text)
		for i := range runs.NumRuns() {
			run := runs.Run(i)
			for j := run.Start; j < run.End; j++ {
				if skip := text[j] == '\u200D'; !skip && got[j]%2 != int(run.Level)%2 {
					t.Fatalf("%q: character %d (%U) has level %d, and direction of level %d", string(text), j, text[j], got[j], run.Level)
				}
			}
		}
	})
}
