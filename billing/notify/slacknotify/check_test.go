package slacknotify

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Goal: what is wrong with the token or a channel is told before an alert needs
// it, each channel by itself, and nothing is posted.
func TestCheck(t *testing.T) {
	const token = "xoxb-1-example"
	valid := true
	mux := http.NewServeMux()
	mux.HandleFunc("/auth.test", func(w http.ResponseWriter, r *http.Request) {
		if !valid {
			fmt.Fprint(w, `{"ok": false, "error": "invalid_auth"}`)
			return
		}
		fmt.Fprint(w, `{"ok": true, "team": "Example Corp", "user": "chargeback"}`)
	})
	mux.HandleFunc("/conversations.list", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"ok": true, "channels": [{"id": "C000000001", "name": "costs"}, {"id": "C000000002", "name": "elsewhere"}, {"id": "C000000003", "name": "old"}]}`)
	})
	mux.HandleFunc("/conversations.info", func(w http.ResponseWriter, r *http.Request) {
		switch id := r.FormValue("channel"); id {
		case "C000000001", "C000000002", "C000000003":
			fmt.Fprintf(w, `{"ok": true, "channel": {"id": %q, "is_member": %t, "is_archived": %t}}`, id, id != "C000000002", id == "C000000003")
		default:
			fmt.Fprint(w, `{"ok": false, "error": "channel_not_found"}`)
		}
	})
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) { t.Error("something else was asked for") })
	server := httptest.NewServer(mux)
	defer server.Close()
	sender, err := New(Options{Token: token, APIURL: server.URL + "/"})
	if err != nil {
		t.Fatal(err)
	}
	who, err := sender.Check(t.Context(), []string{"#costs", "C000000001"})
	if err != nil || who != "chargeback in workspace Example Corp" {
		t.Errorf("%q, error %v", who, err)
	}
	_, err = sender.Check(t.Context(), []string{"#costs", "#elsewhere", "#old", "#none", "C000000009"})
	lines := strings.Split(fmt.Sprint(err), "\n")
	for i, want := range []string{"#elsewhere: the app is not in it", "#old: it is archived", "#none: there is none that the app can see", "C000000009: channel_not_found"} {
		if len(lines) != 4 || !strings.Contains(lines[i], want) {
			t.Errorf("%q does not say %q", lines, want)
		}
	}
	valid = false
	if _, err := sender.Check(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "invalid_auth") || strings.Contains(err.Error(), token) {
		t.Errorf("with a wrong token: %v", err)
	}
}
