package main

import (
	"bytes"
	"chargeback/billing/records"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"chargeback/billing/report"
	"chargeback/cmd/chargeback/app"
	"chargeback/transform/civil"
)

const reportHelp = `Reports are views of the same cost records, so their totals are equal to
the last digit. A table shows cents and leaves out columns that don't fit
the terminal (or COLUMNS); --format json and csv show all 12 decimals and
all columns.`

// reportFlags are the flags of all reports; each report uses what it needs.
type reportFlags struct {
	month             civil.Month
	until             civil.Date
	format            string
	agent, department string
	days, limit       int
	by                groupList
}

const (
	daysDefault  = 7
	usersDefault = 20
)

// reportKind is one report of the command line.
type reportKind struct {
	name, short, example string
	flags                func(*cobra.Command, *reportFlags)
	check                func(*cobra.Command, *reportFlags) error
	read                 func(context.Context, *books, *reportFlags) (report.Report, error)
}

func reportKinds() []reportKind {
	return []reportKind{
		{
			name: "departments", short: "Requests, tokens and cost by department and cost centre, dearest first",
			read: func(ctx context.Context, a *books, o *reportFlags) (report.Report, error) {
				return report.Departments(ctx, a.Ledger, o.month)
			},
		},
		{
			name: "cost-centers", short: "Cost by cost centre, and its share of the whole",
			read: func(ctx context.Context, a *books, o *reportFlags) (report.Report, error) {
				return report.CostCenters(ctx, a.Ledger, o.month)
			},
		},
		{
			name: "agents", short: "Cost by agent; with --agent one agent's last days by model",
			example: "  chargeback report agents\n  chargeback report agents --agent support-bot --days 14",
			flags: func(c *cobra.Command, o *reportFlags) {
				c.Flags().StringVar(&o.agent, "agent", "", "show the last days of the agent with this `ID`")
				wholeFlag(c, "days", &o.days, 1, "with --agent: how many days")
				dateFlag(c, "until", &o.until, "with --agent: last day (default: the newest, or the last of --month)")
			},
			check: func(c *cobra.Command, o *reportFlags) error {
				for _, name := range []string{"days", "until"} {
					if o.agent == "" && c.Flags().Changed(name) {
						return usage("--%s needs --agent; name the agent whose days you want", name)
					}
				}
				return nil
			},
			read: agents,
		},
		{
			name: "users", short: "Users by cost, with their average per request",
			example: "  chargeback report users --department Support --limit 10",
			flags: func(c *cobra.Command, o *reportFlags) {
				c.Flags().StringVar(&o.department, "department", "", "only users of the department `NAME`")
				wholeFlag(c, "limit", &o.limit, 0, "users to list; 0 lists all")
			},
			read: func(ctx context.Context, a *books, o *reportFlags) (report.Report, error) {
				return report.Users(ctx, a.Ledger, o.month, o.department, o.limit)
			},
		},
		{
			name: "matches", short: "How many of the providers' records found their request, and by which key",
			read: func(ctx context.Context, a *books, o *reportFlags) (report.Report, error) {
				return report.Matches(ctx, a.Ledger, o.month)
			},
		},
		{
			name: "savings", short: "What caches saved: cost without them - saved = cost",
			read: func(ctx context.Context, a *books, o *reportFlags) (report.Report, error) {
				return report.Savings(ctx, a.Ledger, o.month)
			},
		},
		{
			name: "shared", short: "How shared costs are divided: the weights and amounts of a close today",
			read: func(ctx context.Context, a *books, o *reportFlags) (report.Report, error) {
				return sharedCosts(ctx, a, o.month)
			},
		},
		{
			name: "totals", short: "What was metered against what providers report and bill",
			example: "  chargeback report totals --month 2026-10\n  chargeback report totals --by day,provider,account,model,class --format csv",
			flags: func(c *cobra.Command, o *reportFlags) {
				o.by = report.TotalsByDefault()
				c.Flags().Var(value[groupList]{&o.by, parseGroups, "LIST"}, "by", "what to group by: "+groupList(report.TotalsGroups()).String())
			},
			read: func(ctx context.Context, a *books, o *reportFlags) (report.Report, error) {
				return report.Totals(ctx, a.Ledger, o.month, o.by, func(provider, region, model string) (string, bool) {
					key, _, ok := a.Rates.Resolve(provider, region, model)
					return key, ok
				})
			},
		},
	}
}

func sharedCosts(ctx context.Context, a *books, month civil.Month) (report.Report, error) {
	parts, told, closed, err := a.SharedParts(ctx, month)
	if err != nil {
		return report.Report{}, err
	}
	rows := make([]report.SharedPart, 0, len(parts))
	for _, p := range parts {
		rows = append(rows, report.SharedPart{Name: p.Name, CostCenter: p.CostCenter, AdjustsMonth: p.AdjustsMonth, Split: p.Method, Share: p.Ratio, Amount: p.Amount})
	}
	return report.Shared(month, closed, rows, told), nil
}

// groupList is what control totals are grouped by.
type groupList []report.TotalsBy

// String is the list as parseGroups reads it.
func (l groupList) String() string {
	names := make([]string, len(l))
	for i, g := range l {
		names[i] = string(g)
	}
	return strings.Join(names, ",")
}

