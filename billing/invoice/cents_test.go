package invoice

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"chargeback/transform/money"
)

// Goal: a column of many small amounts shows their sum and not the sum of what
// became of them one by one.
// Method: 300 lines of half a cent twice, in columns that differ by little; each
// cent of a line would go to the same column.
func TestColumnsOfManySmallLinesKeepTheirCents(t *testing.T) {
	in := testInput()
	in.Charges, in.Shared = nil, nil
	for i := range 300 {
		in.Charges = append(in.Charges, Charge{AgentID: fmt.Sprintf("agent-%03d", i), LLM: usd("0.0051"), Infra: usd("0.0049")})
	}
	doc := mustBuild(t, in)
	want := Cents{LLM: 153, Infra: 147, Total: 300}
	if doc.Total.Cents != want || doc.Direct.Subtotal.Cents != want {
		t.Errorf("total %+v, subtotal %+v, want %+v", doc.Total.Cents, doc.Direct.Subtotal.Cents, want)
	}
	for _, l := range doc.Direct.Lines {
		if l.Cents.Total != 1 {
			t.Errorf("%s shows %s for 0.01", l.AgentID, l.Cents.Total)
		}
	}
}

// Goal: every figure, of lines, subtotals and the total, is less than a cent
// from its exact amount, adds up in both directions, and nothing stays nothing.
// Method: many small lines in several sections, credits, empty columns.
func TestCentsAreNear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := testInput()
		in.Charges, in.Shared = drawSmall(t, 200), nil
		for i := range rapid.IntRange(0, 20).Draw(t, "shared") {
			in.Shared = append(in.Shared, Shared{Name: fmt.Sprint(i), Amount: drawAmount(t), AdjustsMonth: rapid.SampledFrom([]string{"", "2026-08"}).Draw(t, "adjusts")})
		}
		doc, err := Build(in)
		if err != nil {
			t.Fatal(err)
		}
		var total Cents
		for _, s := range doc.Sections() {
			var sum Cents
			for _, l := range s.Lines {
				checkColumns(t, l.Amounts)
				checkNear(t, l)
				sum = sum.plus(l.Cents)
			}
			if sum != s.Subtotal.Cents {
				t.Errorf("%s: lines %+v, subtotal %+v", s.Name, sum, s.Subtotal.Cents)
			}
			checkColumns(t, s.Subtotal)
			checkNear(t, Line{Amounts: s.Subtotal})
			total = total.plus(sum)
		}
		if total != doc.Total.Cents || total.Total != doc.Total.Exact.Total.Cents() {
			t.Errorf("subtotals %+v, total %+v of %s", total, doc.Total.Cents, doc.Total.Exact.Total)
		}
		checkNear(t, Line{Amounts: doc.Total})
		saved := doc.Savings
		gross := saved.Exact.Add(doc.Direct.Subtotal.Exact.Total)
		if saved.Gross-saved.Saved != saved.Net || !newFigure(saved.Exact).allows(saved.Saved) || !newFigure(gross).allows(saved.Gross) {
			t.Errorf("savings %+v of %s, gross %s", saved, saved.Exact, gross)
		}
	})
}

// drawSmall draws charges of up to n lines of a few cents.
func drawSmall(t *rapid.T, n int) (charges []Charge) {
	months := rapid.SampledFrom([][]string{{""}, {"", "2026-09"}, {"2026-08", "2026-09"}}).Draw(t, "months")
	for i := range rapid.IntRange(0, n).Draw(t, "lines") {
		charges = append(charges, Charge{
			AgentID: fmt.Sprint(i), LLM: drawAmount(t), Infra: drawAmount(t), Tool: drawAmount(t), CacheSavings: drawAmount(t),
			AdjustsMonth: rapid.SampledFrom(months).Draw(t, "month"),
		})
	}
	return charges
}

// drawAmount draws what is hard to round: halves, whole cents, next to nothing.
func drawAmount(t *rapid.T) money.USD {
	const tenth = money.PicoPerCent / 10
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		return money.USD{}
	case 1:
		return money.FromPico(tenth * rapid.Int64Range(-25, 25).Draw(t, "tenths"))
	case 2:
		return money.FromPico(money.PicoPerCent*rapid.Int64Range(-2, 2).Draw(t, "cents") + rapid.Int64Range(-1, 1).Draw(t, "pico"))
	}
	return money.FromPico(rapid.Int64Range(-5*money.PicoPerCent, 5*money.PicoPerCent).Draw(t, "pico"))
}

