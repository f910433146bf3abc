package pdf

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"chargeback/billing/invoice"
	"chargeback/billing/invoice/pdf/typeset"
)

// Goal: what was issued by an earlier version stays byte for byte what it is,
// also where its files are written again.
// Method: documents as they were kept before they had a format, with the files
// that were made of them then.
func TestEarlierDocumentsStay(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join("testdata", "earlier", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var docs []invoice.Document
	for _, name := range []string{"invoice", "credit", "statement"} {
		var doc invoice.Document
		if err := json.Unmarshal([]byte(read(name+".json")), &doc); err != nil {
			t.Fatal(err)
		}
		docs = append(docs, doc)
		file, err := render(doc, &typeset.Set{}, false)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(read(name+".txt"), plainText(pageTexts(file))); diff != "" {
			t.Errorf("text of %s (-then +now):\n%s", name, diff)
		}
		if sum := sha256.Sum256(file); hex.EncodeToString(sum[:]) != strings.TrimSpace(read(name+".sha256")) {
			t.Errorf("the PDF of %s has other bytes", name)
		}
		var lines bytes.Buffer
		if err := invoice.WriteCSV(&lines, doc); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(read(name+".csv"), lines.String()); diff != "" {
			t.Errorf("CSV of %s (-then +now):\n%s", name, diff)
		}
	}
	var journal bytes.Buffer
	if err := invoice.WriteJournal(&journal, docs); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(read("journal.csv"), journal.String()); diff != "" {
		t.Errorf("journal (-then +now):\n%s", diff)
	}
	if invoice.ControlBeside(docs) {
		t.Error("their control totals are in the journal, and would lie beside it too")
	}
}
