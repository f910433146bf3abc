// Package program runs selects that build upon each other, in order: work tables,
// and views that stand in the texts of those that read them; the SQL models among
// them.
//
// It owns: which work tables a result needs, their order, and when each goes.
// It does not own: the models (transform/models), or what feeds them and what
// becomes of their results (records, report).
package program

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"chargeback/billing/warehouse"
	"chargeback/transform/models"
)

// Program is work tables and views in the order in which they were added.
type Program struct {
	w      warehouse.Warehouse
	models []models.Model
	args   warehouse.Args
	views  map[string]string
	tables []workTable
}

type workTable struct {
	name, what, text string
	views            map[string]string // as they are at its place
	model            models.Model      // where it is one
	wide             bool              // see warehouse.Select
}

// New begins a program by views that all of it may read, and by the arguments of all
// its selects. all are the models that it may add.
func New(w warehouse.Warehouse, all []models.Model, views map[string]string, args warehouse.Args) *Program {
	if views == nil {
		views = map[string]string{}
	}
	return &Program{w: w, models: all, args: args, views: views}
}

// View adds a select that stands in the texts of those behind it.
func (p *Program) View(name, text string) {
	p.views = maps.Clone(p.views)
	p.views[name] = text
}

// Text is the text of a view as it stands, "" where there is none.
func (p *Program) Text(view string) string { return p.views[view] }

// Table adds a work table.
func (p *Program) Table(name, what, text string) {
	p.tables = append(p.tables, workTable{name: name, what: what, text: text, views: p.views})
}

// WideTable adds a work table of rows of whole days with all their columns.
func (p *Program) WideTable(name, what, text string) {
	p.Table(name, what, text)
	p.tables[len(p.tables)-1].wide = true
}

// AddAll adds all models.
func (p *Program) AddAll() {
	for _, m := range p.models {
		p.model(m)
	}
}

// Add adds some of the models, in the order of their numbers.
func (p *Program) Add(names ...string) error {
	for _, m := range p.models {
		if i := slices.Index(names, m.Name); i >= 0 {
			p.model(m)
			names = slices.Delete(slices.Clone(names), i, i+1)
		}
	}
	if len(names) > 0 {
		return fmt.Errorf("there are no models %v", names)
	}
	return nil
}

// model adds a model as it says that it is kept.
func (p *Program) model(m models.Model) {
	if m.AsTable {
		p.Table(m.Name, "model "+m.Name, m.Text)
		p.tables[len(p.tables)-1].model = m
		return
	}
	p.View(m.Name, m.Text)
}

// Actors adds, for models that need no staged rows, what they read of these: the
// actors of a select.
func (p *Program) Actors(text string) {
	p.View("requests_kept", text)
	p.View("actors_known", "select actor_id, user_id, user_email, team, key_alias, project from {actors}")
	p.View("tasks_known", "select task_id, agent_id, cost_center, tools from {tasks}")
}

// Select is a select that reads what was added so far.
func (p *Program) Select(name, text string) warehouse.Select {
	return warehouse.Select{Name: name, Text: text, Args: p.args, Views: p.views}
}

// reads are the names that the text of a table stands upon, through its views.
func (t workTable) reads() map[string]bool {
	all := map[string]bool{}
	var add func(text, within string)
	add = func(text, within string) {
		for _, name := range warehouse.Named(text) {
			if view, is := t.views[name]; is && name != within && !all[name] {
				all[name] = true
				add(view, name)
			}
			all[name] = true
		}
	}
	add(t.text, "")
	if unless := t.model.Unless; unless != "" && unless[0] != '@' {
		all[unless] = true
	}
	return all
}

// occurs says whether there is what a table is computed for.
func (p *Program) occurs(ctx context.Context, t workTable) (bool, error) {
	unless := t.model.Unless
	if argument, is := strings.CutPrefix(unless, "@"); is {
		is, given := p.args[argument].(bool)
		return is || !given, nil
	}
	if !slices.ContainsFunc(p.tables, func(of workTable) bool { return of.name == unless }) {
		return true, nil
	}
	rows, err := warehouse.One[int64](ctx, p.w, warehouse.Select{Name: "count " + unless, Text: "select count(*) as n from {" + unless + "}"})
	return rows > 0, err
}

// compute makes a table: of no rows where there is nothing that it is computed for.
func (p *Program) compute(ctx context.Context, t workTable) error {
	if t.model.Unless != "" {
		if occurs, err := p.occurs(ctx, t); err != nil || !occurs {
			if err != nil {
				return err
			}
			return p.w.Put(ctx, t.name, t.model.Columns, nil)
		}
	}
	return p.w.Compute(ctx, t.name, p.selectOf(t))
}

// Run computes the tables that results stand upon, in order, and drops each once
// nothing behind it reads it. The results stay.
func (p *Program) Run(ctx context.Context, results ...string) error {
	wanted, last := p.order(results)
	for i, t := range wanted {
		if err := p.compute(ctx, t); err != nil {
			return fmt.Errorf("%s: %w", t.what, err)
		}
		var done []string
		for _, before := range wanted[:i] {
			if last[before.name] == i && !slices.Contains(results, before.name) {
				done = append(done, before.name)
			}
		}
		if err := p.w.Drop(ctx, done...); err != nil {
			return err
		}
	}
	return nil
}

// Estimate adds to a plan what Run would read.
func (p *Program) Estimate(ctx context.Context, plan *warehouse.Plan, results ...string) error {
	wanted, _ := p.order(results)
	for _, t := range wanted {
		if err := plan.Compute(ctx, t.name, p.selectOf(t)); err != nil {
			return fmt.Errorf("%s: %w", t.what, err)
		}
	}
	return nil
}

func (p *Program) selectOf(t workTable) warehouse.Select {
	return warehouse.Select{Name: t.what, Text: t.text, Args: p.args, Views: t.views, Wide: t.wide}
}

// order are the tables that results stand upon, in order, and the place in it of the
// last one that reads each.
func (p *Program) order(results []string) (wanted []workTable, last map[string]int) {
	needed := map[string]bool{}
	for _, name := range results {
		needed[name] = true
	}
	for _, t := range slices.Backward(p.tables) {
		if needed[t.name] {
			wanted = append(wanted, t)
			maps.Copy(needed, t.reads())
		}
	}
	slices.Reverse(wanted)
	last = map[string]int{}
	for i, t := range wanted {
		for name := range t.reads() {
			last[name] = i
		}
	}
	return wanted, last
}
