package invoice

import (
	"cmp"
	"errors"
	"math/bits"
	"slices"

	"chargeback/transform/money"
)

// The cents of a document are those of a table: a row for each line, grouped
// into sections, and a column for each kind of cost. They are found from the
// outside inwards: the total, the columns' sums, the sections' sums, each
// section's columns, the lines, their cells. Each figure is the exact one or
// one of the two whole cents beside it, so that it is less than a cent away and
// an exact zero stays zero; what is further out is as near as the total allows
// before anything further in is looked at.
//
// A line by itself can be rounded to some sets of whole cents, and whether lines
// together can give a section's columns is known from the least and the most
// that they can give to each set of columns (the lines' possibilities are
// generalized polymatroids; sums of such keep their corners whole). There are
// sixteen sets, so nothing has to be tried and taken back, and one look at each
// line is enough. That a table of exact amounts always has such a rounding is
// known from flows in networks.

// kinds is the number of columns: LLM, infrastructure, tools, shared.
const kinds = 4

// kindSet is a set of columns, a bit for each.
type kindSet uint8

const kindSets = 1 << kinds

func (s kindSet) size() int64       { return int64(bits.OnesCount8(uint8(s))) }
func (s kindSet) has(kind int) bool { return s&(1<<kind) != 0 }

// figure is an exact amount between two whole cents.
type figure struct {
	floor money.Cents
	rest  int64 // above floor, in pico-dollars, less than a cent
}

func newFigure(a money.USD) figure {
	floor, rest := a.FloorCents()
	return figure{floor, rest}
}

// top is the highest whole cent that the figure may be shown as.
func (f figure) top() money.Cents {
	if f.rest == 0 {
		return f.floor
	}
	return f.floor + 1
}

// allows says whether the figure may be shown as cents.
func (f figure) allows(cents money.Cents) bool { return cents == f.floor || cents == f.top() }

// miss is how far cents, which the figure allows, are away from it.
func (f figure) miss(cents money.Cents) int64 {
	if cents == f.floor {
		return f.rest
	}
	return money.PicoPerCent - f.rest
}

// doubt is small where one of the two cents is much nearer than the other.
func (f figure) doubt() int64 { return min(f.rest, money.PicoPerCent-f.rest) }

func newFigures(e Exact) (columns [kinds]figure, total figure) {
	for i, amount := range []money.USD{e.LLM, e.Infra, e.Tool, e.Shared} {
		columns[i] = newFigure(amount)
	}
	return columns, newFigure(e.Total)
}

// span is the least and the most that something can be.
type span struct{ low, high money.Cents }

// reach is what can be given to each set of columns.
type reach [kindSets]span

// fits says whether columns are within reach.
func (r *reach) fits(columns [kinds]money.Cents) bool {
	for set := range kindSets {
		var sum money.Cents
		for kind := range kinds {
			if kindSet(set).has(kind) {
				sum += columns[kind]
			}
		}
		if sum < r[set].low || sum > r[set].high {
			return false
		}
	}
	return true
}

// change takes one reach out and puts another in.
func (r *reach) change(out, in *reach) {
	for set := range r {
		r[set].low += in[set].low - out[set].low
		r[set].high += in[set].high - out[set].high
	}
}

// row is a line whose cents are sought: its total lies in cents, at first one
// or two of them.
type row struct {
	line    *Line
	columns [kinds]figure
	total   figure
	open    kindSet // columns that are no whole cents
	cents   span    // of the total
}

func newRow(line *Line) row {
	r := row{line: line}
	r.columns, r.total = newFigures(line.Exact)
	for kind, f := range r.columns {
		if f.rest != 0 {
			r.open |= 1 << kind
		}
	}
	r.cents = span{r.total.floor, r.total.top()}
	return r
}

// floors is the sum of the cells' floors in a set of columns.
func (r *row) floors(set kindSet) (sum money.Cents) {
	for kind, f := range r.columns {
		if set.has(kind) {
			sum += f.floor
		}
	}
	return sum
}

