package templates

import (
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// dataUnitsMax is how much of one piece of data a message shows. Longer names
// are cut with "…", which keeps every message far below Slack's limits.
const dataUnitsMax = 80

// CleanLine makes data fit for one line of text: valid UTF-8, each run of
// white space and control characters one space, none at the ends, and no
// invisible characters that reorder or hide what follows.
func CleanLine(s string) string {
	visible := strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Bidi_Control, r), r == '\u200b', r == '\u2060', r == '\ufeff':
			return -1
		case unicode.IsControl(r), unicode.IsSpace(r):
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
	return strings.Join(strings.Fields(visible), " ")
}

// Truncate cuts s to at most unitsMax characters as Slack and browsers count
// them (UTF-16 units), on a rune boundary and with "…" as the last one where
// something was cut. It never leaves half of an entity such as "&amp;".
func Truncate(s string, unitsMax int) string {
	units, keep := 0, 0
	for i, r := range s {
		if units < unitsMax { // s[:i] leaves room for the mark
			keep = i
		}
		units += utf16.RuneLen(r)
		if units > unitsMax {
			return endBeforeEntity(s[:keep]) + ellipsis(unitsMax)
		}
	}
	return s
}

// ellipsis is the mark of a cut, where there is room for one.
func ellipsis(unitsMax int) string {
	if unitsMax < 1 {
		return ""
	}
	return "…"
}

// endBeforeEntity drops an entity whose end was cut off.
func endBeforeEntity(s string) string {
	const entityBytesMax = len("&amp;")
	start := strings.LastIndexByte(s, '&')
	if start >= 0 && len(s)-start < entityBytesMax && !strings.Contains(s[start:], ";") {
		return s[:start]
	}
	return s
}
