// Package record is the shape of what is read: usage, request and people rows
// and the batches in which they travel.
//
// It owns: the staged columns, their types and their meaning.
// It does not own: how a format fills them (extract/decode) or where they are
// kept (billing/ledger).
package record

// Status of a record at its source.
const (
	StatusOK    = "ok"
	StatusError = "error"
)

// Lineage says where a record was read: Object is the manifest's id of the
// object, Line the line (from 1) on which the record starts.
type Lineage struct {
	Object int64
	Line   int64
}

// Tokens are disjoint counts, but Reasoning, which is a part of Output.
type Tokens struct {
	InputUncached     int64
	CacheRead         int64
	CacheWrite5m      int64
	CacheWrite1h      int64
	CacheWriteUnknown int64
	Output            int64
	Reasoning         int64
}

// Usage is what a provider metered for one request. Text fields point into
// the decoder's memory and hold until the next record.
type Usage struct {
	Key               []byte // natural key, hashed: see Key
	Provider          []byte
	ProviderRequestID []byte
	ResponseID        []byte
	ClientRef         []byte
	StartedAt         int64 // microseconds UTC
	Date              int64 // days since 1970-01-01 in the billing zone
	Account           []byte
	Region            []byte
	Model             []byte
	Operation         []byte
	ServiceTier       []byte
	Tokens            Tokens
	Caller            []byte
	CostCenter        []byte
	AgentID           []byte
	Status            []byte
	ErrorCode         []byte
	Completeness      int64 // a final record ranks above a partial one, that above an error
	ContentHash       int64
}

// Request is what the agent platform knows of one request.
type Request struct {
	Key               []byte
	AgentRequestID    []byte
	Provider          []byte
	ProviderRequestID []byte
	ResponseID        []byte
	ClientRef         []byte // empty: the agent request id is the reference
	TraceID           []byte // empty: the request is its own trace
	StartedAt         int64
	EndedAt           int64
	HasEnded          bool
	Date              int64
	CacheHit          bool
	Status            []byte
	ErrorCode         []byte
	UserID            []byte
	UserEmail         []byte // empty where it equals UserID
	EndUser           []byte
	Team              []byte
	KeyAlias          []byte
	Project           []byte
	AgentID           []byte
	CostCenter        []byte
	Model             []byte
	Tools             []byte // name:count,name:count sorted by name; * where only the number is known
	ToolCalls         int64
	Tokens            Tokens
	ReportedPico      int64 // the platform's own estimate in pico-USD; never charged
	HasReported       bool
	Completeness      int64
	ContentHash       int64
}

// Person is one dated row of the people file.
type Person struct {
	Email      []byte
	Department []byte
	CostCenter []byte
	ValidFrom  int64 // days since 1970-01-01, inclusive
	ValidTo    int64 // exclusive
}

// UsageSchema is the staged table of Usage rows.
var UsageSchema = &Schema{Table: "usage", About: "Per request, what the provider metered", Columns: []Column{
	{"record_key", Text, false, "hash of the format's natural key"},
	{"provider", Text, false, "bedrock, openai, ..."},
	{"provider_request_id", Text, true, "the provider's request id"},
	{"response_id", Text, true, "the id in the response body"},
	{"client_ref", Text, true, "the caller's own id, sent along as metadata"},
	{"started_at", Time, false, "UTC"},
	{"usage_date", Date, false, "start in the billing zone"},
	{"account", Text, true, "account, project or workspace"},
	{"region", Text, true, "region that was called"},
	{"model", Text, false, "model as sent"},
	{"operation", Text, true, ""},
	{"service_tier", Text, true, ""},
	{"input_uncached_tokens", Int, false, "disjoint from all other counts"},
	{"cache_read_tokens", Int, false, ""},
	{"cache_write_5m_tokens", Int, false, ""},
	{"cache_write_1h_tokens", Int, false, ""},
	{"cache_write_unknown_tokens", Int, false, "time to live not logged"},
	{"output_tokens", Int, false, ""},
	{"reasoning_tokens", Int, false, "part of output_tokens"},
	{"caller", Text, true, "role ARN or service account"},
	{"cost_center", Text, true, "explicit, from trusted metadata"},
	{"agent_id", Text, true, ""},
	{"status", Text, false, "ok or error"},
	{"error_code", Text, true, ""},
	{"completeness", Int, false, "0 error, 1 partial, 2 final"},
	{"content_hash", Int, false, "of all fields above"},
	{"object_id", Int, false, "manifest id of the object"},
	{"line", Int, false, "line on which the record starts"},
}}

