package jobs

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"chargeback/billing/invoice"
	"chargeback/billing/report"
	"chargeback/templates"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// BillSettings is what providers' reports and bills are held against the ledger by.
type BillSettings struct {
	TolerancePercent money.USD
	Sources          []BillSource
	Expected         []ExpectedBill
}

// BillSource is a source of control totals.
type BillSource struct {
	Name, Provider string
	Bills          bool // it tells amounts
}

// ExpectedBill is a bill that must have come, of a provider or by a source.
type ExpectedBill struct {
	Provider, Source string
	From             civil.Month
}

func (e ExpectedBill) expects(provider, source string, month civil.Month) bool {
	return !month.Before(e.From) && (e.Provider != "" && e.Provider == provider || e.Source != "" && e.Source == source)
}

// bills holds what providers report and bill of a month against what was metered
// and charged. A bill that has not come is a gate of its own: what covers a difference
// says nothing of a bill that nobody has seen. The outcome says in a few words what came of each source.
func (b *Books) bills(ctx context.Context, month civil.Month) ([]gate, map[string]string, error) {
	g, outcomes := gate{name: "bill", measure: measure{each: true}, tells: true}, map[string]string{}
	absent := gate{name: "missing_bill", measure: measure{noun: "bill"}, tells: true}
	first, last := b.billDays(month)
	if len(b.Month.Bills.Sources) == 0 || last.Before(first) {
		return nil, outcomes, nil
	}
	var names []string
	for _, s := range b.Month.Bills.Sources {
		names = append(names, s.Name)
	}
	all, err := report.ReadBills(ctx, b.Ledger, first, last, names, func(provider, region, model string) (string, bool) {
		key, _, ok := b.Rates.Resolve(provider, region, model)
		return key, ok
	})
	if err != nil {
		return nil, nil, err
	}
	for _, f := range all.Figures {
		b.compare(&g, f)
		for source := range f.Sources {
			outcomes[source] = outcome(f, source)
		}
	}
	for _, s := range b.Month.Bills.Sources {
		if outcomes[s.Name] == "" {
			b.nothingOf(&absent, all, s, month)
			outcomes[s.Name] = "nothing of this month"
		}
	}
	b.expected(&absent, all, month)
	g.open, absent.open = len(g.found) > 0, len(absent.found) > 0
	absent.count = int64(len(absent.found))
	return []gate{g, absent}, outcomes, nil
}

// billDays are the UTC days of a month that lie wholly after company.start.
func (b *Books) billDays(month civil.Month) (first, last civil.Date) {
	first = month.FirstDay()
	if begin := b.Start.Start(b.Zone).UTC(); first.Start(time.UTC).Before(begin) {
		if first = civil.DateOf(begin, time.UTC); first.Start(time.UTC).Before(begin) {
			first = first.AddDays(1)
		}
	}
	return first, month.LastDay()
}

// compare adds what a figure is off by.
func (b *Books) compare(g *gate, f report.Figure) {
	beyond, alone := f.Beyond(b.Month.Bills.TolerancePercent), f.Alone()
	if !beyond && alone.Sign() == 0 {
		return
	}
	words, off := wordsOf(f), new(big.Int)
	text := fmt.Sprintf("%s: %s %s by %s, %s %s: difference %s", f.Provider, words.amount(f.Told), words.told, strings.Join(slices.Sorted(maps.Keys(f.Sources)), " and "), words.amount(f.Has), words.has, words.amount(f.Difference()))
	if percent := f.Percent(); percent != "" {
		text += " (" + percent + "%)"
	}
	if beyond {
		off.Abs(f.Difference())
		text += fmt.Sprintf(", more than bill_tolerance_percent %s", percentText(b.Month.Bills.TolerancePercent))
		text += words.list("; largest: ", f.Largest)
	}
	if alone.Cmp(off) > 0 {
		off = alone
	}
	text += words.list("; nobody was charged for: ", f.Nobodys)
	if b.Zone.String() != time.UTC.String() {
		text += fmt.Sprintf("; both by UTC day, the billing zone is %s", b.Zone)
	}
	g.found = append(g.found, text+" (see `chargeback report totals`)")
	if f.Unit == report.UnitUSD {
		g.owe(money.FromPicoInt(off))
		return
	}
	noun := strings.TrimSuffix(f.Unit, "s")
	if g.noun != "" && g.noun != noun {
		noun = "unit"
	}
	g.noun = noun
	if n := math.MaxInt64 - g.count; off.IsInt64() && off.Int64() < n {
		g.count += off.Int64()
	} else {
		g.count = math.MaxInt64
	}
}

// percentText writes a percentage without zeros at its end.
func percentText(p money.USD) string {
	return strings.TrimSuffix(strings.TrimRight(p.Fixed(), "0"), ".")
}

// owe adds an amount to what was found.
func (g *gate) owe(amount money.USD) {
	if g.amount != nil {
		amount = amount.Add(*g.amount)
	}
	g.amount = &amount
}

