package duckdb

import (
	"path/filepath"
	"testing"
)

// Goal: the driver in go.mod keeps the handle where run looks for it, and statements do
// the same where it does not.
// Method: a table is made and filled by either way; a statement that is wrong fails by
// either.
func TestRunByEitherWay(t *testing.T) {
	if !handleFirst {
		t.Error("the driver's Conn no longer begins with the handle; every statement goes by the driver's own call, which costs more")
	}
	was := handleFirst
	t.Cleanup(func() { handleFirst = was })
	for _, first := range []bool{was, false} {
		handleFirst = first
		s, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "ledger.duckdb"), Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := run(t.Context(), s.conn, "create table numbers as select i from range(5) as r(i)"); err != nil {
			t.Error(err)
		}
		if got, err := run(t.Context(), s.conn, "delete from numbers where i < 2"); err != nil || got != 2 {
			t.Errorf("rows that were deleted, by the handle %t: %d, %v, want 2", first, got, err)
		}
		if _, err := run(t.Context(), s.conn, "delete from nothing"); err == nil {
			t.Errorf("by the handle %t a table that is not there was emptied", first)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
