package directory

import (
	"cmp"
	"slices"
	"strings"

	"chargeback/transform/civil"
)

// Shown is a name under which an export shows a person beside the address, and
// the days on which it does.
type Shown struct {
	Name   string // as NormEmail writes it
	Email  string // the person's address in the export
	Field  string // what the export calls the name
	Source string
	From   civil.Date // as far back as the export dates the person
	Since  civil.Date // the first day that shows it
	To     civil.Date // exclusive
}

// Named is who a name stands for from a day until a day.
type Named struct {
	Alias
	By     Shown    // the first export's row that says so; zero where the directory does, or nobody
	Rivals []string // addresses of several people who all have the name: then it is nobody's
}

// Names says who a name stands for, by the directory and by what exports show.
// The directory goes first. An address that is a person's own on a day is that
// person's. A name that exports give to two people stands for neither.
type Names struct {
	directory *Directory
	shown     map[string][]Shown
	own       map[string][]ownDays
}

// ownDays are days on which people files have rows of an address.
type ownDays struct {
	days
	email string
}

type days struct{ from, to civil.Date }

func (d days) has(from, to civil.Date) bool { return !from.Before(d.from) && !d.to.Before(to) }

// NewNames returns the names of a directory and of exports. Of what several
// sources say alike the one that stands first in shown is named.
func (d *Directory) NewNames(shown []Shown) *Names {
	n := &Names{directory: d, shown: map[string][]Shown{}, own: map[string][]ownDays{}}
	for _, s := range shown {
		if s.Name != s.Email {
			n.shown[s.Name] = append(n.shown[s.Name], s)
		}
	}
	return n
}

// Some says whether exports show any other name.
func (n *Names) Some() bool { return len(n.shown) > 0 }

// Own notes the days on which people files have rows of an address.
func (n *Names) Own(email string, from, to civil.Date) {
	if name := NormEmail(email); n.shown[name] != nil {
		n.own[name] = append(n.own[name], ownDays{days{from, to}, email})
	}
}

// Of says who a name stands for on the days from from until to, oldest first:
// every day is in one of the rows.
func (n *Names) Of(name string, from, to civil.Date) (rows []Named) {
	for _, a := range n.directory.Names(name, from, to) {
		for _, r := range n.byExports(a.Email, a.From, a.To) {
			r.Name = name
			rows = append(rows, r)
		}
	}
	return rows
}

// byExports is Of for a name that the directory doesn't know on the days.
func (n *Names) byExports(name string, from, to civil.Date) (rows []Named) {
	key := NormEmail(name)
	claims := n.shown[key]
	if len(claims) == 0 {
		return []Named{{Alias: Alias{Name: name, Email: name, From: from, To: to}}}
	}
	edges := n.edges(key, claims, from, to)
	for i, end := range edges[1:] {
		r := n.on(name, key, claims, edges[i], end)
		if last := len(rows) - 1; last >= 0 && rows[last].Email == r.Email && rows[last].By == r.By && slices.Equal(rows[last].Rivals, r.Rivals) {
			rows[last].To = r.To
			continue
		}
		rows = append(rows, r)
	}
	return rows
}

// edges are the days on which something may change, and both ends.
func (n *Names) edges(key string, claims []Shown, from, to civil.Date) []civil.Date {
	edges := []civil.Date{from, to}
	add := func(all ...civil.Date) {
		for _, day := range all {
			if from.Before(day) && day.Before(to) {
				edges = append(edges, day)
			}
		}
	}
	for _, c := range claims {
		add(c.From, c.Since, c.To)
		for _, a := range n.directory.Names(c.Email, from, to) {
			add(a.From)
		}
	}
	for _, o := range n.own[key] {
		add(o.from, o.to)
	}
	slices.SortFunc(edges, civil.Date.Compare)
	return slices.Compact(edges)
}

// on says who a name stands for on days on which nothing changes. What an
// export dates back counts where no export of those days shows the name.
func (n *Names) on(name, key string, claims []Shown, from, to civil.Date) Named {
	r := Named{Alias: Alias{Name: name, Email: name, From: from, To: to}}
	if own := slices.IndexFunc(n.own[key], func(o ownDays) bool { return o.has(from, to) }); own >= 0 {
		r.Email = n.own[key][own].email
		return r
	}
	for _, first := range []func(Shown) civil.Date{func(s Shown) civil.Date { return s.Since }, func(s Shown) civil.Date { return s.From }} {
		var people []string
		var by Shown
		for _, c := range claims {
			if !(days{first(c), c.To}).has(from, to) {
				continue
			}
			if email := n.directory.Names(c.Email, from, to)[0].Email; !slices.Contains(people, email) {
				by = cmp.Or(by, c)
				people = append(people, email)
			}
		}
		switch {
		case len(people) == 1:
			r.Email, r.By = people[0], by
			return r
		case len(people) > 1:
			slices.SortFunc(people, strings.Compare)
			r.Rivals, r.By = people, by
			return r
		}
	}
	return r
}

// Also lists the other names of a person that exports show, by name and day.
// Those that the directory has are not among them.
func (n *Names) Also(email string) (rows []Shown) {
	for _, claims := range n.shown {
		for _, c := range claims {
			if c.Email == email {
				rows = append(rows, c)
			}
		}
	}
	slices.SortFunc(rows, func(a, b Shown) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), a.Since.Compare(b.Since), strings.Compare(a.Source, b.Source), strings.Compare(a.Field, b.Field))
	})
	return rows
}

// Contested lists the names that exports give to several people on a day, by
// name.
func (n *Names) Contested(day civil.Date) (rows []Named) {
	for name, claims := range n.shown {
		if len(claims) < 2 {
			continue
		}
		if r := n.Of(name, day, day.AddDays(1))[0]; len(r.Rivals) > 0 {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b Named) int { return strings.Compare(a.Name, b.Name) })
	return rows
}
