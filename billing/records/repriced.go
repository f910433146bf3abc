package records

import (
	"context"
	_ "embed" // texts of selects
	"fmt"
	"slices"
	"strings"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/rates"
)

// A price decides no match and nobody's department. So where another price changes the
// amounts of a model's records on a day and nothing else of them, these records are
// priced again as they stand in the ledger, and no staged row is read. Of all others the
// rows are computed again.

// Fees are those of a request at a markup, in pico-dollars.
type Fees struct{ Infra, CacheHit int64 }

// Plain are models whose prices on a day are prices and nothing more: known, without a
// note, and not those that a gateway reported. By day and meter.
type Plain map[civil.Date]map[int64]PlainPrice

// PlainPrice is what a model pays beside its tokens.
type PlainPrice struct {
	Fees map[rates.Percent]Fees
	// Tokens of these classes have no price of their own, which a record of them tells.
	Fallbacks map[rates.Class]bool
}

// Add adds the models of references to a day that are priced plainly by them.
func (p Plain) Add(day civil.Date, prices References) {
	byCard := map[int64][]Rate{}
	for _, r := range prices.Rates {
		byCard[r.Card] = append(byCard[r.Card], r)
	}
	for _, c := range prices.Cards {
		price := PlainPrice{map[rates.Percent]Fees{}, map[rates.Class]bool{}}
		plain := len(byCard[c.Card]) > 0
		for _, r := range byCard[c.Card] {
			fees := Fees{r.InfraPico, r.CacheHitPico}
			was, met := price.Fees[r.Markup]
			plain = plain && r.plain() && (!met || was == fees)
			price.Fees[r.Markup] = fees
			for _, class := range r.Fallbacks {
				price.Fallbacks[class] = true
			}
			if r.NoSearch {
				price.Fallbacks[rates.Search] = true
			}
		}
		if plain {
			if p[day] == nil {
				p[day] = map[int64]PlainPrice{}
			}
			p[day][c.Meter] = price
		}
	}
}

// counted are how many tokens of each class records have, and searches.
type counted struct {
	Input, CacheRead         int64
	CacheWrite5m             int64 `column:"cache_write_5m"`
	CacheWrite1h             int64 `column:"cache_write_1h"`
	Output, Reasoning        int64
	InputAudio, InputImage   int64
	CacheReadAudio           int64
	OutputAudio, OutputImage int64
	Searches                 int64
}

// any says whether there are some of a class.
func (c counted) any(of map[rates.Class]bool) bool {
	for class, n := range map[rates.Class]int64{
		rates.Input: c.Input, rates.CacheRead: c.CacheRead, rates.CacheWrite5m: c.CacheWrite5m, rates.CacheWrite1h: c.CacheWrite1h, rates.Output: c.Output, rates.Reasoning: c.Reasoning,
		rates.InputAudio: c.InputAudio, rates.InputImage: c.InputImage, rates.CacheReadAudio: c.CacheReadAudio, rates.OutputAudio: c.OutputAudio, rates.OutputImage: c.OutputImage, rates.Search: c.Searches,
	} {
		if n > 0 && of[class] {
			return true
		}
	}
	return false
}

// plain says that a record at a rate has an amount, and no word or note for it but of
// classes that have no price of their own.
func (r Rate) plain() bool {
	return r.Problem == "" && r.EstimatedAs == "" && r.Note == "" && r.Lacks == "" && r.PlainTier == "" && !r.Reported && !r.Forecast && !r.NoFees
}

//go:embed repriced_how.sql
var repricedHowText string

// aloneMost is how many days of models are priced again in one night: they stand in
// the text of statements.
const aloneMost = 2000

// alone are the models that cost something else on days of which nothing but amounts
// changes.
func (l *Records) alone(ctx context.Context, priced Repriced, plain Plain) (Repriced, error) {
	type of struct {
		day   civil.Date
		meter int64
	}
	wanted, others := map[of]bool{}, map[of]bool{}
	for day, meters := range priced {
		for _, meter := range meters {
			if _, is := plain[day][meter]; is {
				wanted[of{day, meter}] = true
			}
		}
	}
	if len(wanted) == 0 || len(wanted) > aloneMost {
		return nil, nil
	}
	met := map[of]bool{}
	err := warehouse.Each(ctx, l.w, warehouse.Select{Name: "how models were priced", Text: repricedHowText, Args: Args{"repriced_days": priced.Days()}}, func(r struct {
		UsageDate    civil.Date
		MeterID      int64
		Priced       bool
		Markup       int64
		InfraPico    *int64
		CacheHitPico *int64
		Others       int64
		counted
	}) error {
		at := of{r.UsageDate, r.MeterID}
		price := plain[at.day][at.meter]
		fees, charged := price.Fees[rates.Percent(r.Markup)]
		same := charged && r.InfraPico != nil && r.CacheHitPico != nil && fees == Fees{*r.InfraPico, *r.CacheHitPico}
		if r.Others > 0 || r.Priced && (!same || r.any(price.Fallbacks)) {
			others[at] = true
		}
		met[at] = true
		return nil
	})
	if err != nil {
		return nil, err
	}
	var alone Repriced
	for _, day := range priced.Days() { // all of a day's models or none: a day is made by one way
		all, some := true, false
		for _, meter := range priced[day] { // also one that stands in requests alone, whose records have that of their usage
			at := of{day, meter}
			all, some = all && wanted[at] && !others[at], some || met[at]
		}
		if all && some {
			alone = alone.With(day, priced[day]...)
		}
	}
	return alone, nil
}

