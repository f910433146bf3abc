package app

import (
	"context"

	"chargeback/billing/notify"
	"chargeback/billing/notify/consolenotify"
	"chargeback/billing/notify/slacknotify"
)

// newSender is Slack where the settings name a token, else the console. A token
// that is named and not there is a mistake where budgets raise messages; where none
// does, what still waits goes on waiting.
func (a *App) newSender() (notify.Sender, error) {
	if a.options.Sender != nil {
		return a.options.Sender, nil
	}
	cfg := a.Settings.Config
	token, ok, err := cfg.Notify.Slack.Token(a.options.Getenv, cfg.ReadFile)
	if err != nil && len(cfg.Budgets) == 0 {
		return noSender{err}, nil
	}
	if err != nil {
		return nil, &Mistake{err}
	}
	if !ok {
		return consolenotify.New(a.options.Err, a.options.Columns), nil
	}
	return slacknotify.New(slacknotify.Options{Token: token.Reveal(), APIURL: cfg.Notify.Slack.APIURL})
}

// noSender delivers nothing, and says why.
type noSender struct{ why error }

// Send implements notify.Sender.
func (s noSender) Send(context.Context, notify.Message) (string, error) {
	return "", &notify.SendError{Outcome: notify.NotSent, Reason: s.why.Error()}
}