// reach is what the line can give to each set of columns while its total is
// within cents.
func (r *row) reach(cents span) (all reach) {
	floors := r.floors(kindSets - 1)
	least, most := cents.low-floors, cents.high-floors // cells that are rounded up
	for i := range all {
		set := kindSet(i)
		base := r.floors(set)
		all[i] = span{
			base + max(0, least-money.Cents((r.open&^set).size())),
			base + min(most, money.Cents((r.open&set).size())),
		}
	}
	return all
}

// fixed is the reach of a line whose cells in up are rounded up.
func (r *row) fixed(up kindSet) (all reach) {
	for i := range all {
		cents := r.floors(kindSet(i)) + money.Cents((up & kindSet(i)).size())
		all[i] = span{cents, cents}
	}
	return all
}

// table is the lines of one section.
type table struct {
	rows    []row
	columns [kinds]figure
	total   figure
	reach   reach
}

func newTable(lines []*Line) *table {
	t := &table{rows: make([]row, len(lines))}
	var exact Exact
	for i, line := range lines {
		exact = exact.plus(line.Exact)
		t.rows[i] = newRow(line)
		reached := t.rows[i].reach(t.rows[i].cents)
		t.reach.change(&reach{}, &reached)
	}
	t.columns, t.total = newFigures(exact)
	return t
}

// sums is what the columns of a section, or of the document, are shown as.
type sums [kinds]money.Cents

func (s sums) total() money.Cents { return s[0] + s[1] + s[2] + s[3] }

// choices are all sums of the section's columns that its lines can give and that
// are less than a cent away.
func (t *table) choices() (all []sums) {
next:
	for up := range kindSets {
		var s sums
		for kind, f := range t.columns {
			s[kind] = f.floor
			if kindSet(up).has(kind) {
				if f.rest == 0 {
					continue next
				}
				s[kind]++
			}
		}
		if t.total.allows(s.total()) && t.reach.fits(s) {
			all = append(all, s)
		}
	}
	return all
}

// misses is how far the sums of a table are away, the outermost first. Where all
// are as near, cents go to the columns and sections on the left and on top.
type misses [6]int64

func (m misses) compare(n misses) int { return slices.Compare(m[:], n[:]) }

// add counts sums beside columns, at two places from level on.
func (m *misses) add(level int, columns [kinds]figure, s sums) {
	for kind, f := range columns {
		m[level] += f.miss(s[kind])
		m[level+1] = 2*m[level+1] + int64(f.top()-s[kind])
	}
}

// addTotal counts the sum of a section.
func (m *misses) addTotal(level int, f figure, cents money.Cents) {
	m[level] += f.miss(cents)
	m[level+1] = 2*m[level+1] + int64(f.top()-cents)
}

// errNoCents can't happen: see above.
var errNoCents = errors.New("no cents were found that add up; report it with the charges of the document")

// round gives cents to the lines of the sections. Together they are the exact
// sum of all lines, rounded once, half up.
func round(sections ...[]*Line) error {
	tables := make([]*table, len(sections))
	var exact Exact
	for i, lines := range sections {
		tables[i] = newTable(lines)
		for _, line := range lines {
			exact = exact.plus(line.Exact)
		}
	}
	columns, _ := newFigures(exact)
	chosen, found := nearest(tables, columns, exact.Total.Cents())
	if !found {
		return errNoCents
	}
	for i, t := range tables {
		if err := t.fill(chosen[i]); err != nil {
			return err
		}
	}
	return nil
}

