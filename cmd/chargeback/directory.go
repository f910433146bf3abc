package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"chargeback/cmd/chargeback/app"
	"chargeback/config"
	"chargeback/extract/decode"
	"chargeback/extract/frame"
	"chargeback/extract/record"
	"chargeback/extract/store"
	"chargeback/jobs"
	"chargeback/templates"
	"chargeback/transform/civil"
	"chargeback/transform/directory"
)

const directoryImportHelp = `Makes dated rows of an export that shows the people of one day. In the
people file it adds who is new (from the day on), ends the row of who moved
and adds another, and ends the row of who is no longer shown. Nobody is
deleted, other rows and columns stay as they stand, and importing an export
twice changes nothing. Formats: scim, entra, okta, workday, google, as JSON
or CSV; fields by other names are those of the settings' source of that
format (fields).

A row under another name of a person (a login, an earlier address, an id) is
kept with the person. Other names that have no row are not written: they count
where exports are a source of the runs, or stand as aliases in the directory.

Departments and cost centres are those that the directory makes of the
export's, as in a run. Who has none, and values that a spreadsheet would take
for a formula (= + - @ at the beginning), are named and left as they are.

Exports can be a source of the runs too; then no import is needed.`

const directoryShowHelp = `Says what the ledger and the directory know of a person at a time: who pays,
since when, and by which line of which file; other names, and the whole
history. A name that an export shows beside the address, such as a login, an
earlier address or an id, leads to the person. Where nobody pays it says why, and what to do. It also knows agents,
keys, teams, projects and callers by the names that records have.

What it tells of people is what the latest run made of their files.`

// directoryImport are the flags of an import.
type directoryImport struct {
	date                   civil.Date
	into                   string
	dryRun, force, verbose bool
}

func directoryCommand(w world, f *flags) *cobra.Command {
	c := group("directory", "Look at people, or import an export of them", "Tells who pays for whom and why, and makes dated rows of exports of people.")
	c.AddCommand(directoryImportCommand(w, f), directoryShowCommand(w, f))
	return c
}

func directoryImportCommand(w world, f *flags) *cobra.Command {
	o := directoryImport{}
	formats := strings.Join(decode.Snapshots(), "|")
	c := &cobra.Command{
		Use: "import " + formats + " FILE", Short: "Make dated rows of an export of people", Long: directoryImportHelp,
		Example: "  chargeback directory import entra users-2026-11-20.csv --dry-run\n  chargeback directory import workday workers.json --date 2026-11-20 --into people.csv",
		Args:    formatAndFile("people exports", decode.Snapshots()),
		RunE:    func(_ *cobra.Command, args []string) error { return importPeople(w, f, o, args[0], args[1]) },
	}
	dateFlag(c, "date", &o.date, "day that the export shows (default: the date in its name, else today)")
	c.Flags().StringVar(&o.into, "into", "", "people `FILE` (default: that of the settings)")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "print what would change and write nothing")
	c.Flags().BoolVar(&o.force, "force", false, "also where rows can't be read or most people would leave")
	c.Flags().BoolVar(&o.verbose, "verbose", false, "list everything")
	return c
}

func importPeople(w world, f *flags, o directoryImport, format, file string) error {
	s, err := app.ReadSettings(f.config)
	if err != nil {
		return err
	}
	into := o.into
	if into == "" {
		if into, err = peopleFile(s.Config); err != nil {
			return err
		}
	}
	if o.date.IsZero() {
		o.date = civil.DateOf(w.now(), s.Config.Zone())
		if day, named := decode.SnapshotDay(decode.Origin{Key: filepath.Base(file)}, time.UTC); named {
			o.date = civil.DateOf(time.Unix(day*86400, 0), time.UTC)
		}
	}
	shown, names, rejects, err := readPeople(s.Config, format, file)
	if err != nil {
		return err
	}
	for _, r := range rejects {
		w.item("%s line %d: %s", file, r.Line, r.Reason)
	}
	if len(rejects) > 0 && !o.force {
		return fmt.Errorf("import people: %s of %s can't be read, and who stands there would be taken for gone; correct the export, or add --force; nothing is written", count(len(rejects), "row", "rows"), file)
	}
	return mergePeople(w, s, o, into, shown, names)
}

