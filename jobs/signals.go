package jobs

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"chargeback/billing/manifest"
	"chargeback/billing/notify"
	"chargeback/billing/records"
	"chargeback/billing/report"
	"chargeback/billing/runs"
	"chargeback/transform/civil"
	"chargeback/transform/money"
	"chargeback/transform/rates"
)

// The kinds of problems, one word each, as machines read them.
const (
	KindBrokenSource  = "broken_source"  // a source can't be read
	KindSilentSource  = "silent_source"  // a source has had no record for longer than is its habit
	KindRejects       = "rejects"        // most of what a night read of a source was rejected
	KindUnpricedModel = "unpriced_model" // records are held because something has no price
	KindUnallocated   = "unallocated"    // more is unallocated than the settings allow
	KindCorrections   = "corrections"    // a closed month is corrected by more than the settings allow
	KindEditedPrice   = "edited_price"   // a price of the past is no longer what was charged by
	KindUndelivered   = "undelivered"    // a message has not reached anybody
	KindFailedRun     = "failed_run"     // the newest attempt at a window failed
	KindFailedObject  = "failed_object"  // an object can't be read
	KindMissingObject = "missing_object" // an object is gone from its source
	KindDeletedObject = "deleted_object" // an object that was gone counts as deleted now
	KindPeople        = "people"         // people files can't be believed, or lead nowhere
	KindMatches       = "matches"        // too little usage found its request
	KindDoubtful      = "doubtful"       // requests may be charged already
	KindDocument      = "document"       // a document lacks fonts
	KindChangedMonth  = "changed_month"  // records of a closed month are not those of its close
	KindOverdue       = "overdue"        // nights are due that nobody ran
)

// SignalSettings is when the books need attention although every step was done.
type SignalSettings struct {
	Watched          []Watched // sources that must not fall silent
	RejectPercent    int       // of a source's records of a night, above which it is told; 0 is never
	CorrectionsLimit money.USD // of a closed month
}

// Watched is a source that must not fall silent.
type Watched struct {
	Name  string
	Own   bool // After counts, not its habit
	After int  // days
}

// habitDays is how far back a source's habit is read, and graceDays how much
// longer than its longest pause it may be quiet.
const (
	habitDays = 60
	graceDays = 2
)

// nightsToTell is after how many finished nights a source without any record is told.
const nightsToTell = 4

// Signals is what of the books, as they stand after the newest night, needs
// attention: of the ledger alone, whatever the sources hold. Nights tell the same of
// what they did.
func (b *Books) Signals(ctx context.Context, now time.Time) (problems []Problem, err error) {
	failed, err := b.Ledger.Runs.FailedRuns(ctx, now.AddDate(0, 0, -habitDays))
	if err != nil {
		return nil, err
	}
	for _, f := range failed {
		problems = append(problems, Problem{Kind: KindFailedRun, Source: "run", Object: f.Window, What: "failed: " + cmp.Or(f.Reason, "nothing is known of why")})
	}
	done, err := b.Ledger.Runs.WindowsDone(ctx, NightlyKind)
	if err != nil {
		return nil, err
	}
	latest, err := newest(done)
	if err != nil || latest.IsZero() {
		return problems, err
	}
	closed, err := b.Ledger.Months.Closed(ctx)
	if err != nil {
		return nil, err
	}
	s := signals{b: b, latest: latest, open: b.openMonth(closed), done: done}
	if s.after, err = b.standing(ctx, s.open); err != nil {
		return nil, err
	}
	edits, err := b.Ledger.Records.BookEdits(ctx)
	if err != nil {
		return nil, err
	}
	s.edits = openEdits(edits, closed)
	s.read = records.Days{First: b.firstOf(s.open), Last: latest}
	for _, part := range []func(context.Context) ([]Problem, error){
		func(ctx context.Context) ([]Problem, error) {
			return b.UnreadSources(ctx, slices.Concat(b.PeopleFrom, b.RequestsFrom))
		},
		b.brokenObjects,
		func(ctx context.Context) ([]Problem, error) { return b.peopleProblems(ctx, latest) },
		s.all,
		b.undelivered,
		func(ctx context.Context) ([]Problem, error) { return b.matchAlarms(ctx, latest) },
		func(ctx context.Context) ([]Problem, error) { return b.doubtful(ctx, s.open, latest) },
	} {
		found, err := part(ctx)
		if err != nil {
			return nil, err
		}
		problems = append(problems, found...)
	}
	return problems, nil
}

