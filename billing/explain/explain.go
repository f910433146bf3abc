// Package explain shows the arithmetic of what was charged, so that a person
// can check it by hand.
//
// It owns: the products of a record or of an invoice line, the sum that they
// must give, and whether they do.
// It does not own: the figures (billing/records, billing/months), prices (transform/rates), or
// how it is printed (cmd).
package explain

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"chargeback/billing/report"
	"chargeback/transform/money"
	"chargeback/transform/rates"
)

// ErrNotTied says that products do not add up to what was charged.
var ErrNotTied = errors.New("the arithmetic does not add up to what was charged")

// Product is one line of the arithmetic: quantity x unit price = amount.
type Product struct {
	What     string    `json:"what"`
	Quantity int64     `json:"quantity"`
	Unit     money.USD `json:"unit_usd"` // of one
	PerText  string    `json:"unit"`     // as people read it: 3 USD a million
	How      string    `json:"how,omitempty"`
	Amount   money.USD `json:"amount_usd"`
}

// Part is LLM, infrastructure or tools, with the products that make it up.
type Part struct {
	Name     string    `json:"name"`
	Products []Product `json:"products,omitempty"`
	Sum      money.USD `json:"sum_usd"`
	Charged  money.USD `json:"charged_usd"`
}

// Arithmetic is all parts of what was charged. Where nothing is charged, Why
// says so and there are no parts.
type Arithmetic struct {
	Parts []Part    `json:"parts,omitempty"`
	Total money.USD `json:"total_usd"`
	Why   string    `json:"why,omitempty"`
}

// counted is how often a class is charged; the parts of a class are taken out
// of it, because they have prices of their own.
func counted(q report.Quantities) map[rates.Class]int64 {
	return map[rates.Class]int64{
		rates.Input:          q.InputUncached - q.InputAudio - q.InputImage,
		rates.CacheRead:      q.CacheRead - q.CacheReadAudio,
		rates.CacheWrite5m:   q.CacheWrite5m + q.CacheWriteUnknown,
		rates.CacheWrite1h:   q.CacheWrite1h,
		rates.Output:         q.Output - q.Reasoning - q.OutputAudio - q.OutputImage,
		rates.Reasoning:      q.Reasoning,
		rates.InputAudio:     q.InputAudio,
		rates.InputImage:     q.InputImage,
		rates.CacheReadAudio: q.CacheReadAudio,
		rates.OutputAudio:    q.OutputAudio,
		rates.OutputImage:    q.OutputImage,
		rates.Search:         q.Searches,
	}
}

// classWords names classes as people read them.
var classWords = map[rates.Class]string{
	rates.Input: "input tokens", rates.CacheRead: "tokens read from the prompt cache", rates.CacheWrite5m: "tokens written to the cache (5 minutes)",
	rates.CacheWrite1h: "tokens written to the cache (1 hour)", rates.Output: "output tokens", rates.Reasoning: "reasoning tokens",
	rates.InputAudio: "audio tokens in", rates.InputImage: "image tokens in", rates.CacheReadAudio: "audio tokens read from the cache",
	rates.OutputAudio: "audio tokens out", rates.OutputImage: "image tokens out", rates.Request: "requests, the provider's fee", rates.Search: "web searches by the provider",
}

// Of works out what records that one rate priced cost. It returns ErrNotTied,
// with the arithmetic, where that is not what was charged.
func Of(p report.Priced) (a Arithmetic, err error) {
	a.Total = p.Total
	switch {
	case !p.Known:
		a.Why = "no cost is known: " + p.Pricing
	case p.Pricing == "not_billed":
		a.Why = "nothing is charged"
	}
	if a.Why != "" {
		if p.Note != "" {
			a.Why += ": " + p.Note
		}
		return a, nil
	}
	llm, err := tokens(p)
	if err != nil {
		return a, err
	}
	tools, err := toolCalls(p)
	if err != nil {
		return a, err
	}
	a.Parts = []Part{llm, infrastructure(p), tools}
	for i := range a.Parts {
		for _, product := range a.Parts[i].Products {
			a.Parts[i].Sum = a.Parts[i].Sum.Add(product.Amount)
		}
		if part := a.Parts[i]; !part.Sum.Equal(part.Charged) {
			err = errors.Join(err, fmt.Errorf("%w: %s is %s USD by the rate that the ledger keeps, and %s USD was charged", ErrNotTied, part.Name, part.Sum, part.Charged))
		}
	}
	if sum := a.Parts[0].Charged.Add(a.Parts[1].Charged).Add(a.Parts[2].Charged); !sum.Equal(p.Total) {
		err = errors.Join(err, fmt.Errorf("%w: the parts are %s USD, the total is %s USD", ErrNotTied, sum, p.Total))
	}
	return a, err
}

