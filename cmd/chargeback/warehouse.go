package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"google.golang.org/api/option"

	"chargeback/billing/ledger"
	"chargeback/billing/ledger/bqledger"
	"chargeback/billing/ledger/duckledger"
	"chargeback/config"
	"chargeback/extract/objstore"
	"chargeback/extract/objstore/s3store"
	"chargeback/jobs"
)

// access is what a command wants of the ledger.
type access string

const (
	toLook  access = ""       // reads, and makes nothing
	toTry   access = "try"    // reads, and writes what does not stay: alone in a file
	asOwner access = "runner" // the one process that writes
)

// keeps says whether what the command writes stays, so that no other process may
// do the same meanwhile: that of the runner, and of one part of a night.
func (a access) keeps() bool { return a != toLook && a != toTry }

// leaseTTL is how long a lease holds after its last renewal: as long as a dead
// process keeps the next one waiting.
const leaseTTL = 2 * time.Minute

// ledgerPlace names where the ledger lies.
func ledgerPlace(c *config.Config) string {
	if c.Warehouse.Engine == config.EngineBigQuery {
		return "BigQuery " + c.Warehouse.Project + "." + c.Warehouse.Dataset
	}
	return c.Path(c.Warehouse.Path)
}

// openEngine opens the warehouse. On BigQuery a command that writes takes the
// lease first, and a.running ends when the lease is lost; a DuckDB file has a
// lock of its own.
func (a *app) openEngine(ctx context.Context, w world, want access) (ledger.Engine, error) {
	if a.config.Warehouse.Engine == config.EngineBigQuery {
		return a.openBigQuery(ctx, w, want)
	}
	return a.openFile(ctx, w, want)
}

// openFile opens the DuckDB file. Who reads waits for the one that writes, and
// who writes for those that read, as long as --wait says; a second one that
// writes is refused at once.
func (a *app) openFile(ctx context.Context, w world, want access) (ledger.Engine, error) {
	c := a.config.Warehouse
	o := duckledger.Options{Path: a.config.Path(c.Path), MemoryBytes: int64(c.MemoryLimit), TempDir: a.config.Path(c.TempDir), Threads: c.Threads, ReadOnly: want == toLook}
	if want != asOwner && !exists(o.Path) {
		return nil, fmt.Errorf("open ledger %s: %w; make it with \"chargeback run\", or correct warehouse.path", o.Path, ledger.ErrNone)
	}
	if o.ReadOnly {
		o.TempDir = readersTemp(o.TempDir)
	}
	patience := time.NewTimer(w.patience())
	defer patience.Stop()
	for told := false; ; told = true {
		engine, err := duckledger.Open(ctx, o)
		if err == nil {
			return engine, nil
		}
		if !errors.Is(err, ledger.ErrLocked) || want == asOwner && !errors.Is(err, ledger.ErrRead) || w.patience() == 0 {
			return nil, err
		}
		if !told {
			fmt.Fprintf(w.err, "chargeback: waiting for up to %s (--wait): %s\n", w.patience(), withoutSecrets(err))
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

// patience is how long to wait for a ledger that others hold.
func (w world) patience() time.Duration {
	if w.wait == nil {
		return 0
	}
	return *w.wait
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

func (a *app) openBigQuery(ctx context.Context, w world, want access) (*bqledger.Store, error) {
	c := a.config.Warehouse
	mark := make([]byte, 4)
	if _, err := rand.Read(mark); err != nil {
		return nil, err
	}
	host, _ := os.Hostname() // a lease without it still says which process
	run := fmt.Sprintf("%s_%s", w.now().UTC().Format("20060102t150405"), hex.EncodeToString(mark))
	o := bqledger.Options{
		Project: c.Project, Dataset: c.Dataset, Location: c.Location, Run: run, MaxBytesBilled: int64(c.MaxBytesBilled), Staging: c.Staging, Existing: want != asOwner, Clock: w.now,
	}
	var err error
	if o.Client, o.StorageClient, err = a.googleClients(); err != nil {
		return nil, err
	}
	if want.keeps() {
		owner := fmt.Sprintf("process %d on %s (%s)", os.Getpid(), cmp.Or(host, "an unnamed host"), run)
		if o.Fence, err = a.takeLease(ctx, w, string(want), owner); err != nil {
			return nil, err
		}
	}
	return bqledger.Open(ctx, o)
}

// googleClients are the credentials for BigQuery and its bucket. A server whose
// address is plain http gets none: they would be readable on the way.
func (a *app) googleClients() (bigQuery, storage []option.ClientOption, err error) {
	c := a.config.Warehouse
	if c.Endpoint != "" {
		bigQuery = append(bigQuery, option.WithEndpoint(strings.TrimSuffix(c.Endpoint, "/")+"/bigquery/v2/"))
	}
	if strings.HasPrefix(c.Endpoint, "http://") {
		return append(bigQuery, option.WithoutAuthentication()), []option.ClientOption{option.WithoutAuthentication()}, nil
	}
	if c.Credentials == "" {
		return bigQuery, nil, nil
	}
	text, err := a.config.ReadFile(c.Credentials)
	if err != nil {
		return nil, nil, usage("warehouse.credentials: %w", config.UnreadFile(c.Credentials, err))
	}
	var kind struct{ Type string }
	if err := json.Unmarshal(text, &kind); err != nil || kind.Type == "" {
		return nil, nil, usage("warehouse.credentials: %s is not a credentials file of Google's: it has no type", a.config.ShownFile(c.Credentials))
	}
	with := option.WithAuthCredentialsJSON(option.CredentialsType(kind.Type), text)
	return append(bigQuery, with), []option.ClientOption{with}, nil
}

// takeLease makes this process the only one under that name, until Close.
func (a *app) takeLease(ctx context.Context, w world, name, owner string) (bqledger.Fence, error) {
	slot, err := a.leaseSlot(ctx, w, name)
	if err != nil {
		return bqledger.Fence{}, err
	}
	lease, err := jobs.AcquireLease(ctx, slot, jobs.LeaseOptions{Name: "lease " + slot.String(), Owner: owner, TTL: leaseTTL, Clock: w.now})
	if err != nil {
		return bqledger.Fence{}, err
	}
	var stop func()
	a.running, stop = lease.Keep(ctx)
	a.closers = append(a.closers, func() error {
		defer stop()
		return lease.Release(context.WithoutCancel(ctx))
	})
	return bqledger.Fence{Lease: name, Owner: owner, Generation: lease.Generation()}, nil
}

// leaseSlot is the object that says who has a lease of this ledger.
func (a *app) leaseSlot(ctx context.Context, w world, name string) (*s3store.Slot, error) {
	c := a.config.Warehouse
	place, err := objstore.ParseURL(c.Lease.URL)
	if err != nil {
		return nil, fmt.Errorf("warehouse.lease: %w", err)
	}
	options, err := a.s3Options(w, place, c.Lease.S3)
	if err != nil {
		return nil, fmt.Errorf("warehouse.lease: %w", err)
	}
	store, err := s3store.New(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("warehouse.lease: %w", err)
	}
	a.closers = append(a.closers, store.Close)
	return store.Slot("lease/" + c.Project + "." + c.Dataset + "/" + name + ".json"), nil
}

// during runs do for as long as the ledger may be written.
func (a *app) during(ctx context.Context, do func(context.Context, *app) error) error {
	if a.running == nil {
		return do(ctx, a)
	}
	err := do(a.running, a)
	if lost := context.Cause(a.running); err != nil && errors.Is(lost, jobs.ErrLeaseLost) {
		return errors.Join(lost, err)
	}
	return err
}
