package pdf

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"chargeback/billing/invoice/pdf/typeset"
	"chargeback/transform/money"
)

func TestWrap(t *testing.T) {
	c := newCanvas(&typeset.Set{}, false)
	st := small()
	for _, row := range []struct {
		name  string
		text  string
		w     length
		lines int
		want  []string
	}{
		{"empty", "", 20 * mm, 3, nil},
		{"only spaces", " \n ", 20 * mm, 3, nil},
		{"fits", "Support Bot", 20 * mm, 3, []string{"Support Bot"}},
		{"at a space", "Support Bot for all", 20 * mm, 3, []string{"Support Bot for", "all"}},
		{"behind punctuation", "anthropic.claude-sonnet-4", 20 * mm, 3, []string{"anthropic.claude-", "sonnet-4"}},
		{"inside a word", "incomprehensibilities", 20 * mm, 3, []string{"incomprehensibili", "ties"}},
		{"cut", "one two three four five six seven eight", 20 * mm, 2, []string{"one two three four", "five six seven e…"}},
		{"narrower than a letter", "abc", 1, 5, []string{"a", "b", "c"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, c.wrap(st, row.text, row.w, row.lines)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Goal: wrapping loses nothing but spaces, and every line fits.
func TestWrapKeepsText(t *testing.T) {
	c := newCanvas(&typeset.Set{}, false)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-zA-Z0-9 .:/_-]{0,200}`).Draw(t, "text")
		w := length(rapid.IntRange(int(5*mm), int(80*mm)).Draw(t, "width"))
		lines := c.wrap(body(), text, w, 1000)
		for _, l := range lines {
			if got := c.width(body(), l); got > w {
				t.Errorf("line %q is %d wide, more than %d", l, got, w)
			}
		}
		without := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if got := without(strings.Join(lines, "")); got != without(text) {
			t.Errorf("got %q from %q", got, text)
		}
	})
}

// Goal: our sum of character widths is the library's width of the text.
func TestWidthIsTheLibrarys(t *testing.T) {
	c := newCanvas(&typeset.Set{}, false)
	st := style{bold, 95, ink()}
	const text = "Total charge USD 1,234,567.89"
	c.use(st)
	want := c.pdf.GetStringWidth(text)
	if got := c.width(st, text).float(); got < want-0.01 || got > want+0.01 {
		t.Errorf("width is %v mm, the library's %v mm", got, want)
	}
}

func TestPercent(t *testing.T) {
	for _, row := range []struct {
		part, whole money.Cents
		want        string
	}{
		{0, 1, "0.0 %"},
		{1, 3, "33.3 %"},
		{2, 3, "66.7 %"},
		{3, 3, "100.0 %"},
		{-1, 3, ""},
	} {
		if got := percent(row.part, row.whole); got != row.want {
			t.Errorf("percent(%d, %d) = %q, want %q", row.part, row.whole, got, row.want)
		}
	}
}