// RequestSchema is the staged table of Request rows.
var RequestSchema = &Schema{Table: "requests", About: "Per request, what the agent platform knows", Columns: []Column{
	{"record_key", Text, false, "hash of the format's natural key"},
	{"agent_request_id", Text, false, ""},
	{"provider", Text, false, ""},
	{"provider_request_id", Text, true, ""},
	{"response_id", Text, true, ""},
	{"client_ref", Text, true, "null: agent_request_id is the reference"},
	{"trace_id", Text, true, "null: the request is its own trace"},
	{"started_at", Time, false, "UTC"},
	{"ended_at", Time, true, "UTC"},
	{"request_date", Date, false, "start in the billing zone"},
	{"cache_hit", Bool, false, "answered from the gateway's cache"},
	{"status", Text, false, "ok or error"},
	{"error_code", Text, true, ""},
	{"user_id", Text, true, ""},
	{"user_email", Text, true, "null where it equals user_id"},
	{"end_user", Text, true, ""},
	{"team", Text, true, ""},
	{"key_alias", Text, true, ""},
	{"project", Text, true, ""},
	{"agent_id", Text, true, ""},
	{"cost_center", Text, true, "explicit, from trusted metadata"},
	{"model", Text, true, ""},
	{"tools", Text, true, "name:count,... sorted by name"},
	{"tool_calls", Int, false, ""},
	{"input_uncached_tokens", Int, false, "disjoint from all other counts"},
	{"cache_read_tokens", Int, false, ""},
	{"cache_write_5m_tokens", Int, false, ""},
	{"cache_write_1h_tokens", Int, false, ""},
	{"cache_write_unknown_tokens", Int, false, ""},
	{"output_tokens", Int, false, ""},
	{"reasoning_tokens", Int, false, "part of output_tokens"},
	{"reported_pico_usd", Int, true, "the platform's own estimate in 10^-12 USD, never charged"},
	{"completeness", Int, false, "0 failure, 1 success without tokens, 2 success"},
	{"content_hash", Int, false, "of all fields above"},
	{"object_id", Int, false, "manifest id of the object"},
	{"line", Int, false, "line on which the record starts"},
}}

// PeopleSchema is the staged table of Person rows.
var PeopleSchema = &Schema{Table: "people", About: "Who belongs to which department and cost centre, and when", Columns: []Column{
	{"email", Text, false, "normalised"},
	{"department", Text, false, ""},
	{"cost_center", Text, false, "text; keeps leading zeros"},
	{"valid_from", Date, false, "inclusive"},
	{"valid_to", Date, false, "exclusive"},
	{"object_id", Int, false, "manifest id of the object"},
	{"line", Int, false, "line of the row"},
}}

func (b *Batch) tokens(i int, t *Tokens) {
	b.int(i, t.InputUncached)
	b.int(i+1, t.CacheRead)
	b.int(i+2, t.CacheWrite5m)
	b.int(i+3, t.CacheWrite1h)
	b.int(i+4, t.CacheWriteUnknown)
	b.int(i+5, t.Output)
	b.int(i+6, t.Reasoning)
}

