package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"chargeback/transform/strictyaml"
)

// The formats that sources may have.
const (
	FormatBedrock        = "bedrock"
	FormatBedrockBatch   = "bedrock-batch"
	FormatOpenAIBatch    = "openai-batch"
	FormatAnthropicBatch = "anthropic-batch"
	FormatVertex         = "vertex"
	FormatGemini         = "gemini"
	FormatLiteLLM        = "litellm"
	FormatPortkey        = "portkey"
	FormatOpenRouter     = "openrouter"
	FormatLangfuse       = "langfuse"
	FormatOTLP           = "otlp"
	FormatMapped         = "mapped"
	FormatPeople         = "people"
	FormatSCIM           = "scim"
	FormatEntra          = "entra"
	FormatOkta           = "okta"
	FormatWorkday        = "workday"
	FormatGoogle         = "google"

	FormatOpenAIUsage    = "openai-usage"
	FormatOpenAICosts    = "openai-costs"
	FormatAnthropicUsage = "anthropic-usage"
	FormatAnthropicCosts = "anthropic-costs"
	FormatCUR            = "aws-cur"
	FormatFOCUS          = "focus"
)

// Source is one place that objects are read from.
type Source struct {
	Name           string `yaml:"name"`   // unique; part of every record's lineage
	Format         string `yaml:"format"` // one of Formats
	URL            string `yaml:"url"`    // file:PATH or s3://bucket/prefix; see Location
	MaxRecordBytes Size   `yaml:"max_record_bytes"`
	S3             S3     `yaml:"s3,omitempty"`
	Side           string `yaml:"side,omitempty"`      // SideAgent or SideProvider, for formats that hold both
	CacheTTL       string `yaml:"cache_ttl,omitempty"` // CacheTTL5m or CacheTTL1h, where its records don't say; only for formats with tokens
	// SilentAfterDays is after how many days without a record the source needs
	// attention; 0 is never, and not set is by its habit.
	SilentAfterDays DayCount `yaml:"silent_after_days,omitempty"`
	Fields          Fields   `yaml:"fields,omitempty"` // the format's standard where a list is empty
	// Operations and Parents are further names of operations, and of spans and events
	// that name none: of requests, and of what repeats their tokens; only for FormatOTLP.
	Operations []string `yaml:"operations,omitempty"`
	Parents    []string `yaml:"parents,omitempty"`
	// TokensIn says whether counts of input hold those of the prompt cache: TokensInclusive or TokensExclusive; only for FormatLangfuse.
	TokensIn string `yaml:"tokens_in,omitempty"`
	Batch    Batch  `yaml:"batch,omitempty"`  // only for results of batch jobs
	Mapped   Mapped `yaml:"mapped,omitempty"` // only for FormatMapped
}

// Fields names where records hold what their format has no field for. What a
// name is, a dotted path or a key of metadata, depends on the format. In each
// list the first that a record has wins.
type Fields struct {
	AgentID           []string `yaml:"agent_id,omitempty"`
	ToolCalls         []string `yaml:"tool_calls,omitempty"` // a number, a list of names, or a map name -> count
	CostCenter        []string `yaml:"cost_center,omitempty"`
	ClientRef         []string `yaml:"client_ref,omitempty"`
	UserID            []string `yaml:"user_id,omitempty"`
	UserEmail         []string `yaml:"user_email,omitempty"`
	EndUser           []string `yaml:"end_user,omitempty"`
	Team              []string `yaml:"team,omitempty"`
	Project           []string `yaml:"project,omitempty"`
	Provider          []string `yaml:"provider,omitempty"`
	ProviderRequestID []string `yaml:"provider_request_id,omitempty"`
	ResponseID        []string `yaml:"response_id,omitempty"`
	Caller            []string `yaml:"caller,omitempty"`
	Email             []string `yaml:"email,omitempty"`      // here and below: of exports of people
	Department        []string `yaml:"department,omitempty"` // what a cost centre may be the default of
	ValidFrom         []string `yaml:"valid_from,omitempty"` // since when a person's cost centre holds
	Aliases           []string `yaml:"aliases,omitempty"`    // other names of a person: all of them count
}

// Batch says of the results of batch jobs what none of their lines does.
type Batch struct {
	Provider   string     `yaml:"provider,omitempty"`
	Account    string     `yaml:"account,omitempty"`
	Region     string     `yaml:"region,omitempty"`
	Model      string     `yaml:"model,omitempty"`
	Caller     string     `yaml:"caller,omitempty"`
	CostCenter string     `yaml:"cost_center,omitempty"`
	AgentID    string     `yaml:"agent_id,omitempty"`
	ClientRef  []string   `yaml:"client_ref,omitempty"` // dotted paths in a line; none: the line's own id
	Jobs       []BatchJob `yaml:"jobs,omitempty"`
}

