package records

import (
	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

func column(name string, kind record.Type, nullable bool, about string) Column {
	return Column{Name: name, Type: kind, Nullable: nullable, About: about}
}

// The tables of the records, and the work tables of references.
var (
	repeatsTable = Table{Name: "repeats", About: "Staged rows that are not charged: duplicates and conflicts", Partition: "usage_date", Columns: []Column{
		column("kind", Text, false, "usage or request"),
		column("object_id", Int, false, ""),
		column("line", Int, false, ""),
		column("usage_date", Date, false, ""),
		column("verdict", Text, false, "duplicate, conflict or copy (of a call that another source logged, too)"),
	}}
	factsTable = Table{Name: "record_facts", About: "What each request cost and who owes it; read it through the view cost_records", Partition: "usage_date", Cluster: []string{"billing_month", "payer_id", "task_id", "meter_id"}, Columns: []Column{
		column("record_id", Int, false, "deterministic: the record key of the usage row, or of the request where there is none"),
		column("correction", Int, false, "0; n: came after the close of its month, or is charged anew there; -n: takes back what that month charged"),
		column("started_at", Timestamp, false, "when the call began, UTC"),
		column("usage_date", Date, false, "day of the call in the billing zone"),
		column("billing_month", Date, false, "first day of the month that charges it"),
		column("meter_id", Int, false, "row of meters"),
		column("actor_id", Int, true, "row of actors"),
		column("task_id", Int, true, "row of tasks"),
		column("caller_id", Int, true, "row of callers"),
		column("rate_id", Int, true, "row of rate_entries"),
		column("ruling_id", Int, false, "row of rulings"),
		column("payer_id", Int, false, "row of payers"),
		column("input_uncached_tokens", Int, false, "tokens of the prompt that the cache did not hold"),
		column("cache_read_tokens", Int, false, "tokens read from the cache of prompts"),
		column("cache_write_5m_tokens", Int, false, "tokens written to the cache of prompts for 5 minutes"),
		column("cache_write_1h_tokens", Int, false, "tokens written to the cache of prompts for an hour"),
		column("cache_write_unknown_tokens", Int, false, "tokens written to the cache of prompts, where neither the record, its match nor a setting says for how long; priced as 5 minutes"),
		column("output_tokens", Int, false, "tokens of the answer"),
		column("reasoning_tokens", Int, false, "part of output_tokens"),
		column("input_audio_tokens", Int, true, "part of input_uncached_tokens; null: none"),
		column("input_image_tokens", Int, true, "part of input_uncached_tokens; null: none"),
		column("cache_read_audio_tokens", Int, true, "part of cache_read_tokens; null: none"),
		column("output_audio_tokens", Int, true, "part of output_tokens; null: none"),
		column("output_image_tokens", Int, true, "part of output_tokens; null: none"),
		column("searches", Int, true, "web searches that the provider ran; null: none"),
		column("tool_calls", Int, false, "calls of tools"),
		column("cache_hit", Bool, false, "answered from the gateway's cache"),
		column("llm_cost_usd", USD, true, "what the model costs, in USD; null: not known, see pricing"),
		column("infra_cost_usd", USD, true, "fee of the request, in USD; null: not known, see pricing"),
		column("tool_cost_usd", USD, true, "fees of its tools, in USD; null: not known, see pricing"),
		column("total_cost_usd", USD, true, "llm_cost_usd + infra_cost_usd + tool_cost_usd; null: not known, see pricing"),
		column("cache_savings_usd", USD, true, "what the cache of prompts or of answers has spared, net of what writing to it cost extra, in USD; null: not known"),
		column("doubtful_cost_usd", USD, true, "what a doubtful request would cost if it were charged; in no total; null: it is not doubtful"),
		column("pricing_note", Text, true, "why it costs what it costs, or why that is not known; null: nothing is to be told"),
		column("usage_object_id", Int, true, "object that its usage was read of, a row of objects; null: there is no usage"),
		column("usage_line", Int, true, "line of its usage in that object"),
		column("request_object_id", Int, true, "object that its request was read of, a row of objects; null: there is no request"),
		column("request_line", Int, true, "line of its request in that object"),
		column("run_date", Date, false, "night that wrote it"),
		column("flags", Text, true, "words, with commas between, for what reports tell of the record, such as missing:WORD of one that is held; null: none, or of a version that wrote none"),
		column("adjusts_payer_id", Int, true, "of a correction: row of payers whose document it corrects, where that cost centre has ended and a successor bears it"),
	}}
	dailyTable = Table{Name: "daily_costs", About: "What cost records of a day come to that are alike in all that is named here; read it through the view daily_items", Partition: "usage_date", Cluster: []string{"billing_month", "payer_id"}, Columns: []Column{
		column("usage_date", Date, false, "day of the calls in the billing zone"),
		column("billing_month", Date, false, "first day of the month that charges them"),
		column("utc_date", Date, false, "UTC day on which they started"),
		column("correction", Int, false, "0; 1: came after the close of their month, or are charged anew; -1: are taken back"),
		column("payer_id", Int, false, "row of payers"),
		column("adjusts_payer_id", Int, true, "of corrections: row of payers whose document they correct, where that cost centre has ended and a successor bears them"),
		column("meter_id", Int, false, "row of meters"),
		column("rate_id", Int, true, "row of rate_entries"),
		column("agent_id", Text, true, "agent that worked; null: not known"),
		column("ruling_id", Int, false, "row of rulings"),
		column("flags", Text, true, "words, with commas between, for what reports tell of the records, such as missing:WORD of those that are held; null: none"),
		column("pricing_note", Text, true, "why they cost what they cost, or why that is not known; null: nothing is to be told"),
		column("cache_hit", Bool, false, "answered from the gateway's cache"),
		column("metered", Bool, false, "their usage was metered; else they are requests alone"),
		column("usage_source", Text, true, "source of their usage; null: there is none"),
		column("request_source", Text, true, "source of their requests; null: there are none"),
		column("records", Int, false, "how many they are, also where they are taken back"),
		column("tool_calls", Int, false, "calls of tools"),
		column("input_uncached_tokens", Int, false, "tokens of the prompt that the cache did not hold"),
		column("cache_read_tokens", Int, false, "tokens read from the cache of prompts"),
		column("cache_write_5m_tokens", Int, false, "tokens written to the cache of prompts for 5 minutes"),
		column("cache_write_1h_tokens", Int, false, "tokens written to the cache of prompts for an hour"),
		column("cache_write_unknown_tokens", Int, false, "tokens written to the cache of prompts, where neither the record, its match nor a setting says for how long; priced as 5 minutes"),
		column("output_tokens", Int, false, "tokens of the answer"),
		column("reasoning_tokens", Int, false, "part of output_tokens"),
		column("input_audio_tokens", Int, false, "part of input_uncached_tokens"),
		column("input_image_tokens", Int, false, "part of input_uncached_tokens"),
		column("cache_read_audio_tokens", Int, false, "part of cache_read_tokens"),
		column("output_audio_tokens", Int, false, "part of output_tokens"),
		column("output_image_tokens", Int, false, "part of output_tokens"),
		column("searches", Int, false, "web searches that the provider ran"),
		column("llm_cost_usd", Sum, true, "what the models cost, in USD; null: none of them has it"),
		column("infra_cost_usd", Sum, true, "fees of the requests, in USD; null: none of them has it"),
		column("tool_cost_usd", Sum, true, "fees of their tools, in USD; null: none of them has it"),
		column("total_cost_usd", Sum, true, "llm_cost_usd + infra_cost_usd + tool_cost_usd; null: none of them has it"),
		column("cache_savings_usd", Sum, true, "what the cache of prompts or of answers has spared, net of what writing to it cost extra, in USD; null: none of them has it"),
		column("doubtful_cost_usd", Sum, true, "what doubtful requests would cost if they were charged; in no total; null: none of them has it"),
	}}
	dailyUsersTable = Table{Name: "daily_users", About: "What cost records of a day come to by who asked and who pays", Partition: "usage_date", Cluster: []string{"billing_month", "payer_id"}, Columns: []Column{
		column("usage_date", Date, false, "in the billing zone"),
		column("billing_month", Date, false, "first day of the month that charges them"),
		column("correction", Int, false, "as in daily_costs"),
		column("payer_id", Int, false, "row of payers"),
		column("actor_id", Int, true, "row of actors"),
		column("held", Bool, false, "they have no cost yet"),
		column("records", Int, false, "how many they are, also where they are taken back"),
		column("input_tokens", Int, false, "of all classes"),
		column("output_tokens", Int, false, ""),
		column("llm_cost_usd", Sum, true, "null here and below: none of them has it"),
		column("infra_cost_usd", Sum, true, ""),
		column("tool_cost_usd", Sum, true, ""),
		column("total_cost_usd", Sum, true, ""),
	}}
	chargedDaysTable = Table{Name: "charged_days", About: "Days of which a month charges records, of its own and of closed months: bounds for all that reads a month", Columns: []Column{
		column("billing_month", Date, false, "first day of the month"),
		column("usage_date", Date, false, ""),
		column("without_cost", Int, false, "records that have no cost"),
	}}
	closedRatesTable = Table{Name: "closed_rates", About: "What closed months charge of a day by meter, rate and cache writes: written once, when a month closes", Columns: []Column{
		column("billing_month", Date, false, "first day of the closed month"),
		column("usage_date", Date, false, ""),
		column("meter_id", Int, false, "row of meters"),
		column("rate_id", Int, true, "row of rate_entries"),
		column("usage_source", Text, true, "source of their usage"),
		column("request_source", Text, true, "source of their requests"),
		column("written", Text, true, "how long a setting or a default says that cache writes are kept: 1h, matched or other; null: none of it was asked"),
		column("first_started_at", Timestamp, true, "of those that were charged; null: none was"),
		column("last_started_at", Timestamp, true, ""),
		column("standing", Int, false, "records, less those that are taken back"),
	}}
	closedPayersTable = Table{Name: "closed_payers", About: "Whom records of closed months stand with, by day: written once, when a month closes", Columns: []Column{
		column("billing_month", Date, false, "first day of the closed month"),
		column("usage_date", Date, false, ""),
		column("actor_id", Int, true, "row of actors"),
		column("task_id", Int, true, "row of tasks"),
		column("caller_id", Int, true, "row of callers"),
		column("payer_id", Int, false, "row of payers, whom the rules gave them to"),
		column("attribution", Int, false, "rule that fired"),
		column("ambiguous", Bool, false, "their usage may belong to several requests"),
		column("standing", Int, false, "records, less those that are taken back"),
	}}
	idDaysTable = Table{Name: "id_days", About: "On which days of closed months an id occurs: where explain looks first", Partition: "part", Cluster: []string{"id_hash"}, Columns: []Column{
		column("part", Date, false, "no day of anything: one of 1,000 parts, by the id's hash, as a date, which is what engines find parts by"),
		column("id_hash", Int, false, "32 further bits of the id's SHA-256"),
		column("day", Date, false, "usage_date or request_date of a row that has the id, or of a record of that number"),
	}}
	termsTable = Table{Name: "day_terms", About: "Prices by which the records of a day were made, as hashes: where one is another by now, the day is made again", Columns: []Column{
		column("usage_date", Date, false, ""),
		column("kind", Text, false, "meter, model, fees or markups"),
		column("item", Text, false, "meter_id of a meter or a model, else empty"),
		column("terms_hash", Text, false, "of what prices say of it on the day"),
	}}
	rateEntriesTable = Table{Name: "rate_entries", About: "Rates by which records are priced, each as its version of the rate book made it; kept for ever", Columns: []Column{
		column("rate_id", Int, false, "a number, or rate_hash where several processes may write"),
		column("rate_version", Text, false, "of the rate book"),
		column("price_key", Text, true, "model that the rate book prices it as; null: it has no price"),
		column("priced_as", Text, true, "the config prices an unknown model as this one"),
		column("rule", Text, true, "what decided the unit prices, in words"),
		column("valid_from", Timestamp, true, "of the price"),
		column("learned_at", Timestamp, true, "when the price became known; null: with the rate book"),
		column("source", Text, true, "where the price was read"),
		column("terms", Text, true, "JSON: by class the price, the factors on it and the unit price"),
		column("infra_pico", Int, true, "fee of a request in 10^-12 USD"),
		column("cache_hit_pico", Int, true, "fee of an answer from the gateway's cache"),
		column("tool_fees", Text, true, "fee of a call by tool, JSON, in 10^-12 USD"),
		column("markup", Int, false, "in 1/10,000 of a percent"),
		column("signature", Text, false, "hash of all that decides an amount"),
		column("reported", Bool, true, "the cost that the gateway reported is the cost, as the config says"),
		column("rate_hash", Int, true, "63 bits of a SHA-256 of what the rate is; null: rate_id is it"),
	}}
	payersTable = Table{Name: "payers", About: "Cost centres that have borne a record, each with its department at the time", Columns: []Column{
		column("payer_id", Int, false, "a number, or 63 bits of a SHA-256 of the columns below where several processes may write"), column("department", Text, false, "department of the cost centre at the time"), column("cost_center", Text, false, "cost centre that bears it"),
	}}
	rulingsTable = Table{Name: "rulings", About: "Words for how a record was matched, priced and attributed", Columns: []Column{
		column("ruling_id", Int, false, ""),
		column("match", Text, false, "matched, provider_only, agent_only or ambiguous"),
		column("match_rung", Text, true, "key that brought usage and request together; null: none did"),
		column("pricing", Text, false, "priced, estimated, unpriced, pending, not_billed or doubtful"),
		column("attribution", Text, false, "rule that said who pays"),
	}}

	refCardsTable = Table{Name: "ref_cards", About: "Meter to what it pays", Columns: []Column{
		column("meter_id", Int, false, ""), column("card_id", Int, false, ""), column("model_id", Int, true, "the same for all names of a provider's model"),
	}}
	refRatesTable = Table{Name: "ref_rates", About: "Unit prices in 10^-12 USD by time, size of the prompt, minute of the week and markup", Columns: []Column{
		column("card_id", Int, false, ""), column("rate_id", Int, false, ""), column("markup", Int, false, ""),
		column("valid_from", Timestamp, false, "inclusive"), column("valid_to", Timestamp, false, "exclusive"),
		column("tokens_above", Int, false, "exclusive"), column("tokens_up_to", Int, false, "inclusive"),
		column("minute_from", Int, false, "of the week, from Sunday 00:00 UTC, inclusive"), column("minute_to", Int, false, "exclusive"),
		column("input_pico", Int, true, "null here and below: no price"), column("cache_read_pico", Int, true, ""), column("cache_write_5m_pico", Int, true, ""), column("cache_write_1h_pico", Int, true, ""),
		column("output_pico", Int, true, ""), column("reasoning_pico", Int, true, ""), column("input_audio_pico", Int, true, ""), column("input_image_pico", Int, true, ""), column("cache_read_audio_pico", Int, true, ""),
		column("output_audio_pico", Int, true, ""), column("output_image_pico", Int, true, ""), column("request_pico", Int, true, ""), column("search_pico", Int, true, ""),
		column("infra_pico", Int, true, "null: no fees at that time"), column("cache_hit_pico", Int, true, ""),
		column("problem", Text, true, "why there is no price"), column("estimated_as", Text, true, "priced as this model, by the config"),
		column("note", Text, true, "what the record should say"), column("fallbacks", Text, true, "classes without a price of their own, each between commas"),
		column("lacks", Text, true, "what the rate book lacks, in a word, where there is a problem"), column("plain_tier", Text, true, "service tier without a price of its own"),
		column("by_request", Bool, false, "priced by request alone: token counts decide nothing"), column("reported", Bool, false, "the cost that the gateway reported is the cost, by the config"),
		column("forecast", Bool, false, "the price was announced and is not confirmed"),
	}}
	refMarkupsTable = Table{Name: "ref_markups", About: "Markups of cost centres", Columns: []Column{
		column("cost_center", Text, false, ""), column("markup", Int, false, "in 1/10,000 of a percent"), column("valid_from", Timestamp, false, ""), column("valid_to", Timestamp, false, ""),
	}}
	refToolFeesTable = Table{Name: "ref_tool_fees", About: "Fee of a mix of tool calls in 10^-12 USD", Columns: []Column{
		column("tools", Text, false, ""), column("markup", Int, false, ""), column("valid_from", Timestamp, false, ""), column("valid_to", Timestamp, false, ""), column("fee_pico", Int, true, "null: a tool has no fee"), column("missing", Text, true, "the tool without a fee"),
	}}
	refCostCentersTable = Table{Name: "ref_cost_centers", About: "Cost centres", Columns: []Column{
		column("cost_center", Text, false, ""), column("payer_id", Int, false, ""),
	}}
	refSuccessorsTable = Table{Name: "ref_successors", About: "Who pays for cost centres that have ended", Columns: []Column{
		column("cost_center", Text, false, ""), column("payer_id", Int, false, "of the successor"), column("valid_from", Date, false, ""), column("valid_to", Date, false, ""),
	}}
	refDepartmentsTable = Table{Name: "ref_departments", About: "Who pays for people of whom a snapshot names the department alone", Columns: []Column{
		column("department", Text, false, "as snapshots have it"), column("payer_id", Int, false, ""),
	}}
	refAliasesTable = Table{Name: "ref_aliases", About: "Other names of people: all of the directory, and those of exports that occur, with the address that stands for them; every day of a name is in one row", Columns: []Column{
		column("address", Text, false, ""), column("email", Text, false, ""), column("valid_from", Date, false, ""), column("valid_to", Date, false, ""),
	}}
	refPeopleSourcesTable = Table{Name: "ref_people_sources", About: "Sources of people in the order in which they are believed", Columns: []Column{
		column("source", Text, false, ""), column("place", Int, false, ""),
	}}
	refRequestSourcesTable = Table{Name: "ref_request_sources", About: "Sources in the order in which their record of a call counts", Columns: []Column{
		column("source", Text, false, ""), column("place", Int, false, ""),
	}}
	refAgentsTable = Table{Name: "ref_agents", About: "Agents with an owner", Columns: []Column{
		column("agent_id", Text, false, ""), column("cost_center", Text, true, ""), column("owner_email", Text, true, ""), column("valid_from", Date, false, ""), column("valid_to", Date, false, ""),
	}}
	refOwnersTable = Table{Name: "ref_owners", About: "Owners of the keys, teams, projects and callers that occur", Columns: []Column{
		column("kind", Text, false, ""), column("value", Text, false, ""), column("cost_center", Text, false, ""), column("valid_from", Date, false, ""), column("valid_to", Date, false, ""),
	}}
	refCallerUsersTable = Table{Name: "ref_caller_users", About: "Callers that occur and are a person who signed on", Columns: []Column{
		column("caller", Text, false, ""), column("user_name", Text, false, "as requests would have it"),
	}}
	refCacheTTLsTable = Table{Name: "ref_cache_ttls", About: "How long the cache writes of a source, or of a meter, are kept where no record says so", Columns: []Column{
		column("source", Text, true, "null: the row is of a meter"), column("meter_id", Int, true, "null: the row is of a source"), column("ttl", Text, false, "5m or 1h"),
	}}
	refUsageFromTable = Table{Name: "ref_usage_from", About: "Providers whose own per-request file is the usage", Columns: []Column{
		column("provider", Text, false, ""),
	}}

	referenceTables = []Table{refCardsTable, refRatesTable, refMarkupsTable, refToolFeesTable, refCostCentersTable, refSuccessorsTable, refDepartmentsTable, refAliasesTable, refPeopleSourcesTable, refRequestSourcesTable, refAgentsTable, refOwnersTable, refCallerUsersTable, refUsageFromTable, refCacheTTLsTable}
)

// Tables are those of the records.
func Tables() []Table {
	return []Table{repeatsTable, factsTable, dailyTable, dailyUsersTable, chargedDaysTable, closedRatesTable, closedPayersTable, idDaysTable, termsTable, rateEntriesTable, payersTable, rulingsTable}
}

// Views are the records with words in the place of numbers, and their daily sums.
func Views() []warehouse.View {
	return []warehouse.View{costItems, costRecords, dailyItems, totalsCounted}
}
