package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"chargeback/billing/ledger"
	"chargeback/billing/records"
	"chargeback/billing/report"
	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/bigquery"
	"chargeback/billing/warehouse/billed"
	"chargeback/cmd/chargeback/app"
	"chargeback/transform/civil"
)

// volume is a company as it is reckoned with: requests a day, and what does not grow
// with them.
type volume struct {
	requests int64 // a day
	sums     int64 // rows of daily_costs a day
	users    int64 // rows of daily_users a day, and of who asks what
	objects  int64 // a day
}

// volumes are those that are printed.
var volumes = []volume{
	{10_000_000, 20_000, 60_000, 400},
	{1_000_000_000, 60_000, 200_000, 20_000},
}

// Rows of who asked, of what was asked and of who called, by the model: they grow with
// a company's people and agents, not with its days.
var dimensionRows = map[string]int64{"actors": 100_000, "tasks": 10_000, "callers": 100_000}

// The ledger is measured in its first month and in its twelfth.
var bytesStart = civil.Date{Year: 2026, Mon: time.January, Day: 1}

const bytesMonths = 12

// bytesCommand prints what BigQuery would bill by the model for the steps of a night,
// of a close and of those who ask.
func bytesCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bytes", flag.ContinueOnError)
	pairs := flags.Int("n", 60, "requests a day of the ledger that is made; what the model bills is reckoned up from them")
	verbose := flags.Bool("v", false, "print the statements that bill most")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 0 || *pairs < 50 {
		return errors.New("bytes takes no folder, and at least 50 requests a day")
	}
	dir, err := os.MkdirTemp("", "chargeback-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return measureBytes(ctx, os.Stdout, dir, *pairs, bytesMonths, *verbose, nil)
}

// priced is a ledger that is made in DuckDB while meters write down what BigQuery
// would be asked.
type priced struct {
	w       io.Writer
	dir     string
	pairs   int
	verbose bool
	app     *app.App
	engine  warehouse.Warehouse // without the meters
	meters  []*billed.Meter     // one of each volume
	grows   []map[string]bool   // work tables that grow with requests, of each
	perDay  map[string]int64    // rows of a day of each table, at the most
	next    civil.Date          // first day whose night was not run
	// told is given what a step is billed at the first volume, of how many; nil = nobody.
	told func(what string, all []billed.Statement, of int64)
}

// measureBytes measures the first and the last of some months, and tells each step.
func measureBytes(ctx context.Context, w io.Writer, dir string, pairs, months int, verbose bool, told func(what string, all []billed.Statement, of int64)) (err error) {
	if err := writeConfigFrom(dir, bytesStart); err != nil {
		return err
	}
	for _, folder := range []string{"bedrock", "litellm"} { // a source without a folder can't be read
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			return err
		}
	}
	p := &priced{w: w, dir: dir, pairs: pairs, verbose: verbose, next: bytesStart, told: told}
	if err := p.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.app.Close()) }()
	fmt.Fprintf(w, "bytes that BigQuery would bill, by the model of billing/warehouse/billed; %d requests a day were run\n", pairs)
	month := bytesStart.Month()
	for n := 1; n <= months; n++ {
		measured := n == 1 || n == months
		if err := p.month(ctx, month, measured); err != nil {
			return err
		}
		month = month.Next()
	}
	return nil
}

func (p *priced) open(ctx context.Context) (err error) {
	p.app, err = app.Open(ctx, filepath.Join(p.dir, configFile), app.AsOwner, app.Options{
		Now: func() time.Time { return p.next.AddDays(2).Start(time.UTC) }, Getenv: func(string) string { return "" }, Err: io.Discard,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Engine: func(e warehouse.Warehouse) warehouse.Warehouse {
			p.engine = e
			p.meters, p.grows, p.perDay = nil, nil, map[string]int64{}
			for range volumes {
				m := billed.NewMeter(e, bigquery.Dialect)
				p.meters, p.grows = append(p.meters, m), append(p.grows, map[string]bool{})
				e = m
			}
			return e
		},
	})
	return err
}

