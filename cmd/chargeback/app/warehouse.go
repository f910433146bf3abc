package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"google.golang.org/api/option"

	"chargeback/billing/ledger"
	"chargeback/billing/manifest"
	"chargeback/billing/outbox"
	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/bigquery"
	"chargeback/billing/warehouse/duckdb"
	"chargeback/config"
	"chargeback/extract/store"
	"chargeback/extract/store/s3store"
	"chargeback/jobs"
	"chargeback/transform/strictyaml"
)

// EngineDecorator is put around the warehouse.
type EngineDecorator = func(warehouse.Warehouse) warehouse.Warehouse

// Access is what a command wants of the ledger.
type Access string

// The kinds of access. Any other is that of one part of a night, by its name.
const (
	ToRead  Access = ""       // reads, and makes nothing
	ToTry   Access = "try"    // reads, and writes what does not stay: alone in a file
	AsOwner Access = "runner" // the one process that writes
)

// keeps says whether what the command writes stays, so that no other process may
// do the same meanwhile: that of the runner, and of one part of a night.
func (a Access) keeps() bool { return a != ToRead && a != ToTry }

// LeaseTTL is how long a lease holds after its last renewal: as long as a dead
// process keeps the next one waiting.
const LeaseTTL = 2 * time.Minute

// LedgerPlace names where the ledger lies.
func (s Settings) LedgerPlace() string {
	c := s.Config
	if c.Warehouse.Engine == config.EngineBigQuery {
		return "BigQuery " + c.Warehouse.Project + "." + c.Warehouse.Dataset
	}
	return c.Path(c.Warehouse.Path)
}

// openLedger opens the ledger and the books on it, still without sources and
// messenger.
func (a *App) openLedger(ctx context.Context, want Access) error {
	cfg := a.Settings.Config
	engine, err := a.openEngine(ctx, want)
	if err != nil {
		return err
	}
	a.closers = append(a.closers, engine.Close)
	if a.options.Engine != nil {
		engine = a.options.Engine(engine)
	}
	opened := ledger.Open
	if want != AsOwner {
		opened = ledger.OpenExisting // others may be at it
	}
	kept, err := opened(ctx, engine, cfg.Zone(), cfg.Company.Start.String())
	if err != nil {
		return err
	}
	fonts, err := openFonts(cfg, a.options.Getenv)
	if err != nil {
		return err
	}
	a.Books = newBooks(a.Settings, fonts)
	a.Manifest, a.Ledger, a.Outbox = manifest.New(engine), kept, outbox.New(engine)
	return nil
}

// openCurrent is openLedger, but brings a ledger of an earlier version to this
// one's first.
func (a *App) openCurrent(ctx context.Context, want Access) error {
	outdated := a.openLedger(ctx, want)
	if !errors.Is(outdated, warehouse.ErrOutdated) {
		return outdated
	}
	err := errors.Join(a.Close(), a.openLedger(ctx, AsOwner))
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w, and this user may not bring it up to date; run chargeback once as its owner", outdated)
	}
	return err
}

// openEngine opens the warehouse. On BigQuery a command that writes takes the
// lease first, and a.running ends when the lease is lost; a DuckDB file has a
// lock of its own.
func (a *App) openEngine(ctx context.Context, want Access) (warehouse.Warehouse, error) {
	if a.Settings.Config.Warehouse.Engine == config.EngineBigQuery {
		return a.openBigQuery(ctx, want)
	}
	return a.openFile(ctx, want)
}

