package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strings"
	"time"

	"chargeback/billing/records"
	"chargeback/billing/report"
	"chargeback/transform/civil"
	"chargeback/transform/directory"
	"chargeback/transform/wildcard"
)

// references resolves what occurs in the staged rows to the rows that the SQL
// models join with.
func (b *Books) references(ctx context.Context, seen records.Seen) (records.References, error) {
	names, err := b.Names(ctx)
	if err != nil {
		return records.References{}, err
	}
	return b.resolve(seen, names)
}

// referencesFor is references for what decides the records of a build.
func (b *Books) referencesFor(ctx context.Context, build records.Build) (records.References, error) {
	if len(build.Computed()) == 0 {
		return records.References{}, nil
	}
	seen, err := b.Ledger.Records.Seen(ctx, build)
	if err != nil {
		return records.References{}, err
	}
	return b.references(ctx, seen)
}

// prices is references for who wants to know of prices alone.
func (b *Books) prices(seen records.Seen) (records.References, error) {
	return b.resolve(seen, b.Directory.NewNames(nil))
}

func (b *Books) resolve(seen records.Seen, names *directory.Names) (records.References, error) {
	refs := records.References{UsageFrom: b.UsageFrom, PeopleFrom: b.PeopleFrom, RequestsFrom: b.RequestsFrom}
	if err := refs.Price(b.Rates, seen, b.standIn); err != nil {
		return refs, err
	}
	for _, c := range b.Directory.CostCenters() {
		refs.CostCenters = append(refs.CostCenters, records.CostCenter{Code: c.Code, Department: c.Department})
	}
	for _, s := range b.Directory.Successions() {
		refs.Successors = append(refs.Successors, records.Successor{Code: s.Code, Payer: records.CostCenter{Code: s.Payer.Code, Department: s.Payer.Department}, From: s.From, To: s.To})
	}
	for _, department := range seen.Departments {
		if c, ok := b.Directory.Place(department, ""); ok {
			refs.Departments = append(refs.Departments, records.Department{Name: department, Center: records.CostCenter{Code: c.Code, Department: c.Department}})
		}
	}
	b.cacheTTLs(&refs, seen.Meters)
	for _, o := range seen.Owned {
		if user, ok := directory.CallerUser(o[1]); ok && o[0] == directory.Caller {
			refs.CallerUsers = append(refs.CallerUsers, [2]string{o[1], user})
		}
		refs.Owners = append(refs.Owners, datedOwners(o[0], o[1], b.Directory.OwnersOf(o[0], o[1]))...)
	}
	b.people(&refs, names, seen.Users)
	return refs, nil
}

// people adds agents and aliases, with the names that people have now: all that
// the directory has, and those that exports show of who asked.
func (b *Books) people(refs *records.References, names *directory.Names, users []string) {
	for _, a := range b.Directory.Agents() {
		if a.OwnerCostCenter != "" {
			refs.Agents = append(refs.Agents, records.Agent{ID: a.ID, CostCenter: a.OwnerCostCenter, From: a.From, To: a.To})
		}
		if a.OwnerEmail == "" {
			continue
		}
		for _, n := range names.Of(a.OwnerEmail, a.From, a.To) {
			refs.Agents = append(refs.Agents, records.Agent{ID: a.ID, OwnerEmail: n.Email, From: n.From, To: n.To})
		}
	}
	known := map[string]bool{}
	add := func(name string, always bool) {
		if known[name] {
			return
		}
		known[name] = true
		rows := names.Of(name, civil.Min, civil.Max)
		if !always && len(rows) == 1 && rows[0].Email == name {
			return
		}
		for _, n := range rows {
			refs.Aliases = append(refs.Aliases, records.Alias{Address: name, Email: n.Email, From: n.From, To: n.To})
		}
	}
	for _, a := range b.Directory.Aliases() {
		add(a.Name, true)
	}
	if !names.Some() {
		return
	}
	for _, c := range refs.CallerUsers {
		add(c[1], false)
	}
	for _, u := range users {
		add(u, false)
	}
}

// standIn is what the config names for a model that the rate book doesn't have.
func (b *Books) standIn(m records.Meter) records.StandIn {
	for _, u := range b.UnknownModel {
		if u.Provider == m.Provider && u.Model == m.Model {
			return records.StandIn{PriceAs: u.PriceAs, Reported: u.Take == records.TakeReported}
		}
	}
	return records.StandIn{}
}

// cacheTTLs adds how long cache writes are kept: of sources, and of the meters
// that occur, by the model as the record or as the rate book names it.
func (b *Books) cacheTTLs(refs *records.References, meters []records.Meter) {
	for _, c := range b.CacheTTL {
		if c.Source != "" {
			refs.CacheTTLs = append(refs.CacheTTLs, records.CacheTTL{Source: c.Source, TTL: c.TTL})
		}
	}
	for _, m := range meters {
		key, _, _ := b.Rates.Resolve(m.Provider, m.Region, m.Model)
		i := slices.IndexFunc(b.CacheTTL, func(c CacheTTL) bool {
			return c.Source == "" && c.Provider == m.Provider && (wildcard.Match(c.Model, m.Model) || key != "" && wildcard.Match(c.Model, strings.TrimPrefix(key, m.Provider+"/")))
		})
		if i >= 0 {
			refs.CacheTTLs = append(refs.CacheTTLs, records.CacheTTL{Meter: m.ID, TTL: b.CacheTTL[i].TTL})
		}
	}
}

