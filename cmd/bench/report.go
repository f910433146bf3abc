package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"chargeback/billing/ledger"
	"chargeback/billing/records"
	"chargeback/billing/warehouse"
	"chargeback/billing/warehouse/duckdb"
	"chargeback/transform/civil"
	books "chargeback/transform/models"
	"chargeback/transform/money"
)

// year is a company whose daily sums of some months are made, without a record behind
// them: reports read nothing else.
type year struct {
	months   int
	requests int // a day
	sums     int // rows of daily_costs a day
	users    int // rows of daily_users a day
}

// What the sums of a day are of. A cost centre has some agents of its own, each of
// which asks some models.
const (
	yearCenters = 300
	yearAgents  = 1500
	yearModels  = 12
)

var yearStart = civil.Date{Year: 2026, Mon: time.January, Day: 1}

// yearAgent is the agent whose days are reported.
const yearAgent = "agent-7"

// reportCommand measures reports in a ledger of twelve months.
func reportCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("report", flag.ContinueOnError)
	y := year{months: 12}
	flags.IntVar(&y.requests, "n", 2000000, "requests a day")
	flags.IntVar(&y.sums, "sums", 8000, "rows of daily_costs a day")
	flags.IntVar(&y.users, "users", 20000, "rows of daily_users a day: people who ask")
	runs := flags.Int("runs", 3, "runs of each report")
	built := flags.String("chargeback", "", "built program; default: build ./cmd/chargeback")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 0 || y.sums < 1 || y.users < 1 || y.requests < max(y.sums, y.users) || *runs < 1 {
		return errors.New("report takes no folder, at least one row of each kind a day, a request for each, and at least one run")
	}
	dir, err := os.MkdirTemp("", "chargeback-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := *built
	if binary == "" {
		binary = filepath.Join(dir, "chargeback")
		if _, err := execute(exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/chargeback")); err != nil {
			return fmt.Errorf("build ./cmd/chargeback, from the module's root: %w", err)
		}
	}
	total, err := y.fill(ctx, dir)
	if err != nil {
		return err
	}
	size, err := fileSize(filepath.Join(dir, ledgerFile))
	if err != nil {
		return err
	}
	fmt.Printf("%d months of %d requests a day: %d rows of daily_costs and %d of daily_users a day, ledger %d MB\n", y.months, y.requests, y.sums, y.users, size/1e6)
	return y.measure(ctx, os.Stdout, dir, binary, *runs, total)
}

// measure runs each report of the last month, an agent's of the year and departments of
// each month, in processes of their own. The total of the latter is that of the daily
// sums.
func (y year) measure(ctx context.Context, w io.Writer, dir, binary string, runs int, total money.USD) error {
	run := func(args ...string) (ran process, err error) {
		return execute(exec.CommandContext(ctx, binary, append(append([]string{"report"}, args...), "--format", "json", "--config", filepath.Join(dir, configFile))...))
	}
	months := y.all()
	last := months[len(months)-1].String()
	slowest := time.Duration(0)
	for _, args := range [][]string{
		{"departments", "--month", last}, {"cost-centers", "--month", last}, {"agents", "--month", last}, {"users", "--month", last},
		{"matches", "--month", last}, {"savings", "--month", last}, {"totals", "--month", last}, {"agents", "--agent", yearAgent, "--days", "365"},
	} {
		var all []measurement
		for range runs {
			ran, err := run(args...)
			if err != nil {
				return err
			}
			all = append(all, measurement{Wall: ran.wall, Processor: ran.processor})
		}
		wall := medianWall(all)
		slowest = max(slowest, wall)
		fmt.Fprintf(w, "  %-36s %.2f s, processor time %.2f s\n", strings.Join(args, " "), wall.Seconds(), medianProcessor(all).Seconds())
	}
	fmt.Fprintf(w, "the slowest report takes %.2f s\n", slowest.Seconds())
	var sum money.USD
	var wall time.Duration
	for _, month := range months {
		ran, err := run("departments", "--month", month.String())
		if err != nil {
			return err
		}
		cost, err := sumReport(ran.stdout)
		if err != nil {
			return err
		}
		wall, sum = wall+ran.wall, sum.Add(cost)
	}
	fmt.Fprintf(w, "departments of %d months, one after another: %.2f s, LLM cost %s USD\n", len(months), wall.Seconds(), sum.Fixed())
	if !sum.Equal(total) {
		return fmt.Errorf("reports come to %s USD, the daily sums to %s USD; the difference is %s USD", sum.Fixed(), total.Fixed(), sum.Sub(total).Fixed())
	}
	return nil
}

