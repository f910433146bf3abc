// Package record is the shape of what is read: usage, request, people and total
// rows, and the batches in which they travel.
//
// It owns: the staged columns, their types and their meaning.
// It does not own: how a format fills them (extract/decode) or where they are
// kept (billing/manifest).
package record

// Lineage says where a record was read: Object is the manifest's id of the
// object, Line the line (from 1) on which the record starts.
type Lineage struct {
	Object int64
	Line   int64
}

// Tokens are disjoint counts down to Output. Those below are parts of others:
// Reasoning and the outputs of Output, the inputs of InputUncached, and
// CacheReadAudio of CacheRead. Searches counts what the provider looked up.
type Tokens struct {
	InputUncached     int64
	CacheRead         int64
	CacheWrite5m      int64
	CacheWrite1h      int64
	CacheWriteUnknown int64
	Output            int64
	Reasoning         int64
	InputAudio        int64
	InputImage        int64
	CacheReadAudio    int64
	OutputAudio       int64
	OutputImage       int64
	Searches          int64
}

// Usage is what a provider metered for one request. Text fields point into
// the decoder's memory and hold until the next record.
type Usage struct {
	Key               int64 // 63 bits of a SHA-256 of the natural key
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
	Failed            bool
	ErrorCode         []byte
	Notice            []byte // what is also billed and Tokens don't hold, in words
	Completeness      int64  // a final record ranks above a partial one, that above an error
}

// Request is what the agent platform knows of one request.
type Request struct {
	Key               int64
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
	Failed            bool
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
	Region            []byte
	ServiceTier       []byte
	Tools             []byte // name:count,name:count sorted by name; * where only the number is known
	ToolCalls         int64
	Tokens            Tokens
	ReportedPico      int64 // the platform's own estimate in pico-USD; charged only where the settings say so of an unknown model
	HasReported       bool
	Notice            []byte // what is also billed and Tokens don't hold, in words
	Completeness      int64  // what is more complete stands for its copies: a span for the event beside it
}

// Person is one dated row of a people file, or what a snapshot shows of a
// person on its day. Only a snapshot may leave Department or CostCenter empty.
type Person struct {
	Email       []byte
	Department  []byte
	CostCenter  []byte
	ValidFrom   int64 // days since 1970-01-01, inclusive
	ValidTo     int64 // exclusive; of a snapshot's row the end of all days
	Snapshot    int64 // day of the snapshot
	HasSnapshot bool
	Names       []byte // other names, as NameList.Join gives them
}

// Total is one figure of a provider's own report or bill: a count of one token
// class, an amount of one line item, or both, of a bucket of time. It is never
// joined to requests; it checks their sum.
type Total struct {
	Provider    []byte
	Account     []byte
	Project     []byte // or workspace
	Key         []byte
	Principal   []byte
	Model       []byte // as reported
	Class       []byte // one of the Class constants, empty where LineItem says more
	LineItem    []byte // the provider's own words
	ServiceTier []byte
	Region      []byte
	Start, End  int64 // of the bucket, microseconds UTC, the end exclusive
	Date        int64 // UTC day of Start
	Unit        []byte
	Quantity    int64
	AmountPico  int64
	ListPico    int64
	HasQuantity bool
	HasAmount   bool
	HasList     bool
	Currency    []byte
	Period      []byte // billing month of an export that is replaced as a whole
	Revision    int64
}

// What a Total counts. Tokens are disjoint: audio and image tokens are no part
// of the class that they are priced besides.
const (
	ClassInput             = "input_uncached"
	ClassCacheRead         = "cache_read"
	ClassCacheWrite5m      = "cache_write_5m"
	ClassCacheWrite1h      = "cache_write_1h"
	ClassCacheWriteUnknown = "cache_write_unknown"
	ClassOutput            = "output"
	ClassInputAudio        = "input_audio"
	ClassInputImage        = "input_image"
	ClassCacheReadAudio    = "cache_read_audio"
	ClassOutputAudio       = "output_audio"
	ClassOutputImage       = "output_image"
	ClassSearches          = "searches"
	ClassRequests          = "requests"
)

