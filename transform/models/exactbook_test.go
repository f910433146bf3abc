package models_test

import (
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"chargeback/extract/record"
)

// A priceList is a random rate book in an operator's terms. It writes itself as
// YAML for the program, and says by itself what a request costs: it shares no
// code with transform/rates.
type priceList struct {
	offers    []offer
	discounts []discount
	markups   []markup
	fees      []feeList
	units     map[unitKey]int64 // that were worked out
}

// unitPrices are pico-dollars by class; a class without one is not in it.
type unitPrices map[string]int64

// offer is what a model costs for a while, by one account's contract or for all.
type offer struct {
	model, account    string
	from, to, learned time.Time // to and learned may be zero
	prices            unitPrices
	thresholds        []step // the whole prompt has more than tokens
	ranges            []step // the whole prompt has up to tokens; the last holds above too
	tiers             map[string]tierPrices
	hours             []hours
	uplifts           []uplift
}

type step struct {
	tokens int64
	prices unitPrices
}

type tierPrices struct {
	times      string
	prices     unitPrices
	thresholds []step
}

type hours struct {
	days     []time.Weekday
	from, to int // minutes of the day
	times    string
	prices   unitPrices
}

type uplift struct {
	regions  []string
	times    string
	notCache bool
}

type discount struct {
	account, model, class, percent string
	from, to, learned              time.Time
}

type markup struct {
	center, percent string
	from, to        time.Time
}

type feeList struct {
	from, to        time.Time // to may be zero
	infra, cacheHit int64
	tools           map[string]int64
}

// tokenClasses are the classes that count tokens, each with the one whose price
// it has where it has none.
var (
	tokenClasses = []string{"input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning", "input_audio", "input_image", "cache_read_audio", "output_audio", "output_image"}
	parentClass  = map[string]string{
		"cache_read": "input", "cache_write_5m": "input", "cache_write_1h": "cache_write_5m", "reasoning": "output", "input_audio": "input",
		"input_image": "input", "cache_read_audio": "cache_read", "output_audio": "output", "output_image": "output",
	}
)

// The days whose requests are priced; in Berlin the clocks change in them.
var (
	exactFirst = time.Date(2026, time.October, 20, 0, 0, 0, 0, time.UTC)
	exactLast  = time.Date(2026, time.October, 30, 0, 0, 0, 0, time.UTC) // exclusive
	longAgo    = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
)

func ended(t time.Time) time.Time {
	if t.IsZero() {
		return time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	return t
}

func lies(at, from, to time.Time) bool { return !at.Before(from) && at.Before(ended(to)) }

// ask is what decides the price of a request.
type ask struct {
	at                           time.Time
	model, account, region, tier string
	tokens                       record.Tokens
	payer                        string
	calls                        []toolCall
	hasFees, cacheHit            bool
}

type toolCall struct {
	name  string
	count int64
}

// charge is the parts of a request's cost in pico-dollars; where it is not known
// they mean nothing. used names what decided it.
type charge struct {
	known            bool
	llm, infra, tool int64
	used             []string
}

func (c *charge) uses(what string) {
	if !slices.Contains(c.used, what) {
		c.used = append(c.used, what)
	}
}

// unitKey is a list price with the factors on it.
type unitKey struct {
	pico                                  int64
	tier, hours, uplift, discount, markup string
}

// unit multiplies a list price with its factors and rounds half up once.
func (l *priceList) unit(k unitKey) int64 {
	if pico, known := l.units[k]; known {
		return pico
	}
	exact := new(big.Rat).SetInt64(k.pico)
	for _, times := range []string{k.tier, k.hours, k.uplift} {
		if times != "" {
			exact.Mul(exact, rational(times))
		}
	}
	one, hundredth := big.NewRat(1, 1), big.NewRat(1, 100)
	percent := func(text string) *big.Rat {
		if text == "" {
			return new(big.Rat)
		}
		return new(big.Rat).Mul(rational(text), hundredth)
	}
	exact.Mul(exact, new(big.Rat).Sub(one, percent(k.discount)))
	exact.Mul(exact, new(big.Rat).Add(one, percent(k.markup)))
	exact.Add(exact, big.NewRat(1, 2))
	pico := new(big.Int).Quo(exact.Num(), exact.Denom()).Int64() // of what is not negative: rounded down
	l.units[k] = pico
	return pico
}

func rational(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic(text)
	}
	return r
}

