package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"pgregory.net/rapid"

	"chargeback/extract/store"
	"chargeback/jobs"
)

const (
	leaseName = "ledger lease s3://books/ledger.lease"
	leaseTTL  = 5 * time.Minute
)

var errNetwork = errors.New("connection reset by peer")

// cabinet is a server that holds one lease, and its referee: it notes whatever
// is written that the rules forbid, by a clock that never stands still.
type cabinet struct {
	mu      sync.Mutex
	content string
	version int // 0: nothing lies there
	now     cabinetRecord
	wrong   []string
	writes  int
	holders []string // every owner in turn, with generation
	lax     func(etag string) bool
}

type cabinetRecord struct {
	Owner      string    `json:"owner"`
	Generation int64     `json:"generation"`
	ExpiresAt  time.Time `json:"expires_at"`
}

func (c *cabinet) read() (content []byte, etag string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version == 0 {
		return nil, ""
	}
	return []byte(c.content), fmt.Sprint("v", c.version)
}

func (c *cabinet) write(content []byte, etag string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	have := ""
	if c.version > 0 {
		have = fmt.Sprint("v", c.version)
	}
	if etag != have && (c.lax == nil || !c.lax(etag)) {
		return "", store.ErrReplaced
	}
	c.judge(content)
	c.content, c.version, c.writes = string(content), c.version+1, c.writes+1
	return fmt.Sprint("v", c.version), nil
}

// judge holds a write against what lies there.
func (c *cabinet) judge(content []byte) {
	var next cabinetRecord
	if err := json.Unmarshal(content, &next); err != nil {
		c.wrong = append(c.wrong, fmt.Sprintf("%q is no record", content))
		return
	}
	before, now := c.now, time.Now()
	what := fmt.Sprintf("%s: %+v over %+v", now.Format(time.TimeOnly), next, before)
	free := before.Owner == "" || !now.Before(before.ExpiresAt)
	switch {
	case next.Generation == before.Generation+1 && !free:
		c.wrong = append(c.wrong, "takes a lease that is held: "+what)
	case next.Generation == before.Generation && next.Owner != "" && next.Owner != before.Owner:
		c.wrong = append(c.wrong, "changes the owner within a generation: "+what)
	case next.Generation != before.Generation && next.Generation != before.Generation+1:
		c.wrong = append(c.wrong, "generation jumps: "+what)
	case next.Generation > before.Generation && next.Owner != "":
		c.holders = append(c.holders, fmt.Sprintf("%s %d", next.Owner, next.Generation))
	}
	c.now = next
}

// put lays any bytes there, as somebody at a console can.
func (c *cabinet) put(content string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.content, c.version = content, c.version+1
	c.now = cabinetRecord{}
	_ = json.Unmarshal([]byte(content), &c.now) // what is no record stands for none
}

func (c *cabinet) record() cabinetRecord {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *cabinet) faults() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.wrong)
}

// machine is a process with a clock and a way to the cabinet. Where it is
// frozen, its clock and its calls stand until it is thawed.
type machine struct {
	*cabinet
	name    string
	mu      sync.Mutex
	ice     chan struct{} // closed when it thaws, nil where it runs
	trouble func(ctx context.Context, method string, do func()) error

	lease *jobs.Lease
	kept  context.Context
	stop  func()
}

func (c *cabinet) machine(name string) *machine { return &machine{cabinet: c, name: name} }

func (m *machine) freeze() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ice = make(chan struct{})
}

func (m *machine) thaw() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ice != nil {
		close(m.ice)
		m.ice = nil
	}
}

func (m *machine) frozen() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ice != nil
}

// pass goes on once the machine is not frozen.
func (m *machine) pass() {
	m.mu.Lock()
	ice := m.ice
	m.mu.Unlock()
	if ice != nil {
		<-ice
	}
}

func (m *machine) clock() time.Time {
	m.pass()
	return time.Now()
}

func (m *machine) setTrouble(trouble func(ctx context.Context, method string, do func()) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.trouble = trouble
}

type answer struct {
	content []byte
	etag    string
	err     error
}