// month runs the nights of a month and its close. Where it is measured, its last
// night, one with another price behind it, its close, a report and an explanation are
// printed.
func (p *priced) month(ctx context.Context, month civil.Month, measured bool) error {
	last := month.LastDay()
	if !measured {
		if err := p.nights(ctx, last.AddDays(4)); err != nil {
			return err
		}
		_, err := p.app.Monthly(ctx, month, last.AddDays(6).Start(time.UTC))
		return err
	}
	if err := p.nights(ctx, last.AddDays(-1)); err != nil {
		return err
	}
	age := last.DaysSince(bytesStart) + 1
	records := func(v volume) int64 { return v.requests * int64(month.LastDay().Day) }
	days := func(v volume) int64 { return v.requests }
	steps := []struct {
		what string
		of   func(volume) int64
		per  string
		run  func() error
	}{
		{"quiet night", days, "request of the day", func() error { return p.nights(ctx, last) }},
		{"night with one changed price", days, "request of the day", func() error {
			if err := p.dearer(month); err != nil {
				return err
			}
			if err := errors.Join(p.app.Close(), p.open(ctx)); err != nil {
				return err
			}
			if err := p.sizes(ctx); err != nil {
				return err
			}
			return p.nights(ctx, last.AddDays(1))
		}},
		{"", nil, "", func() error { return p.nights(ctx, last.AddDays(4)) }},
		{"close", records, "record of the month", func() error {
			_, err := p.app.Monthly(ctx, month, last.AddDays(6).Start(time.UTC))
			return err
		}},
		{"one report", records, "record of the month", func() error {
			_, err := report.Departments(ctx, p.app.Ledger, month)
			return err
		}},
		{"one explain", records, "record of the month", func() error { return p.explain(ctx, month) }},
	}
	for _, step := range steps {
		if err := p.sizes(ctx); err != nil {
			return err
		}
		if err := step.run(); err != nil {
			return fmt.Errorf("%s of %s: %w", step.what, month, err)
		}
		if step.what != "" {
			p.print(age, step.what, step.of, step.per)
		}
	}
	return nil
}

// nights writes the logs up to a day and runs its nights.
func (p *priced) nights(ctx context.Context, last civil.Date) error {
	first := p.next
	for ; !last.Before(p.next); p.next = p.next.AddDays(1) {
		if err := writeDay(p.dir, p.next.Start(time.UTC), uint64(p.next.DaysSince(bytesStart)), p.pairs); err != nil {
			return err
		}
	}
	s, err := p.app.Nights(ctx, records.Days{First: first, Last: last}, p.next.Start(time.UTC).Add(4*time.Hour))
	if err != nil {
		return err
	}
	for _, source := range s.Sources {
		if source.Staged > 0 {
			return nil
		}
	}
	return fmt.Errorf("nights from %s to %s read nothing: %v", first, last, s.Problems)
}

