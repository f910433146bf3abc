// Package duckdb keeps the warehouse in DuckDB, in the same process.
//
// It owns: the file, its lock, what DuckDB's errors mean (fault.go), the loading
// of batches through a table function, and the few words of SQL in which DuckDB
// differs.
// It does not own: the contract (billing/warehouse), or any rule of the books.
package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	driver "github.com/duckdb/duckdb-go/v2"

	"chargeback/billing/warehouse"
)

// Options says where the ledger lies and what it may use.
type Options struct {
	Path        string
	MemoryBytes int64  // buffer memory; 0 = 1 GB
	TempDir     string // where big joins spill; "" = Path + ".tmp"; of readers each needs its own
	Threads     int    // 0 = all cores
	// ReadOnly opens a ledger that is there and changes nothing of it, beside
	// others who do the same. The user needs no right to write.
	ReadOnly bool
}

// Store is the engine. It is used by one goroutine at a time.
type Store struct {
	path       string
	readOnly   bool
	lock       *lock
	db         *sql.DB
	conn       *sql.Conn
	streams    *streams
	layout     map[string]*warehouse.Table // by name; nil for views
	work       map[string]workTable
	workFile   string               // of wide work tables
	attached   bool                 // the file is there
	madeFolder bool                 // its folder was not there before
	loaded     []*warehouse.Loaded  // in the transaction that is open while there are any
	workBefore map[string]workTable // work tables when it began
}

var (
	_ warehouse.Warehouse  = (*Store)(nil)
	_ warehouse.Statistics = (*Store)(nil)
	_ warehouse.Exclusive  = (*Store)(nil)
)

// MemoryDefault is the buffer memory where nobody names any.
const MemoryDefault = 1_000_000_000

// Open opens the file, or makes it. It returns warehouse.ErrLocked at once where
// another process has it open, warehouse.ErrRead where others only read it, and
// warehouse.ErrDamaged where it is no ledger any more.
func Open(ctx context.Context, o Options) (_ *Store, err error) {
	if strings.ContainsAny(o.Path, "?#") {
		return nil, fmt.Errorf("open ledger %s: a path with ? or # is none that DuckDB can open; rename it", o.Path)
	}
	if !o.ReadOnly {
		if err := os.MkdirAll(filepath.Dir(o.Path), 0o700); err != nil {
			return nil, fmt.Errorf("make the ledger's folder: %w", err)
		}
	}
	s := &Store{path: o.Path, readOnly: o.ReadOnly, streams: newStreams(), work: map[string]workTable{}}
	if s.lock, err = lockFile(o.Path, o.ReadOnly); err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", o.Path, err)
	}
	if err := s.connect(ctx, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) connect(ctx context.Context, o Options) error {
	place := o.Path
	if o.ReadOnly {
		place += "?access_mode=read_only"
	}
	connector, err := driver.NewConnector(place, nil)
	if err != nil {
		return s.openFault(err)
	}
	s.db = sql.OpenDB(connector)
	if s.lock == nil { // DuckDB has made the file
		if err := os.Chmod(o.Path, 0o600); err != nil {
			return fmt.Errorf("make ledger %s private: %w", o.Path, err)
		}
		if s.lock, err = lockFile(o.Path, false); err != nil {
			return fmt.Errorf("open ledger %s: %w", o.Path, err)
		}
	}
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return s.openFault(err)
	}
	return s.prepare(ctx, o)
}

