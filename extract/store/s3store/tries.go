package s3store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

const (
	// triesMax is how often one request is made before its error counts.
	triesMax = 5
	// patience is how long a server may be silent: before it has answered a
	// request, or before the next bytes of a body.
	patience = time.Minute
	// silencesMax is how often patience may run out in all listings of a store
	// together: a run that waits for it holds the ledger.
	silencesMax = 2
)

// errSilent says that the server's patience ran out.
var errSilent = errors.New("the server has been silent for a minute")

// tries makes requests again that failed in passing. All requests only read, or
// write on condition of what is there, so any of them may be made twice.
type tries struct {
	sleep    func(context.Context, time.Duration) error
	standard *retry.Standard
	silence  *silence // what bounds the silence of all requests together; nil where nothing does
}

func newTries(sleep func(context.Context, time.Duration) error) tries {
	if sleep == nil {
		sleep = sleepByClock
	}
	return tries{sleep: sleep, standard: retry.NewStandard()}
}

// wait sleeps after the failed try number attempt, counted from 1: longer each
// time, by chance more or less, 20 seconds at most.
func (t tries) wait(ctx context.Context, attempt int, err error) error {
	delay, err := t.standard.RetryDelay(attempt, err)
	if err != nil {
		return err
	}
	return t.sleep(ctx, delay)
}

// try makes a request until it succeeds, fails for good or has failed often
// enough. The answer is usable until release is called.
func try[T any](ctx context.Context, t tries, request func(context.Context) (T, error)) (answer T, release context.CancelFunc, err error) {
	for attempt := 1; ; attempt++ {
		if err := ctx.Err(); err != nil {
			return answer, nil, err
		}
		begun, patient := t.silence.begin()
		if !patient {
			return answer, nil, errPatience
		}
		answer, release, err = once(ctx, request)
		if err == nil {
			return answer, release, nil
		}
		if ctx.Err() != nil {
			return answer, nil, ctx.Err()
		}
		if attempt == triesMax || !t.mayPass(err) {
			return answer, nil, err
		}
		if err == errSilent && t.silence.end(begun) {
			return answer, nil, errPatience
		}
		if err := t.wait(ctx, attempt, err); err != nil {
			return answer, nil, err
		}
	}
}

// once makes a request and gives up when no answer comes.
func once[T any](ctx context.Context, request func(context.Context) (T, error)) (answer T, release context.CancelFunc, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	release = func() { cancel(nil) }
	silence := time.AfterFunc(patience, func() { cancel(errSilent) })
	answer, err = request(ctx)
	silence.Stop()
	if err == nil {
		return answer, release, nil
	}
	if errors.Is(context.Cause(ctx), errSilent) {
		err = errSilent
	}
	release()
	return answer, nil, err
}

// silence counts how often a server has let patience run out, side by side once.
type silence struct {
	mu    sync.Mutex
	times int
}

// begin is the count as a request finds it, and whether the server may be silent
// once more.
func (s *silence) begin() (times int, patient bool) {
	if s == nil {
		return 0, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.times, s.times < silencesMax
}

// end counts the silence of a request that found a count of begun, unless one that
// waited beside it was counted, and says whether no more patience is left.
func (s *silence) end(begun int) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if begun == s.times {
		s.times++
	}
	return s.times >= silencesMax
}

// errPatience says that a server was silent while it was listed for as long as is
// waited in all.
var errPatience = fmt.Errorf("the server has been silent for %.0f minutes in all", (silencesMax * patience).Minutes())

// mayPass says whether the same request may succeed later: not when the server
// has understood it and refused.
func (t tries) mayPass(err error) bool {
	var noKeys *keysError
	if errors.As(err, &noKeys) {
		return false // the chain has its own tries
	}
	switch status := statusOf(err); {
	case status < 300: // no answer, or half of one
		return true
	case status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return true
	}
	return t.standard.IsErrorRetryable(err)
}

// statusOf is the HTTP status of the answer that became err, or 0.
func statusOf(err error) int {
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) {
		return answer.HTTPStatusCode()
	}
	return 0
}

func sleepByClock(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
