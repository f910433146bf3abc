package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// endpointOf finds the server in the settings of a night over small objects.
var endpointOf = regexp.MustCompile(`endpoint: "(http://[^"]+)"`)

// askAll stands in for a night: it asks the server that the settings name for each
// of n objects, all at once.
func askAll(config string, n int) error {
	text, err := os.ReadFile(config)
	found := endpointOf.FindSubmatch(text)
	if err != nil || found == nil {
		return err // objects in a folder
	}
	var running sync.WaitGroup
	var failed atomic.Int64
	for range n {
		running.Go(func() {
			answer, err := http.Get(string(found[1]))
			if err != nil {
				failed.Add(1)
				return
			}
			_ = answer.Body.Close()
		})
	}
	running.Wait()
	if failed.Load() > 0 {
		return fmt.Errorf("%d of %d requests failed", failed.Load(), n)
	}
	return nil
}

// Goal: the part about small objects reads the same objects from a folder and from
// a late server, and says how many fetches went at once; a night that did not ask for
// each object fails. That totals are equal is sameTotals' to see.
// Method: this test binary stands in for the program, a server that takes anything
// for S3.
func TestMeasureSmall(t *testing.T) {
	var mu sync.Mutex
	stored := map[string]string{}
	var asking sync.WaitGroup // all requests of a night: the first is answered when the last is there
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			text, _ := io.ReadAll(r.Body)
			mu.Lock()
			defer mu.Unlock()
			stored[r.URL.Path] = string(text)
			return
		}
		asking.Done()
		asking.Wait()
	}))
	defer server.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(s3KeyID, "id")
	t.Setenv(s3Secret, "secret-of-the-test")
	for _, row := range []struct {
		name, endpoint, report string
		asks                   int
		want, err              string
	}{
		{name: "measured", endpoint: server.URL, report: "1.5", asks: 12, want: "12 fetches at once"},
		{name: "no server", want: "small objects: left out, " + s3Endpoint + " names no server"},
		{name: "the server was not asked", endpoint: server.URL, report: "1.5", asks: 11, err: "the server answered 11 times, of 12 objects"},
		{name: "no total", endpoint: server.URL, asks: 12, err: "read report"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv(s3Endpoint, row.endpoint)
			t.Setenv(childReport, "")
			if row.report != "" {
				t.Setenv(childReport, fmt.Sprintf(`{"rows":[{"llm_cost_usd":%q}]}`, row.report))
			}
			t.Setenv(childAsks, fmt.Sprint(row.asks))
			if asking = (sync.WaitGroup{}); row.report != "" {
				asking.Add(row.asks)
			}
			dir := t.TempDir()
			var out strings.Builder
			err := measureSmall(t.Context(), &out, dir, []string{self}, small{Objects: 12, Delay: time.Millisecond, Runs: 1})
			if row.err == "" && err != nil || row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)) {
				t.Fatalf("got error %v, want %q", err, row.err)
			}
			if !strings.Contains(out.String(), row.want) {
				t.Errorf("output lacks %q:\n%s", row.want, out.String())
			}
			if row.name != "measured" {
				return
			}
			files, _ := filepath.Glob(filepath.Join(dir, "folder/objects/2026-10-15/time-*.json"))
			if len(files) != 12 {
				t.Errorf("%d objects in the folder", len(files))
			}
			for _, name := range files {
				text, _ := os.ReadFile(name)
				if at := "/chargeback-test/bench/small-12/2026-10-15/" + filepath.Base(name); len(text) == 0 || stored[at] != string(text) {
					t.Errorf("the server has other bytes at %s", at)
				}
			}
		})
	}
}

// Goal: each answer comes late by as much as is wanted, on a connection that goes
// on, and whoever hangs up is forgotten.
func TestDelayed(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 200<<10))
	}))
	defer server.Close()
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	const late = 50 * time.Millisecond
	proxy, err := newDelayed(t.Context(), at.Host, late)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	for range 3 {
		begun := time.Now()
		answer, err := client.Get("http://" + proxy.address())
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		if took := time.Since(begun); err != nil || len(text) != 200<<10 || took < late {
			t.Errorf("%d bytes after %s, %v", len(text), took, err)
		}
	}
	if answers, most := proxy.counted(); answers != 3 || most != 1 {
		t.Errorf("%d answers, %d at once", answers, most)
	}
	silent, err := net.Dial("tcp", proxy.address())
	if err != nil {
		t.Fatal(err)
	}
	_ = silent.Close()
	if err := proxy.Close(); err != nil { // waits for all
		t.Error(err)
	}
}
