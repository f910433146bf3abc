package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"time"

	"chargeback/billing/budget"
	"chargeback/billing/invoice"
	"chargeback/billing/invoice/pdf"
	"chargeback/billing/ledger"
	"chargeback/billing/notify"
	"chargeback/billing/notify/consolenotify"
	"chargeback/billing/notify/slacknotify"
	"chargeback/config"
	"chargeback/extract"
	"chargeback/extract/objstore"
	"chargeback/extract/objstore/dirstore"
	"chargeback/extract/objstore/s3store"
	"chargeback/jobs"
	"chargeback/transform/directory"
)

// app is an open set of books.
type app struct {
	settings
	*jobs.Books
	overrides overrides
	running   context.Context // ends when the lease is lost; nil where there is none
	closers   []func() error
}

// Close releases the ledger and the sources.
func (a *app) Close() error {
	var problems []error
	for i := len(a.closers) - 1; i >= 0; i-- {
		problems = append(problems, a.closers[i]())
	}
	return errors.Join(problems...)
}

// open opens the books for runs: the ledger, which is made where there is none,
// the sources and the messenger.
func open(ctx context.Context, w world, path string, want access) (*app, error) {
	s, err := readSettings(path, checkOutlines, config.SecretsAreThere(w.getenv))
	if err != nil {
		return nil, err
	}
	a := &app{settings: s}
	sender, err := newSender(w, s.config)
	if err != nil {
		return nil, err
	}
	sources, err := a.openSources(ctx, w)
	if err == nil {
		err = a.openLedger(ctx, w, want) // last: it makes a file, or takes a lease
	}
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	if a.Month.Delivery, err = a.openDelivery(ctx, w); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	a.Courier, a.Sources = notify.NewCourier(sender, notify.Clock{Now: time.Now, Wait: wait}), sources
	return a, nil
}

// openToRead opens the ledger alone, for commands that only tell what is in
// it: they work where the sources can't be reached.
func openToRead(ctx context.Context, w world, path string) (*app, error) {
	return openFor(ctx, w, path, toLook)
}

func openFor(ctx context.Context, w world, path string, want access) (*app, error) {
	s, err := readSettings(path)
	if err != nil {
		return nil, err
	}
	a := &app{settings: s}
	err = a.openLedger(ctx, w, want)
	if errors.Is(err, ledger.ErrOutdated) {
		err = errors.Join(a.Close(), a.update(ctx, w, err))
	}
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// update opens the ledger of an earlier version to write, which brings it to
// this one's.
func (a *app) update(ctx context.Context, w world, outdated error) error {
	a.closers = nil
	err := a.openLedger(ctx, w, asOwner)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w, and this user may not bring it up to date; run chargeback once as its owner", outdated)
	}
	return err
}

func (a *app) openLedger(ctx context.Context, w world, want access) error {
	cfg := a.config
	engine, err := a.openEngine(ctx, w, want)
	if err != nil {
		return err
	}
	a.closers = append(a.closers, engine.Close)
	opened := ledger.Open
	if want != asOwner {
		opened = ledger.OpenExisting // others may be at it
	}
	books, err := opened(ctx, engine, cfg.Zone(), cfg.Company.Start.String())
	if err != nil {
		return err
	}
	fonts, err := openFonts(cfg, w.getenv)
	if err != nil {
		return err
	}
	a.Books = &jobs.Books{
		Ledger: books, Rates: a.rates, Directory: a.directory,
		Zone: cfg.Zone(), Start: cfg.Company.Start, LateDays: cfg.LateDays, DeletedAfterDays: cfg.DeletedAfterDays, EmptyNightsMax: cfg.EmptyNightsMax, MatchAlarm: cfg.MatchAlarmPercent, CloseDay: cfg.CloseDay, Fingerprint: cfg.MatchFingerprint,
		Budgets: budgets(cfg, a.directory), AlertChannel: cfg.Notify.Slack.DefaultChannel, Month: monthSettings(cfg, fonts),
	}
	for _, src := range cfg.Sources {
		if src.IsPeople() {
			a.PeopleFrom = append(a.PeopleFrom, src.Name)
		} else {
			a.RequestsFrom = append(a.RequestsFrom, src.Name)
		}
	}
	a.Signal = signalSettings(cfg)
	a.UsageFrom = cfg.MeteredBy()
	for _, u := range cfg.UnknownModels {
		a.UnknownModel = append(a.UnknownModel, jobs.UnknownModel(u))
	}
	a.CacheTTL = cacheTTLs(cfg)
	return nil
}