// all are the months of the year.
func (y year) all() (months []civil.Month) {
	for month := yearStart.Month(); len(months) < y.months; month = month.Next() {
		months = append(months, month)
	}
	return months
}

// fill writes the settings and makes the ledger, with the daily sums alone. It returns
// their LLM cost.
func (y year) fill(ctx context.Context, dir string) (total money.USD, err error) {
	if err := writeConfigFrom(dir, yearStart); err != nil {
		return total, err
	}
	w, err := duckdb.Open(ctx, duckdb.Options{Path: filepath.Join(dir, ledgerFile), MemoryBytes: 1 << 30})
	if err != nil {
		return total, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if _, err := ledger.Open(ctx, w, time.UTC, yearStart.String()); err != nil {
		return total, err
	}
	if err := y.fillNames(ctx, w); err != nil {
		return total, err
	}
	for _, month := range y.all() {
		if err := fillSums(ctx, w, month); err != nil {
			return total, fmt.Errorf("daily sums of %s: %w", month, err)
		}
	}
	return warehouse.One[money.USD](ctx, w, warehouse.Select{Name: "LLM cost of all days", Text: "select {total_usd(llm_cost_usd)} as cost from {daily_costs} where usage_date >= {@first}", Args: warehouse.Args{"first": yearStart}})
}

// fillNames writes who and what the sums are of, and makes the work tables alike_sums
// and alike_users: what is the same on all days.
func (y year) fillNames(ctx context.Context, w warehouse.Warehouse) error {
	random := rand.New(rand.NewPCG(5, 12))
	var payers, meters, actors, sums, users [][]any
	for i := range yearCenters {
		payers = append(payers, []any{int64(i), fmt.Sprintf("Department %d", i%departments), fmt.Sprintf("CC-%04d", i)})
	}
	for i := range yearModels {
		meters = append(meters, []any{int64(i), "bedrock", account, region, fmt.Sprintf("model-%d", i), "Converse", nil, nil, nil})
	}
	priced, alone, held, err := yearRulings()
	if err != nil {
		return err
	}
	for i := range y.sums {
		center := i % yearCenters
		agent := center + yearCenters*random.IntN(yearAgents/yearCenters)
		ruling, costs := priced, true
		switch random.IntN(40) {
		case 0:
			ruling = alone
		case 1:
			ruling, costs = held, false
		}
		sums = append(sums, []any{int64(i), int64(center), int64(random.IntN(yearModels)), fmt.Sprintf("agent-%d", agent), ruling, costs, share(y.requests, y.sums, i)})
	}
	for i := range y.users {
		actors = append(actors, []any{int64(i), fmt.Sprintf("user%05d@example.com", i), nil, nil, nil, nil})
		users = append(users, []any{int64(i), int64(random.IntN(yearCenters)), share(y.requests, y.users, i)})
	}
	whole := func(names ...string) (columns []records.Column) {
		for _, name := range names {
			columns = append(columns, records.Column{Name: name, Type: records.Int})
		}
		return columns
	}
	sumColumns := slices.Concat(whole("id", "payer_id", "meter_id"), []records.Column{{Name: "agent_id", Type: records.Text}}, whole("ruling_id"), []records.Column{{Name: "costs", Type: records.Bool}}, whole("records"))
	return errors.Join(
		w.Apply(ctx, warehouse.Append{Table: "payers", Rows: payers}, warehouse.Append{Table: "meters", Rows: meters}, warehouse.Append{Table: "actors", Rows: actors}),
		w.Put(ctx, "alike_sums", sumColumns, sums),
		w.Put(ctx, "alike_users", whole("actor_id", "payer_id", "records"), users),
	)
}

// share is the part of one of some rows in a number.
func share(n, rows, row int) int64 { return int64(n*(row+1)/rows - n*row/rows) }

// yearRulings are those of a request that found its usage, of usage that found none and
// of a request that waits for its usage.
func yearRulings() (priced, alone, held int64, err error) {
	priced, alone, held = -1, -1, -1
	for _, r := range books.Rulings() {
		switch {
		case r.Attribution != "user":
		case r.Match == "matched" && r.Pricing == "priced":
			priced = r.ID
		case r.Match == "provider_only" && r.Pricing == "priced":
			alone = r.ID
		case r.Match == "agent_only" && r.Pricing == "pending":
			held = r.ID
		}
	}
	if priced < 0 || alone < 0 || held < 0 {
		err = errors.New("a ruling is missing")
	}
	return priced, alone, held, err
}

// Tokens of a row differ from day to day, so that nothing is stored as one number.
const (
	yearSums = `
with measured as (
  select
    d.usage_date,
    s.*,
    s.records * (900 + mod(s.id * 7919 + d.day_number * 104729, 1009)) as input_tokens,
    s.records * (100 + mod(s.id * 104729 + d.day_number * 7919, 509)) as output_tokens
  from {alike_sums} as s
  cross join {month_days} as d
)
select
  usage_date,
  {@month} as billing_month,
  usage_date as utc_date,
  0 as correction,
  payer_id,
  meter_id,
  agent_id,
  ruling_id,
  false as cache_hit,
  true as metered,
  'bedrock' as usage_source,
  'gateway' as request_source,
  records,
  0 as tool_calls,
  input_tokens as input_uncached_tokens,
  records * 500 as cache_read_tokens,
  0 as cache_write_5m_tokens,
  0 as cache_write_1h_tokens,
  0 as cache_write_unknown_tokens,
  output_tokens,
  0 as reasoning_tokens,
  0 as input_audio_tokens,
  0 as input_image_tokens,
  0 as cache_read_audio_tokens,
  0 as output_audio_tokens,
  0 as output_image_tokens,
  0 as searches,
  if(costs, cast(input_tokens * 0.000003 + output_tokens * 0.000015 as bignumeric), null) as llm_cost_usd,
  if(costs, cast(records * 0.0001 as bignumeric), null) as infra_cost_usd,
  if(costs, cast(0 as bignumeric), null) as tool_cost_usd,
  if(costs, cast(input_tokens * 0.000003 + output_tokens * 0.000015 + records * 0.0001 as bignumeric), null) as total_cost_usd,
  if(costs, cast(records * 0.00135 as bignumeric), null) as cache_savings_usd
from measured`

	yearUsers = `
select
  d.usage_date,
  {@month} as billing_month,
  0 as correction,
  u.payer_id,
  u.actor_id,
  false as held,
  u.records,
  u.records * (900 + mod(u.actor_id * 7919 + d.day_number * 104729, 1009)) as input_tokens,
  u.records * (100 + mod(u.actor_id * 104729 + d.day_number * 7919, 509)) as output_tokens,
  cast(u.records * (1 + mod(u.actor_id + d.day_number * 7919, 97)) * 0.0001 as bignumeric) as llm_cost_usd,
  cast(u.records * 0.0001 as bignumeric) as infra_cost_usd,
  cast(0 as bignumeric) as tool_cost_usd,
  cast(u.records * (2 + mod(u.actor_id + d.day_number * 7919, 97)) * 0.0001 as bignumeric) as total_cost_usd
from {alike_users} as u
cross join {month_days} as d`
)

// fillSums makes the daily sums of a month's days, day after day as nights leave them.
func fillSums(ctx context.Context, w warehouse.Warehouse, month civil.Month) error {
	days := records.Days{First: month.FirstDay(), Last: month.LastDay()}.All()
	for _, day := range days {
		if err := w.Put(ctx, "month_days", []records.Column{{Name: "usage_date", Type: records.Date}, {Name: "day_number", Type: records.Int}}, [][]any{{day, int64(day.DaysSince(yearStart))}}); err != nil {
			return err
		}
		args := warehouse.Args{"month": month.FirstDay()}
		changes := []warehouse.Change{warehouse.Append{Table: "charged_days", Rows: [][]any{{month.FirstDay(), day, int64(0)}}}}
		for _, t := range []struct{ table, text string }{{"daily_costs", yearSums}, {"daily_users", yearUsers}} {
			work := "new_" + t.table
			if err := w.Compute(ctx, work, warehouse.Select{Name: t.table, Text: t.text, Args: args}); err != nil {
				return err
			}
			changes = append(changes, warehouse.Append{Table: t.table, From: work})
		}
		if err := w.Apply(ctx, changes...); err != nil {
			return err
		}
	}
	return nil
}
