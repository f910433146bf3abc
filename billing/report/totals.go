package report

import (
	"cmp"
	"context"
	_ "embed" // texts of selects
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
	"chargeback/transform/rates"
)

// TotalsBy is what a report of control totals may group by, besides the unit.
type TotalsBy string

// The groups of control totals.
const (
	TotalsByDay       TotalsBy = "day"
	TotalsByProvider  TotalsBy = "provider"
	TotalsByAccount   TotalsBy = "account"
	TotalsByProject   TotalsBy = "project"
	TotalsByKey       TotalsBy = "key"
	TotalsByPrincipal TotalsBy = "principal"
	TotalsByRegion    TotalsBy = "region"
	TotalsByModel     TotalsBy = "model"
	TotalsByTier      TotalsBy = "tier"
	TotalsByClass     TotalsBy = "class"
)

// TotalsGroups lists what a report of control totals may group by.
func TotalsGroups() []TotalsBy {
	return []TotalsBy{TotalsByDay, TotalsByProvider, TotalsByAccount, TotalsByProject, TotalsByKey, TotalsByPrincipal, TotalsByRegion, TotalsByModel, TotalsByTier, TotalsByClass}
}

// TotalsByDefault is what it groups by where nothing else is asked.
func TotalsByDefault() []TotalsBy { return []TotalsBy{TotalsByProvider, TotalsByModel, TotalsByClass} }

// Resolve finds the price key of a model as a report names it.
type Resolve func(provider, region, model string) (key string, ok bool)

// side is one side of a comparison: quantities and amounts, each nil where the
// side tells none.
type side struct {
	quantity *big.Int
	amount   *money.USD
}

func (s *side) count(n *big.Int) {
	if s.quantity == nil {
		s.quantity = new(big.Int)
	}
	s.quantity.Add(s.quantity, n)
}

func (s *side) pay(a money.USD) {
	if s.amount != nil {
		a = a.Add(*s.amount)
	}
	s.amount = &a
}

// nothing says that neither figure of a side is other than zero.
func (s *side) nothing() bool {
	return (s.quantity == nil || s.quantity.Sign() == 0) && (s.amount == nil || s.amount.IsZero())
}

func (s *side) add(other side) {
	if other.quantity != nil {
		s.count(other.quantity)
	}
	if other.amount != nil {
		s.pay(*other.amount)
	}
}

// cellOf is what one figure is about, and the two sides of it.
type cellOf struct {
	by                map[TotalsBy]string
	unit              string
	metered, reported side
	bare              *money.USD // the metered amount without markups
	source            string     // that reports
}

// Totals compares, by UTC day of the month, what the ledger has metered with
// what the providers report and bill, group by group. Rows add up to what each
// side tells: tokens to tokens, amounts to amounts.
func Totals(ctx context.Context, q Querier, month civil.Month, by []TotalsBy, resolve Resolve) (Report, error) {
	r := Report{Name: "totals", Title: "Metered against reported and billed, by UTC day of use", Month: month.String()}
	args := records.Args{
		"first_day": month.FirstDay(), "last_day": month.LastDay(),
		"scan_first": month.FirstDay().AddDays(-2), "scan_last": month.LastDay().AddDays(2), // billing days of those UTC days
	}
	rows := meteredDays
	if slices.ContainsFunc(by, func(b TotalsBy) bool { return b == TotalsByPrincipal || b == TotalsByProject || b == TotalsByKey }) {
		rows = meteredRecords
	}
	asked := counting(q, rows, args)
	metered, err := readMetered(ctx, asked)
	if err != nil {
		return r, fmt.Errorf("read report totals: %w", err)
	}
	reported, err := readReported(ctx, q, args)
	if err != nil {
		return r, fmt.Errorf("read report totals: %w", err)
	}
	nameModels(metered, reported, resolve)
	foldCacheWrites(metered, reported)
	r.compare(by, metered, reported)
	if err := r.noteRecords(ctx, asked); err != nil {
		return r, err
	}
	return r, r.noteBuckets(ctx, q, args)
}

