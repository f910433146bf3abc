// Package ledgertest is the suite that every ledger.Engine passes, and the
// small worlds of rows that tests put into a ledger.
//
// It owns: a test for each sentence of the Engine's contract, and for the
// ledger's rules as they come out on the engine: staging, replacing days,
// closing months, the outbox.
// It does not own: what the models make of the rows (transform/models), or
// what only one engine can do wrong (files, locks, jobs), which is tested
// beside the driver.
package ledgertest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"chargeback/billing/ledger"
	"chargeback/transform/civil"
)

// Run runs the suite. open opens the engine on data of its own for each t:
// empty the first time, and the same data again when it is called for the same
// t after Close. The suite closes what it opened. Tests that are named in
// without are left out, for what a test server can't do and the service can.
func Run(t *testing.T, open func(t *testing.T) ledger.Engine, without ...string) {
	for _, test := range []struct {
		name string
		run  func(*books)
	}{
		{"tables are made once", testMigrate},
		{"columns are added", testWider},
		{"parameters are bound or refused", testBind},
		{"every value comes back as it was", testValues},
		{"values that don't fit are refused", testUnfit},
		{"many rows at once", testManyRows},
		{"a query ends with the error of yield", testYield},
		{"kept selects", testKeep},
		{"loaded batches come back value by value", testLoad},
		{"long batches", testLongBatches},
		{"empty loads", testEmptyLoad},
		{"a failed load leaves nothing", testFailedLoad},
		{"a cancelled load leaves nothing", testCancelledLoad},
		{"a transaction is kept whole", testCommit},
		{"a transaction is taken back whole", testRollback},
		{"a panic takes a transaction back", testPanic},
		{"size and checkpoint", testSize},

		{"billing zone and start never change", testPin},
		{"a delivery that fails leaves nothing", testStageFails},
		{"days are replaced whole or not at all", testReplaceDays},
		{"what is not tied is not kept", testNotTied},
		{"the hash doesn't depend on order", testHash},
		{"messages of the outbox", testOutbox},
		{"an alert is raised once", testRaise},
		{"a month closes once", testCloseMonth},
		{"a delivery is staged whole", begun(testStage)},
		{"failed objects leave no rows", begun(testFailedObject)},
		{"replaced versions go", begun(testReplaced)},
		{"a version that comes back counts once", begun(testVersionBack)},
		{"dimensions are kept once", begun(testDimensions)},
		{"dirty days", begun(testDirtyDays)},
		{"missing objects", begun(testMissing)},
		{"objects that were read by other settings", begun(testOutdated)},
		{"objects that are read as something else", begun(testReadAsSomethingElse)},
		{"days with pending requests", begun(testPendingDays)},
		{"runs are numbered", begun(testRuns)},
		{"sums of a month", begun(testSums)},
		{"a closed month stays", begun(testClosedMonth)},
		{"rows that are gone after a close", begun(testGone)},
		{"late usage of an estimate", begun(testLateUsage)},
		{"late usage across midnight", begun(testLateAcrossMidnight)},
		{"late usage of two estimates", begun(testLateAmbiguous)},
		{"adjustments of adjustments", begun(testLaterMonths)},
		{"prices of another book, for comparison", begun(testRerate)},
		{"prices that are learned after a close", begun(testRestated)},
		{"what decides a price and is told elsewhere", begun(testToldElsewhere)},
		{"who pays is learned after a close", begun(testMoved)},
		{"objects that are gone for good", begun(testDeleted)},
		{"how long cache writes are kept, told after a close", begun(testWrittenAnew)},
		{"conflicts say what differs", begun(testConflicts)},
		{"control totals count once", begun(testTotals)},
		{"a billed month is replaced whole", begun(testBilledMonth)},
		{"bills beside what was charged", begun(testBills)},
		{"people are a history", begun(testPeople)},
	} {
		t.Run(test.name, func(t *testing.T) {
			if slices.Contains(without, test.name) {
				t.Skip("left out: the test server can't do what the service can")
			}
			test.run(openBooks(t, open))
		})
	}
}

// begun opens the ledger before a test of its rules.
func begun(test func(*books)) func(*books) {
	return func(b *books) {
		b.begin()
		test(b)
	}
}

// books is one test's engine, and its ledger once begin was called.
type books struct {
	rapid.TB // *testing.T or *rapid.T
	test     *testing.T
	ctx      context.Context
	open     func(t *testing.T) ledger.Engine
	engine   ledger.Engine
	ledger   *ledger.Ledger
}

func openBooks(t *testing.T, open func(t *testing.T) ledger.Engine) *books {
	b := &books{TB: t, test: t, ctx: t.Context(), open: open, engine: open(t)}
	t.Cleanup(func() { b.must(b.engine.Close()) })
	return b
}

func (b *books) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// refused fails the test where err is nil.
func (b *books) refused(what string, err error) {
	b.Helper()
	if err == nil {
		b.Errorf("%s was accepted", what)
	}
}

func (b *books) equal(what string, want, got any) {
	b.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		b.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// reopen closes the engine and opens it again on the same data.
func (b *books) reopen() {
	b.Helper()
	b.must(b.engine.Close())
	b.engine = b.open(b.test)
}

// begin opens the ledger on the engine.
func (b *books) begin() {
	b.Helper()
	l, err := ledger.Open(b.ctx, b.engine, time.UTC, "2026-09-01")
	b.must(err)
	b.ledger = l
}

func (b *books) exec(text string, args ledger.Args) {
	b.Helper()
	b.must(b.engine.Exec(b.ctx, text, args))
}

// rows reads all rows of a select.
func (b *books) rows(text string, args ledger.Args) (rows []ledger.Row) {
	b.Helper()
	b.must(b.engine.Query(b.ctx, text, args, func(r ledger.Row) error {
		rows = append(rows, r)
		return nil
	}))
	return rows
}

// one reads the value of a select of one row and column.
func (b *books) one(text string, args ledger.Args) any {
	b.Helper()
	rows := b.rows(text, args)
	if len(rows) != 1 || len(rows[0]) != 1 {
		b.Fatalf("%s: got %v, want one value", text, rows)
	}
	return rows[0][0]
}

// count reads the number of rows of a table.
func (b *books) count(table string) int64 {
	b.Helper()
	filter := "" // a partitioned table is never read without one
	for _, t := range ledger.Tables() {
		if t.Name == table && t.Partition != "" {
			filter = " where " + t.Partition + " >= @since"
		}
	}
	n, _ := b.one("select count(*) from "+table+filter, ledger.Args{"since": civil.Min}).(int64)
	return n
}

// table is one of the ledger's tables.
func (b *books) table(name string) ledger.Table {
	b.Helper()
	for _, t := range ledger.Tables() {
		if t.Name == name {
			return t
		}
	}
	b.Fatalf("the ledger has no table %s", name)
	return ledger.Table{}
}

// errUndo ends a transaction that is taken back.
var errUndo = errors.New("taken back")

// undone runs do inside a transaction that is taken back.
func (b *books) undone(do func()) {
	b.Helper()
	err := b.engine.Transact(b.ctx, func() error { do(); return errUndo })
	if !errors.Is(err, errUndo) {
		b.Errorf("transaction ended with %v, want the error of its function", err)
	}
}
