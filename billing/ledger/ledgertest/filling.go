package ledgertest

import (
	"errors"
	"time"

	"chargeback/billing/ledger"
	"chargeback/billing/warehouse"
)

// filling is something that ledgers of before lack, and that whoever may write fills in
// when one is opened.
type filling struct {
	what  string     // it is
	mark  string     // fact that it is whole
	take  func()     // takes it away
	read  func() any // reads all of it
	steps int        // in which it is filled in, at the least
}

// filled opens a ledger to write, which fills in what it lacks.
func (b *books) filled(w warehouse.Warehouse) error {
	_, err := ledger.Open(b.ctx, w, time.UTC, "2026-09-01")
	return err
}

// isFilled checks that a ledger without it gets it as it was, and is not read before.
func (b *books) isFilled(f filling) {
	b.Helper()
	want := f.read()
	f.take()
	if _, err := ledger.OpenExisting(b.ctx, b.engine, time.UTC, "2026-09-01"); !errors.Is(err, warehouse.ErrOutdated) {
		b.Errorf("opened to read without %s: %v", f.what, err)
	}
	b.must(b.filled(b.engine))
	b.equal(f.what, want, f.read())
}

// isFilledWhole checks that wherever a process that fills it in is cut off, the next one
// begins again, and until it is whole nobody else reads the ledger: each call of the
// warehouse fails in its turn, before its effect and after it.
func (b *books) isFilledWhole(f filling) {
	b.Helper()
	want := f.read()
	applied := 0
	for at := 1; ; at++ {
		for _, late := range []bool{false, true} {
			f.take()
			fault := &failing{Warehouse: b.engine, at: at, late: late}
			err := b.filled(fault)
			if fault.what == "" {
				b.must(err)
				b.equal(f.what, want, f.read())
				if applied < f.steps {
					b.Errorf("%s was filled in %d steps, want %d or more", f.what, applied, f.steps)
				}
				return
			}
			if !errors.Is(err, errInjected) {
				b.Fatalf("call %d, %s: ended with %v", at, fault.what, err)
			}
			if fault.what == apply && late {
				applied++
			}
			marked := len(b.rows("select name from {meta} where name = {@mark}", warehouse.Args{"mark": f.mark})) > 0
			if _, err := ledger.OpenExisting(b.ctx, b.engine, time.UTC, "2026-09-01"); !marked && !errors.Is(err, warehouse.ErrOutdated) || marked && err != nil {
				b.Errorf("opened to read after call %d, %s (marked as whole: %t): %v", at, fault.what, marked, err)
			}
			b.must(b.filled(b.engine))
			b.equal(f.what+" after "+fault.what, want, f.read())
		}
	}
}

// twoMonths are records of two months, the second with a correction of the first, which
// is closed.
func (b *books) twoMonths() {
	b.Helper()
	b.begin()
	b.stage(Rows{Usage: []Usage{{RequestID: "u1", At: "2026-09-29 10:00:00"}, {RequestID: "u2", At: "2026-09-30 10:00:00"}}, Object: "first.json"})
	b.replace("2026-09-29", "2026-09-30")
	b.must(b.close(september))
	b.stage(Rows{Usage: []Usage{{RequestID: "u3", At: "2026-09-30 11:00:00"}, {RequestID: "u4", At: "2026-10-02 10:00:00"}}, Object: "second.json"})
	b.replace("2026-09-30", "2026-10-02")
}
