package report

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"chargeback/billing/ledger"
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
	args := ledger.Args{
		"first_day": month.FirstDay(), "last_day": month.LastDay(),
		"scan_first": month.FirstDay().AddDays(-2), "scan_last": month.LastDay().AddDays(2), // billing days of those UTC days
	}
	rows := meteredDays
	if slices.ContainsFunc(by, func(b TotalsBy) bool { return b == TotalsByPrincipal || b == TotalsByProject || b == TotalsByKey }) {
		rows = meteredRecords
	}
	metered, err := readMetered(ctx, q, rows, args)
	if err != nil {
		return r, fmt.Errorf("read report totals: what was metered: %w", err)
	}
	reported, err := readReported(ctx, q, args)
	if err != nil {
		return r, fmt.Errorf("read report totals: what was reported: %w", err)
	}
	nameModels(metered, reported, resolve)
	foldCacheWrites(metered, reported)
	r.compare(by, metered, reported)
	if err := r.noteRecords(ctx, q, rows, args); err != nil {
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

// meteredDays are the daily sums of the UTC days for which a provider was asked. They
// don't tell apart who asked; meteredRecords do, record by record.
const (
	meteredDays = `
from (
  select
    d.*,
    cast(null as string) as caller,
    cast(null as string) as project,
    cast(null as string) as key_alias
  from {daily_items} as d
  where d.usage_date between {@scan_first} and {@scan_last}
) as asked
where ` + wasAsked

	meteredRecords = `
from (
  select
    i.*,
    cast(i.started_at as date) as utc_date,
    1 as records
  from {cost_items} as i
  where i.usage_date between {@scan_first} and {@scan_last}
) as asked
where ` + wasAsked

	wasAsked = `utc_date between {@first_day} and {@last_day} and not cache_hit and pricing not in ('not_billed', 'doubtful')`
)

// readMetered reads what the ledger's records say, by class. A record that is
// taken back counts down; an answer of the gateway's cache asked no provider.
func readMetered(ctx context.Context, q Querier, rows string, args ledger.Args) (cells []*cellOf, err error) {
	terms, err := readTerms(ctx, q, args)
	if err != nil {
		return nil, err
	}
	err = q.Query(ctx, `
select
  utc_date,
  provider,
  ifnull(account, ''),
  ifnull(project, ''),
  ifnull(key_alias, ''),
  ifnull(caller, '') as principal,
  ifnull(region, ''),
  `+modelName+` as model_name,
  ifnull(service_tier, ''),
  ifnull(rate_id, 0),
  llm_cost_usd is not null,
  sum(`+standing+`),
  {total_usd(llm_cost_usd)},
  sum(input_uncached_tokens),
  sum(cache_read_tokens),
  sum(cache_write_5m_tokens),
  sum(cache_write_1h_tokens),
  sum(cache_write_unknown_tokens),
  sum(output_tokens),
  sum(reasoning_tokens),
  sum(ifnull(input_audio_tokens, 0)),
  sum(ifnull(input_image_tokens, 0)),
  sum(ifnull(cache_read_audio_tokens, 0)),
  sum(ifnull(output_audio_tokens, 0)),
  sum(ifnull(output_image_tokens, 0)),
  sum(ifnull(searches, 0))`+rows+`
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
order by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11`, args, func(v ledger.Row) error {
		t := terms[v.Int(9)]
		m := meteredRow{row: v, known: v.Bool(10), units: t.units}
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
func readTerms(ctx context.Context, q Querier, args ledger.Args) (map[int64]paidBy, error) {
	all := map[int64]paidBy{}
	err := q.Query(ctx, `
select
  rate_id,
  ifnull(terms, '[]'),
  ifnull(markup, 0)
from {rate_entries}
where rate_id in (select rate_id from {daily_costs} where usage_date between {@scan_first} and {@scan_last} and rate_id is not null)`, args, func(v ledger.Row) error {
		terms, err := parseTerms(v.Int(0), v.Text(1))
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
		all[v.Int(0)] = paidBy{units, v.Int(2)}
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

// meteredRow is records of one rate, summed.
type meteredRow struct {
	row   ledger.Row
	known bool // what they cost
	units map[rates.Class]money.USD
	paid  money.USD // by the classes so far
	all   []*cellOf
}

// cells splits the row by class. The amounts add up to what was charged.
func (m *meteredRow) cells() []*cellOf {
	v := m.row
	input, cacheRead, write5m, write1h, writeUnknown, output, reasoning := v.Int(13), v.Int(14), v.Int(15), v.Int(16), v.Int(17), v.Int(18), v.Int(19)
	inputAudio, inputImage, cachedAudio, outputAudio, outputImage, searches := v.Int(20), v.Int(21), v.Int(22), v.Int(23), v.Int(24), v.Int(25)
	m.class(record.ClassInput, input-inputAudio-inputImage, rates.Input)
	m.class(record.ClassCacheRead, cacheRead-cachedAudio, rates.CacheRead)
	m.class(record.ClassCacheWrite5m, write5m, rates.CacheWrite5m)
	m.class(record.ClassCacheWrite1h, write1h, rates.CacheWrite1h)
	m.class(record.ClassCacheWriteUnknown, writeUnknown, rates.CacheWrite5m)
	m.class(record.ClassInputAudio, inputAudio, rates.InputAudio)
	m.class(record.ClassInputImage, inputImage, rates.InputImage)
	m.class(record.ClassCacheReadAudio, cachedAudio, rates.CacheReadAudio)
	m.class(record.ClassOutputAudio, outputAudio, rates.OutputAudio)
	m.class(record.ClassOutputImage, outputImage, rates.OutputImage)
	m.class(record.ClassSearches, searches, rates.Search)
	m.class(record.ClassRequests, v.Int(11), rates.Request)
	if plain := output - reasoning - outputAudio - outputImage; output-outputAudio-outputImage != 0 {
		c := m.cell(record.ClassOutput)
		c.metered.count(big.NewInt(output - outputAudio - outputImage))
		m.pay(c, plain, rates.Output)
		m.pay(c, reasoning, rates.Reasoning)
	}
	if rest := v.USD(12).Sub(m.paid); m.known && !rest.IsZero() {
		m.cell(otherClass).metered.pay(rest)
	}
	return m.all
}

func (m *meteredRow) cell(class string) *cellOf {
	v := m.row
	c := &cellOf{unit: unitOf(class), by: map[TotalsBy]string{
		TotalsByDay: v.Date(0).String(), TotalsByProvider: v.Text(1), TotalsByAccount: v.Text(2), TotalsByProject: v.Text(3), TotalsByKey: v.Text(4),
		TotalsByPrincipal: v.Text(5), TotalsByRegion: v.Text(6), TotalsByModel: v.Text(7), TotalsByTier: tierName(v.Text(8)), TotalsByClass: class,
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
	if unit, ok := m.units[price]; ok && m.known && n != 0 {
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

// readReported reads the control totals that count. Where a provider's usage is
// told for a day by a report without amounts, quantities that stand beside
// amounts would tell it again.
func readReported(ctx context.Context, q Querier, args ledger.Args) (cells []*cellOf, err error) {
	type day struct{ day, provider string }
	usage := map[day]bool{}
	var billed []*cellOf
	err = q.Query(ctx, `
select
  bucket_date,
  provider,
  ifnull(account, ''),
  ifnull(project, ''),
  ifnull(key, ''),
  ifnull(principal, ''),
  ifnull(region, ''),
  ifnull(model, ''),
  ifnull(service_tier, ''),
  ifnull(token_class, ''),
  ifnull(line_item, ''),
  ifnull(unit, ''),
  amount_pico is not null,
  source,
  count(quantity),
  sum(quantity),
  sum(cast(amount_pico as bignumeric))
from {totals_counted}
where bucket_date between {@first_day} and {@last_day}
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
order by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14`, args, func(v ledger.Row) error {
		c := &cellOf{source: v.Text(13), unit: cmp.Or(unitOf(v.Text(9)), v.Text(11)), by: map[TotalsBy]string{
			TotalsByDay: v.Date(0).String(), TotalsByProvider: v.Text(1), TotalsByAccount: v.Text(2), TotalsByProject: v.Text(3), TotalsByKey: v.Text(4),
			TotalsByPrincipal: v.Text(5), TotalsByRegion: v.Text(6), TotalsByModel: v.Text(7), TotalsByTier: tierName(v.Text(8)), TotalsByClass: cmp.Or(v.Text(9), v.Text(10)),
		}}
		if v.Int(14) > 0 {
			c.reported.count(big.NewInt(v.Int(15)))
		}
		if v.Bool(12) {
			c.reported.pay(fromPico(v.USD(16)))
			billed = append(billed, c)
		} else {
			usage[day{v.Date(0).String(), v.Text(1)}] = true
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
func (r *Report) noteBuckets(ctx context.Context, q Querier, args ledger.Args) error {
	var long int64
	err := q.Query(ctx, `
select count(*)
from {totals_counted}
where bucket_date between {@first_day} and {@last_day} and bucket_end > bucket_start + interval 24 hour`, args, func(v ledger.Row) error {
		long = v.Int(0)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read report totals: long buckets: %w", err)
	}
	if long > 0 {
		r.note("%s more than one day; it is all on the first.", plural(long, "reported figure covers", "reported figures cover"))
	}
	return nil
}