// AppendUsage adds one row to a batch of UsageSchema. It reports false where a
// text was not valid UTF-8; DropLast then takes the row back.
func (b *Batch) AppendUsage(u *Usage, l Lineage) bool {
	ok := b.text(0, u.Key)
	ok = b.text(1, u.Provider) && ok
	ok = b.text(2, u.ProviderRequestID) && ok
	ok = b.text(3, u.ResponseID) && ok
	ok = b.text(4, u.ClientRef) && ok
	b.int(5, u.StartedAt)
	b.int(6, u.Date)
	ok = b.text(7, u.Account) && ok
	ok = b.text(8, u.Region) && ok
	ok = b.text(9, u.Model) && ok
	ok = b.text(10, u.Operation) && ok
	ok = b.text(11, u.ServiceTier) && ok
	b.tokens(12, &u.Tokens)
	ok = b.text(19, u.Caller) && ok
	ok = b.text(20, u.CostCenter) && ok
	ok = b.text(21, u.AgentID) && ok
	ok = b.text(22, u.Status) && ok
	ok = b.text(23, u.ErrorCode) && ok
	b.int(24, u.Completeness)
	b.int(25, u.ContentHash)
	b.int(26, l.Object)
	b.int(27, l.Line)
	b.Rows++
	return ok
}

// AppendRequest adds one row to a batch of RequestSchema; see AppendUsage.
func (b *Batch) AppendRequest(r *Request, l Lineage) bool {
	ok := b.text(0, r.Key)
	ok = b.text(1, r.AgentRequestID) && ok
	ok = b.text(2, r.Provider) && ok
	ok = b.text(3, r.ProviderRequestID) && ok
	ok = b.text(4, r.ResponseID) && ok
	ok = b.text(5, r.ClientRef) && ok
	ok = b.text(6, r.TraceID) && ok
	b.int(7, r.StartedAt)
	b.optional(8, r.EndedAt, r.HasEnded)
	b.int(9, r.Date)
	b.bool(10, r.CacheHit)
	ok = b.text(11, r.Status) && ok
	ok = b.text(12, r.ErrorCode) && ok
	ok = b.text(13, r.UserID) && ok
	ok = b.text(14, r.UserEmail) && ok
	ok = b.text(15, r.EndUser) && ok
	ok = b.text(16, r.Team) && ok
	ok = b.text(17, r.KeyAlias) && ok
	ok = b.text(18, r.Project) && ok
	ok = b.text(19, r.AgentID) && ok
	ok = b.text(20, r.CostCenter) && ok
	ok = b.text(21, r.Model) && ok
	ok = b.text(22, r.Tools) && ok
	b.int(23, r.ToolCalls)
	b.tokens(24, &r.Tokens)
	b.optional(31, r.ReportedPico, r.HasReported)
	b.int(32, r.Completeness)
	b.int(33, r.ContentHash)
	b.int(34, l.Object)
	b.int(35, l.Line)
	b.Rows++
	return ok
}

// AppendPerson adds one row to a batch of PeopleSchema; see AppendUsage.
func (b *Batch) AppendPerson(p *Person, l Lineage) bool {
	ok := b.text(0, p.Email)
	ok = b.text(1, p.Department) && ok
	ok = b.text(2, p.CostCenter) && ok
	b.int(3, p.ValidFrom)
	b.int(4, p.ValidTo)
	b.int(5, l.Object)
	b.int(6, l.Line)
	b.Rows++
	return ok
}

// DropLast takes the last row back.
func (b *Batch) DropLast() {
	b.Rows--
	b.Trim()
}

// Trim cuts every column to Rows: it takes back a row that was begun and not
// finished.
func (b *Batch) Trim() {
	for i := range b.Cols {
		c := &b.Cols[i]
		for _, null := range c.Null[b.Rows:] {
			if null {
				c.Nulls--
			}
		}
		c.Null = c.Null[:b.Rows]
		if b.Schema.Columns[i].Type != Text {
			c.Ints = c.Ints[:b.Rows]
			continue
		}
		c.Ends = c.Ends[:b.Rows]
		end := uint32(0)
		if b.Rows > 0 {
			end = c.Ends[b.Rows-1]
		}
		c.Heap = c.Heap[:end]
	}
}
