package jobs_test

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"chargeback/billing/notify"
	"chargeback/billing/outbox"
	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/cmd/chargeback/app"
	"chargeback/config"
	"chargeback/extract/store"
	"chargeback/jobs"
	"chargeback/transform/civil"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		os.Exit(childNight(dir, os.Getenv(childNightDay)))
	}
	goleak.VerifyTestMain(m)
}

// wiring says how books are opened over a company's folder. Empty fields mean
// what the folder's chargeback.yaml means.
type wiring struct {
	ledger   string // path of the ledger
	invoices string // folder of the documents
	workers  int
	threads  int // of the engine; one unless said otherwise, since tests run side by side
	engine   func(warehouse.Warehouse) warehouse.Warehouse
	store    func(store.Store) store.Store
	change   func(*jobs.Books) // at last
}

// books is an open set of books. What was sent is kept beside the ledger, as a
// medium keeps it, and outlives the books.
type books struct {
	*app.App
	engine warehouse.Warehouse
	sent   postbox
}

// open opens books over a company's folder, by the program's own wiring, and
// closes them at the end of the test.
func open(t testing.TB, dir string, w wiring) *books {
	t.Helper()
	b, err := wire(t.Context(), dir, w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func wire(ctx context.Context, dir string, w wiring) (_ *books, err error) {
	b := &books{}
	b.App, err = app.Open(ctx, filepath.Join(dir, "chargeback.yaml"), app.AsOwner, app.Options{
		Now: time.Now, Getenv: func(string) string { return "" }, Err: os.Stderr, Sleep: noWait,
		Adjust: func(cfg *config.Config) {
			ledger := cmp.Or(w.ledger, cfg.Path(cfg.Warehouse.Path))
			cfg.Warehouse.Path, cfg.Warehouse.TempDir, b.sent = ledger, ledger+".tmp", postbox(ledger+".sent")
			cfg.Warehouse.MemoryLimit, cfg.Warehouse.Threads = 500_000_000, max(w.threads, 1)
			cfg.Invoices.Dir = cmp.Or(w.invoices, cfg.Invoices.Dir)
			cfg.Workers = max(w.workers, 1)
		},
		Engine: func(e warehouse.Warehouse) warehouse.Warehouse {
			if w.engine != nil {
				e = w.engine(e)
			}
			b.engine = e
			return e
		},
		Store: w.store, Sender: &b.sent,
	})
	if err != nil {
		return nil, err
	}
	if w.change != nil {
		w.change(b.Books)
	}
	return b, nil
}

// noWait is for a medium that never asks to wait.
func noWait(context.Context, time.Duration) error { return errors.New("nobody asked to wait") }

// postbox is a medium: a file with a line for each message that arrived. It
// can say what has arrived, also to a process that did not send it.
type postbox string

var _ notify.Finder = postbox("")

func (p postbox) Send(_ context.Context, m notify.Message) (string, error) {
	file, err := os.OpenFile(string(p), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return "", err
	}
	_, err = file.WriteString(m.ID + "\n")
	return "ref of " + m.ID, errors.Join(err, file.Close())
}

func (p postbox) Find(_ context.Context, m notify.Message) (string, bool, error) {
	arrived, err := p.arrived()
	return "ref of " + m.ID, slices.Contains(arrived, m.ID), err
}

// arrived lists the messages in the order in which they came.
func (p postbox) arrived() ([]string, error) {
	text, err := os.ReadFile(string(p))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return strings.Fields(string(text)), err
}

func date(s string) civil.Date {
	d, err := civil.ParseDate(s)
	if err != nil {
		panic(err) // a test's own constant
	}
	return d
}

func month(s string) civil.Month {
	m, err := civil.ParseMonth(s)
	if err != nil {
		panic(err) // a test's own constant
	}
	return m
}

// morning is the hour after a business day at which its night runs.
func (b *books) morning(day civil.Date) time.Time {
	return day.AddDays(1).Start(b.Zone).Add(4 * time.Hour)
}

// night runs one window, expects it to be done, and sends what it raised.
func (b *books) night(t testing.TB, day civil.Date) jobs.NightlySummary {
	t.Helper()
	s, err := b.nightAndMessages(t.Context(), records.Days{First: day, Last: day})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// nightAndMessages runs windows in one go and sends what waits then, as a command does.
func (b *books) nightAndMessages(ctx context.Context, nights records.Days) (jobs.NightlySummary, error) {
	s, err := b.Nights(ctx, nights, b.morning(nights.Last))
	if err == nil {
		_, err = b.Deliver(ctx)
	}
	return s, err
}

// nights runs the windows from first to last, both included, in order.
func (b *books) nights(t testing.TB, first, last string) (all []jobs.NightlySummary) {
	t.Helper()
	for d := date(first); !date(last).Before(d); d = d.AddDays(1) {
		all = append(all, b.night(t, d))
	}
	return all
}

// mayBeEmpty waives the gate of months without a record.
func (b *books) mayBeEmpty(months ...string) {
	for _, m := range months {
		b.Month.Waivers = append(b.Month.Waivers, jobs.Waiver{Month: month(m), Gate: config.GateEmpty, By: "controller@example.com", Reason: "test", Count: 1})
	}
}

// closing closes a month at the hour at which it falls due.
func (b *books) closing(t testing.TB, m string) jobs.MonthlySummary {
	t.Helper()
	s, err := b.Monthly(t.Context(), month(m), b.due(m))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// due is the first instant at which the close of a month is due.
func (b *books) due(m string) time.Time {
	return month(m).Next().FirstDay().AddDays(b.CloseDay - 1).Start(b.Zone)
}

// hash is the hash of all cost records.
func (b *books) hash(t testing.TB) string {
	t.Helper()
	h, err := b.Ledger.Months.Hash(t.Context(), civil.Min, civil.Max, "")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// query reads one value, which is not null.
func query[V any](t testing.TB, b *books, text string) V {
	t.Helper()
	value, err := warehouse.One[V](t.Context(), b.engine, warehouse.Select{Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// raised puts messages into the outbox.
func (b *books) raised(t testing.TB, messages ...outbox.Raised) error {
	t.Helper()
	changes, err := b.Outbox.Raise(t.Context(), messages...)
	if err != nil {
		return err
	}
	return b.Ledger.Apply(t.Context(), changes...)
}

// closed notes a month as closed, without any document.
func (b *books) closed(t testing.TB, month civil.Month, summary any) error {
	t.Helper()
	changes, err := b.Ledger.Months.Close(t.Context(), month, time.Unix(0, 0), "hash", summary, nil)
	if err != nil {
		return err
	}
	return b.Ledger.Apply(t.Context(), changes...)
}
