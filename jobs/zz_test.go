package jobs_test

import (
	"testing"
	"time"
	"chargeback/billing/ledger"
	"context"
	"chargeback/extract/record"
)

const childFolder, childNightDay = "XA", "XB"
func childNight(string, string) int { return 0 }

type counter struct { ledger.Engine; n map[string]int; t map[string]time.Duration }
func (c counter) did(s string, t time.Time) { c.n[s]++; c.t[s] += time.Since(t) }
func (c counter) Exec(ctx context.Context, text string, args ledger.Args) error { defer c.did("exec", time.Now()); return c.Engine.Exec(ctx, text, args) }
func (c counter) Query(ctx context.Context, text string, args ledger.Args, y func(ledger.Row) error) error { defer c.did("query", time.Now()); return c.Engine.Query(ctx, text, args, y) }
func (c counter) Insert(ctx context.Context, tb ledger.Table, rows [][]any) error { defer c.did("insert", time.Now()); return c.Engine.Insert(ctx, tb, rows) }
func (c counter) Keep(ctx context.Context, n string, a bool, text string, args ledger.Args) error { defer c.did("keep", time.Now()); return c.Engine.Keep(ctx, n,a, text,args) }
func (c counter) Transact(ctx context.Context, do func() error) error { defer c.did("transact", time.Now()); return c.Engine.Transact(ctx, do) }
func (c counter) Checkpoint(ctx context.Context) error { defer c.did("checkpoint", time.Now()); return c.Engine.Checkpoint(ctx) }
func (c counter) Load(ctx context.Context, schema *record.Schema, batches <-chan *record.Batch, done func(*record.Batch)) (int64, error) {defer c.did("load", time.Now()); return c.Engine.Load(ctx, schema,batches,done) }

func TestTiming(t *testing.T) {
	c := newCompany(t)
	c.ordinary("2026-10-28", "2026-11-04")
	t0 := time.Now()
	cc := counter{n: map[string]int{}, t: map[string]time.Duration{}}
	lap := func(s string) { t.Log(s, time.Since(t0), cc.n, cc.t); clear(cc.n); clear(cc.t); t0 = time.Now() }
	b := open(t, c.dir, wiring{engine: func(e ledger.Engine) ledger.Engine { cc.Engine = e; return cc }})
	lap("open")
	for d := date("2026-10-28"); d.Before(date("2026-11-04")); d = d.AddDays(1) {
		s := b.night(t, d)
		lap(d.String())
		t.Logf("%+v", s)
	}
	s := b.closing(t, "2026-10")
	lap("close")
	t.Logf("%+v", s)
	b.hash(t)
	lap("hash")
	b.closing(t, "2026-10")
	lap("close again")
}
