// Package bigquery keeps the ledger in BigQuery.
//
// It owns: the dataset with its tables, jobs under ids of their own, loads by
// Parquet files of bounded size, Apply as one script behind the fence of a lease,
// and what the service says when something may pass.
// It does not own: any rule of the books, or who may run (the lease).
package bigquery

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"cloud.google.com/go/bigquery"
	"golang.org/x/sync/errgroup"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
	"google.golang.org/api/storage/v1"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

// Options says where the ledger lies and what it may use.
type Options struct {
	Project, Dataset string
	// WorkDataset is where work tables lie, out of the sight of those who read the
	// ledger; "" = Dataset. It is in the same location.
	WorkDataset string
	Location    string // "" = US
	// Run is what this process is called in the ids and labels of its jobs and in
	// the names of its work tables. No two processes share one, ever: BigQuery
	// remembers ids, and a job of an earlier process would pass for one of this.
	Run string
	// MaxBytesBilled stops a query that would read more; 0 = no limit.
	MaxBytesBilled int64
	// MaxBytesRead refuses a select whose rows have more bytes: what is read out
	// is small, and the service itself gives no more than 10 GB. 0 = 8 GiB.
	MaxBytesRead int64
	// JobTimeout is how long a job may run before the service ends it; 0 = one hour.
	JobTimeout time.Duration
	// Fence is the lease under which this process writes; without one nothing
	// keeps two processes apart.
	Fence Fence
	// Staging is where large loads go first, as gs://bucket/prefix; "" = they are
	// sent with the request. StagedBytes is what a large load has; 0 = 8 MiB.
	Staging     string
	StagedBytes int64
	// FileBytes is what one file of a load has at most, more or less; 0 = 256 MiB.
	FileBytes int64
	// Existing opens a ledger that is there: Migrate makes nothing, and fails with
	// warehouse.ErrNone or ErrOutdated where it would have to. Of several processes
	// one at a time may open without it.
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
	o       Options
	client  *bigquery.Client
	dataset *bigquery.Dataset
	scratch *bigquery.Dataset          // of work tables
	tables  map[string]warehouse.Table // that Migrate was given
	names   map[string]string          // full names of tables and views
	works   map[string]work            // by their names in a text
	made    []string                   // tables of scratch that this process made and not yet dropped
	pending []*warehouse.Loaded        // neither applied nor discarded
	count   int                        // of work tables
	jobs    int                        // how many were begun
	billed  int64                      // bytes
	staging bucket
	storage *storage.Service // nil: not needed yet
	guarded string           // table whose update a guard stops; "" = not made yet
}

var (
	_ warehouse.Warehouse  = (*Store)(nil)
	_ warehouse.Statistics = (*Store)(nil)
	_ warehouse.Estimator  = (*Store)(nil)
)

// work is a work table.
type work struct {
	table   string          // its name in scratch; "" where the rows stand in text
	text    string          // select of few rows, which takes no table and no job
	columns []record.Column // nil: not looked up yet
	raw     bool            // times, dates and amounts are in it as whole numbers
	once    bool            // rows whose first column is stored already are left out
}

// Open makes the client. Whether the dataset can be reached shows in Migrate.
func Open(ctx context.Context, o Options) (*Store, error) {
	if !runName.MatchString(o.Run) || o.Clock == nil {
		return nil, fmt.Errorf("open BigQuery: run %q is not 1 to 40 of a-z, 0-9 and _, or there is no clock", o.Run)
	}
	if o.Fence != (Fence{}) && !leaseName.MatchString(o.Fence.Lease) {
		return nil, fmt.Errorf("open BigQuery: lease %q is not 1 to 60 of a-z, 0-9 and -", o.Fence.Lease)
	}
	place, err := parseBucket(o.Staging)
	if err != nil {
		return nil, fmt.Errorf("open BigQuery: %w", err)
	}
	o = o.withDefaults()
	client, err := bigquery.NewClient(ctx, o.Project, o.Client...)
	if err != nil {
		return nil, fmt.Errorf("open BigQuery project %s: %w", o.Project, err)
	}
	client.Location = o.Location
	return &Store{
		o: o, client: client, staging: place, dataset: client.Dataset(o.Dataset), scratch: client.Dataset(o.WorkDataset),
		tables: map[string]warehouse.Table{}, names: map[string]string{}, works: map[string]work{},
	}, nil
}

// run names only what may stand in job ids, labels and table names.
var runName = regexp.MustCompile(`^[a-z0-9_]{1,40}$`)

func (o Options) withDefaults() Options {
	for number, fallback := range map[*int64]int64{&o.StagedBytes: 8 << 20, &o.FileBytes: 256 << 20, &o.MaxBytesRead: 8 << 30} {
		if *number == 0 {
			*number = fallback
		}
	}
	for text, fallback := range map[*string]string{&o.Location: "US", &o.WorkDataset: o.Dataset} {
		if *text == "" {
			*text = fallback
		}
	}
	if o.JobTimeout == 0 {
		o.JobTimeout = time.Hour
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	return o
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
	s.clear()
	return s.client.Close()
}

// clear drops what this process has made beside the ledger, also where a run was
// stopped. What stays expires.
func (s *Store) clear() {
	ctx, stop := context.WithTimeout(context.Background(), closeMax)
	defer stop()
	var group errgroup.Group
	group.SetLimit(callsMax)
	for _, table := range s.made {
		group.Go(func() error {
			_ = s.scratch.Table(table).Delete(ctx) // it expires
			return nil
		})
	}
	_ = group.Wait() // none fails
	s.made = nil
}

// Compact implements warehouse.Statistics: BigQuery has nothing to make compact.
func (*Store) Compact(context.Context) error { return nil }

// BytesBilled implements warehouse.Statistics: of all jobs, scripts too.
func (s *Store) BytesBilled(context.Context) (int64, error) { return s.billed, nil }

// SizeBytes is the size of all tables of the ledger.
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
		if _, ours := s.tables[t.TableID]; !ours {
			continue // a view, or a work table
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

// full is the full name of a table of the ledger's dataset.
func (s *Store) full(table string) string { return s.fullIn(s.o.Dataset, table) }

func (s *Store) fullIn(dataset, table string) string {
	return "`" + s.o.Project + "`.`" + dataset + "`.`" + table + "`"
}