// nearest finds the sums of each section's columns: of all that give the total,
// those that are nearest, the document's columns before the sections and these
// before their own columns.
func nearest(tables []*table, columns [kinds]figure, total money.Cents) (best []sums, found bool) {
	var least misses
	chosen := make([]sums, len(tables))
	choices := make([][]sums, len(tables))
	for i, t := range tables {
		choices[i] = t.choices()
	}
	var choose func(i int, all sums, m misses)
	choose = func(i int, all sums, m misses) {
		if i < len(tables) {
			for _, s := range choices[i] {
				chosen[i] = s
				with := m
				with.addTotal(2, tables[i].total, s.total())
				with.add(4, tables[i].columns, s)
				choose(i+1, sums{all[0] + s[0], all[1] + s[1], all[2] + s[2], all[3] + s[3]}, with)
			}
			return
		}
		for kind, f := range columns {
			if !f.allows(all[kind]) {
				return
			}
		}
		m.add(0, columns, all)
		if all.total() == total && (!found || m.compare(least) < 0) {
			best, least, found = slices.Clone(chosen), m, true
		}
	}
	choose(0, sums{}, misses{})
	return best, found
}

// fill gives cents to the lines so that they add up to the section's columns:
// first their totals, then their cells, the least doubtful first, each as near
// as those before it leave it.
func (t *table) fill(columns sums) error {
	for _, r := range t.by((*row).totalDoubt) {
		if !t.fillTotal(r, columns) {
			return errNoCents
		}
	}
	for _, r := range t.by((*row).cellDoubt) {
		if !t.fillCells(r, columns) {
			return errNoCents
		}
	}
	return nil
}

// by sorts the rows by doubt, those of the same doubt as they stand.
func (t *table) by(doubt func(*row) int64) []*row {
	type doubted struct {
		row   *row
		doubt int64
	}
	all := make([]doubted, len(t.rows))
	for i := range t.rows {
		all[i] = doubted{&t.rows[i], doubt(&t.rows[i])}
	}
	slices.SortStableFunc(all, func(a, b doubted) int { return cmp.Compare(a.doubt, b.doubt) })
	rows := make([]*row, len(all))
	for i, d := range all {
		rows[i] = d.row
	}
	return rows
}

func (r *row) totalDoubt() int64 { return r.total.doubt() }

// fillTotal sets the total of a line.
func (t *table) fillTotal(r *row, columns sums) bool {
	both := []money.Cents{r.total.top(), r.total.floor}
	if r.total.miss(both[1]) < r.total.miss(both[0]) {
		slices.Reverse(both)
	}
	before := r.reach(r.cents)
	for _, cents := range both {
		after := r.reach(span{cents, cents})
		t.reach.change(&before, &after)
		if t.reach.fits(columns) {
			r.cents = span{cents, cents}
			return true
		}
		t.reach.change(&after, &before)
	}
	return false
}

// ways are the sets of cells that can be rounded up to give the line's total, the
// nearest first, and how far each is away.
func (r *row) ways() (ups []kindSet, miss [kindSets]int64) {
	rise := r.cents.low - r.floors(kindSets-1)
	for i := range kindSets {
		up := kindSet(i)
		if up&^r.open != 0 || money.Cents(up.size()) != rise {
			continue
		}
		ups = append(ups, up)
		for kind, f := range r.columns {
			cents := f.floor
			if up.has(kind) {
				cents++
			}
			miss[up] += f.miss(cents)
		}
	}
	slices.SortStableFunc(ups, func(a, b kindSet) int { return cmp.Compare(miss[a], miss[b]) })
	return ups, miss
}

// cellDoubt is small where the nearest way is much nearer than the next.
func (r *row) cellDoubt() int64 {
	ups, miss := r.ways()
	if len(ups) < 2 {
		return 0
	}
	return kinds*money.PicoPerCent - (miss[ups[1]] - miss[ups[0]])
}

// fillCells sets the cells of a line and writes its cents.
func (t *table) fillCells(r *row, columns sums) bool {
	ups, _ := r.ways()
	before := r.reach(r.cents)
	for _, up := range ups {
		after := r.fixed(up)
		t.reach.change(&before, &after)
		if t.reach.fits(columns) {
			r.line.Cents = Cents{
				LLM: after[1<<0].low, Infra: after[1<<1].low, Tool: after[1<<2].low, Shared: after[1<<3].low,
				Total: r.cents.low,
			}
			return true
		}
		t.reach.change(&after, &before)
	}
	return false
}
