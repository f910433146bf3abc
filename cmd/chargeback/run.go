package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"chargeback/billing/notify"
	"chargeback/billing/records"
	"chargeback/cmd/chargeback/app"
	"chargeback/jobs"
	"chargeback/templates"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

const runHelp = `Runs every window that is due and was not finished: nights first, then
months, oldest first. The ledger says what was finished, so a run that was
killed, or a machine that was off, is caught up by running again.

Running a window again is safe: the same inputs give the same ledger, the
same PDF bytes and no second message.

A source that can't be read is named, and the others are charged; the next run
that can read it catches up. A run stops where the clock can't be right, or the
ledger is new beside documents that were issued: the message says what helps.`

const nightlyHelp = `Reads each new object once, computes the cost records that it concerns, on its day
and on any other, and sends the alerts that they call for. What has not changed is
not computed again. Without --date it runs every night that is due, oldest first.
--from and --to run the nights of several days in one go, also where they were run
before: logs that came late for any of them are read.

--estimate says which days would be recomputed from how many rows that are there,
and, where the ledger is in BigQuery, what each step would read and cost at
warehouse.price_per_tib_usd, and changes nothing. What new objects hold is not in it.

A source that is new, that lies elsewhere or whose settings have changed makes a
night look through all days of the open months; what was read of them by the
settings before is read again.

With --shard i/n it is one of n workers that share nothing but the sources and
a BigQuery ledger. Each takes in the objects that are its part; the one that
finds all parts there makes the cost records. If a worker dies, run its part
again.`

const monthlyHelp = `Lists the month's days once more and takes in what has come late. Then
checks the gates of the month, closes it, and writes a PDF and a CSV for
each cost centre and the journal that books them. A closed month never
changes: run again, it writes the same bytes. Without --month it closes
every month that is due.

The gates: no record without a price, no records that contradict each
other, no more unallocated than unallocated_limit_usd, no payer that the
directory does not know on its days, no rejected record, no object that is
unreadable or gone, no source that can't be read, no provider's report or
bill that differs from what was metered or charged by more than
bill_tolerance_percent, lists what nobody was charged for, or has not come, and
some cost record at all. A gate that fails ends with exit code 4, unless the
settings waive it for the month with a name, a reason and a bound, and no more
was found than that.`

func runCommand(w world, f *flags) *cobra.Command {
	g := &overrides{}
	all := &cobra.Command{
		Use: "run", Short: "Run all windows that are due", Long: runHelp, Args: noArgs,
		Example: "  chargeback run\n  chargeback run nightly --date 2026-10-31\n  chargeback run monthly --month 2026-10",
		RunE: func(c *cobra.Command, args []string) error {
			return toRun(w, f, delivering(w, guarded(w, *g, func(ctx context.Context, a *books) error { return dueAll(ctx, w, a) })))(c, args)
		},
	}
	g.flags(all)
	all.AddCommand(nightlyCommand(w, f, g), monthlyCommand(w, f, g))
	return all
}