// compare fills the report from both sides.
func (r *Report) compare(by []TotalsBy, metered, reported []*cellOf) {
	titles := map[TotalsBy]string{
		TotalsByDay: "Day", TotalsByProvider: "Provider", TotalsByAccount: "Account", TotalsByProject: "Project", TotalsByKey: "Key", TotalsByPrincipal: "Principal",
		TotalsByRegion: "Region", TotalsByModel: "Model", TotalsByTier: "Tier", TotalsByClass: "Class",
	}
	for _, b := range by {
		r.Columns = append(r.Columns, Column{Name: string(b), Title: titles[b], Wrap: b == TotalsByModel || b == TotalsByClass})
	}
	r.Columns = append(r.Columns, []Column{
		{Name: "unit", Title: "Unit", Rank: 6},
		{Name: "side", Title: "Side", Rank: 4},
		{Name: "metered_quantity", Title: "Metered", Kind: Count, Rank: 5},
		{Name: "reported_quantity", Title: "Reported", Kind: Count, Rank: 5},
		{Name: "quantity_difference", Title: "Difference", Kind: Count, Rank: 1},
		{Name: "quantity_percent", Title: "%", Kind: Percent, Rank: 7},
		{Name: "metered_usd", Title: "Metered USD", Kind: USD, Rank: 3},
		{Name: "billed_usd", Title: "Billed USD", Kind: USD, Rank: 3},
		{Name: "difference_usd", Title: "Difference USD", Kind: USD},
		{Name: "difference_percent", Title: "%", Kind: Percent, Rank: 2},
	}...)
	tells := toldBy(reported)
	groups := map[string]*cellOf{}
	var order []string
	for i, cells := range [][]*cellOf{metered, reported} {
		for _, c := range cells {
			var key []string
			for _, b := range by {
				key = append(key, c.by[b])
			}
			name := strings.Join(append(key, c.unit), "\x00")
			if groups[name] == nil {
				groups[name] = &cellOf{by: c.by, unit: c.unit}
				order = append(order, name)
			}
			to := [2]*side{&groups[name].metered, &groups[name].reported}[i]
			to.add([2]side{c.metered, c.reported}[i])
		}
	}
	slices.Sort(order)
	differ := differences(metered, reported, by, tells)
	for _, name := range order {
		g := groups[name]
		if g.metered.nothing() && g.reported.nothing() {
			continue // a count of zero that nothing stands against
		}
		var row []any
		for _, b := range by {
			row = append(row, nullable(g.by[b]))
		}
		r.Rows = append(r.Rows, append(append(row, nullable(g.unit), sideOf(g)), figures(g.metered, g.reported, differ[name])...))
	}
	r.total(by, groups, differ)
}

// figures are the columns behind the side.
func figures(metered, reported, difference side) []any {
	return []any{
		whole(metered.quantity), whole(reported.quantity), whole(difference.quantity), percentOf(reported.quantity, difference.quantity),
		exactly(metered.amount), exactly(reported.amount), exactly(difference.amount), moneyPercent(reported.amount, difference.amount),
	}
}

// total adds the groups up: all amounts, and the quantities that are tokens.
func (r *Report) total(by []TotalsBy, groups map[string]*cellOf, differ map[string]side) {
	var metered, reported, difference side
	others := false
	for name, g := range groups {
		m, p, d := g.metered, g.reported, differ[name]
		if g.unit != tokensUnit {
			others = others || m.quantity != nil || p.quantity != nil
			m.quantity, p.quantity, d.quantity = nil, nil, nil
		}
		metered.add(m)
		reported.add(p)
		difference.add(d)
	}
	r.Total = make([]any, len(by)+2)
	r.Total = append(r.Total, figures(metered, reported, difference)...)
	if others {
		r.note("The quantities of the total are tokens.")
	}
}

// told says which figures a provider's reports tell at all: quantities of which
// units, and amounts. What they don't tell is no difference.
type told struct {
	units   map[[2]string]bool // by provider and unit
	amounts map[string]bool    // by provider
}

func toldBy(reported []*cellOf) told {
	t := told{map[[2]string]bool{}, map[string]bool{}}
	for _, c := range reported {
		provider := c.by[TotalsByProvider]
		if c.reported.quantity != nil {
			t.units[[2]string{provider, c.unit}] = true
		}
		if c.reported.amount != nil {
			t.amounts[provider] = true
		}
	}
	return t
}

