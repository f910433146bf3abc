package rates

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"chargeback/transform/money"
	"chargeback/transform/wildcard"
)

// Standard is the service tier of a request that asked for none.
const Standard = "standard"

// Batch is the service tier of requests that were sent in a batch.
const Batch = "batch"

// knownTiers are tiers that a model without prices for them serves at the
// standard price. Any other word is held.
var knownTiers = map[string]bool{Standard: true, Batch: true, "flex": true, priority: true, fast: true, "ultrafast": true}

// Two tiers whose names are not used alike. OpenAI calls its priority processing
// fast, too. Anthropic's fast mode costs more than list; its Priority Tier is
// capacity that was committed to, which a request draws down as list has it.
const (
	priority = "priority"
	fast     = "fast"
)

// tier is the tier whose prices of an entry count for requests of a tier.
func (e Entry) tier(asked string) string {
	has := func(tier string) bool { _, is := e.Tiers[tier]; return is }
	switch {
	case asked == fast && !has(fast) && has(priority):
		return priority
	case asked == priority && !has(priority) && e.Provider == "anthropic":
		return Standard
	}
	return asked
}

// normalTier is a service tier in one word for each thing.
func normalTier(tier string) string {
	switch tier = strings.ToLower(strings.TrimSpace(tier)); tier {
	case "", "default", "auto", "standard_only", "on_demand", "on-demand":
		return Standard
	case "batches":
		return Batch
	}
	return tier
}

// Meter is what decides a price besides the time and the size of a request.
// Notice says what the provider bills besides, which no price covers.
type Meter struct{ Provider, Account, Region, Model, Tier, Notice string }

// Size is the number of prompt tokens that a rate is for: more than MoreThan
// and up to UpTo.
type Size struct{ MoreThan, UpTo int64 }

// everySize holds for any prompt.
var everySize = Size{-1, sizeMax}

const sizeMax = 1 << 62

// Rate is one row of a compiled card: unit prices in pico-dollars for a range of
// time, prompt sizes, minutes of the week (from Sunday 00:00 UTC) and a markup.
// Rates of one card and markup never overlap, and leave no instant out.
type Rate struct {
	From, To             time.Time
	Size                 Size
	MinuteFrom, MinuteTo int
	Markup               Percent
	Units                [classCount]int64 // effective
	NoSearch             bool              // there is no price of a search
	Fallbacks            []Class           // classes that are priced as their parent
	Note                 string            // what a record should say of its price
	PlainTier            string            // the service tier, where the model has no price of it and another stands in
	Forecast             bool              // the price was announced, and nobody has confirmed it
	ByRequest            bool              // there is a fee for a request and tokens cost nothing: their counts decide nothing
	Problem              string            // why there are no Units; "" where there are
	Lacks                Lack              // what the book lacks where there is a Problem
	InfraPico            int64
	CacheHitPico         int64
	Tools                map[string]int64
	NoFees               bool // the book has no fees at that time

	Key       string // of the entry; "" where there is none
	Account   string // the entry is this account's contract price
	Rule      string // what decided the unit prices, in words
	ValidFrom time.Time
	Learned   time.Time
	Source    string
	Terms     []Term
}

// Term says how one unit price came about.
type Term struct {
	Class string   `json:"class"`
	List  string   `json:"list"`            // USD as the entry has it, for a million tokens or for one request or search
	As    string   `json:"as,omitempty"`    // the class whose price it is, where the entry has none of its own
	Steps []string `json:"steps,omitempty"` // factors on it, in order
	Unit  string   `json:"unit"`            // USD after them, rounded to 12 decimals a token
}

// TermsJSON is the terms as a ledger keeps them.
func (r Rate) TermsJSON() string {
	if len(r.Terms) == 0 {
		return ""
	}
	text, err := json.Marshal(r.Terms)
	if err != nil {
		panic(err) // text and lists of text
	}
	return string(text)
}

// Lack is what the book lacks for a price, in a word.
type Lack string

