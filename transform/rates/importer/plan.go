package importer

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"chargeback/transform/rates"
)

// Plan is what a list adds to a book.
type Plan struct {
	Added                       []rates.Entry // by key and From
	New, Dearer, Cheaper, Other []Change
	Unchanged                   int       // models that cost what the book says
	Notes                       []Finding // what the list says and the book can't take, and what was kept
}

// Change is one price that an entry of a plan changes, or a model that it adds.
type Change struct {
	Key           string
	What          string // such as: input above 272,000, flex; "" is the model
	Old, New      string // USD for a million tokens, or for one request or search
	Percent       string
	From, Learned time.Time
}

// Changes says what must be added to a book so that it prices as the list does.
// An undated price of the list holds from the instant from; one with a date of
// its own from then. Only published prices are compared: contracts stay. What
// the list's format doesn't tell of a model (tiers, uplifts and classes besides
// input and output, depending on the format) stays as the book has it. Prices that the book has from a later
// time on stay in force. With the plan's entries in the book the same list
// changes nothing any more.
func Changes(book *rates.Book, list List, from, learned time.Time, source string) Plan {
	p := planner{book: book, list: list, from: from, learned: learned, source: source, models: map[string][]rates.Entry{}, names: bookNames(book)}
	for _, e := range list.Entries {
		p.models[e.Key()] = append(p.models[e.Key()], e)
	}
	for _, key := range slices.Sorted(maps.Keys(p.models)) {
		p.model(key)
	}
	return p.plan
}

// planner makes one plan.
type planner struct {
	book          *rates.Book
	list          List
	from, learned time.Time
	source        string
	models        map[string][]rates.Entry // of the list, by key
	names         map[string]bool          // provider/name that stands for a model already
	plan          Plan
}

// bookNames are the aliases, profiles and patterns of a book.
func bookNames(book *rates.Book) map[string]bool {
	names := map[string]bool{}
	for _, e := range book.Entries() {
		for _, name := range slices.Concat(e.Aliases, e.Patterns) {
			names[e.Provider+"/"+name] = true
		}
		for _, geography := range e.Profiles {
			names[e.Provider+"/"+geography+"."+e.Model] = true
		}
	}
	return names
}

// model plans one model of the list.
func (p *planner) model(key string) {
	periods := p.periods(p.models[key])
	if p.names[key] && !p.book.Has(key) {
		p.otherName(key, periods)
		return
	}
	var added []rates.Entry
	noted := len(p.plan.Notes)
	for _, e := range periods {
		base, known := p.before(e, added)
		e, kept := filled(e, base, p.list.silent)
		moves := rates.Moves(base, e)
		if known && len(moves) == 0 {
			continue
		}
		e.Learned, e.Source = p.learned, p.source
		if why := p.refusal(e); why != "" {
			p.note(key, "%s", why)
			continue
		}
		if len(kept) > 0 {
			p.note(key, "keeps what the list doesn't tell: %s; check that it still holds", strings.Join(kept, ", "))
		}
		p.settleNames(&e, len(added) == 0)
		added = append(added, e)
		p.changes(e, known, moves)
	}
	if len(added) == 0 && len(p.plan.Notes) == noted {
		p.plan.Unchanged++
	}
	p.plan.Added = append(p.plan.Added, added...)
}

func (p *planner) note(key, what string, args ...any) {
	p.plan.Notes = append(p.plan.Notes, Finding{key, "", fmt.Sprintf(what, args...)})
}

// periods gives each price of a model the instant from which it holds. The one
// that holds now is there once more with from, for the book may have another
// price since its date. A past price without a date is left out.
func (p *planner) periods(listed []rates.Entry) (all []rates.Entry) {
	current := -1
	for i, e := range listed {
		if !e.From.After(p.from) {
			current = i
		}
	}
	for i, e := range listed {
		if !e.From.IsZero() {
			all = append(all, e)
		}
		if i == current && !e.From.Equal(p.from) {
			e.From = p.from
			all = append(all, e)
		}
	}
	return all
}

// before is the entry that prices a model when e begins, by the book and the
// entries that are planned already. Where only a pattern of the book fits the
// model, it is the pattern's.
func (p *planner) before(e rates.Entry, added []rates.Entry) (base rates.Entry, known bool) {
	key, _, _ := p.book.Resolve(e.Provider, "", e.Model)
	base, known = p.book.EntryAt(key, "", e.From, rates.Forever)
	for _, a := range added {
		replaced := slices.ContainsFunc(p.published(e.Key()), func(x rates.Entry) bool { return x.From.After(a.From) && !x.From.After(e.From) })
		if !replaced && (!known || key != e.Key() || a.From.After(base.From) || !a.Learned.Before(base.Learned)) {
			base, known = a, true
		}
	}
	return base, known
}

// published are the book's entries of a key that are no contracts.
func (p *planner) published(key string) []rates.Entry {
	return slices.DeleteFunc(p.book.Of(key), func(e rates.Entry) bool { return e.Account != "" })
}

