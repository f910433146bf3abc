package bigquery

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
// learning what became of one. Statements that met another one, or a full queue,
// have a bound of their own: with many workers they wait in turn.
const (
	attemptsMax  = 6
	conflictsMax = 120
)

// task is what a job is to do.
type task struct {
	what    string // for errors
	subject string // table, and partition where it is one, for the id
	content string // what the id's hash is of
	file    bool   // a start sends a file
	// commits says that what was begun is waited for, also where ctx ends meanwhile: a
	// process that stops must know whether the ledger has changed.
	commits bool
}

// starter begins a job under an id. It is called again under the same id while
// it is not known that the id was taken.
type starter func(ctx context.Context, id bigquery.JobIDConfig) (*bigquery.Job, error)

// finished is a job that is done, without an error.
type finished struct {
	job    *bigquery.Job
	status *bigquery.JobStatus
}

// run takes a job to its end, exactly once. An id is taken by BigQuery at most
// once: where the answer to a start is lost, or the id is said to be taken, the
// job under that id is the one that counts. Only a job that is DONE with an
// error did nothing for certain; where that error may pass (a quota, a conflict
// with another transaction, a fault of the service) it is begun anew under the
// next id. Any other error is final. Where ctx ends, the job is cancelled.
func (s *Store) run(ctx context.Context, t task, start starter) (finished, error) {
	s.jobs++
	base := s.jobName(t)
	failures, conflicts := 0, 0
	for n := 1; ; n++ {
		id := bigquery.JobIDConfig{JobID: fmt.Sprintf("%s_a%d", base, n), Location: s.o.Location}
		within := ctx
		if t.commits {
			within = context.WithoutCancel(ctx)
		}
		job, status, err := s.attempt(within, t, id, start)
		if err != nil {
			return finished{}, fmt.Errorf("%s (job %s): %w", t.what, id.JobID, wording(err))
		}
		s.account(status)
		failed := status.Err()
		if failed == nil {
			return finished{job, status}, nil
		}
		wait := time.Duration(0)
		switch {
		case refused(failed):
			return finished{}, fmt.Errorf("%s (job %s): %w", t.what, id.JobID, failed)
		case isConflict(failed) && conflicts < conflictsMax:
			conflicts++
			wait = time.Second + rand.N(10*time.Second) // all at the same time would meet again
		case mayPass(failed) && failures < attemptsMax-1:
			failures++
			wait = pause(failures)
		default:
			return finished{}, fmt.Errorf("%s (job %s): %w", t.what, id.JobID, wording(failed))
		}
		if err := s.o.Sleep(ctx, wait); err != nil {
			return finished{}, err
		}
	}
}

// jobName begins the ids of a task's jobs. The process is a part of it: the
// service remembers ids of half a year, and a job of the same content that an
// earlier process ran, or one on a ledger that has been dropped since, did nothing
// to the ledger as it stands. The number tells two tasks of the same content apart.
func (s *Store) jobName(t task) string {
	sum := sha256.Sum256([]byte(t.content))
	return fmt.Sprintf("chargeback_%s_%d_%s_%s", s.o.Run, s.jobs, t.subject, hex.EncodeToString(sum[:8]))
}

// attempt takes one id to the end of its job. An error says that no job was
// taken, or that what became of it could not be learnt.
func (s *Store) attempt(ctx context.Context, t task, id bigquery.JobIDConfig, start starter) (*bigquery.Job, *bigquery.JobStatus, error) {
	open, begun := false, s.o.Clock() // whether an earlier start may have been taken
	for try := 1; ; try++ {
		job, err := s.begin(ctx, t, id, start)
		if err == nil {
			return s.wait(ctx, job)
		}
		open = open || taken(err) || unsure(err)
		if open && ctx.Err() == nil {
			found, lookup := s.client.JobFromIDLocation(ctx, id.JobID, id.Location)
			if lookup == nil {
				return s.wait(ctx, found)
			}
			if notFound(lookup) && !taken(err) && !unsure(err) && !forNow(err) {
				return nil, nil, err
			}
		}
		switch {
		case ctx.Err() != nil:
			if open {
				s.cancelID(ctx, id)
			}
			return nil, nil, err
		case try == attemptsMax && open:
			return nil, nil, fmt.Errorf("%w; it is not known whether the job was taken: look at it, then run again", err)
		case try == attemptsMax, !open && !forNow(err), !open && s.o.Clock().Sub(begun) >= fileMax:
			return nil, nil, err
		}
		if err := s.o.Sleep(ctx, pause(try)); err != nil {
			if open {
				s.cancelID(ctx, id)
			}
			return nil, nil, err
		}
	}
}

// unseenMax is how long a job that was taken may be unknown where it is asked
// for.
const unseenMax = time.Minute

