package config

import (
	"strings"
	"testing"
)

func TestParseRefuses(t *testing.T) {
	tests := []struct {
		name string
		more string // appended to minimal, which has 3 lines
		want string
	}{
		{"unknown key", "late_day: 3", `c.yaml:4: late_day: is not a known key; use one of company, warehouse, `},
		{"unknown key below", "notify: {slack: {token: x}}", "c.yaml:4: notify.slack.token: is not a known key; use one of token_env, "},

		{"cost centre without quotes", "budgets:\n  - {cost_center: 00420, amount_usd: \"1\"}", `c.yaml:5: budgets[0].cost_center: 00420 is not quoted`},
		{"cost centre that only looks octal", "budgets:\n  - {cost_center: 00980, amount_usd: \"1\"}", `quote it: "00980"`},
		{"cost centre with exponent", "budgets:\n  - {cost_center: 4e2, amount_usd: \"1\"}", `quote it: "4e2"`},
		{"cost centre as share without quotes", "shared_costs:\n  - name: N\n    amount_usd: \"1\"\n    split: fixed\n    shares:\n      00420: \"60\"", "c.yaml:9: shared_costs[0].shares.00420: 00420 is not quoted"},
		{"issuer's cost centre without quotes", "invoices: {issuer: {cost_center: 9000}}", `c.yaml:4: invoices.issuer.cost_center: 9000 is not quoted`},
		{"account without quotes", "invoices: {recovery_account: 690100}", `c.yaml:4: invoices.recovery_account: 690100 is not quoted`},
		{"company code without quotes", "invoices: {issuer: {company_code: 1000}}", `c.yaml:4: invoices.issuer.company_code: 1000 is not quoted`},
		{"one account between companies", "invoices: {intercompany: {due_to: \"2190\"}}", "c.yaml:4: invoices.intercompany: due_from is missing; set both accounts, or remove intercompany"},

		{"thresholds that fall", "budgets:\n  - department: D\n    amount_usd: \"1\"\n    thresholds: [50, 120, 80]", "c.yaml:7: budgets[0].thresholds: 120 comes before 80; list them in rising order"},
		{"threshold twice", "budgets:\n  - {department: D, amount_usd: \"1\", thresholds: [50, 50]}", "budgets[0].thresholds: 50 stands twice; remove one"},
		{"threshold of zero", "budgets:\n  - {department: D, amount_usd: \"1\", thresholds: [0]}", "budgets[0].thresholds: 0 is out of range"},
		{"budget for nobody", "budgets:\n  - {amount_usd: \"1\"}", "budgets[0]: needs exactly one of department, cost_center and scope"},
		{"budget for both", "budgets:\n  - {department: D, cost_center: C, amount_usd: \"1\"}", "budgets[0]: needs exactly one of department, cost_center and scope"},
		{"budget for a department and the company", "budgets:\n  - {department: D, scope: company, amount_usd: \"1\"}", "budgets[0]: needs exactly one of department, cost_center and scope"},
		{"budget for a scope that there is not", "budgets:\n  - {scope: team, amount_usd: \"1\"}", `budgets[0].scope: "team" is not a choice; use company`},
		{"two budgets for the company", "budgets:\n  - {scope: company, amount_usd: \"1\"}\n  - {scope: company, amount_usd: \"2\"}", `"company" stands`},
		{"budget without amount", "budgets:\n  - {department: D}", "c.yaml:5: budgets[0].amount_usd: is missing, zero or negative"},
		{"budget finer than the ledger", "budgets:\n  - {department: D, amount_usd: \"0.0000000000001\"}", "has more than 12 decimal places"},
		{"budget with thousands", "budgets:\n  - {department: D, amount_usd: \"1,200\"}", `"1,200" is not a decimal number`},
		{"two budgets of one name", "budgets:\n  - {department: D, amount_usd: \"1\"}\n  - {department: D, amount_usd: \"2\"}", `c.yaml:6: budgets[1]: "D" stands already on line 5`},
		{"channel with blanks", "budgets:\n  - {department: D, amount_usd: \"1\", channel: \"#a b\"}", `budgets[0].channel: "#a b" is not a channel`},

		{"address as channel", "notify: {slack: {default_channel: lead@example.com}}", `notify.slack.default_channel: "lead@example.com" is an address or a person, not a channel`},
		{"person as channel", "budgets:\n  - {department: D, amount_usd: \"1\", channel: \"@lead\"}", `budgets[0].channel: "@lead" is an address or a person`},
		{"capitals in a channel", "notify: {slack: {default_channel: \"#AI-Costs\"}}", `"#AI-Costs" is not a channel: Slack's have small letters`},
		{"channel of 81 letters", "notify: {slack: {default_channel: \"#" + strings.Repeat("a", 81) + "\"}}", "is not a channel"},
		{"contact that is no address", "invoices: {issuer: {contact: \"AI team, ai@example@com\"}}", `invoices.issuer.contact: "ai@example@com" is not an e-mail address`},

		{"close before late days", "late_days: 5\nclose_day: 5", "c.yaml:5: close_day: 5 is not after late_days (5)"},
		{"close on the 31st", "close_day: 31", "c.yaml:4: close_day: 31 is out of range; give 1 to 28"},
		{"negative late days", "late_days: -1", "c.yaml:4: late_days: -1 is out of range"},
		{"person of another format", "  - {name: a, format: litellm, url: \"file:x\", fields: {email: [mail]}}", `sources[1].fields.email: is nothing that format litellm can be told`},
		{"person by no field", "  - {name: a, format: okta, url: \"file:x\", fields: {cost_center: [profile..code]}}", `sources[1].fields.cost_center: "profile..code" is not a field`},
		{"bigquery without a project", "warehouse: {engine: bigquery, dataset: d, location: EU, lease: {url: s3://b/p}}", "c.yaml:4: warehouse.project: is missing; write the id"},
		{"bigquery with a path", "warehouse: {engine: bigquery, path: x, project: ab, dataset: d, location: EU, lease: {url: s3://b/p}}", "c.yaml:4: warehouse.path: is set although warehouse.engine is bigquery"},
		{"bigquery with an odd dataset", "warehouse: {engine: bigquery, project: ab, dataset: a-b, location: EU, lease: {url: s3://b/p}}", `c.yaml:4: warehouse.dataset: "a-b" is not valid; write the dataset's name: letters, digits and _`},
		{"bigquery without a lease", "warehouse: {engine: bigquery, project: ab, dataset: d, location: EU}", `c.yaml:4: warehouse.lease.url: "" is not a place in S3`},
		{"bigquery staged elsewhere", "warehouse: {engine: bigquery, project: ab, dataset: d, location: EU, staging: s3://b, lease: {url: s3://b/p}}", `c.yaml:4: warehouse.staging: "s3://b" is not valid; write gs://bucket/prefix`},
		{"duckdb with a project", "warehouse: {project: ab}", "c.yaml:4: warehouse.project: is set although warehouse.engine is duckdb; remove one of the two"},
		{"bigquery with the memory of the other engine", `warehouse: {engine: bigquery, project: ab, dataset: d, location: EU, lease: {url: s3://b/p}, memory_limit: 1GB}`, `c.yaml:4: warehouse.memory_limit: is set although warehouse.engine is bigquery; remove one of the two`},
		{"work tables in the ledger", `warehouse: {engine: bigquery, project: ab, dataset: d, location: EU, lease: {url: s3://b/p}, work_dataset: d}`, `c.yaml:4: warehouse.work_dataset: is the ledger's own dataset; name another one`},
		{"work tables in an odd dataset", `warehouse: {engine: bigquery, project: ab, dataset: d, location: EU, lease: {url: s3://b/p}, work_dataset: a-b}`, `c.yaml:4: warehouse.work_dataset: "a-b" is not valid; write the dataset's name`},
		{"a byte limit that stops all", `warehouse: {engine: bigquery, project: ab, dataset: d, location: EU, lease: {url: s3://b/p}, max_bytes_billed: 1MB}`, `c.yaml:4: warehouse.max_bytes_billed: 1MB is less than the 10MiB that BigQuery bills`},
		{"a job without time", `warehouse: {engine: bigquery, project: ab, dataset: d, location: EU, lease: {url: s3://b/p}, job_timeout: 10s}`, `c.yaml:4: warehouse.job_timeout: 10s is out of range; give 1m to 6h`},
		{"a job with more time than there is", `warehouse: {engine: bigquery, project: ab, dataset: d, location: EU, lease: {url: s3://b/p}, job_timeout: 7h}`, `c.yaml:4: warehouse.job_timeout: 7h is out of range`},
		{"a job of as many days", `warehouse: {engine: bigquery, project: ab, dataset: d, location: EU, lease: {url: s3://b/p}, job_timeout: 1d}`, `c.yaml:4: warehouse.job_timeout: "1d" is not a length of time`},
		{"a negative price of bytes", `warehouse: {engine: bigquery, project: ab, dataset: d, location: EU, lease: {url: s3://b/p}, price_per_tib_usd: "-1"}`, `c.yaml:4: warehouse.price_per_tib_usd: -1.00 is negative`},
		{"credentials that nobody gets", `warehouse: {engine: bigquery, project: ab, dataset: d, location: EU, lease: {url: s3://b/p}, credentials: key.json, endpoint: "http://localhost:9050"}`, `c.yaml:4: warehouse.credentials: would not be used`},
		{"bigquery with an odd location", "warehouse: {engine: bigquery, project: ab, dataset: d, location: E U, lease: {url: s3://b/p}}", `c.yaml:4: warehouse.location: "E U" is not valid; write where the dataset lies`},
		{"duckdb with staging", "warehouse: {staging: gs://bucket/p}", "c.yaml:4: warehouse.staging: is set although warehouse.engine is duckdb; remove one of the two"},
		{"duckdb with a job's time", "warehouse: {job_timeout: 1h}", "c.yaml:4: warehouse.job_timeout: is set although warehouse.engine is duckdb"},
		{"duckdb with a price of bytes", `warehouse: {price_per_tib_usd: "6.25"}`, "c.yaml:4: warehouse.price_per_tib_usd: is set although warehouse.engine is duckdb"},
		{"ledger in memory", "warehouse: {path: ':memory:'}", `c.yaml:4: warehouse.path: ":memory:" is not a path on this machine`},
		{"ledger in a bucket", "warehouse: {path: 's3://bucket/ledger.duckdb'}", "c.yaml:4: warehouse.path: "},
		{"ledger with options", "warehouse: {path: 'ledger.duckdb?threads=1'}", "c.yaml:4: warehouse.path: "},
		{"ledger that is its own temp_dir", "warehouse: {path: books, temp_dir: ./books}", "c.yaml:4: warehouse.temp_dir: is the ledger itself"},
		{"too many threads", "warehouse: {threads: 2000}", "c.yaml:4: warehouse.threads: 2000 is out of range"},
		{"other engine", "warehouse: {engine: sqlite}", `c.yaml:4: warehouse.engine: "sqlite" is not a choice; use duckdb, bigquery`},
		{"memory without unit", "warehouse: {memory_limit: 1000}", `c.yaml:4: warehouse.memory_limit: "1000" is not a size`},
		{"too little memory", "warehouse: {memory_limit: 1MB}", "c.yaml:4: warehouse.memory_limit: 1MB is too little"},
		{"usage from elsewhere", "usage_from: {bedrock: s3}", `c.yaml:4: usage_from.bedrock: "s3" is not a choice; use provider, gateway`},
		{"unknown model as itself", "unknown_models:\n  - {provider: p, model: m, price_as: m}", "unknown_models[0].price_as: is the unknown model itself"},
		{"unknown model twice", "unknown_models:\n  - {provider: p, model: m, price_as: n}\n  - {provider: p, model: m, price_as: o}", `unknown_models[1].model: "p/m" stands already on line 5`},
		{"unknown model as another and as reported", "unknown_models:\n  - {provider: p, model: m, price_as: n, take: reported_cost}", "unknown_models[0].take: cannot be combined with price_as; remove one of the two"},
		{"unknown model taken otherwise", "unknown_models:\n  - {provider: p, model: m, take: anything}", `unknown_models[0].take: "anything" is not a choice; use reported_cost`},
		{"unknown model as nothing", "unknown_models:\n  - {provider: p, model: m}", "unknown_models[0].price_as: is missing; write a model of the rate book, or take: reported_cost"},
		{"TTL that is none", "cache_ttl:\n  - {provider: p, model: m, ttl: 2h}", `c.yaml:5: cache_ttl[0].ttl: "2h" is not a choice; use 5m, 1h`},
		{"TTL of no model", "cache_ttl:\n  - {provider: p, ttl: 1h}", "cache_ttl[0].model: is missing; write the model"},
		{"TTL twice", "cache_ttl:\n  - {provider: p, model: m, ttl: 1h}\n  - {provider: p, model: m, ttl: 5m}", `cache_ttl[1].model: "p/m" stands already on line 5`},
		{"TTL of people", "  - {name: a, format: okta, url: \"file:x\", cache_ttl: 1h}", "sources[1].cache_ttl: is set although format okta has no requests with tokens; remove it"},
		{"silence that is no number", "  - {name: a, format: litellm, url: \"file:x\", silent_after_days: soon}", `sources[1].silent_after_days: "soon" is not a number of days; write a whole number, 0 is never`},
		{"silence below zero", "  - {name: a, format: litellm, url: \"file:x\", silent_after_days: -1}", `sources[1].silent_after_days: "-1" is not a number of days`},
		{"silence out of range", "  - {name: a, format: litellm, url: \"file:x\", silent_after_days: 4000}", "sources[1].silent_after_days: 4000 is out of range; give 0 to 3650, 0 is never"},
		{"silence of people", "  - {name: a, format: okta, url: \"file:x\", silent_after_days: 3}", "sources[1].silent_after_days: is set although format okta has no records of requests; remove it"},
		{"rejects out of range", "reject_alarm_percent: 101", "c.yaml:4: reject_alarm_percent: 101 is out of range"},
		{"corrections below zero", `corrections_limit_usd: "-1"`, "c.yaml:4: corrections_limit_usd: -1.00 is negative; give 0 or more"},
		{"TTL of totals", "  - {name: a, format: openai-usage, url: \"file:x\", cache_ttl: 1h}", "sources[1].cache_ttl: is set although format openai-usage has no requests with tokens"},
		{"TTL of a source that is none", "  - {name: a, format: portkey, url: \"file:x\", cache_ttl: hour}", `sources[1].cache_ttl: "hour" is not a choice; use 5m, 1h`},

		{"split of another kind", "shared_costs:\n  - {name: N, amount_usd: \"1\", split: fair}", `shared_costs[0].split: "fair" is not a choice; use even, fixed, proportional`},
		{"fixed without shares", "shared_costs:\n  - {name: N, amount_usd: \"1\", split: fixed}", "shared_costs[0].shares: is missing"},
		{"shares without fixed", "shared_costs:\n  - {name: N, amount_usd: \"1\", split: even, shares: {a: \"1\"}}", `shared_costs[0].shares: is set although split is "even"`},
		{"share of zero", "shared_costs:\n  - {name: N, amount_usd: \"1\", split: fixed, shares: {a: \"0\"}}", "shared_costs[0].shares.a: is missing, zero or negative"},
		{"cost that ends before it begins", "shared_costs:\n  - {name: N, amount_usd: \"1\", split: even, from: 2026-10, to: 2026-10}", "shared_costs[0].to: 2026-10 is not after from (2026-10)"},
		{"cost twice in a month", "shared_costs:\n  - {name: N, amount_usd: \"1\", split: even}\n  - {name: N, amount_usd: \"1\", split: even, from: 2026-10}", `shared_costs[1].name: "N" stands already on line 5 for some of the same months`},
		{"month that is none", "shared_costs:\n  - {name: N, amount_usd: \"1\", split: even, from: 2026-13}", `shared_costs[0].from: "2026-13" is not a month; write it as 2026-10`},

		{"waiver for an unknown gate", "waivers:\n  - {month: 2026-10, gate: all, by: a, reason: b}", `waivers[0].gate: "all" is not a choice; use unpriced, doubtful, conflicts, unallocated, directory, rejects, missing`},
		{"encoding of CSV", "invoices: {csv_encoding: utf-16}", `c.yaml:4: invoices.csv_encoding: "utf-16" is not a choice; use utf-8, utf-8-bom`},
		{"font without a path", `invoices: {fonts: [""]}`, "c.yaml:4: invoices.fonts[0]: is missing; write the path of a font file, or remove the item"},
		{"font twice", "invoices: {fonts: [a.ttf, a.ttf]}", "c.yaml:4: invoices.fonts[1]: "},
		{"waiver without a bound", "waivers:\n  - {month: 2026-10, gate: missing, by: a, reason: b}", "c.yaml:5: waivers[0].count: is missing; write count: N, the most that may pass, or remove the waiver where its month is closed"},
		{"waiver of an amount without a bound", "waivers:\n  - {month: 2026-10, gate: unallocated, by: a, reason: b}", `waivers[0].amount_usd: is missing; write amount_usd: "N.NN", the most that may pass`},
		{"waiver of a bill without a bound", "waivers:\n  - {month: 2026-10, gate: bill, by: a, reason: b}", "waivers[0].amount_usd: is missing; "},
		{"waiver of nothing", "waivers:\n  - {month: 2026-10, gate: rejects, count: 0, by: a, reason: b}", "waivers[0].count: 0 is not 1 or more"},
		{"waiver of part of a record", "waivers:\n  - {month: 2026-10, gate: rejects, count: 1.5, by: a, reason: b}", "waivers[0].count: "},
		{"waiver of an amount of nothing", "waivers:\n  - {month: 2026-10, gate: unallocated, amount_usd: \"0\", by: a, reason: b}", "waivers[0].amount_usd: is missing, zero or negative"},
		{"waiver that counts money", "waivers:\n  - {month: 2026-10, gate: unallocated, count: 1, by: a, reason: b}", "waivers[0].count: is not what gate unallocated measures; write amount_usd instead"},
		{"waiver of what records cost", "waivers:\n  - {month: 2026-10, gate: rejects, amount_usd: \"1\", by: a, reason: b}", "waivers[0].amount_usd: is not what gate rejects measures; write count instead"},
		{"waiver without a reason", "waivers:\n  - {month: 2026-10, gate: missing, count: 1, by: a}", "waivers[0].reason: is missing; write the reason that the invoice prints"},
		{"waiver twice", "waivers:\n  - {month: 2026-10, gate: missing, count: 1, by: a, reason: b}\n  - {month: 2026-10, gate: missing, count: 2, by: c, reason: d}", `waivers[1].gate: "2026-10 missing" stands already on line 5`},
		{"tolerance above all", `bill_tolerance_percent: "100.1"`, "c.yaml:4: bill_tolerance_percent: 100.10 is out of range"},
		{"negative tolerance", `bill_tolerance_percent: "-1"`, "bill_tolerance_percent: -1.00 is out of range"},
		{"bill of nobody", "expect_bills:\n  - {from: 2026-10}", "c.yaml:5: expect_bills[0]: needs exactly one of provider and source"},
		{"bill of two", "expect_bills:\n  - {provider: openai, source: a}", "expect_bills[0]: needs exactly one of provider and source"},
		{"bill of an unknown source", "expect_bills:\n  - {source: bill}", `expect_bills[0].source: "bill" is not among sources (line 2); add it there or correct it`},
		{"bill of people", "  - {name: p, format: people, url: \"file:x\"}\nexpect_bills:\n  - {source: p}", "expect_bills[0].source: p has format people, which is no bill or report; name one of format openai-usage, "},
		{"bill of a provider that no source has", "  - {name: u, format: openai-usage, url: \"file:x\"}\nexpect_bills:\n  - {provider: openai}", `expect_bills[0].provider: no source has the bill of "openai"; add one whose format is openai-costs, `},
		{"negative limit", `unallocated_limit_usd: "-1"`, "unallocated_limit_usd: -1.00 is negative"},
		{"token_env and token_file", "notify: {slack: {token_env: A, token_file: b}}", "notify.slack.token_file: is set beside token_env"},
		{"webhook as api address", "notify: {slack: {api_url: 'https://hooks.slack.com/services/T0/B0/HUSH'}}", "notify.slack.api_url: is the address of a webhook (not shown"},
		{"token in clear text", "notify: {slack: {api_url: 'http://example.com/api'}}", "notify.slack.api_url: would carry the token in clear text"},
		{"Slack's page as api address", "notify: {slack: {api_url: 'https://slack.com'}}", "notify.slack.api_url: is not Slack's API; write https://slack.com/api"},
		{"method as api address", "notify: {slack: {api_url: 'https://proxy.example.com/api/chat.postMessage'}}", "notify.slack.api_url: names a method"},
		{"port that is none", "notify: {slack: {api_url: 'https://proxy.example.com:99999/api'}}", "notify.slack.api_url: is not a web address"},
		{"budget without any channel", "notify: {slack: {token_env: A}}\nbudgets:\n  - {department: D, amount_usd: \"1\"}", "budgets[0].channel: is missing, and so is notify.slack.default_channel"},
		{"api address without scheme", "notify: {slack: {api_url: slack.com}}", `notify.slack.api_url: is not a web address (not shown`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("c.yaml", []byte(minimal+tt.more+"\n"))
			wantError(t, err, tt.want)
		})
	}
}

