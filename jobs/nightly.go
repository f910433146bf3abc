package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"chargeback/billing/ledger"
	"chargeback/billing/manifest"
	"chargeback/billing/records"
	"chargeback/billing/runs"
	"chargeback/billing/warehouse"
	"chargeback/extract"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// NightlyKind and MonthlyKind are the first part of a window's name.
const (
	NightlyKind = "nightly"
	MonthlyKind = "monthly"
)

// NightlyWindow names the window of a business day.
func NightlyWindow(day civil.Date) string { return NightlyKind + "/" + day.String() }

// NightlySummary is what one night did.
type NightlySummary struct {
	Window   string          `json:"window"`
	Attempt  int64           `json:"attempt"`
	Sources  []SourceSummary `json:"sources"`
	Days     []string        `json:"days"` // first..last of each run of days that was made anew
	Alerts   []string        `json:"alerts,omitempty"`
	Problems []Problem       `json:"problems,omitempty"`
	// AlertCount and ProblemCount are how many there are, where a run keeps only the first
	// ones in its summary. The others stand in the tables alerts and run_problems.
	AlertCount   int `json:"alert_count,omitempty"`
	ProblemCount int `json:"problem_count,omitempty"`
	// BytesProcessed is what queries have read, where the warehouse bills by that.
	// The transaction that ends the run is not in it.
	BytesProcessed int64 `json:"bytes_processed,omitempty"`
	before         int64 // what was read before this run
	taken          int   // problems of what was taken in
	changes        map[string]sourceChange
	marks          map[string]manifest.SourceMark // of the sources before this run
}

// Nightly takes in what has come for the business day and computes the cost records
// that may come out otherwise by it. Sources and objects that can't be
// read and objects that are gone are problems in the summary, not errors: the night
// goes on without them. An error means that nothing but staged rows was kept. The alerts
// that it raises lie in the outbox: Deliver sends them.
func (b *Books) Nightly(ctx context.Context, day civil.Date, now time.Time) (NightlySummary, error) {
	return b.Nights(ctx, records.Days{First: day, Last: day}, now)
}

// Nights is Nightly for several business days at once: the cost records of all
// of them are made in one go, and the alerts are those that the last day calls
// for. The windows of all days are done, or none is. The summary has the last
// day's name.
func (b *Books) Nights(ctx context.Context, nights records.Days, now time.Time) (NightlySummary, error) {
	s := NightlySummary{Window: NightlyWindow(nights.Last)}
	err := b.accountedFor(NightlyWindow(nights.First), nights.First)
	if err != nil {
		return s, err
	}
	return s, b.attempt(ctx, &s, now, func() error { return b.make(ctx, nights, now, &s) })
}

// accountedFor refuses days before the first.
func (b *Books) accountedFor(window string, day civil.Date) error {
	if day.Before(b.Start) {
		return fmt.Errorf("%s: company.start is %s; nothing before it is accounted for", window, b.Start)
	}
	return nil
}

// attempt numbers a new attempt at the summary's window, and notes why it failed
// where do does.
func (b *Books) attempt(ctx context.Context, s *NightlySummary, now time.Time, do func() error) (err error) {
	s.before = b.processed(ctx)
	if s.Attempt, err = b.Ledger.Runs.Begin(ctx, s.Window, now); err != nil {
		return err
	}
	if err := do(); err != nil {
		failed := b.Ledger.Runs.End(context.WithoutCancel(ctx), s.Window, s.Attempt, runs.Failed, now, now, map[string]string{"error": err.Error()})
		return errors.Join(fmt.Errorf("%s: %w", s.Window, err), failed)
	}
	return nil
}