// What the book may lack.
const (
	LacksModel Lack = "model" // an entry of the model
	LacksPrice Lack = "price" // an entry that holds at that time, or a price of a class in it
	LacksTier  Lack = "tier"  // a service tier of that name
	LacksBound Lack = "bound" // a unit price that is within bounds with its factors
)

const weekMinutes = 7 * 24 * 60

// period is a stretch of time in which nothing of the book begins or ends.
type period struct{ from, to time.Time }

// Card compiles what a meter pays in [from, to), for cost centres without a
// markup and for each markup that occurs. key is what Resolve found; "" makes a
// card that says that the model is not in the book.
func (b *Book) Card(m Meter, key string, from, to time.Time) (rates []Rate) {
	m.Tier = normalTier(m.Tier)
	markups := b.MarkupsWithin(from, to)
	for _, p := range b.periods(m, key, from, to) {
		for _, markup := range markups {
			rates = append(rates, b.compile(m, key, p, markup)...)
		}
	}
	return rates
}

// MarkupsWithin lists the markups that occur in [from, to), 0 first.
func (b *Book) MarkupsWithin(from, to time.Time) []Percent {
	all := []Percent{0}
	for _, m := range b.markups {
		if m.From.Before(to) && from.Before(m.To) && !slices.Contains(all, m.Percent) {
			all = append(all, m.Percent)
		}
	}
	slices.Sort(all[1:])
	return all
}

// MarkupPeriods lists what each cost centre pays on top, from when to when: of
// markups that hold at the same time the one that was learned last.
func (b *Book) MarkupPeriods() (all []Markup) {
	byCenter := map[string][]*Markup{}
	for _, m := range b.markups {
		byCenter[m.CostCenter] = append(byCenter[m.CostCenter], m)
	}
	for _, center := range slices.Sorted(maps.Keys(byCenter)) {
		var cuts []time.Time
		for _, m := range byCenter[center] {
			cuts = append(cuts, m.From, m.To)
		}
		slices.SortFunc(cuts, time.Time.Compare)
		cuts = slices.CompactFunc(cuts, time.Time.Equal)
		for i := range cuts[1:] {
			var best *Markup
			for _, m := range byCenter[center] {
				if holds(cuts[i], m.From, m.To) && (best == nil || m.Learned.After(best.Learned)) {
					best = m
				}
			}
			if best != nil {
				period := *best
				period.From, period.To = cuts[i], cuts[i+1]
				all = append(all, period)
			}
		}
	}
	return all
}

// periods cuts [from, to) where something begins or ends that decides the
// meter's price.
func (b *Book) periods(m Meter, key string, from, to time.Time) (all []period) {
	cuts := []time.Time{from, to}
	cut := func(times ...time.Time) {
		for _, t := range times {
			if t.After(from) && t.Before(to) {
				cuts = append(cuts, t)
			}
		}
	}
	for _, e := range b.byKey[key] {
		if e.Account == "" || e.Account == m.Account {
			cut(e.From, e.To)
		}
	}
	_, model, _ := strings.Cut(key, "/")
	for _, d := range b.discounts {
		if (d.Provider == "" || d.Provider == m.Provider) && (d.Account == "" || d.Account == m.Account) && (d.Model == "" || wildcard.Match(d.Model, model)) {
			cut(d.From, d.To)
		}
	}
	for _, f := range b.fees {
		cut(f.From, f.To)
	}
	slices.SortFunc(cuts, time.Time.Compare)
	cuts = slices.CompactFunc(cuts, time.Time.Equal)
	for i := range cuts[1:] {
		all = append(all, period{cuts[i], cuts[i+1]})
	}
	return all
}

// EntryAt is the entry that prices a key for an account at an instant, by what
// was known at the instant known: the account's own where it has one, of several
// the one that was learned last.
func (b *Book) EntryAt(key, account string, at, known time.Time) (best Entry, ok bool) {
	for _, e := range b.byKey[key] {
		if e.Account != "" && e.Account != account || !holds(at, e.From, e.To) || e.Learned.After(known) {
			continue
		}
		contract, was := e.Account != "", best.Account != ""
		if !ok || contract && !was || contract == was && !e.Learned.Before(best.Learned) {
			best, ok = *e, true
		}
	}
	return best, ok
}

