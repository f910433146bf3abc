package records

import (
	"context"
	_ "embed" // texts of selects
	"fmt"
	"maps"
	"slices"

	"chargeback/billing/manifest"
	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/civil"
)

// Changed is why days are computed.
type Changed struct {
	Whole    []civil.Date // every record of them
	Added    []civil.Date // rows of them came and none went, also days that are not due
	Waiting  []civil.Date // requests of them no longer wait for usage
	Repriced Repriced     // records of some models cost something else on them
	Plain    Plain        // prices by which such records may cost something else and stay the same otherwise
	Notes    int64        // of changed days, when these were read: see manifest.Changed
}

// Repriced are the models, by their meters, that cost something else on days.
type Repriced map[civil.Date][]int64

// With adds meters to a day.
func (p Repriced) With(day civil.Date, meters ...int64) Repriced {
	if p == nil {
		p = Repriced{}
	}
	for _, m := range meters {
		if !slices.Contains(p[day], m) {
			p[day] = append(p[day], m)
		}
	}
	return p
}

// Days are in their order.
func (p Repriced) Days() []civil.Date { return slices.SortedFunc(maps.Keys(p), civil.Date.Compare) }

func (p Repriced) rows() (rows [][]any) {
	for _, day := range p.Days() {
		for _, meter := range p[day] {
			rows = append(rows, []any{day, meter})
		}
	}
	return rows
}

// pricesColumns are the columns of {near_prices}: models that cost something else.
var pricesColumns = []record.Column{{Name: "usage_date", Type: record.Date}, {Name: "meter_id", Type: record.Int}}

// near is what decides the records of a build, where that is less than all rows of
// all days around it. A row decides another where they share a natural key or an id,
// directly or by others; or where no id has brought either together with the other
// side and they lie within an hour and some minutes; or by being the provider's log of
// a day. So each record outside of whole days that may come out otherwise is found from
// the rows that are new, or cost something else, by ids, to the end of each chain, and
// among the records that no id has matched, by the hour. All others stay.
type near struct {
	whole   []civil.Date // all of whose records are made
	parts   []civil.Date // of which those records are made that {moved_rows} names
	visible []civil.Date // all of whose rows are read
	partial []civil.Date // of which {near_usage} and {near_requests} are read
	added   []civil.Date // to which rows were added beside records that are there
	priced  Repriced     // of days that are not made as a whole
	alone   Repriced     // of days of which records are priced again as they stand, and nothing is made
	notes   int64        // of changed days that it knows of
}

// The texts of what Narrow reads.
var (
	//go:embed near_staged.sql
	nearStagedText string
	//go:embed near_changed.sql
	nearChangedText string
	//go:embed near_priced.sql
	nearPricedText string
	//go:embed near_linked.sql
	nearLinkedText string
	//go:embed near_visible.sql
	nearVisibleText string
	//go:embed near_loose.sql
	nearLooseText string
	//go:embed near_hours.sql
	nearHoursText string
	//go:embed near_found.sql
	nearFoundText string
	//go:embed near_covering.sql
	nearCoveringText string
)

// nearReached is what leads on from rows that were reached, nearStep from the last ones.
const (
	nearReached = "select kind, record_key, provider_request_key, response_key, client_ref_key from {near_rows} as n"
	nearStep    = "select kind, row_date, record_key, provider_request_key, response_key, client_ref_key from {near_linked} as n"
)

// nearTables are the work tables that Compute reads.
var nearTables = []string{"near_usage", "near_requests", "moved_rows"}

// nearColumns are the columns of {near_rows}: rows that were reached, and whether
// their records may come out otherwise.
var nearColumns = []record.Column{
	{Name: "kind", Type: record.Text}, {Name: "object_id", Type: record.Int}, {Name: "line", Type: record.Int}, {Name: "row_date", Type: record.Date}, {Name: "started_at", Type: record.Time},
	{Name: "record_key", Type: record.Int}, {Name: "provider_request_key", Type: record.ID, Nullable: true}, {Name: "response_key", Type: record.ID, Nullable: true}, {Name: "client_ref_key", Type: record.ID, Nullable: true},
	{Name: "moved", Type: record.Bool},
}

