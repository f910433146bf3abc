package report

import (
	"cmp"
	"context"
	_ "embed" // text of a select
	"fmt"
	"maps"
	"slices"
	"strings"

	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/transform/money"
	"chargeback/transform/rates"
)

// noteRecords says of the records behind a report what its totals lack, and what
// of its totals rests on a guess: how many records, and what they cost. q is what
// counting gave.
func (r *Report) noteRecords(ctx context.Context, q Querier) error {
	groups, err := readFlagged(ctx, q)
	if err != nil {
		return fmt.Errorf("read report %s: %w", r.Name, err)
	}
	r.noteHeld(groups)
	guesses := map[string]*guess{}
	for _, g := range groups {
		for _, flag := range records.Flags(g.Flags) {
			if g.Held {
				continue
			}
			if guesses[flag] == nil {
				guesses[flag] = &guess{known: true}
			}
			guesses[flag].add(flag, g)
		}
	}
	for _, flag := range slices.SortedFunc(maps.Keys(guesses), byKind) {
		if g := guesses[flag]; g.records != 0 {
			if text := g.text(flag); text != "" {
				r.note("%s", text)
			}
		}
	}
	return nil
}

// byKind puts flags in the order in which notes tell of them.
func byKind(a, b string) int {
	kind := func(flag string) int {
		return slices.IndexFunc([]string{records.FlagTTLUnknown, records.FlagTier, records.FlagClass, records.FlagForecast, records.FlagPricedAs, records.FlagReported}, func(k string) bool { return strings.HasPrefix(flag, k) })
	}
	return cmp.Or(cmp.Compare(kind(a), kind(b)), strings.Compare(a, b))
}

// tokenSums are sums of tokens by class, as selects name them.
type tokenSums struct {
	Input, CacheRead                                                 int64
	CacheWrite5m                                                     int64 `column:"cache_write_5m"`
	CacheWrite1h                                                     int64 `column:"cache_write_1h"`
	CacheWriteUnknown, Output, Reasoning                             int64
	InputAudio, InputImage, CacheReadAudio, OutputAudio, OutputImage int64
}

// flagged is records that one rate priced, or that are held for one reason. Parts of a
// class of tokens are taken out of it.
type flagged struct {
	Flags, Note string
	Held        bool
	RateID      int64
	Terms       *string
	Records     int64
	LLM         money.USD
	tokenSums

	terms map[string]rates.Term `column:"-"` // of the rate, by class
}

//go:embed flagged.sql
var flaggedText string

// readFlagged sums the records that are held or flagged.
func readFlagged(ctx context.Context, q Querier) ([]flagged, error) {
	groups, err := warehouse.All[flagged](ctx, q, warehouse.Select{Name: "what is flagged", Text: flaggedText})
	for i := range groups {
		g := &groups[i]
		if g.Terms == nil {
			continue
		}
		terms, err := parseTerms(g.RateID, *g.Terms)
		if err != nil {
			return nil, err
		}
		g.terms = map[string]rates.Term{}
		for _, t := range terms {
			g.terms[t.Class] = t
		}
	}
	return groups, err
}

// tokens are the tokens of each class, as they are priced.
func (f flagged) tokens() map[rates.Class]int64 {
	return map[rates.Class]int64{
		rates.Input: f.Input, rates.CacheRead: f.CacheRead, rates.CacheWrite5m: f.CacheWrite5m + f.CacheWriteUnknown, rates.CacheWrite1h: f.CacheWrite1h,
		rates.Output: f.Output, rates.Reasoning: f.Reasoning, rates.InputAudio: f.InputAudio, rates.InputImage: f.InputImage,
		rates.CacheReadAudio: f.CacheReadAudio, rates.OutputAudio: f.OutputAudio, rates.OutputImage: f.OutputImage,
	}
}

