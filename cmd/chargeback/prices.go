package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"chargeback/cmd/chargeback/app"
	"chargeback/transform/rates"
	"chargeback/transform/rates/importer"
)

const pricesHelp = `Looks after the rate book: what a token, a request and a search cost, and
from when to when. Prices are added, never edited: an old one priced
records that are already charged.`

// builtIn names the built-in book on the command line.
const builtIn = "built-in"

// linesShown is how many lines of one kind are printed without --verbose.
const linesShown = 20

func pricesCommand(w world, f *flags) *cobra.Command {
	c := group("prices", "Import, compare, check and show prices", pricesHelp)
	c.AddCommand(pricesImportCommand(w, f), pricesDiffCommand(w), pricesCheckCommand(w, f), pricesShowCommand(w, f))
	return c
}

// moment is an instant, as a flag reads it.
type moment struct{ time.Time }

// String prints nothing for no instant, so that help shows no default.
func (m moment) String() string {
	if m.IsZero() {
		return ""
	}
	return m.UTC().Format(time.RFC3339)
}

func parseMoment(text string) (moment, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return moment{t.UTC()}, nil
		}
	}
	return moment{}, fmt.Errorf("%q is not an instant; write it as 2026-10-01 or 2026-10-01T12:00:00Z", text)
}

func momentFlag(c *cobra.Command, to *moment, help string) {
	c.Flags().Var(value[moment]{to, parseMoment, "TIME"}, "at", help)
}

// or is the instant, or now where none was given.
func (m moment) or(now time.Time) time.Time {
	if m.IsZero() {
		return now.UTC().Truncate(time.Second)
	}
	return m.Time
}

// settingsBook is the book that the settings name, and where it lies; "" is
// nowhere: the built-in one. Without a file of settings it is that, too.
func settingsBook(f *flags) (book *rates.Book, path string, err error) {
	if !exists(f.config) && f.config == configFile {
		return rates.Default(), "", nil
	}
	s, err := app.ReadSettings(f.config)
	if err != nil {
		return nil, "", err
	}
	return s.Rates, s.Config.Path(s.Config.Prices), nil
}

// readBook reads what the command line names: a book's file or folder, or the
// built-in book.
func readBook(name string) (*rates.Book, error) {
	if name == builtIn {
		return rates.Default(), nil
	}
	book, err := rates.Load(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, usage("read rate book: %s doesn't exist; name a file or a folder of a book, %s, or a price list such as litellm:prices.json", name, builtIn)
	case err != nil:
		return nil, usage("%w", err)
	}
	return book, nil
}

// readTwo reads two books, or price lists as FORMAT:FILE, for an instant. A list
// is read as an import into the other book would read it.
func readTwo(names []string, at time.Time) (books [2]*rates.Book, err error) {
	var lists [2]*importer.List
	for i, name := range names {
		if format, file, is := strings.Cut(name, ":"); is && slices.Contains(importer.Formats(), format) {
			list, err := readList(format, file, importer.Options{})
			if err != nil {
				return books, err
			}
			lists[i], names[i] = &list, file
			continue
		}
		if books[i], err = readBook(name); err != nil {
			return books, err
		}
	}
	for _, i := range []int{1, 0} {
		if lists[i] == nil {
			continue
		}
		against := books[1-i]
		if against == nil { // two lists
			against, _ = rates.Parse("", nil)
		}
		if books[i], err = importer.AsBook(*lists[i], against, at, names[i]); err != nil {
			return books, err
		}
	}
	return books, nil
}

func readList(format, file string, o importer.Options) (importer.List, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return importer.List{}, usage("read price list: %w; name the file that was fetched", err)
	}
	return importer.Read(format, file, data, o)
}

// lines prints lines with aligned columns under a title. Without all it leaves
// out what goes beyond linesShown, and says so.
func (w world) lines(title string, rows [][]string, all bool) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(w.out, "%s\n", title)
	left := 0
	if !all && len(rows) > linesShown {
		rows, left = rows[:linesShown], len(rows)-linesShown
	}
	table := tabwriter.NewWriter(w.out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for len(row) > 0 && row[len(row)-1] == "" {
			row = row[:len(row)-1]
		}
		fmt.Fprintf(table, "  %s\n", strings.Join(row, "\t"))
	}
	_ = table.Flush() // w.out reports its own errors
	if left > 0 {
		fmt.Fprintf(w.out, "  and %d more; --verbose lists them\n", left)
	}
}