// Narrow is a build of those of its days, and of those records, that may come out
// otherwise than they are, because of what has changed. The build's own days are all
// that this may concern; where one of those that decide them lies in a closed month it
// stays as it is. It makes work tables, which Compute reads.
func (l *Records) Narrow(ctx context.Context, b Build, c Changed) (Build, error) {
	if len(b.Days) == 0 {
		return b, nil
	}
	closed, err := ClosedMonths(ctx, l.q)
	if err != nil {
		return b, err
	}
	around := Reach(slices.Concat(c.Whole, c.Added, c.Waiting, c.Repriced.Days()))
	for month := range closed {
		if slices.ContainsFunc(around, func(d civil.Date) bool { return d.Month() == month }) {
			return b, nil
		}
	}
	n, err := l.seeds(ctx, b, c)
	if err == nil {
		n.alone, err = l.alone(ctx, n.priced, c.Plain)
	}
	for again := err == nil; again; {
		n.priced = n.priced.without(n.alone.Days())
		if err = l.find(ctx, b, n, c.Waiting); err != nil {
			break
		}
		// Of a day that is made in part the records that stay are copied at their old price.
		made := n.alone.without(n.parts)
		again = len(made) < len(n.alone)
		n.priced, n.alone = n.priced.and(n.alone.without(made.Days())), made
	}
	if err != nil {
		return b, fmt.Errorf("find what has changed: %w", err)
	}
	b.Days, b.near = civil.EachOnce(slices.Concat(n.whole, n.parts)), n
	return b, nil
}

// seeds are the days that are made, or read, as a whole, the days around them that have
// rows, and those to which rows were added beside records that are there.
func (l *Records) seeds(ctx context.Context, b Build, c Changed) (*near, error) {
	n := &near{whole: slices.Clone(c.Whole), notes: c.Notes}
	recorded := map[civil.Date]bool{}
	if len(c.Added) > 0 {
		days, err := warehouse.All[civil.Date](ctx, l.w, warehouse.Select{
			Name: "days with records", Text: "select distinct usage_date from {charged_days} where usage_date in ({@added_days})", Args: Args{"added_days": c.Added},
		})
		if err != nil {
			return nil, err
		}
		for _, d := range days {
			recorded[d] = true
		}
	}
	for _, d := range c.Added {
		due := slices.Contains(b.Days, d)
		switch {
		case due && recorded[d]:
			n.added = append(n.added, d)
		case due:
			n.whole = append(n.whole, d)
		default:
			n.visible = append(n.visible, d)
		}
	}
	n.whole = civil.EachOnce(n.whole)
	n.added = slices.DeleteFunc(n.added, func(d civil.Date) bool { return slices.Contains(n.whole, d) })
	n.visible = civil.EachOnce(append(n.visible, n.whole...))
	for _, d := range c.Repriced.Days() {
		if slices.Contains(b.Days, d) && !slices.Contains(n.whole, d) {
			n.priced = n.priced.With(d, c.Repriced[d]...)
		}
	}
	return n, nil
}

// find finds what is read, and what is made in part.
func (l *Records) find(ctx context.Context, b Build, n *near, waiting []civil.Date) error {
	n.partial, n.parts = nil, nil
	around := Reach(slices.Concat(n.visible, n.added, n.priced.Days(), waiting))
	if len(around) == 0 {
		return nil
	}
	staged, err := warehouse.All[civil.Date](ctx, l.w, warehouse.Select{
		Name: "days with staged rows", Args: Args{"scan_days": around},
		Text: "select distinct usage_date as day from {usage} where usage_date in ({@scan_days}) union distinct select distinct request_date as day from {requests} where request_date in ({@scan_days})",
	})
	n.partial = civil.EachOnce(slices.DeleteFunc(staged, func(d civil.Date) bool { return slices.Contains(n.visible, d) }))
	if err != nil || len(n.partial) == 0 {
		return err
	}
	return l.reach(ctx, b, n, waiting)
}

