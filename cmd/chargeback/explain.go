package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chargeback/billing/explain"
	"chargeback/billing/invoice"
	"chargeback/billing/records"
	"chargeback/billing/report"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

const explainHelp = `Shows what a charge is made of: every quantity x unit price, where the price
comes from and what was taken off or put on it, who pays and by which row of
which file, and the line of the log that it was read from. The sums can be
checked by hand; the command checks them too and ends with 1 where they are
not what was charged.

What it takes: a record's id, any id of a request (the provider's, the
answer's, the agent platform's, the caller's own), a line of a document as
NUMBER/LINE, or a document's number, which lists its lines.`

// documentLine is a document's number with a line of it.
var documentLine = regexp.MustCompile(`^((?:CB|SB)-\d{4}-\d{2}-.+-r\d+)(?:/(\d+))?$`)

func explainCommand(w world, f *flags) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use: "explain RECORD|REQUEST-ID|INVOICE-LINE", Short: "Show the arithmetic of a charge, and who decided what", Long: explainHelp,
		Example: "  chargeback explain 4f1c2a9e-5b7d-4c1e-9a55-0f3f6f1f7d10\n  chargeback explain CB-2026-10-00420-r0/3",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("name one record, request or line of a document; see \"%s --help\"", c.CommandPath())
			}
			return nil
		},
	}
	c.Flags().Var(value[string]{&format, parseTextOrJSON, "FORMAT"}, "format", "text or json")
	c.RunE = func(c *cobra.Command, args []string) error {
		return toRead(w, f, func(ctx context.Context, a *books) error {
			x := &explainer{books: a, w: w, json: format == formatJSON}
			if m := documentLine.FindStringSubmatch(args[0]); m != nil {
				return x.document(ctx, m[1], m[2])
			}
			return x.request(ctx, args[0])
		})(c, nil)
	}
	return c
}

// explainer prints explanations.
type explainer struct {
	*books
	w    world
	json bool
}

func (x *explainer) line(format string, args ...any) {
	fmt.Fprintf(x.w.out, format+"\n", args...)
}

// fact prints a name and a text, broken at the terminal's width.
func (x *explainer) fact(name, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	width := 0
	if x.w.wrap > 0 {
		width = max(30, x.w.wrap-14)
	}
	for i, part := range folded(text, width) {
		if i > 0 {
			name = ""
		}
		x.line("  %-11s %s", name, part)
	}
}

// folded breaks a text at blanks.
func folded(text string, width int) (lines []string) {
	for width > 0 && len([]rune(text)) > width {
		at := strings.LastIndex(string([]rune(text)[:width+1]), " ")
		if at <= 0 {
			break
		}
		lines = append(lines, text[:at])
		text = text[at+1:]
	}
	return append(lines, text)
}

// recordJSON is a record in JSON.
type recordJSON struct {
	report.Explained
	Decided    string             `json:"decided"`
	Arithmetic explain.Arithmetic `json:"arithmetic"`
}

