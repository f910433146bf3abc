package pdf

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"golang.org/x/image/font/gofont/goregular"
	"pgregory.net/rapid"

	"chargeback/billing/invoice"
	"chargeback/billing/invoice/pdf/typeset"
	"chargeback/templates"
	"chargeback/transform/money"
)

var (
	update     = flag.Bool("update", false, "write the golden files anew")
	samplesDir = flag.String("samples", "", "also write the sample documents as PDF files into this folder, to look at them")
)

// Goal: every sample is a valid PDF with its pages counted and its lines inside.
// Method: an independent PDF library validates it and takes the attachment out.
func TestSamplesAreValid(t *testing.T) {
	api.DisableConfigDir()
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			doc := build(t, s.input)
			file, err := Render(doc)
			if err != nil {
				t.Fatal(err)
			}
			if *samplesDir != "" {
				if err := os.WriteFile(filepath.Join(*samplesDir, s.name+".pdf"), file, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := api.Validate(bytes.NewReader(file), model.NewDefaultConfiguration()); err != nil {
				t.Errorf("not a valid PDF: %v", err)
			}
			pages, err := api.PageCount(bytes.NewReader(file), model.NewDefaultConfiguration())
			if err != nil || pages != s.pages {
				t.Errorf("has %d pages (%v), want %d", pages, err, s.pages)
			}
			checkAttachment(t, file, doc)
		})
	}
}

func checkAttachment(t *testing.T, file []byte, doc invoice.Document) {
	t.Helper()
	attachments, err := api.ExtractAttachmentsRaw(bytes.NewReader(file), "", nil, model.NewDefaultConfiguration())
	if err != nil || len(attachments) != 1 {
		t.Fatalf("has %d attachments (%v), want 1", len(attachments), err)
	}
	got, err := io.ReadAll(attachments[0])
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := invoice.WriteCSV(&want, doc); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), string(got)); diff != "" {
		t.Errorf("attached CSV (-want +got):\n%s", diff)
	}
	if name := attachments[0].FileName; name != doc.Number+".csv" {
		t.Errorf("attachment is called %q", name)
	}
}

// Goal: a change of what a reader sees is seen in review.
// Method: the texts of the uncompressed pages against a golden file.
func TestGoldenText(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			if s.name == "many" {
				s.input = sampleMany(40) // enough to see the table go over pages
			}
			file, err := render(build(t, s.input), &typeset.Set{}, false)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", s.name+".txt"), plainText(pageTexts(file)))
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); run with -update if it is meant:\n%s", path, diff)
	}
}

// Goal: the same document is the same file, also when several are drawn at once.
// Method: render in parallel and compare bytes; the shared font data must stay as it was.
func TestRenderRepeats(t *testing.T) {
	font := bytes.Clone(goregular.TTF)
	doc := build(t, sampleWarnings())
	files := make([][]byte, 4)
	errs := make([]error, len(files))
	var all sync.WaitGroup
	for i := range files {
		all.Go(func() { files[i], errs[i] = Render(doc) })
	}
	all.Wait()
	for i := range files {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		if !bytes.Equal(files[i], files[0]) {
			t.Errorf("file %d differs from file 0", i)
		}
	}
	if !bytes.Equal(font, goregular.TTF) {
		t.Error("drawing changed the font")
	}
}

// Goal: the order in which charges were found does not show in the file.
func TestRenderIgnoresOrder(t *testing.T) {
	in := sampleWarnings()
	want, err := Render(build(t, in))
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(in.Charges)
	slices.Reverse(in.Shared)
	slices.Reverse(in.Notes.Waivers)
	slices.Reverse(in.Notes.Budgets)
	got, err := Render(build(t, in))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the file differs after reversing the input")
	}
}

// Goal: the date inside the file is the issue date, never the clock's.
func TestDatesInFile(t *testing.T) {
	file, err := render(build(t, sampleFew()), &typeset.Set{}, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"/CreationDate (D:20261105000000)", "/ModDate (D:20261105000000)"} {
		if !bytes.Contains(file, []byte(want)) {
			t.Errorf("file lacks %s", want)
		}
	}
}