// nothingOf adds a source of which nothing has come, where the ledger has
// something of its provider, and no other source tells the same of it.
func (b *Books) nothingOf(g *gate, all report.Bills, s BillSource, month civil.Month) {
	awaited := slices.ContainsFunc(b.Month.Bills.Expected, func(e ExpectedBill) bool { return e.Source != "" && e.expects("", s.Name, month) })
	others := slices.ContainsFunc(b.Month.Bills.Sources, func(o BillSource) bool {
		return o.Provider == s.Provider && o.Bills == s.Bills && all.Told[o.Name]
	})
	if !awaited && (others || !all.Used[s.Provider]) {
		return
	}
	what := "report"
	if s.Bills {
		what = "bill"
	}
	text := fmt.Sprintf("%s: the %s of %s has not come: source %s has nothing of it that could be compared, and %s were charged; deliver it, or fetch it by hand, and run again", s.Provider, what, month, s.Name, dollars(all.Charged[s.Provider]))
	g.found = append(g.found, text)
}

// expected adds providers whose bill is expected and has come by no source.
func (b *Books) expected(g *gate, all report.Bills, month civil.Month) {
	for _, e := range b.Month.Bills.Expected {
		if e.Provider == "" || !e.expects(e.Provider, "", month) {
			continue
		}
		has := slices.ContainsFunc(all.Figures, func(f report.Figure) bool { return f.Provider == e.Provider && f.Unit == report.UnitUSD })
		if said := e.Provider + ": the bill of "; has || slices.ContainsFunc(g.found, func(text string) bool { return strings.HasPrefix(text, said) }) {
			continue
		}
		g.found = append(g.found, fmt.Sprintf("%s: the bill of %s has not come, and expect_bills names it; %s were charged; deliver it and run again, or say from when it is expected", e.Provider, month, dollars(all.Charged[e.Provider])))
	}
}

// outcome says what came of a source that told a figure.
func outcome(f report.Figure, source string) string {
	words := wordsOf(f)
	text := "report, "
	if f.Unit == report.UnitUSD {
		text = "bill, "
	}
	if len(f.Sources) > 1 {
		text += words.amount(f.Sources[source]) + " of "
	}
	text += fmt.Sprintf("%s %s against %s %s", words.amount(f.Told), words.told, words.amount(f.Has), words.has)
	if percent := f.Percent(); percent != "" {
		text += " (" + percent + "%)"
	}
	return text
}

// figureWords are the words of a figure.
type figureWords struct {
	unit, told, has string
	exact           bool // cents don't show what differs
}

func wordsOf(f report.Figure) figureWords {
	if f.Unit != report.UnitUSD {
		return figureWords{f.Unit, "reported", "metered", false}
	}
	told, has := money.FromPicoInt(f.Told), money.FromPicoInt(f.Has)
	return figureWords{report.UnitUSD, "billed", "charged", told.Cents() == has.Cents() && !told.Equal(has)}
}

func (w figureWords) amount(n *big.Int) string {
	text := n.String()
	if w.unit == report.UnitUSD {
		amount := money.FromPicoInt(n)
		if text = amount.Cents().String(); w.exact || amount.Cents() == 0 {
			text = amount.String()
		}
	}
	return templates.GroupThousands(text) + " " + w.unit
}

// billItems is how many items of a bill a message names.
const billItems = 3

// list names the first items of several; "" where there are none.
func (w figureWords) list(before string, items []report.BillItem) string {
	var parts []string
	for i, item := range items {
		if i == billItems {
			parts = append(parts, fmt.Sprintf("%d more", len(items)-i))
			break
		}
		name := item.Name
		if item.Account != "" {
			name = "account " + item.Account + ", " + name
		}
		text := fmt.Sprintf("%s %s", name, w.amount(item.Told))
		if item.Has.Sign() != 0 {
			text = fmt.Sprintf("%s %s %s, %s %s", name, w.amount(item.Told), w.told, w.amount(item.Has), w.has)
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return ""
	}
	return before + strings.Join(parts, "; ")
}

// sourceNotes says of each source what came of it at the close.
func (b *Books) sourceNotes(ctx context.Context, month civil.Month, outcomes map[string]string) (notes []invoice.SourceNote, err error) {
	records, err := b.Ledger.Months.SourceRecords(ctx, month)
	if err != nil {
		return nil, err
	}
	for _, s := range b.Sources {
		note := invoice.SourceNote{Name: s.Name, Format: s.Format.Name(), Outcome: outcomes[s.Name]}
		if note.Outcome == "" {
			var parts []string
			for _, r := range records {
				if r.Source == s.Name {
					parts = append(parts, recordWords(r.Kind, r.Records))
				}
			}
			note.Outcome = cmp.Or(strings.Join(parts, ", "), "nothing of this month")
		}
		notes = append(notes, note)
	}
	return notes, nil
}

func recordWords(kind string, n int64) string {
	switch kind {
	case "people":
		if n == 1 {
			return "1 person"
		}
		return templates.GroupThousands(strconv.FormatInt(n, 10)) + " people"
	case "usage":
		return "usage, " + counted(n, "record")
	}
	return counted(n, "request")
}