// ask has the cabinet do something, through whatever trouble there is.
func (m *machine) ask(ctx context.Context, method string, do func() answer) (answer, error) {
	m.pass()
	defer m.pass()
	if err := ctx.Err(); err != nil {
		return answer{}, err
	}
	m.mu.Lock()
	trouble := m.trouble
	m.mu.Unlock()
	if trouble == nil {
		a := do()
		return a, a.err
	}
	answers := make(chan answer, 1) // of what is done late nobody hears it
	if err := trouble(ctx, method, func() { answers <- do() }); err != nil {
		return answer{}, err
	}
	a := <-answers
	return a, a.err
}

func (m *machine) Read(ctx context.Context) (content []byte, etag string, err error) {
	a, err := m.ask(ctx, "read", func() answer {
		content, etag := m.read()
		return answer{content: content, etag: etag}
	})
	return a.content, a.etag, err
}

func (m *machine) Write(ctx context.Context, content []byte, etag string) (newETag string, err error) {
	a, err := m.ask(ctx, "write", func() answer {
		newETag, err := m.write(content, etag)
		return answer{etag: newETag, err: err}
	})
	return a.etag, err
}

func (m *machine) acquire(ctx context.Context) (*jobs.Lease, error) {
	return jobs.AcquireLease(ctx, m, jobs.LeaseOptions{Name: leaseName, Owner: m.name, TTL: leaseTTL, Clock: m.clock})
}

// run takes the lease and keeps it.
func (m *machine) run(ctx context.Context) error {
	lease, err := m.acquire(ctx)
	if err != nil {
		return err
	}
	m.lease = lease
	m.kept, m.stop = lease.Keep(ctx)
	return nil
}

func (m *machine) mustRun(t *testing.T) {
	t.Helper()
	if err := m.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.stop)
}

func wantNoFaults(t *testing.T, c *cabinet) {
	t.Helper()
	for _, wrong := range c.faults() {
		t.Error(wrong)
	}
}

// wantLost checks that the context is cancelled by the loss of the lease.
func wantLost(t *testing.T, ctx context.Context, text string) {
	t.Helper()
	cause := context.Cause(ctx)
	if ctx.Err() == nil || !errors.Is(cause, jobs.ErrLeaseLost) || !strings.Contains(cause.Error(), text) {
		t.Errorf("context error %v, cause %v; want ErrLeaseLost with %q", ctx.Err(), cause, text)
	}
}

func wantHeld(t *testing.T, err error, owner string, until time.Time) {
	t.Helper()
	held := (*jobs.HeldError)(nil)
	if !errors.Is(err, jobs.ErrHeld) || !errors.As(err, &held) {
		t.Fatalf("error %v, want a HeldError", err)
	}
	if held.Name != leaseName || held.Owner != owner || !held.Until.Equal(until) {
		t.Errorf("%+v, want %s until %s", held, owner, until)
	}
}

// Goal: what a second runner is told, and what lies in the object.
func TestLeaseIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cabinet{}
		a := c.machine("host-a/4711/x7")
		lease, err := a.acquire(t.Context())
		if err != nil || lease.Generation() != 1 {
			t.Fatalf("%+v, error %v", lease, err)
		}
		equal(t, "object", `{"owner":"host-a/4711/x7","generation":1,"expires_at":"2000-01-01T00:05:00Z"}`+"\n", c.content)
		for _, name := range []string{"host-b/12/y8", a.name} {
			_, err := c.machine(name).acquire(t.Context())
			wantHeld(t, err, a.name, time.Now().Add(leaseTTL))
			equal(t, "error", leaseName+" is held by host-a/4711/x7; wait, or if that process is dead the lease falls free at 2000-01-01T00:05:00Z", err.Error())
		}
		if err := lease.Release(t.Context()); err != nil {
			t.Error(err)
		}
		equal(t, "object", `{"owner":"","generation":1,"expires_at":"2000-01-01T00:00:00Z"}`+"\n", c.content)
		wantNoFaults(t, c)
	})
}