// prepare sets limits and makes the functions that markers stand for. Stored
// views call them too, so they lie in the file.
func (s *Store) prepare(ctx context.Context, o Options) error {
	if o.MemoryBytes == 0 {
		o.MemoryBytes = MemoryDefault
	}
	if o.TempDir == "" {
		o.TempDir = o.Path + ".tmp"
	}
	s.workFile = workFile(o)
	if !o.ReadOnly { // what a process that was killed has left
		if err := s.removeWork(); err != nil {
			return err
		}
	}
	kind := "" // a ledger keeps them; who may not write has them for the time being
	if o.ReadOnly {
		kind = "temp "
	}
	statements := []string{
		"set errors_as_json = true", // fault.go reads them
		"set preserve_insertion_order = false",
		fmt.Sprintf("set memory_limit = '%dMB'", max(1, o.MemoryBytes/1_000_000)),
		"set temp_directory = " + quote(o.TempDir),
		"set timezone = 'UTC'",
		"set write_buffer_row_group_count = 1", // of each thread, before they are written
		mergeNone,
		"set autoinstall_known_extensions = false",
		"set autoload_known_extensions = false",
		"create " + kind + "type if not exists bignumeric as decimal(38, 12)",
		// usd turns whole pico-dollars into an amount without leaving integers.
		"create " + kind + "macro if not exists usd(pico) as cast(pico * 0.000000000001::decimal(13, 12) as decimal(18, 12))",
		"create " + kind + "macro if not exists total_usd(amount) as cast(coalesce(sum(amount), 0) as decimal(38, 12))",
		"create " + kind + "macro if not exists month_of(d) as strftime(d, '%Y-%m')",
		"create " + kind + "macro if not exists micros_of(t) as epoch_us(t)",
		"create " + kind + "macro if not exists utc_minute_of_week(t) as (epoch_us(t) // 60000000 + 5760) % 10080",
		"create " + kind + "macro if not exists id_key(t) as cast(case when regexp_full_match(t, '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}') and substr(t, 15, 1) <> '8' then t else substr(sha256(t), 1, 12) || '8' || substr(sha256(t), 14, 19) end as uuid)",
		"create " + kind + "macro if not exists first_of_month(d) as cast(date_trunc('month', d) as date)",
	}
	if o.Threads > 0 {
		statements = append(statements, fmt.Sprintf("set threads = %d", o.Threads))
	}
	for _, text := range statements {
		if _, err := run(ctx, s.conn, text); err != nil {
			return fmt.Errorf("set up DuckDB: %s: %w", text, s.fault(err))
		}
	}
	return s.streams.register(s.conn)
}

// A checkpoint merges what rows were left of row groups, and those that threads have
// not filled: it writes a table that was just written once more. That is worth it where
// rows of days were dropped, whose room nothing else gives back.
const (
	mergeNone = "set max_vacuum_tasks = 0"
	mergeSome = "set max_vacuum_tasks = 100" // DuckDB's default
)

// String names the file.
func (s *Store) String() string { return "duckdb " + s.path }

// Exclusive implements warehouse.Exclusive, by the lock on the file.
func (s *Store) Exclusive() bool { return !s.readOnly }

// Close writes the log into the file and releases the file and its lock. What was
// loaded and not applied is gone.
func (s *Store) Close() error {
	var err error
	if s.conn != nil {
		err = errors.Join(s.Discard(context.Background()), s.conn.Close())
	}
	if s.db != nil {
		err = errors.Join(err, s.db.Close())
	}
	if s.attached {
		err = errors.Join(err, s.removeWork())
		if s.madeFolder {
			_ = os.Remove(filepath.Dir(s.workFile)) // where nothing else lies there
		}
	}
	return errors.Join(s.fault(err), s.lock.release())
}

// Compact implements warehouse.Statistics: the log is written into the file.
func (s *Store) Compact(ctx context.Context) error { return s.exec(ctx, "checkpoint") }

// BytesBilled implements warehouse.Statistics: nothing is billed.
func (*Store) BytesBilled(context.Context) (int64, error) { return 0, nil }

// SizeBytes implements warehouse.Statistics: the file and its log.
func (s *Store) SizeBytes(context.Context) (int64, error) {
	info, err := os.Stat(s.path)
	if err != nil {
		return 0, fmt.Errorf("size of ledger: %w", err)
	}
	size := info.Size()
	if log, err := os.Stat(s.path + ".wal"); err == nil {
		size += log.Size()
	}
	return size, nil
}

// exec runs one statement.
func (s *Store) exec(ctx context.Context, text string) error {
	_, err := run(ctx, s.conn, text)
	return s.fault(err)
}
