package rates

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What a Difference is.
const (
	Added   = "added"
	Removed = "removed"
	Dearer  = "dearer"
	Cheaper = "cheaper"
	Changed = "changed" // dearer in one thing, cheaper in another, or neither
	Moved   = "moved"   // another name now stands for another model
)

// Difference is what two books price differently.
type Difference struct {
	Kind     string
	Key      string // of the entry; of a name that moved provider/name
	Account  string // "" is the published price
	Moves    []Move
	Old, New string // where a name moved: the keys that it stood and stands for
}

// Move is a price that went from one value to another.
type Move struct {
	What     string // the class, with size and tier: input above 272,000, flex
	Old, New string // USD for a million tokens, or for one request or search; "" is no price
	Way      int    // 1 is dearer, -1 cheaper, 0 neither
	Percent  string // such as +12.5 %, "" where there is no old price
}

// Diff lists what a and b price differently at an instant, by list prices,
// published and of contracts: what was added, removed or moved, and each class,
// size and tier. An id that has a price of its own in one book and is another
// name in the other is compared by what it costs.
func Diff(a, b *Book, at time.Time) (all []Difference) {
	type item struct{ key, account string }
	items := map[item]bool{}
	for _, e := range slices.Concat(a.entries, b.entries) {
		items[item{e.Key(), e.Account}] = true
	}
	for i := range items {
		x, was := a.listAt(i.key, i.account, at)
		y, is := b.listAt(i.key, i.account, at)
		d := Difference{Key: i.key, Account: i.account, Moves: Moves(x, y)}
		switch {
		case was && is && len(d.Moves) > 0:
			d.Kind = kindOf(d.Moves)
		case !was && is:
			d.Kind = Added
		case was && !is:
			d.Kind = Removed
		default:
			continue
		}
		all = append(all, d)
	}
	all = append(all, movedNames(a, b)...)
	slices.SortFunc(all, func(x, y Difference) int {
		return cmp.Or(strings.Compare(x.Key, y.Key), strings.Compare(x.Account, y.Account), strings.Compare(x.Kind, y.Kind))
	})
	return all
}

// listAt is the entry that holds for a key, or for the model that it is another
// name of, at an instant.
func (b *Book) listAt(key, account string, at time.Time) (Entry, bool) {
	if !b.keys[key] {
		provider, model, _ := strings.Cut(key, "/")
		key, _, _ = b.Resolve(provider, "", model)
	}
	e, ok := b.EntryAt(key, account, at, Forever)
	if !ok || e.Account != account {
		return Entry{}, false
	}
	return e, true
}

func kindOf(moves []Move) string {
	up := slices.ContainsFunc(moves, func(m Move) bool { return m.Way >= 0 })
	down := slices.ContainsFunc(moves, func(m Move) bool { return m.Way <= 0 })
	switch {
	case up && down:
		return Changed
	case up:
		return Dearer
	}
	return Cheaper
}

// movedNames lists the aliases, profiles and patterns that both books have, or
// only a, and that stand for another model in b.
func movedNames(a, b *Book) (all []Difference) {
	move := func(name, was, is string) {
		if was != "" && was != is && !b.keys[name] {
			all = append(all, Difference{Kind: Moved, Key: name, Old: was, New: is})
		}
	}
	for _, name := range slices.Collect(maps.Keys(a.aliases)) {
		provider, model, _ := strings.Cut(name, "/")
		is, _, _ := b.Resolve(provider, "", model)
		move(name, a.aliases[name], is)
	}
	for _, p := range a.patterns {
		is := ""
		for _, q := range b.patterns {
			if q.provider == p.provider && q.text == p.text {
				is = q.key
			}
		}
		move(p.provider+"/"+p.text, p.key, is)
	}
	return all
}