// wait asks for a job's status until it is done, and cancels it where nobody
// waits any more. (The client's own Wait goes on for ever over a job that failed
// by a quota or a fault of the service.)
func (s *Store) wait(ctx context.Context, job *bigquery.Job) (*bigquery.Job, *bigquery.JobStatus, error) {
	status, failures, begun := job.LastStatus(), 0, s.o.Clock()
	for pauseFor := 50 * time.Millisecond; status == nil || !status.Done(); pauseFor = min(2*pauseFor, 5*time.Second) {
		if err := s.o.Sleep(ctx, pauseFor); err != nil {
			s.cancel(ctx, job)
			return nil, nil, err
		}
		now, err := s.asked(ctx, job)
		unseen := notFound(err) && s.o.Clock().Sub(begun) < unseenMax
		switch {
		case err == nil:
			status, failures = now, 0
		case ctx.Err() != nil:
			s.cancel(ctx, job)
			return nil, nil, err
		case failures == attemptsMax || !unsure(err) && !forNow(err) && !unseen:
			return nil, nil, fmt.Errorf("ask what became of it: %w", err)
		default:
			failures++
			pauseFor = max(pauseFor, pause(failures))
		}
	}
	return job, status, nil
}

// cancelMax is how long a process that stops takes to cancel a job.
const cancelMax = 10 * time.Second

// cancel tells the service that nobody waits for a job any more, so that it is
// not billed for more. What it did so far is undone, or complete.
func (*Store) cancel(ctx context.Context, job *bigquery.Job) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), cancelMax)
	defer stop()
	_ = job.Cancel(ctx) // else it ends by itself
}

func (s *Store) cancelID(ctx context.Context, id bigquery.JobIDConfig) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), cancelMax)
	defer stop()
	if job, err := s.client.JobFromIDLocation(ctx, id.JobID, id.Location); err == nil {
		_ = job.Cancel(ctx) // else it ends by itself
	}
}

// askMax is how long one question for a status may take.
const askMax = time.Minute

func (s *Store) asked(ctx context.Context, job *bigquery.Job) (*bigquery.JobStatus, error) {
	ctx, stop := context.WithTimeout(ctx, askMax)
	defer stop()
	return job.Status(ctx)
}

// startMax and fileMax are how long one start may take, without and with a file
// that is sent, and with the client's own attempts, which have no end where a
// quota stays exceeded.
const (
	startMax = time.Minute
	fileMax  = 30 * time.Minute
)

func (s *Store) begin(ctx context.Context, t task, id bigquery.JobIDConfig, start starter) (*bigquery.Job, error) {
	most := startMax
	if t.file {
		most = fileMax
	}
	ctx, stop := context.WithTimeout(ctx, most)
	defer stop()
	return start(ctx, id)
}

func (s *Store) account(status *bigquery.JobStatus) {
	if status.Statistics == nil {
		return
	}
	if q, is := status.Statistics.Details.(*bigquery.QueryStatistics); is {
		s.billed += q.TotalBytesBilled
	}
}

func pause(attempt int) time.Duration { return time.Second << min(attempt-1, 5) }

// taken says that the id belongs to a job already, or the name to a table. The
// emulator says so with status 500.
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

// What failed by one of these reasons, or says one of these words, did nothing
// and may pass. Inside of a script all of them have the reason invalidQuery.
var (
	passing      = []string{"rateLimitExceeded", "quotaExceeded", "backendError", "internalError", "jobBackendError", "jobInternalError", "jobRateLimitExceeded"}
	passingWords = []string{"exceeded rate limits", "quota exceeded", "retrying the job may solve the problem"}
)

// conflicting are the words of a statement that met another one: a transaction
// that changed the same table, or too many that wait for it.
var conflicting = []string{"due to concurrent update", "could not serialize access", "too many dml statements outstanding"}

func says(message string, words []string) bool {
	message = strings.ToLower(message)
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(message, word) })
}

// forNow says that a request was not taken, and may be later.
func forNow(err error) bool {
	e, ok := errors.AsType[*googleapi.Error](err)
	if !ok || e.Code >= 500 {
		return false
	}
	return e.Code == http.StatusTooManyRequests || says(e.Message, passingWords) || says(e.Message, conflicting) ||
		e.Code == http.StatusForbidden && slices.ContainsFunc(e.Errors, func(i googleapi.ErrorItem) bool { return slices.Contains(passing, i.Reason) })
}

func isConflict(failed error) bool {
	e, ok := errors.AsType[*bigquery.Error](failed)
	return ok && says(e.Message, conflicting)
}

// internal says that an answer about a job tells of a fault of the service.
func internal(err error) bool {
	e, ok := errors.AsType[*googleapi.Error](err)
	return ok && slices.ContainsFunc(e.Errors, func(i googleapi.ErrorItem) bool { return slices.Contains(passing, i.Reason) })
}

// mayPass says that a job failed by something that may pass.
func mayPass(failed error) bool {
	e, ok := errors.AsType[*bigquery.Error](failed)
	return ok && (slices.Contains(passing, e.Reason) || says(e.Message, passingWords))
}

// wording says what to do about errors that a user can fix.
func wording(err error) error {
	if _, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return fmt.Errorf("%w; the credentials are rejected: run chargeback doctor", err)
	}
	if e, ok := errors.AsType[*googleapi.Error](err); ok {
		switch {
		case e.Code == http.StatusUnauthorized:
			return fmt.Errorf("%w; the credentials are not valid: run chargeback doctor", err)
		case strings.Contains(e.Message, "too large to return"):
			return fmt.Errorf("%w; %s", err, readLess)
		case e.Code == http.StatusForbidden:
			return fmt.Errorf("%w; see config/deploy/README.md for the roles that the service account needs", err)
		}
	}
	return err
}
