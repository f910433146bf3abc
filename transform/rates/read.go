package rates

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"chargeback/transform/money"
	"chargeback/transform/strictyaml"
)

// bookYAML and the types below it are the shape of prices.yaml.
type bookYAML struct {
	Prices []priceYAML `yaml:"prices"`
	Fees   []feeYAML   `yaml:"fees"`
}

type priceYAML struct {
	Provider      string      `yaml:"provider"`
	Model         string      `yaml:"model"`
	Aliases       []string    `yaml:"aliases"`
	From          instant     `yaml:"from"`
	To            instant     `yaml:"to"`
	USDPerMillion classesYAML `yaml:"usd_per_million"`
	Source        string      `yaml:"source"`
}

type classesYAML struct {
	Input        perMillion `yaml:"input"`
	CacheRead    perMillion `yaml:"cache_read"`
	CacheWrite5m perMillion `yaml:"cache_write_5m"`
	CacheWrite1h perMillion `yaml:"cache_write_1h"`
	Output       perMillion `yaml:"output"`
}

type feeYAML struct {
	From        instant        `yaml:"from"`
	To          instant        `yaml:"to"`
	PerRequest  fee            `yaml:"infra_per_request_usd"`
	PerCacheHit fee            `yaml:"infra_per_cache_hit_usd"`
	Tools       map[string]fee `yaml:"tools"`
}

// instant is a point in time, with a zone.
type instant struct{ time.Time }

// UnmarshalText reads 2026-10-01T00:00:00Z; empty text is no instant.
func (i *instant) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	t, err := time.Parse(time.RFC3339, string(text))
	if err != nil || t.Nanosecond() != 0 || !t.Before(Forever) {
		return fmt.Errorf("%q is not an instant; write it as 2026-10-01T00:00:00Z", text)
	}
	i.Time = t.UTC()
	return nil
}

// amountMax keeps prices and fees far from what 64 bits of pico-dollars hold.
const amountMax = 1_000_000

func parseAmount(text string) (*big.Int, error) {
	amount, err := money.Parse(text)
	switch {
	case err != nil:
		return nil, err
	case amount.Sign() < 0:
		return nil, fmt.Errorf("%q is negative; give 0 or more", text)
	case amount.Cmp(money.FromCents(amountMax*100)) > 0:
		return nil, fmt.Errorf("%q is more than %d US dollars; correct its unit", text, amountMax)
	}
	return amount.Pico(), nil
}

// perMillion is a price in USD for a million tokens, kept as pico-dollars a
// token. set tells a price of 0 from no price.
type perMillion struct {
	pico int64
	set  bool
}

// UnmarshalText reads a decimal exactly, or refuses it.
func (p *perMillion) UnmarshalText(text []byte) error {
	const million = 1_000_000
	pico, err := parseAmount(string(text))
	if err != nil && !errors.Is(err, money.ErrTooFine) {
		return err
	}
	rest := new(big.Int)
	if err == nil {
		pico.QuoRem(pico, big.NewInt(million), rest)
	}
	if err != nil || rest.Sign() != 0 {
		return fmt.Errorf("%q needs more than 12 decimals a token; give a price with at most 6 decimals a million", text)
	}
	*p = perMillion{pico.Int64(), true}
	return nil
}

// fee is an amount in USD, kept as pico-dollars.
type fee struct{ pico int64 }

// UnmarshalText reads a decimal exactly, or refuses it.
func (f *fee) UnmarshalText(text []byte) error {
	pico, err := parseAmount(string(text))
	if errors.Is(err, money.ErrTooFine) {
		return fmt.Errorf("%w; round it", err)
	}
	if err != nil {
		return err
	}
	f.pico = pico.Int64()
	return nil
}

func (b *Book) readPrices(doc *strictyaml.Document, entries []priceYAML) {
	byKey := map[string][]*span{}
	prices := make([]Price, len(entries))
	for i, entry := range entries {
		path := fmt.Sprintf("prices[%d]", i)
		entry.check(doc, path)
		prices[i] = entry.price(doc.Line(path))
		b.keys[prices[i].Key] = true
		byKey[prices[i].Key] = append(byKey[prices[i].Key], &span{path, &prices[i].From, &prices[i].To})
	}
	for _, spans := range byKey {
		closeSpans(doc, spans)
	}
	b.prices = slices.SortedFunc(slices.Values(prices), byKeyAndFrom)
}

func (e priceYAML) check(doc *strictyaml.Document, path string) {
	switch {
	case e.Provider == "":
		doc.Failf(path+".provider", "is missing; write the provider as the records have it")
	case strings.Contains(e.Provider, "/"):
		doc.Failf(path+".provider", "%q has a slash; write the provider alone", e.Provider)
	}
	if e.Model == "" {
		doc.Failf(path+".model", "is missing; write the model's id as the records have it")
	}
	if !e.USDPerMillion.Input.set {
		doc.Failf(path+".usd_per_million.input", "is missing; give the price of a million tokens")
	}
	if !e.USDPerMillion.Output.set {
		doc.Failf(path+".usd_per_million.output", "is missing; give the price of a million tokens")
	}
	checkSpan(doc, path, e.From, e.To)
}