// takeAll stages what is new in all sources, as far as it is the shard's. In a
// source that has changed it looks through all days of open months, but not a
// shard: that is for who makes the night.
func (b *Books) takeAll(ctx context.Context, nights records.Days, shard Shard, s *NightlySummary) error {
	var open, latest civil.Date
	var quiet, mended map[string]civil.Date
	if shard == (Shard{}) {
		var err error
		if s.changes, s.marks, err = b.sourceChanges(ctx); err != nil {
			return err
		}
		if latest, err = b.latestDone(ctx); err != nil {
			return err
		}
		if open, err = b.firstOpen(ctx); err != nil {
			return err
		}
		if quiet, err = b.quietSince(ctx, nights.First, open); err != nil {
			return err
		}
		if mended, err = b.mended(ctx, open, b.listed(nights).First); err != nil {
			return err
		}
	}
	for _, source := range b.Sources {
		if shard != (Shard{}) && source.Snapshots() {
			continue // one that follows another changes its entry
		}
		change := s.changes[source.Name]
		at := look{nights: nights, shard: shard, outdated: change.outdated && shard == (Shard{})}
		since := change.since(open)
		// As long as no night is done, all are due and look for themselves.
		if !since.IsZero() && !latest.IsZero() && (since.Before(nights.First) || nights.Last.Before(latest)) {
			at.since, at.until = since, latest
		}
		if change.outdated || !at.since.IsZero() {
			at.why = change.why
		}
		for _, first := range []civil.Date{quiet[source.Name], mended[source.Name]} {
			if !first.IsZero() && (at.since.IsZero() || first.Before(at.since)) {
				at.since = first
			}
		}
		took, problems, err := b.takeOver(ctx, source, at, s.Window)
		if unread, is := unreadOf(err); is {
			problems = []Problem{unread.problem()}
		} else if err != nil {
			return err
		} else {
			s.Sources = append(s.Sources, took)
		}
		s.Problems = append(s.Problems, problems...)
	}
	if shard != (Shard{}) {
		return nil
	}
	return b.somebodyKnown(ctx)
}

// quietSince says from which day on what its shipper held back is looked for in each
// source that has had no record for longer than a night looks back: from its last
// day with one, as far as its month is open, else from the first open day.
func (b *Books) quietSince(ctx context.Context, night, open civil.Date) (map[string]civil.Date, error) {
	near, first := night.AddDays(-b.LateDays), night.AddDays(-habitDays)
	if first.Before(open) {
		first = open
	}
	if !first.Before(near) {
		return nil, nil
	}
	recent, err := b.Ledger.Records.SourceDays(ctx, near, night) // settles most of them
	if err != nil {
		return nil, err
	}
	since := map[string]civil.Date{}
	for _, source := range b.Sources {
		has := func(d records.SourceDay) bool { return d.Source == source.Name }
		if source.Format.Schema() != record.TotalSchema && !keepsRows(source) && !slices.ContainsFunc(recent, has) {
			since[source.Name] = first
		}
	}
	if len(since) == 0 {
		return nil, nil
	}
	days, err := b.Ledger.Records.SourceDays(ctx, first, near)
	for _, d := range days {
		if from, quiet := since[d.Source]; quiet && from.Before(d.Day) {
			since[d.Source] = d.Day
		}
	}
	return since, err
}

// somebodyKnown refuses to charge where people can't be read and nobody is known of
// before: all of it would belong to nobody.
func (b *Books) somebodyKnown(ctx context.Context) error {
	if !slices.ContainsFunc(b.unreadSources(), func(u *unreadError) bool { return keepsRows(u.source) }) {
		return nil
	}
	var unread []error
	for _, source := range b.Sources {
		if !keepsRows(source) {
			continue
		}
		known, err := b.Manifest.Current(ctx, source.Name, civil.Min, civil.Max)
		if err != nil {
			return err
		}
		for _, o := range known {
			if o.State != manifest.ObjectFailed {
				return nil
			}
		}
		if err := b.unread[source.Name]; err != nil {
			unread = append(unread, fmt.Errorf("%w; nobody is known from before, so all costs would belong to nobody", err))
		}
	}
	return errors.Join(unread...)
}

// takeOver is take, begun anew where another process took in the same.
func (b *Books) takeOver(ctx context.Context, source extract.Source, at look, window string) (took SourceSummary, problems []Problem, err error) {
	for try := 1; ; try++ { // what another has read is known then
		took, problems, err = b.take(ctx, source, at, window)
		if try == changedMax || !errors.Is(err, warehouse.ErrChanged) {
			return took, problems, err
		}
	}
}