// Goal: of many that want the lease at once exactly one gets it, and the next
// generation when that one lets go.
// Method: twelve processes race, round after round, over a network that delays
// every call by another time.
func TestLeaseRace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cabinet{}
		var machines []*machine
		for i := range 12 {
			m := c.machine(fmt.Sprint("host-", i))
			calls := i
			m.trouble = func(_ context.Context, _ string, do func()) error {
				calls = calls*7 + 3
				time.Sleep(time.Duration(calls%11) * time.Millisecond)
				do()
				return nil
			}
			machines = append(machines, m)
		}
		for generation := int64(1); generation <= 20; generation++ {
			leases, errs := make([]*jobs.Lease, len(machines)), make([]error, len(machines))
			var running sync.WaitGroup
			for i, m := range machines {
				running.Go(func() { leases[i], errs[i] = m.acquire(t.Context()) })
			}
			running.Wait()
			winner := slices.IndexFunc(leases, func(l *jobs.Lease) bool { return l != nil })
			if winner < 0 {
				t.Fatalf("generation %d: nobody has it: %v", generation, errs)
			}
			for i := range machines {
				switch {
				case i != winner && leases[i] != nil:
					t.Errorf("generation %d: %s and %s have it", generation, machines[winner].name, machines[i].name)
				case i != winner:
					wantHeld(t, errs[i], machines[winner].name, c.record().ExpiresAt)
				case leases[i].Generation() != generation:
					t.Errorf("generation %d, want %d", leases[i].Generation(), generation)
				}
			}
			if err := leases[winner].Release(t.Context()); err != nil {
				t.Error(err)
			}
		}
		wantNoFaults(t, c)
	})
}

// Goal: a lease that nobody renews can be had from the instant at which it runs
// out, and not a moment before.
func TestLeaseExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cabinet{}
		a, b := c.machine("a"), c.machine("b")
		dead, err := a.acquire(t.Context()) // and dies
		if err != nil {
			t.Fatal(err)
		}
		until := time.Now().Add(leaseTTL)
		time.Sleep(leaseTTL - 1)
		_, err = b.acquire(t.Context())
		wantHeld(t, err, "a", until)
		time.Sleep(time.Nanosecond)
		b.mustRun(t)
		if b.lease.Generation() != 2 {
			t.Errorf("generation %d, want 2", b.lease.Generation())
		}
		// The first comes to life again.
		kept, stop := dead.Keep(t.Context())
		defer stop()
		wantLost(t, kept, "did not get to renew it since 2000-01-01T00:00:00Z")
		if err := dead.Release(t.Context()); err != nil {
			t.Error(err)
		}
		if c.record().Owner != "b" || b.kept.Err() != nil {
			t.Errorf("the release of a lost lease left %+v", c.record())
		}
		wantNoFaults(t, c)
	})
}

// Goal: a lease that is renewed is held for as long as its process lives, and
// also while its run, told to stop, winds up.
func TestLeaseIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cabinet{}
		a, b := c.machine("a"), c.machine("b")
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		if err := a.run(ctx); err != nil {
			t.Fatal(err)
		}
		for i := range 200 {
			time.Sleep(leaseTTL / 2)
			if _, err := b.acquire(t.Context()); !errors.Is(err, jobs.ErrHeld) {
				t.Fatalf("after %d half TTLs: %v", i+1, err)
			}
			if i == 100 {
				interrupt()
			} else if i < 100 && a.kept.Err() != nil {
				t.Fatalf("after %d half TTLs: %v", i+1, context.Cause(a.kept))
			}
		}
		if cause := context.Cause(a.kept); cause != context.Canceled {
			t.Errorf("cause %v, want that of the context", cause)
		}
		if writes := c.writes; writes != 1+200*3/2 && writes != 200*3/2 {
			t.Errorf("%d writes in 100 TTLs, want three in each", writes)
		}
		a.stop()
		a.stop() // may be called again
		if _, err := b.acquire(t.Context()); !errors.Is(err, jobs.ErrHeld) {
			t.Errorf("stop let the lease go: %v", err)
		}
		wantNoFaults(t, c)
	})
}

