package jobs_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"chargeback/billing/invoice"
	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/jobs"
)

var errKilled = errors.New("killed here")

// points are the places at which a run can be cut off, as it passes them: each
// call of the engine before it does anything, those that can take effect and
// still report an error once more after it, and the drawing of each document.
type points struct {
	begun  bool // places are passed only from here on
	passed []string
	failAt int  // number of the place that fails, from 1; 0 is none
	dead   bool // so do all places after it, as in a process that is no more
}

func (p *points) pass(place string) error {
	if !p.begun {
		return nil
	}
	p.passed = append(p.passed, place)
	if n := len(p.passed); p.failAt > 0 && (n == p.failAt || p.dead && n > p.failAt) {
		return fmt.Errorf("%s: %w", place, errKilled)
	}
	return nil
}

// mortal is a warehouse that can be cut off.
type mortal struct {
	warehouse.Warehouse
	*points
}

func (m mortal) Query(ctx context.Context, s warehouse.Select, yield func(warehouse.Row) error) error {
	if err := m.pass("query"); err != nil {
		return err
	}
	return m.Warehouse.Query(ctx, s, yield)
}

func (m mortal) Compute(ctx context.Context, name string, s warehouse.Select) error {
	if err := m.pass("compute " + name); err != nil {
		return err
	}
	return m.Warehouse.Compute(ctx, name, s)
}

func (m mortal) Put(ctx context.Context, name string, columns []record.Column, rows [][]any) error {
	if err := m.pass("put " + name); err != nil {
		return err
	}
	return m.Warehouse.Put(ctx, name, columns, rows)
}

func (m mortal) Load(ctx context.Context, schema *record.Schema, batches <-chan *record.Batch, done func(*record.Batch)) (*warehouse.Loaded, error) {
	if err := m.pass("load " + schema.Table); err != nil {
		for b := range batches {
			done(b)
		}
		return nil, err
	}
	loaded, err := m.Warehouse.Load(ctx, schema, batches, done)
	return loaded, errors.Join(err, m.pass("after load "+schema.Table))
}

func (m mortal) Apply(ctx context.Context, changes ...warehouse.Change) error {
	if err := m.pass("apply"); err != nil {
		return err
	}
	if err := m.Warehouse.Apply(ctx, changes...); err != nil {
		return err
	}
	return m.pass("after apply")
}

// scene is books that are about to run a window, kept as files to begin from
// again and again.
type scene struct {
	c    company
	base string // path of the ledger
	run  func(context.Context, *books) error
	due  func(*books) bool // whether the schedule asks for the window
	want state
}

