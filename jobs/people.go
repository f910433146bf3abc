package jobs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"chargeback/billing/records"
	"chargeback/billing/report"
	"chargeback/extract/store"
	"chargeback/transform/civil"
	"chargeback/transform/directory"
)

// unreadPeople are the people files that the newest night, run again, would read: what
// was changed, a snapshot that came, a file that is back, or one that could not be read
// and may be by now; and the sources that can't be listed, which is for the night to tell.
func (b *Books) unreadPeople(ctx context.Context) (unread []string, err error) {
	latest, err := b.latestDone(ctx)
	if err != nil {
		return nil, err
	}
	for _, source := range b.Sources {
		if !keepsRows(source) {
			continue
		}
		days := b.listed(records.Days{First: latest, Last: latest})
		if source.Snapshots() {
			days = allDays
		}
		listing, err := b.list(ctx, source, days, store.Names{})
		if broken, is := unreadOf(err); is {
			unread = append(unread, source.Name+" "+broken.source.Store.String())
			continue
		}
		if err != nil {
			return nil, err
		}
		known, err := b.Manifest.Current(ctx, source.Name, civil.DateOf(days.First, time.UTC), civil.DateOf(days.Last, time.UTC))
		if err != nil {
			return nil, err
		}
		todo := compare(listing, known, days, days, nil)
		if source.Snapshots() {
			if err := b.follow(ctx, source, listing.Objects, known, &todo); err != nil {
				return nil, err
			}
		}
		for _, f := range listing.Objects {
			read := slices.ContainsFunc(todo.read, func(r store.Found) bool { return r.Key == f.Key })
			if read || slices.Contains(todo.back, source.VersionID(f.Object, b.Zone)) {
				unread = append(unread, source.Name+" "+f.Key)
			}
		}
	}
	return unread, nil
}

// peopleProblems is what can't be believed of the people files on a day, or leads
// nowhere.
func (b *Books) peopleProblems(ctx context.Context, day civil.Date) (problems []Problem, err error) {
	people, err := report.PeopleProblems(ctx, b.Ledger.Records)
	if err != nil {
		return nil, err
	}
	for _, p := range people {
		problems = append(problems, Problem{Kind: KindPeople, Source: p.Source, Object: p.Key, What: p.What})
	}
	centers, err := report.PeopleCenters(ctx, b.Ledger.Records)
	if err != nil {
		return nil, err
	}
	told := map[string]bool{}
	for _, c := range centers {
		what := b.stranger(records.CostCenter{Code: c.CostCenter, Department: c.Department})
		if c.Snapshot { // the directory says which department a cost centre belongs to
			if _, known := b.Directory.CostCenter(c.CostCenter); known || told[c.Source+c.CostCenter] {
				continue
			}
			told[c.Source+c.CostCenter] = true
		}
		if what != "" {
			problems = append(problems, Problem{Kind: KindPeople, Source: c.Source, Object: c.Key, What: fmt.Sprintf("line %d: cost_center: %s; correct the row, or the directory", c.Line, what)})
		}
	}
	names, err := b.Names(ctx)
	if err != nil {
		return nil, err
	}
	users, err := report.Askers(ctx, b.Ledger.Records)
	if err != nil {
		return nil, err
	}
	var refs records.References
	b.people(&refs, names, users)
	states, err := report.SnapshotStates(ctx, b.Ledger.Records, refs.Aliases)
	if err != nil {
		return nil, err
	}
	for _, s := range states {
		for _, what := range b.snapshotProblems(s) {
			problems = append(problems, Problem{Kind: KindPeople, Source: s.Source, Object: "snapshot of " + s.Day.String(), What: what})
		}
	}
	contested, err := b.contested(ctx, names, day)
	return append(problems, contested...), err
}

// contested is which names that requests use stand for nobody, because exports
// give them to several people.
func (b *Books) contested(ctx context.Context, names *directory.Names, day civil.Date) (problems []Problem, err error) {
	rows := names.Contested(day)
	if len(rows) == 0 {
		return nil, nil
	}
	var texts []string
	for _, r := range rows {
		texts = append(texts, r.Name)
	}
	asked, err := report.Asked(ctx, b.Ledger.Records, texts)
	for _, r := range rows {
		if asked[r.Name] {
			problems = append(problems, Problem{Kind: KindPeople, Source: r.By.Source, Object: "snapshot of " + r.By.Since.String(), What: fmt.Sprintf(
				"%s is a name of %d people, so requests under it are charged to none of them: remove it from all but one, or add it to aliases in the directory", r.Name, len(r.Rivals))})
		}
	}
	return problems, err
}

// snapshotProblems says what is wrong with the newest snapshot of a source.
func (b *Books) snapshotProblems(s report.SnapshotState) (problems []string) {
	if s.Shown*2 < s.Before {
		problems = append(problems, fmt.Sprintf("shows %d people where the one before showed %d, and who is missing counts as gone; if the export was not whole, write it again under the same name", s.Shown, s.Before))
	}
	if s.Unsure > 0 {
		problems = append(problems, fmt.Sprintf("people who stand in it twice, with different departments or cost centres: %d; it says nothing of them until one row goes", s.Unsure))
	}
	unpaid := int64(0)
	for _, u := range s.Unpaid {
		if _, ok := b.Directory.Place(u.Department, ""); !ok {
			unpaid += u.People
		}
	}
	if unpaid > 0 {
		problems = append(problems, fmt.Sprintf("people who have asked for something and have no cost centre in it: %d; give them one, or their departments a default_for in the directory", unpaid))
	}
	return problems
}
