// Package slacknotify posts budget alerts to Slack.
//
// It owns: the Block Kit layout of an alert, the metadata by which a posted
// alert is found again, which of Slack's errors are final, and keeping the
// token and every address out of what it returns.
// It does not own: the words and their escaping (templates), when to send and
// what to do after a crash (billing/notify), or where the token comes from
// (config).
package slacknotify

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"chargeback/billing/notify"
	"chargeback/templates"
)

// The metadata of every posted alert; Find looks for it.
const (
	eventType    = "chargeback_budget_alert"
	alertIDField = "alert_id"
)

// requestTimeout bounds one request to Slack.
const requestTimeout = 20 * time.Second

// Options says how to reach Slack.
type Options struct {
	// Token is a bot token. It needs the scope chat:write to post. To look up
	// an alert that was cut off it needs channels:history and, where channels
	// are named and not given by id, channels:read; for private channels
	// groups:history and groups:read. Without them that alert is posted again, once.
	Token string
	// APIURL is Slack's own where empty. It is meant for tests and proxies.
	APIURL string
	// HTTPClient is one with a 20 s timeout that follows no redirect where nil.
	HTTPClient *http.Client
}

// String shows the options without the token.
func (o Options) String() string { return "slack " + o.APIURL + " (token not shown)" }

// GoString is String, so that %#v shows no token either.
func (o Options) GoString() string { return o.String() }

// Sender posts alerts with one bot token. It is a notify.Finder. It asks once and
// never waits: what Slack wants to be asked later is for the courier to know. It
// is not safe for use by several goroutines.
type Sender struct {
	client *slack.Client
	// channelIDs remembers what channel names stand for.
	channelIDs map[string]string
}

// New returns a Sender. It does not contact Slack.
func New(o Options) (*Sender, error) {
	if o.Token == "" {
		return nil, errors.New("set up Slack: the token is empty; set the variable or file that notify.slack names")
	}
	client := http.Client{Timeout: requestTimeout, CheckRedirect: noRedirect}
	if o.HTTPClient != nil {
		client = *o.HTTPClient
	}
	if client.Transport == nil {
		client.Transport = http.DefaultTransport
	}
	client.Transport = busyAware{client.Transport}
	options := []slack.Option{slack.OptionHTTPClient(&client)}
	if o.APIURL != "" {
		options = append(options, slack.OptionAPIURL(strings.TrimRight(o.APIURL, "/")+"/"))
	}
	return &Sender{client: slack.New(o.Token, options...), channelIDs: map[string]string{}}, nil
}

// noRedirect keeps the token, which is part of the request, with its host.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Send posts the alert to the message's channel, a name or an id, and returns
// Slack's channel id and timestamp as "C0123456789/1792915200.000100". Every
// error is a *notify.SendError.
func (s *Sender) Send(ctx context.Context, m notify.Message) (string, error) {
	text := templates.SlackAlert(notify.View(m))
	channel, timestamp, err := s.client.PostMessageContext(ctx, m.Channel,
		slack.MsgOptionText(text.Fallback, false),
		slack.MsgOptionParse(false),
		slack.MsgOptionBlocks(blocks(text)...),
		slack.MsgOptionMetadata(slack.SlackMetadata{
			EventType:    eventType,
			EventPayload: map[string]any{alertIDField: m.ID},
		}),
		slack.MsgOptionDisableLinkUnfurl(),
		slack.MsgOptionDisableMediaUnfurl(),
	)
	switch {
	case err != nil:
		return "", explain("post alert", m.Channel, err)
	case timestamp == "":
		return "", &notify.SendError{Outcome: notify.Unknown, Reason: "post alert in Slack channel " + m.Channel + ": the answer is not Slack's", Fix: fixAPIURL}
	}
	return reference(channel, timestamp), nil
}

// blocks lays out an alert: header, sections, and a small last line. Texts
// are verbatim, so that Slack makes no link or mention out of data.
func blocks(text templates.SlackText) []slack.Block {
	laidOut := []slack.Block{
		slack.NewHeaderBlock(slack.NewTextBlockObject(slack.PlainTextType, text.Header, false, false)),
	}
	for _, section := range text.Sections {
		laidOut = append(laidOut, slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, section, false, true), nil, nil))
	}
	return append(laidOut, slack.NewContextBlock("", slack.NewTextBlockObject(slack.MarkdownType, text.Context, false, true)))
}

// reference names a posted message as Slack's other calls need it.
func reference(channel, timestamp string) string { return channel + "/" + timestamp }