func TestParseRefusesSources(t *testing.T) {
	const bucket = "name: a, format: bedrock, url: s3://b"
	tests := []struct {
		name   string
		source string // on line 3
		want   string
	}{
		{"no name", "format: bedrock, url: file:x", "c.yaml:3: sources[0].name: is missing"},
		{"name with other characters", "name: Gateway 1, format: bedrock, url: file:x", `sources[0].name: "Gateway 1" has other characters`},
		{"unknown format", "name: a, format: openai, url: file:x", `sources[0].format: "openai" is not a choice; use anthropic-batch, anthropic-costs,`},
		{"no address", "name: a, format: bedrock", `sources[0].url: "" is not a place to read from`},
		{"address without a place", "name: a, format: bedrock, url: 's3://'", `sources[0].url: "s3://" is not a place`},
		{"bucket keys for a folder", "name: a, format: bedrock, url: file:x, s3: {region: eu-central-1}", "sources[0].s3: is set although url is not an s3:// address"},
		{"another format's fields", "name: a, format: bedrock, url: file:x, fields: {tool_calls: [a]}", `sources[0].fields.tool_calls: is nothing that format bedrock can be told; it takes agent_id, cost_center, client_ref`},
		{"fields of a format that has none", "name: a, format: people, url: file:x, fields: {team: [a]}", `sources[0].fields: is set although format people has no such names; remove it`},
		{"batch of another format", "name: a, format: bedrock, url: file:x, batch: {model: m}", `sources[0].batch: is set although format is "bedrock"; it is for results of batch jobs`},
		{"parents of another format", "name: a, format: bedrock, url: file:x, parents: [a]", `sources[0].parents: is set although format is "bedrock"; it is for otlp`},
		{"a parent that is an operation", "name: a, format: otlp, url: file:x, operations: [b, a], parents: [a]", `sources[0].parents[0]: "a" is listed in operations too; list it once`},
		{"tokens_in of a format that tells it", "name: a, format: litellm, url: file:x, tokens_in: inclusive", `sources[0].tokens_in: is set although format is "litellm", whose records tell it; it is for langfuse, and for mapped under mapped`},
		{"tokens_in beside mapped", "name: a, format: mapped, url: file:x, tokens_in: inclusive, mapped: {fields: {a: [b]}}", `sources[0].tokens_in: belongs under mapped, as its other keys; write mapped: {tokens_in: inclusive}`},
		{"tokens_in of another word", "name: a, format: langfuse, url: file:x, tokens_in: both", `sources[0].tokens_in: "both" is not a choice; use inclusive, exclusive`},
		{"a job without an id", "name: a, format: bedrock-batch, url: file:x, batch: {jobs: [{model: m}]}", `sources[0].batch.jobs[0].id: is missing; write a part of the keys`},
		{"a job twice", "name: a, format: bedrock-batch, url: file:x, batch: {jobs: [{id: j}, {id: j}]}", `sources[0].batch.jobs[1].id`},
		{"a job without a zone", "name: a, format: bedrock-batch, url: file:x, batch: {jobs: [{id: j, started_at: 2026-10-31 22:00}]}", `is not a time such as 2026-10-31T22:00:00Z`},
		{"record of 3 GB", "name: a, format: bedrock, url: file:x, max_record_bytes: 3GB", "sources[0].max_record_bytes: 3GB is out of range"},
		{"half of the credentials", bucket + ", s3: {access_key_id_env: ID}", "sources[0].s3: names only half of the credentials"},
		{"secret twice", bucket + ", s3: {access_key_id_env: ID, secret_access_key_env: S, secret_access_key_file: f}", "sources[0].s3.secret_access_key_file: is set beside secret_access_key_env"},
		{"session without key", bucket + ", s3: {session_token_env: T}", "sources[0].s3.session_token_env: is set without access_key_id_env"},
		{"endpoint without scheme", bucket + ", s3: {endpoint: 'localhost:9000'}", `sources[0].s3.endpoint: is not a web address (not shown`},
		{"name twice", "name: a, format: bedrock, url: file:x}\n  - {name: a, format: bedrock, url: file:y", `c.yaml:4: sources[1].name: "a" stands already on line 3`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("c.yaml", []byte("company: {name: E, billing_zone: UTC, start: 2026-10-01}\nsources:\n  - {"+tt.source+"}\n"))
			wantError(t, err, tt.want)
		})
	}
}

