package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"chargeback/billing/report"
	"chargeback/transform/civil"
)

const rejectsHelp = `Lists what was not charged: where it lies and why, never what it says.

  objects     files that can't be read, and files that are gone
  records     records that can't be read, with their line
  conflicts   records that share an id and differ
  held        requests that wait for a price, or for their usage

Without a name it prints all four.`

const rejectsShown = 50

// rejectLists are the lists in the order in which they are printed.
var rejectLists = []string{"objects", "records", "conflicts", "held"}

func rejectsCommand(w world, f *flags) *cobra.Command {
	var month civil.Month
	format, limit, lists := "", rejectsShown, rejectLists
	c := &cobra.Command{
		Use: "rejects [objects|records|conflicts|held]", Short: "List what was not charged, and why", Long: rejectsHelp, ValidArgs: rejectLists,
		Example: "  chargeback rejects\n  chargeback rejects held --month 2026-10 --format csv",
		Args: func(c *cobra.Command, args []string) error {
			switch {
			case len(args) > 1 || len(args) == 1 && !slices.Contains(rejectLists, args[0]):
				return usage("%q is not a list of rejects; take one of %s", args[len(args)-1], strings.Join(rejectLists, ", "))
			case len(args) == 0 && format != formatTable:
				return usage("--format %s holds one list; name it, such as \"chargeback rejects held --format %s\"", format, format)
			case len(args) == 1:
				lists = args
			}
			return nil
		},
		RunE: toRead(w, f, func(ctx context.Context, a *app) error {
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
	formatFlag(c, &format)
	return c
}

func readRejects(ctx context.Context, a *app, list string, month civil.Month, limit int) (report.Report, error) {
	switch list {
	case "objects":
		return report.Objects(ctx, a.Ledger)
	case "records":
		return report.Rejects(ctx, a.Ledger, month, report.Page{Limit: limit})
	case "conflicts":
		return report.Conflicts(ctx, a.Ledger, month, report.Page{Limit: limit})
	}
	return report.Held(ctx, a.Ledger, month)
}
