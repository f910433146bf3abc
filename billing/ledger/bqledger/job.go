package bqledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/bigquery"
	"golang.org/x/oauth2"
	"google.golang.org/api/googleapi"
)

// attemptsMax bounds the jobs that are begun because one failed, and the tries at
// learning what became of one. Transactions that met another one have a bound of
// their own: with many workers they wait in turn.
const (
	attemptsMax  = 6
	conflictsMax = 120
)

// starter begins a job under an id. It is called again under the same id while
// it is not known that the id was taken.
type starter func(ctx context.Context, id bigquery.JobIDConfig) (*bigquery.Job, error)

// run takes a job to its end, exactly once. An id is taken by BigQuery at most
// once: where the answer to a start is lost, or the id is said to be taken, the
// job under that id is the one that counts. Only a job that is DONE with an
// error did nothing for certain; where that error may pass (a quota, a conflict
// with another transaction, a fault of the service) it is begun anew under the
// next id. Any other error is final.
func (s *Store) run(ctx context.Context, what, content string, start starter) error {
	s.jobs++
	sum := sha256.Sum256([]byte(content))
	base := fmt.Sprintf("chargeback_%s_%d_%s", s.o.Run, s.jobs, hex.EncodeToString(sum[:8]))
	failures, conflicts := 0, 0
	for n := 1; ; n++ {
		id := bigquery.JobIDConfig{JobID: fmt.Sprintf("%s_a%d", base, n), Location: s.o.Location}
		status, err := s.attempt(ctx, id, start)
		if err != nil {
			return fmt.Errorf("%s (job %s): %w", what, id.JobID, wording(err))
		}
		failed := status.Err()
		if failed == nil {
			s.account(status)
			return nil
		}
		wait := time.Duration(0)
		switch {
		case isConflict(failed) && conflicts < conflictsMax:
			conflicts++
			wait = time.Second + rand.N(10*time.Second) // all at the same time would meet again
		case mayPass(failed) && failures < attemptsMax-1:
			failures++
			wait = pause(failures)
		default:
			return fmt.Errorf("%s (job %s): %w", what, id.JobID, wording(failed))
		}
		if err := s.o.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// attempt takes one id to the end of its job. An error says that no job was
// taken, or that what became of it could not be learnt.
func (s *Store) attempt(ctx context.Context, id bigquery.JobIDConfig, start starter) (*bigquery.JobStatus, error) {
	open, begun := false, s.o.Clock() // whether an earlier start may have been taken
	for try := 1; ; try++ {
		job, err := s.begin(ctx, id, start)
		if err == nil {
			return s.wait(ctx, job)
		}
		open = open || taken(err) || unsure(err)
		if open {
			found, lookup := s.client.JobFromIDLocation(ctx, id.JobID, id.Location)
			if lookup == nil {
				return s.wait(ctx, found)
			}
			if notFound(lookup) && !taken(err) && !unsure(err) && !forNow(err) {
				return nil, err
			}
		}
		switch {
		case ctx.Err() != nil:
			return nil, err
		case try == attemptsMax && open:
			return nil, fmt.Errorf("%w; it is not known whether the job was taken: look at it, then run again", err)
		case try == attemptsMax, !open && !forNow(err), !open && s.o.Clock().Sub(begun) >= startMax:
			return nil, err
		}
		if err := s.o.Sleep(ctx, pause(try)); err != nil {
			return nil, err
		}
	}
}

// wait asks for a job's status until it is done. (The client's own Wait goes on
// for ever over a job that failed by a quota or a fault of the service.)
func (s *Store) wait(ctx context.Context, job *bigquery.Job) (*bigquery.JobStatus, error) {
	status, failures := job.LastStatus(), 0
	for pauseFor := 50 * time.Millisecond; status == nil || !status.Done(); pauseFor = min(2*pauseFor, 5*time.Second) {
		if err := s.o.Sleep(ctx, pauseFor); err != nil {
			return nil, err
		}
		now, err := s.asked(ctx, job)
		switch {
		case err == nil:
			status, failures = now, 0
		case ctx.Err() != nil || failures == attemptsMax || !unsure(err) && !forNow(err):
			return nil, fmt.Errorf("ask what became of it: %w", err)
		default:
			failures++
			pauseFor = max(pauseFor, pause(failures))
		}
	}
	return status, nil
}

// askMax is how long one question for a status may take.
const askMax = time.Minute

func (s *Store) asked(ctx context.Context, job *bigquery.Job) (*bigquery.JobStatus, error) {
	ctx, stop := context.WithTimeout(ctx, askMax)
	defer stop()
	return job.Status(ctx)
}

// startMax is how long one start may take, with a file that is sent and with
// the client's own attempts, which have no end where a quota stays exceeded.
const startMax = 30 * time.Minute

func (s *Store) begin(ctx context.Context, id bigquery.JobIDConfig, start starter) (*bigquery.Job, error) {
	ctx, stop := context.WithTimeout(ctx, startMax)
	defer stop()
	return start(ctx, id)
}

func (s *Store) account(status *bigquery.JobStatus) {
	if status.Statistics == nil {
		return
	}
	s.processed += status.Statistics.TotalBytesProcessed
}

func pause(attempt int) time.Duration { return time.Second << min(attempt-1, 5) }

// taken says that the id belongs to a job already. The emulator says so with
// status 500.
func taken(err error) bool {
	e, ok := errors.AsType[*googleapi.Error](err)
	return ok && (e.Code == http.StatusConflict || strings.Contains(strings.ToLower(e.Message), "already created"))
}

func notFound(err error) bool {
	e, ok := errors.AsType[*googleapi.Error](err)
	return ok && e.Code == http.StatusNotFound
}

// unsure says that an answer was lost, or was about the service and not about
// the request: whether the request was taken is not known.
func unsure(err error) bool {
	if e, ok := errors.AsType[*googleapi.Error](err); ok {
		return e.Code >= 500
	}
	_, ofJob := errors.AsType[*bigquery.Error](err)
	_, ofKeys := errors.AsType[*oauth2.RetrieveError](err)
	_, ofFile := errors.AsType[*fs.PathError](err)
	return !ofJob && !ofKeys && !ofFile
}

// passing are the reasons of a failure that did nothing and may pass.
var passing = []string{"rateLimitExceeded", "quotaExceeded", "backendError", "internalError", "jobBackendError", "jobInternalError", "jobRateLimitExceeded"}

// forNow says that a request was not taken, and may be later.
func forNow(err error) bool {
	e, ok := errors.AsType[*googleapi.Error](err)
	return ok && (e.Code == http.StatusTooManyRequests ||
		e.Code == http.StatusForbidden && slices.ContainsFunc(e.Errors, func(i googleapi.ErrorItem) bool { return slices.Contains(passing, i.Reason) }))
}

// isConflict says that a transaction was aborted because another one wrote what
// it wrote.
func isConflict(failed error) bool {
	return strings.Contains(failed.Error(), "due to concurrent update")
}

// mayPass says that a job failed by something that may pass.
func mayPass(failed error) bool {
	e, ok := errors.AsType[*bigquery.Error](failed)
	return ok && slices.Contains(passing, e.Reason) && !refused(failed)
}

// wording says what to do about errors that a user can mend.
func wording(err error) error {
	if _, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return fmt.Errorf("%w; the credentials are not taken: run chargeback doctor", err)
	}
	if e, ok := errors.AsType[*googleapi.Error](err); ok {
		switch e.Code {
		case http.StatusUnauthorized:
			return fmt.Errorf("%w; the credentials are not valid: run chargeback doctor", err)
		case http.StatusForbidden:
			return fmt.Errorf("%w; see the README for the roles that the service account needs", err)
		}
	}
	return err
}
