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
	Names                       []Finding // other names that a model gets, which costs what it did
	Confirmed                   []Finding // announced prices that the list has, too
	Unchanged                   int       // models that cost what the book says
	Newer                       []Finding // prices of the book that are newer than the list's and stay
	Notes                       []Finding // what the list says and the book can't take, and what was kept
}

// Terms are how a list is taken over.
type Terms struct {
	From    time.Time // undated prices of the list hold from then on
	Learned time.Time
	Source  string
	Dated   time.Time // the day of the list; zero is not known
	// Sure says that the list can't be older than Dated. Where it can, a price that
	// the book has replaced before is taken for an old one.
	Sure bool
	// Older takes prices of the list also where the book has newer ones.
	Older bool
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
// An undated price of the list holds from t.From; one with a date of its own
// from then. Only published prices are compared: contracts stay. What the list's
// format doesn't tell of a model (tiers, uplifts and classes besides input and
// output, depending on the format) stays as the book has it. Prices that the
// book has from a later time on stay in force, and so do, unless t says
// otherwise, prices that are newer than the list. Every price of the book that
// stays another than the list's is named. With the plan's entries in the book
// the same list changes nothing any more.
func Changes(book *rates.Book, list List, t Terms) Plan {
	p := planner{Terms: t, book: book, list: list, models: map[string][]rates.Entry{}, names: bookNames(book)}
	for _, e := range list.Entries {
		p.models[e.Key()] = append(p.models[e.Key()], e)
	}
	for _, key := range slices.Sorted(maps.Keys(p.models)) {
		p.model(key)
	}
	for _, key := range slices.Sorted(maps.Keys(p.models)) {
		p.takenNames(key)
	}
	named := namedByList(book, list)
	for _, key := range slices.Sorted(maps.Keys(named)) {
		p.ownPrice(key, named[key])
	}
	return p.plan
}

// planner makes one plan.
type planner struct {
	Terms
	book   *rates.Book
	list   List
	models map[string][]rates.Entry // of the list, by key
	names  map[string]string        // key of the model for which provider/name stands already
	plan   Plan
}

// bookNames are the aliases, profiles and patterns of a book.
func bookNames(book *rates.Book) map[string]string {
	names := map[string]string{}
	for _, e := range book.Entries() {
		for _, name := range slices.Concat(e.Aliases, e.Patterns) {
			names[e.Provider+"/"+name] = e.Key()
		}
		for _, geography := range e.Profiles {
			names[e.Provider+"/"+geography+"."+e.Model] = e.Key()
		}
	}
	return names
}

// naming is what a list says of a model that it knows by another name.
type naming struct {
	of      string        // the key of the list's model
	pattern string        // by which the list means the book's model; "" is by its name
	entries []rates.Entry // as entries of the book's model
}

// namedByList finds the models of a book that are no models of the list, but
// other names of some.
func namedByList(book *rates.Book, list List) map[string]naming {
	entries := map[string][]rates.Entry{}
	aliases := map[string]string{}
	patterns := map[string][]rates.Entry{} // by provider
	for _, e := range list.Entries {
		entries[e.Key()] = append(entries[e.Key()], e)
		for _, alias := range e.Aliases {
			aliases[e.Provider+"/"+alias] = e.Key()
		}
		if len(e.Patterns) > 0 {
			patterns[e.Provider] = append(patterns[e.Provider], e)
		}
	}
	named := map[string]naming{}
	for _, e := range book.Entries() {
		key := e.Key()
		if _, listed := entries[key]; listed || e.Account != "" || named[key].of != "" {
			continue
		}
		by := naming{of: aliases[key]}
		if by.of == "" {
			by.of, by.pattern = rates.MostPrecise(patterns[e.Provider], e.Model)
		}
		if by.of == "" {
			continue
		}
		for _, listed := range entries[by.of] {
			listed.Model, listed.Aliases, listed.Patterns = e.Model, nil, nil
			by.entries = append(by.entries, listed)
		}
		named[key] = by
	}
	return named
}

// AsBook is a list as a book that can be held against another one at an instant:
// undated prices hold since before any other; what the format never tells is as
// in the other book; and what the list says of a model of that book under
// another name, it says of that model.
func AsBook(list List, against *rates.Book, at time.Time, name string) (*rates.Book, error) {
	named := namedByList(against, list)
	var entries []rates.Entry
	for _, e := range list.Entries {
		e.Aliases = slices.DeleteFunc(slices.Clone(e.Aliases), func(alias string) bool {
			_, own := named[e.Provider+"/"+alias]
			return own
		})
		entries = append(entries, e)
	}
	for _, key := range slices.Sorted(maps.Keys(named)) {
		entries = append(entries, named[key].entries...)
	}
	for i := range entries {
		e := &entries[i]
		key, how, _ := against.Resolve(e.Provider, "", e.Model)
		if base, ok := against.EntryAt(key, "", at, rates.Forever); ok && base.Account == "" {
			silent := list.silent
			if how != rates.ByExact && how != rates.ByPattern {
				silent = everything()
			}
			*e, _ = filled(*e, base, silent)
		}
		if e.From.IsZero() {
			e.From = time.Unix(0, 0)
		}
	}
	return rates.Parse(name, Document(entries, ""))
}

// everything is the silence of a list about another name of a model: what it
// leaves out is the model's.
func everything() silence { return silence{besidesText(), true, true, true} }

// ownPrice names a model of the book that the list knows as another name of one of
// its models, and for which it has another price. The book's stays: somebody gave
// the name a price of its own, and a pattern of the list may mean less than it
// says.
func (p *planner) ownPrice(key string, by naming) {
	for _, e := range p.periods(by.entries) {
		if !e.From.Equal(p.From) {
			continue
		}
		base, known := p.before(e, nil)
		e, _ = filled(e, base, p.list.silent)
		if moves := rates.Moves(base, e); known && len(moves) > 0 {
			_, model, _ := strings.Cut(by.of, "/")
			as := "under the name " + model
			if by.pattern != "" {
				as = fmt.Sprintf("for all names like %s (%s)", by.pattern, model)
			}
			p.note(key, "keeps %s, which the list has %s; write an entry of your own if it holds here, too", keptText(moves), as)
			return
		}
	}
}

// keptText says what stays, and what the list has.
func keptText(moves []rates.Move) string {
	m := moves[0]
	text := fmt.Sprintf("%s %s and not %s", m.What, orNone(m.Old), orNone(m.New))
	if more := len(moves) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

// model plans one model of the list.
func (p *planner) model(key string) {
	periods := p.periods(p.models[key])
	if p.names[key] != "" && !p.book.Has(key) {
		p.otherName(key, periods)
		return
	}
	var added []rates.Entry
	noted := len(p.plan.Notes) + len(p.plan.Newer)
	for _, e := range periods {
		base, known := p.before(e, added)
		e, kept := filled(e, base, p.list.silent)
		moves := rates.Moves(base, e)
		e.Learned, e.Source = p.Learned, p.Source
		e.Announced = e.From.After(p.Learned)
		same := known && len(moves) == 0
		confirms := same && base.Forecast() && !e.Forecast() && !p.Dated.Before(base.From.Truncate(24*time.Hour))
		if same && !confirms && !p.brings(e, len(added) == 0) {
			continue
		}
		if why := p.refusal(e); why != "" {
			if !same {
				p.note(key, "%s", why)
			}
			continue
		}
		if why := p.newer(base, e); !same && known && why != "" {
			if f := (Finding{key, "", "keeps " + keptText(moves) + ": " + why}); !slices.Contains(p.plan.Newer, f) {
				p.plan.Newer = append(p.plan.Newer, f)
			}
			continue
		}
		if len(kept) > 0 && !same {
			p.note(key, "keeps what the list doesn't tell: %s; check that it still holds", strings.Join(kept, ", "))
		}
		if same {
			e.Patterns = nil
		}
		p.settleNames(&e, len(added) == 0)
		added = append(added, e)
		switch {
		case confirms:
			p.plan.Confirmed = append(p.plan.Confirmed, Finding{key, "", "costs what was announced from " + base.From.Format(time.DateOnly)})
		case same:
			p.plan.Names = append(p.plan.Names, Finding{key, "", strings.Join(e.Aliases, ", ")})
		default:
			p.changes(e, known, moves)
		}
	}
	if len(added) == 0 && len(p.plan.Notes)+len(p.plan.Newer) == noted {
		p.plan.Unchanged++
	}
	p.plan.Added = append(p.plan.Added, added...)
}

// brings says whether an entry of the list has an other name for its model that
// is free.
func (p *planner) brings(e rates.Entry, first bool) bool {
	e.Patterns = nil
	return first && slices.ContainsFunc(e.Aliases, func(name string) bool { return p.free(e, name) })
}

// newer says why the price that the book has when e begins is newer than the
// list; "" where it isn't, or nobody knows.
func (p *planner) newer(base, e rates.Entry) string {
	if p.Older || base.Source == p.Source { // of the same list
		return ""
	}
	if known := base.KnownOn(); !p.Dated.IsZero() && known.After(p.Dated) {
		return fmt.Sprintf("the book's price is of %s, the list of %s", known.Format(time.DateOnly), p.Dated.Format(time.DateOnly))
	}
	for _, x := range p.published(e.Key()) {
		replaced := x.From.Before(base.From) || x.Learned.Before(base.Learned)
		if old, _ := filled(e, x, p.list.silent); !p.Sure && replaced && len(rates.Moves(x, old)) == 0 {
			return fmt.Sprintf("the list has a price that the book has replaced from %s on, and may be older than its file", base.From.Format(time.DateOnly))
		}
	}
	return ""
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
		if !e.From.After(p.From) {
			current = i
		}
	}
	for i, e := range listed {
		if !e.From.IsZero() {
			all = append(all, e)
		}
		if i == current && !e.From.Equal(p.From) {
			e.From = p.From
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
	take := func(name string) bool {
		if !first || !p.free(*e, name) {
			return false
		}
		p.names[e.Provider+"/"+name] = e.Key()
		return true
	}
	e.Aliases, e.Patterns = kept(e.Aliases, take), kept(e.Patterns, take)
}

// takenNames names what the list calls a model and the book keeps for another one
// that costs something else.
func (p *planner) takenNames(key string) {
	for _, e := range p.periods(p.models[key]) {
		if !e.From.Equal(p.From) {
			continue
		}
		for _, name := range slices.Concat(e.Aliases, e.Patterns) {
			owner := p.names[e.Provider+"/"+name]
			if owner == "" || owner == key || owner == p.names[key] {
				continue
			}
			var added []rates.Entry
			for _, a := range p.plan.Added {
				if a.Key() == owner {
					added = append(added, a)
				}
			}
			_, model, _ := strings.Cut(owner, "/")
			base, known := p.before(rates.Entry{Provider: e.Provider, Model: model, From: e.From}, added)
			full, _ := filled(e, base, p.list.silent)
			if moves := rates.Moves(base, full); known && len(moves) > 0 {
				p.note(e.Provider+"/"+name, "keeps %s: it stands for %s in the book, for %s in the list", keptText(moves), owner, key)
			}
		}
	}
}

// free says that a name stands for no model.
func (p *planner) free(e rates.Entry, name string) bool {
	full := e.Provider + "/" + name
	_, listed := p.models[full]
	return p.names[full] == "" && !p.book.Has(full) && !listed
}

// otherName holds a model that is another name in the book against the model
// that it stands for: it can't have a price of its own besides. What the list
// leaves out of another name is the model's.
func (p *planner) otherName(key string, periods []rates.Entry) {
	provider, model, _ := strings.Cut(key, "/")
	target, _, _ := p.book.Resolve(provider, "", model)
	base, known := p.book.EntryAt(target, "", p.From, rates.Forever)
	for _, other := range p.periods(p.models[target]) {
		if !other.From.After(p.From) {
			other, _ = filled(other, base, p.list.silent)
			base, known = other, true
		}
	}
	for _, e := range periods {
		if !e.From.Equal(p.From) {
			continue
		}
		e, _ = filled(e, base, everything())
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
