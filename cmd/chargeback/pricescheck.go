package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"chargeback/transform/rates"
)

const pricesCheckHelp = `Reads a rate book (without a name: that of the settings) and names every
mistake in it. Then it names what is allowed and looks wrong: entries
without a source, free models, an output that costs less than the input
(also in a tier), cached input that costs more than fresh, an hour in the
cache that costs less than 5 minutes, models whose newest price is old, and
entries that never hold because others were learned later.`

// staleDays is how old the newest price of a model may be before it is named.
const staleDays = 180

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

// hiddenEntries lists entries that price nothing at any time.
func hiddenEntries(book *rates.Book, _ time.Time) (rows [][]string) {
	for _, e := range book.Entries() {
		cuts := []time.Time{e.From}
		for _, other := range book.Of(e.Key()) {
			cuts = append(cuts, other.From, other.To)
		}
		holds := slices.ContainsFunc(cuts, func(at time.Time) bool {
			got, ok := book.EntryAt(e.Key(), e.Account, at, rates.Forever)
			return ok && got.Account == e.Account && got.From.Equal(e.From) && got.Learned.Equal(e.Learned)
		})
		if !holds {
			rows = append(rows, []string{entryName(e), "learned " + learnedText(e.Learned)})
		}
	}
	return rows
}

var sourceDate = regexp.MustCompile(`\b20[0-9]{2}-[0-9]{2}-[0-9]{2}\b`)

// staleModels lists models whose newest price began, was learned and was read
// long ago.
func staleModels(book *rates.Book, now time.Time) (rows [][]string) {
	newest := map[string]time.Time{}
	for _, e := range book.Entries() {
		read, _ := time.Parse(time.DateOnly, sourceDate.FindString(e.Source)) // no date is long ago
		for _, at := range []time.Time{e.From, e.Learned, read} {
			if at.After(newest[e.Key()]) {
				newest[e.Key()] = at
			}
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
