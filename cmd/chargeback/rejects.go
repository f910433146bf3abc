package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"chargeback/billing/report"
)

const rejectsShown = 50

func rejectsCommand(w world, f *flags) *cobra.Command {
	format, month, limit := "table", "", rejectsShown
	c := &cobra.Command{
		Use: "rejects", Short: "List what was not charged, and why", Args: cobra.NoArgs,
		Long: "Lists records that could not be read, records that share an id and differ, and\nrecords that are held for want of a price or of usage: where they lie and why,\nnever what they say.",
		RunE: withBooks(w, f, func(ctx context.Context, a *app) error {
			m, err := a.monthOf(ctx, w, month)
			if err != nil {
				return err
			}
			for i, read := range []func() (report.Report, error){
				func() (report.Report, error) { return report.Rejects(ctx, a.Ledger, m, report.Page{Limit: limit}) },
				func() (report.Report, error) { return report.Conflicts(ctx, a.Ledger, m, report.Page{Limit: limit}) },
				func() (report.Report, error) { return report.Held(ctx, a.Ledger, m) },
			} {
				r, err := read()
				if err != nil {
					return err
				}
				if i > 0 && format == "table" {
					fmt.Fprintln(w.out)
				}
				if err := render(w, r, format); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	c.Flags().StringVar(&month, "month", "", "month of held records, such as 2026-10")
	c.Flags().IntVar(&limit, "limit", limit, "rejects to list")
	formatFlag(c, &format)
	return c
}