// feeAt is the fees that hold at an instant; ok is false where none do.
func (b *Book) feeAt(at time.Time) (best Fee, ok bool) {
	if len(b.fees) == 0 { // requests and tool calls cost nothing: the operator named no fee
		return Fee{Tools: map[string]int64{AnyTool: 0}}, true
	}
	for _, f := range b.fees {
		if holds(at, f.From, f.To) && (!ok || !f.Learned.Before(best.Learned)) {
			best, ok = *f, true
		}
	}
	return best, ok
}

// discountAt is the discount on a class of published prices: of those that fit,
// the one for an account goes before one for a model, that before one for a
// class, that before one for a provider; then the model itself goes before a
// pattern, the pattern with more characters of its own before others, the class
// before the one whose price it has, and what was learned later before the rest.
func (b *Book) discountAt(m Meter, model string, class, pricedAs Class, at time.Time) (best Discount, ok bool) {
	rank := func(d Discount) (n int) {
		for i, text := range []string{d.Provider, d.Class, d.Model, d.Account} {
			if text != "" {
				n |= 1 << i
			}
		}
		return n
	}
	exact := func(name string) int {
		if name == class.String() {
			return 1
		}
		return 0
	}
	for _, d := range b.discounts {
		fits := holds(at, d.From, d.To) && (d.Provider == "" || d.Provider == m.Provider) && (d.Account == "" || d.Account == m.Account) &&
			(d.Model == "" || wildcard.Match(d.Model, model)) && (d.Class == "" || d.Class == class.String() || d.Class == pricedAs.String())
		if !fits {
			continue
		}
		if !ok || cmp.Or(cmp.Compare(rank(*d), rank(best)), cmp.Compare(ownCharacters(d.Model), ownCharacters(best.Model)), cmp.Compare(exact(d.Class), exact(best.Class)), d.Learned.Compare(best.Learned), strings.Compare(d.Model, best.Model)) > 0 {
			best, ok = *d, true
		}
	}
	return best, ok
}

// origin says from when and by which source a discount counts.
func origin(from time.Time, source string) (text string) {
	if !from.IsZero() {
		text = ", valid from " + from.UTC().Format(time.RFC3339)
	}
	if source != "" {
		text += ", source: " + source
	}
	return text
}

// compile makes the rates of a period and a markup.
func (b *Book) compile(m Meter, key string, p period, markup Percent) []Rate {
	blank := Rate{From: p.from, To: p.to, Size: everySize, MinuteTo: weekMinutes, Key: key, Markup: markup}
	if fees, ok := b.feeAt(p.from); ok {
		blank.InfraPico, blank.CacheHitPico, blank.Tools = scaled(fees.InfraPico, markup.on()), scaled(fees.CacheHitPico, markup.on()), map[string]int64{}
		for name, pico := range fees.Tools {
			blank.Tools[name] = scaled(pico, markup.on())
		}
	} else {
		blank.NoFees = true
	}
	entry, ok := b.EntryAt(key, m.Account, p.from, Forever)
	switch {
	case key == "":
		blank.Problem, blank.Lacks = "the model is not in the rate book", LacksModel
	case !ok:
		blank.Problem, blank.Lacks = "the rate book has no price of the model at that time", LacksPrice
	case !knownTiers[m.Tier] && !b.tiers[m.Tier]:
		blank.Problem, blank.Lacks = "the rate book knows no service tier "+m.Tier, LacksTier
	}
	if blank.Problem != "" {
		return []Rate{blank}
	}
	m.Tier = entry.tier(m.Tier)
	blank.Account, blank.ValidFrom, blank.Learned, blank.Source = entry.Account, entry.From, entry.Learned, entry.Source
	var rates []Rate
	for _, size := range entry.sizes(m.Tier) {
		for _, slot := range entry.slots() {
			r := blank
			r.Size, r.MinuteFrom, r.MinuteTo = size, slot.from, slot.to
			b.price(&r, entry, m, size, slot.peak)
			if entry.Forecast() {
				r.Note, r.Forecast = both(r.Note, entry.forecastNote()), true
			}
			rates = append(rates, r)
		}
	}
	return rates
}

