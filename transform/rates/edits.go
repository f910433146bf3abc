package rates

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Mark is what is kept of one item of a book, a price, discount, markup or fees,
// to find out later whether it was edited.
type Mark struct {
	Kind    string    `json:"kind"`
	Name    string    `json:"name,omitempty"` // of an entry its key, and whose contract price it is
	From    time.Time `json:"from"`
	Learned time.Time `json:"learned,omitzero"`
	To      time.Time `json:"to,omitzero"` // exclusive; zero where it has no end
	Hash    string    `json:"hash"`        // of all that it charges
	place   string    // file and line
}

// The kinds of a Mark.
const (
	MarkPrice    = "price"
	MarkDiscount = "discount"
	MarkMarkup   = "markup"
	MarkFees     = "fees"
)

// Key is the key of an entry's model; "" where the mark is of no entry.
func (m Mark) Key() string {
	if m.Kind != MarkPrice {
		return ""
	}
	key, _, _ := strings.Cut(m.Name, " for account ")
	return key
}

// Is says that two marks are of the same item, whatever it charges.
func (m Mark) Is(o Mark) bool {
	return m.Kind == o.Kind && m.Name == o.Name && m.From.Equal(o.From) && m.Learned.Equal(o.Learned)
}

// String names the item.
func (m Mark) String() string {
	text := m.Kind
	if m.Name != "" {
		text += " " + m.Name
	}
	text += " from " + dayText(m.From)
	if !m.Learned.IsZero() {
		text += ", learned " + dayText(m.Learned)
	}
	return text
}

// dayText is an instant, without the time of the day where that is midnight.
func dayText(t time.Time) string {
	if t = t.UTC(); t.Equal(t.Truncate(24 * time.Hour)) {
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339)
}

// Marks lists the marks of all that a book holds.
func (b *Book) Marks() (all []Mark) {
	add := func(m Mark, to time.Time, charges string) {
		if to.Before(Forever) {
			m.To = to
		}
		sum := sha256.Sum256([]byte(charges))
		m.Hash = hex.EncodeToString(sum[:6])
		all = append(all, m)
	}
	for _, e := range b.entries {
		bare := *e
		bare.Source, bare.Announced, bare.Confirmed, bare.Aliases, bare.Profiles, bare.Patterns, bare.To = "", false, time.Time{}, nil, nil, nil, Forever
		name := e.Key()
		if e.Account != "" {
			name += " for account " + e.Account
		}
		add(Mark{Kind: MarkPrice, Name: name, From: e.From, Learned: e.Learned, place: fmt.Sprintf("%s:%d", e.File, e.Line)}, e.To, bare.YAML())
	}
	for _, d := range b.discounts {
		var of []string
		for _, part := range [][2]string{{"provider", d.Provider}, {"account", d.Account}, {"model", d.Model}, {"class", d.Class}} {
			if part[1] != "" {
				of = append(of, part[0]+" "+part[1])
			}
		}
		add(Mark{Kind: MarkDiscount, Name: strings.Join(of, ", "), From: d.From, Learned: d.Learned, place: fmt.Sprintf("line %d", d.Line)}, d.To, fmt.Sprint(int64(d.Percent)))
	}
	for _, m := range b.markups {
		add(Mark{Kind: MarkMarkup, Name: "of " + m.CostCenter, From: m.From, Learned: m.Learned, place: fmt.Sprintf("line %d", m.Line)}, m.To, fmt.Sprint(int64(m.Percent)))
	}
	for _, f := range b.fees {
		add(Mark{Kind: MarkFees, From: f.From, Learned: f.Learned}, f.To, fmt.Sprint(f.InfraPico, f.CacheHitPico, toolsText(f.Tools)))
	}
	return all
}

// Edit is an item that held in the past and is no longer as it was.
type Edit struct {
	Mark         // as it was
	What  string // that became of it
	Place string // where it is now; "" where it is gone
}

// Edits lists what of before held at an instant before past and is edited, gone or
// ends earlier in the book, so that what was charged by it costs something else. An
// item that was added is no edit, also where it takes the place of an earlier one.
func (b *Book) Edits(before []Mark, past time.Time) (all []Edit) {
	now := map[string][]Mark{}
	begins := map[string]bool{}
	for _, m := range b.Marks() {
		now[m.Kind+m.Name] = append(now[m.Kind+m.Name], m)
		begins[m.Kind+m.Name+dayText(m.From)] = true
	}
	for _, was := range before {
		if !was.From.Before(past) {
			continue
		}
		i := slices.IndexFunc(now[was.Kind+was.Name], was.Is)
		if i < 0 {
			all = append(all, Edit{Mark: was, What: "is gone"})
			continue
		}
		is := now[was.Kind+was.Name][i]
		switch {
		case is.Hash != was.Hash:
			all = append(all, Edit{Mark: was, What: "was edited and charges something else", Place: is.place})
		case endsBefore(is, was, past) && !begins[was.Kind+was.Name+dayText(is.To)]:
			all = append(all, Edit{Mark: was, What: "ends earlier, on " + dayText(is.To), Place: is.place})
		}
	}
	slices.SortFunc(all, func(x, y Edit) int {
		return cmp.Or(strings.Compare(x.Kind, y.Kind), strings.Compare(x.Name, y.Name), x.From.Compare(y.From), x.Learned.Compare(y.Learned))
	})
	return all
}

// endsBefore says that is ends before was did, within the past.
func endsBefore(is, was Mark, past time.Time) bool {
	return !is.To.IsZero() && is.To.Before(past) && (was.To.IsZero() || is.To.Before(was.To))
}