// UsageSchema is the staged table of Usage rows. What repeats from row to row
// lies in the tables of Meters and Callers.
var UsageSchema = &Schema{Table: "usage", About: "Per request, what the provider metered", Columns: []Column{
	{"record_key", Int, false, "63 bits of a SHA-256 of the format's natural key"},
	{"provider_request_key", ID, true, "key of the provider's request id: a UUID, or a hash of another text"},
	{"provider_request_id", Text, true, "null where its key tells it, here and below: it is a UUID, or there is none"},
	{"response_key", ID, true, "key of the id in the response body"},
	{"response_id", Text, true, ""},
	{"client_ref_key", ID, true, "key of the caller's own id, sent along as metadata"},
	{"client_ref", Text, true, ""},
	{"started_at", Time, false, "UTC"},
	{"usage_date", Date, false, "start in the billing zone"},
	{"meter_id", Int, false, "row of meters"},
	{"caller_id", Int, false, "row of callers"},
	{"input_uncached_tokens", Int, false, "disjoint from all other counts"},
	{"cache_read_tokens", Int, false, ""},
	{"cache_write_5m_tokens", Int, false, ""},
	{"cache_write_1h_tokens", Int, false, ""},
	{"cache_write_unknown_tokens", Int, false, "TTL not logged"},
	{"output_tokens", Int, false, ""},
	{"reasoning_tokens", Int, false, "part of output_tokens"},
	{"input_audio_tokens", Int, true, "part of input_uncached_tokens; null: none, as below"},
	{"input_image_tokens", Int, true, "part of input_uncached_tokens"},
	{"cache_read_audio_tokens", Int, true, "part of cache_read_tokens"},
	{"output_audio_tokens", Int, true, "part of output_tokens"},
	{"output_image_tokens", Int, true, "part of output_tokens"},
	{"searches", Int, true, "web searches that the provider ran"},
	{"failed", Bool, false, "the provider answered with an error"},
	{"completeness", Int, false, "0 error, 1 partial, 2 final"},
	{"object_id", Int, false, "manifest id of the object"},
	{"line", Int, false, "line on which the record starts"},
}}

// RequestSchema is the staged table of Request rows. What repeats from row to
// row lies in the tables of Meters, Actors and Tasks.
var RequestSchema = &Schema{Table: "requests", About: "Per request, what the agent platform knows", Columns: []Column{
	{"record_key", Int, false, "63 bits of a SHA-256 of the format's natural key"},
	{"agent_request_key", ID, true, "key of the id that the platform gives it: a UUID, or a hash of another text"},
	{"agent_request_id", Text, false, "empty where its key tells it: it is a UUID"},
	{"provider_request_key", ID, true, "key of the provider's request id"},
	{"provider_request_id", Text, true, "null where its key tells it, here and below: it is a UUID, or there is none"},
	{"response_key", ID, true, "key of the id in the response body"},
	{"response_id", Text, true, ""},
	{"client_ref_key", ID, true, "key of the client reference; null: agent_request_key is the reference"},
	{"client_ref", Text, true, ""},
	{"trace_key", ID, true, "key of the trace; null: the request is its own trace"},
	{"trace_id", Text, true, ""},
	{"end_user", Text, true, ""},
	{"started_at", Time, false, "UTC"},
	{"ended_at", Time, true, "UTC"},
	{"request_date", Date, false, "start in the billing zone"},
	{"meter_id", Int, false, "row of meters"},
	{"actor_id", Int, false, "row of actors"},
	{"task_id", Int, false, "row of tasks"},
	{"cache_hit", Bool, false, "answered from the gateway's cache"},
	{"failed", Bool, false, ""},
	{"tool_calls", Int, false, ""},
	{"input_uncached_tokens", Int, false, "disjoint from all other counts"},
	{"cache_read_tokens", Int, false, ""},
	{"cache_write_5m_tokens", Int, false, ""},
	{"cache_write_1h_tokens", Int, false, ""},
	{"cache_write_unknown_tokens", Int, false, ""},
	{"output_tokens", Int, false, ""},
	{"reasoning_tokens", Int, false, "part of output_tokens"},
	{"input_audio_tokens", Int, true, "part of input_uncached_tokens; null: none, as below"},
	{"input_image_tokens", Int, true, "part of input_uncached_tokens"},
	{"cache_read_audio_tokens", Int, true, "part of cache_read_tokens"},
	{"output_audio_tokens", Int, true, "part of output_tokens"},
	{"output_image_tokens", Int, true, "part of output_tokens"},
	{"searches", Int, true, "web searches that the provider ran"},
	{"reported_pico_usd", Int, true, "the platform's own estimate in 10^-12 USD, charged only where the settings say so of an unknown model"},
	{"completeness", Int, false, "0 failure, 1 success without tokens, 2 success, 3 success as its span tells it"},
	{"object_id", Int, false, "manifest id of the object"},
	{"line", Int, false, "line on which the record starts"},
}}

// MeterSchema is what was metered: a model of a provider, where and how.
var MeterSchema = &Schema{Table: "meters", About: "What is metered: a model of a provider, where and how it was called", Once: true, Columns: []Column{
	{"meter_id", Int, false, "a number, or a hash of the columns below where several processes may write"},
	{"provider", Text, false, "bedrock, openai, ..."},
	{"account", Text, true, "account, project or workspace"},
	{"region", Text, true, "region that was called"},
	{"model", Text, false, "model as sent"},
	{"operation", Text, true, "kind of call, as the provider names it; null: not told"},
	{"service_tier", Text, true, "as the provider names it; null: not told"},
	{"error_code", Text, true, ""},
	{"notice", Text, true, "what is also billed and the counts don't hold, in words; null: nothing that is known of"},
}}