// differences are, by group, what is reported less what is metered. A figure
// that one side lacks counts as none there, where that side tells such figures.
func differences(metered, reported []*cellOf, by []TotalsBy, tells told) map[string]side {
	all := map[string]side{}
	add := func(c *cellOf, s side, sign int64) {
		var key []string
		for _, b := range by {
			key = append(key, c.by[b])
		}
		name := strings.Join(append(key, c.unit), "\x00")
		d, provider := all[name], c.by[TotalsByProvider]
		if s.quantity != nil && tells.units[[2]string{provider, c.unit}] {
			d.count(new(big.Int).Mul(s.quantity, big.NewInt(sign)))
		}
		if s.amount != nil && tells.amounts[provider] {
			d.pay(s.amount.MulInt(sign))
		}
		all[name] = d
	}
	for _, c := range metered {
		add(c, c.metered, -1)
	}
	for _, c := range reported {
		add(c, c.reported, 1)
	}
	return all
}

// sideOf says on which sides a group is.
func sideOf(c *cellOf) string {
	has := func(s side) bool { return s.quantity != nil || s.amount != nil }
	switch {
	case !has(c.reported):
		return "metered only"
	case !has(c.metered):
		return "reported only"
	}
	return "both"
}

func whole(n *big.Int) any {
	if n == nil || !n.IsInt64() {
		return nil
	}
	return n.Int64()
}

func exactly(a *money.USD) any {
	if a == nil {
		return nil
	}
	return *a
}

func percentOf(of, difference *big.Int) any {
	if of == nil || difference == nil {
		return nil
	}
	return change(money.FromPicoInt(of), money.FromPicoInt(difference))
}

func moneyPercent(of, difference *money.USD) any {
	if of == nil || difference == nil {
		return nil
	}
	return change(*of, *difference)
}

const (
	tokensUnit = "tokens"

	// otherClass is what is metered and not paid by the count of a class.
	otherClass = "other"

	// cacheWriteClass is all writes to the prompt cache, where one side doesn't
	// tell how long they live.
	cacheWriteClass = "cache_write"
)

// unitOf is the unit of a class; "" where it isn't one.
func unitOf(class string) string {
	switch class {
	case "", otherClass:
		return ""
	case record.ClassRequests, record.ClassSearches:
		return class
	}
	return tokensUnit
}

var (
	//go:embed metered_days.sql
	meteredDays string
	//go:embed metered_records.sql
	meteredRecords string
	//go:embed metered.sql
	meteredText string
	//go:embed rates_paid.sql
	ratesPaidText string
	//go:embed reported.sql
	reportedText string
	//go:embed long_buckets.sql
	longBucketsText string
)

// readMetered reads what the ledger's records say, by class; q is what counting gave
// of meteredDays or meteredRecords. A record that is taken back counts down; an answer
// of the gateway's cache asked no provider.
func readMetered(ctx context.Context, q Querier) (cells []*cellOf, err error) {
	terms, err := readTerms(ctx, q)
	if err != nil {
		return nil, err
	}
	err = warehouse.Each(ctx, q, warehouse.Select{Name: "what was metered", Text: meteredText}, func(row meteredSums) error {
		t := terms[row.Rate]
		m := meteredRow{meteredSums: row, units: t.units}
		for _, c := range m.cells() {
			if c.metered.amount != nil {
				bare := withoutMarkup(*c.metered.amount, t.markup)
				c.bare = &bare
			}
			cells = append(cells, c)
		}
		return nil
	})
	return cells, err
}

// paidBy is by what the records of a rate were paid.
type paidBy struct {
	units  map[rates.Class]money.USD
	markup int64 // in 1/10,000 of a percent; it is in units
}

