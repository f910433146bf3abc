package main

import (
	"context"

	"github.com/spf13/cobra"

	"chargeback/billing/report"
	"chargeback/transform/civil"
)

// reportFlags are the flags of all reports; each report uses what it needs.
type reportFlags struct {
	month, format, agent, department, until string
	days, limit                             int
}

const (
	daysDefault  = 7
	usersDefault = 20
)

func reportCommand(w world, f *flags) *cobra.Command {
	c := &cobra.Command{
		Use: "report", Short: "Say who spent what", Args: cobra.NoArgs,
		Long: `Reports are views of the same cost records, so their totals are equal to the last
digit. A table shows cents; --format json and csv show all 12 decimals.`,
		Example: "  chargeback report departments --month 2026-10\n  chargeback report agents --agent support-bot --days 14\n  chargeback report users --department Support --limit 10 --format csv",
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	add := func(name, short string, read func(context.Context, *app, civil.Month, *reportFlags) (report.Report, error), more func(*cobra.Command, *reportFlags)) {
		o := &reportFlags{}
		one := &cobra.Command{Use: name, Short: short, Args: cobra.NoArgs, RunE: withBooks(w, f, func(ctx context.Context, a *app) error {
			month, err := a.monthOf(ctx, w, o.month)
			if err != nil {
				return err
			}
			r, err := read(ctx, a, month, o)
			if err != nil {
				return err
			}
			return render(w, r, o.format)
		})}
		one.Flags().StringVar(&o.month, "month", "", "month, such as 2026-10 (default: that of the newest cost record)")
		formatFlag(one, &o.format)
		if more != nil {
			more(one, o)
		}
		c.AddCommand(one)
	}
	add("departments", "Requests, tokens and cost by department and cost centre, dearest first", func(ctx context.Context, a *app, m civil.Month, _ *reportFlags) (report.Report, error) {
		return report.Departments(ctx, a.Ledger, m)
	}, nil)
	add("cost-centers", "Cost by cost centre and its share of the whole", func(ctx context.Context, a *app, m civil.Month, _ *reportFlags) (report.Report, error) {
		return report.CostCenters(ctx, a.Ledger, m)
	}, nil)
	add("agents", "Cost by agent, or one agent's days by model (--agent)", agents, func(one *cobra.Command, o *reportFlags) {
		one.Flags().StringVar(&o.agent, "agent", "", "agent whose days are shown by model")
		one.Flags().IntVar(&o.days, "days", daysDefault, "with --agent: last days")
		one.Flags().StringVar(&o.until, "until", "", "with --agent: last day, such as 2026-10-31 (default: the newest)")
	})
	add("users", "Users by cost with their average per request", func(ctx context.Context, a *app, m civil.Month, o *reportFlags) (report.Report, error) {
		return report.Users(ctx, a.Ledger, m, o.department, o.limit)
	}, func(one *cobra.Command, o *reportFlags) {
		one.Flags().StringVar(&o.department, "department", "", "only users of this department")
		one.Flags().IntVar(&o.limit, "limit", usersDefault, "users to list")
	})
	add("savings", "What caching saved: gross - savings = net", func(ctx context.Context, a *app, m civil.Month, _ *reportFlags) (report.Report, error) {
		return report.Savings(ctx, a.Ledger, m)
	}, nil)
	return c
}

func agents(ctx context.Context, a *app, month civil.Month, o *reportFlags) (report.Report, error) {
	if o.agent == "" {
		return report.Agents(ctx, a.Ledger, month)
	}
	last, err := a.Ledger.NewestRecordDay(ctx)
	if err != nil {
		return report.Report{}, err
	}
	if o.month != "" && month.LastDay().Before(last) {
		last = month.LastDay()
	}
	if o.until != "" {
		if last, err = civil.ParseDate(o.until); err != nil {
			return report.Report{}, usage("--until: %w", err)
		}
	}
	return report.AgentDaily(ctx, a.Ledger, o.agent, last, o.days)
}

func formatFlag(c *cobra.Command, format *string) {
	c.Flags().StringVar(format, "format", "table", "table, json or csv")
}

func render(w world, r report.Report, format string) error {
	switch format {
	case "table":
		return report.Table(w.out, r, w.columns)
	case "json":
		return report.JSON(w.out, r)
	case "csv":
		return report.CSV(w.out, r)
	}
	return usage("--format %q: take table, json or csv", format)
}