// noteHeld says how many requests have no cost, and why.
func (r *Report) noteHeld(groups []flagged) {
	var held int64
	why := map[string]int64{}
	for _, g := range groups {
		if g.Held {
			held += g.Records
			why[g.Note] += g.Records
		}
	}
	if held == 0 {
		return
	}
	var reasons []string
	for _, note := range slices.SortedFunc(maps.Keys(why), func(a, b string) int { return cmp.Or(cmp.Compare(why[b], why[a]), strings.Compare(a, b)) }) {
		reasons = append(reasons, fmt.Sprintf("%s (%s)", grouped(why[note]), note))
	}
	r.note("%s held without a cost: %s. Costs do not include them.", plural(held, "request is", "requests are"), strings.Join(reasons, ", "))
}

// guess is what the records with one flag come to.
type guess struct {
	records, tokens int64
	usd, hour       money.USD
	known           bool // the rates that the ledger keeps tell both amounts
	as              map[string]bool
}

// add adds records that have the flag.
func (g *guess) add(flag string, f flagged) {
	g.records += f.Records
	class, ofClass := strings.CutPrefix(flag, records.FlagClass)
	switch {
	case flag == records.FlagTTLUnknown:
		g.tokens += f.CacheWriteUnknown
		g.usd = g.usd.Add(g.times(f.terms[rates.CacheWrite5m.String()], f.CacheWriteUnknown))
		g.hour = g.hour.Add(g.times(f.terms[rates.CacheWrite1h.String()], f.CacheWriteUnknown))
	case ofClass:
		for c, n := range f.tokens() {
			if c.String() != class {
				continue
			}
			g.tokens += n
			g.usd = g.usd.Add(g.times(f.terms[class], n))
			if g.as == nil {
				g.as = map[string]bool{}
			}
			g.as[cmp.Or(f.terms[class].As, class+" of the standard tier")] = true
		}
	default:
		g.usd = g.usd.Add(f.LLM)
	}
}

// times is some tokens at a term's unit price.
func (g *guess) times(t rates.Term, n int64) money.USD {
	unit, err := t.UnitUSD()
	if g.known = g.known && err == nil && t.Unit != ""; !g.known {
		return money.USD{}
	}
	return unit.MulInt(n)
}

// amount is what it comes to, "" where that is not known.
func (g *guess) amount() string {
	if !g.known {
		return ""
	}
	return ", " + g.usd.String() + " USD"
}

// text is the note on a flag, "" where it is a fact that needs none.
func (g *guess) text(flag string) string {
	tier, ofTier := strings.CutPrefix(flag, records.FlagTier)
	class, ofClass := strings.CutPrefix(flag, records.FlagClass)
	switch {
	case flag == records.FlagTTLUnknown:
		text := fmt.Sprintf("%s %s to the prompt cache and %s not say for how long (TTL): priced as 5 minutes%s",
			plural(g.records, "request wrote", "requests wrote"), plural(g.tokens, "token", "tokens"), map[bool]string{true: "does", false: "do"}[g.records == 1], g.amount())
		if g.known {
			text += fmt.Sprintf("; for an hour it would be %s USD", g.hour)
		}
		return text + ". cache_ttl in the settings says it."
	case flag == records.FlagReported:
		return fmt.Sprintf("%s what the gateway reported%s: the rate book does not have the model.", plural(g.records, "request costs", "requests cost"), g.amount())
	case flag == records.FlagForecast:
		return fmt.Sprintf("%s charged at a price that was announced and that nobody has confirmed since%s.", plural(g.records, "request is", "requests are"), g.amount())
	case flag == records.FlagPricedAs:
		return fmt.Sprintf("%s priced as another model by unknown_models%s: the rate book does not have theirs.", plural(g.records, "request is", "requests are"), g.amount())
	case ofTier && tier == rates.Batch:
		return fmt.Sprintf("Service tier batch has no price of its own: %s charged at half of the standard price%s.", plural(g.records, "request is", "requests are"), g.amount())
	case ofTier:
		return fmt.Sprintf("Service tier %s has no price of its own: %s charged at the standard price%s.", tier, plural(g.records, "request is", "requests are"), g.amount())
	case ofClass:
		return fmt.Sprintf("Class %s has no price of its own: %s with %s priced as %s%s.",
			class, plural(g.records, "request", "requests"), plural(g.tokens, "token", "tokens"), strings.Join(slices.Sorted(maps.Keys(g.as)), " or "), g.amount())
	}
	return ""
}
