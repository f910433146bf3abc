// Package duckledger keeps the ledger in DuckDB, in the same process.
//
// It owns: the file, its lock, the staging of batches through a table
// function, and the few words of SQL in which DuckDB differs.
// It does not own: any rule of the ledger (billing/ledger).
package duckledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"chargeback/billing/ledger"
)

// Options says where the ledger lies and what it may use.
type Options struct {
	Path        string
	MemoryBytes int64  // buffer memory; 0 = 1 GB
	TempDir     string // where big joins spill; "" = Path + ".tmp"
	Threads     int    // 0 = all cores
}

// Store is the engine. It is used by one goroutine at a time.
type Store struct {
	path    string
	db      *sql.DB
	conn    *sql.Conn
	streams *streams
}

var _ ledger.Engine = (*Store)(nil)

const memoryDefault = 1_000_000_000

// Open opens the file, or makes it. It returns ledger.ErrLocked at once where
// another process has it open.
func Open(ctx context.Context, o Options) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(o.Path), 0o755); err != nil {
		return nil, fmt.Errorf("make the ledger's folder: %w", err)
	}
	connector, err := duckdb.NewConnector(o.Path, nil)
	if err != nil {
		return nil, openError(o.Path, err)
	}
	s := &Store{path: o.Path, db: sql.OpenDB(connector), streams: newStreams()}
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return nil, errors.Join(openError(o.Path, err), s.db.Close())
	}
	if err := s.prepare(ctx, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

var holder = regexp.MustCompile(`PID (\d+)`)

func openError(path string, err error) error {
	if !strings.Contains(err.Error(), "lock") {
		return fmt.Errorf("open ledger %s: %w", path, err)
	}
	who := "another process"
	if m := holder.FindStringSubmatch(err.Error()); m != nil {
		who = "process " + m[1]
	}
	return fmt.Errorf("open ledger %s: %w by %s; wait until it ends, or end it", path, ledger.ErrLocked, who)
}

// prepare sets limits and makes the functions that models call by the same
// names on every engine.
func (s *Store) prepare(ctx context.Context, o Options) error {
	if o.MemoryBytes == 0 {
		o.MemoryBytes = memoryDefault
	}
	if o.TempDir == "" {
		o.TempDir = o.Path + ".tmp"
	}
	statements := []string{
		"set preserve_insertion_order = false",
		fmt.Sprintf("set memory_limit = '%dMB'", max(1, o.MemoryBytes/1_000_000)),
		"set temp_directory = " + quote(o.TempDir),
		"set timezone = 'UTC'",
		"set autoinstall_known_extensions = false",
		"set autoload_known_extensions = false",
		"create type if not exists bignumeric as decimal(38, 12)",
		// usd turns whole pico-dollars into an amount without leaving integers.
		"create macro if not exists usd(pico) as cast(pico * 0.000000000001::decimal(13, 12) as decimal(18, 12))",
		"create macro if not exists total_usd(amount) as cast(coalesce(sum(amount), 0) as decimal(38, 12))",
		"create macro if not exists month_of(d) as strftime(d, '%Y-%m')",
		"create macro if not exists micros_of(t) as epoch_us(t)",
		"create macro if not exists utc_minute_of_week(t) as (epoch_us(t) // 60000000 + 5760) % 10080",
		"create macro if not exists first_of_month(d) as cast(date_trunc('month', d) as date)",
	}
	if o.Threads > 0 {
		statements = append(statements, fmt.Sprintf("set threads = %d", o.Threads))
	}
	for _, text := range statements {
		if _, err := s.conn.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("set up DuckDB: %s: %w", text, err)
		}
	}
	return s.streams.register(s.conn)
}

// String names the file.
func (s *Store) String() string { return "duckdb " + s.path }

// Close writes the log into the file and releases the file and its lock.
func (s *Store) Close() error { return errors.Join(s.conn.Close(), s.db.Close()) }

// Checkpoint writes the log into the file.
func (s *Store) Checkpoint(ctx context.Context) error { return s.Exec(ctx, "checkpoint", nil) }

// Processed implements ledger.Engine: nothing is billed.
func (*Store) Processed(context.Context) (int64, error) { return 0, nil }

// SizeBytes is the size of the file and of its log.
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

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func literal(v any) (string, error) {
	if text, is := v.(string); is && strings.Contains(text, "\x00") {
		return "", errors.New("text with a NUL character, which DuckDB's SQL can't say")
	}
	return ledger.Literal(v, quote)
}
