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

	"chargeback/billing/budget"
	"chargeback/billing/invoice"
	"chargeback/billing/invoice/pdf"
	"chargeback/billing/ledger"
	"chargeback/billing/ledger/duckledger"
	"chargeback/billing/notify"
	"chargeback/config"
	"chargeback/extract"
	"chargeback/extract/decode"
	"chargeback/extract/objstore"
	"chargeback/extract/objstore/dirstore"
	"chargeback/jobs"
	"chargeback/transform/civil"
	"chargeback/transform/directory"
	"chargeback/transform/rates"
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
	engine   func(ledger.Engine) ledger.Engine
	store    func(objstore.Store) objstore.Store
	change   func(*jobs.Books) // at last
}

// books is an open set of books. What was sent is kept beside the ledger, as a
// medium keeps it, and outlives the books.
type books struct {
	*jobs.Books
	engine  ledger.Engine
	sent    postbox
	closers []func() error
}

func (b *books) Close() error {
	var problems []error
	for _, c := range slices.Backward(b.closers) {
		problems = append(problems, c())
	}
	b.closers = nil
	return errors.Join(problems...)
}

// open opens books over a company's folder, as the program's own wiring does,
// and closes them at the end of the test.
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

func wire(ctx context.Context, dir string, w wiring) (*books, error) {
	cfg, err := config.Load(filepath.Join(dir, "chargeback.yaml"))
	if err != nil {
		return nil, err
	}
	prices, err := rates.Load(cfg.Path(cfg.Prices))
	if err != nil {
		return nil, err
	}
	owners, err := directory.Load(cfg.Path(cfg.Directory))
	if err != nil {
		return nil, err
	}
	if w.ledger == "" {
		w.ledger = cfg.Path(cfg.Warehouse.Path)
	}
	if w.invoices == "" {
		w.invoices = cfg.Path(cfg.Invoices.Dir)
	}
	w.workers, w.threads = max(w.workers, 1), max(w.threads, 1)
	b := &books{sent: postbox(w.ledger + ".sent")}
	duck, err := duckledger.Open(ctx, duckledger.Options{Path: w.ledger, MemoryBytes: 500_000_000, Threads: w.threads})
	if err != nil {
		return nil, err
	}
	b.closers = append(b.closers, duck.Close)
	var engine ledger.Engine = duck
	if w.engine != nil {
		engine = w.engine(engine)
	}
	b.engine = engine
	kept, err := ledger.Open(ctx, engine, cfg.Zone(), cfg.Company.Start.String())
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	b.Books = &jobs.Books{
		Ledger: kept, Rates: prices, Directory: owners, Courier: notify.NewCourier(b.sent, notify.Clock{Now: time.Now, Wait: noWait}),
		Zone: cfg.Zone(), Start: cfg.Company.Start, LateDays: cfg.LateDays, DeletedAfterDays: cfg.DeletedAfterDays, EmptyNightsMax: cfg.EmptyNightsMax, MatchAlarm: cfg.MatchAlarmPercent, CloseDay: cfg.CloseDay, Fingerprint: cfg.MatchFingerprint,
		Budgets: budgetsOf(cfg), Month: monthOf(cfg, w.invoices),
	}
	for _, src := range cfg.Sources {
		if src.IsPeople() {
			b.PeopleFrom = append(b.PeopleFrom, src.Name)
		}
	}
	b.Signal = jobs.SignalSettings{RejectPercent: cfg.RejectAlarmPercent, CorrectionsLimit: cfg.CorrectionsLimitUSD}
	for _, src := range cfg.Sources {
		if after := src.SilentAfterDays; !src.IsPeople() && (after.Set || src.TellsOf() == "") {
			b.Signal.Watched = append(b.Signal.Watched, jobs.Watched{Name: src.Name, Own: after.Set, After: after.Days})
		}
	}
	b.UsageFrom = cfg.MeteredBy()
	for _, u := range cfg.UnknownModels {
		b.UnknownModel = append(b.UnknownModel, jobs.UnknownModel(u))
	}
	for _, src := range cfg.Sources {
		if src.CacheTTL != "" {
			b.CacheTTL = append(b.CacheTTL, jobs.CacheTTL{Source: src.Name, TTL: src.CacheTTL})
		}
	}
	if err := b.openSources(cfg, w); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	if w.change != nil {
		w.change(b.Books)
	}
	return b, nil
}

func (b *books) openSources(cfg *config.Config, w wiring) error {
	for _, src := range cfg.Sources {
		format, err := formatOf(src)
		if err != nil {
			return err
		}
		path, file := cfg.Path(strings.TrimPrefix(src.URL, "file:")), ""
		if src.IsFile() {
			path, file = filepath.Split(path)
		}
		folder, err := dirstore.New(path)
		if err != nil {
			return err
		}
		b.closers = append(b.closers, folder.Close)
		var store objstore.Store = folder
		if file != "" {
			store = objstore.Only(store, file)
		}
		if w.store != nil {
			store = w.store(store)
		}
		b.Sources = append(b.Sources, extract.Source{Name: src.Name, Format: format, Store: store, RecordBytes: int(src.MaxRecordBytes), Workers: w.workers, Reading: src.Reading(), Place: src.Place()})
	}
	return nil
}