// cost is what the list says of a request.
func (l *priceList) cost(a ask) (c charge) {
	markup := l.markupOf(a.payer, a.at)
	if markup != "" {
		c.uses("markup")
	}
	fee, ok := l.feeOf(a.at)
	if !ok {
		return charge{used: []string{"no fees"}}
	}
	tool := new(big.Int)
	for _, call := range a.calls {
		each, known := fee.tools[call.name]
		if !known {
			each, known = fee.tools["*"]
		}
		if !known {
			return charge{used: []string{"no fee of a tool"}}
		}
		tool.Add(tool, product(call.count, l.unit(unitKey{pico: each, markup: markup})))
	}
	c.known, c.tool = true, tool.Int64()
	switch {
	case a.cacheHit:
		c.infra = l.unit(unitKey{pico: fee.cacheHit, markup: markup})
		c.uses("cache hit")
		return c
	case a.hasFees:
		c.infra = l.unit(unitKey{pico: fee.infra, markup: markup})
	}
	offer := l.offerOf(a)
	switch {
	case offer == nil:
		return charge{used: []string{"no offer"}}
	case a.tier == "warp":
		return charge{used: []string{"no such tier"}}
	}
	return l.metered(a, offer, markup, c)
}

// metered adds what the provider charges.
func (l *priceList) metered(a ask, o *offer, markup string, c charge) charge {
	peak, uplift := o.hoursAt(a.at), o.upliftIn(a.region)
	sheets, used := o.sheets(a, peak)
	for _, what := range used {
		c.uses(what)
	}
	n := a.tokens
	sum := new(big.Int)
	for _, part := range []struct {
		class string
		count int64
	}{
		{"input", n.InputUncached - n.InputAudio - n.InputImage}, {"input_audio", n.InputAudio}, {"input_image", n.InputImage},
		{"cache_read", n.CacheRead - n.CacheReadAudio}, {"cache_read_audio", n.CacheReadAudio},
		{"cache_write_5m", n.CacheWrite5m + n.CacheWriteUnknown}, {"cache_write_1h", n.CacheWrite1h},
		{"output", n.Output - n.Reasoning - n.OutputAudio - n.OutputImage}, {"reasoning", n.Reasoning}, {"output_audio", n.OutputAudio}, {"output_image", n.OutputImage},
		{"request", 1}, {"search", n.Searches},
	} {
		price, tier, pricedAs, ok := find(sheets, part.class)
		switch {
		case !ok && part.class == "search" && part.count > 0:
			return charge{used: []string{"no price of searches"}}
		case !ok: // requests and searches that cost nothing
			continue
		}
		k := unitKey{pico: price, tier: tier, markup: markup}
		if part.class == "request" || part.class == "search" {
			k.tier = ""
		} else {
			if peak != nil {
				k.hours = peak.times
			}
			if uplift != nil && !(uplift.notCache && strings.HasPrefix(part.class, "cache_")) {
				k.uplift = uplift.times
				c.uses("uplift")
			}
		}
		if o.account == "" {
			if k.discount = l.discountOf(a, part.class, pricedAs); k.discount != "" {
				c.uses("discount")
			}
		} else {
			c.uses("contract")
		}
		sum.Add(sum, product(part.count, l.unit(k)))
	}
	if !sum.IsInt64() {
		panic("the random book is too dear")
	}
	c.llm = sum.Int64()
	return c
}

