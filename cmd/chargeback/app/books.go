package app

import (
	"cmp"
	"runtime"
	"runtime/debug"

	"chargeback/billing/budget"
	"chargeback/billing/invoice"
	"chargeback/billing/invoice/pdf"
	"chargeback/config"
	"chargeback/jobs"
	"chargeback/transform/directory"
)

// newBooks is what the settings say of the books, still without a ledger,
// sources and messenger.
func newBooks(s Settings, fonts *pdf.Fonts) *jobs.Books {
	cfg := s.Config
	b := &jobs.Books{
		Rates: s.Rates, Directory: s.Directory,
		Zone: cfg.Zone(), Start: cfg.Company.Start, LateDays: cfg.LateDays, DeletedAfterDays: cfg.DeletedAfterDays, EmptyNightsMax: cfg.EmptyNightsMax, MatchAlarm: cfg.MatchAlarmPercent, CloseDay: cfg.CloseDay, Fingerprint: cfg.MatchFingerprint,
		Budgets: budgets(cfg, s.Directory), AlertChannel: cfg.Notify.Slack.DefaultChannel, Month: monthSettings(cfg, fonts),
	}
	for _, src := range cfg.Sources {
		if src.IsPeople() {
			b.PeopleFrom = append(b.PeopleFrom, src.Name)
		} else {
			b.RequestsFrom = append(b.RequestsFrom, src.Name)
		}
	}
	b.Signal = signalSettings(cfg)
	b.UsageFrom = cfg.MeteredBy()
	for _, u := range cfg.UnknownModels {
		b.UnknownModel = append(b.UnknownModel, jobs.UnknownModel(u))
	}
	b.CacheTTL = cacheTTLs(cfg)
	return b
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

// collectLess lets the heap grow to three times of what lives in it while documents are
// drawn, and returns what ends that. Each PDF leaves 13 MB behind beside some 40 MB that
// live, which would be searched through for every third one: a third of all processor time.
func collectLess() (done func()) {
	const percent = 200
	before := debug.SetGCPercent(percent)
	if before < 0 || before > percent { // as the environment says
		debug.SetGCPercent(before)
	}
	return func() { debug.SetGCPercent(before) }
}

func monthSettings(cfg *config.Config, fonts *pdf.Fonts) jobs.MonthSettings {
	i := cfg.Invoices
	m := jobs.MonthSettings{
		Dir:             cfg.Path(i.Dir),
		Issuer:          invoice.Issuer{Name: i.Issuer.Name, CostCenter: i.Issuer.CostCenter, Contact: i.Issuer.Contact, Approver: i.Issuer.Approver, Company: cfg.Company.Name, CompanyCode: i.Issuer.CompanyCode},
		RecoveryAccount: i.RecoveryAccount, ExpenseAccount: i.ExpenseAccount, DisputeDays: i.DisputeDays,
		Intercompany:     invoice.Intercompany(i.Intercompany),
		UnallocatedLimit: cfg.UnallocatedLimitUSD, Render: fonts.Render, Fonts: fonts, CSVEncoding: i.CSVEncoding,
		Workers: cmp.Or(cfg.Workers, runtime.NumCPU()), Drawing: collectLess, SharedBearer: cmp.Or(cfg.SharedCostsBearer, i.Issuer.CostCenter),
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
