// Package pdf draws a finished document as a PDF.
//
// It owns: the page, its fonts, and what text may reach the PDF library. It is
// the only package that imports that library, which is archived; replacing it
// means replacing canvas.go.
// It does not own: any figure (billing/invoice) or wording (templates).
package pdf

import (
	"bytes"
	"fmt"
	"time"

	"chargeback/billing/invoice"
	"chargeback/templates"
)

// Render draws doc on A4 landscape pages. The CSV of its lines is attached
// inside. The same document gives the same bytes on every run; the date inside
// the file is the document's issue date. Characters that the fonts lack become
// '?', which the notes then explain.
func Render(doc invoice.Document) ([]byte, error) {
	file, err := guard(func() ([]byte, error) { return render(doc, true) })
	if err != nil {
		return nil, fmt.Errorf("render PDF of %s: %w", doc.Number, err)
	}
	return file, nil
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

func render(doc invoice.Document, compress bool) ([]byte, error) {
	props, err := describe(doc)
	if err != nil {
		return nil, err
	}
	d := &sheet{canvas: newCanvas(compress), doc: doc, words: wording(doc)}
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
