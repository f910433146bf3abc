package rates

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// sourceDay is a day in the text of a source.
var sourceDay = regexp.MustCompile(`\b20[0-9]{2}-[0-9]{2}-[0-9]{2}\b`)

// copiedDay is the day of the price list that an entry was copied from, and
// importedDay that of its import, of which the list is where nothing else is said.
var (
	copiedDay   = regexp.MustCompile(`\bcopy of (20[0-9]{2}-[0-9]{2}-[0-9]{2})\b`)
	importedDay = regexp.MustCompile(`\bimported (20[0-9]{2}-[0-9]{2}-[0-9]{2})\b`)
)

// KnownOn is the day of what the price is known by: of the list that it was
// copied from, else the last date of its source, or the day on which it was
// confirmed; where there is none, when it was learned, or began.
func (e Entry) KnownOn() time.Time {
	known := e.CopiedOn()
	if known.IsZero() {
		known = e.readOn()
	}
	if e.Confirmed.After(known) {
		known = e.Confirmed
	}
	for _, other := range []time.Time{e.Learned, e.From} {
		if known.IsZero() {
			known = other
		}
	}
	return known.Truncate(day)
}

// readOn is the last date in the source; zero where there is none.
func (e Entry) readOn() time.Time {
	days := sourceDay.FindAllString(e.Source, -1)
	if len(days) == 0 {
		return time.Time{}
	}
	return dayIn(days[len(days)-1])
}

// CopiedOn is the day of the price list from which the price was copied, of
// several the newest; zero where its source is something else.
func (e Entry) CopiedOn() (newest time.Time) {
	days := copiedDay.FindAllStringSubmatch(e.Source, -1)
	if days == nil {
		days = importedDay.FindAllStringSubmatch(e.Source, -1)
	}
	for _, day := range days {
		if at := dayIn(day[1]); at.After(newest) {
			newest = at
		}
	}
	return newest
}

// dayIn is the day that a text names; zero where there is no such day.
func dayIn(text string) time.Time {
	day, _ := time.Parse(time.DateOnly, text) // zero where it fails
	return day
}

// Forecast says that the price was announced, and nobody has confirmed it since
// its day came: the entry says so, or its source was read before the price
// begins. What an account agreed on is no forecast by its date.
func (e Entry) Forecast() bool {
	if !e.Confirmed.IsZero() {
		return false
	}
	read := e.readOn()
	return e.Announced || e.Account == "" && !read.IsZero() && read.Before(e.From.Truncate(day))
}

const day = 24 * time.Hour

// forecastNote is what a record says of a price that is a forecast.
func (e Entry) forecastNote() string {
	text := "announced price, not confirmed since it began on " + e.From.UTC().Format(time.DateOnly)
	if read := e.readOn(); !read.IsZero() {
		text += ", read on " + read.Format(time.DateOnly)
	}
	return text
}

// both joins two notes.
func both(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}

// Age is how old the sources of a book are.
type Age struct {
	Newest time.Time // the day of the newest price list that prices were copied from, or of the newest source where there is no list
	Copied bool      // it is the day of a list
	Days   int       // from then until the day of the check
}

// Age says how old the sources of published prices are on a day. Without a
// source that has a date ok is false. Single prices that were looked up later
// don't make a list younger.
func (b *Book) Age(on time.Time) (a Age, ok bool) {
	for _, e := range b.entries {
		read := e.CopiedOn()
		copied := !read.IsZero()
		if !copied {
			read = e.readOn()
		}
		if e.Account != "" || read.IsZero() || a.Copied && !copied {
			continue
		}
		if copied && !a.Copied || read.After(a.Newest) {
			a.Newest, a.Copied = read, copied
		}
	}
	a.Days = int(on.UTC().Truncate(day).Sub(a.Newest) / day)
	return a, !a.Newest.IsZero()
}

// Unconfirmed lists the prices that hold at an instant and are forecasts, by key.
func (b *Book) Unconfirmed(at time.Time) (all []Entry) {
	for _, e := range b.holding(at) {
		if e.Forecast() {
			all = append(all, e)
		}
	}
	return all
}

// Ending is a price that holds now and ends soon.
type Ending struct {
	Entry Entry
	At    time.Time
	Next  *Entry // what holds then; nil is nothing: requests will be held
}

// Endings lists the prices that hold at an instant and end before another one,
// by key.
func (b *Book) Endings(at, before time.Time) (all []Ending) {
	for _, e := range b.holding(at) {
		var cuts []time.Time
		for _, other := range b.byKey[e.Key()] {
			for _, cut := range []time.Time{other.From, other.To} {
				if other.Account == e.Account && cut.After(at) && cut.Before(before) {
					cuts = append(cuts, cut)
				}
			}
		}
		slices.SortFunc(cuts, time.Time.Compare)
		for _, cut := range cuts {
			next, ok := b.EntryAt(e.Key(), e.Account, cut, Forever)
			if ok && next.Line == e.Line && next.File == e.File {
				continue
			}
			ending := Ending{Entry: e, At: cut}
			if ok {
				ending.Next = &next
			}
			all = append(all, ending)
			break
		}
	}
	return all
}

// holding are the entries that price something at an instant, one of each key
// and account.
func (b *Book) holding(at time.Time) (all []Entry) {
	for _, entries := range b.byKey {
		accounts := map[string]bool{}
		for _, e := range entries {
			if accounts[e.Account] {
				continue
			}
			accounts[e.Account] = true
			if now, ok := b.EntryAt(e.Key(), e.Account, at, Forever); ok && now.Account == e.Account {
				all = append(all, now)
			}
		}
	}
	slices.SortFunc(all, func(x, y Entry) int {
		return cmp.Or(strings.Compare(x.Key(), y.Key()), strings.Compare(x.Account, y.Account))
	})
	return all
}

// checkCertain refuses what contradicts itself.
func (y priceYAML) checkCertain() string {
	if !y.Confirmed.IsZero() && y.Confirmed.Before(y.From.Time) {
		return fmt.Sprintf("%s is before from: nobody can have seen the price hold by then; write when it was seen", y.Confirmed.Format(time.RFC3339))
	}
	return ""
}

// HoldsAt says whether the book has any price at an instant.
func (b *Book) HoldsAt(at time.Time) bool { return len(b.holding(at)) > 0 }