// openFile opens the DuckDB file. Who reads waits for the one that writes, and
// who writes for those that read, as long as --wait says; a second one that
// writes is refused at once.
func (a *App) openFile(ctx context.Context, want Access) (warehouse.Warehouse, error) {
	c := a.Settings.Config.Warehouse
	limit := cmp.Or(int64(c.MemoryLimit), duckdb.MemoryDefault)
	limitGo(limit, a.options.Getenv)
	o := duckdb.Options{Path: a.Settings.Config.Path(c.Path), MemoryBytes: sharedMemory(limit), TempDir: a.Settings.Config.Path(c.TempDir), Threads: c.Threads, ReadOnly: want == ToRead}
	if _, err := os.Stat(o.Path); want != AsOwner && err != nil {
		return nil, fmt.Errorf("open ledger %s: %w; make it with \"chargeback run\", or correct warehouse.path", o.Path, warehouse.ErrNone)
	}
	if o.ReadOnly {
		o.TempDir = readersTemp(o.TempDir)
	}
	patience := time.NewTimer(a.options.Wait)
	defer patience.Stop()
	for told := false; ; told = true {
		engine, err := duckdb.Open(ctx, o)
		if err == nil {
			return engine, nil
		}
		if !errors.Is(err, warehouse.ErrLocked) || want == AsOwner && !errors.Is(err, warehouse.ErrRead) || a.options.Wait == 0 {
			return nil, err
		}
		if !told {
			fmt.Fprintf(a.options.Err, "chargeback: waiting for up to %s (--wait): %s\n", a.options.Wait, strictyaml.HideSecrets(err.Error()))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-patience.C:
			return nil, err
		case <-time.After(lockPause):
		}
	}
}

// lockPause is how long a process that waits for the ledger sleeps between two
// looks at it.
const lockPause = 100 * time.Millisecond

// readersTemp is where one reader spills: beside the folder of runs, where this
// user may write, else where temporary files lie. Readers don't share it. DuckDB
// makes it when it is needed, and removes it.
func readersTemp(runs string) string {
	mark := make([]byte, 8)
	_, _ = rand.Read(mark) // never fails
	dir := filepath.Dir(runs)
	if syscall.Access(dir, accessWrite) != nil {
		dir = os.TempDir()
	}
	return filepath.Join(dir, ".chargeback-"+hex.EncodeToString(mark)+".tmp")
}

// accessWrite is W_OK of access(2).
const accessWrite = 2

func (a *App) openBigQuery(ctx context.Context, want Access) (*bigquery.Store, error) {
	c := a.Settings.Config.Warehouse
	mark := make([]byte, 4)
	if _, err := rand.Read(mark); err != nil {
		return nil, err
	}
	host, _ := os.Hostname() // a lease without it still says which process
	run := fmt.Sprintf("%s_%s", a.options.Now().UTC().Format("20060102t150405"), hex.EncodeToString(mark))
	o := bigquery.Options{
		Project: c.Project, Dataset: c.Dataset, WorkDataset: c.WorkDataset, Location: c.Location, Run: run,
		MaxBytesBilled: int64(c.MaxBytesBilled), JobTimeout: time.Duration(c.JobTimeout), Staging: c.Staging, Existing: want != AsOwner, Clock: a.options.Now,
	}
	var err error
	if o.Client, o.StorageClient, err = a.googleClients(); err != nil {
		return nil, err
	}
	if want.keeps() {
		owner := fmt.Sprintf("process %d on %s (%s)", os.Getpid(), cmp.Or(host, "an unnamed host"), run)
		if o.Fence, err = a.takeLease(ctx, string(want), owner); err != nil {
			return nil, err
		}
	}
	return bigquery.Open(ctx, o)
}

// googleClients are the credentials for BigQuery and its bucket. A server whose
// address is plain http gets none: they would be readable on the way.
func (a *App) googleClients() (bigQuery, storage []option.ClientOption, err error) {
	c := a.Settings.Config.Warehouse
	if c.Endpoint != "" {
		bigQuery = append(bigQuery, option.WithEndpoint(strings.TrimSuffix(c.Endpoint, "/")+"/bigquery/v2/"))
	}
	if strings.HasPrefix(c.Endpoint, "http://") {
		return append(bigQuery, option.WithoutAuthentication()), []option.ClientOption{option.WithoutAuthentication()}, nil
	}
	if c.Credentials == "" {
		return bigQuery, nil, nil
	}
	text, err := a.Settings.Config.ReadFile(c.Credentials)
	if err != nil {
		return nil, nil, mistake("warehouse.credentials: %w", config.UnreadFile(c.Credentials, err))
	}
	var kind struct{ Type string }
	if err := json.Unmarshal(text, &kind); err != nil || kind.Type == "" {
		return nil, nil, mistake("warehouse.credentials: %s is not a credentials file of Google's: it has no type", a.Settings.Config.ShownFile(c.Credentials))
	}
	with := option.WithAuthCredentialsJSON(option.CredentialsType(kind.Type), text)
	return append(bigQuery, with), []option.ClientOption{with}, nil
}