// nightsLate is how many nights may be due without anything being wrong: the next run
// does them.
const nightsLate = 2

// Overdue tells of nights that are due, where they are so many that nothing seems to
// run them.
func Overdue(due []civil.Date) (problems []Problem) {
	if len(due) > nightsLate {
		problems = append(problems, Problem{Kind: KindOverdue, Source: "run", Object: "since " + due[0].String(), What: fmt.Sprintf(
			"%s are due: look whether something still starts `chargeback run` every night, or `chargeback serve` still runs", counted(int64(len(due)), "night"))})
	}
	return problems
}

// undelivered names the messages that nobody got.
func (b *Books) undelivered(ctx context.Context) (problems []Problem, err error) {
	messages, err := b.Undelivered(ctx)
	for _, m := range messages {
		what := "was not tried yet"
		if m.Attempts > 0 {
			what = fmt.Sprintf("is not known to have reached %s after %s", m.Channel, counted(int64(m.Attempts), "attempt"))
			if m.State == notify.Pending || m.State == notify.Failed {
				what = fmt.Sprintf("has not reached %s after %s", m.Channel, counted(int64(m.Attempts), "attempt"))
			}
		}
		problems = append(problems, Problem{Kind: KindUndelivered, Source: "message", Object: m.ID, What: what})
	}
	return problems, err
}

// brokenObjects names the objects that can't be read or are gone.
func (b *Books) brokenObjects(ctx context.Context) (problems []Problem, err error) {
	objects, err := b.Manifest.Broken(ctx)
	for _, o := range objects {
		p := Problem{Kind: KindFailedObject, Source: o.Source, Object: o.Key, What: "can't be read, so none of it counts: " + o.Error}
		if o.State == manifest.ObjectMissing {
			p.Kind, p.What = KindMissingObject, "is gone from its source, or can't be read there any more; the records that were read of it still count"
		}
		problems = append(problems, p)
	}
	return problems, err
}

// standing is what the open months hold that a night is compared by.
type standing struct {
	unpriced  []records.Unpriced
	corrected []records.Corrected
}

func (b *Books) standing(ctx context.Context, open civil.Month) (s standing, err error) {
	if s.unpriced, err = b.Ledger.Records.Unpriced(ctx, open); err != nil {
		return s, err
	}
	s.corrected, err = b.Ledger.Records.Corrected(ctx, open)
	return s, err
}

// signals are read of the books after a night, or as they stand.
type signals struct {
	b             *Books
	latest        civil.Date // the newest night
	open          civil.Month
	done          map[string]bool // windows of nights that were finished
	running       records.Days    // nights that this run ends; zero where none runs
	read          records.Days    // nights of which rejects are looked at
	before, after standing        // before is empty where all that stands is told
	edits         []records.BookEdit
	marks         keptMarks // as this run leaves them
}

// told is what nights tell, of the books as they will be.
func (s signals) told(ctx context.Context, nights records.Days) (problems []Problem, err error) {
	if s.done, err = s.b.Ledger.Runs.WindowsDone(ctx, NightlyKind); err != nil {
		return nil, err
	}
	s.running = nights
	for day := nights.First; !nights.Last.Before(day); day = day.AddDays(1) {
		s.done[NightlyWindow(day)] = true
	}
	if s.after, err = s.b.standing(ctx, s.open); err != nil {
		return nil, err
	}
	return s.all(ctx)
}

// all is what the signals are, in the order in which they are told.
func (s signals) all(ctx context.Context) (problems []Problem, err error) {
	for _, part := range []func(context.Context) ([]Problem, error){s.silent, s.rejected, s.unpriced, s.unallocated, s.edited, s.corrections} {
		found, err := part(ctx)
		if err != nil {
			return nil, err
		}
		problems = append(problems, found...)
	}
	return problems, nil
}