// Goal: a document says what happened and promises nothing that can't be kept.
func TestDocumentsSayOnlyWhatIsSo(t *testing.T) {
	for _, s := range samples() {
		doc := build(t, s.input)
		file, err := render(doc, &typeset.Set{}, false)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ToLower(plainText(pageTexts(file)))
		for _, words := range []string{"approved by", "credit memo", "new invoice"} {
			if strings.Contains(text, words) {
				t.Errorf("%s says %q", s.name, words)
			}
		}
		if below := doc.Total.Cents.Total < 0; below != strings.Contains(text, "total credit") || below != strings.Contains(strings.ToLower(wording(doc).Title), "credit") {
			t.Errorf("%s of %s is titled %q", s.name, doc.Total.Cents.Total, wording(doc).Title)
		}
	}
}

// Goal: the chart of kinds and the table's last row are the same figures.
func TestChartSaysWhatTheTableSays(t *testing.T) {
	for _, s := range samples() {
		doc := build(t, s.input)
		d := &sheet{canvas: newCanvas(&typeset.Set{}, false), doc: doc, words: wording(doc)}
		c := doc.Total.Cents
		for i, want := range []money.Cents{c.LLM, c.Infra, c.Tool, c.Shared} {
			if b := d.kindBars()[i]; b.cents != want {
				t.Errorf("%s: %s is %s in the chart and %s in the table", s.name, b.label, b.cents, want)
			}
		}
	}
}

// Goal: a question mark is explained, wherever it stands.
func TestReplacedCharactersAreExplained(t *testing.T) {
	for _, row := range []struct {
		name   string
		reason string
		want   bool
	}{
		{"none", "agreed", false},
		{"in the last note", "同意", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			in := sampleWarnings()
			in.Notes.Waivers[0].Reason = row.reason
			file, err := render(build(t, in), &typeset.Set{}, false)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(plainText(pageTexts(file)), templates.InvoiceUnshown()); got != row.want {
				t.Errorf("explained: %t, want %t", got, row.want)
			}
		})
	}
}

func TestRenderRefusesDocumentWithoutDate(t *testing.T) {
	_, err := Render(invoice.Document{Number: "CB-1"})
	if err == nil || !strings.Contains(err.Error(), `render PDF of CB-1: issue date "" is not a date`) {
		t.Errorf("got %v", err)
	}
}

func TestGuardTurnsPanicIntoError(t *testing.T) {
	file, err := guard(func() ([]byte, error) { panic("index out of range") })
	if file != nil || err == nil || !strings.Contains(err.Error(), "index out of range") {
		t.Errorf("got %q, %v", file, err)
	}
}

// Goal: whatever names the data holds, a document comes out, every page bears
// its number and count, and no text begins outside the margins.
// Method: arbitrary texts in every field; read back the uncompressed pages.
func TestRenderAnyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := drawDocument(t)
		file, err := render(doc, &typeset.Set{}, false)
		if err != nil {
			t.Fatal(err)
		}
		pages := pageTexts(file)
		for i, page := range pages {
			want := map[string]bool{templates.InvoicePage(i+1, len(pages)): false, "content sha256 " + doc.ContentHash: false}
			for _, d := range page {
				if _, wanted := want[d.text]; wanted {
					want[d.text] = true
				}
				checkInside(t, d)
			}
			for text, seen := range want {
				if !seen {
					t.Errorf("page %d lacks %q", i+1, text)
				}
			}
			if !strings.Contains(plainText(pages[i:i+1]), doc.Number) {
				t.Errorf("page %d lacks the number", i+1)
			}
		}
	})
}

// checkInside wants the beginning of a text inside the margins.
func checkInside(t *rapid.T, d drawn) {
	const pointsPerPage, pointsPerMargin = 842, 39
	x, errX := strconv.ParseFloat(d.x, 64)
	y, errY := strconv.ParseFloat(d.y, 64)
	if errX != nil || errY != nil {
		t.Fatalf("text %q at %s, %s", d.text, d.x, d.y)
	}
	if x < pointsPerMargin || x > pointsPerPage-pointsPerMargin || y < 20 || y > 595-30 {
		t.Errorf("text %q begins at %s, %s, outside the margins", d.text, d.x, d.y)
	}
}

