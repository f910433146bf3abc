package warehouse

import (
	"context"
	"regexp"
	"strings"

	"chargeback/extract/record"
)

// Estimator is an engine that bills by what statements read, and tells it before they
// run. What it is asked is not run, and nothing is billed for it.
type Estimator interface {
	// Estimate is how many bytes of stored tables a select would read, at the most.
	Estimate(ctx context.Context, s Select) (int64, error)

	// EstimateCompute is Estimate for Compute. It makes the work table without rows, so
	// that what reads it can be estimated; what would be in it is not counted there.
	EstimateCompute(ctx context.Context, name string, s Select) (int64, error)

	// WorkColumns are the columns of a work table.
	WorkColumns(ctx context.Context, name string) ([]record.Column, error)
}

// Estimated is what a step would read.
type Estimated struct {
	Step  string
	Bytes int64
}

// Plan adds up what steps would read that build upon each other. Work tables are still
// without rows, so what is read of them is reckoned: each has as many rows as the
// tables that it is made of, at most all rows that come from the ledger, and is read
// in the columns whose names occur in the text that reads it.
type Plan struct {
	Steps []Estimated

	e     Estimator
	rows  map[string]int64 // of tables that are known
	all   int64
	width map[string]map[string]int64 // bytes of a value, by work table and column
}

// NewPlan begins one, with the rows of the ledger's tables that decide the size of
// work tables; others are taken to be small.
func NewPlan(e Estimator, rows map[string]int64) *Plan {
	p := &Plan{e: e, rows: map[string]int64{}, width: map[string]map[string]int64{}}
	for name, n := range rows {
		p.rows[name] = n
		p.all += n
	}
	return p
}

// Query adds a select.
func (p *Plan) Query(ctx context.Context, s Select) error {
	bytes, err := p.e.Estimate(ctx, s)
	if err == nil {
		p.add(s.name(), bytes+p.ofWork(s))
	}
	return err
}

// Compute adds a work table.
func (p *Plan) Compute(ctx context.Context, name string, s Select) error {
	bytes, err := p.e.EstimateCompute(ctx, name, s)
	if err != nil {
		return err
	}
	p.add(s.name(), bytes+p.ofWork(s))
	columns, err := p.e.WorkColumns(ctx, name)
	if err != nil {
		return err
	}
	p.rows[name], p.width[name] = 0, map[string]int64{}
	for _, c := range columns {
		p.width[name][c.Name] = valueBytes[c.Type]
	}
	for _, read := range s.reads() {
		if read != name {
			p.rows[name] = min(p.all, p.rows[name]+p.rows[read])
		}
	}
	return nil
}

// Bytes is the sum of the steps.
func (p *Plan) Bytes() (sum int64) {
	for _, s := range p.Steps {
		sum += s.Bytes
	}
	return sum
}

func (p *Plan) add(step string, bytes int64) {
	p.Steps = append(p.Steps, Estimated{step, bytes})
}

// ofWork is what a select reads of work tables.
func (p *Plan) ofWork(s Select) (bytes int64) {
	words := s.words()
	for _, name := range s.reads() {
		for column, width := range p.width[name] {
			if words[column] || words["*"] {
				bytes += p.rows[name] * width
			}
		}
	}
	return bytes
}

// valueBytes is what a value is billed as; of texts about as much as those of the
// ledger have, which are short names and ids.
var valueBytes = map[record.Type]int64{record.Text: 22, record.Int: 8, record.Bool: 1, record.Time: 8, record.Date: 8, record.USD: 32, record.Sum: 32, record.ID: 16}

// reads are the tables that a select reads, also through its views, each once.
func (s Select) reads() (names []string) {
	seen := map[string]bool{}
	s.walk(func(text, within string) {
		for _, name := range Named(text) {
			if _, view := s.Views[name]; (!view || name == within) && !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	})
	return names
}

// allColumns is how a text reads all columns; elsewhere * multiplies, or counts rows.
var allColumns = regexp.MustCompile(`(?:\bselect|,|\.)\s*\*`)

// words are those of a select's texts, with * where all columns are read.
func (s Select) words() map[string]bool {
	words := map[string]bool{}
	s.walk(func(text, _ string) {
		for _, w := range strings.FieldsFunc(text, func(r rune) bool {
			return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
		}) {
			words[w] = true
		}
		words["*"] = words["*"] || allColumns.MatchString(text)
	})
	return words
}

// walk visits the texts of a select: its own, and those of the views that it reads,
// with their names.
func (s Select) walk(visit func(text, within string)) {
	seen := map[string]bool{}
	var walk func(text, within string)
	walk = func(text, within string) {
		visit(text, within)
		for _, name := range Named(text) {
			if view, is := s.Views[name]; is && !seen[name] {
				seen[name] = true
				walk(view, name)
			}
		}
	}
	walk(s.Text, "")
}
