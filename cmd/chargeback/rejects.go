package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"chargeback/billing/report"
	"chargeback/jobs"
	"chargeback/transform/civil"
)

const rejectsHelp = `Lists what was not charged: where it lies and why, never what it says.

  reasons     all of it, counted by reason
  objects     files that can't be read, and files that are gone
  records     records that can't be read, with their line
  conflicts   records that share an id and differ, and in what
  held        requests without a cost, and what helps

Without a name it prints all of them. --export writes a row for each thing that
was not charged to a file, with where it lies; "rejects retry" takes in again
what a correction has helped.`

const rejectsShown = 50

// rejectLists are the lists in the order in which they are printed.
var rejectLists = []string{"reasons", "objects", "records", "conflicts", "held"}

func rejectsCommand(w world, f *flags) *cobra.Command {
	var month civil.Month
	format, limit, lists, export := "", rejectsShown, rejectLists, ""
	c := &cobra.Command{
		Use: "rejects [reasons|objects|records|conflicts|held]", Short: "List what was not charged, and why", Long: rejectsHelp, ValidArgs: rejectLists,
		Example: "  chargeback rejects\n  chargeback rejects held --month 2026-10 --format csv\n  chargeback rejects --export rejects.csv\n  chargeback rejects retry",
		Args: func(c *cobra.Command, args []string) error {
			switch {
			case len(args) > 1 || len(args) == 1 && !slices.Contains(rejectLists, args[0]):
				return usage("%q is not a list of rejects; take one of %s", args[len(args)-1], strings.Join(rejectLists, ", "))
			case export != "" && len(args) > 0:
				return usage("--export writes all lists; leave out %q", args[0])
			case export != "" && format != formatTable:
				return usage("--export writes by the file's ending, .csv or .json; leave out --format")
			case len(args) == 0 && format != formatTable:
				return usage("--format %s holds one list; name it, such as \"chargeback rejects held --format %s\"", format, format)
			case len(args) == 1:
				lists = args
			}
			return nil
		},
		RunE: toRead(w, f, func(ctx context.Context, a *books) error {
			if export != "" {
				return exportRejects(ctx, w, a, month, export)
			}
			m, err := a.monthOr(ctx, w, month)
			if err != nil {
				return err
			}
			for i, list := range lists {
				if i > 0 {
					fmt.Fprintln(w.out)
				}
				r, err := readRejects(ctx, a, list, m, limit)
				if err != nil {
					return err
				}
				if err := render(w, r, format); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	monthFlag(c, &month, "month, such as 2026-10 (default: that of the newest cost record); objects are of all months")
	wholeFlag(c, "limit", &limit, 0, "records and conflicts to list; 0 lists all")
	c.Flags().StringVar(&export, "export", "", "write all of it, of all months without --month, to `FILE` (.csv or .json)")
	formatFlag(c, &format)
	c.AddCommand(retryCommand(w, f), deletedCommand(w, f))
	return c
}

// exportRejects writes a row for everything that was not charged. The file is
// whole, or as it was.
func exportRejects(ctx context.Context, w world, a *books, month civil.Month, path string) error {
	r, err := report.Everything(ctx, a.Ledger, month)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	write := report.CSV
	if strings.HasSuffix(path, ".json") {
		write = report.JSON
	}
	if err := write(&text, r); err != nil {
		return err
	}
	if err := replaceFile(path, text.Bytes()); err != nil {
		return fmt.Errorf("export rejects: %w", err)
	}
	fmt.Fprintf(w.out, "%s written to %s.\n", count(len(r.Rows), "row", "rows"), path)
	return nil
}

const retryHelp = `Reads the objects again that failed, or of which records were rejected, after
what was wrong is corrected: the objects themselves, a path in the settings,
rights, a newer version of this program. Objects of open months that were read by
other settings than those of now are read again, too, which a night does by
itself. What they bring takes the place of what was kept of them, so nothing
counts twice; then the newest night is made again. The days on which these
objects were delivered are looked through for it, so other new objects of these
days are taken in, too.

--all reads every object of a source again that open months have records of: a
newer version of this program may read more of them than the one before, and
does not do that by itself.`

func retryCommand(w world, f *flags) *cobra.Command {
	var o jobs.RetryOptions
	c := &cobra.Command{
		Use: "retry", Short: "Take in again what a correction has helped", Long: retryHelp, Args: noArgs,
		Example: "  chargeback rejects retry\n  chargeback rejects retry --source gateway\n  chargeback rejects retry --source gateway --all",
		RunE: toRun(w, f, delivering(w, func(ctx context.Context, a *books) error {
			if err := checkRetry(a, o); err != nil {
				return err
			}
			all, night, err := a.Retry(ctx, o, w.now())
			problems := 0
			for _, s := range all {
				fmt.Fprintf(w.out, "%s: %s\n", s.Source, rereadOf(s.Reread, ""))
				printProblems(w, s.Problems)
				problems += len(s.Problems)
			}
			if err != nil {
				return err
			}
			switch {
			case len(all) > 0:
			case o.Whole:
				fmt.Fprintf(w.out, "Source %s has nothing in an open month.\n", o.Source)
			default:
				fmt.Fprintln(w.out, "Nothing was rejected.")
			}
			if night.Window != "" {
				printNight(w, night)
				problems += len(night.Problems)
			}
			if problems > 0 {
				return &exitError{exitLook, fmt.Errorf("%s; see above", count(problems, "thing needs a look", "things need a look"))}
			}
			return nil
		})),
	}
	c.Flags().StringVar(&o.Source, "source", "", "only objects of the source `NAME`")
	c.Flags().BoolVar(&o.Whole, "all", false, "all of its objects of open months; needs --source")
	return c
}

const deletedHelp = `Takes the records of objects that are gone from their source out of the books.
An object that was read and is gone is reported every night, and its records
still count: it may come back. Where it was deleted on purpose, say so with this
command. Open months no longer have its records; what a closed month charged for
them becomes a correction in the open month that names its document.

Without --object it is all objects of the source that are missing. An object that
is still there is refused. deleted_after_days in the settings says the same after
some days, by itself.`

func deletedCommand(w world, f *flags) *cobra.Command {
	var d jobs.Deletion
	c := &cobra.Command{
		Use: "deleted", Short: "Say that missing objects are gone for good", Long: deletedHelp, Args: noArgs,
		Example: "  chargeback rejects deleted --source gateway --by ops@example.com --reason \"test traffic, removed\"",
		RunE: toRun(w, f, delivering(w, func(ctx context.Context, a *books) error {
			for _, need := range [][2]string{{"source", d.Source}, {"by", d.By}, {"reason", d.Reason}} {
				if strings.TrimSpace(need[1]) == "" {
					return usage("--%s is missing; it is kept with the objects", need[0])
				}
			}
			gone, night, err := a.Delete(ctx, d, w.now())
			var refused *jobs.NotDeletedError
			if errors.As(err, &refused) {
				return usage("%s", refused.What)
			}
			for _, o := range gone {
				fmt.Fprintf(w.out, "%s %s: %s no longer %s\n", d.Source, o.Key, count(int(o.Staged), "record", "records"), verb(o.Staged))
			}
			if err != nil {
				return err
			}
			if len(gone) == 0 {
				fmt.Fprintf(w.out, "Nothing is missing from source %s.\n", d.Source)
			}
			if night.Window == "" {
				return nil
			}
			printNight(w, night)
			if n := len(night.Problems); n > 0 {
				return &exitError{exitLook, fmt.Errorf("%s; see above", count(n, "thing needs a look", "things need a look"))}
			}
			return nil
		})),
	}
	c.Flags().StringVar(&d.Source, "source", "", "objects of the source `NAME`")
	c.Flags().StringArrayVar(&d.Keys, "object", nil, "only the object `KEY`; may be given again")
	c.Flags().StringVar(&d.By, "by", "", "`WHO` says so")
	c.Flags().StringVar(&d.Reason, "reason", "", "`WHY`")
	return c
}

func verb(n int64) string {
	if n == 1 {
		return "counts"
	}
	return "count"
}

// checkRetry refuses a source that is not in the settings.
func checkRetry(a *books, o jobs.RetryOptions) error {
	var names []string
	for _, s := range a.Sources {
		names = append(names, s.Name)
	}
	switch {
	case o.Source == "" && o.Whole:
		return usage("--all needs --source; name the source that is read again")
	case o.Source != "" && !slices.Contains(names, o.Source):
		return usage("--source: %q is not one of %s", o.Source, strings.Join(names, ", "))
	}
	return nil
}

func readRejects(ctx context.Context, a *books, list string, month civil.Month, limit int) (report.Report, error) {
	switch list {
	case "reasons":
		return report.Reasons(ctx, a.Ledger, month)
	case "objects":
		return report.Objects(ctx, a.Ledger)
	case "records":
		return report.Rejects(ctx, a.Ledger, month, report.Page{Limit: limit})
	case "conflicts":
		return report.Conflicts(ctx, a.Ledger, month, report.Page{Limit: limit})
	}
	return report.Held(ctx, a.Ledger, month)
}