func product(a, b int64) *big.Int { return new(big.Int).Mul(big.NewInt(a), big.NewInt(b)) }

// sheet is prices that are asked in turn, with the factor of the tier on them.
type sheet struct {
	prices unitPrices
	times  string
}

// sheets lists the prices of an offer in the order in which they count.
func (o *offer) sheets(a ask, peak *hours) (all []sheet, used []string) {
	n := a.tokens
	prompt := n.InputUncached + n.CacheRead + n.CacheWrite5m + n.CacheWrite1h + n.CacheWriteUnknown
	tier := o.tiers[a.tier]
	times := tier.times
	if a.tier == "batch" && times == "" {
		times = "0.5"
	}
	if a.tier != "standard" {
		used = append(used, "tier "+a.tier)
	}
	if peak != nil {
		used = append(used, "off-peak")
	}
	// standard is standard prices of a sheet: at off-peak hours those stand instead
	// that the offer has for them, and in the last sheet also those that it has no
	// others for.
	standard := func(prices unitPrices, last bool) unitPrices {
		if peak == nil || peak.prices == nil {
			return prices
		}
		out := maps.Clone(prices)
		if out == nil {
			out = unitPrices{}
		}
		for class, pico := range peak.prices {
			if _, is := prices[class]; is || last {
				out[class] = pico
			}
		}
		return out
	}
	if len(o.ranges) > 0 {
		r := o.ranges[len(o.ranges)-1]
		for _, other := range slices.Backward(o.ranges) {
			if prompt <= other.tokens {
				r = other
			}
		}
		// What a range says of input and output holds for their parts too; only what it says nothing about is the offer's own.
		rest := unitPrices{}
		for _, class := range []string{"output", "request", "search"} {
			if pico, is := o.prices[class]; is {
				rest[class] = pico
			}
		}
		return append(all, sheet{tier.prices, ""}, sheet{standard(r.prices, false), times}, sheet{standard(rest, true), times}), append(used, "range")
	}
	crossed := map[int64]bool{}
	for _, s := range slices.Concat(o.thresholds, tier.thresholds) {
		if prompt > s.tokens {
			crossed[s.tokens] = true
			used = append(used, "threshold")
		}
	}
	at := func(steps []step, tokens int64) unitPrices {
		for _, s := range steps {
			if s.tokens == tokens {
				return s.prices
			}
		}
		return nil
	}
	for _, tokens := range sizesOf {
		if crossed[tokens] {
			all = append(all, sheet{at(tier.thresholds, tokens), ""}, sheet{standard(at(o.thresholds, tokens), false), times})
		}
	}
	return append(all, sheet{tier.prices, ""}, sheet{standard(o.prices, true), times}), used
}

// sizesOf are all thresholds that occur, highest first.
var sizesOf = []int64{1_000_000, 272_000, 200_000, 128_000, 32_000, 1_000, 1}

// find asks the sheets for a class, then for its parent, and so on.
func find(sheets []sheet, class string) (pico int64, times, of string, ok bool) {
	for ; class != ""; class = parentClass[class] {
		for _, s := range sheets {
			if pico, ok := s.prices[class]; ok {
				return pico, s.times, class, true
			}
		}
	}
	return 0, "", "", false
}

// offerOf is the offer that holds: the account's own before the published one,
// of several the one that was learned last.
func (l *priceList) offerOf(a ask) (best *offer) {
	for _, account := range []string{a.account, ""} {
		for i, o := range l.offers {
			if o.model == a.model && o.account == account && lies(a.at, o.from, o.to) && (best == nil || o.learned.After(best.learned)) {
				best = &l.offers[i]
			}
		}
		if best != nil {
			return best
		}
	}
	return nil
}