// planNear adds to a plan what Narrow would read, at the most.
func planNear(ctx context.Context, plan *warehouse.Plan, b Build) error {
	args := Args{
		"visible_days": b.Days, "added_days": b.Days, "beside_days": beside(b.Days, 1), "loose_days": Reach(b.Days),
		"late_until": b.LateUntil, "moved": false, "priced_days": b.Days,
		"staged_days": Reach(b.Days), "staged_request_days": Reach(b.Days),
	}
	linked := map[string]string{"near_last": nearReached + "\nunion all\n" + nearVisibleText}
	for _, t := range []struct {
		name, what, text string
		views            map[string]string
	}{
		{"near_rows", "rows that are new", nearChangedText, nil},
		{"near_linked", "rows that cost something else", nearPricedText, map[string]string{"near_prices": "select usage_date, 0 as meter_id from {charged_days} where usage_date in ({@priced_days})"}},
		{"near_linked", "rows that share ids", nearLinkedText, linked},
		{"near_loose", "records that no id has matched", nearLooseText, nil},
		{"near_hours", "hours that were reached", nearHoursText, nil},
		{"near_chosen", "rows that may come out otherwise", "select kind, object_id, line, row_date, alike from {near_loose} as l", nil},
		{"near_chosen_rows", "rows that may come out otherwise", nearFoundText, nil},
		{"near_chosen", "rows that decide these", "select kind, object_id, line, row_date, alike from {near_loose} as l\nunion all\nselect kind, object_id, line, row_date, alike from {near_covering} as v", map[string]string{"near_covering": nearCoveringText}},
		{"near_chosen_rows", "rows that are read", nearFoundText, nil},
		{"near_linked", "rows that share ids with these", nearLinkedText, linked},
		{"near_usage", "rows of usage that are read", nearTableText(manifest.UsageTable, "usage", "staged_days"), nil},
		{"near_requests", "rows of requests that are read", nearTableText(manifest.RequestsTable, "request", "staged_request_days"), nil},
	} {
		views := map[string]string{"near_staged": nearStagedText}
		maps.Copy(views, t.views)
		if err := plan.Compute(ctx, t.name, warehouse.Select{Name: t.what, Text: t.text, Args: args, Views: views}); err != nil {
			return err
		}
	}
	return nil
}

// nearTableText are the rows of a staged table that were reached, on days that an
// argument lists.
func nearTableText(t warehouse.Table, kind, days string) string {
	return "select s.* from (\nselect " + t.ColumnNames() + " from {" + t.Name + "} where " + t.Partition + " in ({@" + days + "})\n) as s\n" +
		"inner join {near_rows} as n on n.object_id = s.object_id and n.line = s.line and n.kind = '" + kind + "'"
}

// reaching is the work of Narrow.
type reaching struct {
	*Records
	partial []civil.Date
	args    Args
	views   map[string]string
}