func nightlyCommand(w world, f *flags, g *overrides) *cobra.Command {
	var day, from, to civil.Date
	var part string
	estimate := false
	c := &cobra.Command{
		Use: "nightly", Short: "Take in a day's logs and make its cost records", Long: nightlyHelp, Args: noArgs,
		Example: "  chargeback run nightly\n  chargeback run nightly --date 2026-10-31\n  chargeback run nightly --from 2026-10-01 --to 2026-10-15\n  chargeback run nightly --shard 2/4\n  chargeback run nightly --estimate",
	}
	dateFlag(c, "date", &day, "business day, such as 2026-10-31 (default: all that are due)")
	dateFlag(c, "from", &from, "first of several business days")
	dateFlag(c, "to", &to, "last of several business days (default: the last full day)")
	c.Flags().StringVar(&part, "shard", "", "take in part i of n, such as 2/4 (BigQuery only)")
	c.Flags().BoolVar(&estimate, "estimate", false, "say what would be recomputed, read and billed, change nothing")
	c.RunE = func(c *cobra.Command, args []string) error {
		several := !from.IsZero() || !to.IsZero()
		switch {
		case several && (!day.IsZero() || part != ""):
			return usage("--from and --to cannot be combined with --date or --shard")
		case several && from.IsZero():
			return usage("--to needs --from; name the first day")
		case several && !to.IsZero() && to.Before(from):
			return usage("--to %s comes before --from %s", to, from)
		case estimate && part != "":
			return usage("--estimate cannot be combined with --shard: the worker that finishes last makes the cost records of all")
		}
		if estimate {
			return estimateNights(c.Context(), w, f.config, day, from, to)
		}
		if part != "" {
			return shardNights(c.Context(), w, f.config, part, day, *g)
		}
		g.named = several || !day.IsZero()
		return toRun(w, f, delivering(w, guarded(w, *g, func(ctx context.Context, a *books) error {
			if several {
				return spanOfNights(ctx, w, a, from, to)
			}
			if day.IsZero() {
				return dueNights(ctx, w, a)
			}
			if err := a.over(w, "--date", day.String(), day, day); err != nil {
				return err
			}
			return night(ctx, w, a, day)
		})))(c, args)
	}
	return c
}

func monthlyCommand(w world, f *flags, g *overrides) *cobra.Command {
	var month civil.Month
	c := &cobra.Command{
		Use: "monthly", Short: "Close a month and write its invoices", Long: monthlyHelp, Args: noArgs,
		Example: "  chargeback run monthly\n  chargeback run monthly --month 2026-10",
		RunE: func(c *cobra.Command, args []string) error {
			return toRun(w, f, delivering(w, guarded(w, *g, func(ctx context.Context, a *books) error {
				if month.IsZero() {
					return dueMonths(ctx, w, a)
				}
				if err := a.over(w, "--month", month.String(), month.FirstDay(), month.LastDay()); err != nil {
					return err
				}
				return closeMonth(ctx, w, a, month)
			})))(c, args)
		},
	}
	monthFlag(c, &month, "month, such as 2026-10 (default: all that are due)")
	return c
}

// over refuses what the books don't account for, and what is not over yet: it
// would be marked as done before its records are there.
func (a *books) over(w world, flag, name string, first, last civil.Date) error {
	yesterday := civil.DateOf(w.now(), a.Zone).AddDays(-1)
	switch {
	case last.Before(a.Start):
		return usage("%s %s: nothing before company.start, %s, is accounted for", flag, name, a.Start)
	case yesterday.Before(last):
		return usage("%s %s: it is not over yet; the last full day in %s is %s", flag, name, a.Zone, yesterday)
	}
	return nil
}

// toRun opens the books for the time of one command that changes them.
func toRun(w world, f *flags, do func(context.Context, *books) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, _ []string) error {
		return withBooks(c.Context(), w, f.config, app.AsOwner, do)
	}
}

// withBooks opens the books for runs, and closes them afterwards.
func withBooks(ctx context.Context, w world, path string, want app.Access, do func(context.Context, *books) error) (err error) {
	opened, err := app.Open(ctx, path, want, w.options())
	if err != nil {
		return err
	}
	a := &books{App: opened}
	defer func() { err = errors.Join(err, a.Close()) }()
	return a.During(ctx, func(ctx context.Context) error { return do(ctx, a) })
}

// delivering does a run's work between two deliveries: what earlier runs could
// not send goes first, whatever becomes of the work, and what this run raised
// goes once, after all of it.
func delivering(w world, do func(context.Context, *books) error) func(context.Context, *books) error {
	return func(ctx context.Context, a *books) error {
		w.log.counts()
		sent, err := a.Deliver(ctx)
		if err != nil {
			return err
		}
		w.log.count(func(s *sum) { s.sent += len(sent.Sent) + len(sent.Resent) })
		return errors.Join(do(ctx, a), deliver(ctx, w, a))
	}
}

