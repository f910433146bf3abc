package report

import (
	"cmp"
	"context"
	"maps"
	"math/big"
	"slices"
	"strings"

	"chargeback/billing/records"
	"chargeback/extract/record"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// UnitUSD is the unit of a bill's amounts; other figures are quantities.
const UnitUSD = "USD"

// Bills is what sources of control totals tell of a month, held against what the
// ledger has of it: amounts of bills against what was charged for models, without
// markups, and quantities of reports that tell no amounts against what was metered.
type Bills struct {
	Figures []Figure             // by provider and unit
	Used    map[string]bool      // providers of which the ledger has records
	Told    map[string]bool      // sources that tell something
	Charged map[string]money.USD // by provider
}

// Figure is one unit of what is told of a provider. Amounts are in 10^-12 USD.
type Figure struct {
	Provider, Unit string
	Told, Has      *big.Int            // by the sources, and by the ledger
	Sources        map[string]*big.Int // parts of Told
	Largest        []BillItem          // that both sides may have and differ on, the largest difference first
	Nobodys        []BillItem          // that the ledger has nothing for, the largest first
}

// BillItem is a model, or what else a bill lists.
type BillItem struct {
	Account   string // where both sides name accounts alike
	Name      string
	Told, Has *big.Int
}

// Difference is what is told less what the ledger has.
func (f Figure) Difference() *big.Int { return new(big.Int).Sub(f.Told, f.Has) }

// Difference is what is told less what the ledger has.
func (i BillItem) Difference() *big.Int { return new(big.Int).Sub(i.Told, i.Has) }

// Percent is the difference in percent of what is told, "" where that is nothing.
func (f Figure) Percent() string {
	text, _ := change(money.FromPicoInt(f.Told), money.FromPicoInt(f.Difference())).(string)
	return text
}

// Beyond says whether the two sides differ by more than so many percent of what is
// told.
func (f Figure) Beyond(percent money.USD) bool {
	off := new(big.Int).Mul(f.Difference(), big.NewInt(100))
	off.Mul(off, money.MustParse("1").Pico())
	return off.CmpAbs(new(big.Int).Mul(f.Told, percent.Pico())) > 0
}

// Alone is all that nobody was charged for, without regard to signs.
func (f Figure) Alone() *big.Int {
	sum := new(big.Int)
	for _, i := range f.Nobodys {
		sum.Add(sum, new(big.Int).Abs(i.Told))
	}
	return sum
}

// ReadBills compares the UTC days from first to last. Sources that are not among
// those named don't count: what they told may stand in the ledger twice.
func ReadBills(ctx context.Context, q Querier, first, last civil.Date, sources []string, resolve Resolve) (Bills, error) {
	all := Bills{Used: map[string]bool{}, Told: map[string]bool{}, Charged: map[string]money.USD{}}
	args := records.Args{
		"first_day": first, "last_day": last,
		"scan_first": first.AddDays(-2), "scan_last": last.AddDays(2), // billing days of those UTC days
	}
	metered, err := readMetered(ctx, counting(q, meteredDays, args))
	if err != nil {
		return all, err
	}
	reported, err := readReported(ctx, q, args)
	if err != nil {
		return all, err
	}
	reported = slices.DeleteFunc(reported, func(c *cellOf) bool { return !slices.Contains(sources, c.source) })
	nameModels(metered, reported, resolve)
	foldCacheWrites(metered, reported)
	for _, c := range metered {
		provider := c.by[TotalsByProvider]
		all.Used[provider] = true
		if c.bare != nil {
			all.Charged[provider] = all.Charged[provider].Add(*c.bare)
		}
	}
	made := map[[2]string]*comparison{}
	for _, c := range reported {
		all.Told[c.source] = true
		if unit, n := c.told(); n != nil {
			key := [2]string{c.by[TotalsByProvider], unit}
			if made[key] == nil {
				made[key] = newComparison(key[0], unit)
			}
			made[key].tell(c, n)
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(made), func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }) {
		m := made[key]
		for _, c := range metered {
			if n := c.has(m.Unit); n != nil && c.by[TotalsByProvider] == m.Provider {
				m.have(c, n)
			}
		}
		if m.compared(made[[2]string{m.Provider, UnitUSD}] != nil) {
			all.Figures = append(all.Figures, m.figure())
		}
	}
	return all, nil
}

// told is what a cell of a source tells: an amount, or else a quantity.
func (c *cellOf) told() (unit string, n *big.Int) {
	if c.reported.amount != nil {
		return UnitUSD, c.reported.amount.Pico()
	}
	return c.unit, c.reported.quantity
}

// has is what a cell of the ledger has in a unit, nil where it has none.
func (c *cellOf) has(unit string) *big.Int {
	switch {
	case unit == UnitUSD && c.bare != nil:
		return c.bare.Pico()
	case unit == c.unit:
		return c.metered.quantity
	}
	return nil
}

// comparison collects one figure.
type comparison struct {
	Figure
	models, classes map[string]bool // of which the ledger has something
	accounts        [2]map[string]bool
	cells           [2][]*cellOf // of the ledger, of the sources
}

func newComparison(provider, unit string) *comparison {
	return &comparison{
		Figure: Figure{Provider: provider, Unit: unit, Told: new(big.Int), Has: new(big.Int), Sources: map[string]*big.Int{}},
		models: map[string]bool{}, classes: map[string]bool{}, accounts: [2]map[string]bool{{}, {}},
	}
}

func (m *comparison) tell(c *cellOf, n *big.Int) {
	m.Told.Add(m.Told, n)
	if m.Sources[c.source] == nil {
		m.Sources[c.source] = new(big.Int)
	}
	m.Sources[c.source].Add(m.Sources[c.source], n)
	m.note(1, c)
}

func (m *comparison) have(c *cellOf, n *big.Int) {
	m.Has.Add(m.Has, n)
	if n.Sign() != 0 {
		m.models[c.by[TotalsByModel]], m.classes[c.by[TotalsByClass]] = true, true
	}
	m.note(0, c)
}

func (m *comparison) note(side int, c *cellOf) {
	m.cells[side] = append(m.cells[side], c)
	if account := c.by[TotalsByAccount]; account != "" {
		m.accounts[side][account] = true
	}
}

// compared says whether the unit is one in which both sides can be held against
// each other. How many requests there were is counted differently everywhere, and
// pays for nothing by itself. What is counted neither in tokens nor in searches
// is on the bill, where there is one.
func (m *comparison) compared(billed bool) bool {
	switch m.Unit {
	case UnitUSD, tokensUnit, record.ClassSearches:
		return true
	case record.ClassRequests:
		return false
	}
	return !billed
}

// figure finds what differs, item by item.
func (m *comparison) figure() Figure {
	byAccount := false
	for account := range m.accounts[0] {
		byAccount = byAccount || m.accounts[1][account]
	}
	items, nobodys := map[[2]string]*BillItem{}, map[string]*BillItem{}
	models := false
	for side, cells := range m.cells {
		for _, c := range cells {
			name := cmp.Or(c.by[TotalsByModel], c.by[TotalsByClass])
			if side == 1 && m.nobodys(c) {
				if nobodys[name] == nil {
					nobodys[name] = &BillItem{Name: name, Told: new(big.Int), Has: new(big.Int)}
				}
				_, n := c.told()
				nobodys[name].Told.Add(nobodys[name].Told, n)
				continue
			}
			key := [2]string{"", name}
			if byAccount {
				key[0] = c.by[TotalsByAccount]
			}
			if items[key] == nil {
				items[key] = &BillItem{Account: key[0], Name: name, Told: new(big.Int), Has: new(big.Int)}
			}
			if side == 1 {
				_, n := c.told()
				items[key].Told.Add(items[key].Told, n)
				models = models || c.by[TotalsByModel] != ""
			} else {
				items[key].Has.Add(items[key].Has, c.has(m.Unit))
			}
		}
	}
	if models { // else there is nothing to hold one model against
		m.Largest = largest(items)
	}
	m.Nobodys = largest(nobodys)
	return m.Figure
}

// nobodys says whether the ledger has nothing for what a cell of a source tells: a
// model, where it names one, else what it lists, as far as that is known.
func (m *comparison) nobodys(c *cellOf) bool {
	if model := c.by[TotalsByModel]; model != "" {
		return !m.models[model]
	}
	class := c.by[TotalsByClass]
	if strings.Contains(strings.ToLower(class), "web search") {
		class = record.ClassSearches
	}
	if class == "" || class == allItems {
		return len(m.models) == 0
	}
	return !m.classes[class]
}

// allItems is the line item of a figure that is told for all of them together.
const allItems = "all"

func largest[K comparable](items map[K]*BillItem) (all []BillItem) {
	for _, i := range items {
		if i.Difference().Sign() != 0 {
			all = append(all, *i)
		}
	}
	slices.SortFunc(all, func(a, b BillItem) int {
		return cmp.Or(b.Difference().CmpAbs(a.Difference()), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Account, b.Account))
	})
	return all
}

// withoutMarkup takes a markup in 1/10,000 of a percent off an amount again.
func withoutMarkup(a money.USD, markup int64) money.USD {
	if markup == 0 {
		return a
	}
	const whole = 1_000_000
	of := big.NewInt(whole + markup)
	units, rest := new(big.Int).QuoRem(new(big.Int).Mul(a.Pico(), big.NewInt(whole)), of, new(big.Int))
	if rest.Abs(rest).Lsh(rest, 1).CmpAbs(of) >= 0 {
		units.Add(units, big.NewInt(int64(a.Sign())))
	}
	return money.FromPicoInt(units)
}
