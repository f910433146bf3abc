package templates

import (
	"strings"
	"unicode"
	"unicode/utf16"
)

// memoUnitsMax is how long the text of a journal line may be: SAP's item text
// has 50 characters, and others cut there too.
const memoUnitsMax = 50

// JournalUsage says that a journal line books the usage of the month.
func JournalUsage() string { return "AI usage" }

// JournalShared is JournalUsage for shared costs.
func JournalShared() string { return "AI shared costs" }

// JournalCorrection is JournalUsage for what corrects a closed month.
func JournalCorrection() string { return "AI correction" }

// JournalMemo is the text of a journal line: what it books, of which month and
// document, and as much of the cost centre's name as there is room for. Where not
// even the number has room, its middle is left out.
func JournalMemo(what, month, number, name string) string {
	memo := what + " " + month
	if number != "" {
		memo += " " + shorten(number, memoUnitsMax-len(memo)-1)
	}
	const least = 3 // letters of a name that are of use
	if room := memoUnitsMax - len(memo) - 1; room >= least {
		memo = strings.TrimSpace(memo + " " + cut(CleanLine(name), room))
	}
	return memo
}

// shorten leaves out the middle of an ASCII text that has no room.
func shorten(text string, room int) string {
	const gap = ".."
	if len(text) <= room {
		return text
	}
	tail := (room - len(gap)) / 2
	return text[:room-len(gap)-tail] + gap + text[len(text)-tail:]
}

// cut keeps what has room of text, in UTF-16 units, which are never fewer than
// characters. It leaves no letter without its accents and no joined sign in halves.
func cut(text string, room int) string {
	runes := []rune(text)
	units, keep := 0, 0
	for i, r := range runes {
		if i == 0 || !joins(runes[i-1], r) {
			keep = i
		}
		units += utf16.RuneLen(r)
		if units > room {
			return strings.TrimSpace(string(runes[:keep]))
		}
	}
	return text
}

// joins says that two characters are read as one.
func joins(before, r rune) bool {
	const joiner = '\u200d'
	flag := func(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }
	return unicode.Is(unicode.M, r) || r == joiner || before == joiner ||
		r >= 0x1F3FB && r <= 0x1F3FF || // shades of skin
		flag(before) && flag(r)
}