// dueAll runs all that is due. Objects that need a look don't keep months from
// being tried: the gates decide.
func dueAll(ctx context.Context, w world, a *books) error {
	nights := dueNights(ctx, w, a)
	if nights != nil && !isLook(nights) {
		return nights
	}
	return errors.Join(nights, dueMonths(ctx, w, a))
}

func dueNights(ctx context.Context, w world, a *books) error {
	due, err := a.DueNights(ctx, w.now())
	if err != nil {
		return err
	}
	if err := a.checkEmpty(ctx, w.now(), due); err != nil {
		return err
	}
	if len(due) == 0 {
		w.item("No night is due.")
		if err := checkBudgets(ctx, w, a); err != nil { // a night does it itself
			return err
		}
	}
	var look error
	for _, day := range due {
		if err := night(ctx, w, a, day); isLook(err) {
			look = errors.Join(look, err)
		} else if err != nil {
			return errors.Join(look, err)
		}
	}
	return look
}

// checkBudgets holds budgets that were changed against what is spent already.
func checkBudgets(ctx context.Context, w world, a *books) error {
	raised, err := a.CheckBudgets(ctx)
	if err == nil && len(raised) > 0 {
		w.log.count(func(s *sum) { s.alerts += len(raised) })
		w.tell("budgets", []slog.Attr{slog.Any("alerts", raised)}, "budgets have changed: %s", count(len(raised), "alert", "alerts"))
	}
	return err
}

func dueMonths(ctx context.Context, w world, a *books) error {
	due, err := a.DueMonths(ctx, w.now())
	if err != nil {
		return err
	}
	if len(due) == 0 {
		w.item("No month is due.")
	}
	for _, month := range due {
		if err := closeMonth(ctx, w, a, month); err != nil {
			return err
		}
	}
	return nil
}

// deliver sends what waits in the outbox, and tells what it could not send.
func deliver(ctx context.Context, w world, a *books) error {
	sent, err := a.Deliver(ctx)
	if err != nil {
		return err
	}
	w.log.count(func(s *sum) { s.sent += len(sent.Sent) + len(sent.Resent) })
	printSent(w, sent)
	if n := len(sent.Failed) + len(sent.Waiting) + len(sent.Unsure); n > 0 {
		return &exitError{exitLook, fmt.Errorf("%s; see above", count(n, "message was not delivered", "messages were not delivered"))}
	}
	return nil
}

// isLook says whether the work was done and only something needs a look.
func isLook(err error) bool { return exitCode(context.Background(), err) == exitLook }

// spanOfNights runs the nights from one day to another, to the last full day
// where that is zero, in one go.
func spanOfNights(ctx context.Context, w world, a *books, from, to civil.Date) error {
	open := to.IsZero()
	if open {
		to = civil.DateOf(w.now(), a.Zone).AddDays(-1)
	}
	if err := errors.Join(a.over(w, "--from", from.String(), from, from), a.over(w, "--to", to.String(), to, to)); err != nil {
		return err
	}
	if open { // it ends by the clock
		left, err := nightsLeft(ctx, a, daysOf(from, to))
		if err == nil {
			err = a.checkEmpty(ctx, w.now(), left)
		}
		if err != nil {
			return err
		}
	}
	return told(w)(a.Nights(ctx, records.Days{First: from, Last: to}, w.now()))
}

// daysOf are all days from one to another.
func daysOf(from, to civil.Date) (days []civil.Date) {
	for d := from; !to.Before(d); d = d.AddDays(1) {
		days = append(days, d)
	}
	return days
}

func night(ctx context.Context, w world, a *books, day civil.Date) error {
	return told(w)(a.Nightly(ctx, day, w.now()))
}

