package ledger_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/api/option"

	"chargeback/billing/ledger"
	"chargeback/billing/ledger/ledgertest"
	"chargeback/billing/manifest"
	"chargeback/billing/runs"
	"chargeback/billing/warehouse/bigquery"
	"chargeback/billing/warehouse/bigquery/bqtest"
	"chargeback/extract/record"
)

// part opens the service as the worker of one part of a night does.
func part(ctx context.Context, strict *bqtest.Strict, i int) (*bigquery.Store, error) {
	o := bigquery.Options{
		Project: "demo", Dataset: "books", Run: fmt.Sprintf("part_%d", i), MaxBytesBilled: 1 << 40, Clock: time.Now,
		Client: []option.ClientOption{option.WithEndpoint("http://service/bigquery/v2/"), option.WithHTTPClient(&http.Client{Transport: strict})},
	}
	if i > 0 {
		o.Existing, o.Fence = true, bigquery.Fence{Lease: fmt.Sprintf("shard-%d-of-100", i), Owner: fmt.Sprint("worker ", i), Generation: 1}
	}
	w, err := bigquery.Open(ctx, o)
	if err == nil {
		err = w.Migrate(ctx, ledger.Layout())
	}
	return w, err
}

// takePart does what the worker of one part does with the ledger: it begins, stages a
// new object and one that could not be read, with what its rows point into, and ends.
func takePart(ctx context.Context, strict *bqtest.Strict, i int) error {
	w, err := part(ctx, strict, i)
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }()
	began := ledgertest.At("2026-11-01 04:00:00")
	window, attempts, m := fmt.Sprintf("shard/2026-10-31/%d-of-100", i), runs.New(w), manifest.New(w)
	attempt, err := attempts.Begin(ctx, window, began)
	if err != nil {
		return err
	}
	day := ledgertest.Day("2026-10-31")
	dims := record.NewDimensions(nil)
	if _, err := dims.Actors.ID([]byte(fmt.Sprint("actor ", i)), nil, nil, nil, nil); err != nil {
		return err
	}
	row := make([]any, len(record.TotalSchema.Columns))
	for c, column := range record.TotalSchema.Columns {
		switch {
		case column.Nullable:
		case column.Type == record.Text:
			row[c] = "bedrock"
		case column.Type == record.Time:
			row[c] = began
		case column.Type == record.Date:
			row[c] = day
		default:
			row[c] = int64(1_000 + i)
		}
	}
	batches := make(chan *record.Batch, 1)
	batches <- ledgertest.Batch(record.TotalSchema, [][]any{row})
	close(batches)
	s := manifest.Staging{Source: "log", Schema: record.TotalSchema, Reading: "totals x", Dimensions: dims.All(), Objects: []manifest.Object{
		{ID: int64(1_000 + i), Source: "log", Format: "words", Key: fmt.Sprintf("read-%d", i), State: manifest.ObjectRead, Staged: 1, Day: day, FirstRow: day, LastRow: day, Run: window},
		{ID: int64(2_000 + i), Source: "log", Format: "words", Key: fmt.Sprintf("failed-%d", i), State: manifest.ObjectFailed, Staged: 1, Day: day, Error: "cut off", Run: window},
	}}
	if s.Loaded, err = m.Load(ctx, s.Schema, batches, func(*record.Batch) {}); err != nil {
		return err
	}
	if err := m.Stage(ctx, s); err != nil {
		return err
	}
	return attempts.End(ctx, window, attempt, runs.Done, began, began, nil)
}

// Goal: a hundred workers that start together all do their parts of a night, and what
// each has staged is sent to the ledger once.
// Method: jobs take 20 seconds, in time that passes by itself, at the strict server,
// which refuses transactions that change one table at once; behind it one that keeps
// nothing, so what was let pass is counted. A worker that notes its end by an update,
// or drops a row of what failed, meets the others.
func TestWorkersTakeTheirParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 100
		version := int64(ledger.Layout().Version)
		strict := bqtest.NewStrict(&bqtest.Idle{Number: func(text string) int64 {
			if strings.Contains(text, "version") {
				return version
			}
			return 0
		}})
		strict.Takes = func(string) time.Duration { return 20 * time.Second }
		owner, err := part(t.Context(), strict, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = owner.Close() }()
		strict.Forget()
		ended := make([]error, n)
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() { ended[i] = takePart(t.Context(), strict, i+1) })
		}
		all.Wait()
		for i, err := range ended {
			if err != nil {
				t.Errorf("worker %d: %.300v", i+1, err)
			}
		}
		if refused := strings.Join(strict.Refused(), "\n"); refused != "" {
			t.Errorf("workers met: %.500s", refused)
		}
		inserted := map[string]int{}
		target := regexp.MustCompile("^insert into `?demo`?\\.`?books`?\\.`?([a-z_]+)`?")
		for _, s := range strict.Statements() {
			if m := target.FindStringSubmatch(strings.TrimSpace(s.Text)); m != nil {
				inserted[m[1]]++
			}
		}
		for table, want := range map[string]int{"runs": 2 * n, "totals": n, "objects": n, "actors": n} {
			if inserted[table] != want {
				t.Errorf("%d inserts into %s, want %d (of all: %v)", inserted[table], table, want, inserted)
			}
		}
	})
}
