package records

import (
	"context"
	"crypto/sha256"
	_ "embed" // texts of selects
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
	"chargeback/transform/rates"
)

// Card leads from a meter to what it pays. Model is the same for all names and
// regions of a provider's model.
type Card struct{ Meter, Card, Model int64 }

// Rate is a row of a card.
type Rate struct {
	Card        int64
	EstimatedAs string // the config prices an unknown model as this one
	Reported    bool   // the config takes what the gateway reported as the cost of an unknown model
	rates.Rate
}

// TakeReported is the config's word for the cost that the gateway reported.
const TakeReported = "reported_cost"

// StandIn is what the config names for a model that the rate book doesn't have:
// a model of the book, or the cost that the gateway reported. The zero StandIn is
// none.
type StandIn struct {
	PriceAs  string
	Reported bool
}

// Markup is what a cost centre pays on top.
type Markup struct {
	CostCenter string
	Percent    rates.Percent
	From, To   time.Time
}

// ToolFee is what a mix of tool calls costs, in pico-dollars; Missing names a
// tool without a fee, and then Pico means nothing.
type ToolFee struct {
	Tools    string
	Markup   rates.Percent
	From, To time.Time
	Pico     int64
	Missing  string
}

// Price fills in what a rate book says of all that was seen. standIn says what
// stands in for a model that the book doesn't have.
func (r *References) Price(book *rates.Book, seen Seen, standIn func(Meter) StandIn) error {
	from, to := seen.Span[0], seen.Span[1]
	made := map[int64]bool{}
	for _, m := range seen.Meters {
		key, _, ok := book.Resolve(m.Provider, m.Region, m.Model)
		var in StandIn
		if !ok {
			if in = standIn(m); in.PriceAs != "" {
				key, _, ok = book.Resolve(m.Provider, m.Region, in.PriceAs)
			}
			if !ok {
				key, in.PriceAs = "", ""
			}
		}
		meter := rates.Meter{Provider: m.Provider, Account: m.Account, Region: m.Region, Model: m.Model, Tier: m.Tier, Notice: m.Notice}
		what := []string{key, in.PriceAs, m.Provider, m.Account, m.Region, m.Tier, m.Notice}
		if in.Reported {
			what = append(what, reportedRule)
		}
		card := idOf(what...)
		r.Cards = append(r.Cards, Card{m.ID, card, modelID(book, m)})
		if made[card] {
			continue
		}
		made[card] = true
		for _, rate := range book.Card(meter, key, from, to) {
			r.Rates = append(r.Rates, Rate{card, in.PriceAs, in.Reported, rate}.told())
		}
	}
	for _, m := range book.MarkupPeriods() {
		r.Markups = append(r.Markups, Markup{m.CostCenter, m.Percent, m.From, m.To})
	}
	return r.priceTools(book, seen)
}

// modelID is what the names of a provider's model have in common: the rate
// book's name of it, else the name as it was sent without capitals.
func modelID(book *rates.Book, m Meter) int64 {
	if key, _, ok := book.Resolve(m.Provider, "", m.Model); ok {
		return idOf("model", key)
	}
	return idOf("model", m.Provider, strings.ToLower(m.Model))
}

func (r *References) priceTools(book *rates.Book, seen Seen) error {
	periods := book.ToolRates(seen.Span[0], seen.Span[1])
	for _, mix := range seen.Tools {
		calls, err := rates.ParseToolMix(mix)
		if err != nil {
			return fmt.Errorf("read staged tool calls: %w", err)
		}
		for _, p := range periods {
			fee := ToolFee{Tools: mix, Markup: p.Markup, From: p.From, To: p.To}
			fee.Pico, fee.Missing = rates.ToolFee(p.Fees, calls)
			r.ToolFees = append(r.ToolFees, fee)
		}
	}
	return nil
}

// reportedRule is what decides a cost that the gateway reported.
const reportedRule = "the cost that the gateway reported, as the settings say of this unknown model"

// told gives a rate of reported costs its rule, and the reason why a record
// without such a cost is held.
func (r Rate) told() Rate {
	if r.Reported {
		r.Rule = reportedRule
		r.Problem += ", and the gateway reported no cost of the request above 0"
		r.Lacks = lacksReported
	}
	return r
}

// lacksReported says that the model has no price, and the request no cost that
// was reported.
const lacksReported rates.Lack = TakeReported

// row is the rate as a row of ref_rates.
func (r Rate) row(id int64) []any {
	unit := func(class rates.Class) any {
		if r.Problem != "" || class == rates.Search && r.NoSearch {
			return nil
		}
		return r.Units[class]
	}
	row := []any{
		r.Card, id, int64(r.Markup), r.From, r.To, r.Size.MoreThan, r.Size.UpTo, r.MinuteFrom, r.MinuteTo,
	}
	for _, class := range rates.Classes() {
		row = append(row, unit(class))
	}
	row = append(row, r.fee(r.InfraPico), r.fee(r.CacheHitPico))
	fallbacks := ""
	for _, class := range r.Fallbacks {
		fallbacks += "," + class.String()
	}
	if fallbacks != "" {
		fallbacks += ","
	}
	return append(row, nullText(r.Problem), nullText(r.EstimatedAs), nullText(r.Note), nullText(fallbacks),
		nullText(string(r.Lacks)), nullText(r.PlainTier), r.ByRequest, r.Reported, r.Forecast)
}