// told prints what a night did, and says whether something needs a look.
func told(w world) func(jobs.NightlySummary, error) error {
	return func(s jobs.NightlySummary, err error) error {
		if err != nil {
			return err
		}
		printNight(w, s)
		if n := len(s.Problems); n > 0 {
			return &exitError{exitLook, fmt.Errorf("%s is done, but %s; see above", s.Window, count(n, "thing needs a look", "things need a look"))}
		}
		return nil
	}
}

func printNight(w world, s jobs.NightlySummary) {
	var read, known int
	var staged, rejected, early int64
	for _, src := range s.Sources {
		read, known = read+src.Read, known+src.Known
		staged, rejected, early = staged+src.Staged, rejected+src.Rejected, early+src.BeforeStart
	}
	line := fmt.Sprintf("%s: %s (%d known), %s", s.Window, count(read, "new object", "new objects"), known, count(int(staged), "new record", "new records"))
	if rejected > 0 {
		line += fmt.Sprintf(", %d rejected", rejected)
	}
	if early > 0 {
		line += fmt.Sprintf(", %d from before company.start", early)
	}
	if len(s.Days) > 0 {
		line += "; matched again " + strings.Join(s.Days, ", ")
	} else {
		line += "; nothing to match again"
	}
	if len(s.Alerts) > 0 {
		line += "; " + count(len(s.Alerts), "alert", "alerts")
	}
	w.log.count(func(sum *sum) {
		sum.nights++
		sum.objects, sum.records, sum.rejected, sum.alerts = sum.objects+read, sum.records+staged, sum.rejected+rejected, sum.alerts+len(s.Alerts)
	})
	w.tell("night", []slog.Attr{
		slog.String("window", s.Window), slog.Int64("attempt", s.Attempt), slog.Int("objects_read", read), slog.Int("objects_known", known),
		slog.Int64("records", staged), slog.Int64("rejected", rejected), slog.Int64("before_start", early),
		slog.Any("days_made", orNone(s.Days)), slog.Any("alerts", orNone(s.Alerts)), slog.Int("problems", len(s.Problems)),
	}, "%s", line)
	for _, src := range s.Sources {
		printChange(w, src)
	}
	printProblems(w, s.Problems)
}

// printChange tells what a night did about a source that has changed.
func printChange(w world, s jobs.SourceSummary) {
	var did []string
	if s.Since != "" {
		did = append(did, fmt.Sprintf("its days since %s were looked through", s.Since))
	}
	if s.Again != nil {
		did = append(did, rereadOf(*s.Again, "of open months "))
	}
	switch {
	case s.Why != "" && len(did) > 0:
		w.item("  source %s: %s; %s", s.Name, s.Why, strings.Join(did, "; "))
	case len(did) > 0:
		w.item("  source %s: %s", s.Name, strings.Join(did, "; "))
	}
}

// rereadOf says what reading objects again brought, and of which objects.
func rereadOf(r jobs.Reread, of string) string {
	return fmt.Sprintf("%s read again: %s (%d before), %d rejected (%d before)",
		count(r.Objects, "object "+of+"was", "objects "+of+"were"), count(int(r.Staged), "record", "records"), r.StagedBefore, r.Rejected, r.RejectedBefore)
}

