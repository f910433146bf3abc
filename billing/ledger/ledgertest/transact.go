package ledgertest

import (
	"context"
	"errors"
	"strings"

	"chargeback/billing/ledger"
)

func testCommit(b *books) {
	b.makeProbe()
	b.must(b.engine.Transact(b.ctx, func() error {
		return errors.Join(
			b.engine.Insert(b.ctx, probe, [][]any{probed(1, "word", "one"), probed(2, "word", "two")}),
			b.engine.Exec(b.ctx, "delete from probe where id = 1", nil),
		)
	}))
	b.equal("rows", []ledger.Row{{int64(2)}}, b.rows("select id from probe", nil))
	b.reopen()
	b.equal("rows after opening again", []ledger.Row{{int64(2)}}, b.rows("select id from probe", nil))
}

func testPanic(b *books) {
	b.makeProbe()
	func() {
		defer func() { b.equal("panic", any("stop"), recover()) }()
		b.undone(func() {
			b.must(b.engine.Insert(b.ctx, probe, [][]any{probed(1, "", nil)}))
			panic("stop")
		})
	}()
	b.equal("rows", int64(0), b.count("probe"))
	b.must(b.engine.Transact(b.ctx, func() error { return nil }))
}

func testRollback(b *books) {
	b.makeProbe()
	b.must(b.engine.Insert(b.ctx, probe, [][]any{probed(1, "word", "one")}))
	change := func() error {
		return errors.Join(
			b.engine.Exec(b.ctx, "update probe set word = 'changed' where true", nil),
			b.engine.Insert(b.ctx, probe, [][]any{probed(2, "", nil)}),
		)
	}
	for _, test := range []struct {
		name string
		do   func(ctx context.Context, stop func()) error
		want error
	}{
		{"an error", func(context.Context, func()) error { return errUndo }, errUndo},
		{"a statement that fails", func(ctx context.Context, _ func()) error {
			return errors.Join(b.engine.Exec(ctx, "insert into nowhere (id) values (1)", nil), errUndo)
		}, errUndo},
		{"a cancelled statement", func(ctx context.Context, stop func()) error {
			stop()
			return b.engine.Insert(ctx, probe, [][]any{probed(3, "", nil)})
		}, context.Canceled},
		{"cancelled before the end", func(_ context.Context, stop func()) error { stop(); return nil }, context.Canceled},
	} {
		ctx, stop := context.WithCancel(b.ctx)
		err := b.engine.Transact(ctx, func() error {
			b.must(change())
			return test.do(ctx, stop)
		})
		stop()
		if !errors.Is(err, test.want) {
			b.Errorf("%s: transaction ended with %v, want %v", test.name, err, test.want)
		}
		b.equal("rows after "+test.name, []ledger.Row{{int64(1), "one"}}, b.rows("select id, word from probe order by id", nil))
		b.must(b.engine.Transact(b.ctx, func() error { return nil }))
	}
	ctx, stop := context.WithCancel(b.ctx)
	stop()
	err := b.engine.Transact(ctx, func() error { return errUndo })
	if !errors.Is(err, context.Canceled) {
		b.Errorf("a transaction that was cancelled before it began ended with %v", err)
	}
	b.reopen()
	b.equal("rows after opening again", []ledger.Row{{int64(1), "one"}}, b.rows("select id, word from probe order by id", nil))
}

func testSize(b *books) {
	b.makeProbe()
	rows := make([][]any, 500)
	for i := range rows {
		rows[i] = probed(int64(i), "word", strings.Repeat("x", i))
	}
	b.must(b.engine.Insert(b.ctx, probe, rows))
	b.must(b.engine.Checkpoint(b.ctx))
	size, err := b.engine.SizeBytes(b.ctx)
	b.must(err)
	if size <= 0 {
		b.Errorf("a ledger with rows has %d bytes", size)
	}
	if b.engine.String() == "" {
		b.Errorf("the engine has no name")
	}
	b.equal("rows after a checkpoint", int64(500), b.count("probe"))
}
