package templates

import (
	"strings"
	"testing"
	"unicode"
)

func TestCSVText(t *testing.T) {
	for _, row := range []struct{ name, in, want string }{
		{"plain", "Support Bot", "Support Bot"},
		{"empty", "", ""},
		{"zeros stay", "00420", "00420"},
		{"formula", "=1+1", "'=1+1"},
		{"plus", "+49 30", "'+49 30"},
		{"minus", "-cmd", "'-cmd"},
		{"at", "@SUM(A1)", "'@SUM(A1)"},
		{"tab first", "\tx", "' x"},
		{"carriage return first", "\rx", "' x"},
		{"line feed first", "\n=x", "' =x"},
		{"behind spaces", "  =x", "'  =x"},
		{"behind a byte order mark", "\uFEFF=x", "'\uFEFF=x"},
		{"behind a null byte", "\x00=x", "' =x"},
		{"full width", "＝x", "'＝x"},
		{"sign inside", "a=b-c@d", "a=b-c@d"},
		{"line break inside", "a\r\nb", "a  b"},
		{"already safe", "'=x", "'=x"},
		{"other scripts", "東京 Ω", "東京 Ω"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := CSVText(row.in); got != row.want {
				t.Errorf("CSVText(%q) = %q, want %q", row.in, got, row.want)
			}
		})
	}
}

// FuzzCSVText: no output starts a formula or leaves its line, and nothing but
// control characters and the leading apostrophe differs from the input.
func FuzzCSVText(f *testing.F) {
	for _, s := range []string{"", "=1", " +x", "\t", "a\nb", "\xff=", "\u200b@x", "'='"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := CSVText(s)
		if startsFormula(got) {
			t.Errorf("CSVText(%q) = %q still starts a formula", s, got)
		}
		if strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("CSVText(%q) = %q holds a control character", s, got)
		}
		if again := CSVText(got); again != got {
			t.Errorf("CSVText of %q changes again to %q", got, again)
		}
		if grown := len([]rune(got)) - len([]rune(s)); grown != 0 && grown != 1 {
			t.Errorf("CSVText(%q) = %q has %d more characters", s, got, grown)
		}
	})
}