// peopleFile is the one people file of the settings.
func peopleFile(c *config.Config) (string, error) {
	var found []string
	for _, src := range c.Sources {
		if place, err := store.ParseURL(src.URL); err == nil && src.Format == config.FormatPeople && place.Scheme == config.SchemeFile {
			found = append(found, place.In(c.Dir).Path)
		}
	}
	if len(found) != 1 {
		return "", usage("the settings have %s of format people with a file: address; name the file with --into", count(len(found), "source", "sources"))
	}
	return found[0], nil
}

// readPeople decodes an export: who is shown, and what else they are called.
func readPeople(c *config.Config, format, file string) (shown []directory.Person, names []directory.Shown, rejects []decode.Reject, err error) {
	src := config.Source{Format: format}
	for _, other := range c.Sources {
		if other.Format == format {
			src = other
			break
		}
	}
	reads, err := app.NewFormat(src)
	if err != nil {
		return nil, nil, nil, err
	}
	in, err := os.Open(file)
	if err != nil {
		return nil, nil, nil, usage("read people: %w; name the export", err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	var unpacker frame.Unpacker
	defer unpacker.Close()
	text, err := unpacker.Plain(in)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("read people of %s: %w", file, err)
	}
	shown, names, rejects, err = decodePeople(reads, text)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("read people of %s: %w; nothing is written", file, err)
	}
	return shown, names, rejects, nil
}

func decodePeople(format decode.Format, text io.Reader) (shown []directory.Person, names []directory.Shown, rejects []decode.Reject, err error) {
	rejects, err = eachPerson(format, text, time.UTC, func(batch *record.Batch, row int) {
		p := directory.Person{Email: batch.TextAt(0, row), Department: batch.TextAt(1, row), CostCenter: batch.TextAt(2, row)}
		shown = append(shown, p)
		record.EachName(batch.TextAt(8, row), func(field, name string) {
			names = append(names, directory.Shown{Name: name, Email: p.Email, Field: field, From: civil.Min, Since: civil.Min, To: civil.Max})
		})
	})
	return shown, names, rejects, err
}

// eachPerson visits the rows that a format reads from a file of people.
func eachPerson(format decode.Format, text io.Reader, zone *time.Location, visit func(batch *record.Batch, row int)) ([]decode.Reject, error) {
	batch := record.NewBatch(format.Schema())
	take := func() {
		for row := range batch.Rows {
			visit(batch, row)
		}
		batch.Reset()
	}
	sink := decode.NewSink(decode.Env{Zone: zone, RecordBytes: 64e6}, format.Schema(), func(full *record.Batch) *record.Batch {
		if full != nil {
			take()
		}
		return batch
	})
	sink.Begin(decode.Origin{})
	err := format.Decoder(decode.Env{Zone: zone, RecordBytes: 64e6}).Decode(text, sink)
	take()
	_, rejects := sink.End()
	return rejects, err
}

// mergePeople writes what an export shows into a people file.
func mergePeople(w world, s app.Settings, o directoryImport, into string, shown []directory.Person, names []directory.Shown) error {
	before, err := os.ReadFile(into)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("import people: %w; correct its rights", err)
	}
	roster, err := directory.NewRoster(before)
	if err != nil {
		return usage("read people file %s: %w", into, err)
	}
	same := func(email string) string { return s.Directory.Names(email, o.date, o.date.AddDays(1))[0].Email }
	shown = append(shown, underOtherNames(s.Directory.NewNames(names), roster, shown, o.date)...)
	placed, unplaced, why := place(s.Directory, shown, same)
	plan := roster.Take(placed, unplaced, o.date, same)
	verb := "Would write"
	switch {
	case plan.Changes() == 0:
	case 2*len(plan.Left) > plan.InForce && !o.force && !o.dryRun:
		w.printRoster(plan, why, o)
		return fmt.Errorf("import people: %d of %d people would leave, so this may be a part of an export; nothing is written, add --force if it is right", len(plan.Left), plan.InForce)
	case !o.dryRun:
		verb = "Wrote"
		if err := replaceFile(into, roster.Bytes()); err != nil {
			return err
		}
	}
	w.printRoster(plan, why, o)
	if plan.Changes() == 0 {
		fmt.Fprintln(w.out, "Nothing to change.")
		return nil
	}
	fmt.Fprintf(w.out, "%s %s: %d joined, %d moved, %d left on %s.\n", verb, into, len(plan.Joined), len(plan.Moved), len(plan.Left), o.date)
	return nil
}