// silent names the sources that have had no record for longer than they are used to.
// Records of the last days alone settle most of them; the others' habit is read of
// the last 60 days.
func (s signals) silent(ctx context.Context) (problems []Problem, err error) {
	watched := slices.DeleteFunc(slices.Clone(s.b.Signal.Watched), func(w Watched) bool { return w.Own && w.After == 0 })
	if len(watched) == 0 {
		return nil, nil
	}
	const soon = 1 + graceDays // shorter than any habit allows
	until := s.latest.AddDays(soon)
	recent, err := s.b.Ledger.Records.SourceDays(ctx, s.latest.AddDays(1-soon), until)
	if err != nil {
		return nil, err
	}
	var quiet []Watched
	days := habitDays
	for _, w := range watched {
		if i := slices.IndexFunc(recent, func(d records.SourceDay) bool { return d.Source == w.Name }); i < 0 || w.Own && w.After < soon {
			quiet = append(quiet, w)
			days = max(days, w.After)
		}
	}
	if len(quiet) == 0 {
		return nil, nil
	}
	past, err := s.past(ctx, records.Days{First: s.latest.AddDays(-days), Last: until})
	if err != nil {
		return nil, err
	}
	for _, w := range quiet {
		h := past.habitOf(w.Name)
		if h.last.IsZero() {
			if p, told := s.never(w, past); told {
				problems = append(problems, p)
			}
			continue
		}
		pause, limit, why := s.latest.DaysSince(h.last), h.limit(), h.why()
		if w.Own {
			limit, why = w.After-1, "its silent_after_days is "+fmt.Sprint(w.After)
		}
		if pause > limit {
			problems = append(problems, Problem{Kind: KindSilentSource, Source: w.Name, Object: "since " + h.last.AddDays(1).String(), What: fmt.Sprintf(
				"no record for %s, and %s: look whether its logs are still delivered to its url, or set its silent_after_days (0: never tell)", counted(int64(pause), "day"), why)})
		}
	}
	return problems, nil
}

// past is how sources delivered in the days of which habits are read.
type past struct {
	days     records.Days
	records  []records.SourceDay       // days with records
	arrivals []runs.Arrival            // nights that read any
	begins   map[civil.Date]civil.Date // by a night that others were run with: the first of them
	seen     map[string]civil.Date     // by source: the first night that looked for it; none: no night did
}

func (s signals) past(ctx context.Context, days records.Days) (p past, err error) {
	p.days = days
	if p.records, err = s.b.Ledger.Records.SourceDays(ctx, days.First, days.Last); err != nil {
		return p, err
	}
	if p.arrivals, err = s.b.Ledger.Runs.SourceArrivals(ctx, days.First, s.latest); err != nil {
		return p, err
	}
	with, err := s.b.Ledger.Runs.NightsWith(ctx, days.First, s.latest)
	if err != nil {
		return p, err
	}
	for night := s.running.First; night.Before(s.running.Last); night = night.AddDays(1) {
		with[night] = s.running.Last
	}
	p.begins = map[civil.Date]civil.Date{}
	for night, of := range with {
		if first, ok := p.begins[of]; !ok || night.Before(first) {
			p.begins[of] = night
		}
	}
	if p.seen, err = s.b.Manifest.FirstNights(ctx); err != nil {
		return p, err
	}
	maps.Copy(p.seen, s.marks.first)
	marks, err := s.b.Manifest.SourceMarks(ctx)
	if err != nil {
		return p, err
	}
	maps.Copy(marks, s.marks.marks)
	for name, mark := range marks {
		if _, kept := p.seen[name]; kept {
			continue
		}
		if p.seen[name] = s.b.Start; !mark.Known() {
			p.seen[name] = mark.Missed
		}
	}
	return p, nil
}

// beginOf is the first of the nights that were run together, whose last is night.
func (p past) beginOf(night civil.Date) civil.Date {
	if first, ok := p.begins[night]; ok {
		return first
	}
	return night
}

// never tells of a source that has had no record since nights look for it.
func (s signals) never(w Watched, past past) (Problem, bool) {
	since, looked := past.seen[w.Name]
	if !looked {
		return Problem{}, false
	}
	what := "no record since its first night"
	switch {
	case since.Before(past.days.First):
		since = past.days.First
		what = fmt.Sprintf("no record in the last %d days", s.latest.DaysSince(since))
	case !s.b.Start.Before(since):
		since = s.b.Start
		what = "no record since company.start"
	}
	nights := 0
	for day := since; !s.latest.Before(day); day = day.AddDays(1) {
		if s.done[NightlyWindow(day)] {
			nights++
		}
	}
	if w.Own && s.latest.DaysSince(since)+1 < w.After || !w.Own && nights < nightsToTell {
		return Problem{}, false
	}
	return Problem{Kind: KindSilentSource, Source: w.Name, Object: "since " + since.String(), What: what +
		": correct its url or prefix, look whether anything is delivered there, or set its silent_after_days (0: never tell)"}, true
}

