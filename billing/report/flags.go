package report

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"chargeback/billing/ledger"
	"chargeback/transform/money"
	"chargeback/transform/rates"
)

// noteRecords says of the records behind a report what its totals lack, and what
// of its totals rests on a guess: how many records, and what they cost. rows is
// the report's from and where.
func (r *Report) noteRecords(ctx context.Context, q Querier, rows string, args ledger.Args) error {
	groups, err := readFlagged(ctx, q, rows, args)
	if err != nil {
		return fmt.Errorf("read report %s: what is flagged: %w", r.Name, err)
	}
	r.noteHeld(groups)
	guesses := map[string]*guess{}
	for _, g := range groups {
		for _, flag := range ledger.Flags(g.flags) {
			if g.held {
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
		return slices.IndexFunc([]string{ledger.FlagTTLUnknown, ledger.FlagTier, ledger.FlagClass, ledger.FlagForecast, ledger.FlagPricedAs, ledger.FlagReported}, func(k string) bool { return strings.HasPrefix(flag, k) })
	}
	return cmp.Or(cmp.Compare(kind(a), kind(b)), strings.Compare(a, b))
}

// flagged is records that one rate priced, or that are held for one reason.
type flagged struct {
	flags, note string
	held        bool
	records     int64
	llm         money.USD
	tokens      map[rates.Class]int64 // parts of a class are taken out of it
	unknownTTL  int64                 // of tokens[rates.CacheWrite5m]
	terms       map[string]rates.Term // of the rate, by class
}

// readFlagged sums the records that are held or flagged.
func readFlagged(ctx context.Context, q Querier, rows string, args ledger.Args) (groups []flagged, err error) {
	var ids []int64
	err = q.Query(ctx, `
select
  ifnull(flags, ''),
  if(`+heldRows+`, ifnull(pricing_note, pricing), ''),
  `+heldRows+`,
  ifnull(rate_id, 0),
  sum(`+standing+`),
  {total_usd(llm_cost_usd)},
  sum(input_uncached_tokens - ifnull(input_audio_tokens, 0) - ifnull(input_image_tokens, 0)),
  sum(cache_read_tokens - ifnull(cache_read_audio_tokens, 0)),
  sum(cache_write_5m_tokens),
  sum(cache_write_1h_tokens),
  sum(cache_write_unknown_tokens),
  sum(output_tokens - reasoning_tokens - ifnull(output_audio_tokens, 0) - ifnull(output_image_tokens, 0)),
  sum(reasoning_tokens),
  sum(ifnull(input_audio_tokens, 0)),
  sum(ifnull(input_image_tokens, 0)),
  sum(ifnull(cache_read_audio_tokens, 0)),
  sum(ifnull(output_audio_tokens, 0)),
  sum(ifnull(output_image_tokens, 0))`+rows+` and (flags is not null or `+heldRows+`)
group by 1, 2, 3, 4
order by 5 desc, 1, 2, 4`, args, func(v ledger.Row) error {
		g := flagged{
			flags: v.Text(0), note: v.Text(1), held: v.Bool(2), records: v.Int(4), llm: v.USD(5), unknownTTL: v.Int(10),
			tokens: map[rates.Class]int64{
				rates.Input: v.Int(6), rates.CacheRead: v.Int(7), rates.CacheWrite5m: v.Int(8) + v.Int(10), rates.CacheWrite1h: v.Int(9), rates.Output: v.Int(11), rates.Reasoning: v.Int(12),
				rates.InputAudio: v.Int(13), rates.InputImage: v.Int(14), rates.CacheReadAudio: v.Int(15), rates.OutputAudio: v.Int(16), rates.OutputImage: v.Int(17),
			},
		}
		groups, ids = append(groups, g), append(ids, v.Int(3))
		return nil
	})
	if err != nil || !slices.ContainsFunc(groups, func(g flagged) bool { return !g.held }) {
		return groups, err
	}
	terms, err := termsOf(ctx, q, ids)
	for i := range groups {
		groups[i].terms = terms[ids[i]]
	}
	return groups, err
}

// termsOf reads how the unit prices of some rates came about.
func termsOf(ctx context.Context, q Querier, ids []int64) (map[int64]map[string]rates.Term, error) {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = fmt.Sprint(id)
	}
	all := map[int64]map[string]rates.Term{}
	err := q.Query(ctx, `
select
  rate_id,
  terms
from {rate_entries}
where terms is not null and rate_id in (`+strings.Join(texts, ", ")+`)`, nil, func(v ledger.Row) error {
		terms, err := parseTerms(v.Int(0), v.Text(1))
		if err != nil {
			return err
		}
		all[v.Int(0)] = map[string]rates.Term{}
		for _, t := range terms {
			all[v.Int(0)][t.Class] = t
		}
		return nil
	})
	return all, err
}

// noteHeld says how many requests have no cost, and why.
func (r *Report) noteHeld(groups []flagged) {
	var held int64
	why := map[string]int64{}
	for _, g := range groups {
		if g.held {
			held += g.records
			why[g.note] += g.records
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
	g.records += f.records
	class, ofClass := strings.CutPrefix(flag, ledger.FlagClass)
	switch {
	case flag == ledger.FlagTTLUnknown:
		g.tokens += f.unknownTTL
		g.usd = g.usd.Add(g.times(f.terms[rates.CacheWrite5m.String()], f.unknownTTL))
		g.hour = g.hour.Add(g.times(f.terms[rates.CacheWrite1h.String()], f.unknownTTL))
	case ofClass:
		for c, n := range f.tokens {
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
		g.usd = g.usd.Add(f.llm)
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
	tier, ofTier := strings.CutPrefix(flag, ledger.FlagTier)
	class, ofClass := strings.CutPrefix(flag, ledger.FlagClass)
	switch {
	case flag == ledger.FlagTTLUnknown:
		text := fmt.Sprintf("%s %s to the prompt cache and %s not say for how long (TTL): priced as 5 minutes%s",
			plural(g.records, "request wrote", "requests wrote"), plural(g.tokens, "token", "tokens"), map[bool]string{true: "does", false: "do"}[g.records == 1], g.amount())
		if g.known {
			text += fmt.Sprintf("; for an hour it would be %s USD", g.hour)
		}
		return text + ". cache_ttl in the settings says it."
	case flag == ledger.FlagReported:
		return fmt.Sprintf("%s what the gateway reported%s: the rate book does not have the model.", plural(g.records, "request costs", "requests cost"), g.amount())
	case flag == ledger.FlagForecast:
		return fmt.Sprintf("%s charged at a price that was announced and that nobody has confirmed since%s.", plural(g.records, "request is", "requests are"), g.amount())
	case flag == ledger.FlagPricedAs:
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
