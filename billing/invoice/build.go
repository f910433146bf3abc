package invoice

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"chargeback/transform/money"
)

// Build makes the document of in. The total is the exact sum of all charges
// and shared costs, rounded once, half up; subtotals, then lines, get whole
// cents so that everything on the page adds up in both directions. An input
// that cannot become a document is refused with the field that is wrong.
func Build(in Input) (Document, error) {
	if err := check(in); err != nil {
		return Document{}, fmt.Errorf("build document %s: %w", in.Number, err)
	}
	direct, adjustments := chargeLines(in.Charges)
	shared, trueUps := sharedLines(in.Shared)
	adjustments = append(adjustments, trueUps...)
	sortLines(adjustments)
	if err := round(direct, shared, adjustments); err != nil {
		return Document{}, fmt.Errorf("build document %s: %w", in.Number, err)
	}
	doc := Document{
		Format:          formatNow,
		Number:          in.Number,
		Status:          StatusFinal,
		Period:          in.Period,
		IssueDate:       in.IssueDate,
		DisputeUntil:    in.DisputeUntil,
		Issuer:          in.Issuer,
		Party:           in.Party,
		RecoveryAccount: in.RecoveryAccount,
		Intercompany:    in.Intercompany,
		Direct:          section(SectionDirect, direct),
		Shared:          section(SectionShared, shared),
		Adjustments:     section(SectionAdjustments, adjustments),
		Notes:           sortedNotes(in.Notes),
	}
	doc.Total = doc.Direct.Subtotal.plus(doc.Shared.Subtotal).plus(doc.Adjustments.Subtotal)
	doc.Savings = savings(doc.Direct)
	hash, err := contentHash(doc)
	if err != nil {
		return Document{}, fmt.Errorf("hash document %s: %w", in.Number, err)
	}
	doc.ContentHash = hash
	return doc, nil
}

// chargeLines merges charges with the same key and sorts the lines of this
// month and the adjustments of earlier ones.
func chargeLines(charges []Charge) (direct, adjustments []*Line) {
	byKey := map[string]*Line{}
	for _, c := range charges {
		key := joinKey("1", c.AgentID, c.Model, c.AdjustsMonth, c.AdjustsInvoice, c.AdjustsCode, c.Reason, c.Counterpart, strconv.FormatBool(c.HasCounter), strconv.FormatBool(c.moved() && c.Reversed))
		line, found := byKey[key]
		if !found {
			line = &Line{
				AgentID: c.AgentID, Model: c.Model, AdjustsMonth: c.AdjustsMonth, AdjustsInvoice: c.AdjustsInvoice, AdjustsCode: c.AdjustsCode,
				Reason: c.Reason, Counterpart: c.Counterpart, Reversed: c.moved() && c.Reversed, HasCounter: c.HasCounter, key: key,
			}
			byKey[key] = line
			if c.AdjustsMonth == "" {
				direct = append(direct, line)
			} else {
				adjustments = append(adjustments, line)
			}
		}
		addCharge(line, c)
	}
	sortLines(direct)
	return direct, adjustments
}

func addCharge(line *Line, c Charge) {
	// A renamed agent shows its first name in the alphabet, whichever charge came first.
	if c.AgentName != "" && (line.AgentName == "" || c.AgentName < line.AgentName) {
		line.AgentName = c.AgentName
	}
	line.Amounts = line.plus(Amounts{
		Quantities: Quantities{
			Requests:         c.Requests,
			CacheHits:        c.CacheHits,
			Estimated:        c.Estimated,
			Held:             c.Held,
			InputTokens:      c.InputTokens,
			CacheReadTokens:  c.CacheReadTokens,
			CacheWriteTokens: c.CacheWriteTokens,
			OutputTokens:     c.OutputTokens,
		},
		Exact: Exact{LLM: c.LLM, Infra: c.Infra, Tool: c.Tool, Total: money.Sum(c.LLM, c.Infra, c.Tool)},
	})
	line.CacheSavings = line.CacheSavings.Add(c.CacheSavings)
	line.CounterAmount = line.CounterAmount.Add(c.CounterAmount)
}