// Goal: Release lets the next one in at once, ends Keep, and leaves nothing with
// which the lease could be had again.
func TestLeaseRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cabinet{}
		a, b := c.machine("a"), c.machine("b")
		a.mustRun(t)
		time.Sleep(leaseTTL)
		if err := a.lease.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		if cause := context.Cause(a.kept); cause != context.Canceled {
			t.Errorf("cause %v, want that of a stop", cause)
		}
		b.mustRun(t)
		if b.lease.Generation() != 2 {
			t.Errorf("generation %d, want 2", b.lease.Generation())
		}
		if err := errors.Join(b.lease.Release(t.Context()), b.lease.Release(t.Context())); err != nil {
			t.Errorf("released twice: %v", err)
		}
		kept, stop := b.lease.Keep(t.Context())
		defer stop()
		wantLost(t, kept, "it was released; take it again")
		time.Sleep(leaseTTL)
		if got := c.record(); got.Owner != "" || got.Generation != 2 {
			t.Errorf("%+v lies there, want generation 2 without an owner", got)
		}
		wantNoFaults(t, c)
	})
}

// Goal: a process that stood still stops before it does anything more.
// Method: it stands longer than its lease lasts, with and without another that
// takes the lease meanwhile.
func TestLeaseOfAFrozenProcess(t *testing.T) {
	for _, taken := range []bool{false, true} {
		t.Run(fmt.Sprintf("taken %t", taken), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &cabinet{}
				a, b := c.machine("a"), c.machine("b")
				a.mustRun(t)
				time.Sleep(leaseTTL + 7*time.Second)
				a.freeze()
				time.Sleep(leaseTTL + time.Minute)
				if taken {
					b.mustRun(t)
				}
				a.thaw()
				synctest.Wait()
				wantLost(t, a.kept, "; keep its machine awake, then run again")
				before := c.record()
				if err := a.lease.Release(t.Context()); err != nil {
					t.Error(err)
				}
				if taken && (c.record() != before || b.kept.Err() != nil) {
					t.Errorf("%+v lies there, want %+v", c.record(), before)
				}
				wantNoFaults(t, c)
			})
		})
	}
}

// wallMoved is what the clock tells after its wall part alone has moved, by whole
// seconds: package time keeps these from bit 30 of its first word on.
func wallMoved(now time.Time, by time.Duration) time.Time {
	moved := now
	*(*uint64)(unsafe.Pointer(&moved)) += uint64(by/time.Second) << 30
	if moved.Sub(now) != 0 || moved.Round(0).Sub(now.Round(0)) != by {
		panic("package time keeps its clocks in another way; correct this helper")
	}
	return moved
}

// Goal: a machine that slept, and one whose clock was set, know their lease's
// end by the clock that went on.
func TestLeaseByBothClocks(t *testing.T) {
	for name, jump := range map[string]time.Duration{"slept": leaseTTL, "clock set back": -leaseTTL} {
		t.Run(name, func(t *testing.T) {
			outside := time.Now() // with a monotonic part, which no time in a bubble has
			synctest.Test(t, func(t *testing.T) {
				c := &cabinet{}
				a := c.machine("a")
				start := time.Now()
				var mu sync.Mutex
				var offset time.Duration
				lease, err := jobs.AcquireLease(t.Context(), a, jobs.LeaseOptions{Name: leaseName, Owner: "a", TTL: leaseTTL, Clock: func() time.Time {
					mu.Lock()
					defer mu.Unlock()
					return wallMoved(outside.Add(time.Since(start)), offset)
				}})
				if err != nil {
					t.Fatal(err)
				}
				a.setTrouble(func(context.Context, string, func()) error { return errNetwork })
				kept, stop := lease.Keep(t.Context())
				defer stop()
				time.Sleep(10 * time.Second)
				mu.Lock()
				offset = jump
				mu.Unlock()
				time.Sleep(time.Second)
				synctest.Wait()
				if jump > 0 {
					wantLost(t, kept, "did not get to renew it")
					return
				}
				time.Sleep(leaseTTL*5/6 - 11*time.Second)
				synctest.Wait()
				wantLost(t, kept, errNetwork.Error())
			})
		})
	}
}