// BatchJob says of one job what Batch says of all.
type BatchJob struct {
	ID         string  `yaml:"id"` // a word in the keys of the job's objects, or a Bedrock job's ARN
	StartedAt  Instant `yaml:"started_at,omitempty"`
	Model      string  `yaml:"model,omitempty"`
	Account    string  `yaml:"account,omitempty"`
	Region     string  `yaml:"region,omitempty"`
	ClientRef  string  `yaml:"client_ref,omitempty"` // the agent request that sent the whole job
	Caller     string  `yaml:"caller,omitempty"`
	CostCenter string  `yaml:"cost_center,omitempty"`
	AgentID    string  `yaml:"agent_id,omitempty"`
}

// Mapped says which of the fields of records of one's own is which. What it may
// hold is for the decoder to check.
type Mapped struct {
	Layout      string                            `yaml:"layout,omitempty"`
	Delimiter   string                            `yaml:"delimiter,omitempty"`
	Records     string                            `yaml:"records,omitempty"`
	Fields      map[string][]strictyaml.OneOrMore `yaml:"fields,omitempty"` // a list in the list is a sum
	Constants   map[string]string                 `yaml:"constants,omitempty"`
	Only        map[string][]string               `yaml:"only,omitempty"`
	Except      map[string][]string               `yaml:"except,omitempty"`
	Words       map[string]map[string]string      `yaml:"words,omitempty"`
	Null        []string                          `yaml:"null_words,omitempty"`
	TokensIn    string                            `yaml:"tokens_in,omitempty"`
	ReasoningIn string                            `yaml:"reasoning_in,omitempty"`
	TokenUnit   string                            `yaml:"token_unit,omitempty"`
	CostUnit    string                            `yaml:"cost_unit,omitempty"`
	Time        string                            `yaml:"time,omitempty"`
	Zone        string                            `yaml:"zone,omitempty"`
	Success     []string                          `yaml:"success,omitempty"`
	Failure     []string                          `yaml:"failure,omitempty"`
	CacheHit    []string                          `yaml:"cache_hit,omitempty"`
	Key         []string                          `yaml:"key,omitempty"`
}