// signalSettings is when the books need attention. Control totals are watched where
// their source says so: bills come when they come, and gates wait for them.
func signalSettings(cfg *config.Config) jobs.SignalSettings {
	s := jobs.SignalSettings{RejectPercent: cfg.RejectAlarmPercent, CorrectionsLimit: cfg.CorrectionsLimitUSD}
	for _, src := range cfg.Sources {
		if after := src.SilentAfterDays; !src.IsPeople() && (after.Set || src.TellsOf() == "") {
			s.Watched = append(s.Watched, jobs.Watched{Name: src.Name, Own: after.Set, After: after.Days})
		}
	}
	return s
}

// cacheTTLs is what the settings say of how long cache writes are kept.
func cacheTTLs(cfg *config.Config) (all []jobs.CacheTTL) {
	for _, src := range cfg.Sources {
		if src.CacheTTL != "" {
			all = append(all, jobs.CacheTTL{Source: src.Name, TTL: src.CacheTTL})
		}
	}
	for _, t := range cfg.CacheTTLs {
		all = append(all, jobs.CacheTTL{Provider: t.Provider, Model: t.Model, TTL: t.TTL})
	}
	return all
}

func (a *app) openSources(ctx context.Context, w world) (sources []extract.Source, err error) {
	for _, src := range a.config.Sources {
		format, err := newFormat(src)
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", src.Name, err)
		}
		source, err := a.openSource(ctx, w, src)
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", src.Name, err)
		}
		source.Name, source.Format, source.RecordBytes, source.Reading, source.Place = src.Name, format, int(src.MaxRecordBytes), src.Reading(), src.Place()
		sources = append(sources, source)
	}
	return sources, nil
}

const (
	// s3Workers is how many large objects of a bucket are read at once: a read is
	// mostly waiting.
	s3Workers = 16
	// s3Fetches is how many small ones are fetched at once at most. Below it their
	// number follows how long a fetch takes.
	s3Fetches = 256
)

// openSource opens where a source lies, with how many objects are read of it at once.
func (a *app) openSource(ctx context.Context, w world, src config.Source) (extract.Source, error) {
	place, err := objstore.ParseURL(src.URL)
	if err != nil {
		return extract.Source{}, err
	}
	if place.Scheme == config.SchemeFile {
		source := extract.Source{Workers: cmp.Or(a.config.Workers, runtime.NumCPU())}
		place = place.In(a.config.Dir)
		if source.Store, err = a.openFolder(place, src.IsFile()); err != nil { // of the place, not of the settings: the night tells it, and reads the others
			source.Store = objstore.Broken(place.String(), err)
		}
		return source, nil
	}
	source := extract.Source{Workers: cmp.Or(a.config.Workers, max(s3Workers, runtime.NumCPU())), Fetches: cmp.Or(a.config.Workers, s3Fetches), Now: time.Now}
	options, err := a.s3Options(w, place, src.S3)
	if err != nil {
		return extract.Source{}, err
	}
	name := ""
	if src.IsFile() { // one object, not a prefix
		place, name = place.SplitFile()
		options.Prefix = place.Prefix
	}
	store, err := s3store.New(ctx, options)
	if err != nil {
		return extract.Source{}, err
	}
	a.closers = append(a.closers, store.Close)
	if source.Store = store; name != "" {
		source.Store = objstore.Only(store, name)
	}
	return source, nil
}

func (a *app) s3Options(w world, place objstore.Location, s3 config.S3) (s3store.Options, error) {
	keys, _, err := s3.Credentials(w.getenv, a.config.ReadFile)
	return s3store.Options{
		Bucket: place.Bucket, Prefix: place.Prefix, Region: s3.Region, Endpoint: s3.Endpoint, PathStyle: s3.PathStyle,
		AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey.Reveal(), SessionToken: keys.SessionToken.Reveal(),
	}, err
}

