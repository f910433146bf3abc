package bigquery

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"chargeback/billing/warehouse"
)

// Fence is the lease under which a process writes. Every Apply of it first
// notes the lease's generation and fails where a later one is noted, so a
// process that was frozen and wakes up without its lease can't write, whatever
// it still believes.
//
// Each lease has a table of one row of its own. BigQuery cancels transactions that
// change one table at once, whatever rows they change: so processes under
// different leases don't meet, and two under the same one do.
type Fence struct {
	Lease      string
	Owner      string
	Generation int64
}

// leaseName are names that give each lease a table of its own.
var leaseName = regexp.MustCompile(`^[a-z0-9-]{1,60}$`)

// fenceTable is the table of the lease.
func (s *Store) fenceTable() string {
	return "fences_" + strings.ReplaceAll(s.o.Fence.Lease, "-", "_")
}

// raise makes the fence where there is none, and notes this generation before
// anything is read: what an earlier holder has under way then fails. It is one
// statement on a table of its own, so it waits for nobody but that holder.
func (s *Store) raise(ctx context.Context, have map[string]bool) error {
	if s.o.Fence == (Fence{}) {
		return nil
	}
	if !have[s.fenceTable()] {
		text := "create table if not exists " + s.full(s.fenceTable()) + "\noptions(description = " + quote("Newest generation of lease "+s.o.Fence.Lease+", under which this ledger was written, and its last change") +
			", labels = [('component', " + quote(ours["component"]) + ")]) as\nselect 0 as generation, '' as owner, '' as applied"
		_, err := s.statement(ctx, task{what: "make the fence", subject: s.fenceTable(), content: text})
		if err != nil && !says(err.Error(), []string{"already exists"}) {
			return err
		}
	}
	text, err := s.noted("raise " + s.o.Run)
	if err != nil {
		return err
	}
	_, err = s.statement(ctx, task{what: "raise the fence", subject: s.fenceTable(), content: text})
	if err = refusal(err, nil); errors.Is(err, errApplied) {
		return nil
	}
	return err
}

// noted is the statement that notes the generation, and the change that is
// made by its name, so that a change that was made is not made again.
func (s *Store) noted(change string) (string, error) {
	return warehouse.Dialect{Literal: literal, Table: func(string) (string, error) { return s.full(s.fenceTable()), nil }}.Fill(warehouse.Select{Text: `update {fence} set
  generation = case
    when generation > {@generation} then cast(error(concat({@lost}, owner, {@took})) as int64)
    when applied = {@change} then cast(error({@done}) as int64)
    else {@generation}
  end,
  owner = {@owner},
  applied = {@change}
where true`, Args: warehouse.Args{
		"generation": s.o.Fence.Generation, "owner": s.o.Fence.Owner, "lost": lostLease, "took": " took " + s.o.Fence.Lease, "change": change, "done": appliedAlready,
	}})
}

// The messages with which a script refuses.
const (
	lostLease      = "lease lost: "
	guardSays      = "a guard refuses change "
	uncounted      = "a guard counts nothing in change "
	appliedAlready = "this change is made already"
)

// errApplied says that an earlier job has made the change, though it was said
// to have failed.
var errApplied = errors.New(appliedAlready)

// refused says that a script has failed by its own word.
func refused(err error) bool {
	return strings.Contains(err.Error(), lostLease) || strings.Contains(err.Error(), guardSays) || strings.Contains(err.Error(), uncounted) || strings.Contains(err.Error(), appliedAlready)
}

// refusal gives an error of a script that refused what the books call it.
func refusal(err error, changes []warehouse.Change) error {
	switch {
	case err == nil || !refused(err):
		return err
	case strings.Contains(err.Error(), appliedAlready):
		return errApplied
	case strings.Contains(err.Error(), lostLease):
		return fmt.Errorf("%w; wait for it, then run again: %w", warehouse.ErrFenced, err)
	}
	for i, c := range changes {
		g, is := c.(warehouse.Guard)
		switch says := fmt.Sprintf("%d of", i+1); {
		case is && g.Err != nil && strings.Contains(err.Error(), guardSays+says):
			return g.Err
		case is && strings.Contains(err.Error(), uncounted+says):
			return fmt.Errorf("%s: it gives other than one row of one whole number", which(changes, i))
		}
	}
	return warehouse.ErrChanged
}