// filled is an entry with what its list doesn't tell taken from the entry before.
func filled(e, base rates.Entry, silent silence) (full rates.Entry, kept []string) {
	e.Sheet, kept = fillSheet(e.Sheet, base.Sheet, silent.classes)
	if silent.tiers && len(base.Tiers) > 0 {
		tiers := maps.Clone(base.Tiers)
		maps.Copy(tiers, e.Tiers)
		for _, name := range slices.Sorted(maps.Keys(base.Tiers)) {
			if _, is := e.Tiers[name]; !is {
				kept = append(kept, "tier "+name)
			}
		}
		e.Tiers = tiers
	}
	if silent.uplifts && len(base.Uplifts) > 0 && len(e.Uplifts) == 0 {
		e.Uplifts, kept = base.Uplifts, append(kept, "regions")
	}
	if silent.offPeak && len(base.OffPeak) > 0 && len(e.OffPeak) == 0 {
		e.OffPeak, kept = base.OffPeak, append(kept, "off-peak hours")
	}
	return e, kept
}

func fillSheet(s, base rates.Sheet, classes []rates.Class) (full rates.Sheet, kept []string) {
	fill := func(to, from rates.Units) rates.Units {
		to = maps.Clone(to)
		for _, class := range classes {
			_, has := to[class]
			if pico, is := from[class]; is && !has {
				to[class] = pico
				if !slices.Contains(kept, class.String()) {
					kept = append(kept, class.String())
				}
			}
		}
		return to
	}
	s.Units, s.Thresholds = fill(s.Units, base.Units), slices.Clone(s.Thresholds)
	for i, step := range s.Thresholds {
		for _, other := range base.Thresholds {
			if other.Tokens == step.Tokens {
				s.Thresholds[i].Units = fill(step.Units, other.Units)
			}
		}
	}
	return s, kept
}

// refusal says why an entry would not price anything, or could not stand in the
// book.
func (p *planner) refusal(e rates.Entry) string {
	all := p.published(e.Key())
	for _, x := range all {
		// An end that is not where another entry begins was written by hand: the
		// entry stays beside a new one that begins before it.
		bounded := x.To.Before(rates.Forever) && !slices.ContainsFunc(all, func(o rates.Entry) bool { return o.From.Equal(x.To) })
		beside := x.From.Equal(e.From) || bounded && x.From.Before(e.From) && e.From.Before(x.To)
		switch {
		case beside && x.Learned.Equal(e.Learned):
			return "has another price in the book that was learned at the same time; correct that entry, or give the later one a later learned"
		case beside && x.Learned.After(e.Learned):
			return "has another price in the book that was learned later; import a newer list"
		}
	}
	return ""
}

// settleNames leaves names out that stand for a model already.
func (p *planner) settleNames(e *rates.Entry, first bool) {
	free := func(name string) bool {
		full := e.Provider + "/" + name
		_, listed := p.models[full]
		if !first || p.names[full] || p.book.Has(full) || listed {
			return false
		}
		p.names[full] = true
		return true
	}
	e.Aliases, e.Patterns = kept(e.Aliases, free), kept(e.Patterns, free)
}

// otherName holds a model that is another name in the book against the model
// that it stands for: it can't have a price of its own besides. What the list
// leaves out of another name is the model's.
func (p *planner) otherName(key string, periods []rates.Entry) {
	provider, model, _ := strings.Cut(key, "/")
	target, _, _ := p.book.Resolve(provider, "", model)
	base, known := p.book.EntryAt(target, "", p.from, rates.Forever)
	for _, other := range p.periods(p.models[target]) {
		if !other.From.After(p.from) {
			other, _ = filled(other, base, p.list.silent)
			base, known = other, true
		}
	}
	for _, e := range periods {
		if !e.From.Equal(p.from) {
			continue
		}
		e, _ = filled(e, base, silence{besidesText(), true, true, true})
		if moves := rates.Moves(base, e); known && len(moves) > 0 {
			m := moves[0]
			p.note(key, "is another name of %s in the book, but its %s is %s and not %s; take the name out there to give it prices of its own", target, m.What, orNone(m.New), orNone(m.Old))
			return
		}
	}
	p.plan.Unchanged++
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// changes notes what an entry changes.
func (p *planner) changes(e rates.Entry, known bool, moves []rates.Move) {
	change := Change{Key: e.Key(), From: e.From, Learned: e.Learned}
	if !known {
		change.New = unitsText(moves)
		p.plan.New = append(p.plan.New, change)
		return
	}
	for _, m := range moves {
		c := change
		c.What, c.Old, c.New, c.Percent = m.What, m.Old, m.New, m.Percent
		switch {
		case m.Way > 0:
			p.plan.Dearer = append(p.plan.Dearer, c)
		case m.Way < 0:
			p.plan.Cheaper = append(p.plan.Cheaper, c)
		default:
			p.plan.Other = append(p.plan.Other, c)
		}
	}
}

// unitsText is input and output of a new model in short.
func unitsText(moves []rates.Move) string {
	var parts []string
	for _, m := range moves {
		if m.What == rates.Input.String() || m.What == rates.Output.String() {
			parts = append(parts, m.What+" "+m.New)
		}
	}
	return strings.Join(parts, ", ")
}

// Document is entries as a YAML document that can be written behind what a
// book's file has. The header is a comment, of one line or more.
func Document(added []rates.Entry, header string) []byte {
	var b strings.Builder
	b.WriteString("---\n")
	for line := range strings.Lines(header) {
		b.WriteString(strings.TrimRight("# "+strings.TrimRight(line, "\r\n"), " ") + "\n")
	}
	b.WriteString("prices:\n")
	for _, e := range added {
		b.WriteString(e.YAML())
	}
	return []byte(b.String())
}
