package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chargeback/transform/civil"
	"chargeback/transform/rates"
	"chargeback/transform/rates/importer"
)

const pricesImportHelp = `Adds what a public price list says to your rate book, behind what the book
has; nothing is edited. Prices that changed become new entries from --from
on (or from the list's own date), learned now; those that you have from a
later day on, contracts, and what the list's format can't tell stay.
Importing a list twice changes nothing. Fetch the list first:

  litellm       model_prices_and_context_window.json of LiteLLM
  genai-prices  data.json (version 2) of Pydantic's genai-prices
  models.dev    https://models.dev/api.json
  openrouter    https://openrouter.ai/api/v1/models

What became dearer is printed first. Prices that the book has no class for,
or that are not understood, are named and left out. So are models at 0 for
input and output: lists write 0 for what they don't know, too. A price finer
than 12 decimals a token is rounded half up and named. Where the book has a
newer price than the list, it stays and is named: the list is of the date in
its name, or of its file's date; --dated says another.`

// importFlags are the flags of an import.
type importFlags struct {
	from            civil.Date
	dated           civil.Date
	into            string
	providers       []string
	models          []string
	free, older     bool
	dryRun, verbose bool
}

func pricesImportCommand(w world, f *flags) *cobra.Command {
	o := importFlags{}
	formats := strings.Join(importer.Formats(), "|")
	c := &cobra.Command{
		Use: "import " + formats + " FILE", Short: "Add what a public price list says", Long: pricesImportHelp,
		Example: "  chargeback prices import litellm model_prices.json --dry-run\n  chargeback prices import genai-prices data.json --from 2026-10-01 --into prices.yaml\n  chargeback prices import openrouter models.json --model \"qwen/*\"",
		Args:    formatAndFile("price lists", importer.Formats()),
		RunE:    func(_ *cobra.Command, args []string) error { return importPrices(w, f, o, args[0], args[1]) },
	}
	dateFlag(c, "from", &o.from, "undated prices hold from this day on, UTC (default: today)")
	c.Flags().StringVar(&o.into, "into", "", "add to the book in this `FILE` or folder (default: the book of the settings)")
	dateFlag(c, "dated", &o.dated, "the list was fetched on this day (default: the date in its name, or of its file)")
	c.Flags().StringSliceVar(&o.providers, "provider", nil, "only models of this `NAME`; may be given more than once")
	c.Flags().StringSliceVar(&o.models, "model", nil, "only models with this `ID`, with * for any characters; may be given more than once")
	c.Flags().BoolVar(&o.free, "free", false, "also take models that cost nothing")
	c.Flags().BoolVar(&o.older, "replace-newer", false, "also replace prices of the book that are newer than the list")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "print what would be added and write nothing")
	c.Flags().BoolVar(&o.verbose, "verbose", false, "list everything")
	return c
}

func importPrices(w world, f *flags, o importFlags, format, file string) error {
	into, err := importTarget(f, o.into)
	if err != nil {
		return err
	}
	list, err := readList(format, file, importer.Options{Free: o.free})
	if err != nil {
		return err
	}
	if list = list.Only(o.providers, o.models); list.Empty() {
		return usage("import prices: %s has no model that --provider and --model name; correct them, or leave them out", file)
	}
	now := w.now().UTC().Truncate(time.Second)
	today := civil.DateOf(now, time.UTC)
	if o.from.IsZero() {
		o.from = today
	}
	var files []rates.File
	if exists(into) {
		if files, err = rates.Files(into); err != nil {
			return err
		}
	}
	book, err := rates.ParseFiles(files)
	if err != nil {
		return usage("%w", err)
	}
	if newest := book.NewestLearned(); !now.After(newest) && newest.Sub(now) < time.Minute { // of two imports in one second the later one counts
		now = newest.Add(time.Second)
	}
	dated, sure, err := listDate(o.dated, file, today)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%s price list %s, imported %s", format, filepath.Base(file), today)
	if dated != today {
		what = fmt.Sprintf("%s price list %s, copy of %s, imported %s", format, filepath.Base(file), dated, today)
	}
	plan := importer.Changes(book, list, importer.Terms{From: o.from.Start(time.UTC), Learned: now, Source: what, Dated: dated.Start(time.UTC), Sure: sure, Older: o.older})
	if len(plan.Added) == 0 {
		w.printPlan(plan, list, o)
		fmt.Fprintln(w.out, "Nothing to add.")
		return nil
	}
	added := importer.Document(plan.Added, what+".")
	if _, err := rates.ParseFiles(append(files, rates.File{Name: "what would be added", Data: added})); err != nil {
		return fmt.Errorf("add prices to %s: the book would be wrong, nothing is written; correct its entries: %w", into, err)
	}
	target, verb := documentFile(into, today, format), "Would add"
	if !o.dryRun {
		verb = "Added"
		if err := appendDocument(target, added); err != nil { // before a word is printed: who reads may stop at any line
			return err
		}
	}
	w.printPlan(plan, list, o)
	fmt.Fprintf(w.out, "%s %s to %s.\n", verb, count(len(plan.Added), "entry", "entries"), target)
	return nil
}