// Instant is a point in time, written such as 2026-10-31T22:00:00Z.
type Instant struct{ time.Time }

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Instant) UnmarshalText(text []byte) (err error) {
	if t.Time, err = time.Parse(time.RFC3339, string(text)); err != nil {
		return fmt.Errorf("%q is not a time such as 2026-10-31T22:00:00Z", text)
	}
	t.Time = t.UTC()
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (t Instant) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

func (t Instant) String() string { return t.Format(time.RFC3339) }

// The sides that a record can tell of.
const (
	SideAgent    = "agent"    // what the agent platform knows
	SideProvider = "provider" // what the provider metered
)

// What a count of input tokens may hold.
const (
	TokensInclusive = "inclusive" // what was read from and written to the prompt cache, too
	TokensExclusive = "exclusive"
)

// formatOptions is what a source of a format may say besides where it lies.
type formatOptions struct {
	fields Fields // the standard; a list that is not nil may be named
	batch  bool
	sides  bool
	mapped bool
	tokens bool // records count the tokens of requests
}

// formatsKnown are the formats with what they take.
func formatsKnown() map[string]formatOptions {
	const logs, requester = "metadata.spend_logs_metadata.", "metadata.requester_metadata."
	none := []string{}
	labels := Fields{ClientRef: []string{"client_ref"}, CostCenter: []string{"cost_center"}, AgentID: []string{"agent_id"}}
	person := Fields{Email: none, Department: none, CostCenter: none, ValidFrom: none, Aliases: none}
	return map[string]formatOptions{
		FormatBedrock: {tokens: true, fields: Fields{ClientRef: []string{"litellm_call_id", "client_ref"}, CostCenter: []string{"cost_center"}, AgentID: []string{"agent_id"}}},
		FormatVertex:  {tokens: true, fields: labels},
		FormatGemini:  {tokens: true, fields: labels},
		FormatLiteLLM: {tokens: true, fields: Fields{
			AgentID: []string{logs + "agent_id", requester + "agent_id"}, ToolCalls: []string{logs + "tool_calls"},
			CostCenter: []string{logs + "cost_center", requester + "cost_center"}, ClientRef: []string{logs + "client_ref"},
		}},
		FormatPortkey: {tokens: true, fields: Fields{
			AgentID: []string{"agent_id"}, ToolCalls: []string{"tool_calls"}, CostCenter: []string{"cost_center"}, ClientRef: []string{"client_ref"},
			UserID: []string{"_user"}, EndUser: none, Team: []string{"team"},
		}},
		FormatOpenRouter: {tokens: true, fields: Fields{
			AgentID: []string{"metadata.agent_id"}, ToolCalls: []string{"metadata.tool_calls"}, CostCenter: []string{"metadata.cost_center"}, ClientRef: []string{"metadata.client_ref"},
			EndUser: none, Team: []string{"metadata.team"},
		}},
		FormatLangfuse: {tokens: true, fields: Fields{
			AgentID: []string{"metadata.agent_id"}, ToolCalls: []string{"metadata.tool_calls", "tool_call_names"}, CostCenter: []string{"metadata.cost_center"}, ClientRef: []string{"metadata.client_ref"},
			ProviderRequestID: []string{"metadata.request_id"}, ResponseID: []string{"metadata.response_id"}, Provider: []string{"metadata.provider", "metadata.ls_provider"},
			UserEmail: []string{"metadata.user_email"}, EndUser: none, Team: []string{"metadata.team"}, Project: none,
		}},
		FormatOTLP: {tokens: true, sides: true, fields: Fields{
			AgentID: none, ToolCalls: none, CostCenter: none, ClientRef: none, Team: none, Caller: none,
		}},
		FormatMapped:         {tokens: true, sides: true, mapped: true},
		FormatBedrockBatch:   {tokens: true, batch: true},
		FormatOpenAIBatch:    {tokens: true, batch: true},
		FormatAnthropicBatch: {tokens: true, batch: true},
		FormatPeople:         {},
		FormatSCIM:           {fields: person},
		FormatEntra:          {fields: person},
		FormatOkta:           {fields: person},
		FormatWorkday:        {fields: person},
		FormatGoogle:         {fields: person},
		FormatOpenAIUsage:    {},
		FormatOpenAICosts:    {},
		FormatAnthropicUsage: {},
		FormatAnthropicCosts: {},
		FormatCUR:            {},
		FormatFOCUS:          {},
	}
}

// Formats lists the formats that sources may have.
func Formats() (all []string) {
	for format := range formatsKnown() {
		all = append(all, format)
	}
	slices.Sort(all)
	return all
}

// lists are the lists of f by their keys.
func (f *Fields) lists() []fieldList {
	return []fieldList{
		{"agent_id", &f.AgentID}, {"tool_calls", &f.ToolCalls}, {"cost_center", &f.CostCenter}, {"client_ref", &f.ClientRef},
		{"user_id", &f.UserID}, {"user_email", &f.UserEmail}, {"end_user", &f.EndUser}, {"team", &f.Team}, {"project", &f.Project},
		{"provider", &f.Provider}, {"provider_request_id", &f.ProviderRequestID}, {"response_id", &f.ResponseID},
		{"caller", &f.Caller}, {"email", &f.Email}, {"department", &f.Department}, {"valid_from", &f.ValidFrom}, {"aliases", &f.Aliases},
	}
}

type fieldList struct {
	key  string
	list *[]string
}

// FillIn sets what a source leaves open to its standard.
func (s *Source) FillIn() {
	if s.MaxRecordBytes == 0 {
		s.MaxRecordBytes = 64e6
	}
	if s.Side == "" && formatsKnown()[s.Format].sides {
		s.Side = SideAgent
	}
	if formatsKnown()[s.Format].mapped {
		m := &s.Mapped
		m.Layout, m.TokenUnit, m.CostUnit = cmp.Or(m.Layout, "json"), cmp.Or(m.TokenUnit, "tokens"), cmp.Or(m.CostUnit, "usd")
		m.Time, m.Zone = cmp.Or(m.Time, "rfc3339"), cmp.Or(m.Zone, "UTC")
	}
	standard := formatsKnown()[s.Format].fields
	for i, own := range s.Fields.lists() {
		if len(*own.list) == 0 {
			*own.list = *standard.lists()[i].list
		}
	}
}

func (s Source) check(doc document, path string) {
	doc.oneOf(path+".format", s.Format, Formats()...)
	if s.MaxRecordBytes < 1e3 || s.MaxRecordBytes > 2e9 {
		doc.Failf(path+".max_record_bytes", "%s is out of range; give 1kB to 2GB", s.MaxRecordBytes)
	}
	scheme, place := s.Location()
	if doc.checkPlace(path+".url", s.URL) && (place == "" || scheme != SchemeFile && scheme != SchemeS3) {
		doc.Failf(path+".url", "%q is not a place to read from; write file:PATH or s3://bucket/prefix", s.URL)
	}
	if scheme != SchemeS3 && s.S3 != (S3{}) {
		doc.Failf(path+".s3", "is set although url is not an s3:// address; remove one of the two")
	}
	s.S3.check(doc, path+".s3")
	if s.SilentAfterDays.Days > daysMost {
		doc.Failf(path+".silent_after_days", "%s is out of range; give 0 to %d, 0 is never", s.SilentAfterDays, daysMost)
	}
	if s.SilentAfterDays.Set && s.IsPeople() {
		doc.Failf(path+".silent_after_days", "is set although format %s has no records of requests; remove it", s.Format)
	}
	known, ok := formatsKnown()[s.Format]
	if !ok {
		return
	}
	s.checkFields(doc, path+".fields", known.fields)
	if doc.Has(path+".batch") && !known.batch {
		doc.Failf(path+".batch", "is set although format is %q; it is for results of batch jobs", s.Format)
	}
	switch {
	case s.TokensIn == "":
	case s.Format == FormatMapped:
		doc.Failf(path+".tokens_in", "belongs under mapped, as its other keys; write mapped: {tokens_in: %s}", s.TokensIn)
	case s.Format != FormatLangfuse:
		doc.Failf(path+".tokens_in", "is set although format is %q, whose records tell it; it is for langfuse, and for mapped under mapped", s.Format)
	default:
		doc.oneOf(path+".tokens_in", s.TokensIn, TokensInclusive, TokensExclusive)
	}
	if len(s.Operations) > 0 && s.Format != FormatOTLP {
		doc.Failf(path+".operations", "is set although format is %q; it is for otlp", s.Format)
	}
	if len(s.Parents) > 0 && s.Format != FormatOTLP {
		doc.Failf(path+".parents", "is set although format is %q; it is for otlp", s.Format)
	}
	for i, name := range s.Parents {
		if slices.Contains(s.Operations, name) {
			doc.Failf(fmt.Sprintf("%s.parents[%d]", path, i), "%q is listed in operations too; list it once", name)
		}
	}
	if doc.Has(path+".mapped") && !known.mapped {
		doc.Failf(path+".mapped", "is set although format is %q; it is for mapped", s.Format)
	}
	s.Batch.check(doc, path+".batch")
	switch {
	case !known.tokens && s.CacheTTL != "":
		doc.Failf(path+".cache_ttl", "is set although format %s has no requests with tokens; remove it", s.Format)
	case s.CacheTTL != "":
		doc.oneOf(path+".cache_ttl", s.CacheTTL, CacheTTL5m, CacheTTL1h)
	}
	switch {
	case known.sides:
		doc.oneOf(path+".side", s.Side, SideAgent, SideProvider)
	case s.Side != "":
		doc.Failf(path+".side", "is set although format %s has one side only; remove it", s.Format)
	}
}

// checkFields refuses names that the format has no use for.
func (s Source) checkFields(doc document, path string, standard Fields) {
	var allowed []string
	for _, l := range standard.lists() {
		if *l.list != nil {
			allowed = append(allowed, l.key)
		}
	}
	for _, l := range s.Fields.lists() {
		for _, name := range *l.list {
			if s.IsSnapshot() && (name == "" || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..")) {
				doc.Failf(path+"."+l.key, "%q is not a field; write its path with one dot between its parts, or the title of a column", name)
			}
		}
		switch {
		case len(*l.list) == 0 || slices.Contains(allowed, l.key):
		case len(allowed) == 0:
			doc.Failf(path, "is set although format %s has no such names; remove it", s.Format)
			return
		default:
			doc.Failf(path+"."+l.key, "is nothing that format %s can be told; it takes %s", s.Format, strings.Join(allowed, ", "))
		}
	}
}

func (b Batch) check(doc document, path string) {
	jobs := unique{}
	for i, job := range b.Jobs {
		at := fmt.Sprintf("%s.jobs[%d].id", path, i)
		if doc.need(at, job.ID, "write a part of the keys of the job's objects, such as the job's id") {
			jobs.check(doc, at, job.ID)
		}
	}
}
