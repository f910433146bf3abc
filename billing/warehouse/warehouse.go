// Package warehouse is the port to the engine that holds the books: what an
// engine must do, in five verbs, and the types in which it is asked.
//
// Compute, check, swap: selects and work tables are computed outside of any
// transaction; what follows from them is changed by Apply, in one step made of
// typed changes, in which no select runs. So an engine needs no view of its own
// unfinished writes, and no statement is ever recognised or rewritten: names of
// tables and parameters stand in a text as markers, which a driver fills in.
//
// It owns: the contract, columns and tables, rows in typed values, changes, and
// how a text is filled in.
// It does not own: which tables there are and what their rows mean (meta, manifest,
// outbox, runs, records, months), or any SQL of theirs. Drivers are its children, and
// warehousetest is the suite that each of them passes.
package warehouse

import (
	"context"
	"errors"
	"fmt"

	"chargeback/extract/record"
)

// ErrLocked says that another process holds the ledger; the message names it.
var ErrLocked = errors.New("ledger is in use")

// ErrRead is the ErrLocked of a process that wants to write where others only
// read: they are soon done.
var ErrRead = fmt.Errorf("%w by readers", ErrLocked)

// ErrDamaged says that the ledger is there and can't be what was written.
var ErrDamaged = errors.New("ledger is damaged")

// ErrOutdated says that a ledger that was opened to read, or by a worker that
// makes nothing, was kept by an earlier version of the program and lacks what this
// one keeps in it. Opening it to write adds that.
var ErrOutdated = errors.New("ledger was kept by an earlier version")

// ErrNewer says that a later version of the program has kept the ledger, whose
// tables this one doesn't know.
var ErrNewer = errors.New("ledger was kept by a later version")

// ErrFenced says that a later runner has taken the ledger over.
var ErrFenced = errors.New("a later process writes this ledger")

// ErrChanged says that another process has changed the ledger since it was read:
// a guard of Apply found it, and nothing was kept.
var ErrChanged = errors.New("another process has changed the ledger meanwhile; nothing was kept, run again")

// ErrNone says that there is no ledger yet where one was to be read.
var ErrNone = errors.New("there is none yet")

// Warehouse is an engine that holds the books. It is used by one goroutine at a
// time, but for what Load reads from.
type Warehouse interface {
	// String names the engine and where its data lies, without secrets.
	String() string

	// Migrate brings the tables and views to a layout: it makes what is missing
	// and adds columns that are missing, and never drops or changes one. A process
	// that is killed meanwhile leaves a ledger that the next one migrates. Views are
	// made again where their text is another one. A column of another type, which
	// no version has changed, is an error that names it. An engine that may make nothing
	// returns ErrNone where there is no ledger and ErrOutdated where it is an earlier
	// one; every engine returns ErrNewer where the ledger's version is a later one.
	Migrate(ctx context.Context, layout Layout) error

	// Query calls yield for every row of one select, and ends with its error.
	Query(ctx context.Context, s Select, yield func(Row) error) error

	// Compute makes a work table of the rows of a select, in place of an earlier one
	// of that name, which the select may read. Later selects and changes read it as
	// {name}. Nobody else sees it, and it goes with Close, or when it is dropped. A name
	// of the layout is refused. Where it fails, the earlier one stays.
	Compute(ctx context.Context, name string, s Select) error

	// Put makes a work table of rows of Go values, in the order of the columns, in
	// place of an earlier one of that name.
	Put(ctx context.Context, name string, columns []record.Column, rows [][]any) error

	// Drop drops work tables; names of none are no error.
	Drop(ctx context.Context, names ...string) error

	// Load takes in batches of a staged table until the channel is closed, and gives
	// every batch back through done. The rows are in the table when Apply is given
	// what Load returns; until then nobody is promised to see them, and with Close, or
	// Discard, they are gone. Of a schema that has rows once, those are left out whose
	// first column is in the table or was loaded before. With an error nothing stays of
	// all that was loaded and not applied, and the channel is drained. Until it is
	// applied or discarded no Apply may be called without it, and work tables that are
	// made meanwhile may go with it.
	Load(ctx context.Context, schema *record.Schema, batches <-chan *record.Batch, done func(*record.Batch)) (*Loaded, error)

	// Discard takes back what was loaded and not applied.
	Discard(ctx context.Context) error

	// Apply makes all changes, in their order, or none of them: where one fails, where
	// ctx is cancelled before it begins, or where the process ends. No select runs
	// inside of it but those of guards. Where a guard counts other than 0 it returns the
	// guard's error. Without changes it does nothing. What was loaded is kept by it, or
	// gone with its error.
	Apply(ctx context.Context, changes ...Change) error

	Close() error
}

// Exclusive is an engine whose ledger is open to one process alone while that may
// write, so that what the process has read of it stays true until it writes itself.
type Exclusive interface{ Exclusive() bool }

// Statistics is what some engines know of themselves.
type Statistics interface {
	// BytesBilled is how many bytes the statements of this process have been billed
	// for so far, where the warehouse bills by that; 0 elsewhere.
	BytesBilled(ctx context.Context) (int64, error)

	// SizeBytes is the size of the ledger on disk or in the warehouse.
	SizeBytes(ctx context.Context) (int64, error)

	// Compact makes what was applied compact on disk, as Close does.
	Compact(ctx context.Context) error
}

// Querier is what reads.
type Querier interface {
	Query(ctx context.Context, s Select, yield func(Row) error) error
}
