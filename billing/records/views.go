package records

import (
	"context"
	_ "embed" // texts of selects
	"slices"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
	"chargeback/transform/models"
)

//go:embed cost_items.sql
var costItemsText string

//go:embed cost_records.sql
var costRecordsText string

//go:embed totals_counted.sql
var totalsCountedText string

// Views that people may build upon have columns: these are described to whoever looks
// a view up. The others are for this program alone.
var (
	costItems     = warehouse.View{Name: "cost_items", About: "Cost records in words, without the ids of their requests; may be built upon", Text: costItemsText, Columns: itemColumns}
	costRecords   = warehouse.View{Name: "cost_records", About: "Cost records in words; may be built upon", Text: costRecordsText, Columns: recordColumns}
	dailyItems    = warehouse.View{Name: "daily_items", About: "Daily sums in words; may be built upon", Text: dailyItemsText, Columns: dailyColumns}
	totalsCounted = warehouse.View{Name: "totals_counted", About: "Control totals, each figure once", Text: totalsCountedText}
)

// Columns of views, in the order of their texts.
var (
	itemColumns = slices.Concat(
		through(factsTable, "record_id", "correction", "started_at", "usage_date"),
		own(
			column("billing_month", Text, false, "month that charges it, as YYYY-MM"),
			column("billing_month_date", Date, false, "first day of that month; a condition on it spares reading other months where a condition on billing_month doesn't"),
			column("adjusts_month", Text, true, "of a correction: month that it corrects, as YYYY-MM; null: it is none"),
		),
		through(metersTable, "provider", "account", "region", "model"),
		through(rateEntriesTable, "price_key"),
		through(metersTable, "operation", "service_tier"),
		through(factsTable, "input_uncached_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_write_unknown_tokens", "output_tokens", "reasoning_tokens",
			"input_audio_tokens", "input_image_tokens", "cache_read_audio_tokens", "output_audio_tokens", "output_image_tokens", "searches"),
		own(column("user_id", Text, true, "who asked: the address where it is known, else the name that the agent platform has; null: nobody is told")),
		through(actorsTable, "team", "key_alias", "project"),
		through(callersTable, "caller"),
		through(payersTable, "department", "cost_center"),
		own(column("agent_id", Text, true, "agent that worked, as the agent platform or else the provider knows it; null: none is told")),
		through(tasksTable, "tools"),
		through(factsTable, "tool_calls", "cache_hit", "llm_cost_usd", "infra_cost_usd", "tool_cost_usd", "total_cost_usd", "cache_savings_usd", "doubtful_cost_usd"),
		through(rulingsTable, "match", "match_rung", "pricing"),
		through(factsTable, "pricing_note"),
		through(rulingsTable, "attribution"),
		through(rateEntriesTable, "rate_version"),
		through(factsTable, "rate_id", "usage_object_id", "usage_line", "request_object_id", "request_line"),
		own(column("run", Text, false, "night that wrote it, as nightly/YYYY-MM-DD")),
		through(factsTable, "flags"),
		own(column("adjusts_cost_center", Text, true, "of a correction: cost centre whose document it corrects, where that one has ended and a successor bears it")),
	)
	recordColumns = slices.Concat(itemColumns, own(
		column("provider_request_id", Text, true, "id that the provider gave the request; null: not told, or its staged rows are gone"),
		column("agent_request_id", Text, true, "id that the agent platform gave the request; null: not told, or its staged row is gone"),
	))
	dailyColumns = slices.Concat(
		through(dailyTable, "usage_date", "billing_month", "utc_date", "correction"),
		own(column("adjusts_month", Text, true, "of corrections: month that they correct, as YYYY-MM; null: they are none")),
		through(metersTable, "provider", "account", "region", "model", "operation", "service_tier"),
		through(rateEntriesTable, "price_key", "rate_version"),
		through(dailyTable, "rate_id"),
		through(payersTable, "department", "cost_center"),
		own(column("adjusts_cost_center", Text, true, "of corrections: cost centre whose document they correct, where that one has ended and a successor bears them")),
		through(dailyTable, "agent_id"),
		through(rulingsTable, "match", "match_rung", "pricing", "attribution"),
		through(dailyTable, "flags", "pricing_note", "cache_hit", "metered", "usage_source", "request_source", "records", "tool_calls",
			"input_uncached_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "cache_write_unknown_tokens", "output_tokens", "reasoning_tokens",
			"input_audio_tokens", "input_image_tokens", "cache_read_audio_tokens", "output_audio_tokens", "output_image_tokens", "searches",
			"llm_cost_usd", "infra_cost_usd", "tool_cost_usd", "total_cost_usd", "cache_savings_usd", "doubtful_cost_usd"),
	)
)

var (
	metersTable  = warehouse.StagedTable(record.MeterSchema, "")
	actorsTable  = warehouse.StagedTable(record.ActorSchema, "")
	callersTable = warehouse.StagedTable(record.CallerSchema, "")
	tasksTable   = warehouse.StagedTable(record.TaskSchema, "")
)

// through are columns that a view gives as a table has them.
func through(t Table, names ...string) (columns []Column) {
	for _, name := range names {
		i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
		columns = append(columns, t.Columns[i])
	}
	return columns
}

// own are columns that a view makes.
func own(columns ...Column) []Column { return columns }

// MakeRulings adds the rulings that a ledger lacks: all in a new one, in one of
// an earlier version those with words that it did not have.
func (l *Records) MakeRulings(ctx context.Context) error {
	ids, err := warehouse.All[int64](ctx, l.w, warehouse.Select{Name: "rulings", Text: "select ruling_id from {rulings}"})
	if err != nil {
		return err
	}
	known := map[int64]bool{}
	for _, id := range ids {
		known[id] = true
	}
	var rows [][]any
	for _, r := range models.Rulings() {
		if !known[r.ID] {
			rows = append(rows, []any{r.ID, r.Match, nullText(r.Rung), r.Pricing, r.Attribution})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return l.w.Apply(ctx, warehouse.Append{Table: rulingsTable.Name, Rows: rows})
}
