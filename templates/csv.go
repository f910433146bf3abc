package templates

import (
	"strings"
	"unicode"
)

// CSVText makes s safe as a text cell of a CSV file. A spreadsheet runs a cell
// that begins with = + - or @ as a formula, also behind spaces and invisible
// characters that it drops; such a cell gets a leading apostrophe, and so does
// one that begins with a tab or a line break. Control characters become
// spaces, so that a cell stays on one line. Every other text is left as it is.
//
// It is for text only: a number that went through it would no longer be one.
func CSVText(s string) string {
	oneLine := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if startsFormula(s) {
		return "'" + oneLine
	}
	return oneLine
}

// startsFormula says whether a spreadsheet might take s for a formula.
func startsFormula(s string) bool {
	if s != "" && strings.ContainsRune("\t\r\n", rune(s[0])) {
		return true
	}
	for _, r := range s {
		if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			continue
		}
		return strings.ContainsRune("=+-@＝＋－＠", r)
	}
	return false
}
