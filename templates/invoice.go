package templates

import (
	"fmt"
	"strconv"
	"strings"
)

// InvoiceWording is the fixed wording of one kind of document: an invoice, or
// the statement that a showback cost centre gets.
type InvoiceWording struct {
	Title    string // heading of the first page
	Legal    string // what the document is and is not
	Foot     string // the same in the footer of each page
	To, From string // headings of the two parties
	Total    string // label of the total
}

// Chargeback is the wording of an invoice that is booked.
func Chargeback() InvoiceWording {
	return InvoiceWording{
		Title: "Internal chargeback invoice",
		Legal: "Internal recharge, no VAT, not a tax invoice",
		Foot:  "Internal recharge, no VAT, not a tax invoice",
		To:    "Charged to",
		From:  "Charged by",
		Total: "Total charge",
	}
}

// Showback is the wording of a statement that is not booked.
func Showback() InvoiceWording {
	return InvoiceWording{
		Title: "Showback statement",
		Legal: "For information. Nothing is booked.",
		Foot:  "Showback statement, for information only",
		To:    "Prepared for",
		From:  "Prepared by",
		Total: "Total cost",
	}
}

// InvoicePage is the page count of a footer.
func InvoicePage(page, pages int) string { return fmt.Sprintf("Page %d of %d", page, pages) }

// InvoicePeriod is a service period whose two dates both belong to it.
func InvoicePeriod(from, to string) string { return from + " to " + to }

// InvoiceCorrects says which closed month, and which document if it is known,
// a prior-period adjustment corrects.
func InvoiceCorrects(month, number string) string {
	if number == "" {
		return "corrects " + month
	}
	return "corrects " + number + " (" + month + ")"
}

// InvoiceSplit says how this cost centre's part of a shared cost was found.
func InvoiceSplit(method, ratio string) string {
	switch {
	case method == "" && ratio == "":
		return ""
	case ratio == "":
		return "split " + method
	case method == "":
		return "share " + ratio
	}
	return "split " + method + ", share " + ratio
}

// InvoiceEstimatedLine marks a line that holds estimates.
func InvoiceEstimatedLine(requests int64) string {
	return quantity(requests, "request", "requests") + " estimated"
}

// InvoiceEstimated is the note on estimates of the whole document.
func InvoiceEstimated(requests int64) string {
	return quantity(requests, "request is", "requests are") +
		" priced as an estimate; the lines concerned say so. A difference to the final price becomes a prior-period adjustment."
}

// InvoiceRounding explains why the lines add up.
func InvoiceRounding() string {
	return "The total is the exact sum, rounded once to the cent (half up). Lines and columns are then rounded by largest remainder, so that they add up to it. The CSV of this document shows every amount with 12 decimals as well."
}

// InvoiceAdjustments explains the prior-period section.
func InvoiceAdjustments() string {
	return "A closed month is never changed. Usage that arrived or was corrected after its close is charged here, with the month and document that it corrects."
}

// InvoiceTerms says how an invoice is settled and until when it can be disputed.
func InvoiceTerms(period, disputeUntil, contact string) string {
	settled := "Charged by journal in posting period " + period + "; no payment is due."
	if disputeUntil == "" {
		return settled
	}
	return settled + " Dispute by " + disputeUntil + " to " + contact + "; a justified dispute is settled by a credit memo and a new invoice."
}

// StatementTerms says what a statement is for.
func StatementTerms(disputeUntil, contact string) string {
	text := "For information. Nothing is booked."
	if disputeUntil == "" {
		return text
	}
	return text + " Questions by " + disputeUntil + " to " + contact + "."
}

// InvoiceWaiver is the note on one check of the month's close that failed and
// was waived.
func InvoiceWaiver(gate, by, reason string) string {
	return "Check \"" + gate + "\" failed at the close of this month and was waived by " + by + ": " + reason
}

// InvoiceHeld is the note on records that the month holds back. It is empty
// where there are none.
func InvoiceHeld(unpriced, pending, conflicts int64) string {
	var parts []string
	if unpriced != 0 {
		parts = append(parts, quantity(unpriced, "request", "requests")+" without a price")
	}
	if pending != 0 {
		parts = append(parts, quantity(pending, "request that waits", "requests that wait")+" for the provider's usage")
	}
	if conflicts != 0 {
		parts = append(parts, quantity(conflicts, "record", "records")+" with conflicting copies")
	}
	if len(parts) == 0 {
		return ""
	}
	return "Held at the close and not charged here: " + strings.Join(parts, ", ") +
		". Once resolved they are charged as prior-period adjustments."
}

// InvoiceBanner is the line on the first page that points to the notes. It is
// empty where nothing was waived or held.
func InvoiceBanner(waivers int, held int64) string {
	var parts []string
	if waivers > 0 {
		parts = append(parts, quantity(int64(waivers), "waived check", "waived checks"))
	}
	if held > 0 {
		parts = append(parts, quantity(held, "held record", "held records"))
	}
	if len(parts) == 0 {
		return ""
	}
	return "This month was closed with " + strings.Join(parts, " and ") + ": see the notes."
}

// InvoiceAttachment names the file inside the PDF.
func InvoiceAttachment(file string) string {
	return "The attached file " + file + " holds the same lines with exact amounts."
}

// InvoiceReplaced explains the question marks.
func InvoiceReplaced() string {
	return "Characters that the fonts of this document lack are printed as \"?\"; the CSV holds the full text of the lines."
}

// InvoiceBudget is the figure beside a budget's bar; amounts are grouped text
// and thresholds a list of percentages, which may be empty.
func InvoiceBudget(actual, amount string, percent int64, thresholds string) string {
	text := actual + " of " + amount + " (" + strconv.FormatInt(percent, 10) + " %)"
	if thresholds == "" {
		return text
	}
	return text + ", warns at " + thresholds + " %"
}

// InvoiceNoLines stands in the table where there is nothing to charge.
func InvoiceNoLines() string { return "No usage and no shared cost in this period." }

// InvoiceMore stands for what a list leaves out.
func InvoiceMore(n int) string { return "and " + strconv.Itoa(n) + " more" }

// JournalMemo is the text of a journal line.
func JournalMemo(month, code, name string) string {
	memo := "AI usage " + month + " " + code
	if name != "" {
		memo += " " + name
	}
	return memo
}

// GroupThousands puts commas into the whole part of a decimal number:
// "-1234567.89" becomes "-1,234,567.89".
func GroupThousands(number string) string {
	whole, fraction, hasFraction := strings.Cut(number, ".")
	digits, negative := strings.CutPrefix(whole, "-")
	var grouped strings.Builder
	if negative {
		grouped.WriteByte('-')
	}
	for i, digit := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			grouped.WriteByte(',')
		}
		grouped.WriteRune(digit)
	}
	if hasFraction {
		grouped.WriteString("." + fraction)
	}
	return grouped.String()
}

// quantity prints a count with the word that fits it.
func quantity(n int64, one, many string) string {
	word := many
	if n == 1 {
		word = one
	}
	return GroupThousands(strconv.FormatInt(n, 10)) + " " + word
}