// CallerSchema is what a provider knows of who called.
var CallerSchema = &Schema{Table: "callers", About: "What the provider knows of who called", Once: true, Columns: []Column{
	{"caller_id", Int, false, "a number, or a hash of the columns below where several processes may write"},
	{"caller", Text, true, "role ARN or service account"},
	{"cost_center", Text, true, "explicit, from trusted metadata"},
	{"agent_id", Text, true, ""},
}}

// ActorSchema is who asked, as the agent platform knows it.
var ActorSchema = &Schema{Table: "actors", About: "Who asked, as the agent platform knows it", Once: true, Columns: []Column{
	{"actor_id", Int, false, "a number, or a hash of the columns below where several processes may write"},
	{"user_id", Text, true, ""},
	{"user_email", Text, true, "null where it equals user_id"},
	{"team", Text, true, "team of the key, as the platform names it"},
	{"key_alias", Text, true, "name of the key that was used"},
	{"project", Text, true, "project of the key, as the platform names it"},
}}

// TaskSchema is what was asked of which agent.
var TaskSchema = &Schema{Table: "tasks", About: "Which agent worked, for which explicit cost centre, with which tools", Once: true, Columns: []Column{
	{"task_id", Int, false, "a number, or a hash of the columns below where several processes may write"},
	{"agent_id", Text, true, ""},
	{"cost_center", Text, true, "explicit, from trusted metadata"},
	{"tools", Text, true, "name:count,... sorted by name"},
}}

// DimensionSchemas lists the tables that staged rows point into.
var DimensionSchemas = []*Schema{MeterSchema, CallerSchema, ActorSchema, TaskSchema}

// PeopleSchema is the staged table of Person rows.
var PeopleSchema = &Schema{Table: "people", About: "Who belongs to which department and cost centre, and when", Columns: []Column{
	{"email", Text, false, "normalised"},
	{"department", Text, false, "empty: the snapshot doesn't say"},
	{"cost_center", Text, false, "text; keeps leading zeros; empty: the snapshot doesn't say"},
	{"valid_from", Date, false, "inclusive"},
	{"valid_to", Date, false, "exclusive; a snapshot's row ends with the next snapshot instead"},
	{"object_id", Int, false, "manifest id of the object"},
	{"line", Int, false, "line of the row"},
	{"snapshot_date", Date, true, "day of the snapshot; null: a dated row"},
	{"names", Text, true, "other names of the person, FIELD=NAME with | between; null: none is shown"},
}}

// TotalSchema is the staged table of Total rows.
var TotalSchema = &Schema{Table: "totals", About: "Control totals: what providers report and bill, by bucket of time; never joined to requests", Columns: []Column{
	{"provider", Text, false, "bedrock, openai, ..."},
	{"account", Text, true, ""},
	{"project", Text, true, "project or workspace"},
	{"key", Text, true, "API key, by id or by name"},
	{"principal", Text, true, "role, user or person"},
	{"model", Text, true, "as reported"},
	{"token_class", Text, true, "input_uncached, cache_read, ..., output, searches or requests; null: see line_item"},
	{"line_item", Text, true, "the provider's own words"},
	{"service_tier", Text, true, ""},
	{"region", Text, true, ""},
	{"bucket_start", Time, false, "UTC, inclusive"},
	{"bucket_end", Time, false, "UTC, exclusive"},
	{"bucket_date", Date, false, "UTC day of bucket_start"},
	{"unit", Text, true, "of quantity, or of what is billed where no quantity is known"},
	{"quantity", Int, true, "null: not reported"},
	{"amount_pico", Int, true, "billed, in 10^-12 USD; null: not reported"},
	{"list_amount_pico", Int, true, "the same without discounts"},
	{"currency", Text, true, "USD; null: no amount"},
	{"period", Text, true, "billing month of an export that is replaced as a whole"},
	{"revision", Time, false, "when the provider's export or our copy of it was written"},
	{"object_id", Int, false, "manifest id of the object"},
	{"line", Int, false, "line of the record, or row of a Parquet file"},
}}

func (b *Batch) tokens(i int, t *Tokens) {
	b.int(i, t.InputUncached)
	b.int(i+1, t.CacheRead)
	b.int(i+2, t.CacheWrite5m)
	b.int(i+3, t.CacheWrite1h)
	b.int(i+4, t.CacheWriteUnknown)
	b.int(i+5, t.Output)
	b.int(i+6, t.Reasoning)
	for j, n := range [...]int64{t.InputAudio, t.InputImage, t.CacheReadAudio, t.OutputAudio, t.OutputImage, t.Searches} {
		b.optional(i+7+j, n, n != 0)
	}
}