// underOtherNames are people who are shown, once more under those of their other
// names that the people file has rows of: what is shown of them holds for these
// rows, too.
func underOtherNames(names *directory.Names, roster *directory.Roster, shown []directory.Person, day civil.Date) (more []directory.Person) {
	people := map[string]directory.Person{}
	for _, p := range shown {
		names.Own(p.Email, civil.Min, civil.Max)
		people[p.Email] = p
	}
	listed := map[string]bool{}
	for _, row := range roster.People() {
		of := names.Of(row.Email, day, day.AddDays(1))[0]
		if p, known := people[of.Email]; known && of.Email != row.Email && !listed[row.Email] {
			listed[row.Email] = true
			p.Email = row.Email
			more = append(more, p)
		}
	}
	return more
}

// place finds who belongs where by the directory. Of others it says why not.
func place(dir *directory.Directory, shown []directory.Person, same func(string) string) (placed []directory.Person, unplaced []string, why [][]string) {
	first := map[string]directory.Person{}
	for _, p := range shown {
		center, ok := dir.Place(p.Department, p.CostCenter)
		other, twice := first[same(p.Email)]
		reason := ""
		switch {
		case twice && (other.Department != p.Department || other.CostCenter != p.CostCenter):
			reason = "is shown twice with different departments or cost centres"
			placed = slices.DeleteFunc(placed, func(q directory.Person) bool { return same(q.Email) == same(p.Email) })
		case twice:
			continue
		case !ok && p.CostCenter != "":
			reason = "has cost centre " + p.CostCenter + ", which the directory doesn't have, and no department"
		case !ok && p.Department == "":
			reason = "has neither a department nor a cost centre"
		case !ok:
			reason = "has no cost centre, and no default_for of the directory has department " + p.Department
		case formula(p.Email) || formula(center.Department) || formula(center.Code):
			reason = "has a value that a spreadsheet would take for a formula"
		}
		first[same(p.Email)] = p
		if reason != "" {
			unplaced, why = append(unplaced, p.Email), append(why, []string{p.Email, reason})
			continue
		}
		placed = append(placed, directory.Person{Email: p.Email, Department: center.Department, CostCenter: center.Code})
	}
	return placed, unplaced, why
}

// formula says that a text can't stand in CSV as it is. An escaped one would be
// another address or code, so it is not written at all.
func formula(s string) bool { return templates.CSVText(s) != s || strings.ContainsAny(s, "\r\n") }

// printRoster prints what an export changes.
func (w world) printRoster(p directory.RosterPlan, why [][]string, o directoryImport) {
	belongs := func(p directory.Person) string { return p.Department + ", " + p.CostCenter }
	var joined, moved, left, kept [][]string
	for _, c := range p.Joined {
		joined = append(joined, []string{c.Now.Email, belongs(c.Now), "from " + o.date.String()})
	}
	for _, c := range p.Moved {
		moved = append(moved, []string{c.Now.Email, belongs(c.Before) + " -> " + belongs(c.Now), "from " + o.date.String()})
	}
	for _, c := range p.Left {
		left = append(left, []string{c.Before.Email, belongs(c.Before), "until " + o.date.AddDays(-1).String()})
	}
	for _, k := range p.Kept {
		kept = append(kept, []string{k})
	}
	w.lines("Joined", joined, o.verbose)
	w.lines("Moved", moved, o.verbose)
	w.lines("Left", left, o.verbose)
	w.lines("Look at", kept, o.verbose)
	w.lines("Left out", why, o.verbose)
	fmt.Fprintf(w.out, "%s unchanged.\n", count(p.Same, "person", "people"))
}

