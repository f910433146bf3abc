package bqledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"cloud.google.com/go/bigquery"
	"google.golang.org/api/googleapi"
)

// attemptsMax bounds the attempts at one job.
const attemptsMax = 6

// starter begins a job under an id. It is called again under the same id where
// its answer was lost, and under another one where the job itself failed.
type starter func(ctx context.Context, id bigquery.JobIDConfig) (*bigquery.Job, error)

// run takes a job to its end, exactly once. An id is taken by BigQuery at most
// once: where the answer to a start is lost, or the id is said to be taken, the
// job under that id is the one that counts. A job that ended with an error that
// may pass (a quota, a conflict with another transaction, a fault of the
// service) did nothing, and is begun anew under the next id; any other error
// is final.
func (s *Store) run(ctx context.Context, what, content string, start starter) (*bigquery.Job, *bigquery.JobStatus, error) {
	s.jobs++
	sum := sha256.Sum256([]byte(content))
	base := fmt.Sprintf("chargeback_%s_%d_%s", s.o.Run, s.jobs, hex.EncodeToString(sum[:8]))
	for attempt := 1; ; attempt++ {
		id := bigquery.JobIDConfig{JobID: fmt.Sprintf("%s_a%d", base, attempt), Location: s.o.Location}
		job, status, err := s.attempt(ctx, id, start)
		if err == nil {
			err = status.Err()
		}
		if err == nil {
			s.account(status)
			return job, status, nil
		}
		if ctx.Err() != nil || attempt == attemptsMax || !mayPass(err) {
			return nil, nil, fmt.Errorf("%s (job %s): %w", what, id.JobID, wording(err))
		}
		if err := s.o.Sleep(ctx, pause(attempt)); err != nil {
			return nil, nil, err
		}
	}
}

// attempt starts the job under one id, again and again while it is not known
// whether it was taken, and waits for its end.
func (s *Store) attempt(ctx context.Context, id bigquery.JobIDConfig, start starter) (*bigquery.Job, *bigquery.JobStatus, error) {
	for try := 1; ; try++ {
		job, err := s.begin(ctx, id, start)
		if err != nil && (taken(err) || unsure(err)) {
			if found, findErr := s.client.JobFromIDLocation(ctx, id.JobID, id.Location); findErr == nil {
				job, err = found, nil
			} else if !unsure(findErr) && !notFound(findErr) {
				return nil, nil, findErr
			}
		}
		if err == nil {
			if status := job.LastStatus(); status != nil && status.Done() {
				return job, status, nil
			}
			var status *bigquery.JobStatus
			if status, err = job.Wait(ctx); err == nil || status != nil {
				return job, status, nil
			}
		}
		if ctx.Err() != nil || try == attemptsMax || !unsure(err) {
			return nil, nil, err
		}
		if err := s.o.Sleep(ctx, pause(try)); err != nil {
			return nil, nil, err
		}
	}
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
		return e.Code >= 500 || e.Code == http.StatusTooManyRequests
	}
	_, ofJob := errors.AsType[*bigquery.Error](err)
	return !ofJob
}

// passing are the reasons of a failed job that did nothing and may work later.
var passing = []string{"rateLimitExceeded", "quotaExceeded", "backendError", "internalError", "jobBackendError", "jobInternalError", "jobRateLimitExceeded"}

func mayPass(err error) bool {
	if refusal(err) != err {
		return false
	}
	if e, ok := errors.AsType[*bigquery.Error](err); ok {
		return slices.Contains(passing, e.Reason) || strings.Contains(e.Message, "due to concurrent update")
	}
	if e, ok := errors.AsType[*googleapi.Error](err); ok {
		return e.Code == http.StatusTooManyRequests || e.Code == http.StatusForbidden && slices.ContainsFunc(e.Errors, func(i googleapi.ErrorItem) bool { return slices.Contains(passing, i.Reason) })
	}
	return false
}

// wording says what to do about errors that a user can mend.
func wording(err error) error {
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
