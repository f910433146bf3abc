package bqledger

import (
	"context"
	"fmt"
	"strings"

	"chargeback/billing/ledger"
)

// Fence is the lease under which a process writes. Every transaction of it
// first notes the lease's generation and fails where a later one is noted, so a
// process that was frozen and wakes up without its lease can't write, whatever
// it still believes.
type Fence struct {
	Lease      string
	Owner      string
	Generation int64
}

// fencesTable holds the newest generation of each lease that has written.
var fencesTable = ledger.Table{Name: "fences", About: "Newest generation of each lease under which this ledger was written", Columns: []ledger.Column{
	{Name: "lease", Type: ledger.Text, About: "runner, or the shard"},
	{Name: "generation", Type: ledger.Int, About: "grows each time that the lease is taken"},
	{Name: "owner", Type: ledger.Text, About: "process that holds it"},
}}

// makeFence makes the table of fences where there is none.
func (s *Store) makeFence(ctx context.Context) error {
	if s.o.Fence == (Fence{}) {
		return nil
	}
	return migrated(fencesTable, s.migrateTable(ctx, fencesTable))
}

// raise makes the fence's row where there is none and notes this generation,
// before anything is read: what an earlier holder has under way then fails.
func (s *Store) raise(ctx context.Context) error {
	if s.o.Fence == (Fence{}) {
		return nil
	}
	s.tables[fencesTable.Name], s.names[fencesTable.Name] = fencesTable, s.full(fencesTable.Name)
	text, err := plain(`
insert into fences (lease, generation, owner)
select @lease, 0, ''
from (select 1)
where not exists (select 1 from fences where lease = @lease)`, s.fenceArgs())
	if err != nil {
		return err
	}
	if err := s.statement(ctx, "make the fence", renamed(text, s.names)); err != nil {
		return err
	}
	return s.commit(ctx, "raise the fence")
}

func (s *Store) fenceArgs() ledger.Args {
	return ledger.Args{"lease": s.o.Fence.Lease, "owner": s.o.Fence.Owner, "generation": s.o.Fence.Generation}
}

// The messages with which a script refuses.
const (
	lostLease = "lease lost: "
	changed   = "changed meanwhile"
)

// Require implements ledger.Engine. Within a transaction it becomes a part of
// the script. All scripts write the fences, so two that overlap don't both end:
// BigQuery aborts one, which then runs again and sees what the other has done.
func (s *Store) Require(ctx context.Context, text string, args ledger.Args) error {
	text, err := plain(text, args)
	if err != nil {
		return err
	}
	if s.tx != nil && s.o.Fence != (Fence{}) {
		guard, err := plain("update fences set owner = if(("+text+") <> 0, error('"+changed+"'), @owner) where lease = @lease", s.fenceArgs())
		if err != nil {
			return err
		}
		s.tx.script = append(s.tx.script, s.inScript(guard))
		return nil
	}
	return s.Query(ctx, text, nil, func(r ledger.Row) error {
		if r.Int(0) != 0 {
			return ledger.ErrChanged
		}
		return nil
	})
}

// refusal gives an error of a script that refused what the ledger calls it.
func refusal(err error) error {
	switch {
	case err == nil || !refused(err):
		return err
	case strings.Contains(err.Error(), changed):
		return ledger.ErrChanged
	}
	return fmt.Errorf("%w; wait for it, then run again: %w", ledger.ErrFenced, err)
}

func refused(err error) bool {
	return strings.Contains(err.Error(), changed) || strings.Contains(err.Error(), lostLease)
}

// commit runs statements, in which all names are full, so that all take effect
// or none: behind the fence, as one script.
func (s *Store) commit(ctx context.Context, what string, statements ...string) error {
	if s.o.Fence != (Fence{}) {
		text, err := plain(`
update fences set
  generation = if(generation > @generation, cast(error(concat('`+lostLease+`', owner, ' took ', lease)) as int64), @generation),
  owner = @owner
where lease = @lease`, s.fenceArgs())
		if err != nil {
			return err
		}
		statements = append([]string{renamed(text, s.names)}, statements...)
	}
	script := strings.Join(statements, ";\n")
	if len(statements) > 1 {
		script = "begin transaction;\n" + script + ";\ncommit transaction;"
	}
	return refusal(s.statement(ctx, what, script))
}
