// Package pdf draws a finished document as a PDF.
//
// It owns: the page, its built-in font, and what text may reach the PDF library;
// what that font lacks is set by pdf/typeset. It is
// the only package that imports that library, which is archived; replacing it
// means replacing canvas.go.
// It does not own: any figure (billing/invoice) or wording (templates).
package pdf

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"chargeback/billing/invoice"
	"chargeback/billing/invoice/pdf/typeset"
	"chargeback/templates"
)

// Fonts draws documents with the built-in font and, for what it lacks, with
// other fonts. It may be used by several goroutines.
type Fonts struct{ set *typeset.Set }

// OpenFonts reads the fonts in files, which go before those that lie in
// folders. A file that can't be read, or is no font to draw with, is an error.
func OpenFonts(files, folders []string) (*Fonts, error) {
	set, err := typeset.Open(files, folders)
	return &Fonts{set}, err
}

// CheckFont says why a file's fonts can't be drawn with, nil if they can.
func CheckFont(file string) error { return typeset.Check(file) }

// Render draws doc with the built-in font alone; see Fonts.Render.
func Render(doc invoice.Document) ([]byte, error) { return (&Fonts{&typeset.Set{}}).Render(doc) }

// Render draws doc on A4 landscape pages. The CSV of its lines is attached
// inside. The same document and fonts give the same bytes on every run, and a
// document that says what it was drawn with is drawn with these fonts alone, as
// long as they are there. The date inside the file is the document's issue date.
// For a character that no font has its code point is printed, such as
// [U+1F916], which the notes then explain.
func (f *Fonts) Render(doc invoice.Document) ([]byte, error) {
	set, _ := f.of(doc)
	file, err := guard(func() ([]byte, error) { return render(doc, set, true) })
	if err != nil {
		return nil, fmt.Errorf("render PDF of %s: %w", doc.Number, err)
	}
	return file, nil
}

// of is the fonts that a document is drawn with, and those of its close that are
// no longer there: then it is drawn with what there is.
func (f *Fonts) of(doc invoice.Document) (*typeset.Set, []typeset.ID) {
	if len(doc.Output.Fonts) == 0 && doc.Output.Unshown == "" {
		return f.set, nil
	}
	ids := make([]typeset.ID, len(doc.Output.Fonts))
	for i, used := range doc.Output.Fonts {
		ids[i] = typeset.ID(used)
	}
	only, lost := f.set.Only(ids)
	if len(lost) > 0 {
		return f.set, lost
	}
	return only, nil
}

// Lost is the fonts that a closed document was drawn with and that are no longer
// there.
func (f *Fonts) Lost(doc invoice.Document) (lost []string) {
	_, ids := f.of(doc)
	for _, id := range ids {
		lost = append(lost, id.String())
	}
	return lost
}

// Needs says what doc is drawn with besides the built-in font, and which of its
// characters no font has.
func (f *Fonts) Needs(doc invoice.Document) (fonts []invoice.Font, unshown string) {
	set, _ := f.of(doc)
	used, missing := map[typeset.ID]bool{}, map[rune]bool{}
	each(reflect.ValueOf(doc), func(text string) {
		if text = clean(text); plain(text) {
			return
		}
		for _, weight := range []typeset.Weight{typeset.Regular, typeset.Bold} {
			line := set.Line(text, weight, builtIn)
			for _, id := range line.Fonts {
				used[id] = true
			}
			for _, r := range line.Missing {
				missing[r] = true
			}
		}
	})
	for _, id := range slices.SortedFunc(maps.Keys(used), typeset.ID.Compare) {
		fonts = append(fonts, invoice.Font(id))
	}
	return fonts, string(slices.Sorted(maps.Keys(missing)))
}

// each hands over every text below v.
func each(v reflect.Value, take func(string)) {
	switch v.Kind() {
	case reflect.String:
		take(v.String())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				each(v.Field(i), take)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			each(v.Index(i), take)
		}
	}
}

// Missing is the characters of a text that no font has.
func (f *Fonts) Missing(text string) []rune {
	if text = clean(text); plain(text) {
		return nil
	}
	return f.set.Line(text, typeset.Regular, builtIn).Missing
}

// guard turns a panic into an error, because the library panics on some input
// that it does not expect.
func guard(draw func() ([]byte, error)) (file []byte, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			file, err = nil, fmt.Errorf("PDF library failed: %v; report it with the document's CSV, which is complete", cause)
		}
	}()
	return draw()
}

func render(doc invoice.Document, fonts *typeset.Set, compress bool) ([]byte, error) {
	props, err := describe(doc)
	if err != nil {
		return nil, err
	}
	d := &sheet{canvas: newCanvas(fonts, compress), doc: doc, words: wording(doc)}
	d.newPage()
	d.head()
	d.charts()
	d.table()
	d.closing()
	d.footers()
	d.setProperties(props)
	return d.bytes()
}

// describe collects what a reader shows about the file, and the attachment.
func describe(doc invoice.Document) (properties, error) {
	date, err := time.Parse(time.DateOnly, doc.IssueDate)
	if err != nil {
		return properties{}, fmt.Errorf("issue date %q is not a date; make the document with invoice.Build", doc.IssueDate)
	}
	var lines bytes.Buffer
	if err := invoice.WriteCSV(&lines, doc); err != nil {
		return properties{}, err
	}
	words := wording(doc)
	return properties{
		title:           words.Title + " " + doc.Number,
		subject:         doc.Party.Code + " " + doc.Party.Name + ", " + doc.Period.Month,
		author:          doc.Issuer.Name,
		keywords:        "sha256:" + doc.ContentHash,
		date:            date,
		attachmentName:  csvName(doc),
		attachmentAbout: templates.InvoiceAttachment(csvName(doc)),
		attachment:      lines.Bytes(),
	}, nil
}

func csvName(doc invoice.Document) string { return doc.Number + ".csv" }

func wording(doc invoice.Document) templates.DocumentWords {
	statement := doc.Party.Mode == invoice.Showback
	switch {
	case doc.Earlier() && statement:
		return templates.EarlierStatementWords()
	case doc.Earlier():
		return templates.EarlierInvoiceWords()
	case doc.Credit() && statement:
		return templates.StatementCreditWords()
	case doc.Credit():
		return templates.CreditWords()
	case statement:
		return templates.StatementWords()
	}
	return templates.InvoiceWords()
}
