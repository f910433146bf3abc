package templates

import (
	"fmt"
	"strconv"
	"strings"
)

// DocumentWords is the fixed wording of one kind of document: an invoice, or
// the statement that a showback cost centre gets.
type DocumentWords struct {
	Title     string // heading of the first page
	Legal     string // what the document is and is not
	Foot      string // the same in the footer of each page
	To, From  string // headings of the two parties
	Total     string // label of the total
	NoBooking string // in place of the accounts where nothing is booked
	DocumentLabels
}

// InvoiceWords is the wording of an invoice that is booked.
func InvoiceWords() DocumentWords {
	return DocumentWords{
		Title:          "Internal chargeback invoice",
		Legal:          "Internal recharge, no VAT, not a tax invoice",
		Foot:           "Internal recharge, no VAT, not a tax invoice",
		To:             "Charged to",
		From:           "Charged by",
		Total:          "Total charge",
		NoBooking:      "The total is zero. Nothing is booked.",
		DocumentLabels: documentLabels(),
	}
}

// StatementWords is the wording of a statement that is not booked.
func StatementWords() DocumentWords {
	return DocumentWords{
		Title:          "Showback statement",
		Legal:          "For information. Nothing is booked.",
		Foot:           "Showback statement, for information only",
		To:             "Prepared for",
		From:           "Prepared by",
		Total:          "Total cost",
		NoBooking:      "For information. Nothing is booked.",
		DocumentLabels: documentLabels(),
	}
}

// DocumentLabels are the short words beside and above the figures, the same
// in both kinds of document.
type DocumentLabels struct {
	Number, Status, IssueDate, ServicePeriod, Zone, Currency                    string
	CostCenter, Department, Owner, CompanyCode, Contact, Approver               string
	Accounting, Debit, Credit, PostingPeriod, PostingDate, Journal              string
	Summary, Direct, Shared, Adjustments                                        string
	SubtotalDirect, SubtotalShared, SubtotalAdjustments                         string
	ByKind, ByAgent, LLM, Infrastructure, Tools                                 string
	Agent, Model, None, Tokens, Dollars                                         string
	Requests, CacheHits, Input, CacheRead, CacheWrite, Output                   string
	Infra, SharedColumn, TotalColumn                                            string
	Savings, Gross, Saved, ExtraCost, Net, Budget                               string
	NotPriced, Notes, Waiver, Held, Estimates, AdjustmentsNote, Rounding, Terms string
	ApprovedBy, DataSources, PriceBook, Directory, Run, LedgerHash              string
	Attachment, Characters, ContentHash                                         string
}

func documentLabels() DocumentLabels {
	return DocumentLabels{
		Number: "Number", Status: "Status", IssueDate: "Issue date", ServicePeriod: "Service period", Zone: "Time zone of the period", Currency: "Currency",
		CostCenter: "Cost centre", Department: "Department", Owner: "Owner", CompanyCode: "Company code", Contact: "Contact", Approver: "Approver",
		Accounting: "Accounting", Debit: "Debit", Credit: "Credit", PostingPeriod: "Posting period", PostingDate: "Posting date", Journal: "Journal",
		Summary: "Summary", Direct: "Direct usage", Shared: "Shared costs", Adjustments: "Prior-period adjustments",
		SubtotalDirect: "Subtotal direct usage", SubtotalShared: "Subtotal shared costs", SubtotalAdjustments: "Subtotal prior-period adjustments",
		ByKind: "Cost by kind", ByAgent: "Direct usage by agent", LLM: "LLM", Infrastructure: "Infrastructure", Tools: "Tools",
		Agent: "Agent", Model: "Model", None: "(none)", Tokens: "Tokens", Dollars: "US dollars",
		Requests: "Requests", CacheHits: "Cache hits", Input: "Input", CacheRead: "Cache read", CacheWrite: "Cache write", Output: "Output",
		Infra: "Infra", SharedColumn: "Shared", TotalColumn: "Total",
		Savings: "Cache savings (information, not part of the total)", Gross: "Direct usage without caching", Saved: "Saved by caching", ExtraCost: "Extra cost of caching", Net: "Direct usage as charged", Budget: "Budget and actual",
		NotPriced: "held", Notes: "Notes", Waiver: "Waived check", Held: "Held records", Estimates: "Estimates", AdjustmentsNote: "Adjustments", Rounding: "Rounding", Terms: "Terms",
		ApprovedBy: "Approved by", DataSources: "Data sources", PriceBook: "Price book", Directory: "Directory", Run: "Run", LedgerHash: "Ledger sha256",
		Attachment: "Attachment", Characters: "Characters", ContentHash: "content sha256",
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

// InvoiceBackground names what a background agent cost without a user; month is
// the closed month that it corrects, or "".
func InvoiceBackground(agent, month string) string {
	if month == "" {
		return "Background agent " + agent
	}
	return "Background agent " + agent + ", correction of " + month
}

// InvoiceUse says how a background agent's cost is split.
func InvoiceUse(first, last string) string {
	if first == last {
		return "by cost of use in " + first
	}
	return "by cost of use from " + first + " to " + last
}

// InvoiceGivenBack says why a background agent's owner gets back what it cost;
// use is from InvoiceUse.
func InvoiceGivenBack(use string) string { return "among those who used it, " + use }

// InvoiceUnused says why a background agent's owner keeps what it cost.
func InvoiceUnused(use string) string { return use + ": nobody used it, so its owner pays" }

// InvoiceEstimatedLine marks a line that holds estimates.
func InvoiceEstimatedLine(requests int64) string {
	return quantity(requests, "request", "requests") + " estimated"
}

// InvoiceHeldLine marks a line of which not all has a cost yet.
func InvoiceHeldLine(requests int64) string {
	return quantity(requests, "request", "requests") + " held, not charged here"
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

// InvoiceAccount is one side of the booking.
func InvoiceAccount(account, costCenter string) string {
	return account + ", cost centre " + costCenter
}

// InvoiceOtherAgents is the bar of all agents that have none of their own.
func InvoiceOtherAgents(n int) string { return "Other agents (" + strconv.Itoa(n) + ")" }

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

// InvoiceNobody stands for the share of who bears a shared cost alone, since
// nobody else used anything in the month.
func InvoiceNobody(month string) string { return "all, since nobody used anything in " + month }

// InvoiceTrueUp says why a part of a closed month's shared cost is corrected;
// the amounts are plain text.
func InvoiceTrueUp(was, is string) string {
	return "amount changed from " + was + " to " + is + " USD after the close"
}