func drawDocument(t *rapid.T) invoice.Document {
	text := rapid.OneOf(
		rapid.String(),
		rapid.StringOfN(rapid.RuneFrom([]rune("\\()\r\n\t\u202E\u200B🤖𝔘漢字العربيةé\uE000{nb}\uFFFD\uFFFF-=\u0301")), 0, 40, -1),
		rapid.StringMatching(`[A-Za-z./ -]{0,400}`),
	)
	in := sampleWarnings()
	in.Issuer = invoice.Issuer{Name: text.Draw(t, "issuer"), CostCenter: "x" + text.Draw(t, "issuer code"), Contact: text.Draw(t, "contact"), Approver: text.Draw(t, "approver"), Company: text.Draw(t, "company"), CompanyCode: "x" + text.Draw(t, "issuer's company code")}
	code := "x" + text.Draw(t, "code")
	in.Number = invoice.Number("2026-10", code, 0)
	in.Party = invoice.Party{Code: code, Name: text.Draw(t, "name"), Department: text.Draw(t, "department"), Owner: text.Draw(t, "owner"), CompanyCode: "x" + text.Draw(t, "company code"), ExpenseAccount: "x" + text.Draw(t, "account"), Mode: invoice.Chargeback}
	in.Intercompany = invoice.Intercompany{DueTo: "x" + text.Draw(t, "due to"), DueFrom: "x" + text.Draw(t, "due from")}
	in.Period.Zone = "x" + text.Draw(t, "zone")
	for i := range rapid.IntRange(0, 20).Draw(t, "charges") {
		in.Charges = append(in.Charges, invoice.Charge{
			AgentID: text.Draw(t, fmt.Sprint("agent", i)), AgentName: text.Draw(t, "agent name"), Model: text.Draw(t, "model"),
			Requests: rapid.Int64Range(0, 1e15).Draw(t, "requests"), LLM: money.FromPico(rapid.Int64().Draw(t, "llm")),
		})
	}
	in.Shared = append(in.Shared, invoice.Shared{Name: text.Draw(t, "shared"), Method: text.Draw(t, "method"), Ratio: text.Draw(t, "ratio"), Amount: money.FromPico(rapid.Int64().Draw(t, "amount"))})
	in.Notes.Waivers = append(in.Notes.Waivers, invoice.Waiver{Bound: text.Draw(t, "bound"), Measured: text.Draw(t, "measured"), Gate: text.Draw(t, "gate"), By: text.Draw(t, "by"), Reason: text.Draw(t, "reason")})
	in.Notes.Budgets = append(in.Notes.Budgets, invoice.Budget{Name: text.Draw(t, "budget"), Scope: text.Draw(t, "scope"), Amount: money.FromPico(rapid.Int64().Draw(t, "budget amount")), Actual: money.FromPico(rapid.Int64().Draw(t, "actual")), Thresholds: []int64{rapid.Int64().Draw(t, "threshold")}})
	in.Notes.Sources = append(in.Notes.Sources, invoice.SourceNote{Name: text.Draw(t, "source"), Format: text.Draw(t, "format"), Outcome: text.Draw(t, "outcome")})
	in.Charges = append(in.Charges, invoice.Charge{
		Model: text.Draw(t, "corrected model"), LLM: money.FromPico(rapid.Int64().Draw(t, "corrected")), AdjustsMonth: "2026-09", AdjustsInvoice: text.Draw(t, "corrected document"),
		AdjustsCode: text.Draw(t, "corrected cost centre"), Reason: text.Draw(t, "why"), Counterpart: text.Draw(t, "counterpart"), CounterAmount: money.FromPico(rapid.Int64().Draw(t, "counter amount")), HasCounter: rapid.Bool().Draw(t, "has one"),
	})
	in.Notes.Run = text.Draw(t, "run")
	doc, err := invoice.Build(in)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
