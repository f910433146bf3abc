package invoice

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf16"

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

const journalHeader = "journal_id,line_no,posting_date,period,company,gl_account,cost_center,debit,credit,currency,memo,reference,content_hash\n"

func TestWriteJournal(t *testing.T) {
	charged := docFor(t, "CC-1001", Chargeback, usd("12.345"))
	credited := docFor(t, "00420", Chargeback, usd("-0.5"))
	kinds := testInput() // usage, two shared costs and corrections of two documents
	kinds.Charges = append(kinds.Charges,
		Charge{AgentID: "bot", LLM: usd("-10"), AdjustsMonth: "2026-08", AdjustsInvoice: "CB-2026-08-00420-r0"},
		Charge{AgentID: "old", LLM: usd("4"), AdjustsMonth: "2026-08", AdjustsInvoice: "CB-2026-08-00420-r0"},
		Charge{AgentID: "old", LLM: usd("0.001"), AdjustsMonth: "2026-07"},
	)
	apart := mustBuild(t, kinds)
	between := testInput()
	between.Party.CompanyCode, between.Intercompany = "2000", Intercompany{DueTo: "2190", DueFrom: "1390"}
	between.Charges, between.Shared = []Charge{{AgentID: "bot", LLM: usd("20")}}, nil
	companies := mustBuild(t, between)
	nothing := testInput()
	nothing.Charges, nothing.Shared = []Charge{{AgentID: "bot", LLM: usd("10")}, {AgentID: "bot", LLM: usd("-10"), AdjustsMonth: "2026-09"}}, nil
	zero := mustBuild(t, nothing)
	for _, row := range []struct {
		name string
		docs []Document
		want string
	}{
		{
			"charge, credit, statement, zero",
			[]Document{charged, docFor(t, "CC-1002", Showback, usd("99")), docFor(t, "CC-1003", Chargeback, usd("0.004")), credited},
			"CB-2026-10-00420-r0,1,2026-10-31,2026-10,1000,613500,00420,,0.50,USD,AI usage 2026-10 CB-2026-10-00420-r0 +Name of 0042,CB-2026-10-00420-r0," + credited.ContentHash + "\n" +
				"CB-2026-10-00420-r0,2,2026-10-31,2026-10,1000,690100,CC-9000,0.50,,USD,AI usage 2026-10 CB-2026-10-00420-r0 +Name of 0042,CB-2026-10-00420-r0," + credited.ContentHash + "\n" +
				"CB-2026-10-CC1001-r0,1,2026-10-31,2026-10,1000,613500,CC-1001,12.35,,USD,AI usage 2026-10 CB-2026-10-CC1001-r0 +Name of CC-,CB-2026-10-CC1001-r0," + charged.ContentHash + "\n" +
				"CB-2026-10-CC1001-r0,2,2026-10-31,2026-10,1000,690100,CC-9000,,12.35,USD,AI usage 2026-10 CB-2026-10-CC1001-r0 +Name of CC-,CB-2026-10-CC1001-r0," + charged.ContentHash + "\n",
		},
		{
			"each kind apart", []Document{apart},
			"CB-2026-10-00420-r0,1,2026-10-31,2026-10,1000,613500,00420,1.51,,USD,AI usage 2026-10 CB-2026-10-00420-r0 Customer Supp,CB-2026-10-00420-r0," + apart.ContentHash + "\n" +
				"CB-2026-10-00420-r0,2,2026-10-31,2026-10,1000,690100,CC-9000,,1.51,USD,AI usage 2026-10 CB-2026-10-00420-r0 Customer Supp,CB-2026-10-00420-r0," + apart.ContentHash + "\n" +
				"CB-2026-10-00420-r0,3,2026-10-31,2026-10,1000,613500,00420,33.67,,USD,AI shared costs 2026-10 CB-2026-10-00420-r0 Custom,CB-2026-10-00420-r0," + apart.ContentHash + "\n" +
				"CB-2026-10-00420-r0,4,2026-10-31,2026-10,1000,690100,CC-9000,,33.67,USD,AI shared costs 2026-10 CB-2026-10-00420-r0 Custom,CB-2026-10-00420-r0," + apart.ContentHash + "\n" +
				"CB-2026-10-00420-r0,5,2026-10-31,2026-10,1000,613500,00420,,6.00,USD,AI correction 2026-08 CB-2026-08-00420-r0 Customer,CB-2026-08-00420-r0," + apart.ContentHash + "\n" +
				"CB-2026-10-00420-r0,6,2026-10-31,2026-10,1000,690100,CC-9000,6.00,,USD,AI correction 2026-08 CB-2026-08-00420-r0 Customer,CB-2026-08-00420-r0," + apart.ContentHash + "\n" +
				"CB-2026-10-00420-r0,7,2026-10-31,2026-10,1000,613500,00420,,0.25,USD,AI correction 2026-09 CB-2026-09-00420-r0 Customer,CB-2026-09-00420-r0," + apart.ContentHash + "\n" +
				"CB-2026-10-00420-r0,8,2026-10-31,2026-10,1000,690100,CC-9000,0.25,,USD,AI correction 2026-09 CB-2026-09-00420-r0 Customer,CB-2026-09-00420-r0," + apart.ContentHash + "\n",
		},
		{
			"two companies", []Document{companies},
			"CB-2026-10-00420-r0,1,2026-10-31,2026-10,2000,613500,00420,20.00,,USD,AI usage 2026-10 CB-2026-10-00420-r0 Customer Supp,CB-2026-10-00420-r0," + companies.ContentHash + "\n" +
				"CB-2026-10-00420-r0,2,2026-10-31,2026-10,2000,2190,,,20.00,USD,AI usage 2026-10 CB-2026-10-00420-r0 Customer Supp,CB-2026-10-00420-r0," + companies.ContentHash + "\n" +
				"CB-2026-10-00420-r0,3,2026-10-31,2026-10,1000,1390,,20.00,,USD,AI usage 2026-10 CB-2026-10-00420-r0 Customer Supp,CB-2026-10-00420-r0," + companies.ContentHash + "\n" +
				"CB-2026-10-00420-r0,4,2026-10-31,2026-10,1000,690100,CC-9000,,20.00,USD,AI usage 2026-10 CB-2026-10-00420-r0 Customer Supp,CB-2026-10-00420-r0," + companies.ContentHash + "\n",
		},
		{
			"use and a correction that cancel out", []Document{zero},
			"CB-2026-10-00420-r0,1,2026-10-31,2026-10,1000,613500,00420,10.00,,USD,AI usage 2026-10 CB-2026-10-00420-r0 Customer Supp,CB-2026-10-00420-r0," + zero.ContentHash + "\n" +
				"CB-2026-10-00420-r0,2,2026-10-31,2026-10,1000,690100,CC-9000,,10.00,USD,AI usage 2026-10 CB-2026-10-00420-r0 Customer Supp,CB-2026-10-00420-r0," + zero.ContentHash + "\n" +
				"CB-2026-10-00420-r0,3,2026-10-31,2026-10,1000,613500,00420,,10.00,USD,AI correction 2026-09 Customer Support,CB-2026-10-00420-r0," + zero.ContentHash + "\n" +
				"CB-2026-10-00420-r0,4,2026-10-31,2026-10,1000,690100,CC-9000,10.00,,USD,AI correction 2026-09 Customer Support,CB-2026-10-00420-r0," + zero.ContentHash + "\n",
		},
		{"nothing to book", []Document{docFor(t, "CC-1002", Showback, usd("99"))}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := WriteJournal(&out, row.docs); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(journalHeader+row.want, out.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Goal: whoever imports a journal knows what must arrive, without a row of the
// file that is none to book.
func TestWriteJournalControl(t *testing.T) {
	in := testInput()
	in.Party.CompanyCode, in.Intercompany = "2000", Intercompany{DueTo: "2190", DueFrom: "1390"}
	in.Charges, in.Shared = []Charge{{AgentID: "bot", LLM: usd("20")}}, nil
	docs := []Document{mustBuild(t, in), docFor(t, "CC-1", Chargeback, usd("-0.5")), docFor(t, "CC-2", Showback, usd("3"))}
	var journal, control bytes.Buffer
	if err := WriteJournal(&journal, docs); err != nil {
		t.Fatal(err)
	}
	if err := WriteJournalControl(&control, docs, "journal-2026-10.csv", journal.Bytes()); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(journal.Bytes())
	file := ",USD,journal-2026-10.csv," + hex.EncodeToString(sum[:]) + "\n"
	want := "row,company,journals,lines,debit,credit,currency,file,sha256\n" +
		"company,1000,2,4,20.50,20.50" + file +
		"company,2000,1,2,20.00,20.00" + file +
		"total,,2,6,40.50,40.50" + file
	if diff := cmp.Diff(want, control.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
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
		l := JournalLine{JournalID: id, LineNo: line, Side: SideRecovery, Debit: debit, Credit: credit}
		if line == 1 {
			l.Side = SideExpense
		}
		return l
	}
	in := func(company string, l JournalLine) JournalLine {
		l.Company = company
		return l
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
		{"balanced over two companies only", []JournalLine{in("1000", side("a", 1, 5, 0)), in("2000", side("a", 2, 0, 5))}, 5, "a does not balance by 0.05 in company 1000"},
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

// Goal: the journal books what the invoices charge, whatever their order, and
// each company and each kind of cost balances by itself.
// Method: arbitrary documents of two companies; lines are added up as a reader would.
func TestJournalBooksInvoices(t *testing.T) {
	codes := []string{"00420", "CC-1", "CC-2", "CC1"}
	rapid.Check(t, func(r *rapid.T) {
		var docs []Document
		charged := map[string]money.Cents{}
		for _, code := range codes {
			in := drawInput(r)
			in.Party.Code, in.Number = code, Number("2026-10", code, 0)
			in.Intercompany = Intercompany{DueTo: "2190", DueFrom: "1390"}
			in.Party.CompanyCode = rapid.SampledFrom([]string{"1000", "2000"}).Draw(r, "company")
			if rapid.Bool().Draw(r, "showback") {
				in.Party.Mode, in.Number = Showback, StatementNumber("2026-10", code, 0)
			}
			doc, err := Build(in)
			if err != nil {
				r.Fatal(err)
			}
			if in.Party.Mode == Chargeback {
				charged[code] = doc.Total.Cents.Total
			}
			docs = append(docs, doc)
		}
		journal, err := NewJournal(docs)
		if err != nil {
			r.Fatal(err)
		}
		expense, open := map[string]money.Cents{}, map[[3]string]money.Cents{}
		for _, l := range journal.Lines {
			if (l.Debit > 0) == (l.Credit > 0) {
				r.Errorf("%s line %d has debit %s and credit %s", l.JournalID, l.LineNo, l.Debit, l.Credit)
			}
			open[[3]string{l.JournalID, l.Company, l.Memo}] += l.Debit - l.Credit
			switch l.Account {
			case "613500":
				expense[l.CostCenter] += l.Debit - l.Credit
			case "690100":
				if l.Company != "1000" {
					r.Errorf("the issuer's cost centre stands in company %s", l.Company)
				}
			}
			if n := len(utf16.Encode([]rune(l.Memo))); n > 50 || !strings.Contains(l.Memo, "2026-") {
				r.Errorf("memo %q has %d characters", l.Memo, n)
			}
		}
		for _, code := range codes {
			if expense[code] != charged[code] {
				r.Errorf("%s bears %s and is charged %s", code, expense[code], charged[code])
			}
		}
		for key, off := range open {
			if off != 0 {
				r.Errorf("%v is out of balance by %s", key, off)
			}
		}
		if c := journal.Control; c.Debit != c.Credit || c.Lines != len(journal.Lines) {
			r.Errorf("control %+v of %d lines", c, len(journal.Lines))
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
