// Package bqtest runs the BigQuery emulator for tests.
//
// It owns: one server a test, on 127.0.0.1 and with no data, and what the
// service refuses and the emulator doesn't.
// It does not own: how the emulator is got (make test builds it once).
package bqtest

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// Program is the variable that names the emulator's program to tests.
const Program = "CHARGEBACK_TEST_BIGQUERY_EMULATOR"

// Start runs the emulator for the length of t and returns the address of its
// REST interface; env are further variables of its. It skips t where there is
// none. One server serves one test: the emulator takes longer for every table
// that it has ever had. A port that another process took between the choice and
// the start is given up for another one, five times.
func Start(t testing.TB, program string, env ...string) string {
	t.Helper()
	if program == "" {
		t.Skipf("left out: %s names no BigQuery emulator; make test builds one", Program)
	}
	for range 5 {
		endpoint, taken := start(t, program, env)
		if !taken {
			return endpoint
		}
	}
	t.Fatal("the emulator found its port taken five times")
	return ""
}

func start(t testing.TB, program string, env []string) (endpoint string, taken bool) {
	t.Helper()
	log := new(said)
	port, other := freePort(t), freePort(t)
	server := exec.Command(program, "--host=127.0.0.1", "--project=demo", "--port="+port, "--grpc-port="+other, "--database=:memory:")
	server.Stdout, server.Stderr = log, log
	server.Env = append(server.Environ(), env...)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = server.Wait() // it is killed
		close(ended)
	}()
	t.Cleanup(func() {
		_ = server.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("the emulator said:\n%.2000s", log.text())
		}
	})
	emulator := "http://127.0.0.1:" + port + "/"
	for range 300 {
		select {
		case <-ended:
			if strings.Contains(log.text(), "address already in use") {
				return "", true
			}
			t.Fatal("the emulator ended by itself")
		case <-time.After(100 * time.Millisecond):
		}
		answer, err := http.Get(emulator + "bigquery/v2/projects/demo/datasets")
		if err != nil {
			continue
		}
		_ = answer.Body.Close()
		// Where its port was taken, another server may be the one that answers.
		if !strings.Contains(log.text(), "address already in use") {
			// Only now: a server of ours might have been given the emulator's port, and would
			// ask itself.
			return Serve(t, emulator, newFrugal(http.DefaultTransport)) + "bigquery/v2/", false
		}
	}
	t.Fatal("the emulator doesn't answer")
	return "", false
}

// Serve returns an address at which a transport answers what is asked of the server
// at address: for a program that is told an address, and no transport.
func Serve(t testing.TB, address string, transport http.RoundTripper) string {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:   func(p *httputil.ProxyRequest) { p.SetURL(&url.URL{Scheme: at.Scheme, Host: at.Host}) },
		Transport: transport,
		ErrorLog:  slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo), // of those who don't wait
	})
	t.Cleanup(server.Close)
	return server.URL + at.Path
}

// said keeps what a running server writes.
type said struct {
	mu   sync.Mutex
	kept bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept.Write(p)
}

func (s *said) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept.String()
}

func freePort(t testing.TB) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
