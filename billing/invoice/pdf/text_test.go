package pdf

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf16"
)

// drawn is one text as an uncompressed file holds it.
type drawn struct {
	x, y string // points from the lower left corner
	text string
}

var (
	textOperator = regexp.MustCompile(`(?s)BT (-?[\d.]+) (-?[\d.]+) Td \(((?:\\.|[^\\()])*)\) Tj ET`)
	escaped      = regexp.MustCompile(`(?s)\\(.)`)
)

// pageTexts reads the texts of each page of an uncompressed file, in the order
// in which they were drawn.
func pageTexts(file []byte) [][]drawn {
	var pages [][]drawn
	for stream := range bytes.SplitSeq(file, []byte("endstream")) {
		var page []drawn
		for _, m := range textOperator.FindAllSubmatch(stream, -1) {
			page = append(page, drawn{string(m[1]), string(m[2]), decoded(m[3])})
		}
		if len(page) > 0 {
			pages = append(pages, page)
		}
	}
	return pages
}

func decoded(literal []byte) string {
	raw := escaped.ReplaceAllFunc(literal, func(pair []byte) []byte {
		if pair[1] == 'r' {
			return []byte{'\r'}
		}
		return pair[1:]
	})
	var units []uint16
	for i := 0; i+1 < len(raw); i += 2 {
		units = append(units, uint16(raw[i])<<8|uint16(raw[i+1]))
	}
	return string(utf16.Decode(units))
}

// plainText prints the texts of a file as a person would copy them: texts of
// the same height that follow each other stand on one line.
func plainText(pages [][]drawn) string {
	var out strings.Builder
	for i, page := range pages {
		fmt.Fprintf(&out, "--- page %d\n", i+1)
		for j, d := range page {
			switch {
			case j > 0 && page[j-1].y == d.y:
				out.WriteString(" | ")
			case j > 0:
				out.WriteByte('\n')
			}
			out.WriteString(d.text)
		}
		out.WriteByte('\n')
	}
	return out.String()
}
