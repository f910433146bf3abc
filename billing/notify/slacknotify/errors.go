package slacknotify

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/slack-go/slack"

	"chargeback/billing/notify"
	"chargeback/templates"
)

// reasonMax is the longest reason that is kept, in characters.
const reasonMax = 500

// What the operator can do.
const (
	fixToken   = "put a valid bot token into the variable or file that notify.slack names"
	fixScope   = "add the missing scope to the Slack app and install it again"
	fixChannel = "correct the budget's channel in the config, or invite the app to it with /invite"
	fixInvite  = "invite the app to the channel with /invite"
	fixArchive = "restore the channel or give the budget another one in the config"
	fixAdmin   = "ask the workspace's administrators to let the app post there"
	fixLayout  = "report this as a fault of chargeback, with the alert's id"
	fixAPIURL  = "check notify.slack.api_url"
	fixNetwork = "check that this machine reaches Slack; the next run tries again"
	fixBusy    = "the next run tries again"
	fixUnsure  = "the next run finds out whether it arrived"
)

// refused holds Slack's errors that last until somebody mends the cause.
var refused = map[string]string{
	"invalid_auth": fixToken, "not_authed": fixToken, "account_inactive": fixToken,
	"token_revoked": fixToken, "token_expired": fixToken, "not_allowed_token_type": fixToken,
	"missing_scope": fixScope, "no_permission": fixScope,
	"channel_not_found": fixChannel, "not_in_channel": fixInvite, "is_archived": fixArchive,
	"access_denied": fixAdmin, "ekm_access_denied": fixAdmin, "team_access_not_granted": fixAdmin,
	"restricted_action": fixAdmin, "restricted_action_read_only_channel": fixAdmin,
	"restricted_action_thread_only_channel": fixAdmin, "restricted_action_non_threadable_channel": fixAdmin,
	"invalid_blocks": fixLayout, "invalid_blocks_format": fixLayout, "msg_blocks_too_long": fixLayout,
	"msg_too_long": fixLayout, "no_text": fixLayout, "invalid_arguments": fixLayout,
	"invalid_metadata_format": fixLayout, "invalid_metadata_schema": fixLayout,
	"metadata_too_large": fixLayout, "metadata_must_be_sent_from_app": fixLayout,
}

// unsure holds Slack's errors after which the message may be there.
var unsure = map[string]bool{"internal_error": true, "fatal_error": true}

// secrets match what no error may carry: anything like a token, and whole
// addresses, which can hold one.
var secrets = regexp.MustCompile(`xox[a-z]?[.-][0-9A-Za-z.-]+|xapp-[0-9A-Za-z-]+|[a-z]+://[^\s"]+`)

// explain turns what slack-go returns into what is known of the message.
func explain(doing, channel string, err error) *notify.SendError {
	reason := doing + " in Slack channel " + channel + ": " + withoutSecrets(err)
	e := &notify.SendError{Reason: templates.Truncate(templates.CleanLine(reason), reasonMax)}
	var (
		answer slack.SlackErrorResponse
		busy   *busyError
		status slack.StatusCodeError
		late   net.Error
	)
	e.Hung = errors.As(err, &late) && late.Timeout()
	switch {
	case errors.As(err, &answer):
		e.Outcome, e.Fix = judgeAnswer(answer)
	case errors.As(err, &busy) && busy.failed != 0:
		e.Outcome, e.Fix, e.RetryAfter, e.Down = notify.Unknown, fixUnsure, busy.after, true
	case errors.As(err, &busy):
		e.Outcome, e.Fix, e.RetryAfter = notify.NotSent, fixBusy, busy.after
	case errors.As(err, &status):
		e.Outcome, e.Fix = judgeStatus(status.Code)
		e.Down = status.Code >= http.StatusInternalServerError
	case neverConnected(err):
		e.Outcome, e.Fix = notify.NotSent, fixNetwork
	case errors.Is(err, context.Canceled):
		e.Outcome, e.Fix, e.Err = notify.Unknown, fixUnsure, context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		e.Outcome, e.Fix, e.Err = notify.Unknown, fixUnsure, context.DeadlineExceeded
	default:
		e.Outcome, e.Fix = notify.Unknown, fixUnsure
	}
	return e
}

// judgeAnswer says what an error code of Slack's means for the message.
func judgeAnswer(answer slack.SlackErrorResponse) (notify.Outcome, string) {
	fix, final := refused[answer.Err]
	switch {
	case final && answer.Needed != "":
		return notify.Refused, fix + " (" + templates.CleanLine(answer.Needed) + ")"
	case final:
		return notify.Refused, fix
	case unsure[answer.Err]:
		return notify.Unknown, fixUnsure
	}
	return notify.NotSent, fixBusy
}

// judgeStatus does so for an HTTP status without an answer of Slack's.
func judgeStatus(code int) (notify.Outcome, string) {
	if code >= http.StatusInternalServerError {
		return notify.Unknown, fixUnsure
	}
	return notify.NotSent, fixAPIURL
}

// neverConnected says whether a request failed before a byte of it was sent.
func neverConnected(err error) bool {
	var (
		dial *net.OpError
		name *net.DNSError
		cert *tls.CertificateVerificationError
	)
	return errors.As(err, &dial) && dial.Op == "dial" || errors.As(err, &name) || errors.As(err, &cert)
}

// withoutSecrets is an error's text, with the details that Slack gives, but
// without the request's address and without tokens.
func withoutSecrets(err error) string {
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	text := err.Error()
	var answer slack.SlackErrorResponse
	if errors.As(err, &answer) {
		text = strings.Join(append([]string{text}, answer.ResponseMetadata.Messages...), " ")
	}
	return secrets.ReplaceAllString(text, "(removed)")
}
