package ledgertest

import (
	"context"
	"errors"
	"fmt"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

// failing is a warehouse of which one call fails, before its effect or after it.
type failing struct {
	warehouse.Warehouse
	calls int    // so far
	at    int    // number of the call that fails; 0 is none
	late  bool   // after its effect
	what  string // which one failed; "" while none has
}

var errInjected = errors.New("injected failure")

func (f *failing) call(what string, do func() error) error {
	f.calls++
	if f.calls != f.at {
		return do()
	}
	f.what = what
	if !f.late {
		return errInjected
	}
	return errors.Join(do(), errInjected)
}

func (f *failing) Query(ctx context.Context, s warehouse.Select, yield func(warehouse.Row) error) error {
	return f.call("query", func() error { return f.Warehouse.Query(ctx, s, yield) })
}

func (f *failing) Compute(ctx context.Context, name string, s warehouse.Select) error {
	return f.call("compute "+name, func() error { return f.Warehouse.Compute(ctx, name, s) })
}

func (f *failing) Put(ctx context.Context, name string, columns []record.Column, rows [][]any) error {
	return f.call("put "+name, func() error { return f.Warehouse.Put(ctx, name, columns, rows) })
}

func (f *failing) Drop(ctx context.Context, names ...string) error {
	return f.call("drop", func() error { return f.Warehouse.Drop(ctx, names...) })
}

// Load takes the batches back also where it fails, and then none of the rows stays.
func (f *failing) Load(ctx context.Context, schema *record.Schema, batches <-chan *record.Batch, done func(*record.Batch)) (loaded *warehouse.Loaded, err error) {
	defer func() {
		for b := range batches {
			done(b)
		}
	}()
	err = f.call("load "+schema.Table, func() error {
		loaded, err = f.Warehouse.Load(ctx, schema, batches, done)
		return err
	})
	if errors.Is(err, errInjected) {
		return nil, errors.Join(err, f.Warehouse.Discard(ctx))
	}
	return loaded, err
}

const apply = "apply"

func (f *failing) Apply(ctx context.Context, changes ...warehouse.Change) error {
	return f.call(apply, func() error { return f.Warehouse.Apply(ctx, changes...) })
}

// eachCall lets each call of the warehouse that do makes fail in its turn, before its
// effect and after it, until do gets through. Of calls that make work tables or read,
// each third fails after its effect, which nobody sees. It calls kept where do has
// failed and its changes were made all the same, and undone after all other failures.
func (b *books) eachCall(do func() error, undone, kept func(what string)) {
	b.Helper()
	whole := b.engine
	fault := &failing{Warehouse: whole}
	b.engine = fault
	b.begin()
	defer func() {
		b.engine = whole
		b.begin()
	}()
	applied := false
	for at := 1; ; at++ {
		for _, late := range []bool{false, true} {
			if late && fault.what != apply && at%3 != 0 {
				continue
			}
			fault.calls, fault.at, fault.late, fault.what = 0, at, late, ""
			err := do()
			fault.at = 0
			what := fmt.Sprintf("call %d, %s, failed (after its effect: %t)", at, fault.what, late)
			switch {
			case fault.what == "" && applied:
				b.must(err)
				return
			case fault.what == "":
				b.Fatalf("after %d calls, none of which has applied anything, it ended with %v", at-1, err)
			case !errors.Is(err, errInjected):
				b.Fatalf("%s: ended with %v", what, err)
			case fault.what == apply && late:
				applied = true
				kept(what)
			default:
				undone(what)
			}
		}
	}
}