func TestParseRefusesZones(t *testing.T) {
	for _, zone := range []string{"Local", "Berlin", "CEST"} {
		_, err := Parse("c.yaml", []byte(strings.Replace(minimal, "Europe/Berlin", zone, 1)))
		wantError(t, err, `c.yaml:1: company.billing_zone: "`+zone+`" is not an IANA time zone`)
	}
}

func TestParseNamesAllProblemsInOrder(t *testing.T) {
	_, err := Parse("c.yaml", []byte("sources: []\nworkers: x\nlate_days: 9\nwho: me\ncompany: {name: E, start: 2026-13-01}\n"))
	if err == nil {
		t.Fatal("loaded")
	}
	want := []string{
		"c.yaml:1: sources: is missing; name at least one source to read from",
		`c.yaml:2: workers: "x" is not a whole number; write digits only`,
		"c.yaml:4: who: is not a known key; use one of ",
		"c.yaml:5: company.billing_zone: is missing; write an IANA zone such as Europe/Berlin",
		`c.yaml:5: company.start: "2026-13-01" is not a date; write it as 2026-10-31`,
	}
	got := strings.Split(err.Error(), "\n")
	for i, line := range want {
		// close_day has no line of its own and stands at the top of the file.
		if i+1 >= len(got) || !strings.HasPrefix(got[i+1], line) && !strings.HasPrefix(got[i], line) {
			t.Errorf("line %d: want %q in\n%v", i, line, err)
		}
	}
	if len(got) != len(want)+1 {
		t.Errorf("%d problems:\n%v", len(got), err)
	}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("loaded, want error %q", want)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// Goal: channels that Slack can have are taken, and what it shows as a channel's
// address or person is not.
func TestChannels(t *testing.T) {
	for _, good := range []string{"#ai-costs", "ai_costs-2", "C0123456789", "G012345678", "#kosten-für-ki", "#費用"} {
		if _, err := Parse("c.yaml", []byte(minimal+"notify: {slack: {default_channel: \""+good+"\"}}\n")); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}