var (
	//go:embed repriced_charges.sql
	repricedChargesText string
	//go:embed repriced.sql
	repricedText string
	//go:embed repriced_users.sql
	repricedUsersText string
	//go:embed repriced_tie.sql
	repricedTieText string
)

// repricedTables are the work tables of records that are priced again.
var repricedTables = []string{"new_repriced", "new_repriced_daily", "new_repriced_users"}

// reprice prices records again that stand as they are but for their amounts, and holds
// the new daily sums against them. The references are put.
func (l *Records) reprice(ctx context.Context, m *Made) error {
	priced := m.b.near.alone
	if err := l.w.Put(ctx, "repriced_meters", pricesColumns, priced.rows()); err != nil {
		return err
	}
	p := l.program(Args{"repriced_days": priced.Days(), "run_date": m.b.RunDate})
	if err := p.Add("markups_dated"); err != nil {
		return err
	}
	p.View("attributed", repricedChargesText)
	if err := p.Add("priced"); err != nil {
		return err
	}
	p.WideTable("new_repriced", "records at another price", repricedText)
	p.View("new_facts", "select "+factsTable.ColumnNames()+" from {new_repriced}")
	p.View("daily_tasks", "select task_id, agent_id from {"+record.TaskSchema.Table+"}")
	p.Table("new_repriced_daily", "daily sums at another price", dailyCostsText)
	p.Table("new_repriced_users", "daily sums of users at another price", repricedUsersText)
	if err := p.Run(ctx, repricedTables...); err != nil {
		return err
	}
	if err := tiedRepriced(warehouse.One[repricedTie](ctx, l.w, p.Select("control totals of records at another price", repricedTieText))); err != nil {
		return err
	}
	records := warehouse.ReplaceDays{Table: factsTable.Name, Days: priced.Days(), From: "new_repriced"}
	records.Where, records.Args = priced.where()
	daily := records
	daily.Table, daily.From = dailyTable.Name, "new_repriced_daily"
	m.changes = append(m.changes, records, daily, warehouse.ReplaceDays{Table: dailyUsersTable.Name, Days: priced.Days(), From: "new_repriced_users"})
	return nil
}

// repricedTie is what records at another price are held against.
type repricedTie struct {
	Records, Unpriced             int64
	SumsTie, BeforeTies, UsersTie bool
}

func tiedRepriced(t repricedTie, err error) error {
	switch {
	case err != nil:
		return err
	case t.Records == 0:
		return fmt.Errorf("%w: there are no records where there are sums", ErrOtherRecords)
	case t.Unpriced > 0:
		return fmt.Errorf("%w: %d records have no amount at another price, or had none before", ErrOtherRecords, t.Unpriced)
	case !t.BeforeTies:
		return fmt.Errorf("%w: in number, tokens or amount", ErrOtherRecords)
	case !t.SumsTie:
		return fmt.Errorf("%w: records at another price: the daily sums are not what they come to", ErrNotTied)
	case !t.UsersTie:
		return fmt.Errorf("%w: records at another price: the daily sums of users are not what they come to", ErrNotTied)
	}
	return nil
}

// where are the models on their days as a condition: those together that are repriced
// on the same days.
func (p Repriced) where() (string, Args) {
	days := map[int64][]civil.Date{}
	var meters []int64
	for _, day := range p.Days() {
		for _, meter := range p[day] {
			if days[meter] == nil {
				meters = append(meters, meter)
			}
			days[meter] = append(days[meter], day)
		}
	}
	slices.Sort(meters)
	args, texts := Args{}, []string(nil)
	for len(meters) > 0 {
		of := days[meters[0]]
		var alike []string
		meters = slices.DeleteFunc(meters, func(meter int64) bool {
			same := slices.Equal(days[meter], of)
			if same {
				alike = append(alike, fmt.Sprint(meter))
			}
			return same
		})
		name := fmt.Sprint("repriced_days_", len(texts)+1)
		args[name] = of
		texts = append(texts, "meter_id in ("+strings.Join(alike, ", ")+") and usage_date in ({@"+name+"})")
	}
	return strings.Join(texts, " or "), args
}

// without are those of other days.
func (p Repriced) without(days []civil.Date) Repriced {
	var left Repriced
	for _, day := range p.Days() {
		if !slices.Contains(days, day) {
			left = left.With(day, p[day]...)
		}
	}
	return left
}

// and are those of both.
func (p Repriced) and(more Repriced) Repriced {
	for _, day := range more.Days() {
		p = p.With(day, more[day]...)
	}
	return p
}
