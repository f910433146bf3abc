package slacknotify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chargeback/billing/budget"
	"chargeback/billing/notify"
	"chargeback/transform/money"
)

var update = flag.Bool("update", false, "write the golden files of this package anew")

func message() notify.Message {
	return notify.Message{
		ID: "support/2026-10/80/actual", Channel: "#costs", State: notify.Pending,
		Alert: budget.Alert{
			ID: "support/2026-10/80/actual", Kind: budget.Actual, Budget: "support", Month: "2026-10", AsOf: "2026-10-17",
			Scope:  budget.Scope{Kind: budget.CostCenter, Value: "00420", Name: "R&D <!channel> *free*"},
			Amount: money.MustParse("1200"), Spent: money.MustParse("984"), Forecast: money.MustParse("1794.35"), Percent: 82,
			Crossed: []int{50, 80}, Held: 17,
			Drivers: []budget.Driver{
				{Label: "support_bot <https://example.com|click>", Spent: money.MustParse("700")},
				{Label: "Triage `v2`", Spent: money.MustParse("284")},
			},
		},
	}
}

// Goal: exactly what Slack receives, for an alert with hostile names.
// Method: post it to the fake and compare the form with a golden file.
func TestSendPosts(t *testing.T) {
	f := startSlack(t)
	ref, err := f.sender(t).Send(t.Context(), message())
	if err != nil {
		t.Fatal(err)
	}
	if ref != "C0000COSTS/1792915200.000000" {
		t.Errorf("reference = %s", ref)
	}
	form := f.posted()[0]
	form.Del("token")
	got := map[string]any{}
	for field := range form {
		got[field] = form.Get(field)
		if field == "blocks" || field == "metadata" {
			got[field] = json.RawMessage(form.Get(field))
		}
	}
	checkGolden(t, "post.json", got)
}

func checkGolden(t *testing.T, name string, value any) {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// Goal: each of Slack's answers becomes the right outcome, a reason and a way
// out, without token or address.
// Method: one answer a row; nothing is retried.
func TestSendErrors(t *testing.T) {
	for _, test := range []struct {
		name    string
		answer  answer
		outcome notify.Outcome
		want    string
	}{
		{"unknown channel", slackError("channel_not_found"), notify.Refused,
			"post alert in Slack channel #costs: channel_not_found; correct the budget's channel in the config, or invite the app to it with /invite"},
		{"bad token", slackError("invalid_auth"), notify.Refused,
			"post alert in Slack channel #costs: invalid_auth; put a valid bot token into the variable or file that notify.slack names"},
		{"not a member", slackError("not_in_channel"), notify.Refused,
			"post alert in Slack channel #costs: not_in_channel; invite the app to the channel with /invite"},
		{"scope", answer{body: `{"ok":false,"error":"missing_scope","needed":"chat:write","provided":"none"}`}, notify.Refused,
			"post alert in Slack channel #costs: missing_scope; add the missing scope to the Slack app and install it again (chat:write)"},
		{"blocks", answer{body: `{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]"]}}`}, notify.Refused,
			"post alert in Slack channel #costs: invalid_blocks [ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]; report this as a fault of chargeback, with the alert's id"},
		{"an error nobody knows yet", slackError("mercury_in_retrograde"), notify.NotSent,
			"post alert in Slack channel #costs: mercury_in_retrograde; the next run tries again"},
		{"an error with a token in it", slackError("xoxb-1-2 at https://hooks.example.com/secret"), notify.NotSent,
			"post alert in Slack channel #costs: (removed) at (removed); the next run tries again"},
		{"perhaps posted", slackError("internal_error"), notify.Unknown,
			"post alert in Slack channel #costs: internal_error; the next run finds out whether it arrived"},
		{"rate limit", answer{status: 429, retryAfter: "30"}, notify.NotSent,
			"post alert in Slack channel #costs: Slack is asked too often and wants to be left alone for 30s; the next run tries again"},
		{"rate limit without a time", answer{status: 429}, notify.NotSent,
			"post alert in Slack channel #costs: Slack is asked too often and wants to be left alone for 30s; the next run tries again"},
		{"server error", answer{status: 503}, notify.Unknown,
			"post alert in Slack channel #costs: slack server error: 503 Service Unavailable; the next run finds out whether it arrived"},
		{"not Slack", answer{status: 404}, notify.NotSent,
			"post alert in Slack channel #costs: slack server error: 404 Not Found; check notify.slack.api_url"},
		{"not an answer of Slack's", answer{body: `{}`}, notify.Unknown,
			"post alert in Slack channel #costs: the answer is not Slack's; check notify.slack.api_url"},
		{"not JSON", answer{body: `<html>`}, notify.Unknown,
			"post alert in Slack channel #costs: invalid character '<' looking for beginning of value; the next run finds out whether it arrived"},
		{"connection lost", answer{hangUp: true}, notify.Unknown,
			"post alert in Slack channel #costs: EOF; the next run finds out whether it arrived"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := startSlack(t)
			f.tell("chat.postMessage", test.answer)
			_, err := f.sender(t).Send(t.Context(), message())
			checkError(t, err, test.outcome, test.want)
			if len(f.asked()) != 1 {
				t.Errorf("requests = %v", f.asked())
			}
		})
	}
}

