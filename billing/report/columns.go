package report

import "slices"

// Every select of what many records come to is about the daily sums of monthRows, or
// about those of the days of one agent, and counts and adds up by measures. A record
// is one billed call, or one request without one; one that is taken back counts down.
const (
	monthRows = `
from {daily_items}
where usage_date in ({@charged_days}) and billing_month between {@first_month} and {@last_month}`

	// standing is how many records stand behind a daily sum.
	standing = `if(correction < 0, 0 - records, records)`

	inputTokens = `input_uncached_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + cache_write_unknown_tokens`

	// modelName is the model as invoices name it: by the rate book, or as it was
	// sent where the book does not have it.
	modelName = `ifnull(regexp_replace(price_key, '^[^/]*/', ''), model)`

	heldRows = `pricing in ('unpriced', 'pending', 'doubtful')`

	// failedRows are the provider's errors and requests that failed before any
	// usage; a request that only shares its key with others did not fail.
	failedRows = `pricing = 'not_billed' and not (match = 'ambiguous' and not metered)`

	measures = `
  sum(` + standing + `) as requests,
  sum(` + inputTokens + `) as input_tokens,
  sum(output_tokens) as output_tokens,
  {total_usd(llm_cost_usd)} as llm,
  {total_usd(infra_cost_usd)} as infra,
  {total_usd(tool_cost_usd)} as tools,
  {total_usd(total_cost_usd)} as total,
  sum(if(` + heldRows + `, records, 0)) as held`

	departmentList = `string_agg(distinct department, ', ' order by department)`
	centerList     = `string_agg(distinct cost_center, ', ' order by cost_center)`
)

// measureColumns are the columns of measures. On a narrow terminal fees go
// first, then tokens, then LLM cost and requests; what is held stays longest.
func measureColumns() []Column {
	return []Column{
		{Name: "requests", Title: "Requests", Kind: Count, Rank: 2},
		{Name: "input_tokens", Title: "Input tokens", Kind: Count, Rank: 4},
		{Name: "output_tokens", Title: "Output tokens", Kind: Count, Rank: 5},
		{Name: "llm_cost_usd", Title: "LLM", Kind: USD, Rank: 3},
		{Name: "infra_cost_usd", Title: "Infra", Kind: USD, Rank: 6},
		{Name: "tool_cost_usd", Title: "Tools", Kind: USD, Rank: 7},
		{Name: "total_cost_usd", Title: "Total", Kind: USD},
		{Name: "held", Title: "Held", Kind: Count, Rank: 1},
	}
}

// The columns that reports group by. Those with a plural name list all that
// occur in a row.
var (
	departmentColumn  = Column{Name: "department", Title: "Department"}
	homeColumn        = Column{Name: "department", Title: "Department", Rank: 2} // beside a cost centre that is the key
	departmentsColumn = Column{Name: "departments", Title: "Departments", Rank: 5}
	centerColumn      = Column{Name: "cost_center", Title: "Cost centre"}
	centersColumn     = Column{Name: "cost_centers", Title: "Cost centres", Rank: 5}
	agentColumn       = Column{Name: "agent_id", Title: "Agent", None: "no agent"}
	userColumn        = Column{Name: "user_id", Title: "User", None: "no user"}
)

// The columns that are derived from measures.
var (
	averageColumn = Column{Name: "average_cost_usd", Title: "Per request", Kind: Average, Rank: 2}
	shareColumn   = Column{Name: "share_percent", Title: "Share %", Kind: Percent, Rank: 2}
)

// columns puts measures between what a report groups by and what it derives.
func columns(keys []Column, derived ...Column) []Column {
	return slices.Concat(keys, measureColumns(), derived)
}