// openDelivery opens where documents are delivered to; nil where nowhere.
func (a *app) openDelivery(ctx context.Context, w world) (jobs.Delivery, error) {
	to := a.config.Invoices.DeliverTo
	if to.URL == "" {
		return nil, nil
	}
	place, err := objstore.ParseURL(to.URL)
	if err != nil {
		return nil, fmt.Errorf("invoices.deliver_to: %w", err)
	}
	options, err := a.s3Options(w, place, to.S3)
	if err != nil {
		return nil, fmt.Errorf("invoices.deliver_to: %w", err)
	}
	store, err := s3store.New(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("invoices.deliver_to: %w", err)
	}
	a.closers = append(a.closers, store.Close)
	return store, nil
}

// openFolder opens a folder, or the one file in a folder that place names: file
// says that it must be one.
func (a *app) openFolder(place objstore.Location, file bool) (objstore.Store, error) {
	name := ""
	if info, err := os.Stat(place.Path); err == nil && !info.IsDir() || err != nil && file {
		place, name = place.SplitFile() // that a file is gone is for the night to tell
	}
	if _, err := os.Stat(place.Path); err != nil {
		return nil, fmt.Errorf("%w; put the folder there, or correct the source's url, and check that this user may read it", err)
	}
	store, err := dirstore.New(place.Path)
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, store.Close)
	if name != "" {
		return objstore.Only(store, name), nil
	}
	return store, nil
}

// newSender is Slack where the settings name a token, else the console. A token
// that is named and not there is a mistake where budgets raise messages; where none
// does, what still waits goes on waiting.
func newSender(w world, cfg *config.Config) (notify.Sender, error) {
	token, ok, err := cfg.Notify.Slack.Token(w.getenv, cfg.ReadFile)
	if err != nil && len(cfg.Budgets) == 0 {
		return noSender{err}, nil
	}
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	if !ok {
		return consolenotify.New(w.err, w.columns), nil
	}
	return slacknotify.New(slacknotify.Options{Token: token.Reveal(), APIURL: cfg.Notify.Slack.APIURL})
}

// wait waits for a time, or until ctx is done.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// noSender delivers nothing, and says why.
type noSender struct{ why error }

// Send implements notify.Sender.
func (s noSender) Send(context.Context, notify.Message) (string, error) {
	return "", &notify.SendError{Outcome: notify.NotSent, Reason: s.why.Error()}
}

func budgets(cfg *config.Config, dir *directory.Directory) (all []budget.Budget) {
	for _, b := range cfg.Budgets {
		channel := b.Channel
		if channel == "" {
			channel = cfg.Notify.Slack.DefaultChannel
		}
		all = append(all, budget.Budget{Name: b.Name, Scope: scopeOf(cfg, b, dir), Amount: b.AmountUSD, Thresholds: b.Thresholds, Forecast: b.Forecast, Channel: channel})
	}
	return all
}

// scopeOf is whose spend a budget covers.
func scopeOf(cfg *config.Config, b config.Budget, dir *directory.Directory) budget.Scope {
	switch {
	case b.Scope == config.ScopeCompany:
		return budget.Scope{Kind: budget.Company, Name: cfg.Company.Name}
	case b.CostCenter == "":
		return budget.Scope{Kind: budget.Department, Value: b.Department}
	}
	scope := budget.Scope{Kind: budget.CostCenter, Value: b.CostCenter}
	if c, ok := dir.CostCenter(b.CostCenter); ok {
		scope.Name = c.Name
	}
	return scope
}

func monthSettings(cfg *config.Config, fonts *pdf.Fonts) jobs.MonthSettings {
	i := cfg.Invoices
	m := jobs.MonthSettings{
		Dir:             cfg.Path(i.Dir),
		Issuer:          invoice.Issuer{Name: i.Issuer.Name, CostCenter: i.Issuer.CostCenter, Contact: i.Issuer.Contact, Approver: i.Issuer.Approver, Company: cfg.Company.Name, CompanyCode: i.Issuer.CompanyCode},
		RecoveryAccount: i.RecoveryAccount, ExpenseAccount: i.ExpenseAccount, DisputeDays: i.DisputeDays,
		Intercompany:     invoice.Intercompany(i.Intercompany),
		UnallocatedLimit: cfg.UnallocatedLimitUSD, Render: fonts.Render, Fonts: fonts, CSVEncoding: i.CSVEncoding,
		Workers: cmp.Or(cfg.Workers, runtime.NumCPU()), SharedBearer: cmp.Or(cfg.SharedCostsBearer, i.Issuer.CostCenter),
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