// Goal: errors that pass cost nothing, and a write whose answer was lost is
// known as one's own.
// Method: each kind of trouble for less time than a lease has left, over and
// over.
func TestLeaseOutlivesTrouble(t *testing.T) {
	for name, trouble := range map[string]func(context.Context, string, func()) error{
		"no way there": func(context.Context, string, func()) error { return errNetwork },
		"no way back": func(_ context.Context, _ string, do func()) error {
			do()
			return errNetwork
		},
		"no answer at all": func(ctx context.Context, _ string, _ func()) error {
			<-ctx.Done()
			return ctx.Err()
		},
		"done late": func(ctx context.Context, _ string, do func()) error {
			go func() {
				time.Sleep(90 * time.Second)
				do()
			}()
			<-ctx.Done()
			return ctx.Err()
		},
		"refused without need": func(_ context.Context, method string, do func()) error {
			if method == "write" {
				return store.ErrReplaced
			}
			do()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &cabinet{}
				a := c.machine("a")
				a.mustRun(t)
				for i := range 50 {
					time.Sleep(leaseTTL + time.Duration(i)*time.Second)
					a.setTrouble(trouble)
					time.Sleep(leaseTTL/3 + 7*time.Second)
					a.setTrouble(nil)
					if a.kept.Err() != nil {
						t.Fatalf("trouble %d: %v", i, context.Cause(a.kept))
					}
				}
				if err := a.lease.Release(t.Context()); err != nil {
					t.Error(err)
				}
				time.Sleep(leaseTTL) // writes that are still under way
				if got := c.record(); got.Owner != "" || got.Generation != 1 {
					t.Errorf("%+v lies there", got)
				}
				wantNoFaults(t, c)
			})
		})
	}
}

// Goal: a runner that is cut off stops before another may begin.
// Method: from some instant on nothing comes back; the context must be done
// before the last record that was written runs out.
func TestLeaseOfACutOffProcess(t *testing.T) {
	for name, trouble := range map[string]func(context.Context, string, func()) error{
		"errors": func(context.Context, string, func()) error { return errNetwork },
		"silence": func(ctx context.Context, _ string, _ func()) error {
			<-ctx.Done()
			return ctx.Err()
		},
		"a call that heeds no context": func(context.Context, string, func()) error {
			time.Sleep(24 * time.Hour)
			return errNetwork
		},
	} {
		for _, after := range []time.Duration{0, time.Minute, leaseTTL / 3, leaseTTL/3 + 1, leaseTTL*7 + time.Second} {
			t.Run(fmt.Sprintf("%s after %s", name, after), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := &cabinet{}
					a, b := c.machine("a"), c.machine("b")
					a.mustRun(t)
					time.Sleep(after)
					synctest.Wait()
					a.setTrouble(trouble)
					until := c.record().ExpiresAt
					<-a.kept.Done()
					left := time.Until(until)
					if left < leaseTTL/6-time.Second || left > leaseTTL/6 {
						t.Errorf("cancelled %s before the lease runs out, want a sixth of %s", left, leaseTTL)
					}
					wantLost(t, a.kept, "")
					if name == "errors" {
						wantLost(t, a.kept, "connection reset by peer); mend that, then run again")
						if !errors.Is(context.Cause(a.kept), errNetwork) {
							t.Error("the cause does not wrap the last error")
						}
					}
					_, err := b.acquire(t.Context())
					wantHeld(t, err, "a", until)
					time.Sleep(left)
					if _, err := b.acquire(t.Context()); err != nil {
						t.Error(err)
					}
					wantNoFaults(t, c)
				})
			})
		}
	}
}

// Goal: a runner whose lease somebody took by hand is told who has it.
func TestLeaseIsTaken(t *testing.T) {
	tests := []struct{ name, content, want string }{
		{"by another", `{"owner": "c", "generation": 9, "expires_at": "2030-01-01T00:00:00Z"}`, "the lease is lost: c has it now, in generation 9; wait for that process, then run again"},
		{"released by another", `{"owner": "", "generation": 1, "expires_at": "1999-01-01T00:00:00Z"}`, "released or removed by another process"},
		{"same owner, other generation", `{"owner": "a", "generation": 2, "expires_at": "2030-01-01T00:00:00Z"}`, "a has it now, in generation 2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &cabinet{}
				a := c.machine("a")
				a.mustRun(t)
				c.put(test.content)
				time.Sleep(leaseTTL/3 + time.Second)
				wantLost(t, a.kept, leaseName+": ")
				wantLost(t, a.kept, test.want)
				if err := a.lease.Release(t.Context()); err != nil || c.content != test.content {
					t.Errorf("error %v, %s lies there", err, c.content)
				}
			})
		})
	}
}

