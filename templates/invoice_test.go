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
		{"terms, no dispute", InvoiceTerms("2026-10", "", "x"), "Charged by journal in posting period 2026-10; no payment is due."},
		{"statement, no date", StatementTerms("", "x"), "For information. Nothing is booked."},
		{"corrects a month", InvoiceCorrects("2026-09", ""), "corrects 2026-09"},
		{"corrects a document", InvoiceCorrects("2026-09", "CB-1"), "corrects CB-1 (2026-09)"},
		{"split", InvoiceSplit("proportional", "0.25"), "split proportional, share 0.25"},
		{"split without a ratio", InvoiceSplit("even", ""), "split even"},
		{"ratio without a method", InvoiceSplit("", "0.25"), "share 0.25"},
		{"no split", InvoiceSplit("", ""), ""},
		{"memo", JournalMemo("2026-10", "00420", "Support"), "AI usage 2026-10 00420 Support"},
		{"memo without a name", JournalMemo("2026-10", "00420", ""), "AI usage 2026-10 00420"},
		{"one estimate", InvoiceEstimatedLine(1), "1 request estimated"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.got != row.want {
				t.Errorf("got  %s\nwant %s", row.got, row.want)
			}
		})
	}
}