func tokens(p report.Priced) (Part, error) {
	part := Part{Name: "LLM", Charged: p.LLM}
	if p.Hit {
		return part, nil // answered from the gateway's cache: no provider was asked
	}
	if p.Rate.Reported {
		part.Products = []Product{{"requests at the cost that the gateway reported", p.Records, p.LLM, p.LLM.String() + " USD in all", "which nothing here can check; the rate book does not have the model", p.LLM}}
		return part, nil
	}
	var terms []rates.Term
	if err := json.Unmarshal([]byte(p.Rate.Terms), &terms); err != nil && p.Rate.Terms != "" {
		return part, fmt.Errorf("read the terms of rate %s: %w", p.Rate.Key, err)
	}
	quantity := counted(p.Quantities)
	quantity[rates.Request] = p.Records
	quantity[rates.CacheWrite5m] -= p.CacheWriteUnknown
	for _, class := range rates.Classes() {
		i := slices.IndexFunc(terms, func(t rates.Term) bool { return t.Class == class.String() })
		if i < 0 {
			continue // without a term there is no price, and the sum tells
		}
		unit, err := terms[i].UnitUSD()
		if err != nil {
			return part, err
		}
		if n := quantity[class]; n != 0 {
			part.Products = append(part.Products, Product{classWords[class], n, unit, terms[i].UnitText(), derivation(terms[i]), unit.MulInt(n)})
		}
		if n := p.CacheWriteUnknown; n != 0 && class == rates.CacheWrite5m {
			part.Products = append(part.Products, Product{"tokens written to the cache (TTL not known)", n, unit, terms[i].UnitText(), guessed(terms, terms[i], n), unit.MulInt(n)})
		}
	}
	return part, nil
}

// guessed says how cache writes of unknown TTL are priced, and what an hour would
// cost.
func guessed(terms []rates.Term, short rates.Term, n int64) string {
	text := strings.TrimPrefix(derivation(short)+"; priced as 5 minutes", "; ")
	i := slices.IndexFunc(terms, func(t rates.Term) bool { return t.Class == rates.CacheWrite1h.String() })
	if i < 0 || terms[i].Unit == short.Unit {
		return text
	}
	if unit, err := terms[i].UnitUSD(); err == nil {
		text += fmt.Sprintf("; for an hour %s, %s USD", terms[i].UnitText(), unit.MulInt(n))
	}
	return text
}

// derivation says how a unit price came about, "" where it is the list price.
func derivation(t rates.Term) string {
	var parts []string
	if t.As != "" {
		parts = append(parts, "priced as "+t.As)
	}
	if len(t.Steps) > 0 {
		parts = append(parts, t.List+" "+strings.Join(t.Steps, " ")+" = "+rounded(t))
	}
	return strings.Join(parts, "; ")
}

// rounded is a term's unit price, with what it was before it was rounded, where
// that is another figure.
func rounded(t rates.Term) string {
	exact, ok := new(big.Rat).SetString(t.List)
	for _, step := range t.Steps { // x 0.875 (why)
		words := strings.Fields(step)
		if len(words) < 2 {
			return t.Unit
		}
		factor, known := new(big.Rat).SetString(words[1])
		if ok = ok && known; !ok {
			return t.Unit
		}
		exact.Mul(exact, factor)
	}
	unit, known := new(big.Rat).SetString(t.Unit)
	if !ok || !known || unit.Cmp(exact) == 0 {
		return t.Unit
	}
	text := strings.TrimRight(exact.FloatString(18), "0")
	return text + ", rounded half up to " + t.Unit + " (12 decimals a token)"
}