func checkError(t *testing.T, err error, outcome notify.Outcome, want string) {
	t.Helper()
	var e *notify.SendError
	if !errors.As(err, &e) {
		t.Fatalf("error = %v, want a SendError", err)
	}
	if e.Outcome != outcome || err.Error() != want {
		t.Errorf("outcome %d: %s\nwant    %d: %s", e.Outcome, err, outcome, want)
	}
}

// Goal: how long Slack wants to be left alone is known, whatever its header looks
// like, and nobody waits here.
// Method: one 429 a row.
func TestBusy(t *testing.T) {
	for _, test := range []struct {
		name, header, date string
		want               time.Duration
	}{
		{"seconds", "7", "", 7 * time.Second},
		{"blanks around", " 7 ", "", 7 * time.Second},
		{"none", "", "", 30 * time.Second},
		{"zero", "0", "", time.Second},
		{"an hour", "3600", "", time.Hour},
		{"more than anybody waits", "4000000000", "", 24 * time.Hour},
		{"more than a number holds", "99999999999999999999999", "", 24 * time.Hour},
		{"negative", "-5", "", 30 * time.Second},
		{"a date", "Sat, 17 Oct 2026 10:02:05 GMT", "Sat, 17 Oct 2026 10:00:00 GMT", 125 * time.Second},
		{"a date that is past", "Sat, 17 Oct 2026 09:00:00 GMT", "Sat, 17 Oct 2026 10:00:00 GMT", 30 * time.Second},
		{"words", "soon", "", 30 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := startSlack(t)
			f.tell("chat.postMessage", answer{status: 429, retryAfter: test.header, date: test.date})
			_, err := f.sender(t).Send(t.Context(), message())
			var e *notify.SendError
			if !errors.As(err, &e) || e.Outcome != notify.NotSent || e.RetryAfter != test.want || e.Hung {
				t.Errorf("error = %#v, want a wait of %s", err, test.want)
			}
			if len(f.asked()) != 1 {
				t.Errorf("requests = %v", f.asked())
			}
		})
	}
}