// sizes are the prompt sizes at which an entry's prices change.
func (e Entry) sizes(tier string) (sizes []Size) {
	from := int64(-1)
	ends := e.Ranges
	if len(ends) > 0 {
		ends = ends[:len(ends)-1] // the last range holds above its end too
	}
	var tokens []int64
	for _, s := range slices.Concat(ends, e.Thresholds, e.Tiers[tier].Thresholds) {
		tokens = append(tokens, s.Tokens)
	}
	slices.Sort(tokens)
	for _, end := range append(slices.Compact(tokens), sizeMax) {
		sizes = append(sizes, Size{from, end})
		from = end
	}
	return sizes
}

// slot is a part of the week; peak is nil in off-peak hours' absence.
type slot struct {
	from, to int
	peak     *OffPeak
}

// slots cuts the week where off-peak hours begin and end.
func (e Entry) slots() (slots []slot) {
	const day = 24 * 60
	cuts := []int{0, weekMinutes}
	within := func(o OffPeak, minute int) bool {
		for d := range 7 {
			if len(o.Days) > 0 && !slices.Contains(o.Days, time.Weekday(d)) {
				continue
			}
			length := (o.To - o.From + day) % day
			if since := (minute - d*day - o.From + weekMinutes) % weekMinutes; since < length || length == 0 && since < day {
				return true
			}
		}
		return false
	}
	for _, o := range e.OffPeak {
		for d := range 7 {
			cuts = append(cuts, d*day+o.From, d*day+o.To)
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	for i, from := range cuts[:len(cuts)-1] {
		s := slot{from: from, to: cuts[i+1]}
		for j := range e.OffPeak {
			if within(e.OffPeak[j], from) {
				s.peak = &e.OffPeak[j]
			}
		}
		if n := len(slots); n > 0 && slots[n-1].peak == s.peak {
			slots[n-1].to = s.to
		} else {
			slots = append(slots, s)
		}
	}
	return slots
}

// found is a unit price with how it was found.
type found struct {
	pico  int64
	class Class  // whose price it is
	times Factor // of the tier
	plain bool   // the tier has no price of its own here: the standard one
	ok    bool
}

// find is the list price of a class in a tier, for a prompt of a size: the
// tier's own price at the highest threshold that the prompt has crossed, else
// the standard one there, and so on down to those of any size; else the price
// of the parent class.
func (e Entry) find(class Class, tier string, size Size, peak *OffPeak) found {
	if f := e.own(class, tier, size, peak); f.ok {
		return f
	}
	if parents[class] == class {
		return found{}
	}
	return e.find(parents[class], tier, size, peak)
}

func (e Entry) own(class Class, tier string, size Size, peak *OffPeak) found {
	t, has := e.Tiers[tier]
	times := Once
	switch {
	case has && t.Times > 0:
		times = t.Times
	case tier == Batch && class.tokens():
		times = Once / 2 // where there is no price for batches, or not for this class
	}
	if !class.tokens() {
		times = Once
	}
	standard := func(pico int64) found {
		if peak != nil && peak.Units.has(class) {
			pico = peak.Units[class]
		}
		return found{pico, class, times, tier != Standard && (!has || t.Times == 0), true}
	}
	if len(e.Ranges) > 0 && class.tokens() {
		if pico, is := t.Units[class]; is {
			return found{pico, class, Once, false, true}
		}
		at := slices.IndexFunc(e.Ranges, func(s Step) bool { return size.UpTo <= s.Tokens })
		if at < 0 {
			at = len(e.Ranges) - 1
		}
		if pico, is := e.Ranges[at].Units[class]; is {
			return standard(pico)
		}
		if (parents[class] != class || class == Input) && !(peak != nil && peak.Units.has(class)) { // a class that the range leaves out has the range's price of its parent
			return found{}
		}
	} else {
		for _, tokens := range e.crossed(t, size) {
			if pico, is := unitsAt(t.Thresholds, tokens)[class]; is {
				return found{pico, class, Once, false, true}
			}
			if pico, is := unitsAt(e.Thresholds, tokens)[class]; is {
				return standard(pico)
			}
		}
		if pico, is := t.Units[class]; is {
			return found{pico, class, Once, false, true}
		}
	}
	if pico, is := e.Units[class]; is || peak != nil && peak.Units.has(class) {
		return standard(pico)
	}
	return found{}
}

// crossed are the thresholds below a prompt of a size, highest first.
func (e Entry) crossed(t Tier, size Size) (tokens []int64) {
	for _, s := range slices.Concat(e.Thresholds, t.Thresholds) {
		if s.Tokens <= size.MoreThan {
			tokens = append(tokens, s.Tokens)
		}
	}
	slices.Sort(tokens)
	slices.Reverse(tokens)
	return slices.Compact(tokens)
}

func unitsAt(steps []Step, tokens int64) Units {
	for _, s := range steps {
		if s.Tokens == tokens {
			return s.Units
		}
	}
	return nil
}

// price fills in the unit prices of a rate.
func (b *Book) price(r *Rate, e Entry, m Meter, size Size, peak *OffPeak) {
	var uplift *Uplift
	for i, u := range e.Uplifts {
		if uplift == nil && m.Region != "" && slices.ContainsFunc(u.Regions, func(p string) bool { return wildcard.Match(p, m.Region) }) {
			uplift = &e.Uplifts[i]
		}
	}
	discounted := ""
	var plain []Class // of the standard tier in another one
	own := false      // the tier has a price of its own
	fee, plainFee, tokens := false, false, false
	for _, class := range Classes() {
		f := e.find(class, m.Tier, size, peak)
		switch {
		case !f.ok && class == Search:
			r.NoSearch = true
			continue
		case !f.ok && (class == Request || e.byRequest()): // no fee, or nothing but one
			continue
		case !f.ok:
			r.Problem, r.Lacks = "the rate book has no price of "+class.String()+" tokens of the model", LacksPrice
			continue
		}
		term := Term{Class: class.String(), List: USDPerMillion(f.pico)}
		if !class.tokens() {
			term.List = USDEach(f.pico)
		}
		factors := []Factor{f.times}
		if f.times != Once {
			term.Steps = append(term.Steps, fmt.Sprintf("x %s (%s)", f.times, m.Tier))
		}
		if peak != nil && peak.Times > 0 && class.tokens() {
			factors = append(factors, peak.Times)
			term.Steps = append(term.Steps, fmt.Sprintf("x %s (off-peak)", peak.Times))
		}
		if uplift != nil && class.tokens() && !(uplift.NotCache && class.cached()) {
			factors = append(factors, uplift.Times)
			term.Steps = append(term.Steps, fmt.Sprintf("x %s (region %s)", uplift.Times, m.Region))
		}
		if d, ok := b.discountAt(m, e.Model, class, f.class, r.From); ok && e.Account == "" {
			factors = append(factors, d.Percent.off())
			discounted = "discount " + d.Percent.String() + " %"
			term.Steps = append(term.Steps, fmt.Sprintf("x %s (%s%s)", d.Percent.off(), discounted, origin(d.From, d.Source)))
		}
		if r.Markup != 0 {
			factors = append(factors, r.Markup.on())
			term.Steps = append(term.Steps, fmt.Sprintf("x %s (markup %s %%)", r.Markup.on(), r.Markup))
		}
		switch {
		case f.class != class:
			term.As = f.class.String()
			if class != Reasoning && class != InputImage { // what providers count so, they charge so
				r.Fallbacks = append(r.Fallbacks, class)
			}
		case f.plain && class.tokens():
			plain = append(plain, class)
		case class.tokens():
			own = true
		}
		if r.Units[class] = scaled(f.pico, factors...); r.Units[class] > unitMax(class) {
			r.Problem, r.Lacks = fmt.Sprintf("the rate book's price of %s is out of bounds with its factors", class), LacksBound
		}
		term.Unit = unitText(class, r.Units[class])
		r.Terms = append(r.Terms, term)
		tokens = tokens || class.tokens() && r.Units[class] != 0
		if class == Request {
			fee, plainFee = true, f.plain
		}
	}
	r.ByRequest = fee && !tokens && r.Problem == ""
	switch {
	case r.ByRequest: // tokens that cost nothing want no price of their own
		if r.Fallbacks = nil; plainFee {
			r.Note, r.PlainTier = "service tier "+m.Tier+" at the standard price", m.Tier
		}
	case len(plain) == 0 || own:
		r.Fallbacks = append(r.Fallbacks, plain...)
	case m.Tier == Batch:
		r.Note, r.PlainTier = "batch at half of the standard price", m.Tier
	default:
		r.Note, r.PlainTier = "service tier "+m.Tier+" at the standard price", m.Tier
	}
	r.Note = both(r.Note, m.Notice)
	r.Rule = e.rule(m, size, peak, uplift, discounted, r.Markup)
}

// unitMax is the largest unit price in pico-dollars, with all factors.
func unitMax(class Class) int64 {
	if class.tokens() {
		return perMillionMaxUSD * million
	}
	return eachMaxUSD * million * million
}

func unitText(class Class, pico int64) string {
	if class.tokens() {
		return USDPerMillion(pico)
	}
	return USDEach(pico)
}

// rule says in words which of an entry's prices were taken.
func (e Entry) rule(m Meter, size Size, peak *OffPeak, uplift *Uplift, discounted string, markup Percent) string {
	parts := []string{"published price"}
	if e.Account != "" {
		parts[0] = "contract price of account " + e.Account
	}
	if m.Tier != Standard {
		parts = append(parts, "service tier "+m.Tier)
	}
	switch {
	case size.MoreThan >= 0 && size.UpTo < sizeMax:
		parts = append(parts, fmt.Sprintf("prompts of more than %d and up to %d tokens", size.MoreThan, size.UpTo))
	case size.MoreThan >= 0:
		parts = append(parts, fmt.Sprintf("prompts of more than %d tokens", size.MoreThan))
	case size.UpTo < sizeMax:
		parts = append(parts, fmt.Sprintf("prompts of up to %d tokens", size.UpTo))
	}
	if peak != nil {
		parts = append(parts, "off-peak "+clock(peak.From)+"-"+clock(peak.To)+" UTC")
	}
	if uplift != nil {
		parts = append(parts, "region "+m.Region+" x "+uplift.Times.String())
	}
	if discounted != "" {
		parts = append(parts, discounted)
	}
	if markup != 0 {
		parts = append(parts, "markup "+markup.String()+" %")
	}
	return strings.Join(parts, ", ")
}

// UnitUSD is the unit price of one.
func (t Term) UnitUSD() (money.USD, error) {
	class := Class(slices.Index(classNames[:], t.Class))
	parse := ParseEach
	if class >= 0 && class.tokens() {
		parse = ParsePerMillion
	}
	pico, err := parse(t.Unit)
	if err != nil {
		return money.USD{}, fmt.Errorf("unit price of %s: %w", t.Class, err)
	}
	return money.FromPico(pico), nil
}

// UnitText is the unit price as people read it.
func (t Term) UnitText() string {
	class := Class(slices.Index(classNames[:], t.Class))
	if class >= 0 && class.tokens() {
		return t.Unit + " USD a million"
	}
	return t.Unit + " USD"
}