// habit is how often a source has records.
type habit struct {
	last  civil.Date // newest day with records; zero where there is none
	pause int        // longest between two days with records or, of one that delivers many days at once, between two deliveries
	lag   int        // days from the newest record to the night that read it
	from  string     // how pause is known, where it is no pause between two days
}

// habitOf reads the habit of a source of the days that it has records of. Where it
// delivers many days at once, as a monthly export does, the pauses between its
// deliveries count: as far as nights ran in them and found nothing. Days that were
// read as a backlog, by nights that were run together or before anybody looked for the
// source, are no such delivery.
func (p past) habitOf(source string) (h habit) {
	const unknown, month = 3, 31
	var dates, nights []civil.Date
	for _, d := range p.records {
		if d.Source != source {
			continue
		}
		lag := 0
		if !d.Night.IsZero() {
			lag = max(0, p.beginOf(d.Night).DaysSince(d.Day))
		}
		if h.last.Before(d.Day) || d.Day == h.last && lag < h.lag {
			h.last, h.lag = d.Day, lag
		}
		dates = append(dates, d.Day)
	}
	if len(dates) == 0 {
		return h
	}
	for _, a := range p.arrivals {
		if a.Source == source && !a.Night.IsZero() {
			nights = append(nights, a.Night)
		}
	}
	dates, nights = inOrder(dates), inOrder(nights)
	h.pause = max(1, longest(dates))
	switch {
	case len(nights) > 1 && len(dates) >= 2*len(nights):
		for i, night := range nights[1:] {
			if quiet := p.beginOf(night).DaysSince(nights[i]); quiet > h.pause {
				h.pause, h.from = quiet, fmt.Sprintf("the longest pause between two of its deliveries in the last %d days was %s", habitDays, counted(int64(quiet), "day"))
			}
		}
	case len(nights) == 1 && len(dates) > 1 && h.lag > 0:
		seen, looked := p.seen[source]
		quiet := min(month, h.last.DaysSince(dates[0])+1)
		if looked && quiet > h.pause && p.beginOf(nights[0]).DaysSince(seen) >= quiet {
			h.pause, h.from = quiet, fmt.Sprintf("its one delivery held %s", counted(int64(quiet), "day"))
		}
	}
	if h.from == "" && len(nights) < 2 && len(dates) < unknown && h.pause < unknown {
		h.pause, h.from = unknown, "it has delivered once, too little to know of pauses"
	}
	return h
}

// limit is how many days a source may be quiet. What comes late by habit may be
// quiet for longer, but not for ever: one whose objects are written again without
// anything new in them is silent too.
func (h habit) limit() int { return h.pause + graceDays + h.late() }

func (h habit) late() int { return min(h.lag, h.pause+graceDays) }

// why says in words where the limit comes from.
func (h habit) why() string {
	why := cmp.Or(h.from, fmt.Sprintf("its longest pause of the last %d days was %s", habitDays, counted(int64(h.pause), "day")))
	if late := h.late(); late > 0 {
		why += fmt.Sprintf(", and its logs come %s late", counted(int64(late), "day"))
	}
	return why
}

// inOrder sorts days, each once.
func inOrder(days []civil.Date) []civil.Date {
	slices.SortFunc(days, civil.Date.Compare)
	return slices.Compact(days)
}

// longest is the longest step between neighbouring days, which are in order.
func longest(days []civil.Date) (most int) {
	for i := 1; i < len(days); i++ {
		most = max(most, days[i].DaysSince(days[i-1]))
	}
	return most
}

// rejected names the sources of which a night read mostly what is no record.
func (s signals) rejected(ctx context.Context) (problems []Problem, err error) {
	percent := int64(s.b.Signal.RejectPercent)
	if percent == 0 {
		return nil, nil
	}
	nights, err := s.b.Ledger.Runs.SourceNights(ctx, s.read.First, s.read.Last)
	for _, n := range nights {
		if all := n.Staged + n.Rejected; n.Rejected*100 > percent*all {
			problems = append(problems, Problem{Kind: KindRejects, Source: n.Source, Object: NightlyWindow(n.Night), What: fmt.Sprintf(
				"%s rejected, and reject_alarm_percent is %d: what is rejected is charged to nobody; see `chargeback rejects records`, correct the source's format or fields, and run again", partOf(n.Rejected, all), percent)})
		}
	}
	return problems, err
}