// Goal: what is no lease is never written over, and what is one may look
// different.
func TestLeaseObjects(t *testing.T) {
	tests := []struct {
		name, content string
		generation    int64 // 0: it is no lease
	}{
		{"empty", "", 0},
		{"no JSON", "owner: a", 0},
		{"no object", "null", 0},
		{"empty object", "{}", 0},
		{"another file", `{"totals": [1, 2]}`, 0},
		{"a field more", `{"owner": "", "generation": 7, "expires_at": "1999-01-01T00:00:00Z", "note": "x"}`, 0},
		{"no generation", `{"owner": "", "expires_at": "1999-01-01T00:00:00Z"}`, 0},
		{"generation 0", `{"owner": "", "generation": 0, "expires_at": "1999-01-01T00:00:00Z"}`, 0},
		{"last generation", `{"owner": "", "generation": 9223372036854775807, "expires_at": "1999-01-01T00:00:00Z"}`, 0},
		{"no time", `{"owner": "a", "generation": 7}`, 0},
		{"wrong time", `{"owner": "a", "generation": 7, "expires_at": "soon"}`, 0},
		{"two records", `{"owner": "", "generation": 7, "expires_at": "1999-01-01T00:00:00Z"} {}`, 0},
		{"more than a record", `{"owner": "", "generation": 7, "expires_at": "1999-01-01T00:00:00Z"} x`, 0},
		{"run out, other zone", `{"owner": "a", "generation": 7, "expires_at": "2000-01-01T02:00:00+02:00"}`, 8},
		{"released before its time", ` {"generation": 7, "owner": "", "expires_at": "2030-01-01T00:00:00.5Z"} ` + "\n", 8},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &cabinet{}
				c.put(test.content)
				lease, err := c.machine("a").acquire(t.Context())
				if test.generation > 0 {
					if err != nil || lease.Generation() != test.generation {
						t.Errorf("%+v, error %v, want generation %d", lease, err, test.generation)
					}
					return
				}
				if want := leaseName + " is not a lease: "; err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, jobs.ErrHeld) {
					t.Errorf("error %v, want %q", err, want)
				}
				equal(t, "object", test.content, c.content)
			})
		})
	}
}

// Goal: on a server that does not mind versions nobody gets a lease, and none
// stays behind.
func TestLeaseOnALaxServer(t *testing.T) {
	for name, lax := range map[string]func(etag string) bool{
		"minds nothing":          func(string) bool { return true },
		"minds no If-None-Match": func(etag string) bool { return etag == "" },
		"minds no If-Match":      func(etag string) bool { return etag != "" },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &cabinet{lax: lax}
				if !lax("") { // the first write is by If-None-Match
					c.put(`{"owner": "", "generation": 7, "expires_at": "1999-01-01T00:00:00Z"}`)
				}
				_, err := c.machine("a").acquire(t.Context())
				if err == nil || !strings.Contains(err.Error(), "so no lease is safe there; keep it on Amazon S3") {
					t.Errorf("error %v", err)
				}
				if c.record().Owner != "" {
					t.Errorf("%+v stays", c.record())
				}
			})
		})
	}
}

// Goal: a lease that could not be taken for sure is not left to nobody.
// Method: each call of AcquireLease fails in turn, and is done never, before the
// answer or after it; another process then gets the lease at once, with a higher
// generation.
func TestLeaseThatWasNotTaken(t *testing.T) {
	for failing := 1; failing <= 3; failing++ {
		for _, done := range []string{"never", "before the answer", "after it"} {
			for _, before := range []string{"", `{"owner": "c", "generation": 7, "expires_at": "1999-01-01T00:00:00Z"}`} {
				t.Run(fmt.Sprintf("call %d, done %s, over %q", failing, done, before), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						c := &cabinet{}
						if before != "" {
							c.put(before)
						}
						a, b := c.machine("a"), c.machine("b")
						calls := 0
						a.setTrouble(func(_ context.Context, _ string, do func()) error {
							if calls++; calls != failing {
								do()
								return nil
							}
							switch done {
							case "before the answer":
								do()
							case "after it":
								go func() {
									time.Sleep(time.Second)
									do()
								}()
							}
							return errNetwork
						})
						if _, err := a.acquire(t.Context()); !errors.Is(err, errNetwork) || !strings.Contains(err.Error(), leaseName) {
							t.Errorf("error %v", err)
						}
						time.Sleep(2 * time.Second)
						least := c.record().Generation + 1
						lease, err := b.acquire(t.Context())
						if err != nil || lease.Generation() < least {
							t.Errorf("%+v, error %v, want generation %d", lease, err, least)
						}
						wantNoFaults(t, c)
					})
				})
			}
		}
	}
}