// reach finds the rows of partial days that are read, and of those whose records are
// made.
func (l *Records) reach(ctx context.Context, b Build, n *near, waiting []civil.Date) error {
	r := reaching{l, n.partial, Args{"visible_days": days(n.visible), "added_days": days(n.added), "late_until": b.LateUntil}, nil}
	if err := l.w.Put(ctx, "near_rows", nearColumns, nil); err != nil {
		return err
	}
	if len(n.added) > 0 {
		r.args["beside_days"] = beside(n.added, 1)
		r.on(n.added, n.added)
		if err := r.compute(ctx, "near_rows", "rows that are new", nearChangedText); err != nil {
			return err
		}
	}
	if len(n.priced) > 0 {
		if err := l.w.Put(ctx, "near_prices", pricesColumns, n.priced.rows()); err != nil {
			return err
		}
		r.on(n.priced.Days(), n.priced.Days())
		r.args["moved"] = true
		if err := r.compute(ctx, "near_linked", "rows that cost something else", nearPricedText); err != nil {
			return err
		}
		if _, err := r.add(ctx, "near_linked"); err != nil {
			return err
		}
	}
	seeds := nearReached
	if len(n.visible) > 0 {
		seeds += "\nunion all\n" + nearVisibleText
	}
	if err := r.follow(ctx, "near_rows", seeds, n.visible, true); err != nil {
		return err
	}
	moved, err := r.daysMoved(ctx)
	if err != nil {
		return err
	}
	// Of records that no id has matched, those by hours that were reached.
	r.views = nil
	r.args["loose_days"] = days(slices.DeleteFunc(beside(slices.Concat(moved, n.visible, waiting), 1), func(d civil.Date) bool { return !slices.Contains(n.partial, d) }))
	if err := r.compute(ctx, "near_loose", "records that no id has matched", nearLooseText); err != nil {
		return err
	}
	if err := r.compute(ctx, "near_hours", "hours that were reached", nearHoursText); err != nil {
		return err
	}
	any, err := r.loose(ctx, true, "l.waits or h.hour_micros is not null or l.kind = 'request' and l.row_date in ({@added_days})", "")
	if err != nil {
		return err
	}
	covering := ""
	if any || len(moved) > 0 {
		covering = "\nunion distinct\nselect kind, object_id, line, row_date, alike from {near_covering} as v"
	}
	if any {
		if err := r.compute(ctx, "near_hours", "hours that were reached", nearHoursText); err != nil {
			return err
		}
	}
	more, err := r.loose(ctx, false, "h.hour_micros is not null", covering)
	if err != nil {
		return err
	}
	if any || more {
		if err := r.follow(ctx, "near_rows", nearReached, nil, false); err != nil {
			return err
		}
	}
	if moved, err = r.daysMoved(ctx); err != nil {
		return err
	}
	n.parts = slices.DeleteFunc(moved, func(d civil.Date) bool { return !slices.Contains(b.Days, d) || slices.Contains(n.whole, d) })
	return r.rows(ctx)
}

func (r reaching) compute(ctx context.Context, name, what, text string) error {
	views := map[string]string{"near_staged": nearStagedText}
	maps.Copy(views, r.views)
	return r.w.Compute(ctx, name, warehouse.Select{Name: what, Text: text, Args: r.args, Views: views})
}

// on sets the days whose usage rows and whose requests are {near_staged}.
func (r reaching) on(usage, requests []civil.Date) {
	r.args["staged_days"], r.args["staged_request_days"] = days(usage), days(requests)
}

// add adds the rows of a work table to those that were reached, and says how many
// they are.
func (r reaching) add(ctx context.Context, from string) (int64, error) {
	n, err := warehouse.One[int64](ctx, r.w, warehouse.Select{Name: "count rows that were reached", Text: "select count(*) as n from {" + from + "} as r"})
	if err != nil || n == 0 {
		return 0, err
	}
	columns := warehouse.ColumnNames(nearColumns)
	return n, r.compute(ctx, "near_rows", "rows that were reached", "select "+columns+" from {near_rows} as n\nunion all\nselect "+columns+" from {"+from+"} as r")
}

