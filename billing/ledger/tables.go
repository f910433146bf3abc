package ledger

import "chargeback/extract/record"

// The ledger's tables.
var (
	usageTable    = stagedTable(record.UsageSchema, "usage_date", "meter_id")
	requestsTable = stagedTable(record.RequestSchema, "request_date", "task_id")
	peopleTable   = stagedTable(record.PeopleSchema, "")
	totalsTable   = stagedTable(record.TotalSchema, "bucket_date")

	objectsTable = Table{Name: "objects", About: "The manifest: every version of every object that was read", Columns: []Column{
		{"object_id", Int, false, "hash of source, key and etag"},
		{"source", Text, false, "name of the source in the config"},
		{"format", Text, false, ""},
		{"object_key", Text, false, "relative to the source's prefix"},
		{"etag", Text, false, ""},
		{"size_bytes", Int, false, ""},
		{"day", Date, true, "delivery day in the key; null where it has none"},
		{"state", Text, false, "read, failed, missing (gone from the source), deleted (gone for good: its rows are no longer kept), replaced (rewritten) or earlier (a snapshot that a later one follows)"},
		{"rows_staged", Int, false, ""},
		{"rows_rejected", Int, false, ""},
		{"rows_before_start", Int, false, "older than company.start"},
		{"error", Text, true, "why it failed, or who says that it is gone for good"},
		{"run", Text, false, "window that read it"},
		{"rows_ignored", Int, true, "of no concern by the format's rules; null: none"},
		{"modified_at", Timestamp, true, "when this version was written"},
		{"reading", Text, true, "table of its rows and fingerprint of the settings that it was read by; null: by a version that kept none"},
		{"missing_since", Date, true, "of a missing one: night that did not find it; null: it is there and can't be read any more, or a version wrote it that kept no day"},
	}}
	rejectsTable = Table{Name: "rejects", About: "Records that could not be taken in; never their content", Columns: []Column{
		{"object_id", Int, false, ""},
		{"line", Int, false, "line on which the record starts"},
		{"reason", Text, false, ""},
	}}
	repeatsTable = Table{Name: "repeats", About: "Staged rows that are not charged: duplicates and conflicts", Partition: "usage_date", Columns: []Column{
		{"kind", Text, false, "usage or request"},
		{"object_id", Int, false, ""},
		{"line", Int, false, ""},
		{"usage_date", Date, false, ""},
		{"verdict", Text, false, "duplicate, conflict or copy (of a call that another source logged, too)"},
	}}
	factsTable = Table{Name: "record_facts", About: "What each request cost and who owes it; read it through the view cost_records", Partition: "usage_date", Cluster: []string{"billing_month", "payer_id", "task_id", "meter_id"}, Columns: []Column{
		{"record_id", Int, false, "deterministic: the record key of the usage row, or of the request where there is none"},
		{"correction", Int, false, "0; n: came after the close of its month, or is charged anew there; -n: takes back what that month charged"},
		{"started_at", Timestamp, false, "UTC"},
		{"usage_date", Date, false, "in the billing zone"},
		{"billing_month", Date, false, "first day of the month that charges it"},
		{"meter_id", Int, false, "row of meters"},
		{"actor_id", Int, true, "row of actors"},
		{"task_id", Int, true, "row of tasks"},
		{"caller_id", Int, true, "row of callers"},
		{"rate_id", Int, true, "row of rate_entries"},
		{"ruling_id", Int, false, "row of rulings"},
		{"payer_id", Int, false, "row of payers"},
		{"input_uncached_tokens", Int, false, ""},
		{"cache_read_tokens", Int, false, ""},
		{"cache_write_5m_tokens", Int, false, ""},
		{"cache_write_1h_tokens", Int, false, ""},
		{"cache_write_unknown_tokens", Int, false, "neither the record, its match nor a setting says for how long; priced as 5 minutes"},
		{"output_tokens", Int, false, ""},
		{"reasoning_tokens", Int, false, "part of output_tokens"},
		{"input_audio_tokens", Int, true, "part of input_uncached_tokens; null: none, as below"},
		{"input_image_tokens", Int, true, "part of input_uncached_tokens"},
		{"cache_read_audio_tokens", Int, true, "part of cache_read_tokens"},
		{"output_audio_tokens", Int, true, "part of output_tokens"},
		{"output_image_tokens", Int, true, "part of output_tokens"},
		{"searches", Int, true, "web searches that the provider ran"},
		{"tool_calls", Int, false, ""},
		{"cache_hit", Bool, false, "answered from the gateway's cache"},
		{"llm_cost_usd", USD, true, "null: not known, see pricing"},
		{"infra_cost_usd", USD, true, ""},
		{"tool_cost_usd", USD, true, ""},
		{"total_cost_usd", USD, true, ""},
		{"cache_savings_usd", USD, true, "net of what cache writes cost extra"},
		{"doubtful_cost_usd", USD, true, "what a doubtful request would cost if it were charged; in no total"},
		{"pricing_note", Text, true, "why"},
		{"usage_object_id", Int, true, "lineage"},
		{"usage_line", Int, true, ""},
		{"request_object_id", Int, true, ""},
		{"request_line", Int, true, ""},
		{"run_date", Date, false, "night that wrote it"},
		{"flags", Text, true, "words, with commas between, for what reports tell of the record: see flags.go; null: none, or of a version that wrote none"},
		{"adjusts_payer_id", Int, true, "of a correction: row of payers whose document it corrects, where that cost centre has ended and a successor bears it"},
	}}
	rateEntriesTable = Table{Name: "rate_entries", About: "Rates by which records are priced, each as its version of the rate book made it; kept for ever", Columns: []Column{
		{"rate_id", Int, false, "63 bits of a SHA-256 of all columns"},
		{"rate_version", Text, false, "of the rate book"},
		{"price_key", Text, true, "null: the rate book has no price"},
		{"priced_as", Text, true, "the config prices an unknown model as this one"},
		{"rule", Text, true, "what decided the unit prices, in words"},
		{"valid_from", Timestamp, true, "of the price"},
		{"learned_at", Timestamp, true, "when the price became known; null: with the rate book"},
		{"source", Text, true, "where the price was read"},
		{"terms", Text, true, "JSON: by class the price, the factors on it and the unit price"},
		{"infra_pico", Int, true, "fee of a request in 10^-12 USD"},
		{"cache_hit_pico", Int, true, "fee of an answer from the gateway's cache"},
		{"tool_fees", Text, true, "fee of a call by tool, JSON, in 10^-12 USD"},
		{"markup", Int, false, "in 1/10,000 of a percent"},
		{"signature", Text, false, "hash of all that decides an amount"},
		{"reported", Bool, true, "the cost that the gateway reported is the cost, as the config says"},
	}}
	payersTable = Table{Name: "payers", About: "Cost centres that have borne a record, each with its department at the time", Columns: []Column{
		{"payer_id", Int, false, "63 bits of a SHA-256 of the columns below"}, {"department", Text, false, ""}, {"cost_center", Text, false, ""},
	}}
	rulingsTable = Table{Name: "rulings", About: "Words for how a record was matched, priced and attributed", Columns: []Column{
		{"ruling_id", Int, false, ""},
		{"match", Text, false, "matched, provider_only, agent_only or ambiguous"},
		{"match_rung", Text, true, "key that hit"},
		{"pricing", Text, false, "priced, estimated, unpriced, pending, not_billed or doubtful"},
		{"attribution", Text, false, "rule that fired"},
	}}
	runsTable = Table{Name: "runs", About: "Attempts at windows", Columns: []Column{
		{"run_window", Text, false, "nightly/2026-10-31 or monthly/2026-10"},
		{"attempt", Int, false, "from 1"},
		{"state", Text, false, "running, done or failed"},
		{"started_at", Timestamp, false, ""},
		{"finished_at", Timestamp, true, ""},
		{"summary", Text, true, "JSON"},
	}}
	monthsTable = Table{Name: "months", About: "Closed months", Columns: []Column{
		{"month", Text, false, ""},
		{"first_day", Date, false, ""},
		{"state", Text, false, "closed"},
		{"closed_at", Timestamp, false, ""},
		{"content_hash", Text, false, "of the month's cost records"},
		{"summary", Text, false, "JSON: gates and waivers"},
	}}
	invoicesTable = Table{Name: "invoices", About: "Documents issued", Columns: []Column{
		{"number", Text, false, ""},
		{"month", Text, false, ""},
		{"cost_center", Text, false, ""},
		{"total_cents", Int, false, ""},
		{"content_hash", Text, false, ""},
		{"document", Text, false, "JSON: all that the document shows"},
	}}
	filesTable = Table{Name: "document_files", About: "Files of closed months, as they were first written", Columns: []Column{
		{"month", Text, false, ""},
		{"folder", Text, false, "that they were written to"},
		{"name", Text, false, ""},
		{"sha256", Text, false, "of their bytes, in hex"},
	}}
	alertsTable = Table{Name: "alerts", About: "Thresholds that were reported", Columns: []Column{
		{"alert_key", Text, false, "budget/month/amount/threshold/kind/arming; budget/month/threshold/kind in books of earlier versions"},
		{"message_id", Text, false, ""},
	}}
	outboxTable = Table{Name: "outbox", About: "Messages to people, with what became of them", Columns: []Column{
		{"message_id", Text, false, ""},
		{"sequence", Int, false, "order in which messages were raised"},
		{"channel", Text, false, ""},
		{"state", Text, false, "pending, sending, sent, folded, or failed in books of earlier versions"},
		{"attempts", Int, false, ""},
		{"reference", Text, true, "the receiver's id of the message"},
		{"reason", Text, true, "why it failed"},
		{"payload", Text, false, "JSON"},
	}}
	metaTable = Table{Name: "meta", About: "Facts that must not change under a ledger, and by what it was last made", Columns: []Column{
		{"name", Text, false, ""},
		{"value", Text, false, ""},
	}}

	dirtyDaysTable = Table{Name: "dirty_days", About: "Business dates whose staged rows changed since their cost records were made", Columns: []Column{
		{"day", Date, false, ""},
	}}

	refCardsTable = Table{Name: "ref_cards", About: "Meter to what it pays", Columns: []Column{
		{"meter_id", Int, false, ""}, {"card_id", Int, false, ""}, {"model_id", Int, true, "the same for all names of a provider's model"},
	}}
	refRatesTable = Table{Name: "ref_rates", About: "Unit prices in 10^-12 USD by time, size of the prompt, minute of the week and markup", Columns: []Column{
		{"card_id", Int, false, ""}, {"rate_id", Int, false, ""}, {"markup", Int, false, ""},
		{"valid_from", Timestamp, false, "inclusive"}, {"valid_to", Timestamp, false, "exclusive"},
		{"tokens_above", Int, false, "exclusive"}, {"tokens_up_to", Int, false, "inclusive"},
		{"minute_from", Int, false, "of the week, from Sunday 00:00 UTC, inclusive"}, {"minute_to", Int, false, "exclusive"},
		{"input_pico", Int, true, "null here and below: no price"}, {"cache_read_pico", Int, true, ""}, {"cache_write_5m_pico", Int, true, ""}, {"cache_write_1h_pico", Int, true, ""},
		{"output_pico", Int, true, ""}, {"reasoning_pico", Int, true, ""}, {"input_audio_pico", Int, true, ""}, {"input_image_pico", Int, true, ""}, {"cache_read_audio_pico", Int, true, ""},
		{"output_audio_pico", Int, true, ""}, {"output_image_pico", Int, true, ""}, {"request_pico", Int, true, ""}, {"search_pico", Int, true, ""},
		{"infra_pico", Int, true, "null: no fees at that time"}, {"cache_hit_pico", Int, true, ""},
		{"problem", Text, true, "why there is no price"}, {"estimated_as", Text, true, "priced as this model, by the config"},
		{"note", Text, true, "what the record should say"}, {"fallbacks", Text, true, "classes without a price of their own, each between commas"},
		{"lacks", Text, true, "what the rate book lacks, in a word, where there is a problem"}, {"plain_tier", Text, true, "service tier without a price of its own"},
		{"by_request", Bool, false, "priced by request alone: token counts decide nothing"}, {"reported", Bool, false, "the cost that the gateway reported is the cost, by the config"},
		{"forecast", Bool, false, "the price was announced and is not confirmed"},
	}}
	refMarkupsTable = Table{Name: "ref_markups", About: "Markups of cost centres", Columns: []Column{
		{"cost_center", Text, false, ""}, {"markup", Int, false, "in 1/10,000 of a percent"}, {"valid_from", Timestamp, false, ""}, {"valid_to", Timestamp, false, ""},
	}}
	refToolFeesTable = Table{Name: "ref_tool_fees", About: "Fee of a mix of tool calls in 10^-12 USD", Columns: []Column{
		{"tools", Text, false, ""}, {"markup", Int, false, ""}, {"valid_from", Timestamp, false, ""}, {"valid_to", Timestamp, false, ""}, {"fee_pico", Int, true, "null: a tool has no fee"}, {"missing", Text, true, "the tool without a fee"},
	}}
	refCostCentersTable = Table{Name: "ref_cost_centers", About: "Cost centres", Columns: []Column{
		{"cost_center", Text, false, ""}, {"payer_id", Int, false, ""},
	}}
	refSuccessorsTable = Table{Name: "ref_successors", About: "Who pays for cost centres that have ended", Columns: []Column{
		{"cost_center", Text, false, ""}, {"payer_id", Int, false, "of the successor"}, {"valid_from", Date, false, ""}, {"valid_to", Date, false, ""},
	}}
	refDepartmentsTable = Table{Name: "ref_departments", About: "Who pays for people of whom a snapshot names the department alone", Columns: []Column{
		{"department", Text, false, "as snapshots have it"}, {"payer_id", Int, false, ""},
	}}
	refAliasesTable = Table{Name: "ref_aliases", About: "Other names of people: all of the directory, and those of exports that occur, with the address that stands for them; every day of a name is in one row", Columns: []Column{
		{"address", Text, false, ""}, {"email", Text, false, ""}, {"valid_from", Date, false, ""}, {"valid_to", Date, false, ""},
	}}
	refPeopleSourcesTable = Table{Name: "ref_people_sources", About: "Sources of people in the order in which they are believed", Columns: []Column{
		{"source", Text, false, ""}, {"place", Int, false, ""},
	}}
	refRequestSourcesTable = Table{Name: "ref_request_sources", About: "Sources in the order in which their record of a call counts", Columns: []Column{
		{"source", Text, false, ""}, {"place", Int, false, ""},
	}}
	refAgentsTable = Table{Name: "ref_agents", About: "Agents with an owner", Columns: []Column{
		{"agent_id", Text, false, ""}, {"cost_center", Text, true, ""}, {"owner_email", Text, true, ""}, {"valid_from", Date, false, ""}, {"valid_to", Date, false, ""},
	}}
	refOwnersTable = Table{Name: "ref_owners", About: "Owners of the keys, teams, projects and callers that occur", Columns: []Column{
		{"kind", Text, false, ""}, {"value", Text, false, ""}, {"cost_center", Text, false, ""}, {"valid_from", Date, false, ""}, {"valid_to", Date, false, ""},
	}}
	refCallerUsersTable = Table{Name: "ref_caller_users", About: "Callers that occur and are a person who signed on", Columns: []Column{
		{"caller", Text, false, ""}, {"user_name", Text, false, "as requests would have it"},
	}}
	refCacheTTLsTable = Table{Name: "ref_cache_ttls", About: "How long the cache writes of a source, or of a meter, are kept where no record says so", Columns: []Column{
		{"source", Text, true, "null: the row is of a meter"}, {"meter_id", Int, true, "null: the row is of a source"}, {"ttl", Text, false, "5m or 1h"},
	}}
	refUsageFromTable = Table{Name: "ref_usage_from", About: "Providers whose own per-request file is the usage", Columns: []Column{
		{"provider", Text, false, ""},
	}}

	referenceTables = []Table{refCardsTable, refRatesTable, refMarkupsTable, refToolFeesTable, refCostCentersTable, refSuccessorsTable, refDepartmentsTable, refAliasesTable, refPeopleSourcesTable, refRequestSourcesTable, refAgentsTable, refOwnersTable, refCallerUsersTable, refUsageFromTable, refCacheTTLsTable}
)

// Tables lists every table of the ledger, and its views behind them.
func Tables() []Table {
	tables := append([]Table{usageTable, requestsTable, peopleTable, totalsTable, objectsTable, rejectsTable, repeatsTable, factsTable, rateEntriesTable, payersTable, rulingsTable,
		runsTable, monthsTable, invoicesTable, filesTable, alertsTable, outboxTable, metaTable, dirtyDaysTable}, referenceTables...)
	for _, schema := range record.DimensionSchemas {
		tables = append(tables, stagedTable(schema, ""))
	}
	return append(tables, itemsViewTable, recordsViewTable, totalsViewTable)
}
