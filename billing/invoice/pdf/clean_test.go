package pdf

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, row := range []struct {
		name, in, want string
		replaced       bool
	}{
		{"plain", "Support Bot (v2) – 5 €", "Support Bot (v2) – 5 €", false},
		{"european", "Žižkov Ωμέγα Поддержка ß", "Žižkov Ωμέγα Поддержка ß", false},
		{"composed", "Ame\u0301lie", "Amélie", false},
		{"mark without a letter of its own", "x\u0302", "x", true},
		{"spaces", "a\u00a0b\u2009c\u202fd\u3000e", "a b c d e", false},
		{"line breaks and tabs", "a\r\nb\tc", "a  b c", false},
		{"controls", "a\x00b\x1b[31mc\u0085", "ab[31mc ", false},
		{"bidirectional", "abc\u202Egpj.exe\u2066", "abcgpj.exe", false},
		{"invisible", "a\u200Bb\u00ADc\uFEFFd", "abcd", false},
		{"cjk", "東京 Tokyo", "?? Tokyo", true},
		{"beyond the plane", "bot 🤖𝔘", "bot ??", true},
		{"private use", "a\uE000b", "a?b", true},
		{"not UTF-8", "a\xff\xfeb", "a??b", true},
		{"last of the plane", "\uFFFF\uFFFE", "??", true},
		{"replacement character", "\uFFFD", "?", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, replaced, err := clean(row.in)
			if err != nil {
				t.Fatal(err)
			}
			if got != row.want || replaced != row.replaced {
				t.Errorf("clean(%q) = %q, %t; want %q, %t", row.in, got, replaced, row.want, row.replaced)
			}
		})
	}
}

// FuzzClean: every character that comes out is in the fonts, the result stays
// as it is when cleaned again, and a lost character is said.
func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "abc", "\U0001F916", "\u202E\u0301e\u0301", "\xff", "\xf3\u037e", "\\()\r", "한글"} {
		f.Add(s)
	}
	drawable, err := fontRunes()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, replaced, err := clean(s)
		if err != nil {
			t.Fatal(err)
		}
		if !utf8.ValidString(got) {
			t.Errorf("clean(%q) = %q is not UTF-8", s, got)
		}
		for _, r := range got {
			if r > runeMax || !drawable[r] || unicode.IsControl(r) {
				t.Errorf("clean(%q) = %q holds %U", s, got, r)
			}
		}
		if again, _, _ := clean(got); again != got {
			t.Errorf("clean of %q changes again to %q", got, again)
		}
		if lost := strings.Count(got, "?") > strings.Count(s, "?"); lost && !replaced {
			t.Errorf("clean(%q) = %q does not say that it lost a character", s, got)
		}
	})
}
