// Package bqledger keeps the ledger in BigQuery.
//
// It owns: the dataset with its tables, loads by Parquet jobs under ids of their
// own, transactions as one script each, and the few words in which GoogleSQL
// differs from the ledger's text.
// It does not own: any rule of the ledger (billing/ledger), or who may run
// (the lease).
package bqledger

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"cloud.google.com/go/bigquery"
	"golang.org/x/sync/errgroup"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
	"google.golang.org/api/storage/v1"

	"chargeback/billing/ledger"
)

// Options says where the ledger lies and what it may use.
type Options struct {
	Project, Dataset string
	Location         string // "" = US
	// Run is what this process is called in the ids and labels of its jobs and in
	// the names of its work tables. No two processes share one.
	Run string
	// MaxBytesBilled stops a query that would read more; 0 = no limit.
	MaxBytesBilled int64
	// Fence is the lease under which this process writes; without one nothing
	// keeps two processes apart.
	Fence Fence
	// Staging is where large loads go first, as gs://bucket/prefix; "" = they are
	// sent with the request. StagedBytes is what a large load has; 0 = 8 MiB.
	Staging     string
	StagedBytes int64
	// Existing opens a ledger that is there: Migrate makes nothing, and fails with
	// ledger.ErrNone where a table is missing. Of several processes one at a time
	// may open without it.
	Existing bool
	// Clock tells the time by which work tables expire.
	Clock func() time.Time
	// Sleep waits between attempts; nil = by the clock.
	Sleep func(context.Context, time.Duration) error
	// Client are credentials, or the address of another server; StorageClient are
	// those of the bucket.
	Client, StorageClient []option.ClientOption
}

// Store is the engine. It is used by one goroutine at a time.
type Store struct {
	o         Options
	client    *bigquery.Client
	dataset   *bigquery.Dataset
	tables    map[string]ledger.Table // that Migrate was given
	names     map[string]string       // their full names
	have      map[string]bool         // tables and views that were there
	jobs      int                     // how many were begun
	works     []string                // work tables that were made
	selects   []*bigquery.Job         // that were run since Processed was asked
	processed int64                   // bytes
	staging   bucket
	storage   *storage.Service // nil: not needed yet
	tx        *transaction
}

var _ ledger.Engine = (*Store)(nil)

// run names only what may stand in job ids, labels and table names.
var runName = regexp.MustCompile(`^[a-z0-9_]{1,40}$`)

// Open makes the client. Whether the dataset can be reached shows in Migrate.
func Open(ctx context.Context, o Options) (*Store, error) {
	if !runName.MatchString(o.Run) || o.Clock == nil {
		return nil, fmt.Errorf("open BigQuery: run %q is not 1 to 40 of a-z, 0-9 and _, or there is no clock", o.Run)
	}
	if o.StagedBytes == 0 {
		o.StagedBytes = 8 << 20
	}
	if o.Location == "" {
		o.Location = "US"
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	place, err := parseBucket(o.Staging)
	if err != nil {
		return nil, fmt.Errorf("open BigQuery: %w", err)
	}
	client, err := bigquery.NewClient(ctx, o.Project, o.Client...)
	if err != nil {
		return nil, fmt.Errorf("open BigQuery project %s: %w", o.Project, err)
	}
	client.Location = o.Location
	return &Store{o: o, client: client, staging: place, dataset: client.Dataset(o.Dataset), tables: map[string]ledger.Table{}, names: map[string]string{}}, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// String names the dataset.
func (s *Store) String() string { return "bigquery " + s.o.Project + "." + s.o.Dataset }

// closeMax is how long Close may take: what it doesn't get to expires.
const closeMax = 10 * time.Second

// Close drops the work tables, which would go by themselves in a day, and
// releases the client.
func (s *Store) Close() error {
	ctx, stop := context.WithTimeout(context.Background(), closeMax)
	defer stop()
	var group errgroup.Group
	group.SetLimit(callsMax)
	for _, name := range s.works {
		group.Go(func() error {
			_ = s.dataset.Table(name).Delete(ctx) // it expires
			return nil
		})
	}
	return errors.Join(group.Wait(), s.client.Close())
}

// Checkpoint implements ledger.Engine: BigQuery has nothing to make compact.
func (*Store) Checkpoint(context.Context) error { return nil }

// Processed implements ledger.Engine. What a select has read is asked for here,
// many at once: after each it would cost a call.
func (s *Store) Processed(ctx context.Context) (int64, error) {
	var mu sync.Mutex
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(callsMax)
	for _, job := range s.selects {
		group.Go(func() error {
			status, err := job.Status(within)
			if err != nil {
				return fmt.Errorf("read what job %s has read: %w", job.ID(), err)
			}
			mu.Lock()
			defer mu.Unlock()
			s.account(status)
			return nil
		})
	}
	err := group.Wait()
	s.selects = nil
	return s.processed, err
}

// CheckRights runs a query, and makes and drops a table where there is a dataset.
func (s *Store) CheckRights(ctx context.Context) error {
	if err := s.statement(ctx, "run a query", "select 1"); err != nil {
		return err
	}
	if _, err := s.dataset.Metadata(ctx); err != nil {
		if notFound(err) {
			return nil // it is made by the first run, or by hand
		}
		return fmt.Errorf("look up dataset %s: %w", s.o.Dataset, wording(err))
	}
	table := s.dataset.Table(s.work())
	err := table.Create(ctx, &bigquery.TableMetadata{Schema: bigquery.Schema{{Name: "x", Type: bigquery.IntegerFieldType}}, ExpirationTime: s.o.Clock().Add(time.Hour), Labels: s.labels()})
	if err == nil {
		err = table.Delete(ctx)
	}
	if err != nil {
		return fmt.Errorf("make and drop a table in dataset %s: %w", s.o.Dataset, wording(err))
	}
	return nil
}

// SizeBytes is the size of all tables of the dataset.
func (s *Store) SizeBytes(ctx context.Context) (int64, error) {
	var size int64
	tables := s.dataset.Tables(ctx)
	for {
		t, err := tables.Next()
		if errors.Is(err, iterator.Done) {
			return size, nil
		}
		if err != nil {
			return 0, fmt.Errorf("size of ledger: %w", err)
		}
		if s.names[t.TableID] == "" || s.tables[t.TableID].View != "" {
			continue // a work table
		}
		m, err := t.Metadata(ctx)
		if notFound(err) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("size of ledger table %s: %w", t.TableID, err)
		}
		size += m.NumBytes
	}
}

// full is the full name of a table of the dataset.
func (s *Store) full(table string) string {
	return "`" + s.o.Project + "`.`" + s.o.Dataset + "`.`" + table + "`"
}
