// Package billed says what BigQuery would bill for a statement, by a model: logical
// sizes of the columns that the text names, days pruned by constants, and no credit
// for clusters.
//
// It owns: which tables a statement reads, between which days, and the bytes of that;
// a warehouse that writes down what BigQuery would be asked in its place.
// It does not own: what the service refuses (bigquery/bqtest), how statements are sent
// (bigquery), or how large tables are: whoever asks says it.
//
// Each place of a text that names a table counts, for the columns that the result needs of
// it; what a common table expression or a select that is read as a table gives and nobody
// uses is not read.
package billed

import (
	"cmp"
	"slices"

	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// Statement is one statement, with what the service would bill for it.
type Statement struct {
	Name  string // what it reads or changes, where that is known
	Text  string
	Run   string // of its label
	Kind  string // select, create, insert, update, delete, merge
	Reads []Read
	Bytes int64
}

// Read is one place of a statement that reads a table. Views are read through
// to what is below.
type Read struct {
	Table     string // of work tables the name that they have in texts
	Work      bool
	Partition string // date column that must be bounded; "" where the table has none
	// First and Last are the days that constants bound it to; the zero date is no bound,
	// and neither is the first or the last day of all.
	First, Last civil.Date
	Days        []civil.Date // of them those that are read, where constants list them
	Bytes       int64
	Filtered    bool // some constant bounds it, if only the first day of all
	Required    bool // one must
}

// Bounded says that constants bound a read of a partitioned table on both sides.
func (r Read) Bounded() bool {
	return r.Partition == "" || r.First != civil.Date{} && r.Last != civil.Date{}
}

// Size is how large a table is taken to be.
type Size struct {
	Rows        int64                // of each day, where the table has days; else of all
	First, Last civil.Date           // the days that it has
	ByDay       map[civil.Date]int64 // rows of each day, in the place of these; nil where days are alike
	// Text is how long the texts of a column are, by its name; 16 where it is none.
	Text map[string]int64
}

// Table is what is known of a table.
type Table struct {
	Columns   []record.Column
	Partition string
	Required  bool   // a read must say of which days
	View      string // its text
	Size      Size
}

const textLength = 16

// width is the logical size of a value.
func (s Size) width(c record.Column) int64 {
	switch c.Type {
	case record.Text:
		if length, is := s.Text[c.Name]; is {
			return 2 + length
		}
		return 2 + textLength
	case record.Bool:
		return 1
	case record.ID:
		return 2 + int64(len(record.Key{}))
	case record.USD, record.Sum:
		return 32
	}
	return 8
}

// rows are how many rows lie on the days that are read.
func (s Size) rows(r Read) (n int64) {
	if r.Partition == "" {
		return s.Rows
	}
	if s.ByDay != nil {
		for day, rows := range s.ByDay {
			if r.reads(day) {
				n += rows
			}
		}
		return n
	}
	return s.Rows * int64(len(r.Among(s.First, s.Last)))
}

// Among are the days from first to last that are read.
func (r Read) Among(first, last civil.Date) (days []civil.Date) {
	if r.First != (civil.Date{}) && r.First.DaysSince(first) > 0 {
		first = r.First
	}
	if r.Last != (civil.Date{}) && r.Last.DaysSince(last) < 0 {
		last = r.Last
	}
	for day := first; day.DaysSince(last) <= 0; day = day.AddDays(1) {
		if r.reads(day) {
			days = append(days, day)
		}
	}
	return days
}

func (r Read) reads(day civil.Date) bool {
	if r.First != (civil.Date{}) && day.DaysSince(r.First) < 0 || r.Last != (civil.Date{}) && day.DaysSince(r.Last) > 0 {
		return false
	}
	if r.Days == nil {
		return true
	}
	_, is := slices.BinarySearchFunc(r.Days, day, civil.Date.Compare)
	return is
}

// Books are what a statement is held against.
type Books struct {
	Table  func(name string) Table                      // by dataset.table; the zero Table where nothing is known
	Called func(name string) (called string, work bool) // what texts call dataset.table
	Sizes  map[string]Size                              // by what texts call it, in the place of the table's own
}

// Statement is what one statement reads; false where it reads and changes nothing.
func (b Books) Statement(text string) (s Statement, reads bool) {
	kind, target := KindOf(text)
	if kind == "select" && !reference.MatchString(text) {
		return s, false // begin, commit, and what reads nothing
	}
	s = Statement{Text: text, Kind: kind}
	columns := columnsOf(text, everything)
	for _, p := range places(text) {
		n := columns(p)
		if p.table == target {
			n = everything // whose rows change
		}
		s.Reads = append(s.Reads, b.reads(p, n)...)
	}
	for _, r := range s.Reads {
		s.Bytes += r.Bytes
	}
	return s, true
}

// Unfiltered is the first read of a statement that no constant bounds where one must.
func (b Books) Unfiltered(text string) (Read, bool) {
	for _, p := range places(text) {
		for _, r := range b.reads(p, names{}) {
			if r.Required && !r.Filtered {
				return r, true
			}
		}
	}
	return Read{}, false
}

// columnsOf says which columns of a text's places are needed, where those of its result
// are: by their names alone, anywhere in the text, where that is not understood.
func columnsOf(text string, of names) func(place) names {
	if at, understood := needed(text, of); understood {
		return func(p place) names { return at[p.at] }
	}
	return func(p place) names { return names{all: allOf.MatchString(masked(p.scope)), named: words(text)} }
}

// reads is what one place of a text reads, through views, of the columns that are needed.
func (b Books) reads(p place, need names) (all []Read) {
	t := b.Table(p.table)
	if t.View != "" {
		columns := columnsOf(t.View, need)
		for _, beneath := range places(t.View) {
			for _, r := range b.reads(beneath, columns(beneath)) {
				if r.Partition != "" { // what the reader of the view says of the same column holds too
					r.boundBy(p)
					b.size(&r, b.Table(beneath.table), columns(beneath))
				}
				all = append(all, r)
			}
		}
		return all
	}
	r := Read{Partition: t.Partition, Required: t.Required}
	r.Table, r.Work = b.Called(p.table)
	if t.Partition != "" {
		r.boundBy(p)
	}
	b.size(&r, t, need)
	return []Read{r}
}

// boundBy narrows a read by the select that reads it, and by those that read that
// select as a table: the service pushes their conditions down.
func (r *Read) boundBy(p place) {
	r.bound(p.scope, r.Partition, p.alias)
	for i, outer := range p.outer {
		within := p.scope
		if i > 0 {
			within = p.outer[i-1].scope
		}
		if !passes(within, r.Partition) {
			return
		}
		r.bound(outer.scope, r.Partition, outer.alias)
	}
}

func (b Books) size(r *Read, t Table, need names) {
	size, declared := b.Sizes[r.Table]
	if !declared {
		size = t.Size
	}
	rows := size.rows(*r)
	r.Bytes = 0
	for _, c := range t.Columns {
		if need.has(c.Name) {
			r.Bytes += rows * size.width(c)
		}
	}
}

// Largest are the statements that bill most, the largest first.
func Largest(all []Statement, most int) []Statement {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b Statement) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return all[:min(most, len(all))]
}

// Bytes is what statements bill together.
func Bytes(all []Statement) (sum int64) {
	for _, s := range all {
		sum += s.Bytes
	}
	return sum
}