// follow reaches the rows that share keys and ids with rows of a select, and those
// that share some with them, to the end. The select has the rows of a work table, and
// those of whole days. What is brought together by an id begins within a day, so that
// each step looks for it on the days beside those that it goes on from.
func (r reaching) follow(ctx context.Context, from, last string, whole []civil.Date, moved bool) error {
	r.args["moved"], r.views = moved, map[string]string{"near_last": last}
	for {
		reached, err := warehouse.All[civil.Date](ctx, r.w, warehouse.Select{Name: "days that were reached", Text: "select distinct row_date from {" + from + "} as n"})
		if err != nil {
			return err
		}
		near := r.amongPartial(beside(slices.Concat(reached, whole), 1))
		if len(near) == 0 {
			return nil
		}
		r.on(near, near)
		if err := r.compute(ctx, "near_linked", "rows that share ids", nearLinkedText); err != nil {
			return err
		}
		n, err := r.add(ctx, "near_linked")
		if err != nil || n == 0 {
			return err
		}
		if err := r.compute(ctx, "near_step", "rows to go on from", nearStep); err != nil {
			return err
		}
		from, whole = "near_step", nil
		r.views = map[string]string{"near_last": "select kind, record_key, provider_request_key, response_key, client_ref_key from {near_step} as n"}
	}
}

// loose reaches records that no id has matched, by a condition on {near_loose} as l
// and the hours that were reached as h, and the rows of another select; it says whether
// there are any.
func (r reaching) loose(ctx context.Context, moved bool, chosen, more string) (bool, error) {
	r.views = map[string]string{"near_covering": nearCoveringText}
	err := r.compute(ctx, "near_chosen", "rows that may come out otherwise",
		"select distinct l.kind, l.object_id, l.line, l.row_date, l.alike from {near_loose} as l left join {near_hours} as h on h.hour_micros = l.hour_micros where "+chosen+more)
	if err != nil {
		return false, err
	}
	found, err := r.chosenDays(ctx)
	if err != nil || !found {
		return false, err
	}
	r.args["moved"] = moved
	if err := r.compute(ctx, "near_chosen_rows", "rows that are read", nearFoundText); err != nil {
		return false, err
	}
	n, err := r.add(ctx, "near_chosen_rows")
	return n > 0, err
}

// chosenDays sets the partial days on which rows of {near_chosen} lie, and says whether
// there are any. Where a request looks like usage its day may be the one beside.
func (r reaching) chosenDays(ctx context.Context) (any bool, err error) {
	var usage, requests []civil.Date
	err = warehouse.Each(ctx, r.w, warehouse.Select{Name: "days that were chosen", Text: "select distinct kind, row_date, alike from {near_chosen} as c"}, func(c struct {
		Kind    string
		RowDate civil.Date
		Alike   bool
	}) error {
		switch {
		case c.Kind == "usage":
			usage = append(usage, c.RowDate)
		case c.Alike:
			requests = append(requests, beside([]civil.Date{c.RowDate}, 1)...)
		default:
			requests = append(requests, c.RowDate)
		}
		return nil
	})
	r.on(r.amongPartial(usage), r.amongPartial(requests))
	return len(usage)+len(requests) > 0, err
}

// amongPartial are those of some days of which not all rows are read.
func (r reaching) amongPartial(of []civil.Date) []civil.Date {
	return slices.DeleteFunc(civil.EachOnce(of), func(d civil.Date) bool { return !slices.Contains(r.partial, d) })
}

func (r reaching) daysMoved(ctx context.Context) ([]civil.Date, error) {
	return warehouse.All[civil.Date](ctx, r.w, warehouse.Select{Name: "days that were reached", Text: "select distinct row_date from {near_rows} as n where moved order by row_date"})
}

// rows makes the work tables that Compute reads, of the days on which rows were
// reached, and drops the others.
func (r reaching) rows(ctx context.Context) error {
	reached := map[string][]civil.Date{}
	err := warehouse.Each(ctx, r.w, warehouse.Select{Name: "days that were reached", Text: "select distinct kind, row_date from {near_rows} as n"}, func(n struct {
		Kind    string
		RowDate civil.Date
	}) error {
		reached[n.Kind] = append(reached[n.Kind], n.RowDate)
		return nil
	})
	if err != nil {
		return err
	}
	r.on(r.amongPartial(reached["usage"]), r.amongPartial(reached["request"]))
	if err := r.compute(ctx, "near_usage", "rows of usage that are read", nearTableText(manifest.UsageTable, "usage", "staged_days")); err != nil {
		return err
	}
	if err := r.compute(ctx, "near_requests", "rows of requests that are read", nearTableText(manifest.RequestsTable, "request", "staged_request_days")); err != nil {
		return err
	}
	if err := r.compute(ctx, "moved_rows", "rows whose records are made", "select distinct kind, object_id, line from {near_rows} as n where moved"); err != nil {
		return err
	}
	return r.w.Drop(ctx, "near_rows", "near_linked", "near_step", "near_loose", "near_hours", "near_chosen", "near_chosen_rows", "near_prices")
}

