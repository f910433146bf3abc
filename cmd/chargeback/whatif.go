package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"chargeback/billing/months"
	"chargeback/billing/report"
	"chargeback/cmd/chargeback/app"
	"chargeback/jobs"
	"chargeback/transform/civil"
	"chargeback/transform/directory"
	"chargeback/transform/rates"
)

const whatIfHelp = `Prices a month's requests again, as they would cost with another rate book,
another model, more prompts read from the cache or another directory, and
prints the difference by cost centre, agent and model. It works in scratch
tables: the ledger stays as it is, also where the month is closed.

--model-map prices one model as another, with the same tokens. Models are
written as the records have them, with their provider before them where
the other model is another provider's: gpt-5=bedrock/anthropic.claude-x.

--cache-hit-rate says which part of the prompt tokens that were not written
to the cache are read from it in each request: 0.4 is 40 %. Writes stay.`

const repriceHelp = `Prices are dated, and a price may be learned after its date; so may a move of a
person, an owner, or what a log says. The next nightly run computes the records
of open months that this concerns by what is known then: of a price those of the
models that cost something else by it, of a person or an owner those of the days
on which a record belongs to another cost centre, of other settings all of them.
What a closed month has charged otherwise becomes a correction in the first open
month: the old charge is reversed and the new one charged, each naming the month,
the document and the reason.

--dry-run shows the differences of open months and lists the corrections, and
changes nothing. It reads no sources: a people file that has changed is named, and
counts once the next nightly run has read it. Where the ledger is in BigQuery it says
first what it reads and costs, and what reprice would. Without it the newest nightly
run is repeated at once.`

func whatIfCommand(w world, f *flags) *cobra.Command {
	var o struct {
		month                     civil.Month
		prices, directory, format string
		models                    []string
		reads                     int64
		by                        report.By
	}
	c := &cobra.Command{
		Use: "what-if", Short: "Price a month again by other prices, models, caching or owners", Long: whatIfHelp, Args: noArgs,
		Example: "  chargeback what-if --month 2026-09 --prices new-prices.yaml\n  chargeback what-if --model-map gpt-5=gpt-5-mini --cache-hit-rate 0.4",
	}
	monthFlag(c, &o.month, "month, such as 2026-10 (default: that of the newest cost record)")
	c.Flags().StringVar(&o.prices, "prices", "", "rate book: a `FILE` or a folder")
	c.Flags().StringVar(&o.directory, "directory", "", "directory `FILE`")
	c.Flags().StringArrayVar(&o.models, "model-map", nil, "`OLD=NEW`: price model OLD as NEW; may be given again")
	c.Flags().Var(value[int64]{&o.reads, parseRate, "RATE"}, "cache-hit-rate", "part of the prompt that is read from the cache, 0 to 1")
	formatFlag(c, &o.format)
	c.Flags().Var(value[report.By]{&o.by, parseBy, "GROUP"}, "by", "only one table: cost-center, agent or model (--format json and csv: default cost-center)")
	c.RunE = reading(w, f, app.ToTry, func(ctx context.Context, a *books) (err error) {
		what := jobs.WhatIf{Models: map[string]string{}}
		if o.prices != "" {
			if what.Rates, err = whatIfRates(o.prices); err != nil {
				return err
			}
		}
		if o.directory != "" {
			if !exists(o.directory) {
				return usage("--directory: %s doesn't exist; name a directory.yaml", o.directory)
			}
			if what.Directory, err = directory.Load(o.directory); err != nil {
				return &exitError{exitUsage, err}
			}
		}
		for _, m := range o.models {
			old, as, ok := strings.Cut(m, "=")
			if !ok || old == "" || as == "" {
				return usage("--model-map: %q is not OLD=NEW", m)
			}
			what.Models[old] = as
		}
		if c.Flags().Changed("cache-hit-rate") {
			what.CacheReads = &o.reads
		}
		if what.Rates == nil && what.Directory == nil && len(what.Models) == 0 && what.CacheReads == nil {
			return usage("say what would be otherwise: --prices, --model-map, --cache-hit-rate or --directory; see \"%s --help\"", c.CommandPath())
		}
		month, err := a.monthOr(ctx, w, o.month)
		if err != nil {
			return err
		}
		rows, err := a.WhatIf(ctx, month, what)
		if unknown := new(jobs.UnknownModelError); errors.As(err, &unknown) {
			return usage("--model-map: %w", unknown)
		}
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			fmt.Fprintf(w.out, "No cost records of %s.\n", month)
			return nil
		}
		groups := []report.By{report.ByCostCenter, report.ByAgent, report.ByModel}
		if o.by != "" {
			groups = []report.By{o.by}
		}
		return differences(w, "What it would cost", month.String(), o.format, rows, groups...)
	})
	return c
}