// sharedLines makes one line of each shared cost, of this month and of those
// that adjust a closed one. Shared costs that are equal in all but the amount
// stay apart.
func sharedLines(shared []Shared) (lines, adjustments []*Line) {
	all := make([]*Line, len(shared))
	for i, s := range shared {
		all[i] = &Line{
			SharedName: s.Name, Method: s.Method, Ratio: s.Ratio, AgentID: s.AgentID, Whole: s.Whole,
			AdjustsMonth: s.AdjustsMonth, AdjustsInvoice: s.AdjustsInvoice, Reason: s.Reason,
			Amounts: Amounts{Exact: Exact{Shared: s.Amount, Total: s.Amount}},
			key:     joinKey("2", s.Name, s.Method, s.Ratio, s.AgentID, s.Whole.String(), s.AdjustsMonth, s.AdjustsInvoice, s.Reason),
		}
	}
	sortLines(all)
	for i, line := range all {
		line.key += joinKey("", strconv.Itoa(i))
		if line.AdjustsMonth == "" {
			lines = append(lines, line)
		} else {
			adjustments = append(adjustments, line)
		}
	}
	return lines, adjustments
}

// joinKey joins parts so that different parts never give the same key.
func joinKey(parts ...string) string {
	var key strings.Builder
	for _, p := range parts {
		key.WriteString(strconv.Quote(p))
	}
	return key.String()
}

// sortLines sorts dearest first, then by key.
func sortLines(lines []*Line) {
	slices.SortFunc(lines, func(a, b *Line) int {
		return cmp.Or(b.Exact.Total.Cmp(a.Exact.Total), strings.Compare(a.key, b.key))
	})
}

func section(name SectionName, lines []*Line) Section {
	s := Section{Name: name, Lines: make([]Line, len(lines))}
	for i, line := range lines {
		s.Lines[i] = *line
		s.Subtotal = s.Subtotal.plus(line.Amounts)
	}
	return s
}

func savings(direct Section) Savings {
	var exact money.USD
	for _, line := range direct.Lines {
		exact = exact.Add(line.CacheSavings)
	}
	saved, net := exact.Cents(), direct.Subtotal.Cents.Total
	if gross := newFigure(exact.Add(direct.Subtotal.Exact.Total)); !gross.allows(net + saved) {
		f := newFigure(exact) // the other cent, since both were rounded the same way
		saved = f.floor + f.top() - saved
	}
	return Savings{Exact: exact, Gross: net + saved, Saved: saved, Net: net}
}

// sortedNotes gives the notes an order of their own and drops repetitions.
func sortedNotes(n Notes) Notes {
	n.Waivers = slices.SortedFunc(slices.Values(n.Waivers), func(a, b Waiver) int {
		return cmp.Or(cmp.Compare(a.Gate, b.Gate), cmp.Compare(a.By, b.By), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Bound, b.Bound), cmp.Compare(a.Measured, b.Measured))
	})
	n.Waivers = slices.Compact(n.Waivers)
	n.Budgets = slices.Clone(n.Budgets)
	for i := range n.Budgets {
		n.Budgets[i].Thresholds = slices.Sorted(slices.Values(n.Budgets[i].Thresholds))
	}
	slices.SortFunc(n.Budgets, func(a, b Budget) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Scope, b.Scope),
			a.Amount.Cmp(b.Amount), a.Actual.Cmp(b.Actual), slices.Compare(a.Thresholds, b.Thresholds))
	})
	n.DataSources = slices.Compact(slices.Sorted(slices.Values(n.DataSources)))
	n.Sources = slices.Compact(slices.SortedFunc(slices.Values(n.Sources), func(a, b SourceNote) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Format, b.Format), cmp.Compare(a.Outcome, b.Outcome))
	}))
	n.RateVersions = slices.Compact(slices.Sorted(slices.Values(n.RateVersions)))
	return n
}

// contentHash hashes the document's JSON, in which amounts are exact text and
// fields have a fixed order.
func contentHash(doc Document) (string, error) {
	doc.ContentHash, doc.Output = "", Output{}
	content, err := json.Marshal(doc)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append([]byte("chargeback document 1\n"), content...))
	return hex.EncodeToString(sum[:]), nil
}