// copyTo gives a fresh copy of the books, with what was sent so far.
func (s scene) copyTo(t testing.TB) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "ledger.duckdb")
	for _, suffix := range []string{"", ".sent"} {
		content, err := os.ReadFile(s.base + suffix)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err := errors.Join(err, os.WriteFile(path+suffix, content, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func (s scene) wiring(path string, p *points) wiring {
	return wiring{
		ledger: path, invoices: path + ".invoices",
		engine: func(e warehouse.Warehouse) warehouse.Warehouse { return mortal{e, p} },
		change: func(b *jobs.Books) {
			draw := b.Month.Render
			b.Month.Render = func(d invoice.Document) ([]byte, error) {
				if err := p.pass("draw " + d.Number); err != nil {
					return nil, err
				}
				return draw(d)
			}
			p.begun = true // opening the books is not part of the run
		},
	}
}

// undisturbed runs the window once and returns the places that it passed.
func (s *scene) undisturbed(t testing.TB) (passed []string) {
	t.Helper()
	p := &points{}
	b := open(t, s.c.dir, s.wiring(s.copyTo(t), p))
	if err := s.run(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	passed = slices.Clone(p.passed)
	s.want = b.state(t)
	return passed
}

// killed cuts the run off at a place, starts again in a new process' manner or
// in the same process, and expects the state of the undisturbed run.
func (s scene) killed(t *testing.T, place int, dead bool) {
	path, p := s.copyTo(t), &points{failAt: place, dead: dead}
	b := open(t, s.c.dir, s.wiring(path, p))
	if err := s.run(t.Context(), b); !errors.Is(err, errKilled) {
		t.Fatalf("the run that was cut off returned %v", err)
	}
	if dead {
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		b = open(t, s.c.dir, s.wiring(path, &points{}))
	}
	if !s.due(b) { // nobody will run it again, so all that it does must be done
		same(t, s.want.only("hash", "records", "alerts", "months", "invoices"), b.state(t).only("hash", "records", "alerts", "months", "invoices"))
	}
	if err := s.run(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	same(t, s.want, b.state(t))
}

// Goal: a run that dies anywhere and is started again ends where an
// undisturbed run ends: nothing is lost, doubled, or sent twice.
// Method: books after some nights, books whose sources have changed, and books
// before a close that finds late logs; the next window is cut off at a spread of
// places, three times as many in make soak, at each commit on both of its sides, and
// run again.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.ordinary(firstDay, "2026-11-02")
	c.put(usageKey("2026-11-02T10:00:00Z", "corrupt"), []byte{0x1f, 0x8b, 8, 0})
	c.put(usageKey("2026-11-02T10:00:00Z", "broken-line"), zip([]byte("{\n")))
	c.deliver(usageKey("2026-11-02T11:00:00Z", "again"), usage{id: "u-2026-10-31-1", at: clock("10-31 09:30:00"), in: 2000, out: 231})
	b := open(t, c.dir, wiring{})
	b.nights(t, firstDay, "2026-11-01")
	gone := usageKey("2026-11-01T08:31:00Z", "2026-11-01-1")
	content, changed := c.get(gone)
	c.remove(gone)
	// Of the days before the trailing ones nothing but this tells that they must be made anew.
	c.edit("people.csv", "user003@example.com,People,CC-5001,2026-01-01,", "user003@example.com,People,CC-5001,2026-01-01,2026-10-28\nuser003@example.com,Support,00420,2026-10-28,")
	day := date("2026-11-02")
	night := scene{c: c, base: b.kept(t), run: func(ctx context.Context, b *books) error {
		_, err := b.nightAndMessages(ctx, records.Days{First: day, Last: day})
		return err
	}, due: func(b *books) bool { return slices.Contains(b.dueNights(t, b.morning(day)), day.String()) }}
	t.Run("night", func(t *testing.T) { night.killedEverywhere(t, 17) })

	// The newest night again: a field has changed, and a source has come.
	b = open(t, c.dir, wiring{})
	b.nights(t, "2026-11-02", "2026-11-02")
	other := scene{c: c, base: b.kept(t), run: night.run, due: night.due}
	settings, _ := c.get("chargeback.yaml")
	c.edit("chargeback.yaml", `  - {name: gateway, format: litellm, url: "file:data/litellm", silent_after_days: 0}`, `  - {name: gateway, format: litellm, url: "file:data/litellm", fields: {agent_id: [metadata.nowhere]}}
  - {name: second, format: litellm, url: "file:data/second"}`)
	second := request{id: "second", at: clock("10-28 12:00:00"), provider: "openai", email: "user001@example.com", in: 1000, out: 100}
	c.put(strings.Replace(second.key(), "data/litellm", "data/second", 1), second.json())
	t.Run("night of changed sources", func(t *testing.T) { other.killedEverywhere(t, 19) })
	c.put("chargeback.yaml", settings)

	c.putAt(gone, content, changed)
	c.remove(usageKey("2026-11-02T10:00:00Z", "corrupt"))
	c.remove(usageKey("2026-11-02T10:00:00Z", "broken-line"))
	b = open(t, c.dir, wiring{ledger: scene{base: night.base}.copyTo(t)})
	b.nights(t, "2026-11-02", lateDay)
	c.call("late", clock("10-28 13:00:00"), "user001@example.com", 1000, 1000) // for the close to find
	closing := scene{c: c, base: b.kept(t), run: func(ctx context.Context, b *books) error {
		_, err := b.Monthly(ctx, month(october), b.due(october))
		return err
	}, due: func(b *books) bool { return slices.Contains(b.dueMonths(t, b.due(october)), october) }}
	t.Run("close", func(t *testing.T) { closing.killedEverywhere(t, 7) })
}

// kept closes the books and gives a copy of them.
func (b *books) kept(t testing.TB) string {
	t.Helper()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return scene{base: strings.TrimSuffix(string(b.sent), ".sent")}.copyTo(t)
}

// killedEverywhere tries every step-th place and those around each commit.
func (s scene) killedEverywhere(t *testing.T, step int) {
	if os.Getenv("CHARGEBACK_TEST_SOAK") == "" {
		step *= 3
	}
	passed := s.undisturbed(t)
	if len(s.want["arrived"])+len(s.want["months"]) == 0 {
		t.Fatal("the run neither sends nor closes; there is nothing to double")
	}
	for i, place := range passed {
		atApply := place == "after apply" || strings.HasPrefix(place, "draw ")
		if !atApply && i%step != 0 {
			continue
		}
		dead := i%(2*step) != 0 // of the others every second run goes on in the same process
		t.Run(fmt.Sprintf("%d %s dead %t", i+1, place, dead), func(t *testing.T) { s.killed(t, i+1, dead) })
	}
}

// The child of TestKillSignal finds in its environment what to run.
const (
	childFolder   = "CHARGEBACK_TEST_FOLDER"
	childNightDay = "CHARGEBACK_TEST_NIGHT"
	childLedger   = "CHARGEBACK_TEST_LEDGER"
)

// childNight runs one night and says when it begins and when it is done.
func childNight(dir, day string) int {
	ctx := context.Background()
	b, err := wire(ctx, dir, wiring{ledger: os.Getenv(childLedger)})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("begin")
	if _, err := b.nightAndMessages(ctx, records.Days{First: date(day), Last: date(day)}); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("done")
	if err := b.Close(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// child starts a process that runs a night, and waits for its beginning.
func child(t *testing.T, dir, ledger, day string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), childFolder+"="+dir, childNightDay+"="+day, childLedger+"="+ledger)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); line != "begin\n" {
		t.Fatalf("child says %q, %v", line, err)
	}
	return c, lines
}

// Goal: as TestKilledAnywhere, with a process that really dies: its log is not
// written to the end, its lock is left to the system, nothing is rolled back.
// Method: a child process runs the night and gets SIGKILL after a random part
// of the time that it takes undisturbed.
func TestKillSignal(t *testing.T) {
	t.Parallel()
	const day = "2026-10-30"
	c := newCompany(t)
	c.ordinary(firstDay, lastDay)
	b := open(t, c.dir, wiring{})
	b.nights(t, firstDay, "2026-10-29")
	s := scene{c: c, base: b.kept(t)}

	path := s.copyTo(t)
	undisturbed, lines := child(t, c.dir, path, day)
	begun := time.Now()
	rest, err := io.ReadAll(lines)
	takes := time.Since(begun)
	if err := errors.Join(err, undisturbed.Wait()); err != nil || string(rest) != "done\n" {
		t.Fatalf("child says %q, %v", rest, err)
	}
	s.want = open(t, c.dir, wiring{ledger: path}).state(t)
	if len(s.want["arrived"]) == 0 {
		t.Fatal("the night sends nothing; there is nothing to double")
	}
	const kills = 5
	for i := range time.Duration(kills) {
		path := s.copyTo(t)
		killed, lines := child(t, c.dir, path, day)
		wait := i*takes/kills + rand.N(takes/kills)
		time.Sleep(wait)
		if err := killed.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, lines) // what it still said
		_ = killed.Wait()                 // it was killed; that is its error
		b := open(t, c.dir, wiring{ledger: path})
		b.night(t, date(day))
		t.Logf("killed after %s of %s", wait, takes)
		same(t, s.want, b.state(t))
	}
}
