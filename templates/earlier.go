package templates

// Documents that were issued before these words changed are drawn with the words
// of then, so that drawing them again gives the same bytes. Nothing here is for
// new documents.

// EarlierInvoiceWords is the wording of such an invoice.
func EarlierInvoiceWords() DocumentWords {
	w := InvoiceWords()
	w.NoBooking = "The total is zero. Nothing is booked."
	return earlier(w)
}

// EarlierStatementWords is the wording of such a statement.
func EarlierStatementWords() DocumentWords { return earlier(StatementWords()) }

func earlier(w DocumentWords) DocumentWords {
	w.NoLines = "No usage and no shared cost in this period."
	w.RoundingText = "The total is the exact sum, rounded once to the cent (half up). Lines and columns are then rounded by largest remainder, so that they add up to it. The CSV of this document shows every amount with 12 decimals as well."
	w.AdjustmentsText = "A closed month is never changed. Usage that arrived or was corrected after its close is charged here, with the month and document that it corrects."
	w.CloseText = ""
	w.Approver, w.Close = "Approver", "Approved by"
	return w
}

// EarlierInvoiceTerms is InvoiceTerms of such an invoice.
func EarlierInvoiceTerms(period, disputeUntil, contact string) string {
	settled := "Charged by journal in posting period " + period + "; no payment is due."
	if disputeUntil == "" {
		return settled
	}
	return settled + " Dispute by " + disputeUntil + " to " + contact + "; a justified dispute is settled by a credit memo and a new invoice."
}

// EarlierJournalMemo is the text of a journal line of such an invoice.
func EarlierJournalMemo(month, code, name string) string {
	memo := "AI usage " + month + " " + code
	if name != "" {
		memo += " " + name
	}
	return memo
}