// make does what Nights tells, within an attempt at the last night's window.
func (b *Books) make(ctx context.Context, nights records.Days, now time.Time, s *NightlySummary) error {
	if err := b.takeAll(ctx, nights, Shard{}, s); err != nil {
		return err
	}
	people, err := b.peopleProblems(ctx, nights.Last)
	if err != nil {
		return err
	}
	s.Problems = append(s.Problems, people...)
	deleted, err := b.deleteMissing(ctx, nights.Last)
	if err != nil {
		return err
	}
	s.Problems = slices.DeleteFunc(s.Problems, func(p Problem) bool { // that they are missing
		return slices.ContainsFunc(deleted, func(d Problem) bool { return d.Source == p.Source && d.Object == p.Object })
	})
	s.Problems = append(s.Problems, deleted...)
	missing, err := b.stillMissing(ctx, s.Problems)
	if err != nil {
		return err
	}
	s.Problems = append(s.Problems, missing...)
	s.taken = len(s.Problems)
	fromRows := false
	for try := 1; ; try++ {
		err := b.rebuild(ctx, nights, now, s, fromRows)
		otherRecords := errors.Is(err, records.ErrOtherRecords) && !fromRows
		if try == changedMax || !errors.Is(err, warehouse.ErrChanged) && !otherRecords {
			return err
		}
		fromRows = fromRows || otherRecords
	}
}

// changedMax is how often something is begun anew that another process has
// disturbed.
const changedMax = 5

// rebuild makes the cost records of the nights from what is staged; those of which only
// the price is another one as they stand, or fromRows, too.
func (b *Books) rebuild(ctx context.Context, nights records.Days, now time.Time, s *NightlySummary, fromRows bool) error {
	plan, err := b.plan(ctx, nights)
	if err != nil {
		return err
	}
	if fromRows {
		plan.changed.Plain = nil
	}
	latest := plan.latest
	build, err := b.Ledger.Records.Narrow(ctx, plan.build, plan.changed)
	if err != nil {
		return err
	}
	s.Days, s.Alerts, s.Problems = nil, nil, s.Problems[:s.taken]
	for _, d := range runsOf(build.Computed()) {
		s.Days = append(s.Days, d.First.String()+".."+d.Last.String())
	}
	closed, err := b.Ledger.Months.Closed(ctx)
	if err != nil {
		return err
	}
	sig := signals{b: b, latest: latest, open: build.OpenMonth, read: records.Days{First: nights.Last, Last: nights.Last}}
	if sig.before, err = b.standing(ctx, sig.open); err != nil {
		return err
	}
	book, err := b.bookNow(ctx, sig.open, closed)
	if err != nil {
		return err
	}
	sig.edits = book.fresh
	refs, err := b.referencesFor(ctx, build)
	if err != nil {
		return err
	}
	terms, err := b.termsOf(ctx, build)
	if err != nil {
		return err
	}
	made, err := b.Ledger.Records.Compute(ctx, build, refs)
	if err != nil {
		return err
	}
	after := b.after(made)
	alerts, err := after.raise(ctx, civil.EachOnce(append(b.lookedAt(nights), build.Computed()...)), latest)
	if err != nil {
		return err
	}
	s.Alerts = alerts.ids
	unmatched, err := after.matchAlarms(ctx, latest)
	if err != nil {
		return err
	}
	doubtful, err := after.doubtful(ctx, build.OpenMonth, latest)
	if err != nil {
		return err
	}
	marks, err := b.keepMarks(ctx, nights, s.changes, s.marks)
	if err != nil {
		return err
	}
	sig.b, sig.marks = after, marks
	told, err := sig.told(ctx, nights)
	if err != nil {
		return err
	}
	s.Problems = slices.Concat(s.Problems, unmatched, doubtful, told)
	outbox, err := alerts.outbox(ctx, b.Outbox)
	if err != nil {
		return err
	}
	end, err := b.nightsDoneNow(ctx, nights, now, s)
	if err != nil {
		return err
	}
	changes := slices.Concat(made.Changes(), terms, outbox, ledger.SetInputs(plan.inputs.String()), marks.changes)
	if book.changed {
		edits, err := records.SetBook(book.marks, book.edits)
		if err != nil {
			return err
		}
		changes = append(changes, edits...)
	}
	return b.Ledger.Apply(ctx, append(changes, end...)...)
}