var dateInName = regexp.MustCompile(`20[0-9]{2}-[0-9]{2}-[0-9]{2}`)

// listDate is the day on which a list was fetched: the one that was given, that in
// the name of its file, or the day on which the file was last written. That one
// is not sure: a copy of an old file is written today.
func listDate(given civil.Date, file string, today civil.Date) (day civil.Date, sure bool, err error) {
	if !given.IsZero() {
		return given, true, nil
	}
	if day, err := civil.ParseDate(dateInName.FindString(filepath.Base(file))); err == nil {
		return day, true, nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return day, false, usage("read price list: %w; name the file that was fetched", err)
	}
	if day = civil.DateOf(info.ModTime(), time.UTC); today.Before(day) {
		day = today
	}
	return day, false, nil
}

// importTarget is the book that prices are added to.
func importTarget(f *flags, into string) (string, error) {
	if into != "" {
		return into, nil
	}
	_, path, err := settingsBook(f)
	switch {
	case err != nil:
		return "", err
	case path == "":
		return "", usage("the settings have the built-in book, which can't be added to; name a file with --into, or begin your own with \"chargeback config example prices > prices.yaml\" and name it under prices")
	}
	return path, nil
}

// documentFile is the file that new prices go to: the book's own, or in a folder
// one that is named by the day and the format.
func documentFile(into string, today civil.Date, format string) string {
	if info, err := os.Stat(into); err == nil && info.IsDir() {
		return filepath.Join(into, today.String()+"-"+format+".yaml")
	}
	return into
}

// appendDocument writes a document behind what a file has. The file is whole
// with it, or untouched.
func appendDocument(path string, doc []byte) error {
	data, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("add prices: %w; correct its rights", err)
	}
	if len(data) > 0 && data[len(data)-1] != '\n' {
		data = append(data, '\n')
	}
	if err := replaceFile(path, append(data, doc...)); err != nil {
		return fmt.Errorf("add prices: %w", err)
	}
	return nil
}

// printPlan prints what a list changes, what is dearer first.
func (w world) printPlan(p importer.Plan, list importer.List, o importFlags) {
	rows := func(changes []importer.Change) (all [][]string) {
		for _, c := range changes {
			all = append(all, []string{c.Key, c.What, movedText(c.Old, c.New, c.Percent), "from " + c.From.Format(time.DateOnly)})
		}
		return all
	}
	var added [][]string
	for _, c := range p.New {
		added = append(added, []string{c.Key, c.New, "from " + c.From.Format(time.DateOnly)})
	}
	w.lines("Dearer", rows(p.Dearer), o.verbose)
	w.lines("Cheaper", rows(p.Cheaper), o.verbose)
	w.lines("Changed", rows(p.Other), o.verbose)
	w.lines("New", added, o.verbose)
	w.lines("New names", findingRows(p.Names), o.verbose)
	w.lines("Confirmed", findingRows(p.Confirmed), o.verbose)
	fmt.Fprintf(w.out, "%s unchanged; %s of the list without a price by token.\n",
		count(p.Unchanged, "model", "models"), count(len(list.Skipped), "model", "models"))
	w.lines("Kept, because the book's price is newer; --replace-newer takes the list's", findingRows(p.Newer), true)
	zero := "Left out, because lists write 0 for prices that they don't know, too; --free takes them"
	if o.free {
		zero = "Cost nothing"
	}
	w.lines(zero, findingRows(list.Free), o.verbose)
	w.lines("Rounded", findingRows(list.Rounded), o.verbose)
	if o.verbose {
		w.lines("Not priced by token", findingRows(list.Skipped), true)
		w.lines("Look at", findingRows(p.Notes), true)
		w.lines("Left out", findingRows(list.Warnings), true)
		return
	}
	w.lines("Look at", grouped(p.Notes), true)
	w.lines("Left out", grouped(list.Warnings), true)
}

func findingRows(all []importer.Finding) (rows [][]string) {
	for _, f := range all {
		rows = append(rows, []string{f.Model, strings.TrimSpace(f.Field + " " + f.What)})
	}
	return rows
}

// grouped is each distinct finding once, with how many models have it, those of
// most models first.
func grouped(all []importer.Finding) (rows [][]string) {
	models := map[string][]string{}
	var order []string
	for _, f := range all {
		text := strings.TrimSpace(f.Field + " " + f.What)
		if models[text] == nil {
			order = append(order, text)
		}
		models[text] = append(models[text], f.Model)
	}
	slices.SortStableFunc(order, func(a, b string) int { return len(models[b]) - len(models[a]) })
	for _, text := range order {
		name := models[text][0]
		if n := len(models[text]); n > 1 {
			name = fmt.Sprintf("%d models", n)
		}
		rows = append(rows, []string{name, text})
	}
	return rows
}
