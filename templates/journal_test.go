package templates

import (
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"
)

func TestJournalMemo(t *testing.T) {
	long := "CB-2026-10-" + strings.Repeat("ABCDEFGHIJ", 5) + "-72305290-r0"
	for _, row := range []struct{ name, month, number, of, want string }{
		{"short", "2026-10", "CB-2026-10-00420-r0", "Support", "AI usage 2026-10 CB-2026-10-00420-r0 Support"},
		{"without a name", "2026-10", "CB-2026-10-00420-r0", "", "AI usage 2026-10 CB-2026-10-00420-r0"},
		{"without a number", "2026-10", "", "Support", "AI usage 2026-10 Support"},
		{"name is cut", "2026-10", "CB-2026-10-00420-r0", "Customer Support", "AI usage 2026-10 CB-2026-10-00420-r0 Customer Supp"},
		{"no blank at the cut", "2026-10", "CB-2026-10-00420-r0", "Operations X & Y", "AI usage 2026-10 CB-2026-10-00420-r0 Operations X"},
		{"accent goes with its letter", "2026-10", "CB-2026-10-00420-r0", "abcdefghijkle\u0301f", "AI usage 2026-10 CB-2026-10-00420-r0 abcdefghijkl"},
		{"two units for one character", "2026-10", "CB-2026-10-00420-r0", "abcdefghijkl𝔘", "AI usage 2026-10 CB-2026-10-00420-r0 abcdefghijkl"},
		{"line break", "2026-10", "CB-2026-10-00420-r0", "a\nb", "AI usage 2026-10 CB-2026-10-00420-r0 a b"},
		{"number is too long", "2026-10", long, "Support", "AI usage 2026-10 CB-2026-10-ABCDE..HIJ-72305290-r0"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := JournalMemo(JournalUsage(), row.month, row.number, row.of); got != row.want {
				t.Errorf("got  %q\nwant %q", got, row.want)
			}
		})
	}
}

// Goal: no memo is longer than systems take, and its month and the ends of its
// number can be read.
func TestJournalMemoIsShort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		what := rapid.SampledFrom([]string{JournalUsage(), JournalShared(), JournalCorrection()}).Draw(t, "what")
		number := rapid.StringMatching(`CB-2026-10-[A-Z0-9]{1,60}(-[0-9a-f]{8})?-r0`).Draw(t, "number")
		memo := JournalMemo(what, "2026-10", number, rapid.String().Draw(t, "name"))
		if n := len(utf16.Encode([]rune(memo))); n > memoUnitsMax {
			t.Errorf("%q has %d characters", memo, n)
		}
		if !strings.HasPrefix(memo, what+" 2026-10 CB-2026-10-") || !strings.Contains(memo, "-r0") {
			t.Errorf("%q lacks its month or number", memo)
		}
	})
}
