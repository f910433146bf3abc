package pdf

import (
	"fmt"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"

	"chargeback/billing/invoice/pdf/typeset"
)

const runeMax = 0xFFFF // the PDF library fails on characters beyond it

// Characters that are not seen and say in which order others are read. A name
// can't turn the text around it with them: they have no effect beyond an
// isolate or a neighbour.
const (
	markLTR      = '\u200E'
	markRTL      = '\u200F'
	isolateBegin = '\u2068'
	isolateEnd   = '\u2069'
	nonJoiner    = '\u200C'
	joiner       = '\u200D'
)

// clean makes text that can be set: composed letters, spaces for line breaks,
// tabs and every other kind of space, and no control or invisible characters
// but those by which letters join and directions are kept apart.
func clean(s string) string {
	if plain(s) {
		return s
	}
	return norm.NFC.String(strings.Map(func(r rune) rune { // what stands on both sides of a character that goes may be one letter
		switch {
		case unicode.IsSpace(r) || unicode.Is(unicode.Z, r):
			return ' '
		case r == markLTR || r == markRTL || r == isolateBegin || r == isolateEnd || r == nonJoiner || r == joiner:
			return r
		case unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, s))
}

// plain says whether the built-in font draws all of s, from left to right.
func plain(s string) bool {
	for _, r := range s {
		if !builtIn(r) {
			return false
		}
	}
	return true
}

// isolated lets a name that is read from the right keep its place in text that
// is not: neither turns figures or punctuation of the other around.
func isolated(name string) string {
	if !strings.ContainsFunc(name, func(r rune) bool { rtl, _ := typeset.RightToLeft(string(r)); return rtl }) {
		return name
	}
	return string(isolateBegin) + name + string(isolateEnd)
}

// builtIn says whether the built-in font has a character, in both weights.
func builtIn(r rune) bool {
	if ' ' <= r && r <= '~' {
		return true
	}
	runes := fontRunes()
	return r >= 0 && r != unicode.ReplacementChar && // which also stands for bytes that are no text
		int(r) < len(runes) && runes[r]
}

// fontRunes is the set of characters that both built-in fonts have. It is
// computed once, because it takes longer than drawing a page.
var fontRunes = sync.OnceValue(func() []bool {
	drawable := make([]bool, runeMax+1)
	for i, data := range [][]byte{goregular.TTF, gobold.TTF} {
		font, err := sfnt.Parse(data)
		if err != nil {
			panic(fmt.Sprintf("built-in font %d: %v", i, err))
		}
		var buffer sfnt.Buffer
		for r := range drawable {
			glyph, err := font.GlyphIndex(&buffer, rune(r))
			if err != nil {
				panic(fmt.Sprintf("built-in font %d, character %U: %v", i, r, err))
			}
			drawable[r] = glyph != 0 && (i == 0 || drawable[r]) && !unicode.Is(unicode.M, rune(r)) && unicode.IsGraphic(rune(r)) && (r == ' ' || !unicode.IsSpace(rune(r)))
		}
	}
	return drawable
})