func (o *offer) hoursAt(at time.Time) (found *hours) {
	minute := int(at.Unix() / 60)
	for i, h := range o.hours {
		for _, start := range []time.Time{at, at.AddDate(0, 0, -1)} {
			midnight := int(start.Truncate(24*time.Hour).Unix() / 60)
			from, to := midnight+h.from, midnight+h.to
			if h.to <= h.from {
				to += 24 * 60
			}
			if (len(h.days) == 0 || slices.Contains(h.days, start.Weekday())) && minute >= from && minute < to {
				found = &o.hours[i]
			}
		}
	}
	return found
}

func (o *offer) upliftIn(region string) *uplift {
	for i, u := range o.uplifts {
		for _, pattern := range u.regions {
			if region != "" && matches(pattern, region) {
				return &o.uplifts[i]
			}
		}
	}
	return nil
}

// matches knows patterns with a * at their end only.
func matches(pattern, text string) bool {
	if begin, open := strings.CutSuffix(pattern, "*"); open {
		return strings.HasPrefix(text, begin)
	}
	return pattern == text
}

// discountOf is the discount with the most exact terms: account, model, class.
func (l *priceList) discountOf(a ask, class, pricedAs string) string {
	var best *discount
	rank := func(d discount) int {
		n := 10 * len(strings.ReplaceAll(d.model, "*", ""))
		if !strings.Contains(d.model, "*") {
			n += 500
		}
		if d.class == class {
			n++
		}
		if d.account != "" {
			n += 100_000
		}
		if d.model != "" {
			n += 10_000
		}
		if d.class != "" {
			n += 2_000
		}
		return n
	}
	for i, d := range l.discounts {
		if !lies(a.at, d.from, d.to) || d.account != "" && d.account != a.account || d.model != "" && !matches(d.model, a.model) || d.class != "" && d.class != class && d.class != pricedAs {
			continue
		}
		if best == nil || rank(d) > rank(*best) || rank(d) == rank(*best) && d.learned.After(best.learned) {
			best = &l.discounts[i]
		}
	}
	if best == nil {
		return ""
	}
	return best.percent
}

func (l *priceList) markupOf(center string, at time.Time) string {
	for _, m := range l.markups {
		if m.center == center && lies(at, m.from, m.to) {
			return m.percent
		}
	}
	return ""
}

func (l *priceList) feeOf(at time.Time) (feeList, bool) {
	if len(l.fees) == 0 {
		return feeList{tools: map[string]int64{"*": 0}}, true
	}
	for i, f := range l.fees {
		to := f.to
		if to.IsZero() && i+1 < len(l.fees) {
			to = l.fees[i+1].from
		}
		if lies(at, f.from, to) {
			return f, true
		}
	}
	return feeList{}, false
}

// edges are the instants at which the list changes.
func (l *priceList) edges() (all []time.Time) {
	add := func(times ...time.Time) {
		for _, t := range times {
			if t.After(exactFirst) && t.Before(exactLast) {
				all = append(all, t)
			}
		}
	}
	for _, o := range l.offers {
		add(o.from, o.to)
		for _, h := range o.hours {
			for day := exactFirst; day.Before(exactLast); day = day.AddDate(0, 0, 1) {
				add(day.Add(time.Duration(h.from)*time.Minute), day.Add(time.Duration(h.to)*time.Minute))
			}
		}
	}
	for _, d := range l.discounts {
		add(d.from, d.to)
	}
	for _, m := range l.markups {
		add(m.from, m.to)
	}
	for _, f := range l.fees {
		add(f.from, f.to)
	}
	return all
}