// Goal: a Slack that does not answer in time is known to hang.
// Method: a client with next to no patience, and a server that takes more.
func TestHangs(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _ = r.ParseForm(); <-r.Context().Done() }))
	defer server.Close()
	s, err := New(Options{Token: testToken, APIURL: server.URL, HTTPClient: &http.Client{Timeout: 50 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Send(t.Context(), message())
	var e *notify.SendError
	if !errors.As(err, &e) || e.Outcome != notify.Unknown || !e.Hung {
		t.Errorf("error = %#v", err)
	}
}

func TestSendUnreachable(t *testing.T) {
	t.Run("nobody listens", func(t *testing.T) {
		s, err := New(Options{Token: testToken, APIURL: "http://user:secret@127.0.0.1:1/"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Send(t.Context(), message())
		checkError(t, err, notify.NotSent, "post alert in Slack channel #costs: dial tcp 127.0.0.1:1: connect: connection refused; check that this machine reaches Slack; the next run tries again")
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := startSlack(t).sender(t).Send(ctx, message())
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error = %v", err)
		}
		checkError(t, err, notify.Unknown, "post alert in Slack channel #costs: context canceled; the next run finds out whether it arrived")
	})
	t.Run("a redirect is not followed", func(t *testing.T) {
		f := startSlack(t)
		f.tell("chat.postMessage", answer{status: http.StatusTemporaryRedirect, location: "/chat.postMessage"})
		_, err := f.sender(t).Send(t.Context(), message())
		checkError(t, err, notify.NotSent, "post alert in Slack channel #costs: slack server error: 307 Temporary Redirect; check notify.slack.api_url")
		if len(f.posted()) > 0 {
			t.Error("the token went where the redirect led")
		}
	})
}

func TestNew(t *testing.T) {
	if _, err := New(Options{}); err == nil || !strings.Contains(err.Error(), "the token is empty") {
		t.Errorf("error = %v", err)
	}
	o := Options{Token: testToken, APIURL: "https://example.com/api"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(format, o); strings.Contains(text, "xoxb") {
			t.Errorf("%s shows the token: %s", format, text)
		}
	}
}

// Goal: a posted alert is found by its id, whatever else is in the channel.
// Method: post five alerts, two a page of history, and look some up.
func TestFind(t *testing.T) {
	for _, test := range []struct {
		name, channel, id, wantRef string
	}{
		{"newest, by channel name", "#costs", "alert-4", "C0000COSTS/1792915200.000004"},
		{"oldest, on the last page", "costs", "alert-0", "C0000COSTS/1792915200.000000"},
		{"by channel id", "C0000COSTS", "alert-2", "C0000COSTS/1792915200.000002"},
		{"never posted", "#costs", "alert-9", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := startSlack(t)
			s := f.sender(t)
			for i := range 5 {
				m := message()
				m.ID = fmt.Sprintf("alert-%d", i)
				if _, err := s.Send(t.Context(), m); err != nil {
					t.Fatal(err)
				}
			}
			m := message()
			m.ID, m.Channel = test.id, test.channel
			ref, found, err := s.Find(t.Context(), m)
			if err != nil || ref != test.wantRef || found != (test.wantRef != "") {
				t.Errorf("Find = %q, %v, %v", ref, found, err)
			}
			if listed := slices.Contains(f.asked(), "conversations.list"); listed == (test.channel == "C0000COSTS") {
				t.Errorf("requests = %v", f.asked())
			}
		})
	}
}

func TestFindErrors(t *testing.T) {
	for _, test := range []struct {
		name, channel, method string
		answer                answer
		outcome               notify.Outcome
		want                  string
	}{
		{"no scope for history", "#costs", "conversations.history", slackError("missing_scope"), notify.Refused,
			"look up alert in Slack channel #costs: missing_scope; add the missing scope to the Slack app and install it again"},
		{"no scope for names", "#costs", "conversations.list", slackError("missing_scope"), notify.Refused,
			"look up channel in Slack channel #costs: missing_scope; add the missing scope to the Slack app and install it again"},
		{"no such channel", "#gone", "", answer{}, notify.Refused,
			"look up channel #gone: there is none that the app can see; correct the budget's channel in the config, or invite the app to it with /invite"},
		{"busy", "C0000COSTS", "conversations.history", answer{status: 429, retryAfter: "9"}, notify.NotSent,
			"look up alert in Slack channel C0000COSTS: Slack is asked too often and wants to be left alone for 9s; the next run tries again"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := startSlack(t)
			if test.method != "" {
				f.tell(test.method, test.answer)
			}
			m := message()
			m.Channel = test.channel
			_, found, err := f.sender(t).Find(t.Context(), m)
			checkError(t, err, test.outcome, test.want)
			if found {
				t.Error("found")
			}
		})
	}
}

// Goal: a lookup ends, however long the channel's history is.
// Method: a history that always has a next page.
func TestFindGivesUp(t *testing.T) {
	f := startSlack(t)
	endless := answer{body: `{"ok":true,"messages":[],"has_more":true,"response_metadata":{"next_cursor":"more"}}`}
	f.tell("conversations.history", slices.Repeat([]answer{endless}, pagesMax+1)...)
	m := message()
	m.Channel = "C0000COSTS"
	_, _, err := f.sender(t).Find(t.Context(), m)
	checkError(t, err, notify.Refused, "look up alert: the channel has too many messages to look through")
}

func TestNotBefore(t *testing.T) {
	for _, test := range []struct{ name, asOf, want string }{
		{"the day before, at midnight UTC", "2026-10-17", "1792108800"},
		{"over a month's end", "2026-11-01", "1793404800"},
		{"no date", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := notBefore(test.asOf); got != test.want {
				t.Errorf("notBefore = %s, want %s", got, test.want)
			}
		})
	}
}