// Moves lists the list prices that b has other than a. A class without a price
// of its own is compared where the other entry has one, by what it costs.
func Moves(a, b Entry) (moves []Move) {
	tiers := map[string]bool{}
	for _, e := range []Entry{a, b} {
		for tier := range e.Tiers {
			tiers[tier] = true
		}
	}
	for _, tier := range append([]string{Standard}, slices.Sorted(maps.Keys(tiers))...) {
		x, y := a.Tiers[tier].Times, b.Tiers[tier].Times
		switch {
		case x == 0 || y == 0:
			moves = append(moves, tierMoves(a, b, tier)...)
		case x != y:
			moves = append(moves, Move{"tokens, " + tier, "x " + x.String(), "x " + y.String(), cmp.Compare(y, x), percentText(int64(x), int64(y))})
		}
	}
	text := func(what, old, now string) {
		if old != now {
			moves = append(moves, Move{What: what, Old: old, New: now})
		}
	}
	text("off-peak hours", offPeakText(a.OffPeak), offPeakText(b.OffPeak))
	text("regions", upliftText(a.Uplifts), upliftText(b.Uplifts))
	return moves
}

// tierMoves compares the prices of one tier at every size of prompt at which one
// of the two changes.
func tierMoves(a, b Entry, tier string) (moves []Move) {
	sizes := mergedSizes(a.sizes(tier), b.sizes(tier))
	for _, class := range Classes() {
		var before Move
		for _, size := range sizes {
			x, y := a.find(class, tier, size, nil), b.find(class, tier, size, nil)
			own := x.ok && x.class == class || y.ok && y.class == class
			standard := tier != Standard && (x.plain || !x.ok) && (y.plain || !y.ok)
			if !own || standard || !class.tokens() && tier != Standard {
				continue
			}
			m := moveOf(class, x, y)
			if same := m == before; !same && m.Old != m.New {
				at := m
				at.What = whatText(class, size, tier)
				moves = append(moves, at)
			}
			before = m
		}
	}
	return moves
}

func moveOf(class Class, x, y found) (m Move) {
	old, now := scaled(x.pico, x.times), scaled(y.pico, y.times)
	if x.ok {
		m.Old = unitText(class, old)
	}
	if y.ok {
		m.New = unitText(class, now)
	}
	if x.ok && y.ok {
		m.Way, m.Percent = cmp.Compare(now, old), percentText(old, now)
	}
	return m
}

// mergedSizes cuts prompt sizes where one of two lists does.
func mergedSizes(a, b []Size) (all []Size) {
	var from []int64
	for _, s := range slices.Concat(a, b) {
		from = append(from, s.MoreThan)
	}
	slices.Sort(from)
	from = slices.Compact(from)
	for i, n := range from {
		s := Size{n, sizeMax}
		if i+1 < len(from) {
			s.UpTo = from[i+1]
		}
		all = append(all, s)
	}
	return all
}

func whatText(class Class, size Size, tier string) string {
	text := class.String()
	if size.MoreThan >= 0 {
		text += " above " + thousands(size.MoreThan)
	}
	if tier != Standard {
		text += ", " + tier
	}
	return text
}

// thousands prints a whole number from 0 up with commas.
func thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// percentText is how much more now is than old, in percent with one decimal,
// rounded half away from zero.
func percentText(old, now int64) string {
	if old == 0 {
		return ""
	}
	sign, more := "+", now-old
	if more < 0 {
		sign, more = "-", -more
	}
	tenths := more/old*1000 + (more%old*2000+old)/(2*old)
	return sign + decimalOf(tenths, 1) + " %"
}

func offPeakText(list []OffPeak) string {
	parts := make([]string, len(list))
	for i, o := range list {
		parts[i] = clock(o.From) + "-" + clock(o.To%(24*60)) + daysText(o.Days) + timesOrUnits(o.Times, o.Units)
	}
	return strings.Join(parts, "; ")
}

func upliftText(list []Uplift) string {
	parts := make([]string, len(list))
	for i, u := range list {
		parts[i] = fmt.Sprintf("%s x %s", strings.Join(u.Regions, " "), u.Times)
		if u.NotCache {
			parts[i] += " without cache"
		}
	}
	return strings.Join(parts, "; ")
}