func formatOf(src config.Source) (decode.Format, error) {
	switch src.Format {
	case config.FormatBedrock:
		return decode.NewBedrock(decode.BedrockOptions{ClientRef: src.Fields.ClientRef, CostCenter: src.Fields.CostCenter, AgentID: src.Fields.AgentID})
	case config.FormatLiteLLM:
		return decode.NewLiteLLM(decode.RequestOptions{AgentID: src.Fields.AgentID, ToolCalls: src.Fields.ToolCalls, CostCenter: src.Fields.CostCenter, ClientRef: src.Fields.ClientRef})
	case config.FormatOpenAICosts:
		return decode.NewOpenAICosts(), nil
	case config.FormatOpenAIUsage:
		return decode.NewOpenAIUsage(), nil
	case config.FormatMapped:
		m, fields := src.Mapped, map[string][]decode.Place{}
		for name, places := range m.Fields {
			for _, place := range places {
				fields[name] = append(fields[name], decode.Place(place))
			}
		}
		return decode.NewMapped(decode.MappedOptions{Side: src.Side, Layout: m.Layout, Fields: fields, Constants: m.Constants, TokenUnit: m.TokenUnit, CostUnit: m.CostUnit, Time: m.Time, Zone: time.UTC})
	}
	if src.IsSnapshot() {
		return decode.NewSnapshot(src.Format, decode.PersonOptions{Email: src.Fields.Email, Department: src.Fields.Department, CostCenter: src.Fields.CostCenter, ValidFrom: src.Fields.ValidFrom})
	}
	return decode.People{}, nil
}

func budgetsOf(cfg *config.Config) (all []budget.Budget) {
	for _, b := range cfg.Budgets {
		scope := budget.Scope{Kind: budget.Department, Value: b.Department}
		if b.CostCenter != "" {
			scope = budget.Scope{Kind: budget.CostCenter, Value: b.CostCenter}
		}
		all = append(all, budget.Budget{Name: b.Name, Scope: scope, Amount: b.AmountUSD, Thresholds: b.Thresholds, Forecast: b.Forecast, Channel: b.Channel})
	}
	return all
}

func monthOf(cfg *config.Config, dir string) jobs.MonthSettings {
	i := cfg.Invoices
	m := jobs.MonthSettings{
		Dir:             dir,
		Issuer:          invoice.Issuer{Name: i.Issuer.Name, CostCenter: i.Issuer.CostCenter, Contact: i.Issuer.Contact, Approver: i.Issuer.Approver, Company: cfg.Company.Name, CompanyCode: i.Issuer.CompanyCode},
		RecoveryAccount: i.RecoveryAccount, ExpenseAccount: i.ExpenseAccount, DisputeDays: i.DisputeDays,
		Intercompany:     invoice.Intercompany(i.Intercompany),
		UnallocatedLimit: cfg.UnallocatedLimitUSD, Render: pdf.Render, SharedBearer: cmp.Or(cfg.SharedCostsBearer, i.Issuer.CostCenter),
	}
	for _, s := range cfg.SharedCosts {
		m.SharedCosts = append(m.SharedCosts, jobs.SharedCost{Name: s.Name, Amount: s.AmountUSD, Split: s.Split, Shares: s.Shares, From: s.From, Covers: s.Covers})
	}
	for _, waiver := range cfg.Waivers {
		m.Waivers = append(m.Waivers, jobs.Waiver{Month: waiver.Month, Gate: waiver.Gate, By: waiver.By, Reason: waiver.Reason, Count: waiver.Count, AmountUSD: waiver.AmountUSD})
	}
	m.Bills.TolerancePercent = cfg.BillTolerancePercent
	for _, src := range cfg.Sources {
		if provider := src.TellsOf(); provider != "" {
			m.Bills.Sources = append(m.Bills.Sources, jobs.BillSource{Name: src.Name, Provider: provider, Bills: src.Bills()})
		}
	}
	for _, e := range cfg.ExpectBills {
		m.Bills.Expected = append(m.Bills.Expected, jobs.ExpectedBill(e))
	}
	return m
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
	s, err := b.nightAndMessages(t.Context(), ledger.Days{First: day, Last: day})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// nightAndMessages runs windows in one go and sends what waits then, as a command does.
func (b *books) nightAndMessages(ctx context.Context, nights ledger.Days) (jobs.NightlySummary, error) {
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
	h, err := b.Ledger.Hash(t.Context(), civil.Min, civil.Max, "")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// query reads one whole number or amount.
func query[V any](t testing.TB, b *books, text string) (value V) {
	t.Helper()
	err := b.Ledger.Query(t.Context(), text, nil, func(r ledger.Row) error {
		value, _ = r[0].(V)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return value
}