func (r Rate) fee(pico int64) any {
	if r.NoFees {
		return nil
	}
	return pico
}

// entry is the rate as a row of rate_entries.
func (r Rate) entry(id int64, version string) []any {
	var validFrom, learned any
	if !r.ValidFrom.IsZero() {
		validFrom = r.ValidFrom
	}
	if !r.Learned.IsZero() {
		learned = r.Learned
	}
	return []any{
		id, version, nullText(r.Key), nullText(r.EstimatedAs), nullText(r.Rule), validFrom, learned, nullText(r.Source), nullText(r.TermsJSON()),
		r.fee(r.InfraPico), r.fee(r.CacheHitPico), nullText(r.toolFees()), int64(r.Markup), r.Signature(), r.Reported, r.hash(version),
	}
}

// Signature is a hash of all that decides an amount but the time: records that
// were priced by a rate with the same signature cost the same by this one.
func (r Rate) Signature() string {
	var b strings.Builder
	fmt.Fprintln(&b, r.Size, r.MinuteFrom, r.MinuteTo, r.Markup, r.NoFees, r.InfraPico, r.CacheHitPico, r.Problem != "", r.NoSearch, r.Units, r.EstimatedAs)
	fmt.Fprintln(&b, r.toolFees())
	if r.ByRequest || r.Reported { // a rate that is neither keeps the signature that old ledgers have of it
		fmt.Fprintln(&b, r.ByRequest, r.Reported)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:8])
}

// toolFees is the fees of tools as JSON, by name.
func (r Rate) toolFees() string {
	text, err := json.Marshal(r.Tools)
	if err != nil {
		panic(err) // texts and whole numbers
	}
	return string(text)
}

// hash names a rate of one version of the rate book, whatever days it was made for.
func (r Rate) hash(version string) int64 {
	return idOf(version, r.Key, r.EstimatedAs, r.Rule, r.Problem, r.Signature(), r.Source, r.TermsJSON(), r.ValidFrom.String(), r.Learned.String())
}

// idOf is 63 bits of the SHA-256 of some texts, with their lengths, so that
// they don't run into each other.
func idOf(texts ...string) int64 {
	var b []byte
	for _, text := range texts {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	sum := sha256.Sum256(b)
	return int64(binary.BigEndian.Uint64(sum[:8]) >> 1)
}

// RatesUsed are the rates that priced records of closed months, with the meters that
// occur there.
type RatesUsed struct {
	Seen Seen
	uses []rateUse
}

type rateUse struct {
	meter     int64 `column:"-"`
	Signature string
	Day       civil.Date `column:"usage_date"`
	First     time.Time  `column:"first_started"`
	Last      time.Time  `column:"last_started"`
}

//go:embed rates_used.sql
var ratesUsedText string

// RatesUsed reads the rates of closed months.
func (l *Records) RatesUsed(ctx context.Context) (used RatesUsed, err error) {
	meters := map[int64]bool{}
	err = warehouse.Each(ctx, l.w, warehouse.Select{Name: "read rates of closed months", Text: ratesUsedText}, func(r struct {
		Meter
		rateUse
	}) error {
		r.meter = r.ID
		used.add(r.Meter, r.rateUse, !meters[r.ID])
		meters[r.ID] = true
		return nil
	})
	return used, err
}

// add adds a use, which is of a new meter or of one that is known.
func (used *RatesUsed) add(m Meter, u rateUse, isNew bool) {
	if isNew {
		used.Seen.Meters = append(used.Seen.Meters, m)
	}
	span := &used.Seen.Span
	if len(used.uses) == 0 || u.First.Before(span[0]) {
		span[0] = u.First
	}
	if !u.Last.Before(span[1]) {
		span[1] = u.Last.Add(time.Microsecond)
	}
	used.uses = append(used.uses, u)
}

// Anew lists the days of closed months on which some record would get another price
// today, by references for what was seen.
func (used RatesUsed) Anew(refs References) (days []civil.Date) {
	cards := map[int64]int64{}
	for _, c := range refs.Cards {
		cards[c.Meter] = c.Card
	}
	type rated struct {
		card      int64
		signature string
	}
	holds := map[rated][]Rate{} // by from
	for _, r := range refs.Rates {
		at := rated{r.Card, r.Signature()}
		holds[at] = append(holds[at], r)
	}
	for _, u := range used.uses {
		next := u.First
		for _, r := range holds[rated{cards[u.meter], u.Signature}] {
			if !next.Before(r.From) && next.Before(r.To) {
				next = r.To
			}
		}
		if !u.Last.Before(next) && (len(days) == 0 || days[len(days)-1] != u.Day) {
			days = append(days, u.Day)
		}
	}
	return days
}
