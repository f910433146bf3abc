package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chargeback/cmd/chargeback/demo"
	"chargeback/extract/store"
	"chargeback/transform/civil"
)

// The fortnight: its days, those on which Slack refuses the token, and those on
// which the gateway delivers nothing.
const (
	fortnightDays = 14
	tokenExpires  = 4
	tokenRenewed  = 7
	gatewayStops  = 8
	gatewayBack   = 13
)

// Goal: serve, left alone for two weeks, loses no record and no alert and doubles
// none, while Slack's token expires and is renewed and a source dries up and
// comes back with what it held; and it says so while it lasts.
// Method: the real command by a clock that the test moves half a day after each
// wake-up. Logs of the demo lie in the sources when their day is over. At the end
// the books are those of a run over everything at once, and each threshold that
// they reach was told once.
func TestFortnightOfServe(t *testing.T) {
	t.Parallel() // it mostly waits for the next second
	f := newFortnight(t)
	stopped := make(chan int, 1)
	lines, stderr := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	w := world{out: io.Discard, err: stderr, now: f.now, getenv: f.getenv, columns: 100, program: "chargeback"}
	go func() {
		defer stderr.Close()
		stopped <- run(ctx, w, []string{"serve", "--wake", "@every 1s", "--log-format", "json", "--config", f.path("chargeback.yaml")})
	}()
	var all []logLine
	scanner := bufio.NewScanner(lines)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		line := logLine{day: f.day()}
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			t.Fatalf("no JSON: %s", scanner.Text())
		}
		all = append(all, line)
		if line.Msg == "run ended" && ctx.Err() == nil {
			if f.day() > fortnightDays && f.now().Hour() == 12 { // the last night was due
				stop()
				continue
			}
			f.halfADay()
		}
	}
	if code := <-stopped; code != exitOK {
		t.Errorf("serve exits with %d", code)
	}
	f.checkRuns(all)
	f.checkBooks()
	f.checkMessages()
}

// logLine is what the test reads of a line of the log, and when it came.
type logLine struct {
	day      int
	Level    string `json:"level"`
	Msg      string `json:"msg"`
	Kind     string `json:"kind"`
	Source   string `json:"source"`
	What     string `json:"what"`
	Error    string `json:"error"`
	Reason   string `json:"reason"`
	ExitCode int    `json:"exit_code"`
}

// fortnight is the demo's company whose logs come day by day, and its Slack.
type fortnight struct {
	t     *testing.T
	dir   string
	later map[int][]string // files below data that lie in the sources after that day, by their day
	clock atomic.Int64

	mu    sync.Mutex
	posts []post
}

// post is a message that Slack has.
type post struct{ ID, Channel, Text, TS string }

func newFortnight(t *testing.T) *fortnight {
	t.Helper()
	f := &fortnight{t: t, dir: t.TempDir(), later: map[int][]string{}}
	if _, err := demo.Write(f.dir, demo.Options{Month: demoMonth}); err != nil {
		t.Fatal(err)
	}
	f.clock.Store(time.Date(2026, time.October, 1, 12, 0, 0, 0, time.UTC).Unix())
	slack := httptest.NewServer(http.HandlerFunc(f.slack))
	t.Cleanup(slack.Close)
	settings := f.read("chargeback.yaml")
	settings = replaceBetween(t, settings, "\nnotify:\n", "\nshared_costs:", fmt.Sprintf("  slack: {token_file: token, default_channel: \"#ai-costs\", api_url: %q}\n", slack.URL+"/api"))
	f.write("chargeback.yaml", strings.ReplaceAll(settings, "thresholds: [50, 80, 100]", "thresholds: [5, 10, 15, 20, 30, 40, 50]"))
	f.write("token", "xoxb-first\n")
	f.check(os.Rename(f.path("data"), f.path("all")))
	f.check(filepath.WalkDir(f.path("all"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(f.path("all"), path)
		if err != nil {
			return err
		}
		day := 1
		if text, _ := store.DayOf(filepath.ToSlash(name)); text != "" {
			d, err := civil.ParseDate(text)
			if err != nil {
				return err
			}
			day = d.DaysSince(civil.Date{Year: 2026, Mon: time.October, Day: 1}) + 1
		}
		if strings.HasPrefix(name, "litellm") && gatewayStops <= day && day < gatewayBack {
			day = gatewayBack
		}
		f.later[day] = append(f.later[day], name)
		return nil
	}))
	for _, folder := range []string{"bedrock", "litellm"} {
		f.check(os.MkdirAll(f.path("data/"+folder), 0o700))
	}
	return f
}