// whatIfRates is the rate book of --prices: a file, a folder or the built-in one.
func whatIfRates(name string) (*rates.Book, error) {
	if name == builtIn {
		return rates.Default(), nil
	}
	if !exists(name) {
		return nil, usage("--prices: %s doesn't exist; name a file or a folder of a rate book, or %s", name, builtIn)
	}
	book, err := rates.Load(name)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	return book, nil
}

func parseBy(text string) (report.By, error) {
	for _, by := range []report.By{report.ByCostCenter, report.ByAgent, report.ByModel} {
		if text == string(by) {
			return by, nil
		}
	}
	return "", fmt.Errorf("%q is not a group; take cost-center, agent or model", text)
}

// parseRate reads 0.4 as 400,000 millionths.
func parseRate(text string) (int64, error) {
	var f rates.Factor
	if err := f.UnmarshalText([]byte(text)); err != nil || f > rates.Once {
		return 0, fmt.Errorf("%q is not a rate from 0 to 1 with at most 6 decimals", text)
	}
	return int64(f), nil
}

// differences prints one table for each group; JSON and CSV are one group, so
// that each is one document: the first.
func differences(w world, title, month, format string, rows []report.Rerated, groups ...report.By) error {
	if format != formatTable {
		groups = groups[:1]
	}
	for i, by := range groups {
		if i > 0 && format == formatTable {
			fmt.Fprintln(w.out)
		}
		if err := render(w, report.Differences(title+" by "+strings.ReplaceAll(string(by), "cost-center", "cost centre"), month, by, rows), format); err != nil {
			return err
		}
	}
	return nil
}

func repriceCommand(w world, f *flags) *cobra.Command {
	var dry bool
	var format string
	c := &cobra.Command{
		Use: "reprice", Short: "Price open and closed months by the rate book as it is now", Long: repriceHelp, Args: noArgs,
		Example: "  chargeback reprice --dry-run\n  chargeback reprice",
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "show the difference, change nothing")
	formatFlag(c, &format)
	c.RunE = func(c *cobra.Command, args []string) error {
		if dry {
			return reading(w, f, app.ToTry, func(ctx context.Context, a *books) error { return showReprice(ctx, w, a, format) })(c, args)
		}
		return toRun(w, f, delivering(w, func(ctx context.Context, a *books) error {
			latest, err := a.LatestNight(ctx)
			if err != nil {
				return err
			}
			if latest.IsZero() {
				fmt.Fprintln(w.out, "No night was run yet: there is nothing to price again.")
				return nil
			}
			return night(ctx, w, a, latest)
		}))(c, args)
	}
	return c
}

func showReprice(ctx context.Context, w world, a *books, format string) error {
	sources, unreachable := a.OpenSources(ctx)
	if a.Sources = sources; unreachable != nil {
		fmt.Fprintf(w.err, "Whether people files have changed was not looked at: %v\n", unreachable)
	}
	if err := a.tellReprice(ctx, w); err != nil {
		return err
	}
	p, err := a.Reprice(ctx)
	if err != nil {
		return err
	}
	if len(p.Unread) > 0 {
		fmt.Fprintf(w.err, "Not in it: what %s; the next nightly run reads it.\n", strings.Join(p.Unread, ", ")+map[bool]string{true: " says now", false: " say now"}[len(p.Unread) == 1])
	}
	if format != formatTable {
		return differences(w, "Priced again", "", format, append(p.Rated, corrected(a, p.Corrections)...), report.ByCostCenter)
	}
	if len(p.Rated)+len(p.Corrections)+len(p.Standing) == 0 {
		fmt.Fprintln(w.out, "Nothing would change: open months have no records yet, and no closed month needs a correction.")
		return nil
	}
	if len(p.Rated) == 0 {
		fmt.Fprintln(w.out, "Open months: no records yet.")
	} else if err := differences(w, "Open months, priced again", "", format, p.Rated, report.ByMonth, report.ByCostCenter); err != nil {
		return err
	}
	fmt.Fprintln(w.out)
	if len(p.Corrections) == 0 {
		fmt.Fprintln(w.out, "Closed months: no further correction is needed.")
	} else if err := render(w, report.Corrections("Closed months: corrections that the next nightly run would make in "+p.Open.String(), "", p.Corrections), format); err != nil {
		return err
	}
	if len(p.Standing) == 0 {
		return nil
	}
	fmt.Fprintln(w.out)
	return render(w, report.Corrections("Closed months: corrections in "+p.Open.String()+" so far, which stay", "", p.Standing), format)
}

// corrected are corrections as differences by cost centre.
func corrected(a *books, all []months.Correction) (rows []report.Rerated) {
	for _, c := range all {
		center, _ := a.Directory.CostCenter(c.CostCenter)
		rows = append(rows, report.Rerated{Month: c.Month, CostCenter: c.CostCenter, Department: center.Department, Records: c.Records, Before: c.Reversed.Neg(), After: c.Charged})
	}
	return rows
}
