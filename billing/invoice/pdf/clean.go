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
)

const (
	runeMax      = 0xFFFF // the PDF library fails on characters beyond it
	runeReplaced = '?'
)

// clean makes text that is safe to draw: composed letters, spaces for line
// breaks, tabs and every other kind of space, no control, bidirectional or
// invisible characters, and '?' for what the fonts cannot show. It says
// whether a visible character was lost.
func clean(s string) (text string, replaced bool, err error) {
	drawable, err := fontRunes()
	if err != nil {
		return "", false, err
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case r == unicode.ReplacementChar || r > runeMax:
			replaced = true
			return runeReplaced
		case unicode.IsSpace(r) || unicode.Is(unicode.Z, r):
			return ' '
		case unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r):
			return -1
		case unicode.Is(unicode.M, r): // a mark that has no composed letter
			replaced = true
			return -1
		case !drawable[r]:
			replaced = true
			return runeReplaced
		}
		return r
	}, norm.NFC.String(string([]rune(s)))) // by runes, because NFC leaves what stands behind a broken byte as it is
	return text, replaced, nil
}

// fontRunes is the set of characters that every font of the document has. It
// is computed once, because it takes longer than drawing a page.
var fontRunes = sync.OnceValues(func() (map[rune]bool, error) {
	drawable := map[rune]bool{}
	for i, data := range [][]byte{goregular.TTF, gobold.TTF} {
		font, err := sfnt.Parse(data)
		if err != nil {
			return nil, fmt.Errorf("read font %d: %w", i, err)
		}
		var buffer sfnt.Buffer
		for r := rune(0); r <= runeMax; r++ {
			glyph, err := font.GlyphIndex(&buffer, r)
			if err != nil {
				return nil, fmt.Errorf("read font %d, character %U: %w", i, r, err)
			}
			drawable[r] = glyph != 0 && (i == 0 || drawable[r])
		}
	}
	return drawable, nil
})