func parseGroups(text string) (by groupList, err error) {
	for name := range strings.SplitSeq(text, ",") {
		group := report.TotalsBy(strings.TrimSpace(name))
		switch {
		case !slices.Contains(report.TotalsGroups(), group):
			return nil, fmt.Errorf("%q is no group; take some of %s", name, groupList(report.TotalsGroups()))
		case slices.Contains(by, group):
			return nil, fmt.Errorf("%q stands twice; name each group once", name)
		}
		by = append(by, group)
	}
	return by, nil
}

func reportCommand(w world, f *flags) *cobra.Command {
	c := group("report", "Say who spent what", reportHelp)
	c.Example = "  chargeback report departments --month 2026-10\n  chargeback report users --department Support --format csv"
	for _, kind := range reportKinds() {
		c.AddCommand(kind.command(w, f))
	}
	return c
}

func (kind reportKind) command(w world, f *flags) *cobra.Command {
	o := &reportFlags{days: daysDefault, limit: usersDefault}
	c := &cobra.Command{Use: kind.name, Short: kind.short, Example: kind.example, Args: noArgs}
	monthFlag(c, &o.month, "month, such as 2026-10 (default: that of the newest cost record)")
	formatFlag(c, &o.format)
	if kind.flags != nil {
		kind.flags(c, o)
	}
	if kind.check != nil {
		c.PreRunE = func(c *cobra.Command, _ []string) error { return kind.check(c, o) }
	}
	c.RunE = toRead(w, f, func(ctx context.Context, a *books) error {
		asked := !o.month.IsZero()
		month, err := a.monthOr(ctx, w, o.month)
		if err != nil {
			return err
		}
		if o.month = month; o.agent != "" {
			if o.until, err = a.lastDay(ctx, o, asked); err != nil {
				return err
			}
		}
		r, err := kind.read(ctx, a, o)
		if err != nil {
			return err
		}
		if err := render(w, r, o.format); err != nil || len(r.Rows) > 0 {
			return err
		}
		return a.hint(ctx, w, o)
	})
	return c
}

// openToRead opens the ledger alone.
func openToRead(ctx context.Context, w world, path string) (*books, error) {
	return openLedger(ctx, w, path, app.ToRead)
}

func openLedger(ctx context.Context, w world, path string, want app.Access) (*books, error) {
	a, err := app.OpenLedger(ctx, path, want, w.options())
	if err != nil {
		return nil, err
	}
	return &books{App: a}, nil
}

// toRead opens the ledger for the time of one command that only tells.
func toRead(w world, f *flags, do func(context.Context, *books) error) func(*cobra.Command, []string) error {
	return reading(w, f, app.ToRead, do)
}

func reading(w world, f *flags, want app.Access, do func(context.Context, *books) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, _ []string) (err error) {
		a, err := openLedger(c.Context(), w, f.config, want)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, a.Close()) }()
		return do(c.Context(), a)
	}
}

// lastDay is the day that an agent's report ends with.
func (a *books) lastDay(ctx context.Context, o *reportFlags, monthAsked bool) (civil.Date, error) {
	if !o.until.IsZero() {
		return o.until, nil
	}
	newest, err := records.NewestRecordDay(ctx, a.Ledger)
	if last := o.month.LastDay(); monthAsked && (newest.IsZero() || last.Before(newest)) {
		return last, err
	}
	return newest, err
}

func agents(ctx context.Context, a *books, o *reportFlags) (report.Report, error) {
	if o.agent == "" {
		return report.Agents(ctx, a.Ledger, o.month)
	}
	return report.AgentDaily(ctx, a.Ledger, o.agent, o.until, o.days)
}

// hint says beside an empty report what there would be. It goes to the error
// stream, so that JSON and CSV stay what they are.
func (a *books) hint(ctx context.Context, w world, o *reportFlags) error {
	newest, err := records.NewestRecordDay(ctx, a.Ledger)
	switch {
	case err != nil:
		return err
	case newest.IsZero():
		fmt.Fprintln(w.err, "The ledger has no cost records yet; chargeback run makes them.")
	case o.department != "" || o.agent != "":
		fmt.Fprintln(w.err, "Leave the name out to see which ones have costs.")
	default:
		fmt.Fprintf(w.err, "The newest cost record is of %s.\n", newest)
	}
	return nil
}

// monthOr is the month that was asked for, else that of the newest cost
// record, else this month.
func (a *books) monthOr(ctx context.Context, w world, asked civil.Month) (civil.Month, error) {
	if !asked.IsZero() {
		return asked, nil
	}
	newest, err := records.NewestRecordDay(ctx, a.Ledger)
	if newest.IsZero() {
		return civil.DateOf(w.now(), a.Zone).Month(), err
	}
	return newest.Month(), err
}

// render prints a report in one of its forms.
func render(w world, r report.Report, format string) error {
	switch format {
	case formatJSON:
		return report.JSON(w.out, r)
	case formatCSV:
		return report.CSV(w.out, r)
	}
	var text bytes.Buffer
	if err := report.Table(&text, r, w.columns); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w.out, "%s\n", bytes.TrimRight(text.Bytes(), "\n"))
	return err
}