// yaml is the list as a rate book.
func (l *priceList) yaml() string {
	var b strings.Builder
	b.WriteString("prices:\n")
	for _, o := range l.offers {
		fmt.Fprintf(&b, "  - provider: p\n    model: %s\n%s    usd_per_million: {%s}\n%s", o.model, span(o.from, o.to, o.learned, "    ", "\n"), perMillion(o.prices), eachText(o.prices, "    ", "\n"))
		if o.account != "" {
			fmt.Fprintf(&b, "    account: %s\n", o.account)
		}
		if len(o.thresholds) > 0 {
			fmt.Fprintf(&b, "    thresholds: %s\n", stepsText("more_than", o.thresholds))
		}
		if len(o.ranges) > 0 {
			fmt.Fprintf(&b, "    ranges: %s\n", stepsText("up_to", o.ranges))
		}
		if len(o.tiers) > 0 {
			b.WriteString("    tiers:\n")
		}
		for name, t := range o.tiers {
			if t.times != "" {
				fmt.Fprintf(&b, "      %s: {times: %q}\n", name, t.times)
				continue
			}
			fmt.Fprintf(&b, "      %s: {%susd_per_million: {%s}, thresholds: %s}\n", name, eachText(t.prices, "", ", "), perMillion(t.prices), stepsText("more_than", t.thresholds))
		}
		if len(o.hours) > 0 {
			b.WriteString("    off_peak:\n")
		}
		for _, h := range o.hours {
			var days []string
			for _, d := range h.days {
				days = append(days, strings.ToLower(d.String()[:3]))
			}
			prices := fmt.Sprintf("usd_per_million: {%s}", perMillion(h.prices))
			if h.times != "" {
				prices = fmt.Sprintf("times: %q", h.times)
			}
			fmt.Fprintf(&b, "      - {utc: \"%02d:%02d-%02d:%02d\", days: [%s], %s}\n", h.from/60, h.from%60, h.to/60, h.to%60, strings.Join(days, ", "), prices)
		}
		if len(o.uplifts) > 0 {
			b.WriteString("    uplifts:\n")
		}
		for _, u := range o.uplifts {
			fmt.Fprintf(&b, "      - {regions: [\"%s\"], times: %q, cache: %v}\n", strings.Join(u.regions, `", "`), u.times, !u.notCache)
		}
	}
	b.WriteString("discounts:\n")
	for _, d := range l.discounts {
		fmt.Fprintf(&b, "  - {account: %q, model: %q, class: %q, percent: %q, %s}\n", d.account, d.model, d.class, d.percent, span(d.from, d.to, d.learned, "", ", "))
	}
	b.WriteString("markups:\n")
	for _, m := range l.markups {
		fmt.Fprintf(&b, "  - {cost_center: %q, percent: %q, %s}\n", m.center, m.percent, span(m.from, m.to, time.Time{}, "", ", "))
	}
	b.WriteString("fees:\n")
	for _, f := range l.fees {
		var tools []string
		for name, pico := range f.tools {
			tools = append(tools, fmt.Sprintf("%q: %q", name, decimal(pico, 12)))
		}
		fmt.Fprintf(&b, "  - {infra_per_request_usd: %q, infra_per_cache_hit_usd: %q, tools: {%s}, %s}\n",
			decimal(f.infra, 12), decimal(f.cacheHit, 12), strings.Join(tools, ", "), span(f.from, f.to, time.Time{}, "", ", "))
	}
	return b.String()
}

func span(from, to, learned time.Time, before, after string) string {
	text := before + "from: " + from.Format(time.RFC3339) + after
	if !to.IsZero() {
		text += before + "to: " + to.Format(time.RFC3339) + after
	}
	if !learned.IsZero() {
		text += before + "learned: " + learned.Format(time.RFC3339) + after
	}
	return text
}

func decimal(n int64, places int) string {
	text := fmt.Sprintf("%0*d", places+1, n)
	return text[:len(text)-places] + "." + text[len(text)-places:]
}

func perMillion(prices unitPrices) string {
	var parts []string
	for _, class := range tokenClasses {
		if pico, is := prices[class]; is {
			parts = append(parts, fmt.Sprintf("%s: %q", class, decimal(pico, 6)))
		}
	}
	return strings.Join(parts, ", ")
}