// readTerms reads the unit prices that the days' records were paid by.
func readTerms(ctx context.Context, q Querier) (map[int64]paidBy, error) {
	all := map[int64]paidBy{}
	err := warehouse.Each(ctx, q, warehouse.Select{Name: "rates that were paid", Text: ratesPaidText}, func(r struct {
		RateID int64
		Terms  string
		Markup int64
	}) error {
		terms, err := parseTerms(r.RateID, r.Terms)
		if err != nil {
			return err
		}
		units := map[rates.Class]money.USD{}
		for _, t := range terms {
			i := slices.IndexFunc(rates.Classes(), func(c rates.Class) bool { return c.String() == t.Class })
			unit, err := t.UnitUSD()
			if err != nil {
				return err
			}
			if i >= 0 {
				units[rates.Classes()[i]] = unit
			}
		}
		all[r.RateID] = paidBy{units, r.Markup}
		return nil
	})
	return all, err
}

// parseTerms reads the terms of a rate as the ledger keeps them.
func parseTerms(rate int64, text string) (terms []rates.Term, err error) {
	if err := json.Unmarshal([]byte(text), &terms); err != nil {
		return nil, fmt.Errorf("read the terms of rate %d: %w", rate, err)
	}
	return terms, nil
}

// meteredSums is records of one rate, summed. Parts of a class of tokens are in it.
type meteredSums struct {
	UTCDate                                                                             civil.Date
	Provider, AccountName, ProjectName, KeyName, Principal, RegionName, ModelName, Tier string
	Rate                                                                                int64
	Known                                                                               bool // what they cost
	Requests                                                                            int64
	LLM                                                                                 money.USD
	tokenSums
	WebSearches int64
}

// meteredRow splits one by class.
type meteredRow struct {
	meteredSums
	units map[rates.Class]money.USD
	paid  money.USD // by the classes so far
	all   []*cellOf
}

// cells splits the row by class. The amounts add up to what was charged.
func (m *meteredRow) cells() []*cellOf {
	m.class(record.ClassInput, m.Input-m.InputAudio-m.InputImage, rates.Input)
	m.class(record.ClassCacheRead, m.CacheRead-m.CacheReadAudio, rates.CacheRead)
	m.class(record.ClassCacheWrite5m, m.CacheWrite5m, rates.CacheWrite5m)
	m.class(record.ClassCacheWrite1h, m.CacheWrite1h, rates.CacheWrite1h)
	m.class(record.ClassCacheWriteUnknown, m.CacheWriteUnknown, rates.CacheWrite5m)
	m.class(record.ClassInputAudio, m.InputAudio, rates.InputAudio)
	m.class(record.ClassInputImage, m.InputImage, rates.InputImage)
	m.class(record.ClassCacheReadAudio, m.CacheReadAudio, rates.CacheReadAudio)
	m.class(record.ClassOutputAudio, m.OutputAudio, rates.OutputAudio)
	m.class(record.ClassOutputImage, m.OutputImage, rates.OutputImage)
	m.class(record.ClassSearches, m.WebSearches, rates.Search)
	m.class(record.ClassRequests, m.Requests, rates.Request)
	if text := m.Output - m.OutputAudio - m.OutputImage; text != 0 {
		c := m.cell(record.ClassOutput)
		c.metered.count(big.NewInt(text))
		m.pay(c, text-m.Reasoning, rates.Output)
		m.pay(c, m.Reasoning, rates.Reasoning)
	}
	if rest := m.LLM.Sub(m.paid); m.Known && !rest.IsZero() {
		m.cell(otherClass).metered.pay(rest)
	}
	return m.all
}

func (m *meteredRow) cell(class string) *cellOf {
	c := &cellOf{unit: unitOf(class), by: map[TotalsBy]string{
		TotalsByDay: m.UTCDate.String(), TotalsByProvider: m.Provider, TotalsByAccount: m.AccountName, TotalsByProject: m.ProjectName, TotalsByKey: m.KeyName,
		TotalsByPrincipal: m.Principal, TotalsByRegion: m.RegionName, TotalsByModel: m.ModelName, TotalsByTier: tierName(m.Tier), TotalsByClass: class,
	}}
	m.all = append(m.all, c)
	return c
}

// class adds the cell of a class that is priced as itself.
func (m *meteredRow) class(class string, n int64, price rates.Class) {
	if n == 0 {
		return
	}
	c := m.cell(class)
	c.metered.count(big.NewInt(n))
	m.pay(c, n, price)
}