// datedOwners makes ranges that don't overlap from owners in their order of
// precedence: a later owner gets only the days that no earlier one has.
func datedOwners(kind, value string, owners []directory.Owner) (rows []records.Owner) {
	type days struct{ from, to civil.Date }
	taken := []days{}
	for _, o := range owners {
		free := []days{{o.From, o.To}}
		for _, t := range taken {
			var left []days
			for _, f := range free {
				if t.to.Compare(f.from) <= 0 || f.to.Compare(t.from) <= 0 {
					left = append(left, f)
					continue
				}
				if f.from.Before(t.from) {
					left = append(left, days{f.from, t.from})
				}
				if t.to.Before(f.to) {
					left = append(left, days{t.to, f.to})
				}
			}
			free = left
		}
		for _, f := range free {
			rows = append(rows, records.Owner{Kind: kind, Value: value, CostCenter: o.CostCenter, From: f.from, To: f.to})
		}
		taken = append(taken, days{o.From, o.To})
	}
	return rows
}

// inputs are fingerprints of everything but the records that decides what the cost
// records of the days up to last say: settings that concern every record, prices, and
// who pays. What people files say of later days is not in them: a move that a nightly
// snapshot shows changes no day before.
type inputs struct {
	settings, prices, people string
	last                     civil.Date
}

// String is how the ledger keeps them.
func (i inputs) String() string {
	return i.settings + " " + i.prices + " " + i.people + "@" + i.last.String()
}

// readInputs reads them as they were kept; false where an earlier version kept them.
func readInputs(kept string) (i inputs, ok bool) {
	hashes, day, _ := strings.Cut(kept, "@")
	last, err := civil.ParseDate(day)
	parts := strings.Split(hashes, " ")
	if err != nil || len(parts) != 3 {
		return i, false
	}
	return inputs{parts[0], parts[1], parts[2], last}, true
}

// inputs are those of today.
func (b *Books) inputs(ctx context.Context, last civil.Date) (i inputs, err error) {
	people, err := report.PeopleHash(ctx, b.Ledger.Records, last)
	if err != nil {
		return i, err
	}
	settings, prices, payers := sha256.New(), sha256.New(), sha256.New()
	fmt.Fprintf(settings, "%d %q %t %q\n", b.LateDays, slices.Sorted(slices.Values(b.UsageFrom)), b.Fingerprint, b.RequestsFrom)
	fmt.Fprintln(prices, b.Rates.Version())
	for _, u := range b.UnknownModel {
		fmt.Fprintf(prices, "%q %q %q %q\n", u.Provider, u.Model, u.PriceAs, u.Take)
	}
	for _, c := range b.CacheTTL {
		of := prices
		if c.Source != "" {
			of = settings
		}
		fmt.Fprintf(of, "%q %q %q %q\n", c.Source, c.Provider, c.Model, c.TTL)
	}
	fmt.Fprintf(payers, "%s %q %s\n", b.Directory.Version(), b.PeopleFrom, people)
	short := func(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)[:12]) }
	return inputs{short(settings), short(prices), short(payers), last}, nil
}

// changedInputs says which inputs are others than those that the books were last made
// with.
type changedInputs struct{ settings, prices, people bool }

func (c changedInputs) any() bool { return c.settings || c.prices || c.people }

// inputsChanged compares the inputs with those that the books were last made with, as
// far as they decide what was made.
func (b *Books) inputsChanged(ctx context.Context) (c changedInputs, err error) {
	kept, err := b.Ledger.Inputs(ctx)
	if err != nil || kept == "" {
		return c, err
	}
	before, ok := readInputs(kept)
	if !ok {
		return changedInputs{settings: true}, nil
	}
	now, err := b.inputs(ctx, before.last)
	return changedInputs{now.settings != before.settings, now.prices != before.prices, now.people != before.people}, err
}

// concerned are the days of open months up to last whose records the inputs that have
// changed may concern: all, those with a record that belongs to another cost centre, and,
// apart from them, models that cost something else.
func (b *Books) concerned(ctx context.Context, changed changedInputs, open records.Days) (c records.Changed, err error) {
	if open.Last.Before(open.First) || !changed.any() {
		return c, nil
	}
	if changed.settings {
		c.Whole = open.All()
		return c, nil
	}
	if changed.prices {
		occurred, err := b.Ledger.Records.OccurringOnce(ctx, open)
		if err != nil {
			return c, err
		}
		now, plain, err := b.terms(occurred)
		if err != nil {
			return c, err
		}
		c.Plain = plain
		if c.Whole, c.Repriced, err = b.Ledger.Records.OtherTerms(ctx, open, now); err != nil {
			return c, err
		}
	}
	if changed.people {
		seen, err := b.Ledger.Records.AttributedOpen(ctx, open)
		if err != nil {
			return c, err
		}
		refs, err := b.references(ctx, seen)
		if err != nil {
			return c, err
		}
		others, err := b.Ledger.Records.AttributedOtherwise(ctx, refs)
		if err != nil {
			return c, err
		}
		c.Whole = append(c.Whole, others...)
	}
	return c, nil
}

// terms are what prices say of models on the days on which they occur, and those of them
// that say nothing else.
func (b *Books) terms(days []records.Occurring) (all []records.Term, plain records.Plain, err error) {
	plain = records.Plain{}
	for _, d := range days {
		span := [2]time.Time{d.Day.Start(b.Zone), d.Day.AddDays(1).Start(b.Zone)}
		var refs records.References
		if err := refs.Price(b.Rates, records.Seen{Span: span, Meters: d.Meters}, b.standIn); err != nil {
			return nil, nil, err
		}
		b.cacheTTLs(&refs, d.Meters)
		plain.Add(d.Day, refs)
		all = append(all, records.TermsOf(d.Day, span, refs, fmt.Sprint(b.Rates.ToolRates(span[0], span[1])))...)
	}
	return all, plain, nil
}