func eachText(prices unitPrices, before, after string) (text string) {
	for _, class := range []string{"request", "search"} {
		if pico, is := prices[class]; is {
			text += fmt.Sprintf("%susd_per_%s: %q%s", before, class, decimal(pico, 12), after)
		}
	}
	return text
}

func stepsText(key string, steps []step) string {
	var parts []string
	for _, s := range steps {
		parts = append(parts, fmt.Sprintf("{%s: %d, usd_per_million: {%s}}", key, s.tokens, perMillion(s.prices)))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// dice draws price lists and requests.
type dice struct{ *rand.Rand }

// in says yes once in n times.
func (d dice) in(n int) bool { return d.IntN(n) == 0 }

func pick[T any](d dice, of ...T) T { return of[d.IntN(len(of))] }

// upTo draws a number of any length up to a limit.
func (d dice) upTo(limit int64) int64 {
	bound := int64(1)
	for bound < limit && !d.in(8) {
		bound *= 10
	}
	return d.Int64N(min(bound, limit) + 1)
}

func (d dice) price() int64 { return d.upTo(200_000_000) }

// factor is a decimal with up to 6 places, above 0 and below limit.
func (d dice) factor(limit int64) string {
	return pick(d, "0.5", "1.1", "0.333333", "0.000001", decimal(1+d.Int64N(limit*1_000_000-1), 6))
}

// percent has up to 4 places and is above 0 and at most limit.
func (d dice) percent(limit int64) string {
	return pick(d, "10", "12.5", "33.3333", "0.0001", decimal(1+d.Int64N(limit*10_000), 4))
}

func (d dice) instant() time.Time {
	return exactFirst.Add(time.Duration(d.Int64N(int64(exactLast.Sub(exactFirst)/time.Second))) * time.Second)
}

// within is a stretch of the days.
func (d dice) within() (from, to time.Time) {
	from, to = d.instant(), d.instant()
	if to.Before(from) {
		from, to = to, from
	}
	return from, to.Add(time.Second)
}

// prices draws each class with a chance, and those that must be there.
func (d dice) prices(chance int, must ...string) unitPrices {
	prices := unitPrices{}
	for _, class := range tokenClasses {
		if slices.Contains(must, class) || d.in(chance) {
			prices[class] = d.price()
		}
	}
	if len(prices) == 0 {
		prices["input"] = d.price()
	}
	return prices
}

func (d dice) steps(must ...string) (steps []step) {
	for _, tokens := range slices.Backward(sizesOf) {
		if d.in(4) {
			steps = append(steps, step{tokens, d.prices(3, must...)})
		}
	}
	return steps
}

func (d dice) each(prices unitPrices) unitPrices {
	for _, class := range []string{"request", "search"} {
		if d.in(2) {
			prices[class] = d.upTo(1_000_000_000_000)
		}
	}
	return prices
}

func (d dice) offer(model, account string) offer {
	o := offer{model: model, account: account, from: longAgo, prices: d.each(d.prices(2, "input", "output")), tiers: map[string]tierPrices{}}
	switch d.IntN(4) {
	case 0:
		must := "input"
		o.ranges = d.steps(must)
	case 1, 2:
		o.thresholds = d.steps()
	}
	for _, name := range []string{"flex", "priority", "batch", "express"} {
		switch d.IntN(3) {
		case 0:
			o.tiers[name] = tierPrices{times: d.factor(3)}
		case 1:
			t := tierPrices{prices: d.each(d.prices(2))}
			if len(o.ranges) == 0 {
				t.thresholds = d.steps()
			}
			o.tiers[name] = t
		}
	}
	for range pick(d, 0, 0, 1, 2) {
		h := hours{from: d.IntN(24 * 60), to: d.IntN(24 * 60)}
		if h.from == h.to || d.in(6) {
			h.from, h.to = 0, 24*60
		}
		if d.in(2) {
			h.days = pick(d, []time.Weekday{time.Saturday}, []time.Weekday{time.Sunday, time.Monday}, []time.Weekday{time.Sunday, time.Wednesday, time.Saturday})
		}
		if d.in(2) {
			h.prices = d.prices(3)
		} else {
			h.times = d.factor(2)
		}
		o.hours = append(o.hours, h)
	}
	for range d.IntN(3) {
		o.uplifts = append(o.uplifts, uplift{pick(d, []string{"eu-*"}, []string{"eu", "us-east-1"}, []string{"*"}), d.factor(2), d.in(2)})
	}
	return o
}

// exactModels are the models of a random book; nothing prices the last.
var exactModels = []string{"model-01", "model-02", "model-03", "model-04", "model-05", "unheard-of"}

// payers are cost centres; nobody knows the last, and "" is none.
var exactCenters = []string{"CC-1", "CC-2", "CC-3", "", "nowhere"}

func (d dice) priceList() *priceList {
	l := &priceList{units: map[unitKey]int64{}}
	for i, model := range exactModels[:len(exactModels)-1] {
		first := d.offer(model, "")
		if d.in(6) {
			first.from = d.instant()
		}
		l.offers = append(l.offers, first)
		if d.in(2) {
			next := d.offer(model, "")
			next.from = d.instant()
			if next.from.After(first.from) {
				l.offers[len(l.offers)-1].to = next.from
				l.offers = append(l.offers, next)
			}
		}
		if d.in(3) { // a correction that became known later
			amended := d.offer(model, "")
			amended.from, amended.to = d.within()
			amended.learned = exactLast
			l.offers = append(l.offers, amended)
		}
		if i < 2 {
			contract := d.offer(model, "acct-1")
			if d.in(2) {
				contract.from, contract.to = d.within()
			}
			l.offers = append(l.offers, contract)
		}
	}
	d.extras(l)
	d.Shuffle(len(l.offers), func(i, j int) { l.offers[i], l.offers[j] = l.offers[j], l.offers[i] })
	return l
}

// extras draws discounts, markups and fees.
func (d dice) extras(l *priceList) {
	taken := map[[3]string]bool{}
	for range d.IntN(7) {
		n := discount{
			account: pick(d, "", "", "acct-1", "acct-2"), model: pick(d, "", "*", "mod*", "model-*", pick(d, exactModels...)), class: pick(d, "", "", "search", pick(d, tokenClasses...)),
			percent: d.percent(100),
		}
		n.from, n.to = d.within()
		if key := [3]string{n.account, n.model, n.class}; !taken[key] {
			taken[key] = true
			l.discounts = append(l.discounts, n)
			if d.in(2) {
				n.percent, n.learned = d.percent(100), exactLast
				n.from, n.to = d.within()
				l.discounts = append(l.discounts, n)
			}
		}
	}
	percents := []string{d.percent(60), d.percent(60)}
	for _, center := range exactCenters[:2] {
		m := markup{center: center, percent: pick(d, percents...), from: longAgo, to: d.instant()}
		l.markups = append(l.markups, m, markup{center: center, percent: pick(d, percents...), from: m.to.Add(time.Hour)})
	}
	if d.in(8) {
		return // no fees at all
	}
	fee := func(from time.Time) feeList {
		f := feeList{from: from, infra: d.upTo(1_000_000_000_000), cacheHit: d.upTo(1_000_000_000), tools: map[string]int64{}}
		for _, name := range []string{"search", "shell", "*"} {
			if !d.in(4) {
				f.tools[name] = d.upTo(10_000_000_000_000)
			}
		}
		return f
	}
	l.fees = append(l.fees, fee(pick(d, longAgo, longAgo, longAgo, exactFirst.Add(30*time.Hour))))
	if d.in(2) {
		l.fees = append(l.fees, fee(exactFirst.Add(time.Duration(40+d.IntN(150))*time.Hour)))
	}
}