// partOf says how many of all records, of which some were.
func partOf(some, all int64) string {
	was := "were"
	if some == 1 {
		was = "was"
	}
	switch {
	case all == 1:
		return "the only record was"
	case some == all:
		return fmt.Sprintf("all %d records were", all)
	}
	return fmt.Sprintf("%d of %d records %s", some, all, was)
}

// unpriced names the models of which records are held that were not before.
func (s signals) unpriced(context.Context) (problems []Problem, err error) {
	type lack struct{ provider, model, flags string }
	known := map[lack]bool{}
	for _, u := range s.before.unpriced {
		known[lack{u.Provider, u.Model, u.Flags}] = true
	}
	for _, u := range s.after.unpriced {
		if known[lack{u.Provider, u.Model, u.Flags}] {
			continue
		}
		what := counted(u.Records, "record") + " without a cost, in no budget and on no document"
		advice := strings.TrimSuffix(report.Advice(records.Flags(u.Flags)), ".")
		if u.Why != "" && advice != "" {
			_, advice, _ = strings.Cut(advice, ": ") // what is lacking is said by why
		}
		for _, part := range []string{u.Why, advice} {
			if part != "" {
				what += ": " + part
			}
		}
		problems = append(problems, Problem{Kind: KindUnpricedModel, Source: "unpriced", Object: u.Provider + "/" + u.Model, What: what})
	}
	return problems, nil
}

// unallocated names the open months that charge nobody more than they may.
func (s signals) unallocated(ctx context.Context) (problems []Problem, err error) {
	sums, err := s.b.Ledger.Records.Unallocated(ctx, s.open)
	limit := s.b.Month.UnallocatedLimit
	for _, month := range slices.SortedFunc(maps.Keys(sums), civil.Month.Compare) {
		if sum := sums[month]; sum.Cmp(limit) > 0 {
			problems = append(problems, Problem{Kind: KindUnallocated, Source: "unallocated", Object: month.String(), What: fmt.Sprintf(
				"%s are unallocated, and unallocated_limit_usd is %s: no department or cost centre pays for them, so only budgets of the company and of UNALLOCATED count them, and the month can't be closed; see `chargeback report users --department UNALLOCATED --month %s`, and correct the people files, owners or agents", dollars(sum), limit, month)})
		}
	}
	return problems, err
}

// change is what is charged more and less of a closed month's documents.
type change struct{ charged, credited money.USD }

func (c change) zero() bool { return c.charged.IsZero() && c.credited.IsZero() }

func (c change) net() money.USD { return c.charged.Sub(c.credited) }

// exceeds says that either side is more than a limit.
func (c change) exceeds(limit money.USD) bool {
	return c.charged.Cmp(limit) > 0 || c.credited.Cmp(limit) > 0
}

func (c change) String() string {
	if c.charged.IsZero() || c.credited.IsZero() {
		return dollars(c.net())
	}
	return fmt.Sprintf("%s (%s charged, %s credited)", dollars(c.net()), dollars(c.charged), dollars(c.credited))
}

// correctedBy adds up corrections by closed month: what each cost centre's documents are
// corrected by is charged or credited as a whole. of keeps those that are meant.
func correctedBy(corrected []records.Corrected, of func(records.Corrected) bool) map[string]change {
	type document struct{ month, center string }
	sums := map[document]money.USD{}
	for _, c := range corrected {
		if of(c) {
			at := document{c.Month, c.CostCenter}
			sums[at] = sums[at].Add(c.Amount)
		}
	}
	all := map[string]change{}
	for at, sum := range sums {
		c := all[at.month]
		if sum.Sign() < 0 {
			c.credited = c.credited.Sub(sum)
		} else {
			c.charged = c.charged.Add(sum)
		}
		all[at.month] = c
	}
	return all
}

func everything(records.Corrected) bool { return true }