// Goal: a run that dies around a post ends with exactly one message.
// Method: Slack hangs up before or after taking the message, or the process
// dies before it asked; a second walk finishes. Without the right to look up
// the message may be there twice, but is never lost.
func TestKilledAroundPost(t *testing.T) {
	for _, test := range []struct {
		name      string
		first     *answer // of chat.postMessage; nil: killed before the call
		lookup    []answer
		wantPosts int
		want      notify.Result
	}{
		{"killed before the call", nil, nil, 1, notify.Result{Sent: []string{message().ID}}},
		{"killed before Slack took it", &answer{hangUp: true}, nil, 1, notify.Result{Sent: []string{message().ID}}},
		{"killed after Slack took it", &answer{hangUp: true, isAccepted: true}, nil, 1, notify.Result{Found: []string{message().ID}}},
		{"killed after Slack took it, no right to look", &answer{hangUp: true, isAccepted: true},
			[]answer{slackError("missing_scope")}, 2, notify.Result{Resent: []string{message().ID}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := startSlack(t)
			outbox := &oneMessage{Message: message()}
			if test.first == nil {
				outbox.State, outbox.Attempts = notify.Sending, 1
			} else {
				f.tell("chat.postMessage", *test.first)
				deliver(t, outbox, f.sender(t))
			}
			if outbox.State != notify.Sending {
				t.Fatalf("state after the kill = %s", outbox.State)
			}
			f.tell("conversations.history", test.lookup...)
			got := deliver(t, outbox, f.sender(t))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			if len(f.posted()) != test.wantPosts || outbox.State != notify.Sent || !strings.HasPrefix(outbox.ref, "C0000COSTS/") {
				t.Errorf("%d posts, state %s, reference %s", len(f.posted()), outbox.State, outbox.ref)
			}
		})
	}
}

// Goal: a message that Slack refuses is kept with what to do, and arrives once
// that is done.
// Method: walk twice; the second time the app is in the channel.
func TestRefusedIsKept(t *testing.T) {
	f := startSlack(t)
	f.tell("chat.postMessage", slackError("not_in_channel"))
	outbox := &oneMessage{Message: message()}
	got := deliver(t, outbox, f.sender(t))
	if len(got.Failed) != 1 || outbox.State != notify.Pending || !strings.HasSuffix(outbox.reason, "invite the app to the channel with /invite") {
		t.Errorf("%+v, state %s, reason %s", got, outbox.State, outbox.reason)
	}
	if got := deliver(t, outbox, f.sender(t)); !got.Delivered() || outbox.State != notify.Sent || len(f.posted()) != 1 {
		t.Errorf("%+v, state %s, %d posts", got, outbox.State, len(f.posted()))
	}
}

// Goal: an answer 5xx says that Slack failed, with the wait that it asks for, and that
// the message may be there.
func TestSlackFails(t *testing.T) {
	f := startSlack(t)
	f.tell("chat.postMessage", answer{status: 503, retryAfter: "3600"}, answer{status: 504})
	for _, after := range []time.Duration{time.Hour, 0} {
		_, err := f.sender(t).Send(t.Context(), message())
		var e *notify.SendError
		if !errors.As(err, &e) || e.Outcome != notify.Unknown || !e.Down || e.RetryAfter != after {
			t.Errorf("%+v, want a failure that asks for %s", err, after)
		}
	}
}
