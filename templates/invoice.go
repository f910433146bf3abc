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
	NoLines   string // in the table where there is nothing to charge
	DocumentLabels

	RoundingText    string // why the lines add up
	AdjustmentsText string // what corrections are
	CloseText       string // who let the document go out, "" where nothing is said of it
}

// InvoiceWords is the wording of an invoice that is booked.
func InvoiceWords() DocumentWords {
	return sentences(DocumentWords{
		Title:          "Internal chargeback invoice",
		Legal:          "Internal recharge, no VAT, not a tax invoice",
		Foot:           "Internal recharge, no VAT, not a tax invoice",
		To:             "Charged to",
		From:           "Charged by",
		Total:          "Total charge",
		NoBooking:      "There is nothing to charge. Nothing is booked.",
		DocumentLabels: documentLabels(),
	})
}

// CreditWords is the wording of an invoice that gives back more than it charges.
func CreditWords() DocumentWords {
	return sentences(DocumentWords{
		Title:          "Internal credit note",
		Legal:          "Internal recharge, no VAT, not a tax credit note",
		Foot:           "Internal recharge, no VAT, not a tax credit note",
		To:             "Credited to",
		From:           "Credited by",
		Total:          "Total credit",
		NoBooking:      "There is nothing to credit. Nothing is booked.",
		DocumentLabels: documentLabels(),
	})
}

// StatementWords is the wording of a statement that is not booked.
func StatementWords() DocumentWords {
	return sentences(DocumentWords{
		Title:          "Showback statement",
		Legal:          "For information. Nothing is booked.",
		Foot:           "Showback statement, for information only",
		To:             "Prepared for",
		From:           "Prepared by",
		Total:          "Total cost",
		NoBooking:      "For information. Nothing is booked.",
		DocumentLabels: documentLabels(),
	})
}

// StatementCreditWords is the wording of a statement below zero.
func StatementCreditWords() DocumentWords {
	w := StatementWords()
	w.Title, w.Total = "Showback statement (credit)", "Total credit"
	return w
}

func sentences(w DocumentWords) DocumentWords {
	w.NoLines = "No usage in this month, no shared costs and no adjustments."
	w.RoundingText = "The total is the exact sum, rounded once to the cent (half up). The sums of columns and sections, then lines, follow from it, each less than a cent from its exact amount, so that everything adds up. The CSV of this document shows every amount with 12 decimals as well."
	w.AdjustmentsText = "A closed month is never changed. What arrived or was corrected after its close is charged or given back here, with the month and document that it corrects. Amounts below zero are given back."
	w.CloseText = "Closed automatically after its checks had passed or were waived, as noted here; no approval was asked for."
	return w
}

// DocumentLabels are the short words beside and above the figures, the same
// in both kinds of document.
type DocumentLabels struct {
	Number, Status, IssueDate, ServicePeriod, Zone, Currency                    string
	CostCenter, Department, Owner, CompanyCode, Contact, Approver               string
	Accounting, Debit, Credit, PostingPeriod, PostingDate, Journal, Between     string
	Summary, Direct, Shared, Adjustments                                        string
	SubtotalDirect, SubtotalShared, SubtotalAdjustments                         string
	ByKind, ByAgent, LLM, Infrastructure, Tools                                 string
	Agent, Model, None, Tokens, Dollars                                         string
	Requests, CacheHits, Input, CacheRead, CacheWrite, Output                   string
	Infra, SharedColumn, TotalColumn                                            string
	Savings, Gross, Saved, ExtraCost, Net, Budget                               string
	NotPriced, Notes, Waiver, Held, Estimates, AdjustmentsNote, Rounding, Terms string
	Close, DataSources, PriceBook, Directory, Run, LedgerHash                   string
	Attachment, Characters, ContentHash                                         string
}

func documentLabels() DocumentLabels {
	return DocumentLabels{
		Number: "Number", Status: "Status", IssueDate: "Issue date", ServicePeriod: "Service period", Zone: "Time zone of the period", Currency: "Currency",
		CostCenter: "Cost centre", Department: "Department", Owner: "Owner", CompanyCode: "Company code", Contact: "Contact", Approver: "Responsible",
		Accounting: "Accounting", Debit: "Debit", Credit: "Credit", PostingPeriod: "Posting period", PostingDate: "Posting date", Journal: "Journal", Between: "Intercompany",
		Summary: "Summary", Direct: "Direct usage", Shared: "Shared costs", Adjustments: "Prior-period adjustments",
		SubtotalDirect: "Subtotal direct usage", SubtotalShared: "Subtotal shared costs", SubtotalAdjustments: "Subtotal prior-period adjustments",
		ByKind: "Cost by kind", ByAgent: "Direct usage by agent", LLM: "LLM", Infrastructure: "Infrastructure", Tools: "Tools",
		Agent: "Agent", Model: "Model", None: "(none)", Tokens: "Tokens", Dollars: "US dollars",
		Requests: "Requests", CacheHits: "Cache hits", Input: "Input", CacheRead: "Cache read", CacheWrite: "Cache write", Output: "Output",
		Infra: "Infra", SharedColumn: "Shared", TotalColumn: "Total",
		Savings: "Cache savings (information, not part of the total)", Gross: "Direct usage without caching", Saved: "Saved by caching", ExtraCost: "Extra cost of caching", Net: "Direct usage as charged", Budget: "Budget and actual",
		NotPriced: "held", Notes: "Notes", Waiver: "Waived check", Held: "Held records", Estimates: "Estimates", AdjustmentsNote: "Adjustments", Rounding: "Rounding", Terms: "Terms",
		Close: "Close", DataSources: "Data sources", PriceBook: "Price book", Directory: "Directory", Run: "Run", LedgerHash: "Ledger sha256",
		Attachment: "Attachment", Characters: "Characters", ContentHash: "content sha256",
	}
}