func (m *meteredRow) pay(c *cellOf, n int64, price rates.Class) {
	if unit, ok := m.units[price]; ok && m.Known && n != 0 {
		amount := unit.MulInt(n)
		c.metered.pay(amount)
		m.paid = m.paid.Add(amount)
	}
}

// tierName makes one word of those for the ordinary service tier.
func tierName(tier string) string {
	switch tier {
	case "", "default", "auto", "on_demand":
		return "standard"
	}
	return tier
}

// reportedFigure is control totals that tell the same apart, summed. The quantity and the
// amount are nil where none of them has one.
type reportedFigure struct {
	BucketDate civil.Date

	Provider, AccountName, ProjectName, KeyName, PrincipalName, RegionName, ModelName string
	Tier, Class, Item, UnitName, Source                                               string

	QuantitySum *int64
	AmountSum   *money.USD
}

// readReported reads the control totals that count. Where a provider's usage is
// told for a day by a report without amounts, quantities that stand beside
// amounts would tell it again.
func readReported(ctx context.Context, q Querier, args records.Args) (cells []*cellOf, err error) {
	type day struct{ day, provider string }
	usage := map[day]bool{}
	var billed []*cellOf
	err = warehouse.Each(ctx, q, warehouse.Select{Name: "what was reported", Text: reportedText, Args: args}, func(f reportedFigure) error {
		c := &cellOf{source: f.Source, unit: cmp.Or(unitOf(f.Class), f.UnitName), by: map[TotalsBy]string{
			TotalsByDay: f.BucketDate.String(), TotalsByProvider: f.Provider, TotalsByAccount: f.AccountName, TotalsByProject: f.ProjectName, TotalsByKey: f.KeyName,
			TotalsByPrincipal: f.PrincipalName, TotalsByRegion: f.RegionName, TotalsByModel: f.ModelName, TotalsByTier: tierName(f.Tier), TotalsByClass: cmp.Or(f.Class, f.Item),
		}}
		if f.QuantitySum != nil {
			c.reported.count(big.NewInt(*f.QuantitySum))
		}
		if f.AmountSum != nil {
			c.reported.pay(fromPico(*f.AmountSum))
			billed = append(billed, c)
		} else {
			usage[day{c.by[TotalsByDay], c.by[TotalsByProvider]}] = true
		}
		cells = append(cells, c)
		return nil
	})
	for _, c := range billed {
		if usage[day{c.by[TotalsByDay], c.by[TotalsByProvider]}] {
			c.reported.quantity = nil
		}
	}
	return cells, err
}

// fromPico is an amount of which the ledger has summed the pico-dollars.
func fromPico(pico money.USD) money.USD {
	one := new(big.Int).Exp(big.NewInt(10), big.NewInt(money.Scale), nil)
	return money.FromPicoInt(new(big.Int).Quo(pico.Pico(), one))
}

// foldCacheWrites makes one class of a provider's cache writes where one side
// doesn't tell their time to live.
func foldCacheWrites(metered, reported []*cellOf) {
	unknown := map[string]bool{}
	all := slices.Concat(metered, reported)
	for _, c := range all {
		n := cmp.Or(c.metered.quantity, c.reported.quantity)
		if c.by[TotalsByClass] == record.ClassCacheWriteUnknown && (n == nil || n.Sign() != 0) {
			unknown[c.by[TotalsByProvider]] = true
		}
	}
	for _, c := range all {
		switch c.by[TotalsByClass] {
		case record.ClassCacheWrite5m, record.ClassCacheWrite1h, record.ClassCacheWriteUnknown:
			if unknown[c.by[TotalsByProvider]] {
				c.by[TotalsByClass] = cacheWriteClass
			}
		}
	}
}

// noteBuckets says where a day can't be told.
func (r *Report) noteBuckets(ctx context.Context, q Querier, args records.Args) error {
	long, err := warehouse.One[int64](ctx, q, warehouse.Select{Name: "read report totals: long buckets", Text: longBucketsText, Args: args})
	if err != nil {
		return err
	}
	if long > 0 {
		r.note("%s more than one day; it is all on the first.", plural(long, "reported figure covers", "reported figures cover"))
	}
	return nil
}
