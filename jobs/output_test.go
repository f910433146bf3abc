package jobs_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"chargeback/billing/invoice"
	"chargeback/jobs"
)

// typefaces is fonts of which some go.
type typefaces struct{ lost []string }

func (c *typefaces) Needs(invoice.Document) ([]invoice.Font, string) {
	return []invoice.Font{{File: "a.ttf", SHA256: "aa"}}, "助"
}

func (c *typefaces) Lost(d invoice.Document) []string {
	if len(d.Output.Fonts) == 0 {
		return nil
	}
	return c.lost
}

// Goal: documents keep how they were made at the close; what no font had, and
// fonts that are gone later, are told once for all documents.
// Method: close a month, then change settings and fonts, and write it again.
func TestDocumentsKeepHowTheyWereMade(t *testing.T) {
	t.Parallel()
	_, b := closable(t)
	fonts := &typefaces{}
	b.Month.Fonts, b.Month.CSVEncoding = fonts, invoice.UTF8BOM
	s := b.closing(t, october)
	if len(s.Documents) < 2 {
		t.Fatalf("%d documents", len(s.Documents))
	}
	told := func(what string) bool {
		return slices.ContainsFunc(s.Problems, func(p jobs.Problem) bool {
			return p.Source == "invoices" && p.Object == october && strings.Contains(p.What, what)
		})
	}
	if len(s.Problems) != 1 || !told(`no font has "助" (U+52A9), so `+s.Documents[0].Number+" and ") {
		t.Errorf("told %v", s.Problems)
	}
	files := filesOf(t, b.Month.Dir)
	for _, path := range []string{s.Documents[0].CSV, s.Journal} {
		if content, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(content, []byte("\xEF\xBB\xBF")) {
			t.Errorf("%s has no byte order mark (%v)", path, err)
		}
	}
	b.Month.CSVEncoding = invoice.UTF8
	if err := os.RemoveAll(b.Month.Dir); err != nil {
		t.Fatal(err)
	}
	s = b.closing(t, october)
	equal(t, "files", files, filesOf(t, b.Month.Dir))
	if len(s.Problems) > 0 {
		t.Errorf("told %v", s.Problems)
	}
	fonts.lost = []string{"a.ttf (sha256 aa)"}
	s = b.closing(t, october)
	if len(s.Problems) != 1 || !told("the font a.ttf (sha256 aa) of the close is no longer on this machine, so "+s.Documents[0].Number+" and ") {
		t.Errorf("told %v", s.Problems)
	}
}