func (x *explainer) request(ctx context.Context, id string) error {
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		number = -1
	}
	days, err := report.DaysOf(ctx, x.Ledger, id, number)
	if err != nil {
		return err
	}
	records, err := report.Explain(ctx, x.Ledger, id, number, days)
	if err != nil {
		return err
	}
	if call, made := strings.CutPrefix(id, "chatcmpl-"); made && len(records) == 0 { // an answer's id that the gateway made of the call's
		ofCall, err := report.DaysOf(ctx, x.Ledger, call, -1)
		if err != nil {
			return err
		}
		if records, err = report.Explain(ctx, x.Ledger, call, -1, ofCall); err != nil {
			return err
		}
	}
	conflicts, err := report.ConflictsOf(ctx, x.Ledger.Records, id, days)
	if err != nil {
		return err
	}
	if len(records)+len(conflicts) == 0 {
		return usage("%q is no record and no request that the ledger knows; ids of lines that were rejected or never delivered are in no record, see \"chargeback rejects\"", id)
	}
	var problems error
	var total money.USD
	var all []recordJSON
	for i, r := range records {
		decided, err := x.Decided(ctx, r, x.Settings.Config.Directory)
		if err != nil {
			return err
		}
		sum, err := explain.Of(r.Priced)
		problems = errors.Join(problems, err)
		total = total.Add(r.Total)
		if x.json {
			all = append(all, recordJSON{r, decided, sum})
			continue
		}
		if i > 0 {
			x.line("")
		}
		if err := x.record(ctx, r, decided, sum); err != nil {
			return err
		}
	}
	if x.json {
		var list []any
		for _, r := range all {
			list = append(list, r)
		}
		for _, c := range conflicts {
			list = append(list, conflictJSON{c})
		}
		return errors.Join(x.print(list), problems)
	}
	if len(records) > 1 {
		x.line("\n%s, %s USD together.", count(len(records), "record", "records"), total)
	}
	x.conflicts(conflicts, len(records) > 0)
	return problems
}

// conflictJSON is a conflict in JSON.
type conflictJSON struct {
	Conflict report.Conflict `json:"conflict"`
}

// conflicts tells of records of the request that are not charged because they
// contradict each other.
func (x *explainer) conflicts(all []report.Conflict, more bool) {
	for i, c := range all {
		if i > 0 && all[i-1].CallID == c.CallID && all[i-1].Kind == c.Kind && all[i-1].Day == c.Day {
			x.fact("", "%s %s, line %d", c.Source, c.Object, c.Line)
			continue
		}
		if i > 0 || more {
			x.line("")
		}
		x.line("Conflict: %s records of %s contradict each other; none of them is charged", c.Kind, cmp.Or(c.CallID, "one call"))
		x.fact("day", "%s", c.Day)
		x.fact("differ in", "%s", c.Differs)
		x.fact("records", "%s %s, line %d", c.Source, c.Object, c.Line)
	}
	if len(all) > 0 {
		x.fact("to do", "%s", report.ConflictAdvice)
	}
}

func (x *explainer) print(v any) error {
	out := json.NewEncoder(x.w.out)
	out.SetIndent("", "  ")
	return out.Encode(v)
}

func (x *explainer) record(ctx context.Context, r report.Explained, decided string, sum explain.Arithmetic) error {
	corrects, err := x.corrects(ctx, r)
	if err != nil {
		return err
	}
	title := fmt.Sprintf("Record %d", r.Record)
	switch {
	case r.Correction < 0:
		title += fmt.Sprintf(", reversed in %s what %s charged", r.Month, corrects)
	case r.Correction > 0:
		title += fmt.Sprintf(", a correction of %s charged in %s", corrects, r.Month)
	}
	x.line("%s", title)
	x.fact("request", "%s, %s, %s", r.At.UTC().Format("2006-01-02 15:04:05.999999 UTC"), strings.Trim(r.Provider+" "+r.Region, " "), r.Model)
	x.fact("day", "%s in %s, charged in %s", r.Date, x.Zone, r.Month)
	for _, place := range []struct {
		what, id, source, object string
		line                     int64
	}{{"usage", r.ProviderRequestID, r.UsageSource, r.UsageObject, r.UsageLine}, {"agent log", r.AgentRequestID, r.RequestSource, r.RequestObject, r.RequestLine}} {
		if place.object != "" {
			x.fact(place.what, "%s: %s %s, line %d", cmp.Or(place.id, "no id"), place.source, place.object, place.line)
		}
	}
	match := strings.ReplaceAll(r.Match, "_", " ")
	if r.Rung != "" {
		match += " by " + r.Rung
	}
	x.fact("match", "%s", match)
	x.fact("pays", "%s (%s), by %s", r.CostCenter, r.Department, cmp.Or(r.Attribution, "no rule"))
	if r.AdjustsCenter != "" {
		x.fact("", "for %s, which has ended; %s is its successor", r.AdjustsCenter, r.CostCenter)
	}
	x.fact("", "%s", decided)
	x.rate(r.Rate)
	if _, how, ok := x.Rates.Resolve(r.Provider, r.Region, r.Model); ok && r.Rate.Key != "" && r.Rate.Key != r.Provider+"/"+r.Model && r.Rate.PricedAs == "" {
		x.fact("", "the record's model, %s, is found by %s", r.Model, how)
	}
	switch {
	case r.Note != "" && r.Correction != 0:
		x.fact("reason", "%s", r.Note)
	case r.Note != "":
		x.fact("note", "%s", r.Note)
	}
	for _, flag := range r.Flags {
		if words := flagWords[flag]; words != "" {
			x.fact("TTL", "%s", words)
		}
	}
	if advice := report.Advice(r.Flags); advice != "" {
		x.fact("to do", "%s", advice)
	}
	x.arithmetic(sum)
	if r.Known && !r.Savings.IsZero() {
		x.saved(r.Priced)
	}
	return nil
}

