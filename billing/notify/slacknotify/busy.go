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

// busyError is Slack's answer that it is asked too often.
type busyError struct{ after time.Duration }

func (e *busyError) Error() string {
	return "Slack is asked too often and wants to be left alone for " + e.after.String()
}

// busyAware hands on requests, and gives the answer 429 as a *busyError, whatever
// its header looks like.
type busyAware struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t busyAware) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.RoundTripper.RoundTrip(r)
	if err != nil || answer.StatusCode != http.StatusTooManyRequests {
		return answer, err
	}
	if err := answer.Body.Close(); err != nil {
		return nil, fmt.Errorf("close answer: %w", err)
	}
	return nil, &busyError{retryAfter(answer.Header)}
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