// takeLease makes this process the only one under that name, until Close.
func (a *App) takeLease(ctx context.Context, name, owner string) (bigquery.Fence, error) {
	slot, err := a.leaseSlot(ctx, name)
	if err != nil {
		return bigquery.Fence{}, err
	}
	lease, err := jobs.AcquireLease(ctx, slot, jobs.LeaseOptions{Name: "lease " + slot.String(), Owner: owner, TTL: LeaseTTL, Clock: a.options.Now})
	if err != nil {
		return bigquery.Fence{}, err
	}
	var stop func()
	a.running, stop = lease.Keep(ctx)
	a.closers = append(a.closers, func() error {
		defer stop()
		return lease.Release(context.WithoutCancel(ctx))
	})
	return bigquery.Fence{Lease: name, Owner: owner, Generation: lease.Generation()}, nil
}

// leaseSlot is the object that says who has a lease of this ledger.
func (a *App) leaseSlot(ctx context.Context, name string) (*s3store.Slot, error) {
	c := a.Settings.Config.Warehouse
	place, err := store.ParseURL(c.Lease.URL)
	if err != nil {
		return nil, fmt.Errorf("warehouse.lease: %w", err)
	}
	options, err := a.s3Options(place, c.Lease.S3)
	if err != nil {
		return nil, fmt.Errorf("warehouse.lease: %w", err)
	}
	bucket, err := s3store.New(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("warehouse.lease: %w", err)
	}
	a.closers = append(a.closers, bucket.Close)
	return bucket.Slot("lease/" + c.Project + "." + c.Dataset + "/" + name + ".json"), nil
}

// CheckRights asks for what runs may do in BigQuery: run jobs, and make tables
// where there is a dataset.
func (a *App) CheckRights(ctx context.Context) error {
	return a.asksBigQuery(ctx, (*bigquery.Store).CheckRights)
}

// CheckStaging writes and removes a small object where loads go through.
func (a *App) CheckStaging(ctx context.Context) error {
	return a.asksBigQuery(ctx, (*bigquery.Store).CheckStaging)
}

// CheckFacts looks up what is set at Google's beside the settings: where datasets and
// the staging bucket lie, and whether what is kept would expire.
func (a *App) CheckFacts(ctx context.Context) (facts bigquery.Facts, err error) {
	err = a.asksBigQuery(ctx, func(s *bigquery.Store, ctx context.Context) (err error) {
		facts, err = s.Facts(ctx)
		return err
	})
	return facts, err
}

func (a *App) asksBigQuery(ctx context.Context, ask func(*bigquery.Store, context.Context) error) error {
	engine, err := a.openBigQuery(ctx, ToRead)
	if err != nil {
		return err
	}
	return errors.Join(ask(engine, ctx), engine.Close())
}

// CheckLease takes a lease of its own and gives it back, beside the one that runs
// take. It returns where that lies and who holds it, nil where it is free.
func (a *App) CheckLease(ctx context.Context) (place string, held *jobs.HeldError, err error) {
	own := New(a.Settings, a.options)
	_, err = own.takeLease(ctx, "doctor", "chargeback doctor")
	if err = errors.Join(err, own.Close()); err != nil && !errors.Is(err, jobs.ErrHeld) { // another doctor has it
		return "", nil, err
	}
	slot, err := a.leaseSlot(ctx, string(AsOwner))
	if err != nil {
		return "", nil, err
	}
	held, err = jobs.LeaseHolder(ctx, slot, slot.String(), a.options.Now())
	return slot.String(), held, err
}
