package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"chargeback/billing/notify"
	"chargeback/billing/report"
	"chargeback/jobs"
	"chargeback/transform/civil"
)

const alertsHelp = `Lists the messages about budgets, and sends one again.`

const alertsListHelp = `Lists the messages about budgets of a month, the newest last, and what
became of each. Without --month it also lists those of other months that were
not delivered. Exits with 3 while one that is listed is not delivered.

  pending   waits; every run tries again
  sending   may have arrived; the next run finds out, or sends it once more
  resending was sent once more and nobody knows; look, and resend it if it is missing
  sent      was delivered
  folded    a later message took its place before it was sent, or nothing is
            left to tell
  failed    was refused, in a month that is closed; an earlier version gave it up`

const alertsResendHelp = `Sends a message again, to the channel that the settings name for its budget
now. One that was delivered before is sent as a copy with the figures of then,
which says so; one that waits is tried at once. Exits with 3 where it is not
delivered; the next run tries again then.`

func alertsCommand(w world, f *flags) *cobra.Command {
	c := group("alerts", "List the messages about budgets, or send one again", alertsHelp)
	c.Example = "  chargeback alerts list --month 2026-10\n  chargeback alerts resend support/2026-10/1200.00/80/actual/1"
	c.AddCommand(alertsListCommand(w, f), alertsResendCommand(w, f))
	return c
}

func alertsListCommand(w world, f *flags) *cobra.Command {
	var month civil.Month
	var format string
	c := &cobra.Command{
		Use: "list", Short: "List messages and what became of them", Long: alertsListHelp, Args: noArgs,
		Example: "  chargeback alerts list\n  chargeback alerts list --month 2026-10 --format csv",
		RunE: toRead(w, f, func(ctx context.Context, a *books) error {
			r, undelivered, err := alertsReport(ctx, w, a, month)
			if err != nil {
				return err
			}
			if err := render(w, r, format); err != nil || undelivered == 0 {
				return err
			}
			return &exitError{exitLook, fmt.Errorf("%s; what each waits for stands beside it", count(undelivered, "message is not delivered", "messages are not delivered"))}
		}),
	}
	monthFlag(c, &month, "month, such as 2026-10 (default: that of the newest cost record)")
	formatFlag(c, &format)
	return c
}

// alertsReport lists the messages of a month, and how many of them are still to
// be delivered.
func alertsReport(ctx context.Context, w world, a *books, asked civil.Month) (r report.Report, undelivered int, err error) {
	month, err := a.monthOr(ctx, w, asked)
	if err != nil {
		return r, 0, err
	}
	messages, err := a.AlertsOf(ctx, month)
	if err != nil {
		return r, 0, err
	}
	waiting, err := a.Undelivered(ctx)
	if err != nil {
		return r, 0, err
	}
	open := map[string]notify.Message{}
	var others []notify.Message
	for _, m := range waiting {
		open[m.ID] = m
		if asked.IsZero() && m.Alert.Month != month.String() {
			others = append(others, m)
		}
	}
	r = report.Report{Name: "alerts", Title: "Messages about budgets", Month: month.String(), Columns: []report.Column{
		{Name: "id", Title: "Id", Whole: true},
		{Name: "budget", Title: "Budget", Rank: 1},
		{Name: "month", Title: "Month", Rank: 6},
		{Name: "as_of", Title: "As of", Rank: 4},
		{Name: "kind", Title: "Kind", Rank: 5},
		{Name: "thresholds", Title: "Thresholds", Rank: 3},
		{Name: "channel", Title: "Channel", Rank: 2},
		{Name: "state", Title: "State"},
		{Name: "attempts", Title: "Attempts", Kind: report.Number},
		{Name: "reason", Title: "Last reason", Wrap: true},
	}}
	for _, m := range append(others, messages...) {
		if now, is := open[m.ID]; is {
			m = now
			undelivered++
		}
		var reason any
		if m.Reason != "" && m.State != notify.Sent {
			reason = m.Reason
		}
		r.Rows = append(r.Rows, []any{m.ID, m.Alert.Budget, m.Alert.Month, m.Alert.AsOf, m.Alert.Kind, percentList(m.Alert.Crossed), m.Channel, string(m.State), int64(m.Attempts), reason})
	}
	return r, undelivered, nil
}

func percentList(thresholds []int) string {
	words := make([]string, len(thresholds))
	for i, t := range thresholds {
		words[i] = fmt.Sprintf("%d%%", t)
	}
	return strings.Join(words, ", ")
}

func alertsResendCommand(w world, f *flags) *cobra.Command {
	return &cobra.Command{
		Use: "resend ID", Short: "Send a message again", Long: alertsResendHelp,
		Example: "  chargeback alerts resend support/2026-10/1200.00/80/actual/1",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("%s takes one id; \"chargeback alerts list\" shows them", c.CommandPath())
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return toRun(w, f, func(ctx context.Context, a *books) error { return resend(ctx, w, a, args[0]) })(c, args)
		},
	}
}

func resend(ctx context.Context, w world, a *books, id string) error {
	sent, err := a.Resend(ctx, id)
	switch {
	case errors.Is(err, jobs.ErrNoMessage):
		near, err := nearIDs(ctx, w, a, id)
		if err != nil {
			return err
		}
		return usage("no message has the id %q%s; \"chargeback alerts list --month M\" shows those of a month", id, near)
	case errors.Is(err, jobs.ErrFolded):
		return usage("%s: %w; send that one again", id, err)
	case err != nil:
		return err
	}
	printSent(w, sent)
	for _, found := range sent.Found {
		w.item("%s had arrived already, which was not known; to send it once more, run this again.", found)
	}
	for _, done := range append(sent.Sent, sent.Resent...) {
		w.item("%s is sent.", done)
	}
	if n := len(sent.Undelivered()); n > 0 {
		return &exitError{exitLook, errors.New("the message was not delivered; see above")}
	}
	return nil
}

// nearIDs names the ids that are most like one that there is not, of the newest
// month.
func nearIDs(ctx context.Context, w world, a *books, id string) (string, error) {
	month, err := a.monthOr(ctx, w, civil.Month{})
	if err != nil {
		return "", err
	}
	messages, err := a.AlertsOf(ctx, month)
	if err != nil || len(messages) == 0 {
		return "", err
	}
	slices.SortStableFunc(messages, func(x, y notify.Message) int {
		return cmp.Compare(commonLength(y.ID, id), commonLength(x.ID, id))
	})
	const most = 3
	var near []string
	for _, m := range messages[:min(most, len(messages))] {
		near = append(near, m.ID)
	}
	return "; those of " + month.String() + " that are most like it: " + strings.Join(near, ", "), nil
}

// commonLength is how far two texts begin alike.
func commonLength(x, y string) (n int) {
	for n < min(len(x), len(y)) && x[n] == y[n] {
		n++
	}
	return n
}
