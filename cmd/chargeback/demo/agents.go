package demo

import "fmt"

// agent is one row of the demo's agent directory; empty dates are open.
type agent struct{ ID, Name, Kind, Owner, From, To string }

// owner maps a team, a key or a caller to a cost centre; one of the three is set.
type owner struct{ Team, Key, Caller, CostCenter string }

// Agents whose owner changes, or that only some calls use.
const (
	releaseNotes = "release-notes-bot"
	ticketTriage = "ticket-triage"
	pilot        = "pilot-agent" // in no directory

	handoverDay = 20 // release-notes-bot gets a new owner
)

// agents lists the directory of the month, written as YYYY-MM.
func agents(month string) []agent {
	handover := fmt.Sprintf("%s-%02d", month, handoverDay)
	return []agent{
		{ID: "company-assistant", Name: "Company Assistant", Kind: "shared"},
		{ID: "code-assistant", Name: "Code Assistant", Kind: "shared"},
		{ID: "doc-search", Name: "Document Search", Kind: "shared"},
		{ID: "translation-helper", Name: "Translation Helper", Kind: "shared"},
		{ID: "support-bot", Name: "Support Bot", Kind: "owned", Owner: "00420"},
		{ID: "sales-copilot", Name: "Sales Copilot", Kind: "owned", Owner: "CC-2001"},
		{ID: "campaign-writer", Name: "Campaign Writer", Kind: "owned", Owner: "CC-3001"},
		{ID: "expense-checker", Name: "Expense Checker", Kind: "owned", Owner: "finance-lead@example.com"},
		{ID: releaseNotes, Name: "Release Notes Bot", Kind: "owned", Owner: "CC-1001", To: handover},
		{ID: releaseNotes, Name: "Release Notes Bot", Kind: "owned", Owner: "CC-1002", From: handover},
		{ID: ticketTriage, Name: "Ticket Triage", Kind: "background", Owner: "00421"},
		{ID: "nightly-summaries", Name: "Nightly Summaries", Kind: "background", Owner: "CC-1002"},
	}
}

// Callers that talk to Bedrock past the gateway.
const (
	callerETL     = "arn:aws:sts::" + accountData + ":assumed-role/etl-summaries/i-0a1b2c3d4e5f60718"
	callerReports = "arn:aws:sts::" + accountProd + ":assumed-role/report-builder/monthly"
	callerSandbox = "arn:aws:sts::" + accountData + ":assumed-role/ml-sandbox/notebook"
	callerGateway = ":assumed-role/llm-gateway/gateway-" // after arn:aws:sts::<account>
)

var owners = []owner{
	{Team: "data-platform", CostCenter: "CC-1002"},
	{Key: "pilot-key", CostCenter: "CC-1001"},
	{Caller: "arn:aws:sts::*:assumed-role/etl-*/*", CostCenter: "CC-1002"},
}

// workload is what one agent does on an ordinary day.
type workload struct {
	agent, team, key string
	staff            []string // cost centres whose people ask; none: no user
	models           []string
	place            place
	operations       []string
	sessions         [2]span // on a working day, on a day of the weekend
	calls            span    // in a session
	hours            span    // local hours in which a session begins
	size             tokens  // of a typical call; a call has 50 to 150 % of it
	tools            []string
	cached           int // percent of calls that the gateway's cache answers
	endUsers         bool
	steady           bool // no cache hits, no failures
}

var (
	everybody = []string{"00420", "00421", "CC-1001", "CC-1002", "CC-2001", "CC-3001", "CC-4001", "CC-4002", "CC-5001"}
	office    = span{8, 18}
	allDay    = span{0, 23}
	chat      = []string{converse, converse, converseStream}
	mixed     = []string{converse, converseStream, invoke, invokeStream}
)

var workloads = []workload{
	{agent: "company-assistant", team: "workplace", key: "assistant-key", staff: everybody,
		models: []string{sonnetEU}, place: prodEU, operations: chat, sessions: [2]span{{4, 6}, {0, 1}}, calls: span{5, 11}, hours: office,
		size: tokens{65_000, 40_000, 12_000, 5_500}, tools: []string{"web_search", "calendar"}, cached: 4},
	{agent: "code-assistant", team: "engineering", key: "code-key", staff: []string{"CC-1001", "CC-1001", "CC-1002"},
		models: []string{sonnet}, place: prodUS, operations: mixed, sessions: [2]span{{4, 5}, {0, 1}}, calls: span{6, 14}, hours: office,
		size: tokens{55_000, 50_000, 15_000, 7_000}, tools: []string{"code_interpreter", "repo_search"}, cached: 3},
	{agent: "support-bot", team: "support", key: "support-bot-key",
		models: []string{haikuEU, haikuEU, sonnetEU}, place: prodEU, operations: chat, sessions: [2]span{{4, 5}, {3, 4}}, calls: span{5, 10}, hours: allDay,
		size: tokens{75_000, 35_000, 9_000, 5_000}, tools: []string{"order_lookup"}, cached: 5, endUsers: true},
	{agent: ticketTriage, team: "support", key: "triage-key",
		models: []string{nova}, place: dataUS, operations: chat, sessions: [2]span{{3, 3}, {2, 2}}, calls: span{5, 9}, hours: allDay,
		size: tokens{100_000, 20_000, 0, 4_000}},
	{agent: "sales-copilot", team: "sales", key: "sales-key", staff: []string{"CC-2001"},
		models: []string{sonnetEU}, place: prodEU, operations: chat, sessions: [2]span{{3, 4}, {0, 0}}, calls: span{4, 9}, hours: office,
		size: tokens{75_000, 30_000, 9_000, 6_000}, tools: []string{"web_search", "crm_lookup"}},
	{agent: "campaign-writer", team: "marketing", key: "campaign-key", staff: []string{"CC-3001"},
		models: []string{sonnet}, place: prodUS, operations: mixed, sessions: [2]span{{1, 1}, {0, 0}}, calls: span{3, 5}, hours: office,
		size: tokens{35_000, 20_000, 4_000, 5_000}},
	{agent: "expense-checker", team: "finance", key: "expense-key",
		models: []string{haikuEU}, place: dataEU, operations: chat, sessions: [2]span{{2, 3}, {0, 1}}, calls: span{6, 10}, hours: span{6, 20},
		size: tokens{80_000, 35_000, 10_000, 4_000}, tools: []string{"ledger_lookup"}},
	{agent: releaseNotes, team: "engineering", key: "release-key",
		models: []string{sonnet}, place: prodUS, operations: mixed, sessions: [2]span{{1, 1}, {0, 0}}, calls: span{3, 6}, hours: office,
		size: tokens{60_000, 10_000, 8_000, 6_000}},
	{agent: "nightly-summaries", team: "data-platform", key: "batch-key",
		models: []string{nova}, place: dataUS, operations: []string{converse}, sessions: [2]span{{2, 2}, {2, 2}}, calls: span{7, 11}, hours: span{0, 3},
		size: tokens{110_000, 10_000, 0, 6_000}},
	{agent: "doc-search", key: "search-key", staff: everybody,
		models: []string{mini4o, mini5}, place: openAI, sessions: [2]span{{5, 7}, {1, 1}}, calls: span{4, 7}, hours: office,
		size: tokens{60_000, 20_000, 0, 1_500}, cached: 18},
	{agent: "translation-helper", team: "workplace", key: "translate-key", staff: everybody,
		models: []string{mini5}, place: openAI, sessions: [2]span{{3, 4}, {0, 1}}, calls: span{3, 6}, hours: office,
		size: tokens{12_000, 0, 0, 9_000}, cached: 6},
}