// InvoicePage is the page count of a footer.
func InvoicePage(page, pages int) string { return fmt.Sprintf("Page %d of %d", page, pages) }

// InvoicePeriod is a service period whose two dates both belong to it.
func InvoicePeriod(from, to string) string { return from + " to " + to }

// InvoiceCorrects says which closed month, and which document if it is known,
// a prior-period adjustment corrects; code is the cost centre of that document
// where it is another one.
func InvoiceCorrects(month, number, code string) string {
	of := ""
	if code != "" {
		of = " of cost centre " + code
	}
	if number == "" {
		return "corrects " + month + of
	}
	return "corrects " + number + of + " (" + month + ")"
}

// InvoiceMoved says why a correction was made, between which cost centres it
// moved an amount, and what was charged before and is now; amounts are grouped
// text, "" where they are not known.
func InvoiceMoved(reason, from, to, before, now string) string {
	var parts []string
	if reason != "" {
		parts = append(parts, reason)
	}
	switch {
	case from != "":
		parts = append(parts, "moved here from cost centre "+from)
	case to != "":
		parts = append(parts, "moved to cost centre "+to)
	}
	if before != "" || now != "" {
		parts = append(parts, before+" USD before, "+now+" USD now")
	}
	return strings.Join(parts, "; ")
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

// InvoiceTerms says how an invoice, or a credit note, is settled and until when
// it can be disputed.
func InvoiceTerms(period, disputeUntil, contact string, credit bool) string {
	settled := "Charged by journal in posting period " + period + "; no payment is due."
	if credit {
		settled = "Credited by journal in posting period " + period + "; nothing is paid out."
	}
	if disputeUntil == "" {
		return settled
	}
	return settled + " Dispute by " + disputeUntil + " to " + contact + "; what proves wrong is corrected in a later month."
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
// was waived: what was measured, and the bound, such as "up to 5 records", "" where it isn't known.
func InvoiceWaiver(gate, by, reason, measured, bound string) string {
	text := "Check \"" + gate + "\" failed at the close of this month"
	if measured != "" {
		text += " with " + measured
	}
	text += " and was waived"
	if bound != "" {
		text += " " + bound
	}
	return text + " by " + by + ": " + reason
}

// InvoiceSource is the note on a source of data and what came of it.
func InvoiceSource(name, format, outcome string) string {
	text := name
	if format != "" {
		text += " (" + format + ")"
	}
	if outcome != "" {
		text += ": " + outcome
	}
	return text
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

// InvoiceUnshown explains code points in brackets.
func InvoiceUnshown() string {
	return "Code points in brackets, such as [U+1F916], stand for characters that no font had when this document was made; the CSV holds the full text of the lines."
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

// InvoiceAccount is one side of the booking.
func InvoiceAccount(account, costCenter string) string {
	return account + ", cost centre " + costCenter
}

// InvoiceBetween is the accounts by which two companies balance.
func InvoiceBetween(dueTo, party, dueFrom, issuer string) string {
	return "due to " + dueTo + " (company " + party + "), due from " + dueFrom + " (company " + issuer + ")"
}

// InvoiceBookedApart says that the journal has lines on both sides.
func InvoiceBookedApart() string {
	return "Usage, shared costs and each corrected document are booked apart."
}

// InvoiceOtherAgents is the bar of all agents that have none of their own.
func InvoiceOtherAgents(n int) string { return "Other agents (" + strconv.Itoa(n) + ")" }

// InvoiceMore stands for what a list leaves out.
func InvoiceMore(n int) string { return "and " + strconv.Itoa(n) + " more" }

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

// InvoiceBackgroundCorrected says why a background agent's cost of a closed month is
// divided again.
func InvoiceBackgroundCorrected() string {
	return "its records of that month were corrected after the close; divided as at the close"
}

func isZero(amount string) bool { return strings.Trim(amount, "0.") == "" }

// InvoiceTrueUp says why a part of a closed month's shared cost is corrected;
// the amounts are plain text.
func InvoiceTrueUp(was, is string) string {
	switch {
	case isZero(is):
		return "a cost of " + was + " USD was removed after the close"
	case isZero(was):
		return "a cost of " + is + " USD was added after the close"
	}
	return "amount changed from " + was + " to " + is + " USD after the close"
}