// termsOf keeps the prices by which the days of a build are made.
func (b *Books) termsOf(ctx context.Context, build records.Build) ([]warehouse.Change, error) {
	occurring, err := b.Ledger.Records.Occurring(ctx, build)
	if err != nil {
		return nil, err
	}
	terms, _, err := b.terms(occurring)
	if err != nil {
		return nil, err
	}
	return b.Ledger.Records.SetTerms(ctx, build, terms)
}

// lookedAt are the days on which budgets are looked at again whether or not they have
// changed: those of the nights and the trailing ones.
func (b *Books) lookedAt(nights records.Days) []civil.Date {
	days := records.Days{First: nights.First.AddDays(-b.LateDays), Last: nights.Last}.All()
	return slices.DeleteFunc(days, func(d civil.Date) bool { return d.Before(b.Start) })
}

// after are the books as they will be when days that were made are kept: to read.
func (b *Books) after(made *records.Made) *Books {
	after := *b
	after.Ledger = b.Ledger.After(made)
	return &after
}

// nightsDoneNow ends a run: all its nights are done.
func (b *Books) nightsDoneNow(ctx context.Context, nights records.Days, now time.Time, s *NightlySummary) ([]warehouse.Change, error) {
	var others []string
	for day := nights.First; day.Before(nights.Last); day = day.AddDays(1) {
		others = append(others, NightlyWindow(day))
	}
	done, err := b.Ledger.Runs.Note(ctx, NightlyKind, others, now, map[string]string{"with": s.Window})
	if err != nil {
		return nil, err
	}
	s.BytesProcessed = max(0, b.processed(ctx)-s.before)
	end, err := s.end(now)
	return append(done, end...), err
}

// end ends a run with a summary that holds the first of its alerts and problems.
func (s NightlySummary) end(now time.Time) ([]warehouse.Change, error) {
	problems := make([]runs.Problem, len(s.Problems))
	for i, p := range s.Problems {
		problems[i] = runs.Problem(p)
	}
	changes := runs.KeepProblems(s.Window, s.Attempt, problems)
	if n := len(s.Problems); n > runs.SummaryMost {
		s.Problems, s.ProblemCount = s.Problems[:runs.SummaryMost], n
	}
	if n := len(s.Alerts); n > runs.SummaryMost {
		s.Alerts, s.AlertCount = s.Alerts[:runs.SummaryMost], n
	}
	end, err := runs.End(s.Window, s.Attempt, runs.Done, now, now, s)
	return append(changes, end), err
}

// processed is what queries have read so far; where that can't be learnt, it
// stands in no run's way.
func (b *Books) processed(ctx context.Context) int64 {
	n, err := b.Ledger.BytesBilled(ctx)
	if err != nil {
		return 0
	}
	return n
}

// stranger says why the directory does not know a payer, "" where it does.
func (b *Books) stranger(c records.CostCenter) string {
	known, ok := b.Directory.CostCenter(c.Code)
	switch {
	case c.Code == Unallocated:
		return ""
	case !ok:
		return fmt.Sprintf("the directory has no cost centre %s", c.Code)
	case known.Department != c.Department:
		return fmt.Sprintf("%s belongs to department %s by the directory, not to %s", c.Code, known.Department, c.Department)
	}
	return ""
}

// plan is what a night computes: at the most the days of build, because of what has
// changed.
type plan struct {
	build   records.Build
	changed records.Changed
	latest  civil.Date // newest business day that is done, or due
	inputs  inputs
}