func infrastructure(p report.Priced) Part {
	part := Part{Name: "infra", Charged: p.Infra}
	fee, what := p.Rate.Infra, "requests, our fee"
	if p.Hit {
		fee, what = p.Rate.CacheHit, "answers from the gateway's cache, our fee"
	}
	if p.Fees != 0 {
		unit := money.FromPico(fee)
		part.Products = []Product{{what, p.Fees, unit, unit.String() + " USD", markup(p), unit.MulInt(p.Fees)}}
	}
	return part
}

// markup says that fees have one in them.
func markup(p report.Priced) string {
	if _, after, ok := strings.Cut(p.Rate.Rule, "markup "); ok {
		return "with the markup of " + after
	}
	return ""
}

func toolCalls(p report.Priced) (Part, error) {
	part := Part{Name: "tools", Charged: p.Tool}
	if len(p.Mixes) == 0 {
		return part, nil
	}
	times := map[string]int64{}
	for _, m := range p.Mixes {
		calls, err := rates.ParseToolMix(m.Tools)
		if err != nil {
			return part, err
		}
		for _, c := range calls {
			times[c.Name] += c.Count * m.Times
		}
	}
	fees := map[string]int64{}
	if err := json.Unmarshal([]byte(p.Rate.ToolFees), &fees); err != nil {
		return part, fmt.Errorf("read the tool fees of rate %s: %w", p.Rate.Key, err)
	}
	for _, name := range slices.Sorted(maps.Keys(times)) {
		each, own := fees[name]
		how, what := markup(p), "calls of "+name
		if !own {
			each = fees[rates.AnyTool]
			how = strings.TrimPrefix(how+"; the fee of any tool", "; ")
		}
		if name == rates.AnyTool {
			what = "calls of tools that the log doesn't name"
		}
		unit := money.FromPico(each)
		part.Products = append(part.Products, Product{what, times[name], unit, unit.String() + " USD", how, unit.MulInt(times[name])})
	}
	return part, nil
}

// Saved is the arithmetic of what caches saved: of an answer from the gateway's
// cache what its tokens would have cost, of the provider's prompt cache the
// difference to the price of input, which is negative for writes.
func Saved(p report.Priced) (products []Product, sum money.USD, err error) {
	if p.Hit {
		p.Hit = false
		part, err := tokens(p)
		for _, product := range part.Products {
			sum = sum.Add(product.Amount)
		}
		return part.Products, sum, err
	}
	units, err := unitsOf(p)
	quantity := counted(p.Quantities)
	for _, pair := range [][2]rates.Class{{rates.CacheRead, rates.Input}, {rates.CacheWrite5m, rates.Input}, {rates.CacheWrite1h, rates.Input}, {rates.CacheReadAudio, rates.InputAudio}} {
		n := quantity[pair[0]]
		own, known := units[pair[0]]
		fresh, priced := units[pair[1]]
		if n == 0 || !known || !priced {
			continue
		}
		unit := fresh.Sub(own)
		amount := unit.MulInt(n)
		million := unit.MulInt(1_000_000)
		words := classWords[pair[0]]
		if pair[0] == rates.CacheWrite5m && p.CacheWriteUnknown != 0 {
			words = "tokens written to the cache, priced as 5 minutes"
		}
		products = append(products, Product{words, n, unit, million.String() + " USD a million", "the price of input less their own", amount})
		sum = sum.Add(amount)
	}
	return products, sum, err
}

// unitsOf are the unit prices of a record's rate by class.
func unitsOf(p report.Priced) (map[rates.Class]money.USD, error) {
	var terms []rates.Term
	if err := json.Unmarshal([]byte(p.Rate.Terms), &terms); err != nil && p.Rate.Terms != "" {
		return nil, fmt.Errorf("read the terms of rate %s: %w", p.Rate.Key, err)
	}
	units := map[rates.Class]money.USD{}
	for _, class := range rates.Classes() {
		if i := slices.IndexFunc(terms, func(t rates.Term) bool { return t.Class == class.String() }); i >= 0 {
			unit, err := terms[i].UnitUSD()
			if err != nil {
				return nil, err
			}
			units[class] = unit
		}
	}
	return units, nil
}
