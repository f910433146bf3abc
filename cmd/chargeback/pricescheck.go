package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chargeback/transform/rates"
)

const pricesCheckHelp = `Reads a rate book (without a name: that of the settings) and names every
mistake in it. Then it names what is allowed and looks wrong: entries
without a source, free models, an output that costs less than the input
(also in a tier), cached input that costs more than fresh, an hour in the
cache that costs less than 5 minutes, models whose newest price is old, and
entries that never hold because others that stand before them were learned
later. And what needs a second look by now: prices that were announced for a
day that has come and that nobody has confirmed, prices that end soon, and a
book whose newest price list is old.`

const (
	staleDays   = 180 // how old the newest price of a model may be before it is named
	listOldDays = 60  // how old the newest list that a book was copied from may be: lists change several times a month
	endsInDays  = 60  // how long before its end a price is named
)

func pricesCheckCommand(w world, f *flags) *cobra.Command {
	verbose := false
	c := &cobra.Command{
		Use: "check [FILE]", Short: "Say what is wrong with a rate book", Long: pricesCheckHelp,
		Example: "  chargeback prices check\n  chargeback prices check prices.yaml --verbose",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("%q is too much: name one file or folder, or none for the book of the settings", args[1])
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			var book *rates.Book
			var name string
			var err error
			if len(args) == 1 {
				name = args[0]
				book, err = readBook(name)
			} else {
				book, name, err = settingsBook(f)
			}
			if err != nil {
				return err
			}
			if name == "" {
				name = builtIn
			}
			w.printCheck(book, name, verbose)
			return nil
		},
	}
	c.Flags().BoolVar(&verbose, "verbose", false, "list everything")
	return c
}

func (w world) printCheck(book *rates.Book, name string, verbose bool) {
	entries := book.Entries()
	models := map[string]bool{}
	for _, e := range entries {
		models[e.Key()] = true
	}
	fmt.Fprintf(w.out, "%s: %s of %s, version %s\n", name, count(len(entries), "price", "prices"), count(len(models), "model", "models"), book.Version())
	found := 0
	for _, c := range bookChecks() {
		rows := c.find(book, w.now())
		found += len(rows)
		w.lines(c.title, rows, verbose)
	}
	if found == 0 {
		fmt.Fprintln(w.out, "Nothing looks wrong.")
	}
}

// bookCheck finds entries that are allowed and look wrong.
type bookCheck struct {
	title string
	find  func(book *rates.Book, now time.Time) [][]string
}

func bookChecks() []bookCheck {
	return []bookCheck{
		{"Without a source", eachEntry(func(e rates.Entry) string {
			if e.Source == "" {
				return "add where the price was read, and when"
			}
			return ""
		})},
		{"Free: neither input nor output costs anything", eachEntry(func(e rates.Entry) string {
			in, hasInput := e.Units[rates.Input]
			out, hasOutput := e.Units[rates.Output]
			if hasInput && hasOutput && in == 0 && out == 0 && len(e.Ranges) == 0 {
				return "charged as 0; correct it if that isn't so"
			}
			return ""
		})},
		{"Output costs less than input", eachEntry(func(e rates.Entry) string {
			if text := outputBelowInput(e.Units); text != "" {
				return text
			}
			for _, name := range slices.Sorted(maps.Keys(e.Tiers)) {
				if text := outputBelowInput(e.Tiers[name].Units); text != "" {
					return "tier " + name + ": " + text
				}
			}
			return ""
		})},
		{"An hour in the cache costs less than 5 minutes", eachEntry(func(e rates.Entry) string {
			short, hasShort := e.Units[rates.CacheWrite5m]
			long, hasLong := e.Units[rates.CacheWrite1h]
			if hasShort && hasLong && long < short {
				return "cache_write_5m " + rates.USDPerMillion(short) + ", cache_write_1h " + rates.USDPerMillion(long)
			}
			return ""
		})},
		{"Cached input costs more than fresh", eachEntry(func(e rates.Entry) string {
			in, read := e.Units[rates.Input], e.Units[rates.CacheRead]
			if read > in && len(e.Ranges) == 0 {
				return "input " + rates.USDPerMillion(in) + ", cache_read " + rates.USDPerMillion(read)
			}
			return ""
		})},
		{"Never hold: another entry was learned later", hiddenEntries},
		{"Announced, and not confirmed since: charged and flagged; add what holds now, or confirmed: INSTANT to the entry", unconfirmed},
		{fmt.Sprintf("End within %d days: look up what holds then", endsInDays), endings},
		{fmt.Sprintf("Newest price list is older than %d days", listOldDays), oldLists},
		{fmt.Sprintf("Newest price is older than %d days", staleDays), staleModels},
	}
}