func (f *fortnight) check(err error) {
	if err != nil {
		f.t.Helper()
		f.t.Fatal(err)
	}
}

func (f *fortnight) path(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

func (f *fortnight) read(name string) string {
	f.t.Helper()
	data, err := os.ReadFile(f.path(name))
	f.check(err)
	return string(data)
}

func (f *fortnight) write(name, text string) {
	f.t.Helper()
	f.check(os.WriteFile(f.path(name), []byte(text), 0o600))
}

// replaceBetween puts text between two marks that stay.
func replaceBetween(t *testing.T, whole, from, to, text string) string {
	t.Helper()
	before, rest, found := strings.Cut(whole, from)
	_, after, ended := strings.Cut(rest, to)
	if !found || !ended {
		t.Fatalf("settings have no %q before %q", from, to)
	}
	return before + from + text + to + after
}

func (f *fortnight) now() time.Time { return time.Unix(f.clock.Load(), 0).UTC() }

func (*fortnight) getenv(string) string { return "" }

// day is the day of October that it is.
func (f *fortnight) day() int {
	return int(f.now().Sub(time.Date(2026, time.September, 30, 0, 0, 0, 0, time.UTC)).Hours()) / 24
}

// halfADay moves the clock, after what comes until then has come.
func (f *fortnight) halfADay() {
	f.t.Helper()
	before := f.day()
	next := f.now().Add(12 * time.Hour)
	if next.Day() != f.now().Day() {
		f.deliver(before)
		switch before + 1 {
		case tokenExpires:
			f.write("token", "xoxb-expired\n")
		case tokenRenewed:
			f.write("token", "xoxb-second\n")
		}
	}
	f.clock.Store(next.Unix())
}

// deliver puts the logs of a day into the sources.
func (f *fortnight) deliver(day int) {
	f.t.Helper()
	for _, name := range f.later[day] {
		target := f.path("data/" + name)
		f.check(os.MkdirAll(filepath.Dir(target), 0o700))
		f.check(os.Rename(f.path("all/"+name), target))
	}
}

// slack answers as Slack does.
func (f *fortnight) slack(w http.ResponseWriter, r *http.Request) {
	answer := func(v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	token := r.FormValue("token")
	if token == "" {
		token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	if token != "xoxb-first" && token != "xoxb-second" {
		answer(map[string]any{"ok": false, "error": "token_expired"})
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch method := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]; method {
	case "chat.postMessage":
		var metadata struct {
			Payload struct {
				ID string `json:"alert_id"`
			} `json:"event_payload"`
		}
		if err := json.Unmarshal([]byte(r.FormValue("metadata")), &metadata); err != nil {
			f.t.Errorf("metadata: %v", err)
		}
		p := post{ID: metadata.Payload.ID, Channel: r.FormValue("channel"), Text: r.FormValue("text"), TS: fmt.Sprintf("1790000000.%06d", len(f.posts)+1)}
		f.posts = append(f.posts, p)
		answer(map[string]any{"ok": true, "channel": "C000000001", "ts": p.TS})
	default:
		f.t.Errorf("Slack is asked for %s", method)
		answer(map[string]any{"ok": false, "error": "unknown_method"})
	}
}

// checkRuns looks at what the wake-ups said: none failed, and what needed a look was said as
// long as it did.
func (f *fortnight) checkRuns(lines []logLine) {
	refused, silent := map[int]bool{}, map[int]bool{}
	for _, line := range lines {
		switch {
		case line.Msg == "run ended" && line.ExitCode != exitOK && line.ExitCode != exitLook:
			f.t.Errorf("day %d: exit code %d: %s", line.day, line.ExitCode, line.Error)
		case line.Msg == "message not delivered":
			refused[line.day] = true
			if !strings.Contains(line.Reason, "token_expired") {
				f.t.Errorf("day %d: not delivered: %s", line.day, line.Reason)
			}
		case line.Kind == "silent_source":
			silent[line.day] = true
			if line.Source != "gateway" {
				f.t.Errorf("day %d: %s is said to be silent: %s", line.day, line.Source, line.What)
			}
		}
	}
	for day := range refused {
		if day < tokenExpires || day >= tokenRenewed {
			f.t.Errorf("a message waits on day %d", day)
		}
	}
	if len(refused) == 0 {
		f.t.Error("no message is said to wait while Slack refuses the token")
	}
	if !silent[gatewayBack] {
		f.t.Errorf("nobody is told that the gateway is silent; told on days %v", silent)
	}
	for day := range silent {
		if day <= gatewayStops || day > gatewayBack {
			f.t.Errorf("the gateway is said to be silent on day %d", day)
		}
	}
}

// checkBooks compares with books that take in everything at once.
func (f *fortnight) checkBooks() {
	f.t.Helper()
	once := strings.ReplaceAll(f.read("chargeback.yaml"), "path: ledger.duckdb", "path: once.duckdb")
	once = replaceBetween(f.t, once, "\nnotify:\n", "\nshared_costs:", "  slack: {default_channel: \"#ai-costs\"}\n")
	f.write("once.yaml", once)
	f.say("once.yaml", exitLook, "run", "nightly", "--from", demoMonth+"-01", "--to", fmt.Sprintf("%s-%02d", demoMonth, fortnightDays))
	for _, report := range [][]string{{"report", "departments"}, {"report", "agents"}, {"report", "matches"}, {"rejects", "held"}} {
		args := append(report, "--month", demoMonth, "--format", "csv")
		want, came := f.say("once.yaml", exitOK, args...), f.say("chargeback.yaml", exitOK, args...)
		if want != came {
			f.t.Errorf("%s: in one go\n%safter two weeks\n%s", strings.Join(report, " "), want, came)
		}
	}
}

// say runs a command and returns what it printed.
func (f *fortnight) say(settings string, code int, args ...string) string {
	f.t.Helper()
	var out, stderr strings.Builder
	w := world{out: &out, err: &stderr, now: f.now, getenv: f.getenv, columns: 100, program: "chargeback"}
	if got := run(f.t.Context(), w, append(args, "--config", f.path(settings))); got != code {
		f.t.Fatalf("%s: exit code %d, want %d: %s%s", strings.Join(args, " "), got, code, out.String(), stderr.String())
	}
	return out.String()
}

// checkMessages wants each alert once, and of each budget that all thresholds that
// its spend has reached were told.
func (f *fortnight) checkMessages() {
	f.t.Helper()
	posted := map[string]int{}
	for _, p := range f.posts {
		posted[p.ID]++
	}
	var listed struct{ Rows []map[string]any }
	f.check(json.Unmarshal([]byte(f.say("chargeback.yaml", exitOK, "alerts", "list", "--month", demoMonth, "--format", "json")), &listed))
	told := map[string][]string{}
	for _, row := range listed.Rows {
		id, state := fmt.Sprint(row["id"]), fmt.Sprint(row["state"])
		want := map[string]int{"sent": 1, "folded": 0}
		if n, known := want[state]; !known || posted[id] != n {
			f.t.Errorf("%s is %s and was posted %d times", id, state, posted[id])
		}
		delete(posted, id)
		if state == "sent" && row["kind"] == "actual" {
			budget := fmt.Sprint(row["budget"])
			told[budget] = append(told[budget], strings.Fields(strings.NewReplacer("%", "", ",", "").Replace(fmt.Sprint(row["crossed"])))...)
		}
	}
	for id := range posted {
		f.t.Errorf("%s was posted and is not in the list", id)
	}
	var status struct {
		Budgets []struct {
			Name    string
			Crossed []int
		}
	}
	f.check(json.Unmarshal([]byte(f.say("chargeback.yaml", exitLook, "status", "--format", "json")), &status))
	for _, b := range status.Budgets {
		for _, threshold := range b.Crossed {
			if n := len(slices.DeleteFunc(slices.Clone(told[b.Name]), func(s string) bool { return s != fmt.Sprint(threshold) })); n != 1 {
				f.t.Errorf("budget %s: %d%% was told %d times", b.Name, threshold, n)
			}
		}
	}
	if len(told) == 0 {
		f.t.Error("no budget was told of")
	}
}
