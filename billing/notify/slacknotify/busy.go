package slacknotify

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// busyUsual is how long Slack is left alone where it says that it is asked too
	// often, and not for how long.
	busyUsual = 30 * time.Second
	// busyMax is the longest wait that is told; nobody waits that long.
	busyMax = 24 * time.Hour
)

// busyError is Slack's answer that it is asked too often, or that it failed and
// wants to be left alone: of the latter nobody knows what it did before.
type busyError struct {
	after  time.Duration
	failed int // the HTTP status; 0 for asked too often
}

func (e *busyError) Error() string {
	if e.failed != 0 {
		return "Slack answered with HTTP status " + strconv.Itoa(e.failed) + " and wants to be left alone for " + e.after.String()
	}
	return "Slack is asked too often and wants to be left alone for " + e.after.String()
}

// busyAware hands on requests, and gives the answer 429 as a *busyError, whatever
// its header looks like, and a 5xx that has the header.
type busyAware struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t busyAware) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.RoundTripper.RoundTrip(r)
	if err != nil {
		return answer, err
	}
	busy := &busyError{after: retryAfter(answer.Header)}
	switch {
	case answer.StatusCode == http.StatusTooManyRequests:
	case answer.StatusCode >= http.StatusInternalServerError && answer.Header.Get("Retry-After") != "":
		busy.failed = answer.StatusCode
	default:
		return answer, nil
	}
	if err := answer.Body.Close(); err != nil {
		return nil, fmt.Errorf("close answer: %w", err)
	}
	return nil, busy
}

// retryAfter reads the header: whole seconds, or a date, which is held against
// the answer's own.
func retryAfter(h http.Header) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return min(max(time.Duration(seconds)*time.Second, time.Second), busyMax)
	}
	if text != "" && strings.Trim(text, "0123456789") == "" {
		return busyMax
	}
	until, err := http.ParseTime(text)
	now, errNow := http.ParseTime(h.Get("Date"))
	if err != nil || errNow != nil || !now.Before(until) {
		return busyUsual
	}
	return min(until.Sub(now), busyMax)
}