func outputBelowInput(units rates.Units) string {
	if in, out := units[rates.Input], units[rates.Output]; out > 0 && out < in {
		return "input " + rates.USDPerMillion(in) + ", output " + rates.USDPerMillion(out)
	}
	return ""
}

// eachEntry lists the entries of which look says something.
func eachEntry(look func(rates.Entry) string) func(*rates.Book, time.Time) [][]string {
	return func(book *rates.Book, _ time.Time) (rows [][]string) {
		for _, e := range book.Entries() {
			if text := look(e); text != "" {
				rows = append(rows, []string{entryName(e), text})
			}
		}
		return rows
	}
}

func entryName(e rates.Entry) string {
	name := fmt.Sprintf("%s:%d\t%s", e.File, e.Line, e.Key())
	if e.Account != "" {
		name += ", account " + e.Account
	}
	return name + "\tfrom " + e.From.Format(time.DateOnly)
}

// hiddenEntries lists entries that price nothing at any time, but for those that
// an entry behind them in the file corrects.
func hiddenEntries(book *rates.Book, _ time.Time) (rows [][]string) {
	for _, e := range book.Entries() {
		cuts := []time.Time{e.From}
		for _, other := range book.Of(e.Key()) {
			cuts = append(cuts, other.From, other.To)
		}
		corrected := false
		holds := slices.ContainsFunc(cuts, func(at time.Time) bool {
			got, ok := book.EntryAt(e.Key(), e.Account, at, rates.Forever)
			corrected = corrected || ok && at.Equal(e.From) && got.File == e.File && got.Line > e.Line
			return ok && got.Account == e.Account && got.From.Equal(e.From) && got.Learned.Equal(e.Learned)
		})
		if !holds && !corrected {
			rows = append(rows, []string{entryName(e), "learned " + learnedText(e.Learned)})
		}
	}
	return rows
}

// unconfirmed lists announced prices that hold.
func unconfirmed(book *rates.Book, now time.Time) (rows [][]string) {
	for _, e := range book.Unconfirmed(now) {
		rows = append(rows, []string{entryName(e), e.Source})
	}
	return rows
}

// endings lists prices that end soon.
func endings(book *rates.Book, now time.Time) (rows [][]string) {
	for _, end := range book.Endings(now, now.AddDate(0, 0, endsInDays)) {
		name := end.Entry.Key()
		if end.Entry.Account != "" {
			name += ", account " + end.Entry.Account
		}
		rows = append(rows, []string{name, "on " + end.At.Format(time.DateOnly), "then " + thenText(end)})
	}
	return rows
}

// thenText says what holds after a price.
func thenText(end rates.Ending) string {
	if end.Next == nil {
		return "held: the book has no price"
	}
	var parts []string
	for _, m := range rates.Moves(end.Entry, *end.Next) {
		parts = append(parts, m.What+" "+movedText(m.Old, m.New, ""))
		if len(parts) == 2 {
			break
		}
	}
	text := strings.Join(parts, ", ")
	if text == "" {
		text = "the same price"
	}
	if end.Next.Forecast() {
		text += ", announced"
	}
	return text
}

// oldLists says that what the book was copied from is old.
func oldLists(book *rates.Book, now time.Time) [][]string {
	if text := oldListText(book, now); text != "" {
		return [][]string{{text}}
	}
	return nil
}

// oldListText is "" for a book whose newest list is not old, or has no date.
func oldListText(book *rates.Book, now time.Time) string {
	age, ok := book.Age(now)
	if !ok || age.Days <= listOldDays {
		return ""
	}
	what := "newest source"
	if age.Copied {
		what = "newest copy of a price list"
	}
	return fmt.Sprintf("%s is of %s, %d days ago; fetch a newer list and add it with \"chargeback prices import\", whose --help says where lists are", what, age.Newest.Format(time.DateOnly), age.Days)
}

// staleModels lists models whose newest price is known by something old.
func staleModels(book *rates.Book, now time.Time) (rows [][]string) {
	newest := map[string]time.Time{}
	for _, e := range book.Entries() {
		if at := e.KnownOn(); at.After(newest[e.Key()]) {
			newest[e.Key()] = at
		}
	}
	for _, key := range slices.Sorted(maps.Keys(newest)) {
		if now.Sub(newest[key]) > staleDays*24*time.Hour {
			rows = append(rows, []string{key, "of " + newest[key].Format(time.DateOnly)})
		}
	}
	return rows
}

func learnedText(at time.Time) string {
	if at.IsZero() {
		return "with the book"
	}
	return at.Format(time.RFC3339)
}