// corrections names the closed months that are corrected by more than they may, and
// by other amounts than before.
func (s signals) corrections(context.Context) (problems []Problem, err error) {
	limit := s.b.Signal.CorrectionsLimit
	before, after := correctedBy(s.before.corrected, everything), correctedBy(s.after.corrected, everything)
	for _, month := range slices.Sorted(maps.Keys(after)) {
		was, is := before[month], after[month]
		if !is.exceeds(limit) || was.charged.Equal(is.charged) && was.credited.Equal(is.credited) {
			continue
		}
		what := fmt.Sprintf("this closed month is corrected in %s by %s", s.open, is)
		if !was.zero() {
			what += fmt.Sprintf("; before this run it was %s", was)
		}
		problems = append(problems, Problem{Kind: KindCorrections, Source: "corrections", Object: month, What: fmt.Sprintf(
			"%s, and corrections_limit_usd is %s: look whether late logs, prices or people should have changed; the documents of %s will list it", what, limit, s.open)})
	}
	return problems, nil
}

// edited names the prices of the past that were edited, with what closed months are
// corrected by for them.
func (s signals) edited(context.Context) (problems []Problem, err error) {
	for _, e := range s.edits {
		of := everything
		if key := e.Key(); key != "" {
			of = func(c records.Corrected) bool { return c.PriceKey == key }
		}
		var parts []string
		amounts := correctedBy(s.after.corrected, of)
		for _, month := range slices.Sorted(maps.Keys(amounts)) {
			if c := amounts[month]; !c.zero() {
				parts = append(parts, fmt.Sprintf("%s by %s", month, c))
			}
		}
		what := e.What + ", and records were charged by it; closed months are not corrected"
		if len(parts) > 0 {
			what = fmt.Sprintf("%s, and records were charged by it; %s now corrects %s", e.What, s.open, strings.Join(parts, ", "))
		}
		problems = append(problems, Problem{Kind: KindEditedPrice, Source: "rate book", Object: e.String(), What: what +
			". A price that changes is a new entry with its own from, or learned; if this was a mistake, put the entry back and run again"})
	}
	return problems, nil
}

// bookNow is what a night keeps of the rate book.
type bookNow struct {
	changed bool // since the last night; where it is not, nothing is to be kept
	marks   records.BookMarks
	edits   []records.BookEdit // all that stand
	fresh   []records.BookEdit // those of them that no night has told yet
}

// bookNow holds the rate book against the marks that the last night left. What was
// put back as it was is no edit any more.
func (b *Books) bookNow(ctx context.Context, open civil.Month, closed map[civil.Month]string) (now bookNow, err error) {
	before, err := b.Ledger.Records.BookMarks(ctx)
	if err != nil || before.Version == b.Rates.Version() {
		return now, err
	}
	now.changed, now.marks = true, records.BookMarks{Version: b.Rates.Version(), Marks: b.Rates.Marks()}
	latest, err := b.latestDone(ctx)
	if err != nil || before.Version == "" || latest.IsZero() {
		return now, err
	}
	kept, err := b.Ledger.Records.BookEdits(ctx)
	if err != nil {
		return now, err
	}
	used, err := b.Ledger.Records.PricesUsed(ctx)
	if err != nil {
		return now, err
	}
	past := latest.AddDays(1).Start(b.Zone)
	since := b.Rates.Edits(before.Marks, past)
	standing, original := openEdits(kept, closed), slices.Clone(before.Marks)
	for _, e := range standing {
		original = append(slices.DeleteFunc(original, e.Is), e.Mark)
	}
	for _, e := range b.Rates.Edits(original, past) {
		if key := e.Key(); key != "" && !used[key] {
			continue
		}
		edit := records.BookEdit{Mark: e.Mark, What: e.What, Open: open.String()}
		if e.Place != "" {
			edit.What += " (" + e.Place + ")"
		}
		if i := slices.IndexFunc(standing, func(s records.BookEdit) bool { return s.Is(e.Mark) }); i >= 0 {
			edit.Open = standing[i].Open
		}
		now.edits = append(now.edits, edit)
		if slices.ContainsFunc(since, func(s rates.Edit) bool { return s.Is(e.Mark) }) {
			now.fresh = append(now.fresh, edit)
		}
	}
	return now, nil
}

// openEdits are the edits that were found in months which are still open.
func openEdits(edits []records.BookEdit, closed map[civil.Month]string) (open []records.BookEdit) {
	for _, e := range edits {
		if month, err := civil.ParseMonth(e.Open); err == nil && closed[month] == "" {
			open = append(open, e)
		}
	}
	return open
}