// meter appends the id of a meter. One without a notice has the id that it had
// before there were any.
func (b *Batch) meter(i int, d *Dimension, notice, provider, account, region, model, operation, tier, errorCode []byte) {
	if len(notice) == 0 {
		b.tuple(i, d, provider, account, region, model, operation, tier, errorCode)
		return
	}
	b.tuple(i, d, provider, account, region, model, operation, tier, errorCode, notice)
}

// AppendUsage adds one row to a batch of UsageSchema. Where a text can't be kept
// it adds nothing and returns a *TextError.
func (b *Batch) AppendUsage(u *Usage, d *Dimensions, l Lineage) error {
	b.int(0, u.Key)
	b.id(1, u.ProviderRequestID)
	b.id(3, u.ResponseID)
	b.id(5, u.ClientRef)
	b.int(7, u.StartedAt)
	b.int(8, u.Date)
	b.meter(9, d.Meters, u.Notice, u.Provider, u.Account, u.Region, u.Model, u.Operation, u.ServiceTier, u.ErrorCode)
	b.tuple(10, d.Callers, u.Caller, u.CostCenter, u.AgentID)
	b.tokens(11, &u.Tokens)
	b.bool(24, u.Failed)
	b.int(25, u.Completeness)
	b.int(26, l.Object)
	b.int(27, l.Line)
	return b.finish()
}

// AppendRequest adds one row to a batch of RequestSchema; see AppendUsage.
func (b *Batch) AppendRequest(r *Request, d *Dimensions, l Lineage) error {
	b.int(0, r.Key)
	b.id(1, r.AgentRequestID)
	b.id(3, r.ProviderRequestID)
	b.id(5, r.ResponseID)
	b.id(7, r.ClientRef)
	b.id(9, r.TraceID)
	b.text(11, r.EndUser)
	b.int(12, r.StartedAt)
	b.optional(13, r.EndedAt, r.HasEnded)
	b.int(14, r.Date)
	b.meter(15, d.Meters, r.Notice, r.Provider, nil, r.Region, r.Model, nil, r.ServiceTier, r.ErrorCode)
	b.tuple(16, d.Actors, r.UserID, r.UserEmail, r.Team, r.KeyAlias, r.Project)
	b.tuple(17, d.Tasks, r.AgentID, r.CostCenter, r.Tools)
	b.bool(18, r.CacheHit)
	b.bool(19, r.Failed)
	b.int(20, r.ToolCalls)
	b.tokens(21, &r.Tokens)
	b.optional(34, r.ReportedPico, r.HasReported)
	b.int(35, r.Completeness)
	b.int(36, l.Object)
	b.int(37, l.Line)
	return b.finish()
}

// AppendPerson adds one row to a batch of PeopleSchema; see AppendUsage.
func (b *Batch) AppendPerson(p *Person, l Lineage) error {
	b.text(0, p.Email)
	b.text(1, p.Department)
	b.text(2, p.CostCenter)
	b.int(3, p.ValidFrom)
	b.int(4, p.ValidTo)
	b.int(5, l.Object)
	b.int(6, l.Line)
	b.optional(7, p.Snapshot, p.HasSnapshot)
	b.text(8, p.Names)
	return b.finish()
}

// AppendTotal adds one row to a batch of TotalSchema; see AppendUsage.
func (b *Batch) AppendTotal(t *Total, l Lineage) error {
	for i, text := range [...][]byte{t.Provider, t.Account, t.Project, t.Key, t.Principal, t.Model, t.Class, t.LineItem, t.ServiceTier, t.Region} {
		b.text(i, text)
	}
	b.int(10, t.Start)
	b.int(11, t.End)
	b.int(12, t.Date)
	b.text(13, t.Unit)
	b.optional(14, t.Quantity, t.HasQuantity)
	b.optional(15, t.AmountPico, t.HasAmount)
	b.optional(16, t.ListPico, t.HasList)
	b.text(17, t.Currency)
	b.text(18, t.Period)
	b.int(19, t.Revision)
	b.int(20, l.Object)
	b.int(21, l.Line)
	return b.finish()
}

// Trim cuts every column to Rows: it takes back a row that was begun and not
// finished.
func (b *Batch) Trim() {
	b.fault = nil
	for i := range b.Cols {
		c := &b.Cols[i]
		if b.Schema.Columns[i].Nullable {
			for _, null := range c.Null[b.Rows:] {
				if null {
					c.Nulls--
				}
			}
			c.Null = c.Null[:b.Rows]
		}
		switch b.Schema.Columns[i].Type {
		case Text:
		case ID:
			c.Keys = c.Keys[:b.Rows]
			continue
		default:
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