func movedText(old, now, percent string) string {
	text := old + " -> " + now
	switch {
	case old == "":
		text = now + ", none before"
	case now == "":
		text = "none, " + old + " before"
	}
	if percent != "" {
		text += "  " + percent
	}
	return text
}

const pricesDiffHelp = `Compares what two rate books price at an instant, published and contract
prices, and names each price that differs: model, class, size of prompt,
service tier. A and B are a book's file or folder, "built-in", or a price
list as FORMAT:FILE, which is read as "prices import" reads it: what its
format never tells is as in the other book, and models that it has at 0 for
input and output are left out. Exits with 0 whether they differ or not.`

func pricesDiffCommand(w world) *cobra.Command {
	var at moment
	verbose := false
	c := &cobra.Command{
		Use: "diff A B", Short: "Say what two rate books price differently", Long: pricesDiffHelp,
		Example: "  chargeback prices diff built-in prices.yaml\n  chargeback prices diff prices.yaml litellm:model_prices.json --at 2026-10-01",
		Args:    words(2, "the two books, such as \"built-in prices.yaml\""),
		RunE: func(_ *cobra.Command, args []string) error {
			when := at.or(w.now())
			books, err := readTwo(slices.Clone(args), when)
			if err != nil {
				return err
			}
			w.printDiff(rates.Diff(books[0], books[1], when), when, verbose)
			return nil
		},
	}
	momentFlag(c, &at, "compare prices at this instant (default: now)")
	c.Flags().BoolVar(&verbose, "verbose", false, "list everything")
	return c
}

func (w world) printDiff(all []rates.Difference, at time.Time, verbose bool) {
	rows := map[string][][]string{}
	for _, d := range all {
		name := d.Key
		if d.Account != "" {
			name += ", account " + d.Account
		}
		switch d.Kind {
		case rates.Moved:
			rows[d.Kind] = append(rows[d.Kind], []string{name, orNothing(d.Old) + " -> " + orNothing(d.New)})
		case rates.Added, rates.Removed:
			rows[d.Kind] = append(rows[d.Kind], []string{name, shortPrices(d)})
		default:
			for _, m := range d.Moves {
				rows[d.Kind] = append(rows[d.Kind], []string{name, m.What, movedText(m.Old, m.New, m.Percent)})
			}
		}
	}
	titles := []struct{ kind, title string }{
		{rates.Dearer, "Dearer"},
		{rates.Cheaper, "Cheaper"},
		{rates.Changed, "Changed"},
		{rates.Added, "Only in the second book"},
		{rates.Removed, "Only in the first book"},
		{rates.Moved, "Names that stand for another model"},
	}
	for _, t := range titles {
		w.lines(t.title, rows[t.kind], verbose)
	}
	if len(all) == 0 {
		fmt.Fprintf(w.out, "Both price the same at %s.\n", at.Format(time.RFC3339))
	}
}

func orNothing(key string) string {
	if key == "" {
		return "nothing"
	}
	return key
}

// shortPrices is input and output of a model that only one book has.
func shortPrices(d rates.Difference) string {
	var parts []string
	for _, m := range d.Moves {
		if m.What == rates.Input.String() || m.What == rates.Output.String() {
			parts = append(parts, m.What+" "+m.Old+m.New)
		}
	}
	return strings.Join(parts, ", ")
}

// words refuses any other number of words than n.
func words(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return usage("%s takes %s; see \"%s --help\"", c.CommandPath(), what, c.CommandPath())
		}
		return nil
	}
}

// formatAndFile wants one of formats and a file.
func formatAndFile(of string, formats []string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := words(2, "a format ("+strings.Join(formats, "|")+") and a file")(c, args); err != nil {
			return err
		}
		if !slices.Contains(formats, args[0]) {
			return usage("%q is not a format of %s; take one of %s", args[0], of, strings.Join(formats, ", "))
		}
		return nil
	}
}