// Goal: what is read as free and written late is not had twice.
// Method: a process stands still between its look and its write: shortly, long,
// and while another takes the lease.
func TestLeaseTakenSlowly(t *testing.T) {
	tests := []struct {
		name       string
		stands     time.Duration
		another    bool
		generation int64 // 0: the other has it
	}{
		{"shortly", time.Second, false, 1},
		{"longer than a lease", 2 * leaseTTL, false, 2},
		{"into the margin of a lease", leaseTTL * 9 / 10, false, 2},
		{"while another takes it", time.Second, true, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &cabinet{}
				a, b := c.machine("a"), c.machine("b")
				calls := 0
				a.setTrouble(func(_ context.Context, method string, do func()) error {
					if calls++; calls == 2 { // the write
						time.Sleep(test.stands)
						if test.another {
							b.mustRun(t)
						}
					}
					do()
					return nil
				})
				lease, err := a.acquire(t.Context())
				if test.another {
					wantHeld(t, err, "b", time.Now().Add(leaseTTL))
				} else if err != nil || lease.Generation() != test.generation {
					t.Errorf("%+v, error %v, want generation %d", lease, err, test.generation)
				}
				wantNoFaults(t, c)
			})
		})
	}
}

func TestLeaseOptions(t *testing.T) {
	right := jobs.LeaseOptions{Name: leaseName, Owner: "a", TTL: leaseTTL, Clock: time.Now}
	for name, spoil := range map[string]func(*jobs.LeaseOptions){
		"no name":   func(o *jobs.LeaseOptions) { o.Name = "" },
		"no owner":  func(o *jobs.LeaseOptions) { o.Owner = "" },
		"no clock":  func(o *jobs.LeaseOptions) { o.Clock = nil },
		"no TTL":    func(o *jobs.LeaseOptions) { o.TTL = 0 },
		"short TTL": func(o *jobs.LeaseOptions) { o.TTL = time.Second - 1 },
	} {
		o := right
		spoil(&o)
		c := &cabinet{}
		if _, err := jobs.AcquireLease(t.Context(), c.machine("a"), o); err == nil || c.writes > 0 {
			t.Errorf("%s: error %v, %d writes", name, err, c.writes)
		}
	}
}

// act is one step of a story about several machines.
type act struct {
	Kind    string
	Machine int
	Wait    time.Duration
}

// Goal: whatever happens in whatever order, no two processes that go on have the
// lease, and generations only grow.
// Method: random stories of taking, letting go, dying, standing still, waking,
// networks that fail in each way, and time. The cabinet judges every write;
// after each step the machines that are awake are counted.
func TestLeaseStories(t *testing.T) {
	kinds := []string{"acquire", "acquire", "acquire", "acquire", "acquire", "release", "release", "die", "freeze", "thaw", "thaw", "cut", "deaf", "late", "slow", "heal", "heal", "heal", "wait", "wait"}
	waits := []time.Duration{0, 1, time.Second, 17 * time.Second, leaseTTL / 6, leaseTTL / 3, leaseTTL * 2 / 3, leaseTTL*5/6 - 1, leaseTTL - 1, leaseTTL, 2 * leaseTTL}
	step := rapid.Custom(func(t *rapid.T) act {
		return act{
			Kind:    rapid.SampledFrom(kinds).Draw(t, "kind"),
			Machine: rapid.IntRange(0, 2).Draw(t, "machine"),
			Wait:    rapid.SampledFrom(waits).Draw(t, "wait"),
		}
	})
	var generations int64
	rapid.Check(t, func(rt *rapid.T) {
		story := rapid.SliceOfN(step, 40, 120).Draw(rt, "story")
		var problem string
		synctest.Test(t, func(t *testing.T) {
			var last int64
			problem, last = play(t.Context(), story)
			generations = max(generations, last)
		})
		if problem != "" {
			rt.Fatal(problem)
		}
	})
	if generations < 4 {
		t.Errorf("no story came beyond generation %d; they say too little", generations)
	}
}