// dearer gives one model another price from the middle of a month on.
func (p *priced) dearer(month civil.Month) error {
	path := filepath.Join(p.dir, "prices.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	entry := fmt.Sprintf("  - provider: bedrock\n    model: %s\n    from: %sT00:00:00Z\n    usd_per_million: {input: \"4.00\", cache_read: \"0.40\", output: \"16.00\"}\n    source: made up for the benchmark\nfees:\n", models[0].id, month.FirstDay().AddDays(14))
	return os.WriteFile(path, []byte(strings.Replace(string(text), "fees:\n", entry, 1)), 0o644)
}

// explain explains a record of a month.
func (p *priced) explain(ctx context.Context, month civil.Month) error {
	id, err := warehouse.One[int64](ctx, p.engine, warehouse.Select{
		Text: "select min(record_id) as id from {record_facts} where usage_date between {@first} and {@last}", Args: warehouse.Args{"first": month.FirstDay(), "last": month.LastDay()},
	})
	if err != nil {
		return err
	}
	days, err := report.DaysOf(ctx, p.app.Ledger, fmt.Sprint(id), id)
	if err != nil {
		return err
	}
	records, err := report.Explain(ctx, p.app.Ledger, fmt.Sprint(id), id, days)
	if err == nil && len(records) == 0 {
		err = errors.New("nothing was explained")
	}
	return err
}

// How tables grow: with requests, or with what is alike in them.
var (
	ofRequests = []string{"usage", "requests", "record_facts", "repeats", "id_days"}
	ofSums     = []string{"daily_costs", "new_daily", "new_repriced_daily"}
	ofUsers    = []string{"daily_users", "new_daily_users", "new_repriced_users", "closed_payers", "new_closed_payers", "attribution_keys", "actors_dated", "new_actors", "new_tasks"}
)

// sizes counts the tables of the ledger, tells each meter what they would be, and
// makes it forget what it was asked before.
func (p *priced) sizes(ctx context.Context) error {
	p.perDay = map[string]int64{}
	var tables []string
	for _, t := range ledger.Layout().Tables {
		tables = append(tables, t.Name)
	}
	if err := p.count(ctx, tables); err != nil {
		return err
	}
	p.meters[len(p.meters)-1].Applied = p.count
	for i, m := range p.meters {
		v, grows := volumes[i], p.grows[i]
		m.Forget()
		m.Scale = func(work string, rows int64, made []billed.Read) int64 {
			delete(grows, work)
			switch {
			case slices.Contains(ofSums, work):
				return rows * v.sums / max(1, p.perDay["daily_costs"])
			case slices.Contains(ofUsers, work):
				return min(rows*v.users/max(1, p.perDay["daily_users"]), rows*v.requests/int64(p.pairs))
			}
			of := slices.ContainsFunc(made, func(r billed.Read) bool { return grows[r.Table] || slices.Contains(ofRequests, r.Table) })
			if !of && !strings.HasPrefix(work, "loaded_") || rows < int64(p.pairs)/2 {
				return rows
			}
			grows[work] = true
			return rows * v.requests / int64(p.pairs)
		}
	}
	return nil
}

// count counts tables of the ledger and tells each meter what they would be.
func (p *priced) count(ctx context.Context, tables []string) error {
	layout := ledger.Layout()
	for _, name := range tables {
		t, _ := layout.Table(name)
		counted := billed.Size{}
		var err error
		if t.Partition == "" {
			counted.Rows, err = warehouse.One[int64](ctx, p.engine, warehouse.Select{Text: "select count(*) as n from {" + t.Name + "}"})
		} else {
			counted.ByDay = map[civil.Date]int64{}
			err = warehouse.Each(ctx, p.engine, warehouse.Select{
				Text: "select " + t.Partition + " as day, count(*) as n from {" + t.Name + "} where " + t.Partition + " between {@first} and {@last} group by 1",
				Args: warehouse.Args{"first": civil.Min, "last": civil.Max},
			}, func(r struct {
				Day civil.Date
				N   int64
			}) error {
				counted.ByDay[r.Day] = r.N
				p.perDay[t.Name] = max(p.perDay[t.Name], r.N)
				return nil
			})
		}
		if err != nil {
			return fmt.Errorf("count %s: %w", t.Name, err)
		}
		for i, m := range p.meters {
			m.Sizes[t.Name] = p.grown(t.Name, counted, volumes[i], p.perDay)
		}
	}
	return nil
}

// grown is the size of a table of the ledger at a volume.
func (p *priced) grown(table string, counted billed.Size, v volume, perDay map[string]int64) billed.Size {
	times := func(by, of int64) billed.Size {
		of = max(1, of)
		grown := billed.Size{Rows: counted.Rows * by / of, Text: textLengths}
		if counted.ByDay != nil {
			grown.ByDay = map[civil.Date]int64{}
		}
		for day, rows := range counted.ByDay {
			grown.ByDay[day] = rows * by / of
		}
		return grown
	}
	switch {
	case slices.Contains(ofRequests, table):
		return times(v.requests, int64(p.pairs))
	case slices.Contains(ofSums, table):
		return times(v.sums, perDay[table])
	case slices.Contains(ofUsers, table):
		return times(v.users, perDay["daily_users"])
	case table == "objects":
		return billed.Size{Rows: v.objects * int64(p.next.DaysSince(bytesStart)), Text: textLengths}
	}
	counted.Text = textLengths
	if rows, is := dimensionRows[table]; is {
		counted.Rows = rows
	}
	return counted
}

// textLengths are those of ids as providers and gateways make them, and of keys of objects.
var textLengths = map[string]int64{
	"provider_request_id": 36, "response_id": 45, "client_ref": 36, "agent_request_id": 36, "trace_id": 36, "object_key": 120, "user_email": 24, "user_id": 24,
}

// print tells what a step bills at each volume.
func (p *priced) print(age int, what string, of func(volume) int64, per string) {
	if p.told != nil {
		p.told(what, p.meters[0].Statements(), of(volumes[0]))
	}
	for i, v := range volumes {
		all := p.meters[i].Statements()
		bytes := billed.Bytes(all)
		fmt.Fprintf(p.w, "%4d million requests a day, %3d days: %-29s %14s bytes, %s a %s, %d statements\n",
			v.requests/1_000_000, age, what, grouped(bytes), ratio(bytes, of(v)), per, len(all))
		if p.verbose {
			for _, s := range billed.Largest(all, 80) {
				fmt.Fprintf(p.w, "       %16s  %5.1f%%  %s\n", grouped(s.Bytes), 100*float64(s.Bytes)/float64(max(1, bytes)), s.Name)
			}
		}
	}
}

// ratio is bytes for one of many, with three digits where it is below one.
func ratio(bytes, of int64) string {
	if bytes >= of {
		return grouped(bytes / of)
	}
	return fmt.Sprintf("%.3g", float64(bytes)/float64(of))
}

// grouped writes a number with separators.
func grouped(n int64) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
