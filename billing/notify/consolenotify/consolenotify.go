// Package consolenotify delivers budget alerts as plain lines of text, for
// installations without a Slack token.
//
// It owns: writing one message in one piece, set for the terminal's width.
// It does not own: the words (templates) or when a message is due
// (billing/notify). It cannot look a message up, so one that was cut off is
// printed again.
package consolenotify

import (
	"context"
	"fmt"
	"io"

	"chargeback/billing/notify"
	"chargeback/templates"
)

// Sender writes messages to a terminal, a log or a file.
type Sender struct {
	out     io.Writer
	columns int
}

// New returns a Sender that sets text for columns columns; 0 means 80, and
// fewer than 40 count as 40.
func New(out io.Writer, columns int) *Sender { return &Sender{out: out, columns: columns} }

// Send writes the message and an empty line after it. The reference is
// always "console".
func (s *Sender) Send(ctx context.Context, m notify.Message) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", &notify.SendError{Outcome: notify.NotSent, Reason: "print alert: " + err.Error(), Err: err}
	}
	if _, err := io.WriteString(s.out, templates.ConsoleAlert(notify.View(m), s.columns)+"\n"); err != nil {
		return "", fmt.Errorf("print alert %s: %w; it is printed again by the next run", m.ID, err)
	}
	return "console", nil
}
