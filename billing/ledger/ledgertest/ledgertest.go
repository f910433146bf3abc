// Package ledgertest is the suite of the ledger's rules, which holds on every
// warehouse, and the small worlds of rows that tests put into a ledger.
//
// It owns: a test for each rule of the ledger as it comes out on a warehouse:
// staging, replacing days, closing months, the outbox.
// It does not own: what a warehouse promises (billing/warehouse/warehousetest),
// what the models make of the rows (transform/models), or what only one engine can
// do wrong (files, locks, jobs), which is tested beside the driver.
package ledgertest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"chargeback/billing/ledger"
	"chargeback/billing/manifest"
	"chargeback/billing/outbox"
	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/transform/civil"
	"chargeback/transform/money"
)

// Run runs the suite. open opens the warehouse on data of its own for each t:
// empty the first time, and the same data again when it is called for the same
// t after Close. The suite closes what it opened. Tests that are named in
// without are left out, for what a test server can't do, or not in time, and the
// service can. The tests run side by side, so open is called by several at once.
func Run(t *testing.T, open func(t *testing.T) warehouse.Warehouse, without ...string) {
	for _, test := range []struct {
		name string
		run  func(*books)
	}{
		{"billing zone and start never change", testPin},
		{"a delivery that fails leaves nothing", testStageFails},
		{"days are replaced whole or not at all", testReplaceDays},
		{"what is not tied is not kept", testNotTied},
		{"daily sums that are no sums", testDailyNotTied},
		{"daily sums of a ledger of before", testDailyFilled},
		{"daily sums are filled whole or not at all", testDailyCutOff},
		{"keys of a ledger of before", testKeysFilled},
		{"keys are filled in whole or not at all", testKeysCutOff},
		{"closed months of a ledger of before", testClosedFilled},
		{"closed months are written down whole or not at all", testClosedCutOff},
		{"days on which an id occurs", begun(testDaysOf)},
		{"what another process changes meanwhile", testMeanwhile},
		{"the hash doesn't depend on order", testHash},
		{"messages of the outbox", testOutbox},
		{"an alert is raised once", testRaise},
		{"a month closes once", testCloseMonth},
		{"a delivery is staged whole", begun(testStage)},
		{"a part of the manifest", begun(testPartOfManifest)},
		{"failed objects leave no rows", begun(testFailedObject)},
		{"replaced versions go", begun(testReplaced)},
		{"a version that comes back counts once", begun(testVersionBack)},
		{"dimensions are kept once", begun(testDimensions)},
		{"dimensions are numbered", begun(testNumbered)},
		{"dirty days", begun(testDirtyDays)},
		{"what has changed alone", begun(testNarrow)},
		{"what has changed while it is found", begun(testNarrowMeanwhile)},
		{"records at another price", begun(testRepriced)},
		{"missing objects", begun(testMissing)},
		{"objects that were read by other settings", begun(testOutdated)},
		{"objects that are read as something else", begun(testReadAsSomethingElse)},
		{"days with pending requests", begun(testPendingDays)},
		{"what days would read", begun(testEstimate)},
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
		{"what is told of the books beside records", begun(testTold)},
	} {
		t.Run(test.name, func(t *testing.T) {
			if slices.Contains(without, test.name) {
				t.Skip("left out: the test server can't do what the service can, or not in time")
			}
			t.Parallel()
			b := openBooks(t, open)
			test.run(b)
			b.sumsHold()
			b.writtenHolds()
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

// books is one test's warehouse, and its ledger once begin was called.
type books struct {
	rapid.TB // *testing.T or *rapid.T
	test     *testing.T
	ctx      context.Context
	open     func(t *testing.T) warehouse.Warehouse
	engine   warehouse.Warehouse
	ledger   *ledger.Ledger
	manifest *manifest.Manifest
	outbox   *outbox.Outbox
}

func openBooks(t *testing.T, open func(t *testing.T) warehouse.Warehouse) *books {
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
	b.ledger, b.manifest, b.outbox = l, manifest.New(b.engine), outbox.New(b.engine)
}

// clean notes that no day has changed since its records were made.
func (b *books) clean() {
	b.Helper()
	b.must(b.engine.Apply(b.ctx, warehouse.Delete{Table: "dirty_days", Where: "true"}))
}

// rows reads all rows of a select.
func (b *books) rows(text string, args records.Args) (rows []row) {
	b.Helper()
	b.must(b.engine.Query(b.ctx, warehouse.Select{Text: text, Args: args}, func(r warehouse.Row) error {
		rows = append(rows, slices.Clone(r.Values))
		return nil
	}))
	return rows
}

// each reads the rows of a select into values of T; see warehouse.Each.
func each[T any](b *books, text string, args records.Args) []T {
	b.Helper()
	all, err := warehouse.All[T](b.ctx, b.engine, warehouse.Select{Text: text, Args: args})
	b.must(err)
	return all
}

// row is the values of a row in the order of its columns, to compare.
type row []any

// one reads the value of a select of one row and column.
func (b *books) one(text string, args records.Args) any {
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
	if partition := b.table(table).Partition; partition != "" {
		filter = " where " + partition + " >= {@since}"
	}
	n, _ := b.one("select count(*) from {"+table+"}"+filter, records.Args{"since": civil.Min}).(int64)
	return n
}

// table is one of the ledger's tables.
func (b *books) table(name string) records.Table {
	b.Helper()
	t, found := ledger.Layout().Table(name)
	if !found {
		b.Fatalf("the ledger has no table %s", name)
	}
	return t
}

// readable writes values for a comparison.
func readables(values []any) []any {
	texts := make([]any, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case money.USD:
			texts[i] = v.Fixed()
		case time.Time:
			texts[i] = v.UTC().Format(time.RFC3339Nano)
		default:
			texts[i] = v
		}
	}
	return texts
}

// Clear empties a ledger, but for what it is begun with: the rulings, and the facts
// that never change under it.
func Clear(ctx context.Context, w warehouse.Warehouse) error {
	var changes []warehouse.Change
	for _, t := range ledger.Layout().Tables {
		switch {
		case t.Name == "rulings" || t.Name == "meta":
		case t.Partition != "":
			changes = append(changes, warehouse.Delete{Table: t.Name, Where: t.Partition + " between {@first} and {@last}", Args: warehouse.Args{"first": civil.Min, "last": civil.Max}})
		default:
			changes = append(changes, warehouse.Delete{Table: t.Name, Where: "true"})
		}
	}
	return w.Apply(ctx, changes...)
}