// settled are the days whose changes are in the records that a build makes.
func (b Build) settled() []civil.Date {
	if b.near == nil {
		return b.Days
	}
	return civil.EachOnce(slices.Concat(b.Days, b.near.added))
}

// Computed are the days of which records are computed, by whatever way.
func (b Build) Computed() []civil.Date {
	return civil.EachOnce(slices.Concat(b.Days, b.alone().Days()))
}

// alone are the models whose records are priced again as they stand.
func (b Build) alone() Repriced {
	if b.near == nil {
		return nil
	}
	return b.near.alone
}

// Parts is how many of its days are made in part.
func (b Build) Parts() int {
	if b.near == nil {
		return 0
	}
	return len(b.near.parts)
}

// scanned are the days of which rows are read.
func (b Build) scanned() []civil.Date {
	if b.near == nil {
		return Reach(b.Days)
	}
	return civil.EachOnce(slices.Concat(b.near.visible, b.near.partial))
}

// staged are views of the staged rows that decide a build, and the arguments that
// they need; nil where these are all rows of the days that are scanned.
func (b Build) staged(args Args) map[string]string {
	if b.near == nil || len(b.near.partial) == 0 {
		return nil
	}
	views := map[string]string{}
	for name, t := range map[string]warehouse.Table{"near_usage": manifest.UsageTable, "near_requests": manifest.RequestsTable} {
		views[t.Name] = "select " + t.ColumnNames() + " from {" + name + "} as n"
		if len(b.near.visible) > 0 {
			views[t.Name] = "select " + t.ColumnNames() + " from {" + t.Name + "} where " + t.Partition + " in ({@visible_days})\nunion all\n" + views[t.Name]
			args["visible_days"] = b.near.visible
		}
	}
	return views
}

// parted narrows a select of new rows of a build to those that are made, and adds the
// rows of its other days that stay; table has both. kind, object and line are columns
// of both that say which row it was made of.
func (b Build) parted(t Table, fresh, kind, object, line string, args Args) string {
	if b.near == nil || len(b.near.parts) == 0 {
		return fresh
	}
	args["part_days"] = b.near.parts
	moved := "left join {moved_rows} as m on m.kind = " + kind + " and m.object_id = " + object + " and m.line = " + line
	is := "m.line is not null"
	if len(b.near.whole) > 0 {
		is += " or f.usage_date in ({@whole_days})"
		args["whole_days"] = b.near.whole
	}
	names := "f." + t.Columns[0].Name
	for _, c := range t.Columns[1:] {
		names += ", f." + c.Name
	}
	return "select " + names + " from (\n" + fresh + "\n) as f\n" + moved + "\nwhere " + is +
		"\nunion all\nselect " + names + " from {" + t.Name + "} as f\n" + moved + "\nwhere f.usage_date in ({@part_days}) and m.line is null"
}

// beside are days and those up to some days beside them.
func beside(days []civil.Date, reach int) (all []civil.Date) {
	for _, d := range days {
		for n := -reach; n <= reach; n++ {
			all = append(all, d.AddDays(n))
		}
	}
	return civil.EachOnce(all)
}

// days is a list of days for a text, which takes no empty one: one that no row has. (The
// first day of all would be no bound.)
func days(all []civil.Date) []civil.Date {
	if len(all) == 0 {
		return []civil.Date{civil.Min.AddDays(1)}
	}
	return all
}
