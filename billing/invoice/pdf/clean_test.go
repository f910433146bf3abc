package pdf

import (
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, row := range []struct {
		name, in, want string
		plain          bool
	}{
		{"plain", "Support Bot (v2) – 5 €", "Support Bot (v2) – 5 €", true},
		{"european", "Žižkov Ωμέγα Поддержка ß", "Žižkov Ωμέγα Поддержка ß", true},
		{"composed", "Ame\u0301lie", "Amélie", true},
		{"mark without a letter of its own", "x\u0302", "x\u0302", false},
		{"spaces", "a\u00a0b\u2009c\u202fd\u3000e", "a b c d e", true},
		{"line breaks and tabs", "a\r\nb\tc", "a  b c", true},
		{"controls", "a\x00b\x1b[31mc\u0085", "ab[31mc ", true},
		{"what turns text around", "abc\u202Egpj.exe\u2066", "abcgpj.exe", true},
		{"what keeps directions apart", "a\u2068b\u2069c\u200Ed\u200F", "a\u2068b\u2069c\u200Ed\u200F", false},
		{"what joins letters", "می\u200Cخواهم क\u094D\u200Dष", "می\u200Cخواهم क\u094D\u200Dष", false},
		{"invisible", "a\u200Bb\u00ADc\uFEFFd", "abcd", true},
		{"cjk", "東京 Tokyo", "東京 Tokyo", false},
		{"beyond the plane", "bot 🤖𝔘", "bot 🤖𝔘", false},
		{"private use", "a\uE000b", "a\uE000b", false},
		{"not UTF-8", "a\xff\xfeb", "a\uFFFD\uFFFDb", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := clean(row.in)
			if got != row.want || plain(got) != row.plain {
				t.Errorf("clean(%q) = %q, plain %t; want %q, %t", row.in, got, plain(got), row.want, row.plain)
			}
		})
	}
}

// FuzzClean: what comes out is text that can be set, stays as it is when
// cleaned again, and is plain only where the built-in font has all of it.
func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "abc", "\U0001F916", "\u202E\u0301e\u0301", "\xff", "\xf3\u037e", "\\()\r", "한글", "k\x04\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := clean(s)
		if !utf8.ValidString(got) {
			t.Errorf("clean(%q) = %q is not UTF-8", s, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || r != ' ' && unicode.IsSpace(r) || r > runeMax && builtIn(r) {
				t.Errorf("clean(%q) = %q holds %U", s, got, r)
			}
		}
		if again := clean(got); again != got {
			t.Errorf("clean of %q changes again to %q", got, again)
		}
	})
}