// plan finds what has changed: days whose staged rows did, days with requests that no
// longer wait for usage, and, where prices, people or settings are others, the days of
// open months that they concern, the unsettled days of closed ones and those on which
// something costs another price or belongs to another cost centre now.
func (b *Books) plan(ctx context.Context, nights records.Days) (p plan, err error) {
	if p.latest, err = b.latestDone(ctx); err != nil {
		return p, err
	}
	if p.latest.Before(nights.Last) {
		p.latest = nights.Last
	}
	closed, err := b.Ledger.Months.Closed(ctx)
	if err != nil {
		return p, err
	}
	open := b.openMonth(closed)
	p.build = records.Build{
		LateUntil: p.latest.AddDays(-b.LateDays), OpenMonth: open,
		RateVersion: b.Rates.Version(), RunDate: nights.Last, Fingerprint: b.Fingerprint,
	}
	due := func(days []civil.Date) []civil.Date {
		return civil.EachOnce(slices.DeleteFunc(days, func(d civil.Date) bool { return d.Before(b.Start) || p.latest.Before(d) }))
	}
	rows, err := b.Manifest.ChangedDays(ctx)
	if err != nil {
		return p, err
	}
	p.changed.Added, p.changed.Whole, p.changed.Notes = rows.Added, records.Reach(rows.Gone), rows.Notes
	for _, d := range rows.Gone {
		if p.latest.Before(d) { // it is not due, and what is there of it is read
			p.changed.Added = append(p.changed.Added, d)
		}
	}
	if first := b.firstOf(open); !p.build.LateUntil.Before(first) {
		if p.changed.Waiting, err = b.Ledger.Records.PendingDays(ctx, records.Days{First: first, Last: p.build.LateUntil}); err != nil {
			return p, err
		}
	}
	changed, err := b.inputsChanged(ctx)
	if err != nil {
		return p, err
	}
	if p.inputs, err = b.inputs(ctx, p.latest); err != nil {
		return p, err
	}
	if changed.any() {
		concerned, err := b.concerned(ctx, changed, records.Days{First: b.firstOf(open), Last: p.latest})
		if err != nil {
			return p, err
		}
		unsettled, err := b.Ledger.Records.UnsettledDays(ctx)
		if err != nil {
			return p, err
		}
		otherwise, err := b.closedOtherwise(ctx)
		if err != nil {
			return p, err
		}
		p.changed.Whole = slices.Concat(p.changed.Whole, concerned.Whole, unsettled, otherwise)
		p.changed.Repriced, p.changed.Plain = concerned.Repriced, concerned.Plain
	}
	p.changed.Whole = due(p.changed.Whole)
	p.build.Days = due(slices.Concat(p.changed.Whole, p.changed.Waiting, records.Reach(p.changed.Added), p.changed.Repriced.Days()))
	return p, nil
}

// closedOtherwise lists the days of closed months on which something costs another
// price, wrote to the cache for another time or belongs to another cost centre by
// what is known today.
func (b *Books) closedOtherwise(ctx context.Context) ([]civil.Date, error) {
	used, err := b.Ledger.Records.RatesUsed(ctx)
	if err != nil {
		return nil, err
	}
	prices, err := b.prices(used.Seen)
	if err != nil {
		return nil, err
	}
	writes, err := b.Ledger.Records.CacheWrites(ctx)
	if err != nil {
		return nil, err
	}
	settings, err := b.references(ctx, writes.Seen)
	if err != nil {
		return nil, err
	}
	days := append(used.Anew(prices), writes.Anew(settings)...)
	seen, any, err := b.Ledger.Records.Attributed(ctx)
	if err != nil || !any {
		return days, err
	}
	people, err := b.references(ctx, seen)
	if err != nil {
		return nil, err
	}
	moved, err := b.Ledger.Records.AttributedAnew(ctx, people)
	return append(days, moved...), err
}

// latestDone is the newest business day whose window was finished; the zero
// date where none was.
func (b *Books) latestDone(ctx context.Context) (civil.Date, error) {
	done, err := b.Ledger.Runs.WindowsDone(ctx, NightlyKind)
	if err != nil {
		return civil.Date{}, err
	}
	return newest(done)
}

// newest is the last of the days of nightly windows.
func newest(done map[string]bool) (latest civil.Date, err error) {
	for window := range done {
		day, err := civil.ParseDate(window[len(NightlyKind)+1:])
		if err != nil {
			return latest, fmt.Errorf("read finished window %s: %w", window, err)
		}
		if latest.Before(day) {
			latest = day
		}
	}
	return latest, nil
}

// runsOf joins days to runs without gaps, oldest first.
func runsOf(days []civil.Date) (runs []records.Days) {
	slices.SortFunc(days, civil.Date.Compare)
	for _, d := range slices.Compact(days) {
		if n := len(runs); n > 0 && runs[n-1].Last.AddDays(1) == d {
			runs[n-1].Last = d
			continue
		}
		runs = append(runs, records.Days{First: d, Last: d})
	}
	return runs
}