// play plays a story and tells what went wrong, and the last generation.
func play(ctx context.Context, story []act) (problem string, last int64) {
	c := &cabinet{}
	machines := []*machine{c.machine("a"), c.machine("b"), c.machine("c")}
	defer func() {
		for _, m := range machines {
			m.thaw()
			m.setTrouble(nil)
			if m.stop != nil {
				m.stop()
			}
		}
		time.Sleep(leaseTTL) // writes that are still under way
	}()
	for i, a := range story {
		m := machines[a.Machine]
		got, err := a.on(ctx, m)
		if err != nil {
			return fmt.Sprintf("step %d, %+v: %v", i, a, err), last
		}
		if got > 0 && got <= last {
			return fmt.Sprintf("step %d: generation %d after %d", i, got, last), last
		}
		last = max(last, got)
		synctest.Wait()
		if problem := judge(c, machines); problem != "" {
			return fmt.Sprintf("step %d, %+v: %s", i, a, problem), last
		}
	}
	return "", last
}

// judge looks at all machines: at most one that is awake goes on, and that one
// is named in the cabinet.
func judge(c *cabinet, machines []*machine) string {
	if wrong := c.faults(); len(wrong) > 0 {
		return strings.Join(wrong, "\n")
	}
	now, going := c.record(), 0
	for _, m := range machines {
		if m.lease == nil || m.frozen() || m.kept.Err() != nil {
			continue
		}
		going++
		if now.Owner != m.name || now.Generation != m.lease.Generation() || !time.Now().Before(now.ExpiresAt) {
			return fmt.Sprintf("%s goes on in generation %d, but %+v lies there", m.name, m.lease.Generation(), now)
		}
	}
	if going > 1 {
		return fmt.Sprintf("%d machines go on", going)
	}
	return ""
}

// on does the step. Where it takes the lease it gives the generation. An error
// is one that no trouble explains.
func (a act) on(ctx context.Context, m *machine) (generation int64, err error) {
	switch a.Kind {
	case "acquire":
		return m.again(ctx)
	case "release":
		if m.lease != nil && !m.frozen() {
			_ = m.lease.Release(ctx) // it may be cut off
			m.lease = nil
		}
	case "die":
		if m.lease != nil && !m.frozen() {
			m.stop()
			m.lease = nil
		}
	case "freeze":
		if !m.frozen() {
			m.freeze()
		}
		time.Sleep(a.Wait)
	case "thaw":
		m.thaw()
	case "wait":
		time.Sleep(a.Wait)
	default:
		m.setTrouble(troubles[a.Kind])
		time.Sleep(a.Wait / 4)
	}
	return 0, nil
}

// again takes the lease on a machine that is awake and has none, or has lost it.
func (m *machine) again(ctx context.Context) (generation int64, err error) {
	if m.frozen() || m.lease != nil && m.kept.Err() == nil {
		return 0, nil
	}
	if m.lease != nil {
		m.stop()
		m.lease = nil
	}
	m.mu.Lock()
	healthy := m.trouble == nil
	m.mu.Unlock()
	free := !time.Now().Before(m.record().ExpiresAt) || m.record().Owner == ""
	err = m.run(ctx)
	switch {
	case err == nil:
		return m.lease.Generation(), nil
	case healthy && free:
		return 0, fmt.Errorf("it is free and was not had: %w", err)
	}
	return 0, nil
}

var troubles = map[string]func(context.Context, string, func()) error{
	"heal": nil,
	"cut":  func(context.Context, string, func()) error { return errNetwork },
	"deaf": func(_ context.Context, _ string, do func()) error {
		do()
		return errNetwork
	},
	"late": func(ctx context.Context, method string, do func()) error {
		if method == "read" {
			do()
			return nil
		}
		go func() {
			time.Sleep(70 * time.Second)
			do()
		}()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Second):
			return errNetwork
		}
	},
	"slow": func(_ context.Context, _ string, do func()) error {
		time.Sleep(10 * time.Second)
		do()
		time.Sleep(10 * time.Second)
		return nil
	},
}