// orNone is a list that JSON shows as one also where it is empty.
func orNone(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func printSent(w world, sent notify.Result) {
	printMessages(w, "was refused", sent.Failed)
	printMessages(w, "waits for the next run", sent.Waiting)
	printMessages(w, "may have arrived", sent.Unsure)
}

func printProblems(w world, problems []jobs.Problem) {
	for _, p := range problems {
		w.look("problem", []slog.Attr{slog.String("kind", p.Kind), slog.String("source", p.Source), slog.String("object", p.Object), slog.String("what", p.What)},
			"%s %s: %s", p.Source, p.Object, p.What)
	}
}

func printMessages(w world, state string, messages []notify.Problem) {
	for _, m := range messages {
		w.log.count(func(s *sum) { s.waiting++ })
		w.look("message not delivered", []slog.Attr{slog.String("message", m.ID), slog.String("channel", m.Channel), slog.String("state", state), slog.String("reason", m.Reason)},
			"message %s to %s %s: %s", m.ID, m.Channel, state, m.Reason)
	}
}

func closeMonth(ctx context.Context, w world, a *books, month civil.Month) error {
	if err := a.ReadyToClose(ctx, month); err != nil {
		return err
	}
	s, err := a.Monthly(ctx, month, w.now())
	if s.Late.Attempt > 0 {
		printNight(w, s.Late)
	}
	printProblems(w, s.Problems)
	if err != nil {
		return err
	}
	printMonth(w, s)
	if n := len(s.Problems) + len(s.Late.Problems); n > 0 {
		return &exitError{exitLook, fmt.Errorf("%s is closed, but %s; see above", s.Window, count(n, "thing needs a look", "things need a look"))}
	}
	return nil
}

func printMonth(w world, s jobs.MonthlySummary) {
	state := "closed"
	if s.Already {
		state = "was closed before and stays as it is"
	}
	w.log.count(func(s *sum) { s.months++ })
	w.tell("month", []slog.Attr{
		slog.String("window", s.Window), slog.Bool("closed_before", s.Already), slog.String("content_hash", s.Hash), slog.String("total_usd", s.Exact.String()),
		slog.Int("documents", len(s.Documents)), slog.String("journal", s.Journal), slog.String("delivered", s.Delivered),
	}, "%s: %s (content %.12s)", s.Window, state, s.Hash)
	for _, path := range s.Restored {
		w.warn("%s was missing or had other bytes; it is written again", path)
	}
	for _, waiver := range s.Waived {
		text := fmt.Sprintf("  gate %s waived by %s: %s", waiver.Gate, waiver.By, waiver.Reason)
		if waiver.Measured != "" { // kept since waivers have bounds
			text += fmt.Sprintf(" (found: %s; covers %s)", waiver.Measured, waiver.Bound)
		}
		w.item("%s", text)
	}
	codes, totals := len("journal"), 0
	for _, d := range s.Documents {
		codes, totals = max(codes, len(d.CostCenter)), max(totals, len(d.Total.String()))
	}
	for _, d := range s.Documents {
		w.table("document", []slog.Attr{
			slog.String("number", d.Number), slog.String("cost_center", d.CostCenter), slog.String("mode", d.Mode), slog.String("total_usd", d.Total.String()), slog.String("pdf", d.PDF), slog.String("csv", d.CSV),
		}, "  %-*s  %*s USD  %s", codes, d.CostCenter, totals, d.Total, d.PDF)
	}
	people := !w.log.machines() // who have these from the month's line
	if s.Journal != "" && people {
		fmt.Fprintf(w.out, "  %-*s  %*s      %s\n", codes, "journal", totals, "", s.Journal)
	}
	if s.Delivered != "" && people {
		w.item("  delivered to %s", s.Delivered)
	}
	if s.Totals != nil {
		printTotals(w, *s.Totals, len(s.Waived))
	}
	for _, what := range s.Told {
		w.warn("%s", what)
	}
	if len(s.Unused) > 0 {
		w.item("  %s without usage or other charges: %s", count(len(s.Unused), "cost centre", "cost centres"), strings.Join(s.Unused, ", "))
	}
}

// printTotals prints the control totals of a close: whoever adds up a column by
// hand comes to its last line.
func printTotals(w world, t jobs.Totals, waived int) {
	if w.log.machines() {
		logTotals(w, t, waived)
		return
	}
	exact := func(a money.USD) string { return templates.GroupThousands(a.String()) }
	rows := [][3]string{
		{"Control totals, USD", "exact", "in cents"},
		{"cost records", exact(t.Records)},
		{"+ shared costs", exact(t.Shared)},
	}
	if !t.TrueUps.IsZero() {
		rows = append(rows, [3]string{"+ shared costs of closed months, trued up", exact(t.TrueUps)})
	}
	sum := func(name, one, many string, s jobs.Sum) {
		rows = append(rows, [3]string{fmt.Sprintf("%s (%s)", name, count(s.Count, one, many)), exact(s.Exact), templates.GroupThousands(s.Cents.String())})
	}
	sum("= documents", "document", "documents", t.Documents)
	sum("    booked by the journal", "invoice", "invoices", t.Booked)
	sum("    showback", "statement", "statements", t.Showback)
	sum("    unallocated", "statement", "statements", t.Unallocated)
	rows = append(rows, [3]string{"rounding, cents - exact", exact(t.Rounding)})
	var widths [3]int
	for _, row := range rows {
		for i, cell := range row {
			whole, _, _ := strings.Cut(cell, ".")
			if i == 1 && whole != cell {
				cell = whole + ".000000000000"
			}
			widths[i] = max(widths[i], len(cell))
		}
	}
	for _, row := range rows {
		whole, decimals, point := strings.Cut(row[1], ".")
		amount := fmt.Sprintf("%*s", widths[1], row[1])
		if point { // amounts stand with their points in one column
			amount = fmt.Sprintf("%*s.%-12s", widths[1]-13, whole, decimals)
		}
		fmt.Fprintln(w.out, strings.TrimRight(fmt.Sprintf("  %-*s  %s  %*s", widths[0], row[0], amount, widths[2], row[2]), " "))
	}
	h := t.Held
	w.item("  held, charged nowhere: %d without a price, %d waiting for usage, %d doubtful, %d in conflict; gates waived: %d", h.Unpriced, h.Pending, h.Doubtful, h.Conflicts, waived)
}

// logTotals writes the control totals of a close for machines: amounts as text,
// exact and in cents.
func logTotals(w world, t jobs.Totals, waived int) {
	facts := []slog.Attr{
		slog.String("records_usd", t.Records.String()), slog.String("shared_usd", t.Shared.String()), slog.String("true_ups_usd", t.TrueUps.String()), slog.String("rounding_usd", t.Rounding.String()),
		slog.Int64("held_unpriced", t.Held.Unpriced), slog.Int64("held_pending", t.Held.Pending), slog.Int64("held_doubtful", t.Held.Doubtful), slog.Int64("held_conflicts", t.Held.Conflicts),
		slog.Int("gates_waived", waived),
	}
	for _, part := range []struct {
		name string
		jobs.Sum
	}{{"documents", t.Documents}, {"booked", t.Booked}, {"showback", t.Showback}, {"unallocated", t.Unallocated}} {
		facts = append(facts, slog.Group(part.name, "count", part.Count, "exact_usd", part.Exact.String(), "total_usd", part.Cents.String()))
	}
	w.log.log(slog.LevelInfo, "control totals", facts...)
}

// item prints one thing, broken at blanks where the terminal ends.
func (w world) item(format string, args ...any) {
	const indent = "    "
	text := strings.Map(visible, fmt.Sprintf(format, args...))
	if w.log.machines() {
		w.log.log(slog.LevelInfo, strings.TrimSpace(text))
		return
	}
	line := text[:len(text)-len(strings.TrimLeft(text, " "))]
	for i, word := range strings.Fields(text) {
		width := utf8.RuneCountInString(word)
		switch {
		case i == 0:
			line += word
		case w.wrap > 0 && utf8.RuneCountInString(line)+1+width > w.wrap && len(indent)+width <= w.wrap:
			fmt.Fprintln(w.out, line)
			line = indent + word
		default:
			line += " " + word
		}
	}
	fmt.Fprintln(w.out, line)
}

// visible replaces what would steer a terminal: names of objects are not ours.
func visible(r rune) rune {
	if unicode.IsControl(r) && !unicode.IsSpace(r) {
		return utf8.RuneError
	}
	return r
}

// count writes a number with the right form of its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