// flagWords say who decided how long cache writes are kept, where the record
// that is charged doesn't.
var flagWords = map[string]string{
	records.FlagTTLMatched: "how long cache writes are kept is said by another record of the call",
	records.FlagTTL5m:      "cache writes are kept for 5 minutes by cache_ttl in the settings",
	records.FlagTTL1h:      "cache writes are kept for an hour by cache_ttl in the settings",
}

// corrects names the month that a record corrects, and its document.
func (x *explainer) corrects(ctx context.Context, r report.Explained) (string, error) {
	month, err := civil.ParseMonth(r.Adjusts)
	if r.Correction == 0 || err != nil {
		return r.Adjusts, nil
	}
	numbers, err := x.Ledger.Months.Numbers(ctx, month, month)
	if of := numbers[r.Adjusts][cmp.Or(r.AdjustsCenter, r.CostCenter)]; len(of) > 0 {
		return r.Adjusts + ", " + strings.Join(of, " and ") + ",", err
	}
	return r.Adjusts, err
}

// saved shows what caches saved, which is in no total.
func (x *explainer) saved(p report.Priced) {
	products, sum, err := explain.Saved(p)
	for _, s := range products {
		x.fact("saved", "%s %s x %s = %s USD", digits(s.Quantity), counted(s), s.PerText, s.Amount)
		if s.How != "" {
			x.fact("", "    %s", s.How)
		}
	}
	switch {
	case err != nil || !sum.Equal(p.Savings): // tokens that only the ledger tells apart
		x.fact("saved", "%s USD by caches, beside the total", p.Savings)
	case len(products) != 1:
		x.fact("saved", "= %s USD by caches, beside the total", p.Savings)
	}
}

// rate says by which price.
func (x *explainer) rate(t report.RateTerms) {
	if t.Rule == "" {
		x.fact("price", "none; rate book version %s", t.Version)
		return
	}
	as := ""
	if t.PricedAs != "" {
		as = ", as the settings say of this unknown model"
	}
	x.fact("price", "%s%s: %s", t.Key, as, t.Rule)
	known := ""
	if !t.Learned.IsZero() {
		known = ", learned " + t.Learned.Format(time.RFC3339)
	}
	x.fact("", "valid from %s%s; rate book version %s; source: %s", t.ValidFrom.Format(time.RFC3339), known, t.Version, cmp.Or(t.Source, "none given"))
}

func (x *explainer) arithmetic(sum explain.Arithmetic) {
	if sum.Why != "" {
		x.fact("total", "%s", sum.Why)
		return
	}
	for _, part := range sum.Parts {
		for _, p := range part.Products {
			x.fact(part.Name, "%s %s x %s = %s USD", digits(p.Quantity), counted(p), p.PerText, p.Amount)
			if p.How != "" {
				x.fact("", "    %s", p.How)
			}
		}
		if len(part.Products) != 1 && !part.Charged.IsZero() {
			x.fact(part.Name, "= %s USD", part.Charged)
		}
	}
	x.fact("total", "%s USD", sum.Total)
}