func directoryShowCommand(w world, f *flags) *cobra.Command {
	var at, format string
	c := &cobra.Command{
		Use: "show USER", Short: "Say who pays for a person, and why", Long: directoryShowHelp,
		Example: "  chargeback directory show jane.smith@example.com\n  chargeback directory show jane.smith@example.com --at 2026-10-16",
		Args:    words(1, "one person, or an agent, key, team, project or caller"),
	}
	c.Flags().StringVar(&at, "at", "", "`TIME`: a day, such as 2026-10-16, or 2026-10-16T14:00, in the billing zone, or with an offset behind it (default: now)")
	c.Flags().Var(value[string]{&format, parseTextOrJSON, "FORMAT"}, "format", "text or json")
	c.RunE = func(c *cobra.Command, args []string) error {
		return toRead(w, f, func(ctx context.Context, a *books) error {
			day, err := dayAt(at, w.now(), a.Zone)
			if err != nil {
				return err
			}
			x := &explainer{books: a, w: w, json: format == formatJSON}
			return x.who(ctx, args[0], day)
		})(c, nil)
	}
	return c
}

// dayAt is the business day of a time that was typed.
func dayAt(text string, now time.Time, zone *time.Location) (civil.Date, error) {
	if text == "" {
		return civil.DateOf(now, zone), nil
	}
	if d, err := civil.ParseDate(text); err == nil {
		return d, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return civil.DateOf(t, zone), nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return civil.DateOf(t, zone), nil
		}
	}
	return civil.Date{}, usage("--at: %q is not a time; write 2026-10-16, 2026-10-16T14:00 or 2026-10-16T14:00:00Z", text)
}

// known is what is known of a name, as JSON has it.
type known struct {
	Name   string     `json:"name"`
	Day    civil.Date `json:"day"`
	Email  string     `json:"email,omitempty"`
	Which  string     `json:"which,omitempty"` // which name of the person Name is
	Pays   *knownRow  `json:"pays,omitempty"`
	Nobody string     `json:"nobody,omitempty"`

	Successor string `json:"successor,omitempty"` // of Pays' cost centre, where that has ended by the day

	Aliases []knownName `json:"aliases,omitempty"`
	Owned   []string    `json:"owned,omitempty"`
	History []knownRow  `json:"history,omitempty"`
}

type knownName struct {
	Name string `json:"name"`
	When string `json:"when,omitempty"`
}

type knownRow struct {
	CostCenter string `json:"cost_center"`
	Department string `json:"department"`
	From       string `json:"from"`
	Until      string `json:"until,omitempty"`
	Said       string `json:"said"`
}

func (x *explainer) who(ctx context.Context, name string, day civil.Date) error {
	name = directory.NormName(name)
	names, err := x.Names(ctx)
	if err != nil {
		return err
	}
	on := names.Of(name, day, day.AddDays(1))[0]
	k := known{Name: name, Day: day, Email: on.Email, Owned: x.owned(name, day)}
	if on.Email != name {
		k.Which = jobs.AnotherName(on)
	}
	rows, err := x.History(ctx, names, name)
	if err != nil {
		return err
	}
	for _, r := range rows {
		row := knownRow{r.CostCenter, r.Department, r.From.String(), "", jobs.Said(r)}
		if r.To.Before(civil.Max) {
			row.Until = r.To.AddDays(-1).String()
		}
		k.History = append(k.History, row)
		if !day.Before(r.From) && day.Before(r.To) {
			k.Pays = &row
			if next, ok := x.Directory.SuccessorAt(r.CostCenter, day); ok && next.Code != r.CostCenter {
				k.Successor = fmt.Sprintf("%s (%s)", next.Code, next.Department)
			}
		}
	}
	if k.Pays == nil {
		if k.Nobody, err = x.Nobody(ctx, names, name, day); err != nil {
			return err
		}
	}
	for _, a := range x.Directory.Aliases() {
		if a.Email == k.Email || a.Name == name {
			k.Aliases = append(k.Aliases, knownName{a.Name, aliasDays(a)})
		}
	}
	if len(on.Rivals) == 0 {
		k.Aliases = append(k.Aliases, shownNames(names.Also(k.Email))...)
	}
	if x.json {
		return x.print(k)
	}
	x.tell(k)
	return nil
}

