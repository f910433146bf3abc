package invoice

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"chargeback/transform/money"
)

// docFor is a document of one cost centre and one amount.
func docFor(t testing.TB, code string, mode Mode, total money.USD) Document {
	in := testInput()
	in.Notes, in.Shared = Notes{}, nil
	in.Party.Code, in.Party.Mode, in.Party.Name = code, mode, "+Name of "+code
	in.Number = Number("2026-10", code, 0)
	if mode == Showback {
		in.Number = StatementNumber("2026-10", code, 0)
	}
	in.Charges = []Charge{{AgentID: "bot", LLM: total}}
	return mustBuild(t, in)
}

func TestWriteJournal(t *testing.T) {
	charged := docFor(t, "CC-1001", Chargeback, usd("12.345"))
	credited := docFor(t, "00420", Chargeback, usd("-0.5"))
	for _, row := range []struct {
		name string
		docs []Document
		want string
	}{
		{
			"charge, credit, statement, zero",
			[]Document{charged, docFor(t, "CC-1002", Showback, usd("99")), docFor(t, "CC-1003", Chargeback, usd("0.004")), credited},
			"CB-2026-10-00420-r0,1,2026-10-31,2026-10,1000,613500,00420,,0.50,USD,AI usage 2026-10 00420 +Name of 00420,CB-2026-10-00420-r0," + credited.ContentHash + "\n" +
				"CB-2026-10-00420-r0,2,2026-10-31,2026-10,1000,690100,CC-9000,0.50,,USD,AI usage 2026-10 00420 +Name of 00420,CB-2026-10-00420-r0," + credited.ContentHash + "\n" +
				"CB-2026-10-CC1001-r0,1,2026-10-31,2026-10,1000,613500,CC-1001,12.35,,USD,AI usage 2026-10 CC-1001 +Name of CC-1001,CB-2026-10-CC1001-r0," + charged.ContentHash + "\n" +
				"CB-2026-10-CC1001-r0,2,2026-10-31,2026-10,1000,690100,CC-9000,,12.35,USD,AI usage 2026-10 CC-1001 +Name of CC-1001,CB-2026-10-CC1001-r0," + charged.ContentHash + "\n" +
				"CONTROL,4,,,,,,12.85,12.85,USD,2 journals,,\n",
		},
		{"nothing to book", []Document{docFor(t, "CC-1002", Showback, usd("99"))}, "CONTROL,0,,,,,,0.00,0.00,USD,0 journals,,\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := WriteJournal(&out, row.docs); err != nil {
				t.Fatal(err)
			}
			want := "journal_id,line_no,posting_date,period,company,gl_account,cost_center,debit,credit,currency,memo,reference,content_hash\n" + row.want
			if diff := cmp.Diff(want, out.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestWriteJournalNeutralisesText(t *testing.T) {
	doc := docFor(t, "CC-1", Chargeback, usd("-1"))
	doc.Party.ExpenseAccount = "=1+1"
	rows := csvRows(t, func(out *bytes.Buffer) error { return WriteJournal(out, []Document{doc}) })
	if got := rows[0]["gl_account"]; got != "'=1+1" {
		t.Errorf("account is %q", got)
	}
	if got := rows[0]["credit"]; got != "1.00" {
		t.Errorf("credit is %q", got)
	}
}

func TestJournalRefusesSameNumberTwice(t *testing.T) {
	doc := docFor(t, "CC-1", Chargeback, usd("1"))
	var out bytes.Buffer
	err := WriteJournal(&out, []Document{doc, doc})
	if err == nil || !strings.Contains(err.Error(), "document CB-2026-10-CC1-r0 appears twice") {
		t.Errorf("got %v", err)
	}
	if out.Len() > 0 {
		t.Errorf("wrote %q", out.String())
	}
}

// Goal: a journal that does not balance is never written.
// Method: lines as a fault elsewhere would leave them.
func TestBalance(t *testing.T) {
	side := func(id string, line int, debit, credit money.Cents) JournalLine {
		return JournalLine{JournalID: id, LineNo: line, Debit: debit, Credit: credit}
	}
	for _, row := range []struct {
		name    string
		lines   []JournalLine
		charged money.Cents
		want    string
	}{
		{"balanced", []JournalLine{side("a", 1, 5, 0), side("a", 2, 0, 5)}, 5, ""},
		{"a cent short", []JournalLine{side("a", 1, 5, 0), side("a", 2, 0, 4)}, 5, "a does not balance by 0.01"},
		{"balanced in sum only", []JournalLine{side("a", 1, 5, 0), side("b", 1, 0, 5)}, 0, "a does not balance by 0.05"},
		{"both sides of a line", []JournalLine{side("a", 1, 5, 5)}, 0, "a line 1 has debit 0.05 and credit 0.05"},
		{"no side of a line", []JournalLine{side("a", 1, 0, 0)}, 0, "one of them must be more than zero"},
		{"negative side", []JournalLine{side("a", 1, -5, 0), side("a", 2, 0, -5)}, -5, "one of them must be more than zero"},
		{"not what was charged", []JournalLine{side("a", 1, 5, 0), side("a", 2, 0, 5)}, 6, "books 0.05 to cost centres but the invoices charge 0.06"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := balance(row.lines, row.charged)
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}

// Goal: the journal books what the invoices charge, whatever their order.
func TestJournalBooksInvoices(t *testing.T) {
	codes := []string{"00420", "CC-1", "CC-2", "CC1"}
	rapid.Check(t, func(r *rapid.T) {
		var docs []Document
		var charged money.Cents
		for _, code := range codes {
			mode := rapid.SampledFrom([]Mode{Chargeback, Showback}).Draw(r, "mode")
			doc := docFor(t, code, mode, money.FromPico(rapid.Int64Range(-1e13, 1e15).Draw(r, "amount")))
			if mode == Chargeback {
				charged += doc.Total.Cents.Total
			}
			docs = append(docs, doc)
		}
		journal, err := NewJournal(docs)
		if err != nil {
			r.Fatal(err)
		}
		var expense money.Cents
		for _, l := range journal.Lines {
			if l.Account == "613500" {
				expense += l.Debit - l.Credit
			}
		}
		if expense != charged || journal.Control.Debit != journal.Control.Credit || journal.Control.Lines != len(journal.Lines) {
			r.Errorf("expense %s, charged %s, control %+v", expense, charged, journal.Control)
		}
		again, err := NewJournal(rapid.Permutation(docs).Draw(r, "order"))
		if err != nil {
			r.Fatal(err)
		}
		if diff := cmp.Diff(journal, again); diff != "" {
			r.Errorf("the order of the documents shows:\n%s", diff)
		}
	})
}
