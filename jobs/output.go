package jobs

import (
	"fmt"
	"slices"
	"strings"

	"chargeback/billing/invoice"
	"chargeback/transform/civil"
)

// output is how the files of a document that is being closed are made, now and
// whenever they are made again.
func (b *Books) output(d invoice.Document) (out invoice.Output) {
	if b.Month.CSVEncoding != invoice.UTF8 {
		out.CSVEncoding = b.Month.CSVEncoding
	}
	if b.Month.Fonts != nil {
		out.Fonts, out.Unshown = b.Month.Fonts.Needs(d)
	}
	return out
}

// unshown tells of characters on the documents of a month that no font has.
func unshown(month civil.Month, documents []invoice.Document) []Problem {
	var numbers []string
	var characters []rune
	for _, d := range documents {
		if d.Output.Unshown != "" {
			numbers = append(numbers, d.Number)
			characters = append(characters, []rune(d.Output.Unshown)...)
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	slices.Sort(characters)
	return []Problem{{Kind: KindDocument, Source: "invoices", Object: month.String(), What: fmt.Sprintf("no font has %s, so %s these characters by their code points; install a font that has them, or name it in invoices.fonts, before the next close: documents of a closed month stay as they are",
		invoice.Characters(slices.Compact(characters)), some(numbers, "prints", "print"))}}
}

// tellLostFonts adds which documents can't be drawn with the fonts of their close.
func (b *Books) tellLostFonts(month civil.Month, documents []invoice.Document, s *MonthlySummary) {
	if b.Month.Fonts == nil {
		return
	}
	var redrawn, lost []string
	for _, d := range documents {
		if fonts := b.Month.Fonts.Lost(d); len(fonts) > 0 {
			redrawn, lost = append(redrawn, d.Number), append(lost, fonts...)
		}
	}
	s.Problems = append(s.Problems, lostFonts(month, redrawn, lost)...)
}

// lostFonts tells of documents that can't be drawn with the fonts of their close.
func lostFonts(month civil.Month, numbers, fonts []string) []Problem {
	if len(numbers) == 0 {
		return nil
	}
	slices.Sort(fonts)
	return []Problem{{Kind: KindDocument, Source: "invoices", Object: month.String(), What: fmt.Sprintf("the font %s of the close is no longer on this machine, so %s drawn with others and may look different from what was issued; put it back, or name it in invoices.fonts, and run this again",
		strings.Join(slices.Compact(fonts), ", "), some(numbers, "is", "are"))}}
}

// some names one of several documents and counts the others.
func some(numbers []string, one, more string) string {
	switch n := len(numbers) - 1; n {
	case 0:
		return numbers[0] + " " + one
	case 1:
		return numbers[0] + " and 1 other document " + more
	default:
		return fmt.Sprintf("%s and %d other documents %s", numbers[0], n, more)
	}
}
