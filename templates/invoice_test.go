package templates

import "testing"

func TestGroupThousands(t *testing.T) {
	for _, row := range []struct{ in, want string }{
		{"0", "0"},
		{"999", "999"},
		{"1000", "1,000"},
		{"-100", "-100"},
		{"-1234567.89", "-1,234,567.89"},
		{"123456.7", "123,456.7"},
		{"0.1234", "0.1234"},
	} {
		if got := GroupThousands(row.in); got != row.want {
			t.Errorf("GroupThousands(%q) = %q, want %q", row.in, got, row.want)
		}
	}
}

func TestInvoiceHeld(t *testing.T) {
	for _, row := range []struct {
		name                         string
		unpriced, pending, conflicts int64
		want                         string
	}{
		{"nothing", 0, 0, 0, ""},
		{"one of each", 1, 1, 1, "Held at the close and not charged here: 1 request without a price, 1 request that waits for the provider's usage, 1 record with conflicting copies. Once resolved they are charged as prior-period adjustments."},
		{"many", 1200, 0, 0, "Held at the close and not charged here: 1,200 requests without a price. Once resolved they are charged as prior-period adjustments."},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := InvoiceHeld(row.unpriced, row.pending, row.conflicts); got != row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
		})
	}
}

func TestInvoiceSentences(t *testing.T) {
	for _, row := range []struct{ name, got, want string }{
		{"banner, nothing", InvoiceBanner(0, 0), ""},
		{"banner, both", InvoiceBanner(1, 12), "This month was closed with 1 waived check and 12 held records: see the notes."},
		{"banner, held only", InvoiceBanner(0, 1), "This month was closed with 1 held record: see the notes."},
		{"terms, no dispute", InvoiceTerms("2026-10", "", "x", false), "Charged by journal in posting period 2026-10; no payment is due."},
		{"statement, no date", StatementTerms("", "x"), "For information. Nothing is booked."},
		{"corrects a month", InvoiceCorrects("2026-09", "", ""), "corrects 2026-09"},
		{"corrects a document", InvoiceCorrects("2026-09", "CB-1", ""), "corrects CB-1 (2026-09)"},
		{"split", InvoiceSplit("proportional", "0.25"), "split proportional, share 0.25"},
		{"split without a ratio", InvoiceSplit("even", ""), "split even"},
		{"ratio without a method", InvoiceSplit("", "0.25"), "share 0.25"},
		{"no split", InvoiceSplit("", ""), ""},
		{"terms of a credit note", InvoiceTerms("2026-10", "2026-11-25", "x", true), "Credited by journal in posting period 2026-10; nothing is paid out. Dispute by 2026-11-25 to x; what proves wrong is corrected in a later month."},
		{"corrects another cost centre's", InvoiceCorrects("2026-09", "CB-1", "00420"), "corrects CB-1 of cost centre 00420 (2026-09)"},
		{"moved to", InvoiceMoved("people.csv changed after the close", "", "CC-3", "20.00", "18.00"), "people.csv changed after the close; moved to cost centre CC-3; 20.00 USD before, 18.00 USD now"},
		{"moved from", InvoiceMoved("", "CC-3", "", "", ""), "moved here from cost centre CC-3"},
		{"reason alone", InvoiceMoved("came late", "", "", "", ""), "came late"},
		{"no correction", InvoiceMoved("", "", "", "", ""), ""},
		{"waiver", InvoiceWaiver("unpriced", "a@b", "known", "", ""), `Check "unpriced" failed at the close of this month and was waived by a@b: known`},
		{"waiver with a bound", InvoiceWaiver("unpriced", "a@b", "known", "3 records", "up to 5 records"), `Check "unpriced" failed at the close of this month with 3 records and was waived up to 5 records by a@b: known`},
		{"source", InvoiceSource("gateway", "litellm", "1,234 records"), "gateway (litellm): 1,234 records"},
		{"source that nothing came of", InvoiceSource("gateway", "litellm", ""), "gateway (litellm)"},
		{"one estimate", InvoiceEstimatedLine(1), "1 request estimated"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.got != row.want {
				t.Errorf("got  %s\nwant %s", row.got, row.want)
			}
		})
	}
}