// Goal: the sums further out are as near as any rounding can make them: the
// document's columns, then the sections, then the sections' columns.
// Method: small tables, of which every rounding is tried.
func TestCentsAreNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var sections [2][]*Line
		open := 0
		for i := range rapid.IntRange(1, 4).Draw(t, "lines") {
			e := Exact{LLM: drawAmount(t), Infra: drawAmount(t), Tool: drawAmount(t)}
			e.Total = money.Sum(e.LLM, e.Infra, e.Tool)
			line := &Line{key: fmt.Sprint(i), Amounts: Amounts{Exact: e}}
			open += int(newRow(line).open.size())
			s := rapid.IntRange(0, 1).Draw(t, "section")
			sections[s] = append(sections[s], line)
		}
		if err := round(sections[:]...); err != nil {
			t.Fatal(err)
		}
		got := measure(sections, func(l *Line) sums { return sums{l.Cents.LLM, l.Cents.Infra, l.Cents.Tool, l.Cents.Shared} })
		if got == nil {
			t.Fatal("a figure is a cent or more away")
		}
		for up := range 1 << open {
			left := up
			other := measure(sections, func(l *Line) (s sums) {
				for kind, f := range newRow(l).columns {
					s[kind] = f.floor
					if f.rest != 0 {
						s[kind] += money.Cents(left & 1)
						left >>= 1
					}
				}
				return s
			})
			if other != nil && other.compare(*got) < 0 {
				t.Errorf("misses %v, and %v is possible", *got, *other)
			}
		}
	})
}

// measure says how far the sums of lines are away whose cells are given; nil
// where a figure is a cent or more away or the total is another one.
func measure(sections [2][]*Line, cells func(*Line) sums) *misses {
	var m misses
	var all sums
	var exact Exact
	for _, lines := range sections {
		var sum sums
		var of Exact
		for _, l := range lines {
			s := cells(l)
			if !newRow(l).total.allows(s.total()) {
				return nil
			}
			for kind := range s {
				sum[kind] += s[kind]
				all[kind] += s[kind]
			}
			of = of.plus(l.Exact)
		}
		columns, total := newFigures(of)
		if !total.allows(sum.total()) || !allowed(columns, sum) {
			return nil
		}
		m.addTotal(2, total, sum.total())
		m.add(4, columns, sum)
		exact = exact.plus(of)
	}
	columns, _ := newFigures(exact)
	if !allowed(columns, all) || all.total() != exact.Total.Cents() {
		return nil
	}
	m.add(0, columns, all)
	return &m
}

func allowed(columns [kinds]figure, s sums) bool {
	for kind, f := range columns {
		if !f.allows(s[kind]) {
			return false
		}
	}
	return true
}

// Goal: lines get their cents by largest remainder where nothing else asks for
// another way.
// Method: one column; the rule of money.Allocate, but for which of equals comes first.
func TestCentsByLargestRemainder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amounts := rapid.SliceOfNDistinct(rapid.Int64Range(-5*money.PicoPerCent, 5*money.PicoPerCent), 1, 50, func(pico int64) int64 {
			_, rest := money.FromPico(pico).FloorCents()
			return rest
		}).Draw(t, "pico")
		in := testInput()
		in.Charges, in.Shared = nil, nil
		var parts []money.Part
		var exact money.USD
		for i, pico := range amounts {
			amount := money.FromPico(pico)
			in.Charges = append(in.Charges, Charge{AgentID: fmt.Sprint(i), LLM: amount})
			parts = append(parts, money.Part{Key: fmt.Sprint(i), Exact: amount})
			exact = exact.Add(amount)
		}
		want := money.Allocate(exact.Cents(), parts)
		doc, err := Build(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range doc.Direct.Lines {
			i := slices.IndexFunc(parts, func(p money.Part) bool { return p.Key == l.AgentID })
			if l.Cents.Total != want[i] || l.Cents.LLM != want[i] {
				t.Errorf("%s shows %s, want %s", l.Exact.LLM, l.Cents.LLM, want[i])
			}
		}
	})
}

// Goal: which cents a section's columns can have is known without trying.
// Method: line by line, all ways to round it.
func TestReachOfALine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := Exact{LLM: drawAmount(t), Infra: drawAmount(t), Tool: drawAmount(t), Shared: drawAmount(t)}
		e.Total = money.Sum(e.LLM, e.Infra, e.Tool, e.Shared)
		r := newRow(&Line{Amounts: Amounts{Exact: e}})
		reached := r.reach(r.cents)
		for up := range kindSets {
			var s sums
			for kind, f := range r.columns {
				s[kind] = f.floor
				if kindSet(up).has(kind) {
					s[kind]++
				}
			}
			possible := allowed(r.columns, s) && r.total.allows(s.total())
			if possible != reached.fits(s) {
				t.Errorf("%+v as %v: possible %t, within reach %t", e, s, possible, !possible)
			}
		}
	})
}

func BenchmarkCents(b *testing.B) {
	var lines []*Line
	for i := range 10_000 {
		e := Exact{LLM: money.FromPico(int64(i*i) * 137_000_457), Infra: money.FromPico(int64(i) * 4_900_000_001), Tool: money.FromPico(int64(i%7) * 3_300_000_001)}
		e.Total = money.Sum(e.LLM, e.Infra, e.Tool)
		lines = append(lines, &Line{key: fmt.Sprint(i), Amounts: Amounts{Exact: e}})
	}
	for b.Loop() {
		if err := round(lines[:6000], nil, lines[6000:]); err != nil {
			b.Fatal(err)
		}
	}
}