// shownNames are the names of a person in exports, each told once for the days
// that follow each other.
func shownNames(rows []directory.Shown) (all []knownName) {
	for i, s := range rows {
		if i > 0 && rows[i-1].Name == s.Name && rows[i-1].Source == s.Source && rows[i-1].To == s.Since {
			rows[i].Since = rows[i-1].Since
			all = all[:len(all)-1]
		}
		all = append(all, knownName{s.Name, fmt.Sprintf("%s in %s, %s", s.Field, s.Source, jobs.Span(rows[i].Since, s.To))})
	}
	return all
}

func aliasDays(a directory.Alias) string {
	var parts []string
	if civil.Min.Before(a.From) {
		parts = append(parts, "from "+a.From.String())
	}
	if a.To.Before(civil.Max) {
		parts = append(parts, "until "+a.To.AddDays(-1).String())
	}
	return strings.Join(parts, " ")
}

// owned tells what the directory says of an agent, key, team, project or caller
// of that name.
func (x *explainer) owned(name string, day civil.Date) (all []string) {
	holds := func(from, to civil.Date) bool { return !day.Before(from) && day.Before(to) }
	for _, a := range x.Directory.Agents() {
		if a.ID != name || !holds(a.From, a.To) {
			continue
		}
		owner := a.OwnerCostCenter + a.OwnerEmail
		if owner == "" {
			owner = "who asks"
		}
		if a.Policy == directory.Proportional {
			owner += fmt.Sprintf(", at the month's close by all who used it in the %s before", count(a.PolicyMonths, "month", "months"))
		}
		all = append(all, fmt.Sprintf("agent %s (%s) is paid by %s (%s:%d)", a.ID, a.Kind, owner, x.Settings.Config.Directory, a.Line))
	}
	for _, kind := range []string{directory.Key, directory.Team, directory.Project, directory.Caller} {
		for _, o := range x.Directory.OwnersOf(kind, name) {
			if holds(o.From, o.To) && (o.Pattern == name || !strings.Contains(name, "@")) { // a person is no * of teams
				all = append(all, fmt.Sprintf("%s %s is owned by cost centre %s (%s:%d)", kind, o.Pattern, o.CostCenter, x.Settings.Config.Directory, o.Line))
				break
			}
		}
	}
	return all
}

func (x *explainer) tell(k known) {
	x.line("%s on %s in %s", k.Name, k.Day, x.Zone)
	if k.Email != k.Name {
		x.fact("stands for", "%s", k.Email)
		x.fact("", "it is %s", k.Which)
	}
	switch {
	case k.Pays != nil:
		x.fact("pays", "%s (%s) %s", k.Pays.CostCenter, k.Pays.Department, since(*k.Pays))
		x.fact("", "%s", k.Pays.Said)
		if k.Successor != "" {
			x.fact("", "it has ended by then; its successor %s pays", k.Successor)
		}
	case len(k.Owned) == 0 || len(k.History) > 0:
		x.fact("pays", "nobody: %s", k.Nobody)
	}
	for i, text := range k.Owned {
		x.fact([]string{"directory", ""}[min(i, 1)], "%s", text)
	}
	for i, a := range k.Aliases {
		x.fact([]string{"aliases", ""}[min(i, 1)], "%s", strings.TrimSpace(a.Name+" "+a.When))
	}
	if len(k.History) == 0 {
		return
	}
	x.line("")
	var rows [][]string
	for _, r := range k.History {
		rows = append(rows, []string{since(r), r.CostCenter + " (" + r.Department + ")", r.Said})
	}
	x.w.lines("History", rows, true)
}

func since(r knownRow) string {
	if r.Until == "" {
		return "from " + r.From
	}
	return "from " + r.From + " until " + r.Until
}