// price is the entry with every class priced. A class without a price of its own
// has its parent's, and Fallbacks says so.
func (e priceYAML) price(line int) Price {
	classes := e.USDPerMillion
	var fallbacks []string
	orElse := func(class string, own, parent perMillion, name string) int64 {
		if own.set {
			return own.pico
		}
		fallbacks = append(fallbacks, class+"="+name)
		return parent.pico
	}
	p := Price{
		Key: e.Provider + "/" + e.Model, Provider: e.Provider, Model: e.Model,
		From: e.From.Time, To: e.To.Time, Source: e.Source, Line: line,
		InputPico: classes.Input.pico, OutputPico: classes.Output.pico,
	}
	p.CacheReadPico = orElse("cache_read", classes.CacheRead, classes.Input, "input")
	p.CacheWrite5mPico = orElse("cache_write_5m", classes.CacheWrite5m, classes.Input, "input")
	if classes.CacheWrite5m.set {
		p.CacheWrite1hPico = orElse("cache_write_1h", classes.CacheWrite1h, classes.CacheWrite5m, "cache_write_5m")
	} else {
		p.CacheWrite1hPico = orElse("cache_write_1h", classes.CacheWrite1h, classes.Input, "input")
	}
	p.Fallbacks = strings.Join(fallbacks, ",")
	return p
}

func (b *Book) readAliases(doc *strictyaml.Document, entries []priceYAML) {
	first := map[string]string{}
	for i, entry := range entries {
		key := entry.Provider + "/" + entry.Model
		for j, alias := range entry.Aliases {
			path, name := fmt.Sprintf("prices[%d].aliases[%d]", i, j), entry.Provider+"/"+alias
			switch owner, taken := b.aliases[name]; {
			case alias == "":
				doc.Failf(path, "is empty; remove it")
			case b.keys[name]:
				doc.Failf(path, "%q is a model with a price of its own; remove the alias or that price", alias)
			case taken && owner != key:
				doc.Failf(path, "%q stands for another model on line %d; keep one of the two", alias, doc.Line(first[name]))
			default:
				b.aliases[name], first[name] = key, path
			}
		}
	}
}

func (b *Book) readFees(doc *strictyaml.Document, entries []feeYAML) {
	var spans []*span
	b.fees = make([]Fee, len(entries))
	for i, entry := range entries {
		path := fmt.Sprintf("fees[%d]", i)
		checkSpan(doc, path, entry.From, entry.To)
		tools := map[string]int64{}
		for name, f := range entry.Tools {
			tools[name] = f.pico
		}
		b.fees[i] = Fee{entry.From.Time, entry.To.Time, entry.PerRequest.pico, entry.PerCacheHit.pico, tools}
		spans = append(spans, &span{path, &b.fees[i].From, &b.fees[i].To})
	}
	closeSpans(doc, spans)
	slices.SortFunc(b.fees, func(a, c Fee) int { return a.From.Compare(c.From) })
}

// span is the range of dates of the entry at path.
type span struct {
	path     string
	from, to *time.Time // to is zero where the range is open
}

func checkSpan(doc *strictyaml.Document, path string, from, to instant) {
	if from.IsZero() {
		doc.Failf(path+".from", "is missing; write the instant from which it holds, such as 2026-10-01T00:00:00Z")
	} else if !to.IsZero() && !from.Before(to.Time) {
		doc.Failf(path+".to", "%s is not after from; to is the first instant at which it no longer holds", to.Format(time.RFC3339))
	}
}

// closeSpans ends each open range where the next one begins, the last at
// Forever, and refuses ranges that overlap.
func closeSpans(doc *strictyaml.Document, spans []*span) {
	slices.SortStableFunc(spans, func(a, b *span) int { return a.from.Compare(*b.from) })
	for i, s := range spans {
		if i+1 == len(spans) {
			if s.to.IsZero() {
				*s.to = Forever
			}
			return
		}
		next := spans[i+1]
		if s.to.IsZero() && s.from.Before(*next.from) {
			*s.to = *next.from
		}
		if s.to.IsZero() || s.to.After(*next.from) {
			doc.Failf(next.path+".from", "%s overlaps the entry on line %d, which holds from %s to %s; let one end before the other begins",
				next.from.Format(time.RFC3339), doc.Line(s.path), s.from.Format(time.RFC3339), openEnd(*s.to))
		}
	}
}

func openEnd(to time.Time) string {
	if to.IsZero() {
		return "ever"
	}
	return to.Format(time.RFC3339)
}
