package slacknotify

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slacktest"

	"chargeback/billing/notify"
)

// testToken looks like a bot token and opens nothing.
const testToken = "xoxb-1234-not-a-token"

// fakeSlack is a workspace with the channels #costs and #other: it keeps what
// is posted and answers as told. It runs behind slacktest's server.
type fakeSlack struct {
	mu       sync.Mutex
	url      string
	posts    []url.Values
	requests []string // "chat.postMessage", in order
	// answers are given to the next requests of a method before it works.
	answers map[string][]answer
}

// answer is what happens to one request instead of success.
type answer struct {
	status     int    // 0: 200
	retryAfter string // of the header
	date       string // of the header; empty for the machine's
	location   string // where a redirect leads
	body       string
	isAccepted bool // the message is posted all the same
	hangUp     bool // close the connection without an answer
}

func slackError(code string) answer {
	return answer{body: fmt.Sprintf(`{"ok":false,"error":%q}`, code)}
}

func startSlack(t *testing.T) *fakeSlack {
	f := &fakeSlack{answers: map[string][]answer{}}
	server := slacktest.NewTestServer(func(c slacktest.Customize) {
		c.Handle("/chat.postMessage", f.handle(f.post))
		c.Handle("/conversations.history", f.handle(f.history))
		c.Handle("/conversations.list", f.handle(f.list))
	})
	server.Start()
	t.Cleanup(server.Stop)
	f.url = server.GetAPIURL()
	return f
}

// sender returns a Sender of this workspace.
func (f *fakeSlack) sender(t *testing.T) *Sender {
	t.Helper()
	s, err := New(Options{Token: testToken, APIURL: f.url})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tell says how the next requests of a method are answered.
func (f *fakeSlack) tell(method string, answers ...answer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[method] = answers
}

// asked lists the methods that were called.
func (f *fakeSlack) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.requests)
}

// posted lists what was posted.
func (f *fakeSlack) posted() []url.Values {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.posts)
}

// handle answers as told, or else does what the method does.
func (f *fakeSlack) handle(do func(url.Values) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		method := r.URL.Path[1:]
		f.requests = append(f.requests, method)
		if err := r.ParseForm(); err != nil || r.PostForm.Get("token") != testToken {
			_ = json.NewEncoder(w).Encode(map[string]any{"ok": false, "error": "not_authed"})
			return
		}
		if len(f.answers[method]) == 0 {
			_ = json.NewEncoder(w).Encode(do(r.PostForm))
			return
		}
		told := f.answers[method][0]
		f.answers[method] = f.answers[method][1:]
		if told.isAccepted {
			do(r.PostForm)
		}
		if told.hangUp {
			panic(http.ErrAbortHandler)
		}
		if told.retryAfter != "" {
			w.Header().Set("Retry-After", told.retryAfter)
		}
		if told.date != "" {
			w.Header().Set("Date", told.date)
		}
		if told.location != "" {
			w.Header().Set("Location", told.location)
		}
		w.WriteHeader(max(told.status, http.StatusOK))
		_, _ = w.Write([]byte(told.body))
	}
}

var fakeChannels = map[string]string{"costs": "C0000COSTS", "other": "C0000OTHER"}

func timestamp(i int) string { return fmt.Sprintf("1792915200.%06d", i) }

func (f *fakeSlack) post(form url.Values) any {
	f.posts = append(f.posts, form)
	return map[string]any{"ok": true, "channel": fakeChannels["costs"], "ts": timestamp(len(f.posts) - 1)}
}

// history serves two messages a page, newest first, as Slack does.
func (f *fakeSlack) history(form url.Values) any {
	if !slices.Contains(slices.Collect(maps.Values(fakeChannels)), form.Get("channel")) {
		return map[string]any{"ok": false, "error": "channel_not_found"}
	}
	var messages []map[string]any
	for i, p := range slices.Backward(f.posts) {
		m := map[string]any{"type": "message", "ts": timestamp(i)}
		if form.Get("include_all_metadata") == "1" {
			m["metadata"] = json.RawMessage(p.Get("metadata"))
		}
		messages = append(messages, m)
	}
	start, _ := strconv.Atoi(form.Get("cursor"))
	end, next := start+2, strconv.Itoa(start+2)
	if end >= len(messages) {
		end, next = len(messages), ""
	}
	return map[string]any{
		"ok": true, "messages": messages[start:end], "has_more": next != "",
		"response_metadata": map[string]string{"next_cursor": next},
	}
}

// list serves one channel a page.
func (f *fakeSlack) list(form url.Values) any {
	if form.Get("cursor") == "" {
		return map[string]any{
			"ok": true, "channels": []slack.Channel{named("other")},
			"response_metadata": map[string]string{"next_cursor": "2"},
		}
	}
	return map[string]any{"ok": true, "channels": []slack.Channel{named("costs")}}
}

func named(name string) slack.Channel {
	var c slack.Channel
	c.ID, c.Name = fakeChannels[name], name
	return c
}

// oneMessage is an outbox with a single message.
type oneMessage struct {
	notify.Message
	ref, reason string
}

func (o *oneMessage) Pending(context.Context) ([]notify.Message, error) {
	if o.State == notify.Sent {
		return nil, nil
	}
	return []notify.Message{o.Message}, nil
}

func (o *oneMessage) MarkSending(_ context.Context, _, _ string, state notify.State) error {
	o.State = state
	o.Attempts++
	return nil
}

func (o *oneMessage) Refresh(context.Context) error { return nil }

func (o *oneMessage) MarkSent(_ context.Context, _, ref string) error {
	o.State, o.ref = notify.Sent, ref
	return nil
}

func (o *oneMessage) MarkWaiting(_ context.Context, _ string, state notify.State, reason string) error {
	o.State, o.reason = state, reason
	return nil
}

// deliver walks an outbox once, as a run does that has no time to wait.
func deliver(t *testing.T, outbox notify.Outbox, sender notify.Sender) notify.Result {
	t.Helper()
	got, err := notify.NewCourier(sender, notify.Clock{Now: time.Now, Wait: func(context.Context, time.Duration) error { return context.Canceled }}).Deliver(t.Context(), outbox)
	if err != nil {
		t.Fatal(err)
	}
	return got
}
