package invoice

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNumber(t *testing.T) {
	for _, row := range []struct {
		name, code string
		revision   int
		want       string
	}{
		{"hyphenated", "CC-1234", 0, "CB-2026-10-CC1234-r0"},
		{"digits keep their zeros", "00420", 0, "CB-2026-10-00420-r0"},
		{"capitals", "UNALLOCATED", 0, "CB-2026-10-UNALLOCATED-r0"},
		{"mixture that has no hyphenated twin", "4711A", 0, "CB-2026-10-4711A-r0"},
		{"revision", "CC-1234", 2, "CB-2026-10-CC1234-r2"},
		{"without the hyphen", "CC1234", 0, "CB-2026-10-CC1234-72305290-r0"},
		{"small letters", "cc-1234", 0, "CB-2026-10-CC1234-a69d1c25-r0"},
		{"space", "CC 1234", 0, "CB-2026-10-CC1234-3ab748c6-r0"},
		{"path", "../CC-1234", 0, "CB-2026-10-CC1234-5b7577fe-r0"},
		{"no letter and no digit", "東京", 0, "CB-2026-10-X-130016b2-r0"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := Number("2026-10", row.code, row.revision); got != row.want {
				t.Errorf("Number(%q) = %s, want %s", row.code, got, row.want)
			}
			want := "SB" + strings.TrimPrefix(row.want, "CB")
			if got := StatementNumber("2026-10", row.code, row.revision); got != want {
				t.Errorf("StatementNumber(%q) = %s, want %s", row.code, got, want)
			}
		})
	}
}

// Goal: two cost centres never share a number, and a number is safe as a name.
// Method: codes of few characters, so that many collapse to the same text;
// compared without regard to case, as some file systems do.
func TestNumbersDiffer(t *testing.T) {
	safe := regexp.MustCompile(`^CB-2026-10-[A-Z0-9]+(-[0-9a-f]{8})?-r0$`)
	code := rapid.OneOf(rapid.StringMatching(`[Cc12 _-]{1,5}`), rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		a, b := code.Draw(t, "a"), code.Draw(t, "b")
		numberA, numberB := Number("2026-10", a, 0), Number("2026-10", b, 0)
		if a != b && strings.EqualFold(numberA, numberB) {
			t.Errorf("%q and %q share %s", a, b, numberA)
		}
		if !safe.MatchString(numberA) {
			t.Errorf("%q gives %q", a, numberA)
		}
	})
}