// counted is what a product counts, of one in the singular.
func counted(p explain.Product) string {
	first, rest, _ := strings.Cut(p.What, " ")
	switch {
	case p.Quantity != 1:
		return p.What
	case strings.HasPrefix(rest, "tokens"):
		return first + " token" + strings.TrimPrefix(rest, "tokens")
	case strings.HasSuffix(first, "s,"):
		return strings.TrimSuffix(first, "s,") + ", " + rest
	}
	return strings.TrimSpace(strings.TrimSuffix(first, "s") + " " + rest)
}

// digits groups thousands.
func digits(n int64) string {
	text := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, text = "-", text[1:]
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return sign + text
}

// lineJSON is a line of a document in JSON.
type lineJSON struct {
	Number string       `json:"number"`
	LineNo int          `json:"line_no"`
	Line   invoice.Line `json:"line"`
	Groups []groupJSON  `json:"groups,omitempty"`
}

type groupJSON struct {
	report.Priced
	Arithmetic explain.Arithmetic `json:"arithmetic"`
}

func (x *explainer) document(ctx context.Context, number, lineNo string) error {
	d, ok, err := x.Document(ctx, number)
	if err != nil {
		return err
	}
	if !ok {
		return usage("no document %s was issued; \"chargeback status\" tells which months are closed", number)
	}
	var lines []invoice.Line
	for _, s := range d.Sections() {
		lines = append(lines, s.Lines...)
	}
	if lineNo == "" {
		x.line("%s, %s, %s: %s USD", number, d.Period.Month, d.Party.Code, d.Total.Cents.Total)
		for i, l := range lines {
			x.line("  %s/%d  %s USD  %s", number, i+1, l.Cents.Total, lineName(l))
		}
		return nil
	}
	n, err := strconv.Atoi(lineNo)
	if err != nil || n < 1 || n > len(lines) {
		return usage("%s has lines 1 to %d; \"chargeback explain %s\" lists them", number, len(lines), number)
	}
	return x.invoiceLine(ctx, d, n, lines[n-1])
}

// lineName says what a line of a document is about.
func lineName(l invoice.Line) string {
	name := cmp.Or(l.AgentID, "no agent") + ", " + l.Model
	if l.SharedName != "" {
		name = strings.TrimSuffix(fmt.Sprintf("%s, shared %s (%s)", l.SharedName, l.Method, l.Ratio), " ()")
	}
	if l.AdjustsMonth != "" {
		name += ", corrects " + strings.TrimSpace(l.AdjustsMonth+" "+l.AdjustsInvoice)
	}
	if l.Reason != "" {
		name += ": " + l.Reason
	}
	return name
}

func (x *explainer) invoiceLine(ctx context.Context, d invoice.Document, n int, l invoice.Line) error {
	month, err := civil.ParseMonth(d.Period.Month)
	if err != nil {
		return err
	}
	out := lineJSON{Number: d.Number, LineNo: n, Line: l}
	var problems error
	var sum money.USD
	if l.SharedName == "" {
		groups, err := report.ExplainLine(ctx, x.Ledger, ledgerLine(month, d.Party.Code, l))
		if err != nil {
			return err
		}
		for _, g := range groups {
			a, err := explain.Of(g)
			problems = errors.Join(problems, err)
			sum = sum.Add(g.Total)
			out.Groups = append(out.Groups, groupJSON{g, a})
		}
		if !sum.Equal(l.Exact.Total) {
			problems = errors.Join(problems, fmt.Errorf("%w: records of %s/%d are %s USD, the line is %s USD", explain.ErrNotTied, d.Number, n, sum, l.Exact.Total))
		}
	}
	if x.json {
		return errors.Join(x.print(out), problems)
	}
	x.line("%s, line %d: %s", d.Number, n, lineName(l))
	x.correction(l)
	if l.SharedName != "" {
		x.shared(l)
	}
	for _, g := range out.Groups {
		x.line("")
		x.line("  %s, %s", requests(g.Records), strings.ReplaceAll(g.Pricing, "_", " "))
		x.rate(g.Rate)
		x.arithmetic(g.Arithmetic)
	}
	if l.SharedName == "" {
		if err := x.behind(ctx, month, d.Party.Code, l); err != nil {
			return err
		}
	}
	x.line("")
	x.fact("exact", "%s USD", l.Exact.Total)
	x.fact("as shown", "%s USD: cents, the document's total rounded half up once, subtotals and lines less than a cent away so that they add up", l.Cents.Total)
	return problems
}

// ledgerLine names a line of a document to the ledger.
func ledgerLine(month civil.Month, costCenter string, l invoice.Line) report.DocumentLine {
	return report.DocumentLine{
		Month: month, CostCenter: costCenter, Agent: l.AgentID, Model: l.Model, Adjusts: l.AdjustsMonth,
		Reason: l.Reason, AdjustsCode: l.AdjustsCode, Counterpart: l.Counterpart, Reversed: l.Reversed,
	}
}

// correction tells why a line corrects a closed month and what it moved.
func (x *explainer) correction(l invoice.Line) {
	if l.Reason != "" {
		x.fact("correction", "%s", l.Reason)
	}
	m := l.Moved()
	switch {
	case m.From != "":
		x.fact("moved from", "cost centre %s", m.From)
	case m.To != "":
		x.fact("moved to", "cost centre %s", m.To)
	}
	if m.Known {
		x.fact("amount", "%s USD before, %s USD now", m.Before, m.Now)
	}
}

// shared tells how a part of a shared cost, or of a background agent's, was found.
func (x *explainer) shared(l invoice.Line) {
	switch {
	case l.Ratio == "":
		x.fact("shared cost", "%s USD, split %s", l.Whole, l.Method)
	case !strings.Contains(l.Ratio, " of "):
		x.fact("shared cost", "%s USD, split %s: %s", l.Whole, l.Method, l.Ratio)
	default:
		x.fact("shared cost", "%s, split %s: this part is %s of the whole", l.SharedName, l.Method, l.Ratio)
		if !l.Whole.IsZero() {
			x.fact("", "%s USD x %s = %s USD, to 12 decimals; the last digits go by largest remainder, so that the parts add up", l.Whole, strings.Replace(l.Ratio, " of ", " / ", 1), l.Exact.Total)
		}
	}
	if l.AdjustsMonth != "" {
		x.fact("", "by the weights of %s, which it corrects", l.AdjustsMonth)
	}
	if l.AgentID != "" {
		x.fact("", "the whole is what agent %s did without a user, which its owner's lines hold; the owner gets it back", l.AgentID)
	}
}

// behind says by which rules the records of a line are paid by whoever pays, and
// names records to go on with.
func (x *explainer) behind(ctx context.Context, month civil.Month, costCenter string, l invoice.Line) error {
	rules, err := report.RulesOfLine(ctx, x.Ledger, ledgerLine(month, costCenter, l))
	if err != nil {
		return err
	}
	x.line("")
	for _, r := range rules {
		var ids []string
		for _, id := range r.Sample {
			ids = append(ids, strconv.FormatInt(id, 10))
		}
		of := ""
		if r.Records > int64(len(ids)) {
			of = ", ..."
		}
		if len(ids) == 0 {
			x.fact("pays", "%s by %s", requests(r.Records), cmp.Or(r.Attribution, "no rule"))
			continue
		}
		x.fact("pays", "%s by %s; \"chargeback explain\" %s%s", requests(r.Records), cmp.Or(r.Attribution, "no rule"), strings.Join(ids, ", "), of)
	}
	return nil
}

func requests(n int64) string {
	if n == 1 {
		return "1 request"
	}
	return digits(n) + " requests"
}
